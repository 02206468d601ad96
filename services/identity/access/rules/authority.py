"""Who may unlock whom and give whom a new password (`domain.md` §1.2 and "Further rights")."""

from __future__ import annotations

from collections.abc import Sequence

from services.shared.actor import REGION_ADMINS, Actor, Role, covers

REGIONS = REGION_ADMINS | {Role.NATIONAL_OPERATOR}
OF_TEACHERS = REGIONS | {Role.SCHOOL_ADMIN}


def may_manage_access(actor: Actor, place: str, granted_places: Sequence[str]) -> bool:
    """Whether the actor may unlock or reset a person who belongs to `place` and holds grants at `granted_places`.

    A teacher is the own school's and everybody's above. Who holds a grant is a region's, strictly above all of them: no
    school administrator opens a colleague's desk, and no equal the other's.
    """
    if granted_places:
        return any(
            all(granted != held and covers(granted, held) for held in granted_places)
            for granted in actor.places(REGIONS)
        )
    return any(covers(granted, place) for granted in actor.places(OF_TEACHERS))
