"""A school’s teachers: employment status, archive, the review queue, lists (`domain.md` §3.4)."""
