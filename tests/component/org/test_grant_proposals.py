"""Two persons appoint for a province and for the nation: proposed by one, approved by another (`reliability.md` d37)."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.identity import contract as identity
from services.org import contract
from services.org.contract.delegation import GRANT_PROPOSAL_CHANGED
from services.org.rules import delegation
from services.shared import clock
from services.shared.actor import Actor, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from services.shared.tables import audit
from tests.component.org.conftest import CLI, GUANGDONG, GUANGZHOU, YUEXIU, Org
from tests.component.org.test_authority_codes import activate, generate, listed, seat, someone
from tests.conftest import FixedClock

pytestmark = pytest.mark.postgres

NATION, FUJIAN = "CN", "CN/350000"
WEEK = dt.timedelta(days=7)


@pytest.fixture
def two(org: Org) -> tuple[Actor, Actor]:
    return org.holder(Role.NATIONAL_OPERATOR, NATION), org.holder(Role.NATIONAL_OPERATOR, NATION)


def propose(
    org: Org, by: Actor, role: Role, place: str, account: uuid.UUID | None = None, **more: Any
) -> dict[str, Any]:
    options = {key: more.pop(key) for key in ("command_id",) if key in more}
    body = {"account_id": str(account or org.account()), "role": role, "place": place, **more}
    return org.call("propose_grant", body, by, **options)


def approve(org: Org, by: Actor, proposal: dict[str, Any], **options: Any) -> dict[str, Any]:
    return org.call("approve_grant", {"proposal_id": proposal["proposal_id"]}, by, **options)


def told(org: Org, account_id: str) -> list[list[str]]:
    events = org.announced(contract.GRANTS_CHANGED, account_id=account_id)
    return events[-1]["grants"] if events else []


def acts(org: Org, account_id: str) -> list[tuple[str, str, str]]:
    with org.component.database.work() as db:
        rows = db.execute(
            sa.select(audit).where(audit.c.subject == uuid.UUID(account_id), audit.c.refusal == "").order_by(audit.c.id)
        )
        return [(row.action, row.actor, row.after["state"]) for row in rows]


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.SUPER_ADMIN, GUANGDONG),
        (Role.PROVINCE_ADMIN, GUANGDONG),
        (Role.AUDITOR, GUANGDONG),
        (Role.AUDITOR, NATION),
        (Role.SUPPORT_AGENT, NATION),
    ],
)
def test_one_person_proposes_another_approves(org: Org, two: tuple[Actor, Actor], role: Role, place: str) -> None:
    first, second = two
    account = org.account()
    with pytest.raises(Conflict, match=r"org\.second_person_needed"):
        org.call("grant_role", {"account_id": str(account), "role": role, "place": place}, first)
    asked = propose(org, first, role, place, account, reason="换届")
    assert (asked["state"], asked["grant_id"], told(org, str(account))) == ("OPEN", None, [])
    done = approve(org, second, asked)
    assert (done["state"], done["decided_by"]) == ("APPROVED", str(second.account_id))
    assert told(org, str(account)) == [[role, place]]
    events = org.announced(GRANT_PROPOSAL_CHANGED, proposal_id=asked["proposal_id"])
    assert [(event["version"], event["state"]) for event in events] == [(1, "OPEN"), (2, "APPROVED")]
    assert sorted(acts(org, str(account))) == sorted(
        [
            ("propose_grant", first.key, "OPEN"),
            ("approve_grant", second.key, "ACTIVE"),
            ("approve_grant", second.key, "APPROVED"),
        ]
    )


def test_a_provinces_super_admin_and_the_operator_are_two_persons(org: Org, two: tuple[Actor, Actor]) -> None:
    province = org.holder(Role.SUPER_ADMIN, FUJIAN)
    done = approve(org, two[0], propose(org, province, Role.PROVINCE_ADMIN, FUJIAN))
    assert done["state"] == "APPROVED"
    back = approve(org, province, propose(org, two[0], Role.PROVINCE_ADMIN, FUJIAN))
    assert back["state"] == "APPROVED"


def test_nobody_approves_his_own_nor_what_is_for_himself(org: Org, two: tuple[Actor, Actor]) -> None:
    first, second = two
    asked = propose(org, first, Role.PROVINCE_ADMIN, GUANGDONG)
    with pytest.raises(NotAllowed, match=r"org\.two_persons"):
        approve(org, first, asked)
    with pytest.raises(NotAllowed, match=r"org\.two_persons"):
        org.call("reject_proposal", {"proposal_id": asked["proposal_id"], "reason": "不妥"}, first)
    make_known(org, second)
    for_second = propose(org, first, Role.PROVINCE_ADMIN, GUANGDONG, second.account_id)
    with pytest.raises(NotAllowed, match=r"org\.grant_to_self"):
        approve(org, second, for_second)
    with pytest.raises(NotAllowed, match=r"org\.grant_to_self"):
        propose(org, second, Role.PROVINCE_ADMIN, GUANGDONG, second.account_id)


def make_known(org: Org, who: Actor) -> None:
    """Identity tells of an operator's account, with a true name."""
    account = {"account_id": str(who.account_id), "version": 1, "identity": "TEACHER"}
    profile = {"version": 2, "complete": True, "named": True, "segment": "", "subject": ""}
    org.component.deliver("on_account_registered", identity.ACCOUNT_REGISTERED, account)
    org.component.deliver("on_profile_changed", identity.PROFILE_CHANGED, {**account, **profile})


def test_sabotage_without_the_rule_the_table_still_refuses_one_person(
    org: Org, two: tuple[Actor, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = propose(org, two[0], Role.PROVINCE_ADMIN, GUANGDONG)
    monkeypatch.setattr(delegation, "require_second_person", lambda *_arguments: None)
    with pytest.raises(sa.exc.IntegrityError, match="grant_proposal_two_persons"):
        approve(org, two[0], asked)
    assert told(org, asked["account_id"]) == []


@pytest.mark.parametrize(
    ("holder", "at"),
    [
        (Role.SUPER_ADMIN, "CN/450000"),  # another province
        (Role.SUPER_ADMIN, GUANGZHOU),
        (Role.AUDITOR, NATION),
        (Role.SUPPORT_AGENT, NATION),
    ],
)
def test_who_may_not_give_the_role_neither_proposes_nor_approves_nor_rejects(
    org: Org, two: tuple[Actor, Actor], holder: Role, at: str
) -> None:
    asked = propose(org, two[0], Role.PROVINCE_ADMIN, GUANGDONG)
    stranger = org.holder(holder, at)
    for act in (
        lambda: propose(org, stranger, Role.PROVINCE_ADMIN, GUANGDONG),
        lambda: approve(org, stranger, asked),
        lambda: org.call("reject_proposal", {"proposal_id": asked["proposal_id"], "reason": "不妥"}, stranger),
        lambda: org.call("withdraw_proposal", {"proposal_id": asked["proposal_id"]}, stranger),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            act()


def test_a_specialised_admin_sees_the_proposals_and_decides_none(org: Org, two: tuple[Actor, Actor]) -> None:
    asked = propose(org, two[0], Role.PROVINCE_ADMIN, GUANGDONG)
    admin = org.holder(Role.PROVINCE_ADMIN, GUANGDONG)
    items = org.call("list_grant_proposals", {"place": GUANGDONG, "state": "OPEN"}, admin)["items"]
    assert asked["proposal_id"] in {item["proposal_id"] for item in items}
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        approve(org, admin, asked)
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        org.call("reject_proposal", {"proposal_id": asked["proposal_id"], "reason": "不妥"}, admin)


def test_the_list_stays_in_the_territory(org: Org, two: tuple[Actor, Actor]) -> None:
    here, there = (propose(org, two[0], Role.PROVINCE_ADMIN, place) for place in (GUANGDONG, FUJIAN))
    province = org.holder(Role.SUPER_ADMIN, GUANGDONG)
    seen = {item["proposal_id"] for item in org.call("list_grant_proposals", {"place": GUANGDONG}, province)["items"]}
    assert here["proposal_id"] in seen
    assert there["proposal_id"] not in seen
    with pytest.raises(NotFound, match=r"org\.place_unknown"):
        org.call("list_grant_proposals", {"place": FUJIAN}, province)
    for method in ("approve_grant", "withdraw_proposal"):
        outside = {"proposal_id": there["proposal_id"]}
        with pytest.raises(NotFound) as forbidden:
            org.call(method, outside, province)
        with pytest.raises(NotFound) as unknown:
            org.call(method, {"proposal_id": str(new_id())}, province)
        assert (forbidden.value.code, forbidden.value.field) == (unknown.value.code, unknown.value.field)


def test_what_one_person_may_give_is_not_proposed(org: Org, two: tuple[Actor, Actor]) -> None:
    with pytest.raises(Conflict, match=r"org\.no_second_person_needed"):
        propose(org, two[0], Role.SUPER_ADMIN, GUANGZHOU)
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        propose(org, two[0], Role.NATIONAL_OPERATOR, NATION)  # from the operators' machine only
    with pytest.raises(InvalidInput, match=r"org\.role_elsewhere"):
        propose(org, two[0], Role.PROVINCE_ADMIN, NATION)


def test_the_same_is_proposed_once_at_a_time(org: Org, two: tuple[Actor, Actor]) -> None:
    first, second = two
    account = org.account()
    asked = propose(org, first, Role.PROVINCE_ADMIN, GUANGDONG, account)
    with pytest.raises(Conflict, match=r"org\.proposal_open"):
        propose(org, second, Role.PROVINCE_ADMIN, GUANGDONG, account)
    org.call("reject_proposal", {"proposal_id": asked["proposal_id"], "reason": "人选不妥"}, second)
    again = propose(org, second, Role.PROVINCE_ADMIN, GUANGDONG, account)
    assert approve(org, first, again)["state"] == "APPROVED"
    with pytest.raises(Conflict, match=r"org\.grant_exists"):
        propose(org, first, Role.PROVINCE_ADMIN, GUANGDONG, account)


def test_what_was_decided_stays_decided(org: Org, two: tuple[Actor, Actor]) -> None:
    first, second = two

    def rejected() -> dict[str, Any]:
        one = propose(org, first, Role.AUDITOR, NATION)
        return org.call("reject_proposal", {"proposal_id": one["proposal_id"], "reason": "人选不妥"}, second)

    def withdrawn() -> dict[str, Any]:
        one = propose(org, first, Role.AUDITOR, NATION)
        with pytest.raises(NotAllowed, match=r"org\.proposal_not_yours"):
            org.call("withdraw_proposal", {"proposal_id": one["proposal_id"]}, second)
        return org.call("withdraw_proposal", {"proposal_id": one["proposal_id"], "reason": ""}, first)

    for over, state in ((rejected(), "REJECTED"), (withdrawn(), "WITHDRAWN")):
        assert over["state"] == state
        with pytest.raises(Conflict, match=r"org\.proposal_over"):
            approve(org, second, over)
        assert told(org, over["account_id"]) == []


def test_an_approval_is_safe_to_repeat_and_two_at_once_give_one_grant(org: Org, two: tuple[Actor, Actor]) -> None:
    first, second = two
    key = str(uuid.uuid4())
    asked = propose(org, first, Role.PROVINCE_ADMIN, GUANGDONG)
    assert approve(org, second, asked, command_id=key) == approve(org, second, asked, command_id=key)
    third = org.holder(Role.NATIONAL_OPERATOR, NATION)
    other = propose(org, first, Role.PROVINCE_ADMIN, GUANGDONG)
    outcomes: list[str] = []

    def press(who: Actor) -> None:
        try:
            outcomes.append(approve(org, who, other)["state"])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=press, args=(who,)) for who in (second, third)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["APPROVED", "org.proposal_over"]
    assert len(org.announced(contract.GRANTS_CHANGED, account_id=other["account_id"])) == 1


def test_a_proposal_is_over_after_a_week(org: Org, fixed_clock: FixedClock, two: tuple[Actor, Actor]) -> None:
    first, second = two
    asked, swept = (propose(org, first, Role.AUDITOR, NATION) for _ in range(2))
    fixed_clock.instant += WEEK
    with pytest.raises(Conflict, match=r"org\.proposal_over"):
        approve(org, second, asked)
    # Before the sweeper comes, the place is free for the same again.
    anew = propose(org, first, Role.AUDITOR, NATION, uuid.UUID(asked["account_id"]))
    org.component.service.expire_grant_proposals(clock.now())
    items = org.call("list_grant_proposals", {"place": NATION, "limit": 200}, second)["items"]
    states = {item["proposal_id"]: (item["state"], item["decided_by"]) for item in items}
    assert states[asked["proposal_id"]] == states[swept["proposal_id"]] == ("EXPIRED", None)
    assert states[anew["proposal_id"]][0] == "OPEN"


def test_the_first_person_must_still_have_the_right(org: Org, two: tuple[Actor, Actor]) -> None:
    province = org.holder(Role.SUPER_ADMIN, FUJIAN)
    asked = propose(org, province, Role.PROVINCE_ADMIN, FUJIAN)
    items = org.call("list_grants", {"place": FUJIAN, "limit": 200}, two[0])["items"]
    held = next(item for item in items if item["account_id"] == str(province.account_id))
    org.call("revoke_grant", {"grant_id": held["grant_id"], "reason": "离任"}, two[0])
    with pytest.raises(Conflict, match=r"org\.proposer_ended"):
        approve(org, two[1], asked)
    assert told(org, asked["account_id"]) == []


def test_what_has_changed_since_is_looked_at_again(org: Org, two: tuple[Actor, Actor]) -> None:
    first, second = two
    asked = propose(org, first, Role.AUDITOR, NATION)
    org.call("bootstrap_grant", {"account_id": asked["account_id"], "role": "COUNTY_ADMIN", "place": YUEXIU}, CLI)
    with pytest.raises(Conflict, match=r"org\.auditor_alone"):
        approve(org, second, asked)
    with pytest.raises(Conflict, match=r"org\.auditor_alone"):
        propose(org, first, Role.AUDITOR, GUANGDONG, uuid.UUID(asked["account_id"]))


def test_a_replacement_ends_the_present_holder_at_the_approval(org: Org, two: tuple[Actor, Actor]) -> None:
    first, second = two
    place = "CN/460000"
    present = propose(org, first, Role.PROVINCE_ADMIN, place)
    approve(org, second, present)
    asked = propose(org, first, Role.PROVINCE_ADMIN, place, replace=True)
    assert told(org, present["account_id"]) == [["PROVINCE_ADMIN", place]]
    approve(org, second, asked)
    assert (told(org, present["account_id"]), told(org, asked["account_id"])) == ([], [["PROVINCE_ADMIN", place]])


# --- codes ----------------------------------------------------------------------------------------------------------


def approve_code(org: Org, by: Actor, made: dict[str, Any]) -> dict[str, Any]:
    return org.call("approve_authority_code", {"code_id": made["code_id"]}, by)


def test_a_code_of_a_province_opens_nothing_before_a_second_person_has_approved_it(
    org: Org, two: tuple[Actor, Actor]
) -> None:
    first, second = two
    place = "CN/630000"
    made = generate(org, first, place, Role.SUPER_ADMIN)
    assert (made["state"], seat(org, place, "SUPER_ADMIN")) == ("PROPOSED", "NOT_GENERATED")
    teacher = someone(org)
    with pytest.raises(InvalidInput, match=r"org\.code_refused"):
        activate(org, teacher, made["code"])
    with pytest.raises(Conflict, match=r"org\.code_not_waiting"):
        org.call("record_code_delivery", {"code_id": made["code_id"], "channel": "LETTER"}, first)
    with pytest.raises(NotAllowed, match=r"org\.two_persons"):
        approve_code(org, first, made)
    done = approve_code(org, second, made)
    assert (done["state"], done["approved_by"]) == ("ISSUED", str(second.account_id))
    assert seat(org, place, "SUPER_ADMIN") == "GENERATED"
    with pytest.raises(Conflict, match=r"org\.code_not_waiting"):
        approve_code(org, org.holder(Role.NATIONAL_OPERATOR, NATION), made)
    assert activate(org, teacher, made["code"])["place"] == place
    assert seat(org, place, "SUPER_ADMIN") == "ACTIVATED"
    states = [event["state"] for event in org.announced("org.authority_code_changed", code_id=made["code_id"])]
    assert states == ["PROPOSED", "ISSUED", "ACTIVATED"]


def test_nobody_activates_what_he_approved(org: Org, two: tuple[Actor, Actor]) -> None:
    made = generate(org, two[0], "CN/640000", Role.SUPER_ADMIN)
    approve_code(org, two[1], made)
    for who in two:
        make_known(org, who)
        with pytest.raises(NotAllowed, match=r"org\.code_own"):
            activate(org, who, made["code"])


def test_the_second_person_s_no_and_the_end_of_the_first_s_right_void_a_proposed_code(
    org: Org, two: tuple[Actor, Actor]
) -> None:
    place = "CN/650000"
    made = generate(org, two[0], place, Role.SUPER_ADMIN)
    ended = org.call("revoke_authority_code", {"code_id": made["code_id"], "reason": ""}, two[1])
    assert (ended["state"], ended["end_reason"]) == ("VOID", "REVOKED")
    province = org.holder(Role.SUPER_ADMIN, place)
    other = generate(org, province, place, Role.PROVINCE_ADMIN)
    with pytest.raises(Conflict, match=r"org\.code_waiting"):
        generate(org, two[0], place, Role.PROVINCE_ADMIN)
    items = org.call("list_grants", {"place": place, "limit": 200}, two[0])["items"]
    held = next(item for item in items if item["account_id"] == str(province.account_id))
    org.call("revoke_grant", {"grant_id": held["grant_id"], "reason": ""}, two[0])
    assert listed(org, two[0], place, other["code_id"])["end_reason"] == "ISSUER_ENDED"


def test_a_proposed_code_waits_a_week_and_an_approved_one_thirty_days(
    org: Org, fixed_clock: FixedClock, two: tuple[Actor, Actor]
) -> None:
    first, second = two
    now = fixed_clock.instant
    late, good = (generate(org, first, place, Role.SUPER_ADMIN) for place in ("CN/540000", "CN/530000"))
    assert late["expires_at"] == clock.format_instant(now + WEEK)
    fixed_clock.instant = now + WEEK - dt.timedelta(seconds=1)
    done = approve_code(org, second, good)
    assert done["expires_at"] == clock.format_instant(fixed_clock.instant + dt.timedelta(days=30))
    fixed_clock.instant = now + WEEK
    with pytest.raises(Conflict, match=r"org\.code_not_waiting"):
        approve_code(org, second, late)
    org.component.service.expire_authority_codes(clock.now())
    assert listed(org, first, NATION, late["code_id"])["end_reason"] == "EXPIRED"
    assert listed(org, first, NATION, good["code_id"])["state"] == "ISSUED"
