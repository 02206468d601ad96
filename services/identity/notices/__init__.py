"""Short messages about what was decided on a person (F66)."""
