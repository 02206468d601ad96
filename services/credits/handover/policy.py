"""Who sees the hand-overs that somebody must decide about: those who recognise hours at the place."""

from __future__ import annotations

from services.credits.declarations.policy import FINAL
from services.shared.policy import Policy

POLICIES: dict[str, Policy] = {"list_handovers": FINAL}
