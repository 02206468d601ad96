"""Holds: what keeps a teacher from choosing courses or from being transferred (`domain.md` §3.13)."""
