"""The review of a profile by the school: every transition, every refusal, drafts, scope, races."""

import dataclasses
import datetime as dt
import uuid

import pytest

from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.component.identity.stories import administrator, new_id_no

COUNTY = "CN/440000/440100/440199"  # its own: the others review nothing
SCHOOL = f"{COUNTY}/s1"


def review_profiles(people, place):
    """What org tells of a place whose schools review profiles."""
    policy = {
        "policy_id": str(uuid.uuid5(uuid.NAMESPACE_URL, place)),
        "place": place,
        "version": 1,
        "mode": "OPEN",
        "max_school_admins": 1,
        "profile_review": "REQUIRED",
        "withdrawn": False,
    }
    people.hear("on_tenant_policy_changed", "org.tenant_policy_changed", policy)


@pytest.fixture
def reviewing(people):
    """A county whose schools review profiles."""
    review_profiles(people, COUNTY)
    return people


@pytest.fixture
def admin():
    return administrator(Role.SCHOOL_ADMIN, SCHOOL)


def verified(people, place=SCHOOL, **profile):
    actor, _ = people.register()
    people.fill_profile(actor, **profile)
    people.place(actor, place, state="VERIFIED")
    return actor


def profile_of(people, actor):
    return people.call("get_profile", {}, actor)


def reopen(people, admin, actor):
    return people.call("reopen_profile", {"account_id": str(actor.account_id), "reason": "证件号有误"}, admin)


def submitted(people, admin, actor, **changes):
    reopen(people, admin, actor)
    if changes:
        people.call("update_profile", changes, actor)
    return people.call("submit_profile", {}, actor)["round"]


def decide(people, admin, method, *rows, **more):
    decisions = [{"account_id": str(actor.account_id), "round": seen} for actor, seen in rows]
    return [
        (row["outcome"], row["code"]) for row in people.call(method, {"decisions": decisions, **more}, admin)["rows"]
    ]


def queue(people, admin, **arguments):
    return people.call("list_profile_reviews", arguments, admin)["items"]


def reveal(people, admin, actor):
    return people.call(
        "reveal_profile_review", {"account_id": str(actor.account_id), "reason": "核对身份证"}, elevated(people, admin)
    )


def elevated(people, admin):
    return dataclasses.replace(admin, elevated_until=people.clock.instant.replace(year=2030))


# --- the way through ----------------------------------------------------------------------------------------------------


def test_a_verified_profile_is_confirmed(reviewing):
    actor = verified(reviewing)
    assert profile_of(reviewing, actor)["review_state"] == "CONFIRMED"


def test_an_id_number_is_corrected_by_reopening_submitting_and_confirming(reviewing, admin):
    wrong, right = new_id_no(), new_id_no()
    actor = verified(reviewing, id_no=wrong)
    reopen(reviewing, admin, actor)
    shown = reviewing.call("update_profile", {"id_no": right}, actor)
    # What the school has vouched for stands until it has looked at the new one.
    assert shown["id_no"][-4:] == wrong[-4:]
    assert shown["draft"]["id_no"] == f"{right[:4]}{'*' * 10}{right[14:]}"
    seen = reviewing.call("submit_profile", {}, actor)["round"]
    assert decide(reviewing, admin, "confirm_profiles", (actor, seen)) == [("DONE", "")]
    shown = profile_of(reviewing, actor)
    assert (shown["id_no"][-4:], shown["review_state"], shown["draft"]) == (right[-4:], "CONFIRMED", {})
    assert [event["fields_changed"] for event in reviewing.events("identity.identity_corrected", actor.account_id)] == [
        ["id_no"]
    ]
    states = [event["state"] for event in reviewing.events("identity.profile_review_moved", actor.account_id)]
    assert states == ["EDITABLE", "SUBMITTED", "CONFIRMED"]
    history = reviewing.scalar(
        "SELECT count(*) FROM profile_history WHERE account_id = :id AND cause = 'REVIEW'", id=actor.account_id
    )
    assert history == 1


def test_versions_of_all_events_of_one_account_grow(reviewing, admin):
    actor = verified(reviewing)
    seen = submitted(reviewing, admin, actor, name="李四")
    decide(reviewing, admin, "confirm_profiles", (actor, seen))
    versions = [
        event["version"]
        for kind in ("identity.profile_changed", "identity.profile_review_moved")
        for event in reviewing.events(kind, actor.account_id)
    ]
    assert len(set(versions)) == len(versions)


def test_returning_needs_a_reason_and_keeps_the_draft(reviewing, admin):
    actor = verified(reviewing)
    seen = submitted(reviewing, admin, actor, name="李四")
    with pytest.raises(InvalidInput):
        decide(reviewing, admin, "return_profiles", (actor, seen))
    assert decide(reviewing, admin, "return_profiles", (actor, seen), reason="姓名与证件不符") == [("DONE", "")]
    shown = profile_of(reviewing, actor)
    assert (shown["review_state"], shown["return_reason"]) == ("EDITABLE", "姓名与证件不符")
    assert (shown["name"], shown["draft"]["name"]) == ("张三丰", "李四")
    reviewing.call("update_profile", {"name": "张三"}, actor)
    seen = reviewing.call("submit_profile", {}, actor)["round"]
    assert profile_of(reviewing, actor)["return_reason"] == ""
    decide(reviewing, admin, "confirm_profiles", (actor, seen))
    assert profile_of(reviewing, actor)["name"] == "张三"


def test_typing_the_old_value_again_takes_it_out_of_the_draft(reviewing, admin):
    actor = verified(reviewing)
    reopen(reviewing, admin, actor)
    reviewing.call("update_profile", {"name": "李四"}, actor)
    assert reviewing.call("update_profile", {"name": "张三丰"}, actor)["draft"] == {}


def test_submitting_unchanged_is_a_confirmation_that_all_is_right(reviewing, admin):
    actor = verified(reviewing)
    seen = submitted(reviewing, admin, actor)
    before = len(reviewing.events("identity.profile_changed", actor.account_id))
    assert decide(reviewing, admin, "confirm_profiles", (actor, seen)) == [("DONE", "")]
    assert len(reviewing.events("identity.profile_changed", actor.account_id)) == before


def test_mail_address_and_nickname_change_in_every_state(reviewing, admin):
    actor = verified(reviewing)
    reviewing.call("update_profile", {"email": "zhang@example.com"}, actor)
    submitted(reviewing, admin, actor)
    events = len(reviewing.events("identity.profile_changed", actor.account_id))
    shown = reviewing.call("update_profile", {"address": "天河区 1 号", "nickname": "三丰"}, actor)
    assert (shown["email"], shown["address"], shown["nickname"]) == ("zhang@example.com", "天河区 1 号", "三丰")
    assert len(reviewing.events("identity.profile_changed", actor.account_id)) == events


# --- what is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"name": "李四"}, {"id_no": "440524188001010014"}])
def test_name_and_number_of_a_confirmed_profile_are_locked(reviewing, changes):
    actor = verified(reviewing)
    with pytest.raises(Conflict, match="profile_locked"):
        reviewing.call("update_profile", changes, actor)


def test_where_schools_review_the_rest_is_locked_too(reviewing):
    actor = verified(reviewing)
    with pytest.raises(Conflict, match="profile_confirmed") as caught:
        reviewing.call("update_profile", {"subject": "数学"}, actor)
    assert caught.value.field == "subject"
    assert "subject" in profile_of(reviewing, actor)["locked_fields"]


def test_elsewhere_the_rest_changes_at_once_and_nothing_is_reopened(people):
    place = "CN/450000/450100/450102/s1"
    actor = verified(people, place)
    assert people.call("update_profile", {"subject": "数学"}, actor)["subject"] == "数学"
    with pytest.raises(Conflict, match="review_unused"):
        reopen(people, administrator(Role.SCHOOL_ADMIN, place), actor)


def test_what_is_under_review_does_not_change(reviewing, admin):
    actor = verified(reviewing)
    submitted(reviewing, admin, actor)
    for changes in ({"name": "李四"}, {"subject": "数学"}):
        with pytest.raises(Conflict, match="profile_submitted"):
            reviewing.call("update_profile", changes, actor)


def test_only_an_open_profile_is_submitted(reviewing, admin):
    actor = verified(reviewing)
    with pytest.raises(Conflict, match="nothing_to_submit"):
        reviewing.call("submit_profile", {}, actor)
    submitted(reviewing, admin, actor)
    with pytest.raises(Conflict, match="nothing_to_submit"):
        reviewing.call("submit_profile", {}, actor)


@pytest.mark.parametrize("state", ["PENDING", "REJECTED", "RELEASED"])
def test_whom_no_school_vouches_for_has_nothing_to_submit(reviewing, state):
    actor, _ = reviewing.register()
    reviewing.fill_profile(actor)
    with pytest.raises(Conflict, match="review_needs_school"):
        reviewing.call("submit_profile", {}, actor)
    reviewing.place(actor, "" if state == "RELEASED" else SCHOOL, state=state)
    with pytest.raises(Conflict, match="review_needs_school"):
        reviewing.call("submit_profile", {}, actor)


def test_an_incomplete_profile_is_not_submitted(reviewing, admin):
    actor, _ = reviewing.register()
    reviewing.place(actor, SCHOOL, state="VERIFIED")
    reopen(reviewing, admin, actor)
    with pytest.raises(Conflict, match="profile_incomplete"):
        reviewing.call("submit_profile", {}, actor)


def test_an_open_profile_is_not_reopened(reviewing, admin):
    actor = verified(reviewing)
    reopen(reviewing, admin, actor)
    with pytest.raises(Conflict, match="not_confirmed"):
        reopen(reviewing, admin, actor)
    reviewing.call("submit_profile", {}, actor)
    with pytest.raises(Conflict, match="not_confirmed"):
        reopen(reviewing, admin, actor)


@pytest.mark.parametrize(("method", "more"), [("confirm_profiles", {}), ("return_profiles", {"reason": "不符"})])
def test_only_what_is_submitted_is_decided(reviewing, admin, method, more):
    actor = verified(reviewing)
    assert decide(reviewing, admin, method, (actor, 1), **more) == [("REFUSED", "identity.not_submitted")]
    reopen(reviewing, admin, actor)
    assert decide(reviewing, admin, method, (actor, 1), **more) == [("REFUSED", "identity.not_submitted")]


def test_a_decision_about_an_earlier_version_is_refused(reviewing, admin):
    actor = verified(reviewing)
    seen = submitted(reviewing, admin, actor, name="李四")
    decide(reviewing, admin, "return_profiles", (actor, seen), reason="不符")
    reviewing.call("update_profile", {"name": "王五"}, actor)
    reviewing.call("submit_profile", {}, actor)
    assert decide(reviewing, admin, "confirm_profiles", (actor, seen)) == [("REFUSED", "identity.review_stale")]
    assert profile_of(reviewing, actor)["name"] == "张三丰"


def test_a_number_that_somebody_has_taken_meanwhile_is_not_confirmed(reviewing, admin):
    number = new_id_no()
    actor = verified(reviewing)
    seen = submitted(reviewing, admin, actor, id_no=number)
    other, _ = reviewing.register()
    reviewing.fill_profile(other, id_no=number)
    assert decide(reviewing, admin, "confirm_profiles", (actor, seen)) == [("REFUSED", "identity.id_no_taken")]
    assert profile_of(reviewing, actor)["review_state"] == "SUBMITTED"


def test_nobody_decides_about_himself(reviewing, admin):
    actor = verified(reviewing)
    own = dataclasses.replace(actor, grants=admin.grants)
    with pytest.raises(NotAllowed, match="not_yourself"):
        reopen(reviewing, own, actor)
    seen = submitted(reviewing, admin, actor)
    assert decide(reviewing, own, "confirm_profiles", (actor, seen)) == [("REFUSED", "identity.not_yourself")]
    with pytest.raises(NotAllowed, match="not_yourself"):
        reveal(reviewing, own, actor)


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s2"),
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s"),
        (Role.COUNTY_ADMIN, "CN/440000/440100/440104"),
    ],
)
def test_somebody_elses_teacher_is_unknown(reviewing, admin, role, place):
    actor = verified(reviewing)
    stranger = administrator(role, place)
    with pytest.raises(NotFound, match="person_unknown"):
        reopen(reviewing, stranger, actor)
    seen = submitted(reviewing, admin, actor)
    for caller in (stranger,):
        assert decide(reviewing, caller, "confirm_profiles", (actor, seen)) == [("REFUSED", "identity.person_unknown")]
        with pytest.raises(NotFound, match="person_unknown"):
            reveal(reviewing, caller, actor)
    unknown = dataclasses.replace(actor, account_id=uuid.uuid4())
    assert decide(reviewing, stranger, "confirm_profiles", (unknown, 1)) == [("REFUSED", "identity.person_unknown")]


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.SUPER_ADMIN, Role.NATIONAL_OPERATOR, Role.AUDITOR])
def test_other_roles_do_not_review(reviewing, role):
    actor = verified(reviewing)
    caller = administrator(role, "CN")
    for method, arguments in (
        ("reopen_profile", {"account_id": str(actor.account_id), "reason": "x"}),
        ("list_profile_reviews", {}),
        ("confirm_profiles", {"decisions": [{"account_id": str(actor.account_id), "round": 1}]}),
        ("reveal_profile_review", {"account_id": str(actor.account_id), "reason": "x"}),
    ):
        with pytest.raises(NotAllowed):
            reviewing.call(method, arguments, caller)


def test_the_county_reviews_the_administrator_and_nobody_else_of_a_school(reviewing, admin):
    """[S3:182]: the school reviews its teachers. Who does it there cannot do it for himself."""
    county = administrator(Role.COUNTY_ADMIN, COUNTY)
    teacher, head = verified(reviewing), verified(reviewing)
    reviewing.grant(head, ("SCHOOL_ADMIN", SCHOOL))
    seen = submitted(reviewing, admin, teacher)
    for act in (lambda: reopen(reviewing, county, teacher), lambda: reveal(reviewing, county, teacher)):
        with pytest.raises(NotFound, match="person_unknown"):
            act()
    of_head = submitted(reviewing, county, head, name="李四")
    assert [row["account_id"] for row in queue(reviewing, county, place=SCHOOL)] == [str(head.account_id)]
    assert reveal(reviewing, county, head)["after"]["name"] == "李四"
    assert decide(reviewing, county, "confirm_profiles", (teacher, seen), (head, of_head)) == [
        ("REFUSED", "identity.person_unknown"),
        ("DONE", ""),
    ]
    # The right to administer over, he is a teacher like the others.
    reviewing.grant(head, version=2)
    with pytest.raises(NotFound, match="person_unknown"):
        reopen(reviewing, county, head)


def test_a_city_reviews_its_direct_units_and_no_school_of_a_county(reviewing, admin):
    """Four cities have no counties: their schools' administrators are reviewed by the city, or by nobody."""
    city = COUNTY.rpartition("/")[0]
    caller = administrator(Role.CITY_ADMIN, city)
    of_a_county, direct = verified(reviewing), verified(reviewing)
    reviewing.place(direct, f"{city}/s9", state="VERIFIED", version=2)
    reviewing.grant(of_a_county, ("SCHOOL_ADMIN", SCHOOL))
    reviewing.grant(direct, ("SCHOOL_ADMIN", f"{city}/s9"))
    with pytest.raises(NotFound, match="person_unknown"):
        reopen(reviewing, caller, of_a_county)
    # The right is there; that this city asks for no reviews is another matter.
    with pytest.raises(Conflict, match="review_unused"):
        reopen(reviewing, caller, direct)
    for place in (COUNTY, city, f"{COUNTY}/s1"):
        with pytest.raises(NotFound, match="place_unknown"):
            reviewing.call("list_profile_reviews", {"place": place}, caller)
    assert reviewing.call("list_profile_reviews", {"place": f"{city}/s9"}, caller)["items"] == []


# --- what a change of school does ---------------------------------------------------------------------------------------


def test_a_moved_teachers_review_goes_on_at_the_new_school(reviewing, admin):
    actor = verified(reviewing)
    seen = submitted(reviewing, admin, actor, name="李四")
    reviewing.place(actor, f"{COUNTY}/s2", state="VERIFIED", version=2)
    assert str(actor.account_id) not in [row["account_id"] for row in queue(reviewing, admin)]
    assert decide(reviewing, admin, "confirm_profiles", (actor, seen)) == [("REFUSED", "identity.person_unknown")]
    receiving = administrator(Role.SCHOOL_ADMIN, f"{COUNTY}/s2")
    assert decide(reviewing, receiving, "confirm_profiles", (actor, seen)) == [("DONE", "")]
    assert profile_of(reviewing, actor)["name"] == "李四"


def test_a_release_drops_the_draft_and_opens_the_profile(reviewing, admin):
    actor = verified(reviewing)
    submitted(reviewing, admin, actor, name="李四")
    reviewing.place(actor, "", state="RELEASED", version=2)
    shown = profile_of(reviewing, actor)
    assert (shown["review_state"], shown["draft"], shown["name"]) == ("EDITABLE", {}, "张三丰")
    assert reviewing.call("update_profile", {"name": "王五"}, actor)["name"] == "王五"
    waiting = queue(reviewing, administrator(Role.COUNTY_ADMIN, COUNTY))
    assert str(actor.account_id) not in [row["account_id"] for row in waiting]


# --- the queue ----------------------------------------------------------------------------------------------------------


def test_the_queue_is_masked_and_the_longest_waiting_come_first(reviewing):
    place = f"{COUNTY}/{uuid.uuid4()}"
    admin = administrator(Role.SCHOOL_ADMIN, place)
    number = new_id_no(dt.date(2000, 1, 1))
    first, second = verified(reviewing, place), verified(reviewing, place)
    submitted(reviewing, admin, second, name="李四光", id_no=number, ethnicity="汉族")
    reviewing.pass_time(days=3)
    submitted(reviewing, admin, first, subject="数学")
    rows = queue(reviewing, admin)
    assert [row["account_id"] for row in rows] == [str(second.account_id), str(first.account_id)]
    assert [row["waiting_days"] for row in rows] == [3, 0]
    assert rows[0]["changes"] == {
        "name": "李**",
        "id_no": f"{number[:4]}{'*' * 10}{number[14:]}",
        "birth_date": f"{number[6:10]}-**-**",  # as the number tells it
        "ethnicity": "**",
    }
    assert rows[1]["changes"] == {"subject": "数学"}
    assert number not in str(rows)


def test_the_queue_is_turned_page_by_page(reviewing):
    place = f"{COUNTY}/{uuid.uuid4()}"
    admin = administrator(Role.SCHOOL_ADMIN, place)
    everyone = [verified(reviewing, place) for _ in range(5)]
    for actor in everyone:
        submitted(reviewing, admin, actor)
    seen, cursor = [], None
    while True:
        page = reviewing.call("list_profile_reviews", {"limit": 2, "cursor": cursor}, admin)
        seen += [row["account_id"] for row in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert sorted(seen) == sorted(str(actor.account_id) for actor in everyone)


def test_the_county_sees_the_administrators_of_its_schools_and_asks_for_one(reviewing):
    county = f"CN/440000/440100/{uuid.uuid4().hex[:6]}"
    schools = [f"{county}/s1", f"{county}/s2"]
    review_profiles(reviewing, county)
    for place in schools:
        submitted(reviewing, administrator(Role.SCHOOL_ADMIN, place), verified(reviewing, place))
        head = verified(reviewing, place)
        submitted(reviewing, administrator(Role.SCHOOL_ADMIN, place), head)
        reviewing.grant(head, ("SCHOOL_ADMIN", place))
    admin = administrator(Role.COUNTY_ADMIN, county)
    assert len(queue(reviewing, admin)) == 2
    assert len(queue(reviewing, admin, place=schools[0])) == 1
    with pytest.raises(NotFound):
        queue(reviewing, admin, place="CN/440000/440100")
    with pytest.raises(InvalidInput):
        queue(reviewing, admin, place="../x")


def test_a_hundred_at_once_each_row_by_itself(reviewing, admin):
    good = [verified(reviewing) for _ in range(3)]
    rows = [(actor, submitted(reviewing, admin, actor, name="李四")) for actor in good]
    stranger = verified(reviewing, f"{COUNTY}/s2")
    rows.insert(1, (stranger, 1))
    outcomes = decide(reviewing, admin, "confirm_profiles", *rows)
    assert outcomes == [("DONE", ""), ("REFUSED", "identity.person_unknown"), ("DONE", ""), ("DONE", "")]
    assert {profile_of(reviewing, actor)["name"] for actor in good} == {"李四"}
    with pytest.raises(InvalidInput):
        decide(reviewing, admin, "confirm_profiles", *[(good[0], 1)] * 101)


def test_two_reviewers_at_once_decide_once(reviewing, admin, in_parallel):
    actor = verified(reviewing)
    seen = submitted(reviewing, admin, actor, name="李四")
    outcomes = in_parallel(4, lambda: decide(reviewing, admin, "confirm_profiles", (actor, seen)))
    assert sorted(outcomes) == [[("DONE", "")], *[[("REFUSED", "identity.not_submitted")]] * 3]
    assert len(reviewing.events("identity.identity_corrected", actor.account_id)) == 1


# --- reading in full ----------------------------------------------------------------------------------------------------


def test_a_reviewer_reads_the_number_in_full_with_a_fresh_code_and_a_reason(reviewing, admin):
    number = new_id_no()
    actor = verified(reviewing)
    submitted(reviewing, admin, actor, id_no=number, name="李四")
    with pytest.raises(NotAllowed, match="step_up_needed"):
        reviewing.call("reveal_profile_review", {"account_id": str(actor.account_id), "reason": "核对"}, admin)
    shown = reveal(reviewing, admin, actor)
    assert (shown["after"]["id_no"], shown["after"]["name"], shown["before"]["name"]) == (number, "李四", "张三丰")
    assert reviewing.scalar(
        "SELECT count(*) FROM audit WHERE action = 'reveal_profile_review' AND subject = :id AND reason = '核对身份证'",
        id=actor.account_id,
    )
    assert not reviewing.scalar("SELECT count(*) FROM idempotency WHERE reply::text LIKE :number", number=f"%{number}%")


def test_what_is_not_under_review_is_not_shown(reviewing, admin):
    with pytest.raises(Conflict, match="not_submitted"):
        reveal(reviewing, admin, verified(reviewing))


def test_no_audit_row_names_a_person(reviewing, admin):
    number = new_id_no()
    actor = verified(reviewing, name="司马相如")
    seen = submitted(reviewing, admin, actor, id_no=number)
    decide(reviewing, admin, "confirm_profiles", (actor, seen))
    rows = reviewing.scalar("SELECT string_agg(audit::text, ' ') FROM audit WHERE subject = :id", id=actor.account_id)
    assert number not in rows
    assert "司马" not in rows
    assert "CONFIRMED" in rows
