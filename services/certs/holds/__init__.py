"""Holds on issuing: credits' proof failed, and people have not looked yet."""
