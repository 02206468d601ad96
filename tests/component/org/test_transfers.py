"""Transfers of teachers (`domain.md` §3.3): asked by the receiving school, decided above both, W35."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.identity.contract.person import LEARNER_NO_ISSUED
from services.org import contract
from services.org.contract.transfers import TRANSFER_CHANGED
from services.org.models import AdminGrant
from services.org.transfers import actions as transfers
from services.org.transfers.models import Transfer
from services.shared import clock
from services.shared.actor import Actor, Role, service_actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError, Unavailable
from services.shared.tables import audit
from tests.component.org.conftest import GUANGDONG, GUANGZHOU, HAIZHU, YUEXIU, Org
from tests.conftest import FixedClock

pytestmark = pytest.mark.postgres

SHENZHEN = "440304"  # 福田区
BEIJING = "110101"


def number(org: Org, teacher: Actor) -> str:
    """Give a teacher a learner number, as identity tells it."""
    learner_no = f"9{uuid.uuid4().int % 10**12:012d}"
    payload = {"account_id": str(teacher.account_id), "version": 1, "learner_no": learner_no}
    org.component.deliver("on_learner_no_issued", LEARNER_NO_ISSUED, payload)
    return learner_no


class Move:
    """A teacher, the school she is at, and the school that asks for her."""

    def __init__(self, org: Org, to: str = "440104", *, state: str = "VERIFIED") -> None:
        self.org = org
        self.old, self.new = org.school("440104"), org.school(to)
        self.teacher = org.member(self.old, state)
        self.learner_no = number(org, self.teacher)
        self.asker = org.admin_of(self.new)

    def ask(self, actor: Actor | None = None, **changes: Any) -> dict[str, Any]:
        body = {"school_id": self.new["school_id"], "learner_no": self.learner_no, **changes}
        return self.org.call("request_transfer", body, actor or self.asker)

    def approve(self, transfer: dict[str, Any], actor: Actor) -> dict[str, Any]:
        return self.org.call("approve_transfer", {"transfer_id": transfer["transfer_id"]}, actor)

    def membership(self) -> dict[str, Any]:
        return self.org.call("get_own_membership", actor=self.teacher)


def by(org: Org, role: Role, place: str) -> Actor:
    return org.person(None, (role, place))


# --- W35 ------------------------------------------------------------------------------------------------------------

LEVELS = [
    ("440104", "DISTRICT", YUEXIU, {Role.COUNTY_ADMIN: YUEXIU, Role.DISTRICT_INSTITUTION: YUEXIU}),
    ("440105", "CITY", GUANGZHOU, {Role.CITY_ADMIN: GUANGZHOU, Role.CITY_CENTRE: GUANGZHOU}),
    (SHENZHEN, "PROVINCE", GUANGDONG, {Role.PROVINCE_ADMIN: GUANGDONG}),
    (BEIJING, "NATION", "CN", {Role.NATIONAL_OPERATOR: "CN"}),
]


@pytest.mark.parametrize(("to", "level", "place", "deciders"), LEVELS)
def test_w35_the_level_is_that_of_the_place_above_both_schools(
    org: Org, to: str, level: str, place: str, deciders: dict[Role, str]
) -> None:
    everybody = {
        Role.COUNTY_ADMIN: YUEXIU, Role.DISTRICT_INSTITUTION: YUEXIU, Role.CITY_ADMIN: GUANGZHOU,
        Role.CITY_CENTRE: GUANGZHOU, Role.PROVINCE_ADMIN: GUANGDONG, Role.NATIONAL_OPERATOR: "CN",
    }  # fmt: skip
    for decider in deciders:
        move = Move(org, to)
        asked = move.ask()
        assert (asked["level"], asked["place"], asked["state"]) == (level, place, "PENDING")
        for other in set(everybody) - set(deciders):
            with pytest.raises((NotAllowed, NotFound)) as refused:
                move.approve(asked, by(org, other, everybody[other]))
            assert refused.value.code in ("org.transfer_other_level", "org.transfer_unknown")
        assert move.approve(asked, by(org, decider, deciders[decider]))["state"] == "APPROVED"
        assert move.membership()["school_id"] == move.new["school_id"]


def test_w35_a_special_user_and_whoever_owes_is_refused_until_that_is_settled(org: Org) -> None:
    move = Move(org)
    for kind, code in (
        ("SPECIAL_USER", "org.transfer_special_user"),
        ("CITY_ARREARS", "org.transfer_arrears"),
        ("DISTRICT_ARREARS", "org.transfer_arrears"),
    ):
        org.billing.hold(move.teacher.account_id, kind)
        with pytest.raises(Conflict) as refused:
            move.ask()
        assert refused.value.code == code
        org.billing.lift(move.teacher.account_id)
    org.billing.hold(move.teacher.account_id, "SPECIAL_USER", "SELECTION")
    assert move.ask()["state"] == "PENDING"


def test_a_debt_that_came_after_the_request_stops_the_approval(org: Org) -> None:
    move = Move(org)
    asked = move.ask()
    org.billing.hold(move.teacher.account_id, "DISTRICT_ARREARS")
    with pytest.raises(Conflict, match=r"org\.transfer_arrears"):
        move.approve(asked, by(org, Role.COUNTY_ADMIN, YUEXIU))
    assert move.membership()["school_id"] == move.old["school_id"]
    org.billing.lift(move.teacher.account_id)
    assert move.approve(asked, by(org, Role.COUNTY_ADMIN, YUEXIU))["state"] == "APPROVED"


def test_while_billing_does_not_answer_nobody_is_transferred(org: Org) -> None:
    """It fails closed: a hold must not be dodged."""
    move = Move(org)
    asked = move.ask()
    org.billing.down = True
    with pytest.raises(Unavailable):
        move.approve(asked, by(org, Role.COUNTY_ADMIN, YUEXIU))
    with pytest.raises(Unavailable):
        Move(org).ask()
    org.billing.down = False
    assert move.membership()["school_id"] == move.old["school_id"]
    assert move.approve(asked, by(org, Role.COUNTY_ADMIN, YUEXIU))["state"] == "APPROVED"


def test_schools_attached_to_the_city_and_counties_under_the_province_find_their_level(org: Org) -> None:
    move = Move(org, "440100")  # attached directly to the city
    assert (move.ask()["level"], move.new["attachment"]) == ("CITY", "CITY_DIRECT")
    one, other = org.school("419001"), org.school("419001")  # 济源, a county directly under Henan
    teacher = org.member(one, "VERIFIED")
    body = {"school_id": other["school_id"], "learner_no": number(org, teacher)}
    asked = org.call("request_transfer", body, org.admin_of(other))
    assert (asked["level"], asked["place"]) == ("DISTRICT", "CN/410000/419001")


# --- asking ---------------------------------------------------------------------------------------------------------


def test_a_number_that_nobody_has_means_adding_not_transferring(org: Org) -> None:
    move = Move(org)
    with pytest.raises(NotFound, match=r"org\.learner_no_unknown"):
        move.ask(learner_no="9000000000000")
    for malformed in ("", "123", "0000000000000", "90000000000000", "９000000000000"):
        with pytest.raises(InvalidInput) as refused:
            move.ask(learner_no=malformed)
        assert refused.value.field == "learner_no"


def test_a_teacher_of_the_own_school_needs_no_transfer(org: Org) -> None:
    move = Move(org)
    with pytest.raises(Conflict, match=r"org\.transfer_same_school"):
        move.ask(org.admin_of(move.old), school_id=move.old["school_id"])


@pytest.mark.parametrize("state", ["PENDING", "REJECTED", "RELEASED", "NONE"])
def test_only_a_verified_teacher_is_transferred(org: Org, state: str) -> None:
    move = Move(org, state="VERIFIED" if state == "RELEASED" else "PENDING")
    ended = {"teacher_id": str(move.teacher.account_id), "reason": "误"}
    if state == "REJECTED":
        org.call("reject_membership", ended, org.admin_of(move.old))
    if state == "RELEASED":
        org.call("release_membership", ended, org.admin_of(move.old))
    learner_no = number(org, org.person()) if state == "NONE" else move.learner_no
    with pytest.raises(Conflict, match=r"org\.transfer_unverified"):
        move.ask(learner_no=learner_no)


def test_one_request_at_a_time(org: Org) -> None:
    move, third = Move(org), org.school()
    asked = move.ask()
    for actor, school in ((move.asker, move.new), (org.admin_of(third), third)):
        with pytest.raises(Conflict, match=r"org\.transfer_open"):
            move.ask(actor, school_id=school["school_id"])
    org.call("withdraw_transfer", {"transfer_id": asked["transfer_id"]}, move.asker)
    assert move.ask(org.admin_of(third), school_id=third["school_id"])["state"] == "PENDING"


def test_two_schools_asking_at_once_make_one_request(org: Org) -> None:
    move = Move(org)
    schools = [move.new, org.school(), org.school()]
    outcomes: list[str] = []

    def press(school: dict[str, Any]) -> None:
        try:
            outcomes.append(move.ask(org.admin_of(school), school_id=school["school_id"])["state"])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=press, args=(school,)) for school in schools]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PENDING", "org.transfer_open", "org.transfer_open"]


def test_the_database_allows_one_open_request_whatever_the_code_does(org: Org) -> None:
    """The twin of the test above: the index alone refuses the second."""
    from sqlalchemy.exc import IntegrityError

    move = Move(org)
    asked = move.ask()
    with org.component.database.work() as db:
        row = db.get(Transfer, uuid.UUID(asked["transfer_id"]))
        assert row is not None
        values = {column.name: getattr(row, column.name) for column in Transfer.__table__.columns}
    second = sa.insert(Transfer).values({**values, "transfer_id": uuid.uuid4()})
    with org.component.database.work() as db, pytest.raises(IntegrityError, match="transfer_open"):
        db.execute(second)


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.COUNTY_ADMIN, Role.CITY_CENTRE, Role.NATIONAL_OPERATOR])
def test_only_the_receiving_schools_admin_asks(org: Org, role: Role) -> None:
    move = Move(org)
    place = move.new["place"] if role is Role.PRINCIPAL else "CN"
    with pytest.raises(NotAllowed):
        move.ask(by(org, role, place))
    # The leaving school does not send its teachers away by asking in the other's name.
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        move.ask(org.admin_of(move.old))


def test_looking_first_says_what_asking_would(org: Org) -> None:
    move = Move(org, "440105")
    question = {"school_id": move.new["school_id"], "learner_no": move.learner_no}

    def look() -> dict[str, Any]:
        return org.call("preview_transfer", question, move.asker)

    assert look() == {
        "school_id": move.old["school_id"],
        "school_name": move.old["name"],
        "employment": "ON_DUTY",
        "level": "CITY",
        "refusal": "",
    }
    asked = move.ask()
    assert (look()["refusal"], look()["level"]) == ("org.transfer_open", None)
    org.call("withdraw_transfer", {"transfer_id": asked["transfer_id"]}, move.asker)
    org.billing.hold(move.teacher.account_id, "SPECIAL_USER")
    assert look()["refusal"] == "org.transfer_special_user"
    with pytest.raises(NotFound, match=r"org\.learner_no_unknown"):
        org.call("preview_transfer", {**question, "learner_no": "9000000000000"}, move.asker)
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        org.call("preview_transfer", question, org.admin_of(org.school()))
    nowhere = {**question, "learner_no": number(org, org.person())}
    with pytest.raises(Conflict, match=r"org\.transfer_unverified"):
        org.call("preview_transfer", nowhere, move.asker)


# --- deciding -------------------------------------------------------------------------------------------------------


def test_an_approved_teacher_is_verified_at_the_new_school_and_the_history_says_how(
    org: Org, fixed_clock: FixedClock
) -> None:
    move = Move(org)
    asked = move.ask(note="随迁")
    fixed_clock.instant += dt.timedelta(days=3)
    decided = move.approve(asked, by(org, Role.DISTRICT_INSTITUTION, YUEXIU))
    assert decided["decided_at"] == clock.format_instant(fixed_clock.instant)
    membership = move.membership()
    assert (membership["state"], membership["place"]) == ("VERIFIED", move.new["place"])
    stays = org.call("list_own_periods", actor=move.teacher)["items"]
    assert [(stay["opened_by"], stay["closed_by"], stay["verified_at"] is not None) for stay in stays] == [
        ("CHOOSE", "TRANSFER", True),
        ("TRANSFER", None, True),
    ]
    told = org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(move.teacher.account_id))[-1]
    assert (told["state"], told["place"], told["school_name"]) == ("VERIFIED", move.new["place"], move.new["name"])
    # The moment of the move belongs to the new school, the one before it to the old one.
    moment, credits_service = fixed_clock.instant, service_actor("credits")
    for at, school in ((moment - dt.timedelta(microseconds=1), move.old), (moment, move.new)):
        question = {"teacher_id": str(move.teacher.account_id), "at": clock.format_instant(at)}
        assert org.call("get_placement_at", question, credits_service)["school_id"] == school["school_id"]


def test_every_step_is_announced_with_its_version_and_recorded(org: Org) -> None:
    move, approver = Move(org), by(org, Role.COUNTY_ADMIN, YUEXIU)
    rejected = move.ask(note="工作需要")
    org.call("reject_transfer", {"transfer_id": rejected["transfer_id"], "reason": "编制已满"}, approver)
    withdrawn = move.ask()
    taken_back = {"transfer_id": withdrawn["transfer_id"], "reason": "误报"}
    assert org.call("withdraw_transfer", taken_back, move.asker)["reason"] == "误报"
    approved = move.ask()
    move.approve(approved, approver)
    for transfer, last in ((rejected, "REJECTED"), (withdrawn, "WITHDRAWN"), (approved, "APPROVED")):
        told = org.announced(TRANSFER_CHANGED, transfer_id=transfer["transfer_id"])
        assert [(event["version"], event["state"]) for event in told] == [(1, "PENDING"), (2, last)]
        assert (told[0]["decided_at"], told[1]["decided_at"] is None) == (None, False)
        assert told[1]["to_school_name"] == move.new["name"]
        assert not {"note", "reason"} & set(told[1])
    with org.component.database.work() as db:
        rows = db.execute(
            sa.select(audit).where(audit.c.subject == move.teacher.account_id, audit.c.action == "reject_transfer")
        ).all()
    assert [(row.actor, row.reason, row.before, row.after["state"]) for row in rows] == [
        (str(approver.account_id), "编制已满", {"state": "PENDING"}, "REJECTED")
    ]


@pytest.mark.parametrize("first", ["approve_transfer", "reject_transfer", "withdraw_transfer"])
def test_every_refused_step_after_a_decision(org: Org, first: str) -> None:
    move, approver = Move(org), by(org, Role.COUNTY_ADMIN, YUEXIU)
    asked = move.ask()

    def step(method: str) -> dict[str, Any]:
        body = {"transfer_id": asked["transfer_id"]}
        if method == "reject_transfer":
            body["reason"] = "不同意"
        return org.call(method, body, move.asker if method == "withdraw_transfer" else approver)

    step(first)
    versions = len(org.announced(TRANSFER_CHANGED, transfer_id=asked["transfer_id"]))
    for method in ("approve_transfer", "reject_transfer", "withdraw_transfer"):
        with pytest.raises(Conflict, match=r"org\.transfer_decided"):
            step(method)
    assert len(org.announced(TRANSFER_CHANGED, transfer_id=asked["transfer_id"])) == versions


def test_a_rejection_needs_its_reason(org: Org) -> None:
    move = Move(org)
    asked = move.ask()
    for body in ({}, {"reason": ""}, {"reason": "   "}):
        with pytest.raises(InvalidInput):
            org.call(
                "reject_transfer", {"transfer_id": asked["transfer_id"], **body}, by(org, Role.COUNTY_ADMIN, YUEXIU)
            )


def test_nobody_decides_what_he_asked_for_or_what_is_about_himself(org: Org) -> None:
    move = Move(org)
    both = org.person(None, (Role.SCHOOL_ADMIN, move.new["place"]), (Role.COUNTY_ADMIN, YUEXIU))
    asked = move.ask(both)
    with pytest.raises(NotAllowed, match=r"org\.transfer_own_request"):
        move.approve(asked, both)
    with pytest.raises(NotAllowed, match=r"org\.transfer_own_request"):
        org.call("reject_transfer", {"transfer_id": asked["transfer_id"], "reason": "误"}, both)
    herself = org.person(move.teacher.account_id, (Role.COUNTY_ADMIN, YUEXIU))
    with pytest.raises(NotAllowed, match=r"org\.not_yourself"):
        move.approve(asked, herself)


@pytest.mark.parametrize("role", [Role.SUPER_ADMIN, Role.SCHOOL_ADMIN, Role.PRINCIPAL, Role.AUDITOR])
def test_whoever_is_no_approver_decides_nothing(org: Org, role: Role) -> None:
    move = Move(org)
    asked = move.ask()
    place = move.new["place"] if role in (Role.SCHOOL_ADMIN, Role.PRINCIPAL) else YUEXIU
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        move.approve(asked, by(org, role, place))


def test_a_transfer_elsewhere_does_not_exist(org: Org) -> None:
    move = Move(org)
    asked = move.ask()
    stranger = by(org, Role.COUNTY_ADMIN, HAIZHU)
    refusals = []
    for transfer_id in (asked["transfer_id"], str(uuid.uuid4())):
        for method, more in (("approve_transfer", {}), ("reject_transfer", {"reason": "误"}), ("get_transfer", {})):
            with pytest.raises(NotFound) as refused:
                org.call(method, {"transfer_id": transfer_id, **more}, stranger)
            refusals.append(refused.value.args)
        with pytest.raises(NotFound) as refused:
            org.call("withdraw_transfer", {"transfer_id": transfer_id}, org.admin_of(org.school()))
        refusals.append(refused.value.args)
    assert len(set(refusals)) == 1
    # The leaving school sees it, and cannot take another's request back.
    with pytest.raises(NotFound, match=r"org\.transfer_unknown"):
        org.call("withdraw_transfer", {"transfer_id": asked["transfer_id"]}, org.admin_of(move.old))


def test_two_approvers_pressing_at_once_move_her_once(org: Org) -> None:
    move = Move(org)
    asked = move.ask()
    outcomes: list[str] = []

    def press(role: Role) -> None:
        try:
            outcomes.append(move.approve(asked, by(org, role, YUEXIU))["state"])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [
        threading.Thread(target=press, args=(role,)) for role in (Role.COUNTY_ADMIN, Role.DISTRICT_INSTITUTION) * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["APPROVED"] + ["org.transfer_decided"] * 3
    assert len(org.call("list_own_periods", actor=move.teacher)["items"]) == 2


def test_a_teacher_who_has_gone_meanwhile_is_not_fetched_from_nowhere(org: Org) -> None:
    move, approver = Move(org), by(org, Role.COUNTY_ADMIN, YUEXIU)
    asked = move.ask()
    released = {"teacher_id": str(move.teacher.account_id), "reason": "更正信息"}
    org.call("release_membership", released, org.admin_of(move.old))
    with pytest.raises(Conflict, match=r"org\.transfer_overtaken"):
        move.approve(asked, approver)
    # She chooses a third school; the overtaken request then stands in nobody's way.
    third, fourth = org.school(), org.school()
    org.call("choose_school", {"school_id": third["school_id"]}, move.teacher)
    org.call("verify_membership", {"teacher_id": released["teacher_id"]}, org.admin_of(third))
    again = move.ask(org.admin_of(fourth), school_id=fourth["school_id"])
    assert again["from_school_id"] == third["school_id"]
    ended = org.call("get_transfer", {"transfer_id": asked["transfer_id"]}, approver)
    assert (ended["state"], ended["reason"]) == ("WITHDRAWN", "org.transfer_overtaken")


def test_a_school_that_closed_meanwhile_receives_nobody(org: Org) -> None:
    move = Move(org)
    asked = move.ask()
    with org.component.database.work() as db:
        db.execute(
            sa.text("UPDATE school SET state = 'SUSPENDED' WHERE school_id = :id"), {"id": move.new["school_id"]}
        )
    with pytest.raises(Conflict, match=r"org\.school_closed"):
        move.approve(asked, by(org, Role.COUNTY_ADMIN, YUEXIU))


def test_the_employment_status_travels_with_her_and_is_a_to_do_of_the_new_school(org: Org) -> None:
    move = Move(org)
    gone = {"teacher_id": str(move.teacher.account_id), "status": "LEFT"}
    org.call("archive_teacher", gone, org.admin_of(move.old))
    move.approve(move.ask(), by(org, Role.COUNTY_ADMIN, YUEXIU))
    desk = org.call("get_school_desk", {"school_id": move.new["school_id"]}, move.asker)
    assert [(each["teacher_id"], each["employment"]) for each in desk["archived_arrivals"]] == [
        (str(move.teacher.account_id), "LEFT")
    ]
    listed = org.call("list_teachers", {"place": move.new["place"]}, move.asker)["items"]
    assert listed == []  # archived: in no list and no denominator until she is set on duty
    org.call("restore_teacher", {"teacher_id": str(move.teacher.account_id)}, move.asker)
    desk = org.call("get_school_desk", {"school_id": move.new["school_id"]}, move.asker)
    assert desk["archived_arrivals"] == []
    assert len(org.call("list_teachers", {"place": move.new["place"]}, move.asker)["items"]) == 1


def test_the_old_school_loses_her_and_she_loses_its_keys_at_once(org: Org) -> None:
    move = Move(org)
    account = str(move.teacher.account_id)
    elsewhere = {"account_id": account, "role": "PRINCIPAL", "place": org.school("440105")["place"]}
    org.call("bootstrap_grant", {"account_id": account, "role": "PRINCIPAL", "place": move.old["place"]})
    org.call("bootstrap_grant", elsewhere)
    move.approve(move.ask(), by(org, Role.COUNTY_ADMIN, YUEXIU))
    told = org.announced(contract.GRANTS_CHANGED, account_id=account)[-1]
    assert told["grants"] == [["PRINCIPAL", elsewhere["place"]]]
    with org.component.database.work() as db:
        states = dict(
            db.execute(
                sa.select(AdminGrant.place, AdminGrant.state).where(AdminGrant.account_id == move.teacher.account_id)
            ).all()
        )
    assert states == {move.old["place"]: "REVOKED", elsewhere["place"]: "ACTIVE"}
    for method, more in (("release_membership", {"reason": "误"}), ("archive_teacher", {"status": "LEFT"})):
        with pytest.raises(NotFound, match=r"org\.membership_unknown"):
            org.call(method, {"teacher_id": account, **more}, org.admin_of(move.old))


# --- reading --------------------------------------------------------------------------------------------------------


def test_both_sides_and_whoever_stands_above_see_the_history(org: Org) -> None:
    move = Move(org, "440105")
    asked = move.ask()

    def seen(actor: Actor, place: str, **more: Any) -> list[str]:
        listed = org.call("list_transfers", {"place": place, "limit": 200, **more}, actor)["items"]
        return [item["transfer_id"] for item in listed]

    wanted = asked["transfer_id"]
    old, new = org.admin_of(move.old), move.asker
    assert seen(old, move.old["place"]) == seen(new, move.new["place"]) == [wanted]
    assert seen(old, move.old["place"], side="LEAVING") == [wanted]
    assert seen(old, move.old["place"], side="RECEIVING") == []
    assert seen(new, move.new["place"], side="RECEIVING", state="PENDING") == [wanted]
    assert seen(new, move.new["place"], state="APPROVED") == []
    assert wanted in seen(by(org, Role.COUNTY_ADMIN, YUEXIU), YUEXIU)
    assert wanted in seen(by(org, Role.COUNTY_ADMIN, HAIZHU), HAIZHU)
    assert wanted in seen(by(org, Role.SUPER_ADMIN, GUANGZHOU), GUANGZHOU)
    assert wanted not in seen(by(org, Role.COUNTY_ADMIN, f"{GUANGZHOU}/440106"), f"{GUANGZHOU}/440106")
    with pytest.raises(NotFound, match=r"org\.place_unknown"):
        seen(by(org, Role.COUNTY_ADMIN, HAIZHU), YUEXIU)
    for actor in (old, new, move.teacher, by(org, Role.CITY_CENTRE, GUANGZHOU)):
        assert org.call("get_transfer", {"transfer_id": wanted}, actor)["transfer_id"] == wanted
    with pytest.raises(NotFound):
        org.call("get_transfer", {"transfer_id": wanted}, org.person())


def test_a_teacher_sees_her_own(org: Org) -> None:
    move = Move(org)
    asked = move.ask()
    assert [item["transfer_id"] for item in org.call("list_own_transfers", actor=move.teacher)["items"]] == [
        asked["transfer_id"]
    ]
    assert org.call("list_own_transfers", actor=org.person())["items"] == []


def test_the_desk_of_an_approver_holds_what_waits_for_that_level_oldest_first(org: Org) -> None:
    code = "440115"  # 南沙区: no other test transfers there
    place = f"{GUANGZHOU}/{code}"
    district, centre = by(org, Role.DISTRICT_INSTITUTION, place), by(org, Role.CITY_CENTRE, GUANGZHOU)
    asked = []
    for _ in range(3):
        old, new = org.school(code), org.school(code)
        teacher = org.member(old, "VERIFIED")
        body = {"school_id": new["school_id"], "learner_no": number(org, teacher)}
        asked.append(org.call("request_transfer", body, org.admin_of(new))["transfer_id"])
    first = org.call("list_transfers_to_decide", {"limit": 2}, district)
    rest = org.call("list_transfers_to_decide", {"limit": 2, "cursor": first["next_cursor"]}, district)
    assert [item["transfer_id"] for item in first["items"] + rest["items"]] == asked
    # The city centre sees them in the history of its territory, but they are not its to decide.
    at_the_city = org.call("list_transfers_to_decide", {"limit": 200}, centre)["items"]
    assert not {item["transfer_id"] for item in at_the_city} & set(asked)
    org.call("reject_transfer", {"transfer_id": asked[0], "reason": "编制已满"}, district)
    left = org.call("list_transfers_to_decide", {}, district)["items"]
    assert [item["transfer_id"] for item in left] == asked[1:]
    with pytest.raises(NotAllowed):
        org.call("list_transfers_to_decide", {}, org.admin_of(org.school()))


def test_the_desks_of_both_schools_count_what_waits(org: Org) -> None:
    move = Move(org)
    move.ask()
    new = org.call("get_school_desk", {"school_id": move.new["school_id"]}, move.asker)
    old = org.call("get_school_desk", {"school_id": move.old["school_id"]}, org.admin_of(move.old))
    assert (new["transfers_requested"], new["transfers_leaving"]) == (1, 0)
    assert (old["transfers_requested"], old["transfers_leaving"]) == (0, 1)


# --- schools that move or end ---------------------------------------------------------------------------------------


def test_a_moved_school_takes_its_transfers_along_and_they_are_decided_above_both_anew(org: Org) -> None:
    move = Move(org)
    asked, after = move.ask(), f"{HAIZHU}/s{uuid.UUID(move.new['school_id']).hex}"
    with org.component.database.work() as db:
        transfers.move_school(db, move.new["place"], after)
    found = org.call("get_transfer", {"transfer_id": asked["transfer_id"]}, by(org, Role.CITY_CENTRE, GUANGZHOU))
    assert (found["to_place"], found["place"], found["level"]) == (after, GUANGZHOU, "CITY")
    with pytest.raises(NotFound):
        org.call("get_transfer", {"transfer_id": asked["transfer_id"]}, move.asker)


def test_a_school_that_stands_elsewhere_than_the_request_says_is_decided_by_nobody(org: Org) -> None:
    """Should somebody move a school and forget its transfers, a county must not decide about two counties."""
    move = Move(org)
    asked, after = move.ask(), f"{HAIZHU}/s{uuid.UUID(move.new['school_id']).hex}"
    with org.component.database.work() as db:
        db.execute(
            sa.text("UPDATE school SET place = :place, parent = :parent WHERE school_id = :id"),
            {"place": after, "parent": HAIZHU, "id": move.new["school_id"]},
        )
    with pytest.raises(Conflict, match=r"org\.transfer_overtaken"):
        move.approve(asked, by(org, Role.COUNTY_ADMIN, YUEXIU))
