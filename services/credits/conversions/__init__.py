"""Amounts earned under another unit, converted by an act that is on record (`domain.md` §4.6)."""
