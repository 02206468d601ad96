"""Rendering ahead of the asking: what was issued is printed little by little, while nobody waits for a page."""
