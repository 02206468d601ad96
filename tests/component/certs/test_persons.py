"""Certificates of a person with two accounts, and of a person who asked to be forgotten."""

from __future__ import annotations

import datetime as dt

import pytest

from services.identity.contract import person as identity
from services.shared.errors import Conflict
from services.shared.ids import new_id

EVENTS = identity.EVENTS


def tell(season, handler, event_type, **payload):
    payload = {name: value if isinstance(value, int) else str(value) for name, value in payload.items()}
    assert EVENTS[event_type]().validate(payload) == {}
    season.certs.deliver(handler, event_type, payload)


def merge(season, kept, merged, version=2):
    tell(season, "on_persons_merged", identity.PERSONS_MERGED, kept_id=kept, merged_id=merged, version=version)


def undo(season, kept, merged, version=3):
    tell(season, "on_merge_undone", identity.MERGE_UNDONE, kept_id=kept, merged_id=merged, version=version)


@pytest.fixture
def wallet(season, a_person):
    """{number: state} of what an account holds."""

    def read(teacher_id):
        items = season.certs.call("list_certificates", {}, a_person(teacher_id))["items"]
        return {item["number"]: item["state"] for item in items}

    return read


def issue(season):
    season.close()
    season.decide()


def test_a_certificate_follows_its_person_and_comes_back(season, wallet):
    kept, former = season.teacher("5.00", done=4), season.teacher()
    issue(season)
    before = wallet(former)
    merge(season, kept, former)
    assert (wallet(kept), wallet(former)) == (before, {})
    undo(season, kept, former)
    assert (wallet(kept), wallet(former)) == ({}, before)


def test_the_person_who_comes_to_six_hours_by_the_merge_gets_no_second_certificate(season, wallet, a_person):
    kept, former = season.teacher("0.00", done=0), season.teacher()
    issue(season)
    (number,) = wallet(former)
    merge(season, kept, former)
    season.recognise(kept, "6.00")
    season.recognise(former, "0.00", done=0, met=False)
    season.decide()
    assert wallet(kept) == {number: "VALID"}
    assert season.standing_of(kept, a_person)["state"] == "ISSUED"


def test_of_two_valid_ones_the_former_is_replaced_and_undoing_restores_it(season, wallet, fixed_clock):
    kept, former = season.teacher(), season.teacher()
    issue(season)
    own, other = wallet(kept), wallet(former)
    (number,) = other
    merge(season, kept, former)
    assert wallet(kept) == {**own, number: "REPLACED"}
    assert season.certs.call("verify_certificate", {"number": number})["state"] == "REPLACED"
    fixed_clock.instant += dt.timedelta(days=1)
    undo(season, kept, former)
    assert (wallet(kept), wallet(former)) == (own, other)
    shown = season.certs.call("verify_certificate", {"number": number})
    assert shown["state"] == "VALID"
    assert [change["state"] for change in shown["history"]] == ["VALID", "REPLACED", "VALID"]


def test_after_the_undoing_the_kept_account_is_decided_by_its_own_hours(season, wallet, a_person):
    kept, former = season.teacher("0.00", done=0), season.teacher()
    issue(season)
    merge(season, kept, former)
    season.recognise(kept, "6.00")
    season.decide()
    undo(season, kept, former)
    season.recognise(kept, "0.00", done=0, met=False)
    season.decide()
    assert wallet(kept) == {}
    assert season.standing_of(kept, a_person)["state"] == "NOT_EARNED"


def test_what_comes_twice_late_or_out_of_order_changes_nothing(season, wallet):
    kept, former = season.teacher("5.00", done=4), season.teacher()
    issue(season)
    before = wallet(former)
    undo(season, kept, former, version=3)
    merge(season, kept, former, version=2)
    assert wallet(former) == before
    merge(season, kept, former, version=4)
    merge(season, kept, former, version=4)
    assert wallet(kept) == before


def test_an_erased_holder_has_no_name_and_no_pdf_but_the_number_still_verifies(season, render, a_person, wallet):
    teacher = season.teacher()
    issue(season)
    [certificate] = season.certs.call("list_certificates", {}, a_person(teacher))["items"]
    asked = {"certificate_id": certificate["certificate_id"]}
    key = render.call("render_certificate", asked, a_person(teacher))["storage_key"]
    for version in (4, 4):  # delivered twice: the second time there is nothing left to do
        payload = {"account_id": str(teacher), "version": version}
        render.deliver("on_person_erased", identity.PERSON_ERASED, payload, new_id())
    with pytest.raises(Conflict, match="holder_erased"):
        render.call("render_certificate", asked, a_person(teacher))
    with pytest.raises(Exception, match="file_not_found"):
        b"".join(render.service.storage.read(key))
    shown = season.certs.call("verify_certificate", {"number": certificate["number"]})
    assert (shown["state"], shown["holder_name"]) == ("VALID", "张*明")
