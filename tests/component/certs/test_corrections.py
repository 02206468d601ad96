"""Re-issue and revocation: two persons, all or nothing, and what everybody sees afterwards."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import json

import pytest
import sqlalchemy as sa

from services.certs import contract
from services.shared.actor import ANONYMOUS, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unavailable
from services.shared.ids import new_id
from tests.component.certs.conftest import COUNTY
from tests.component.certs.test_persons import merge, undo
from tests.conftest import person

OPERATOR = (Role.NATIONAL_OPERATOR, "CN")
WHY = "姓名有误"


@pytest.fixture
def proposer():
    return person(new_id(), OPERATOR)


@pytest.fixture
def approver():
    return person(new_id(), OPERATOR)


@pytest.fixture
def issue(season, a_person):
    """`issue(name, …)`: (teacher, certificate_id) of each, issued together."""

    def run(*names):
        teachers = [season.teacher(name=name) for name in names]
        season.close()
        season.decide()
        return [(teacher, wallet(season, teacher)[0]["certificate_id"]) for teacher in teachers]

    return run


def wallet(season, teacher):
    return season.certs.call("list_certificates", {}, person(teacher))["items"]


def propose(season, actor, act, *certificate_ids, reason=WHY, **options):
    asked = {"act": act, "certificate_ids": list(certificate_ids), "reason": reason}
    return season.certs.call("propose_correction", asked, actor, **options)


def act_on(season, verb, correction, actor, **more):
    asked = {"correction_id": correction["correction_id"], **more}
    return season.certs.call(f"{verb}_correction", asked, actor)


def verify(season, number):
    return season.certs.call("verify_certificate", {"number": number}, ANONYMOUS)


def test_a_corrected_name_makes_the_next_edition_of_the_same_number(
    season, issue, proposer, approver, render, a_person
):
    [(teacher, first)] = issue("张小名")
    number = wallet(season, teacher)[0]["number"]
    season.directory.names[str(teacher)] = "张小明"
    correction = propose(season, proposer, "REISSUE", first)
    assert (correction["state"], correction["certificates"][0]["holder_name"]) == ("PROPOSED", "张*名")
    done = act_on(season, "approve", correction, approver)
    assert (done["state"], done["decided_by"]) == ("APPROVED", str(approver.account_id))
    new, old = wallet(season, teacher)
    assert (new["number"], new["edition"], new["state"]) == (number, 2, "VALID")
    assert (old["number"], old["edition"], old["state"]) == (number, 1, "REPLACED")
    assert done["certificates"][0]["successor_id"] == new["certificate_id"]
    shown = verify(season, number)
    assert (shown["state"], shown["edition"], shown["holder_name"]) == ("VALID", 2, "张*明")
    assert [(change["state"], change["edition"]) for change in shown["history"]] == [
        ("VALID", 1),
        ("REPLACED", 1),
        ("VALID", 2),
    ]
    full = season.certs.call("get_certificate", {"certificate_id": new["certificate_id"]}, a_person(teacher))
    assert full["holder_name"] == "张小明"
    render.call("render_certificate", {"certificate_id": new["certificate_id"]}, a_person(teacher))
    with pytest.raises(Conflict, match="already_replaced"):
        render.call("render_certificate", {"certificate_id": first}, a_person(teacher))
    [event] = season.events(contract.CERTIFICATE_REISSUED)
    assert contract.EVENTS[contract.CERTIFICATE_REISSUED]().validate(event) == {}
    assert (event["certificate_id"], event["replaces"], event["edition"]) == (new["certificate_id"], first, 2)
    assert season.standing_of(teacher, a_person)["certificate_id"] == new["certificate_id"]
    # The next run finds nothing left to do, and the next correction makes the third edition.
    season.decide()
    assert len(wallet(season, teacher)) == 2
    season.directory.names[str(teacher)] = "张晓明"
    act_on(season, "approve", propose(season, proposer, "REISSUE", new["certificate_id"]), approver)
    assert [(item["edition"], item["state"]) for item in wallet(season, teacher)] == [
        (3, "VALID"),
        (2, "REPLACED"),
        (1, "REPLACED"),
    ]


def test_corrected_hours_are_signed_anew_and_too_few_are_refused(season, issue, proposer, approver, a_person):
    [(teacher, first)] = issue("张小明")
    correction = propose(season, proposer, "REISSUE", first)
    season.recognise(teacher, "5.00", met=False)
    with pytest.raises(Conflict, match="hours_short"):
        act_on(season, "approve", correction, approver)
    season.recognise(teacher, "7.00")
    act_on(season, "approve", correction, approver)
    new = wallet(season, teacher)[0]
    full = season.certs.call("get_certificate", {"certificate_id": new["certificate_id"]}, a_person(teacher))
    assert (new["hours"], json.loads(full["statement"])["hours"]) == ("7.00", "7.00")
    assert season.events(contract.CERTIFICATE_REISSUED)[0]["hours"] == "7.00"


def test_a_revoked_certificate_says_so_for_good(season, issue, proposer, approver, render, a_person):
    [(teacher, certificate_id)] = issue("张小明")
    number = wallet(season, teacher)[0]["number"]
    act_on(season, "approve", propose(season, proposer, "REVOKE", certificate_id, reason="冒名学习"), approver)
    assert [item["state"] for item in wallet(season, teacher)] == ["REVOKED"]
    shown = verify(season, number)
    assert (shown["state"], [change["state"] for change in shown["history"]]) == ("REVOKED", ["VALID", "REVOKED"])
    assert "冒名学习" not in json.dumps(shown, ensure_ascii=False)
    with pytest.raises(Conflict, match="already_revoked"):
        render.call("render_certificate", {"certificate_id": certificate_id}, a_person(teacher))
    [event] = season.events(contract.CERTIFICATE_REVOKED)
    assert contract.EVENTS[contract.CERTIFICATE_REVOKED]().validate(event) == {}
    # No calculation gives it back.
    season.recognise(teacher, "9.00")
    season.decide()
    standing = season.standing_of(teacher, a_person)
    assert (standing["state"], standing["reasons"]) == ("REVOKED", ["revoked"])
    assert [item["state"] for item in wallet(season, teacher)] == ["REVOKED"]
    with pytest.raises(Conflict, match="already_revoked"):
        propose(season, proposer, "REISSUE", certificate_id)


def test_it_takes_two_persons_who_are_not_the_holder(season, issue, proposer, approver):
    [(teacher, certificate_id)] = issue("张小明")
    with pytest.raises(NotAllowed, match="own_certificate"):
        propose(season, person(teacher, OPERATOR), "REVOKE", certificate_id)
    correction = propose(season, proposer, "REVOKE", certificate_id)
    for verb in ("approve", "reject"):
        more = {"reason": WHY} if verb == "reject" else {}
        with pytest.raises(NotAllowed, match="second_person_needed"):
            act_on(season, verb, correction, proposer, **more)
        with pytest.raises(NotAllowed, match="own_certificate"):
            act_on(season, verb, correction, person(teacher, OPERATOR), **more)
    assert act_on(season, "reject", correction, approver, reason="证据不足")["decision_reason"] == "证据不足"
    assert wallet(season, teacher)[0]["state"] == "VALID"


def test_the_database_does_not_believe_one_person_either(season, issue, proposer):
    # The sabotage: a service that forgot to ask for the second person.
    [(_, certificate_id)] = issue("张小明")
    correction = propose(season, proposer, "REVOKE", certificate_id)
    alone = sa.text("UPDATE correction SET state = 'APPROVED', decided_by = proposed_by WHERE correction_id = :id")
    with pytest.raises(Exception, match="two_persons"), season.certs.database.work() as db:
        db.execute(alone, {"id": correction["correction_id"]})


@pytest.mark.parametrize(
    "grant", [(Role.SUPER_ADMIN, "CN/440000"), (Role.COUNTY_ADMIN, COUNTY), (Role.SCHOOL_ADMIN, f"{COUNTY}/s1")]
)
def test_the_holders_territory_corrects_nothing(season, issue, proposer, grant):
    [(_, certificate_id)] = issue("张小明")
    correction = propose(season, proposer, "REVOKE", certificate_id)
    stranger = person(new_id(), grant)
    for asked in (
        lambda: propose(season, stranger, "REVOKE", certificate_id),
        lambda: act_on(season, "approve", correction, stranger),
        lambda: act_on(season, "get", correction, stranger),
        lambda: season.certs.call("list_corrections", {}, stranger),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            asked()


def test_all_of_a_batch_or_none(season, issue, proposer, approver):
    (one, first), (other, second) = issue("张小名", "李晓")
    both = propose(season, proposer, "REISSUE", first, second, first)
    assert len(both["certificates"]) == 2, "named twice, once in it"
    season.directory.names[str(one)] = "张小明"
    with pytest.raises(Conflict) as refused:  # of the other nothing has changed
        act_on(season, "approve", both, approver)
    assert (refused.value.code, refused.value.field) == ("certs.nothing_to_correct", "certificate_ids")
    assert [item["edition"] for item in wallet(season, one)] == [1]
    season.directory.names[str(other)] = "李小"
    act_on(season, "approve", both, approver)
    assert [wallet(season, teacher)[0]["edition"] for teacher in (one, other)] == [2, 2]
    with season.certs.database.work() as db:
        rows = db.execute(
            sa.text("SELECT subject, reason, after->>'act' FROM audit WHERE action = 'approve_correction'")
        ).all()
    assert {(row[0], row[1], row[2]) for row in rows} >= {(one, WHY, "REISSUE"), (other, WHY, "REISSUE")}


def test_a_certificate_is_in_one_open_correction(season, issue, proposer, approver, fixed_clock):
    (_, first), (_, second) = issue("张小明", "李晓")
    correction = propose(season, proposer, "REVOKE", first)
    with pytest.raises(Conflict, match="correction_open"):
        propose(season, approver, "REVOKE", second, first)
    with pytest.raises(Conflict, match="not_proposer"):
        act_on(season, "withdraw", correction, approver)
    assert act_on(season, "withdraw", correction, proposer)["state"] == "WITHDRAWN"
    again = propose(season, approver, "REVOKE", second, first)
    # A month without a decision sets it free.
    fixed_clock.instant += dt.timedelta(days=30)
    assert act_on(season, "get", again, proposer)["state"] == "LAPSED"
    with pytest.raises(Conflict, match="correction_lapsed"):
        act_on(season, "approve", again, proposer)
    third = propose(season, proposer, "REVOKE", first)
    states = {
        state: {item["correction_id"] for item in listed(season, proposer, state)}
        for state in ("PROPOSED", "LAPSED", "WITHDRAWN")
    }
    assert third["correction_id"] in states["PROPOSED"]
    assert again["correction_id"] in states["LAPSED"] - states["PROPOSED"]
    assert correction["correction_id"] in states["WITHDRAWN"]


def listed(season, actor, state):
    return season.certs.call("list_corrections", {"state": state, "limit": 200}, actor)["items"]


def test_of_two_who_approve_at_once_one_does_it(season, issue, proposer):
    [(_, certificate_id)] = issue("张小明")
    correction = propose(season, proposer, "REVOKE", certificate_id)

    def approve(_):
        try:
            return act_on(season, "approve", correction, person(new_id(), OPERATOR))["state"]
        except Conflict as refused:
            return refused.code

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(approve, range(4)))
    assert sorted(outcomes) == ["APPROVED", *["certs.correction_settled"] * 3]
    assert len(season.events(contract.CERTIFICATE_REVOKED)) == 1


def test_a_repeated_approval_answers_as_the_first(season, issue, proposer, approver):
    [(teacher, certificate_id)] = issue("张小名")
    season.directory.names[str(teacher)] = "张小明"
    correction = propose(season, proposer, "REISSUE", certificate_id)
    key, asked = str(new_id()), {"correction_id": correction["correction_id"]}
    first, second = (season.certs.call("approve_correction", asked, approver, command_id=key) for _ in range(2))
    assert first == second
    assert len(wallet(season, teacher)) == 2


@pytest.mark.parametrize(("name", "code"), [("", "holder_unknown"), ("张𠮷", "name_not_printable")])
def test_a_name_that_cannot_be_printed_is_reported_before_the_issue(season, issue, proposer, approver, name, code):
    [(teacher, certificate_id)] = issue("张小名")
    season.directory.names[str(teacher)] = name
    with pytest.raises(Conflict, match=code):
        act_on(season, "approve", propose(season, proposer, "REISSUE", certificate_id), approver)
    assert [item["state"] for item in wallet(season, teacher)] == ["VALID"]


def test_without_identity_nothing_is_approved_and_it_can_be_tried_again(season, issue, proposer, approver):
    [(teacher, certificate_id)] = issue("张小名")
    correction = propose(season, proposer, "REISSUE", certificate_id)
    season.directory.names[str(teacher)], season.directory.down = "张小明", True
    with pytest.raises(Unavailable):
        act_on(season, "approve", correction, approver)
    season.directory.down = False
    assert act_on(season, "approve", correction, approver)["state"] == "APPROVED"


def test_a_correction_of_a_merged_persons_certificate_goes_back_with_it(season, issue, proposer, approver):
    kept = season.teacher("5.00", done=4)
    [(former, certificate_id)] = issue("张小名")
    merge(season, kept, former)
    season.directory.names[str(kept)] = "张小明"
    season.recognise(kept, "6.00")
    act_on(season, "approve", propose(season, proposer, "REISSUE", certificate_id), approver)
    assert [item["state"] for item in wallet(season, kept)] == ["VALID", "REPLACED"]
    undo(season, kept, former)
    assert [item["state"] for item in wallet(season, former)] == ["VALID", "REPLACED"]
    assert wallet(season, kept) == []


@pytest.mark.parametrize(
    "change",
    [
        {"act": "DESTROY"},
        {"certificate_ids": []},
        {"certificate_ids": ["x"]},
        {"certificate_ids": [str(new_id())] * 201},
        {"reason": ""},
        {"reason": "长" * 201},
    ],
)
def test_bad_proposals_are_refused_by_field(season, proposer, change):
    asked = {"act": "REVOKE", "certificate_ids": [str(new_id())], "reason": WHY, **change}
    with pytest.raises(InvalidInput) as refused:
        season.certs.call("propose_correction", asked, proposer)
    assert refused.value.field.split(".")[0] == next(iter(change))


def test_an_unknown_certificate_is_not_found(season, proposer):
    with pytest.raises(NotFound, match="certificate_not_found"):
        propose(season, proposer, "REVOKE", str(new_id()))
