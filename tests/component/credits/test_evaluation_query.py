"""Rule evaluation as the bus answers it."""

from __future__ import annotations

import pytest

from services.credits.service import CreditsService
from services.shared.actor import ANONYMOUS
from services.shared.errors import InvalidInput, NotAllowed

DOCUMENT = {
    "kind": "items",
    "pack": "guangxi-school-based-sample",
    "year": 2021,
    "items": [{"item": "GXS.1", "half_days": 8}],
}


def test_a_document_is_judged_for_whoever_is_signed_in(component, a_person):
    service = component(CreditsService)
    assert service.call("evaluate_rules", DOCUMENT, a_person())["credits"] == "3.00"
    with pytest.raises(NotAllowed, match="sign_in_first"):
        service.call("evaluate_rules", DOCUMENT, ANONYMOUS)


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"pack": "no-such-pack"}, "credits.pack_unknown", "pack"),
        ({"pack": "guangxi-2016"}, "credits.pack_of_another_kind", "pack"),
        ({"items": [{"item": "GXS.77"}]}, "credits.item_unknown", "items.0.item"),
        ({"year": "2021"}, "credits.document_form", "year"),
    ],
)
def test_a_fault_carries_its_code_and_its_place(component, a_person, change, code, place):
    service = component(CreditsService)
    with pytest.raises(InvalidInput) as refused:
        service.call("evaluate_rules", {**DOCUMENT, **change}, a_person())
    assert (refused.value.code, refused.value.field) == (code, place)


def test_the_packs_are_public(component):
    listed = component(CreditsService).call("list_packs", {}, ANONYMOUS)["items"]
    assert {pack["id"]: pack["status"] for pack in listed}["smartedu-2023-summer"] == "DRAFT"
