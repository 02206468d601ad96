"""Profiles: checked, locked by verification, unique by ID number; identities switched; grants projected."""

import datetime as dt

import pytest

from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.identity.stories import COUNTY, anonymous, new_id_no


def test_a_profile_is_filled_in_step_by_step_and_each_change_is_announced(people):
    actor, phone = people.register()
    assert not people.call("get_profile", {}, actor)["complete"]
    people.call("update_profile", {"name": "张三丰"}, actor)
    id_no = new_id_no()
    shown = people.call(
        "update_profile", {"id_type": "RESIDENT_ID", "id_no": id_no, "segment": "PRIMARY", "subject": "语文"}, actor
    )
    assert shown == {
        "account_id": str(actor.account_id),
        "learner_no": "",
        "name": "张三丰",
        "id_type": "RESIDENT_ID",
        "id_no": f"{id_no[:4]}{'*' * 10}{id_no[14:]}",
        "phone": f"{phone[:3]}****{phone[-4:]}",
        "gender": "1" if int(id_no[16]) % 2 else "2",
        "segment": "PRIMARY",
        "subject": "语文",
        "birth_date": f"{id_no[6:10]}-{id_no[10:12]}-{id_no[12:14]}",
        "ethnicity": "",
        "title": "",
        "post_category": "",
        "employed_since": "",
        "on_probation": False,
        "email": "",
        "email_confirmed": False,
        "address": "",
        "nickname": "",
        "complete": True,
        "locked_fields": [],
        "membership_state": "",
        "review_state": "EDITABLE",
        "return_reason": "",
        "draft": {},
    }
    assert people.events("identity.profile_changed", actor.account_id) == [
        {
            "account_id": str(actor.account_id),
            "version": 2,
            "complete": False,
            "named": True,
            "segment": "",
            "subject": "",
        },
        {
            "account_id": str(actor.account_id),
            "version": 3,
            "complete": True,
            "named": True,
            "segment": "PRIMARY",
            "subject": "语文",
        },
    ]


def test_repeating_the_same_values_changes_and_announces_nothing(people):
    actor, _ = people.register()
    id_no = new_id_no()
    first = people.fill_profile(actor, id_no=id_no)
    assert people.fill_profile(actor, id_no=f" {id_no.lower()} ") == first
    assert len(people.events("identity.profile_changed", actor.account_id)) == 1


def test_a_lower_case_x_is_the_same_number(people):
    first, _ = people.register()
    second, _ = people.register()
    id_no = next(number for number in iter(new_id_no, None) if number.endswith("X"))
    people.fill_profile(first, id_no=id_no.lower())
    with pytest.raises(Conflict, match="id_no_taken"):
        people.fill_profile(second, id_no=id_no)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"id_no": "440524188001010015"}, "identity.id_no_check_digit", "id_no"),
        ({"id_no": "440524880101001"}, "identity.id_no_fifteen_digits", "id_no"),
        ({"id_type": "PASSPORT", "id_no": "?"}, "identity.id_no_form", "id_no"),
        ({"id_type": "PASSPORT"}, "identity.id_type_missing", "id_no"),
        ({"name": "张3"}, "identity.name_form", "name"),
        ({"name": "张\u202e三"}, "shared.invalid", "name"),
        ({"name": None}, "shared.invalid", "name"),
        ({"segment": "大学"}, "identity.segment_unknown", "segment"),
        ({"segment": "KINDERGARTEN", "subject": "语文"}, "identity.subject_kindergarten", "subject"),
        ({"subject": "=SUM(A1)"}, "identity.subject_form", "subject"),
        ({"gender": 1}, "shared.invalid", "gender"),
        ({"birth_date": "2023-01-11"}, "identity.birth_date_form", "birth_date"),
        ({"id_no": "11010519491231002X", "birth_date": "1949-12-30"}, "identity.birth_date_differs", "birth_date"),
        ({"ethnicity": "火星"}, "identity.ethnicity_unknown", "ethnicity"),
        ({"title": "教授"}, "shared.invalid", "title"),
        ({"post_category": "BOSS"}, "shared.invalid", "post_category"),
        ({"employed_since": "2024-01-01"}, "identity.employed_since_form", "employed_since"),
        ({"email": "zhang"}, "identity.email_form", "email"),
        ({"address": "x" * 201}, "shared.invalid", "address"),
        ({"nickname": "a\u0000b"}, "shared.invalid", "nickname"),
        ({"learner_no": "1000000000007"}, "shared.invalid", "learner_no"),
        ({"review_state": "CONFIRMED"}, "shared.invalid", "review_state"),
        ({"phone": "13800138000"}, "shared.invalid", "phone"),
        ({"complete": True}, "shared.invalid", "complete"),
    ],
)
def test_bad_values_name_the_field_and_change_nothing(people, changes, code, field):
    actor, _ = people.register()
    before = people.call("get_profile", {}, actor)
    with pytest.raises(InvalidInput) as caught:
        people.call("update_profile", {"subject": "数学", **changes}, actor)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert people.call("get_profile", {}, actor) == before


@pytest.mark.parametrize("id_no", ["110105" + "0" * 12, "9" * 18, "\ud83d" * 18, "1" * 30, "'; DROP TABLE account; --"])
def test_nonsense_numbers_are_refused_never_a_defect(people, id_no):
    actor, _ = people.register()
    with pytest.raises(InvalidInput):
        people.fill_profile(actor, id_no=id_no)


def test_a_child_born_tomorrow_in_beijing_is_not_yet_born(people):
    actor, _ = people.register()
    # 23:30 UTC of the 10th is already the 11th in Beijing.
    people.clock.instant = dt.datetime(2023, 1, 10, 23, 30, tzinfo=dt.UTC)
    people.fill_profile(actor, id_no=new_id_no_of(dt.date(2023, 1, 11)))
    with pytest.raises(InvalidInput, match="birth_date"):
        people.fill_profile(actor, id_no=new_id_no_of(dt.date(2023, 1, 12)))


def new_id_no_of(day):
    from services.identity.rules.documents import check_character

    first = f"650102{day:%Y%m%d}{new_id().int % 1000:03d}"
    return first + check_character(first)


def test_the_further_fields_come_back_and_can_be_emptied(people):
    actor, _ = people.register()
    people.fill_profile(actor)
    given = {
        "ethnicity": "05",
        "title": "FIRST_GRADE",
        "post_category": "TEACHER",
        "employed_since": "2022-09-01",
        "email": "zhang@example.com",
        "address": "广州市天河区体育西路 1 号",
        "nickname": "三丰",
    }
    shown = people.call("update_profile", {**given, "ethnicity": "维吾尔族"}, actor)
    assert {field: shown[field] for field in given} == given
    assert shown["on_probation"]
    shown = people.call("update_profile", dict.fromkeys(given, ""), actor)
    assert {shown[field] for field in given} == {""}
    assert not shown["on_probation"]


@pytest.mark.parametrize("name", ["阿依古丽·买买提", "𠮷野家", "𱍐𰻝", "Anne-Marie O'Neil"])
def test_names_come_back_character_by_character(people, name):
    actor, _ = people.register()
    assert people.fill_profile(actor, name=name)["name"] == name


# --- one number, one person ------------------------------------------------------------------------------------------


def test_a_number_that_belongs_to_somebody_is_refused_with_the_way_out(people):
    first, _ = people.register()
    second, _ = people.register()
    id_no = new_id_no()
    people.fill_profile(first, id_no=id_no)
    with pytest.raises(Conflict) as caught:
        people.fill_profile(second, id_no=id_no, name="李四")
    assert (caught.value.code, caught.value.field) == ("identity.id_no_taken", "id_no")
    assert people.call("get_profile", {}, second)["name"] == ""


def test_who_tries_many_numbers_is_stopped_until_tomorrow(people):
    owner, _ = people.register()
    id_no = new_id_no()
    people.fill_profile(owner, id_no=id_no)
    searcher, _ = people.register()
    for _ in range(10):
        with pytest.raises(Conflict, match="id_no_taken"):
            people.fill_profile(searcher, id_no=id_no)
    with pytest.raises(LimitReached, match="id_no_attempts"):
        people.fill_profile(searcher)
    people.pass_time(days=1)
    assert people.fill_profile(searcher)["complete"]


def test_two_people_claiming_one_number_at_once_get_it_once(people, in_parallel):
    actors = [people.register()[0] for _ in range(4)]
    id_no, each = new_id_no(), iter(actors)
    outcomes = in_parallel(4, lambda: people.fill_profile(next(each), id_no=id_no))
    assert sorted(getattr(outcome, "code", "ok") for outcome in outcomes) == [*["identity.id_no_taken"] * 3, "ok"]


def test_a_passport_and_a_resident_number_are_different_things(people):
    first, _ = people.register()
    second, _ = people.register()
    number = new_id_no()
    people.fill_profile(first, id_type="RESIDENT_ID", id_no=number)
    assert people.fill_profile(second, id_type="PASSPORT", id_no=number)["complete"]


# --- what verification locks -----------------------------------------------------------------------------------------


def test_after_verification_name_and_number_stay_and_the_rest_may_change(people):
    actor, _ = people.register()
    shown = people.fill_profile(actor)
    people.place(actor, state="VERIFIED")
    for changes in ({"name": "李四"}, {"id_no": new_id_no()}, {"id_type": "PASSPORT", "id_no": "E12345678"}):
        with pytest.raises(Conflict, match="profile_locked"):
            people.call("update_profile", changes, actor)
    after = people.call("update_profile", {"name": "张三丰", "segment": "MIDDLE", "subject": "数学"}, actor)
    assert (after["name"], after["id_no"], after["subject"]) == (shown["name"], shown["id_no"], "数学")
    assert after["locked_fields"] == ["name", "id_type", "id_no"]


def test_after_release_they_may_be_edited_again_and_the_old_values_are_kept_sealed(people):
    actor, _ = people.register()
    people.fill_profile(actor)
    people.place(actor, state="VERIFIED", version=1)
    people.place(actor, state="RELEASED", place="", version=2)
    assert people.call("update_profile", {"name": "李四"}, actor)["name"] == "李四"
    kept = people.scalar("SELECT value_sealed FROM profile_history WHERE account_id = :id", id=actor.account_id)
    history_id = people.scalar("SELECT id FROM profile_history WHERE account_id = :id", id=actor.account_id)
    assert people.service.vault.open("profile_history", history_id, "name", kept) == "张三丰"


def test_a_late_event_of_the_past_does_not_unlock(people):
    actor, _ = people.register()
    people.fill_profile(actor)
    people.place(actor, state="VERIFIED", version=2)
    people.place(actor, state="PENDING", version=1)
    with pytest.raises(Conflict, match="profile_locked"):
        people.call("update_profile", {"name": "李四"}, actor)


def test_leaving_kindergarten_drops_its_subject(people):
    actor, _ = people.register()
    assert people.fill_profile(actor, segment="KINDERGARTEN", subject="幼教")["complete"]
    assert not people.call("update_profile", {"segment": "PRIMARY"}, actor)["complete"]
    assert people.call("update_profile", {"segment": "KINDERGARTEN"}, actor)["subject"] == "幼教"


# --- identities and grants -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", ["STUDENT", "GUARDIAN"])
def test_a_student_or_guardian_becomes_a_teacher_and_may_go_back(people, identity):
    actor, _ = people.register(identity=identity)
    reply = people.call("switch_identity", {"identity": "TEACHER"}, actor)
    assert reply["account"]["active_identity"] == "TEACHER"
    assert sorted(reply["account"]["identities"]) == sorted([identity, "TEACHER"])
    assert reply["access_token"]
    assert len(people.events("identity.access_revoked", actor.account_id)) == 1
    assert people.call("switch_identity", {"identity": identity}, actor)["account"]["active_identity"] == identity


def test_a_teacher_does_not_become_a_student_by_asking(people):
    actor, _ = people.register()
    with pytest.raises(Conflict, match="identity_not_held"):
        people.call("switch_identity", {"identity": "STUDENT"}, actor)


def test_switching_to_what_one_is_revokes_nothing(people):
    actor, _ = people.register()
    people.call("switch_identity", {"identity": "TEACHER"}, actor)
    assert people.events("identity.access_revoked", actor.account_id) == []


def grants(people, actor, version, *granted, event_id=None):
    people.hear(
        "on_grants_changed",
        "org.grants_changed",
        {"account_id": str(actor.account_id), "version": version, "grants": [list(grant) for grant in granted]},
        event_id,
    )


def test_the_newest_list_of_grants_wins_whatever_the_order(people):
    actor, _ = people.register()
    grants(people, actor, 2, ("COUNTY_ADMIN", COUNTY))
    grants(people, actor, 1, ("SCHOOL_ADMIN", f"{COUNTY}/s1"))
    assert people.call("get_account", {}, actor)["grants"] == [{"role": "COUNTY_ADMIN", "place": COUNTY}]
    grants(people, actor, 3)
    assert people.call("get_account", {}, actor)["grants"] == []


def test_versions_that_arrive_at_once_leave_the_newest(people, in_parallel):
    actor, _ = people.register()
    versions = iter((3, 1, 2))
    outcomes = in_parallel(
        3, lambda: grants(people, actor, (version := next(versions)), ("COUNTY_ADMIN", f"CN/44000{version}"))
    )
    assert outcomes == [None] * 3
    assert people.call("get_account", {}, actor)["grants"] == [{"role": "COUNTY_ADMIN", "place": "CN/440003"}]


def test_a_redelivered_event_revokes_once(people):
    actor, _ = people.register()
    event_id = new_id()
    for _ in range(3):
        grants(people, actor, 1, ("COUNTY_ADMIN", COUNTY), event_id=event_id)
    assert len(people.events("identity.access_revoked", actor.account_id)) == 1


def test_grants_of_an_account_we_have_not_heard_of_wait_for_it(people):
    actor, _ = people.register()
    stranger = people.actor({"account_id": str(new_id()), "active_identity": "TEACHER"})
    grants(people, stranger, 1, ("COUNTY_ADMIN", COUNTY))
    assert people.events("identity.access_revoked", stranger.account_id) == []
    assert people.call("get_account", {}, actor)["grants"] == []


# --- other services --------------------------------------------------------------------------------------------------


def test_learning_learns_only_whether_the_profile_suffices(people, learning):
    actor, _ = people.register()
    asked = {"account_id": str(actor.account_id)}
    assert people.call("check_enrolment_facts", asked, learning)["complete"] is False
    people.fill_profile(actor)
    assert people.call("check_enrolment_facts", asked, learning) == {
        "account_id": str(actor.account_id),
        "complete": True,
        "identity": "TEACHER",
        "segment": "PRIMARY",
        "subject": "语文",
    }
    with pytest.raises(NotFound, match="person_unknown"):
        people.call("check_enrolment_facts", {"account_id": str(new_id())}, learning)


def test_names_in_clear_go_to_certs_only(people, a_service):
    actor, _ = people.register()
    people.fill_profile(actor)
    asked = {"account_ids": [str(actor.account_id), str(new_id())]}
    holders = people.call("get_holders", asked, a_service("certs"))["items"]
    assert [(holder["name"], holder["masked_name"]) for holder in holders] == [("张三丰", "张**")]
    for caller in (a_service("learning"), a_service("gateway"), actor, anonymous()):
        with pytest.raises(NotAllowed):
            people.call("get_holders", asked, caller)
