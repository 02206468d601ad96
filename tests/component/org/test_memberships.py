"""The way of a teacher through school verification (`domain.md` §3.1), and the roster's short cut into it."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.org import contract
from services.org.models import MembershipPeriod
from services.shared.actor import Actor, Role, service_actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from services.shared.tables import audit
from tests.component.org.conftest import CLI, HAIZHU, YUEXIU, Org

pytestmark = pytest.mark.postgres


def choose(org: Org, teacher: Actor, school: dict[str, Any]) -> dict[str, Any]:
    return org.call("choose_school", {"school_id": school["school_id"]}, teacher)


def decide(org: Org, method: str, admin: Actor, teacher: Actor, **more: str) -> dict[str, Any]:
    return org.call(method, {"teacher_id": str(teacher.account_id), **more}, admin)


def events(org: Org, teacher: Actor) -> list[dict[str, Any]]:
    return org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(teacher.account_id))


def test_before_the_first_choice_there_is_nothing(org: Org) -> None:
    with pytest.raises(NotFound, match=r"org\.no_membership"):
        org.call("get_own_membership", actor=org.person())


def test_from_other_to_the_right_school_to_verified_and_released(org: Org) -> None:
    teacher, school = org.person(), org.school()
    admin = org.admin_of(school)
    parked = org.call("choose_school", {"other_of": "440104"}, teacher)
    assert (parked["state"], parked["place"], parked["school_name"]) == ("PENDING", f"{YUEXIU}/other", "其他")
    assert choose(org, teacher, school)["state"] == "PENDING"
    assert decide(org, "verify_membership", admin, teacher)["state"] == "VERIFIED"
    assert decide(org, "release_membership", admin, teacher, reason="调离")["state"] == "RELEASED"
    assert choose(org, teacher, school)["version"] == 5
    announced = events(org, teacher)
    assert [(event["version"], event["state"]) for event in announced] == [
        (1, "PENDING"),
        (2, "PENDING"),
        (3, "VERIFIED"),
        (4, "RELEASED"),
        (5, "PENDING"),
    ]
    assert (announced[3]["school_id"], announced[3]["place"], announced[3]["school_name"]) == (None, "", "")
    assert announced[2]["place"] == school["place"]


def test_learning_learns_the_present_place_and_nobody_else_may_ask(org: Org) -> None:
    teacher, school = org.person(), org.school()
    admin = org.admin_of(school)
    question, learning = {"teacher_id": str(teacher.account_id)}, service_actor("learning")
    with pytest.raises(NotFound):
        org.call("get_placement_facts", question, learning)
    choose(org, teacher, school)
    pending = {"state": "PENDING", "place": school["place"], "school_id": school["school_id"]}
    assert org.call("get_placement_facts", question, learning) == pending
    decide(org, "verify_membership", admin, teacher)
    decide(org, "release_membership", admin, teacher, reason="调离")
    assert org.call("get_placement_facts", question, learning) == {
        "state": "RELEASED",
        "place": "",
        "school_id": None,
    }
    for other in (teacher, admin, service_actor("credits")):
        with pytest.raises(NotAllowed):
            org.call("get_placement_facts", question, other)


def test_history_keeps_every_period(org: Org) -> None:
    school = org.school()
    teacher = org.person()
    org.call("choose_school", {"other_of": "440104"}, teacher)
    choose(org, teacher, school)
    decide(org, "verify_membership", org.admin_of(school), teacher)
    decide(org, "release_membership", org.admin_of(school), teacher, reason="调离")
    with org.component.database.work() as db:
        periods = db.scalars(
            sa.select(MembershipPeriod)
            .where(MembershipPeriod.teacher_id == teacher.account_id)
            .order_by(MembershipPeriod.period_id)
        ).all()
    assert [(period.opened_by, period.closed_by) for period in periods] == [("CHOOSE", "CHOOSE"), ("CHOOSE", "RELEASE")]
    assert [period.verified_at is not None for period in periods] == [False, True]


def test_choosing_the_same_school_again_changes_nothing(org: Org) -> None:
    teacher, school = org.person(), org.school()
    first = choose(org, teacher, school)
    assert choose(org, teacher, school) == first
    assert len(events(org, teacher)) == 1


def test_a_rejected_teacher_may_choose_again(org: Org) -> None:
    school = org.school()
    teacher = org.member(school)
    rejected = decide(org, "reject_membership", org.admin_of(school), teacher, reason="不是本校教师")
    assert (rejected["state"], rejected["reason"]) == ("REJECTED", "不是本校教师")
    assert choose(org, teacher, school)["state"] == "PENDING"


def test_a_verified_teacher_must_be_released_before_she_goes_elsewhere(org: Org) -> None:
    school = org.school()
    teacher = org.member(school, "VERIFIED")
    with pytest.raises(Conflict, match=r"org\.release_first"):
        choose(org, teacher, org.school())
    assert choose(org, teacher, school)["state"] == "VERIFIED"


def test_only_what_waits_can_be_decided(org: Org) -> None:
    school = org.school()
    admin, teacher = org.admin_of(school), org.member(school)
    with pytest.raises(Conflict, match=r"org\.not_verified"):
        decide(org, "release_membership", admin, teacher, reason="误")
    decide(org, "verify_membership", admin, teacher)
    with pytest.raises(Conflict, match=r"org\.not_pending"):
        decide(org, "verify_membership", admin, teacher)
    with pytest.raises(Conflict, match=r"org\.not_pending"):
        decide(org, "reject_membership", admin, teacher, reason="误")


def test_nobody_verifies_himself(org: Org) -> None:
    school, account_id = org.school(), uuid.uuid4()
    admin = org.person(account_id, (Role.SCHOOL_ADMIN, school["place"]))
    choose(org, admin, school)
    with pytest.raises(NotAllowed, match=r"org\.not_yourself"):
        decide(org, "verify_membership", admin, admin)


@pytest.mark.parametrize("role", [Role.SCHOOL_ADMIN, Role.PRINCIPAL])
def test_the_schools_admin_verifies_and_so_does_its_principal(org: Org, role: Role) -> None:
    school = org.school()
    reviewer = org.person(None, (role, school["place"]))
    assert decide(org, "verify_membership", reviewer, org.member(school))["state"] == "VERIFIED"
    assert decide(org, "reject_membership", reviewer, org.member(school), reason="误")["state"] == "REJECTED"


def test_only_the_admin_releases(org: Org) -> None:
    school = org.school()
    teacher = org.member(school, "VERIFIED")
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        decide(org, "release_membership", org.person(None, (Role.PRINCIPAL, school["place"])), teacher, reason="误")


@pytest.mark.parametrize("role", [Role.COUNTY_ADMIN, Role.SUPER_ADMIN, Role.NATIONAL_OPERATOR, Role.CITY_CENTRE])
def test_no_region_verifies_in_the_schools_place(org: Org, role: Role) -> None:
    school = org.school()
    teacher = org.member(school)
    place = {Role.NATIONAL_OPERATOR: "CN"}.get(role, YUEXIU)
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        decide(org, "verify_membership", org.person(None, (role, place)), teacher)


def test_another_schools_admin_cannot_tell_that_she_exists(org: Org) -> None:
    teacher, stranger = org.member(org.school()), org.admin_of(org.school())
    with pytest.raises(NotFound) as forbidden:
        decide(org, "verify_membership", stranger, teacher)
    with pytest.raises(NotFound) as unknown:
        decide(org, "verify_membership", stranger, org.person())
    assert forbidden.value.args == unknown.value.args


def test_a_teacher_who_has_moved_on_is_out_of_the_old_schools_reach(org: Org) -> None:
    old, new = org.school(), org.school()
    teacher = org.member(old)
    choose(org, teacher, new)
    with pytest.raises(NotFound):
        decide(org, "verify_membership", org.admin_of(old), teacher)


def test_nobody_reviews_in_other(org: Org) -> None:
    teacher = org.person()
    org.call("choose_school", {"other_of": "440104"}, teacher)
    with pytest.raises(Conflict, match=r"org\.no_reviewer"):
        decide(org, "verify_membership", org.person(None, (Role.SCHOOL_ADMIN, f"{YUEXIU}/other")), teacher)


@pytest.mark.parametrize("code", ["440100", "810000", "999999"])
def test_other_exists_only_where_schools_stand(org: Org, code: str) -> None:
    with pytest.raises(NotFound, match=r"org\.division_unknown"):
        org.call("choose_school", {"other_of": code}, org.person())


def test_a_student_identity_has_no_school(org: Org) -> None:
    import dataclasses

    student = dataclasses.replace(org.person(), identity="STUDENT")
    with pytest.raises(NotAllowed, match=r"org\.teachers_only"):
        org.call("choose_school", {"other_of": "440104"}, student)


@pytest.mark.parametrize("body", [{}, {"school_id": str(uuid.uuid4()), "other_of": "440104"}, {"school_id": "x"}])
def test_a_choice_names_exactly_one_school(org: Org, body: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        org.call("choose_school", body, org.person())
    assert refused.value.field == "school_id"


def test_every_decision_leaves_an_audit_row_with_before_and_after(org: Org) -> None:
    school = org.school()
    admin, teacher = org.admin_of(school), org.member(school)
    decide(org, "reject_membership", admin, teacher, reason="不是本校教师")
    with org.component.database.work() as db:
        row = db.execute(sa.select(audit).where(audit.c.subject == teacher.account_id)).one()
    assert (row.action, row.actor, row.reason) == ("reject_membership", str(admin.account_id), "不是本校教师")
    assert (row.before, row.after["state"]) == ({"state": "PENDING"}, "REJECTED")


def test_a_refused_decision_leaves_no_trace(org: Org) -> None:
    school = org.school()
    teacher = org.member(school)
    with pytest.raises(Conflict):
        decide(org, "release_membership", org.admin_of(school), teacher, reason="误")
    assert len(events(org, teacher)) == 1


def test_two_admins_pressing_at_once_make_one_decision(org: Org) -> None:
    school = org.school()
    teacher, admins = org.member(school), [org.admin_of(school) for _ in range(2)]
    refusals: list[str] = []

    def press(admin: Actor) -> None:
        try:
            decide(org, "verify_membership", admin, teacher)
        except ServiceError as error:
            refusals.append(error.code)

    threads = [threading.Thread(target=press, args=(admin,)) for admin in admins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refusals == ["org.not_pending"]
    assert [event["state"] for event in events(org, teacher)] == ["PENDING", "VERIFIED"]


def test_the_list_shows_a_schools_own_members_page_by_page(org: Org) -> None:
    school = org.school()
    admin = org.admin_of(school)
    members = {str(org.member(school).account_id) for _ in range(3)}
    org.member(org.school())
    page = org.call("list_memberships", {"school_id": school["school_id"], "limit": 2}, admin)
    rest = org.call(
        "list_memberships", {"school_id": school["school_id"], "limit": 2, "cursor": page["next_cursor"]}, admin
    )
    assert {item["teacher_id"] for item in page["items"] + rest["items"]} == members
    assert rest["next_cursor"] is None
    only = org.call("list_memberships", {"school_id": school["school_id"], "state": "VERIFIED"}, admin)
    assert only["items"] == []


@pytest.mark.parametrize("place", [HAIZHU, "CN/110000"])
def test_the_list_of_a_school_elsewhere_is_not_found(org: Org, place: str) -> None:
    school = org.school()
    role = Role.COUNTY_ADMIN if place == HAIZHU else Role.PROVINCE_ADMIN
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        org.call("list_memberships", {"school_id": school["school_id"]}, org.person(None, (role, place)))


def roster(*pairs: tuple[uuid.UUID, str]) -> dict[str, Any]:
    return {
        "rows": [
            {"row": index, "account_id": str(account), "school_id": school}
            for index, (account, school) in enumerate(pairs, start=2)
        ]
    }


def test_a_roster_puts_people_into_their_school_once(org: Org) -> None:
    school, account = org.school(), uuid.uuid4()
    rows = roster((account, school["school_id"]))
    assert [row["outcome"] for row in org.call("import_memberships", rows, CLI)["rows"]] == ["CREATED"]
    assert [row["outcome"] for row in org.call("import_memberships", rows, CLI)["rows"]] == ["UNCHANGED"]
    assert org.call("get_own_membership", actor=org.person(account))["state"] == "PENDING"


def test_a_roster_fetches_from_other_but_never_from_a_school(org: Org) -> None:
    school, elsewhere = org.school(), org.school("440105")
    waiting, member = org.person(), org.member(elsewhere)
    org.call("choose_school", {"other_of": "440105"}, waiting)
    rows = roster((waiting.account_id, school["school_id"]), (member.account_id, school["school_id"]))
    # The county's admin sees neither of the two rows in Haizhu, and must still get the right answer.
    reply = org.call("import_memberships", rows, org.person(None, (Role.COUNTY_ADMIN, YUEXIU)))["rows"]
    assert [(row["outcome"], row["code"]) for row in reply] == [("CREATED", ""), ("REFUSED", "org.member_elsewhere")]


def test_a_roster_stays_in_the_importers_territory(org: Org) -> None:
    outside = org.school("440105")
    reply = org.call(
        "import_memberships",
        roster((uuid.uuid4(), outside["school_id"]), (uuid.uuid4(), str(uuid.uuid4()))),
        org.person(None, (Role.COUNTY_ADMIN, YUEXIU)),
    )["rows"]
    # Forbidden and unknown read alike.
    assert [(row["outcome"], row["code"]) for row in reply] == [("REFUSED", "org.school_unknown")] * 2


def test_a_schools_admin_adds_his_own_teachers_and_no_others(org: Org) -> None:
    school, elsewhere = org.school(), org.school()
    rows = roster((uuid.uuid4(), school["school_id"]), (uuid.uuid4(), elsewhere["school_id"]))
    reply = org.call("import_memberships", rows, org.admin_of(school))["rows"]
    assert [(row["outcome"], row["code"]) for row in reply] == [("CREATED", ""), ("REFUSED", "org.school_unknown")]
    with pytest.raises(NotAllowed):
        org.call("import_memberships", rows, org.person(None, (Role.PRINCIPAL, school["place"])))


def test_whom_her_own_school_adds_is_verified_by_that(org: Org) -> None:
    """S3:75: the school's administrator fills in the record, "新入校教师就可参与教师继续教育课程学习"."""
    school, added, waiting = org.school(), uuid.uuid4(), org.person()
    org.call("choose_school", {"other_of": "440104"}, waiting)
    rows = roster((added, school["school_id"]), (waiting.account_id, school["school_id"]))
    reply = org.call("import_memberships", rows, org.admin_of(school))["rows"]
    assert [(row["outcome"], row["state"]) for row in reply] == [("CREATED", "VERIFIED")] * 2
    for teacher in (org.person(added), waiting):
        assert events(org, teacher)[-1]["state"] == "VERIFIED"
        [period] = [one for one in org.call("list_own_periods", {}, teacher)["items"] if one["closed_at"] is None]
        assert period["verified_at"]
    # What a certificate needs is there: nobody has to say it a second time.
    with pytest.raises(Conflict, match=r"org\.not_pending"):
        org.call("verify_membership", {"teacher_id": str(added)}, org.admin_of(school))


@pytest.mark.parametrize("importer", ["county", "neighbour with a grant of the school's county"])
def test_whom_a_region_adds_waits_for_the_schools_word(org: Org, importer: str) -> None:
    school, neighbour, account = org.school(), org.school(), uuid.uuid4()
    grants = [(Role.COUNTY_ADMIN, YUEXIU)]
    if importer != "county":
        grants.append((Role.SCHOOL_ADMIN, neighbour["place"]))
    reply = org.call("import_memberships", roster((account, school["school_id"])), org.person(None, *grants))["rows"]
    assert [(row["outcome"], row["state"]) for row in reply] == [("CREATED", "PENDING")]


def test_who_waits_already_waits_on_whoever_names_her(org: Org) -> None:
    """She asked herself, and is in the school's queue with what she typed; a roster is no look at that."""
    school = org.school()
    teacher = org.member(school)
    rows = roster((teacher.account_id, school["school_id"]))
    [row] = org.call("import_memberships", rows, org.admin_of(school))["rows"]
    assert (row["outcome"], row["state"]) == ("UNCHANGED", "PENDING")


def test_a_teacher_named_twice_in_one_roster_gets_one_school(org: Org) -> None:
    here, there, account = org.school(), org.school(), uuid.uuid4()
    rows = roster((account, here["school_id"]), (account, here["school_id"]), (account, there["school_id"]))
    reply = org.call("import_memberships", rows, CLI)["rows"]
    assert [(row["outcome"], row["code"]) for row in reply] == [
        ("CREATED", ""),
        ("UNCHANGED", ""),
        ("REFUSED", "org.member_elsewhere"),
    ]
    assert len(events(org, org.person(account))) == 1


def test_a_roster_of_a_hundred_takes_a_handful_of_statements(org: Org) -> None:
    """Each statement of its own is a wait on the bus process's one loop; a roster must not take thousands."""
    from sqlalchemy import event

    school = org.school()
    rows = roster(*[(uuid.uuid4(), school["school_id"]) for _ in range(100)])
    statements: list[str] = []
    engine = org.component.database.worker
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert {row["outcome"] for row in org.call("import_memberships", rows, CLI)["rows"]} == {"CREATED"}
    assert len(statements) < 20


def test_a_repeated_command_answers_from_memory_and_acts_once(org: Org) -> None:
    school = org.school()
    admin, teacher = org.admin_of(school), org.member(school)
    argument = {"teacher_id": str(teacher.account_id)}
    key = str(uuid.uuid4())
    first = org.call("verify_membership", argument, admin, command_id=key)
    assert org.call("verify_membership", argument, admin, command_id=key) == first
    assert len(events(org, teacher)) == 2
    with pytest.raises(InvalidInput, match=r"shared\.key_reused"):
        org.call("verify_membership", {"teacher_id": str(uuid.uuid4())}, admin, command_id=key)


def test_a_refused_command_is_not_remembered(org: Org) -> None:
    school = org.school()
    admin, teacher, key = org.admin_of(school), org.member(school), str(uuid.uuid4())
    argument = {"teacher_id": str(teacher.account_id), "reason": "调离"}
    with pytest.raises(Conflict):
        org.call("release_membership", argument, admin, command_id=key)
    decide(org, "verify_membership", admin, teacher)
    assert org.call("release_membership", argument, admin, command_id=key)["state"] == "RELEASED"
