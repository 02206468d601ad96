"""Pure rules of signing in; no I/O."""
