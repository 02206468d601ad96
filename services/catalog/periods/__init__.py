"""Periods (期) and what they offer: planned, published, opened and closed by the clock, billed, taught, graded, archived."""
