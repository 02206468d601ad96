"""Measuring an installation of its own on this machine: what an action costs, as ratios to what it could not do without."""
