"""People found in one's own territory, by what exactly one of them has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.identity.actions.people import show_person
from services.identity.actions.refusals import checked_phone
from services.identity.person import queries
from services.identity.person.rules.learner_no import is_learner_no, normalised
from services.identity.rules.contact import name_key
from services.identity.rules.documents import normalised_id_no
from services.identity.vault import Vault
from services.shared.bus import Call
from services.shared.errors import InvalidInput

Found = Any  # a row of `queries.list_people_by`


def searched_places(call: Call, place: str | None) -> list[str]:
    """Where to look: the asked place, or the whole territory of the caller. Raises NotFound for a place beyond it."""
    if place is not None:
        call.authorise(place=place, missing="identity.place_unknown")
        return [place]
    places = sorted(set(call.actor.places(call.policy.roles)))
    call.authorise(place=places[0] if places else "")
    return places


def search_people(db: Session, call: Call, vault: Vault, wanted: dict[str, Any]) -> Sequence[Found]:
    """The people of the own territory with this phone, ID number, learner number or full name, one more than the limit.

    Names are compared without joints, case and width. Raises InvalidInput("identity.one_search") unless exactly one thing
    is looked for.
    """
    places = searched_places(call, wanted["place"])
    ways = [way for way in queries.WAYS if wanted.get(way)]
    if len(ways) != 1:
        raise InvalidInput("identity.one_search", ways[1] if ways else "name")
    cursor = wanted["cursor"]
    after = (cursor["place"], cursor["account_id"]) if cursor else None
    keys = _keys(vault, ways[0], wanted)
    return queries.list_people_by(db, ways[0], keys, places, after, wanted["limit"] + 1)


def show_found(vault: Vault, found: Found) -> dict[str, Any]:
    """A person found, masked, with where they are: as the reply holds it, for lists are long."""
    return {
        **show_person(vault, found, found),
        "membership_state": found.membership_state or "",
        "school_id": found.school_id,
        "school_name": found.school_name or "",
        "review_state": found.review_state,
    }


def cursor_of(found: Found) -> dict[str, Any]:
    return {"place": found.place, "account_id": found.id}


def _keys(vault: Vault, way: str, wanted: dict[str, Any]) -> list[str]:
    """What the database knows the wanted thing by: its keyed indexes, one per key of the ring."""
    if way == "phone":
        return vault.phone_candidates(checked_phone(wanted["phone"]))
    if way == "id_no":
        return vault.id_no_candidates(wanted["id_type"], normalised_id_no(wanted["id_no"]))
    if way == "name":
        if not name_key(wanted["name"]):
            raise InvalidInput("identity.name_form", "name")
        return vault.name_candidates(wanted["name"])
    number = normalised(wanted["learner_no"])
    if not is_learner_no(number):
        raise InvalidInput("identity.learner_no_form", "learner_no")
    return [number]
