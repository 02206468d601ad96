"""What org/transfers does, by topic. Others use `move_school` and `end_transfers_at` when a school moves or ends."""

from services.org.transfers.actions.schools import end_transfers_at, move_school

__all__ = ["end_transfers_at", "move_school"]
