"""Pure rules of the person's record; no I/O."""
