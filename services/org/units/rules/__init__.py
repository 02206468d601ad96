"""Pure rules of org/units, by topic; no I/O."""
