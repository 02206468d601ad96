"""What org/delegation does. Others use `note_unit` when a school is created, moved, merged or closed."""

from services.org.delegation.actions.seats import note_regions, note_unit, note_units

__all__ = ["note_regions", "note_unit", "note_units"]
