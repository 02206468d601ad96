"""The season's story over HTTP: a client of the public API only. `yanxiu demo` shows it, the journey test asserts it."""
