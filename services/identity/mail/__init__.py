"""The own e-mail address, confirmed by a code that was sent to it."""
