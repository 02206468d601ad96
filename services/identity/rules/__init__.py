"""Pure decisions of identity by topic; standard library only, no I/O, no clock."""
