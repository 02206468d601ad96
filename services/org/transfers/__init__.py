"""Transfers of teachers between schools (`domain.md` §3.3)."""
