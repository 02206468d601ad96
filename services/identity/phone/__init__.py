"""Changing the bound phone (`domain.md` §3.10)."""
