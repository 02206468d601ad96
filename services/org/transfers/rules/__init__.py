"""Pure rules of org/transfers, by topic; no I/O."""
