"""Pure rules of org/staffing, by topic; no I/O."""
