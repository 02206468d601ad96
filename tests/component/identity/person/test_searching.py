"""People found in one's own territory, and nobody else's."""

import uuid

import pytest

from services.shared.actor import Role
from services.shared.errors import InvalidInput, NotAllowed, NotFound
from tests.component.identity.stories import COUNTY, administrator

SCHOOL = f"{COUNTY}/s1"


def search(people, admin, **wanted):
    return people.call("search_people", wanted, admin)["items"]


def ids(rows):
    return [row["account_id"] for row in rows]


@pytest.fixture
def admin():
    return administrator(Role.SCHOOL_ADMIN, SCHOOL)


def test_by_phone_id_number_learner_number_and_name(people, a_teacher, admin):
    name = f"欧阳{chr(0x4E00 + uuid.uuid4().int % 20000)}"
    actor, phone, id_no = a_teacher(SCHOOL, name=name)
    number = people.call("get_profile", {}, actor)["learner_no"]
    for wanted in (
        {"phone": f"+86 {phone}"},
        {"id_no": id_no.lower()},
        {"learner_no": f"{number[:4]} {number[4:]}"},
        {"name": f" {name}"},
    ):
        [found] = search(people, admin, **wanted)
        assert found["account_id"] == str(actor.account_id)
        assert found["name"] == f"欧{'*' * 2}"
        assert (found["learner_no"], found["membership_state"], found["school_name"]) == (
            number,
            "VERIFIED",
            "实验小学",
        )
        assert phone not in str(found)
        assert id_no not in str(found)


def test_a_passport_is_looked_for_as_one(people, a_teacher, admin):
    number = f"E{uuid.uuid4().int % 10**8:08d}"
    actor, _, _ = a_teacher(SCHOOL, id_type="PASSPORT", id_no=number)
    assert ids(search(people, admin, id_type="PASSPORT", id_no=number)) == [str(actor.account_id)]
    assert search(people, admin, id_no=number) == []


def test_a_name_is_found_without_its_dot_and_in_any_case(people, a_teacher, admin):
    given = uuid.uuid4().hex.translate(str.maketrans("0123456789", "ghijklmnop"))[:12].title()
    actor, _, _ = a_teacher(SCHOOL, name=f"Ali·{given}")
    assert ids(search(people, admin, name=f"ALI{given.upper()}")) == [str(actor.account_id)]


def test_part_of_a_name_finds_nobody(people, a_teacher, admin):
    a_teacher(SCHOOL, name="司马相如")
    assert search(people, admin, name="司马") == []


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s2"),
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s"),
        (Role.COUNTY_ADMIN, "CN/440000/440100/440104"),
        (Role.PROVINCE_ADMIN, "CN/450000"),
    ],
)
def test_others_people_are_not_there(people, a_teacher, role, place):
    actor, phone, id_no = a_teacher(SCHOOL)
    number = people.call("get_profile", {}, actor)["learner_no"]
    stranger = administrator(role, place)
    for wanted in ({"phone": phone}, {"id_no": id_no}, {"learner_no": number}, {"name": "张三丰"}):
        assert str(actor.account_id) not in ids(search(people, stranger, **wanted))


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.COUNTY_ADMIN, COUNTY),
        (Role.CITY_ADMIN, "CN/440000/440100"),
        (Role.PROVINCE_ADMIN, "CN/440000"),
        (Role.DISTRICT_INSTITUTION, COUNTY),
        (Role.CITY_CENTRE, "CN/440000/440100"),
        (Role.NATIONAL_OPERATOR, "CN"),
        (Role.SUPPORT_AGENT, "CN"),
    ],
)
def test_everybody_above_finds_them(people, a_teacher, role, place):
    actor, phone, _ = a_teacher(SCHOOL)
    assert ids(search(people, administrator(role, place), phone=phone)) == [str(actor.account_id)]


def test_who_is_at_no_school_is_found_by_the_nation_only(people, a_teacher):
    actor, phone, _ = a_teacher()
    assert ids(search(people, administrator(Role.SUPPORT_AGENT, "CN"), phone=phone)) == [str(actor.account_id)]
    assert search(people, administrator(Role.PROVINCE_ADMIN, "CN/440000"), phone=phone) == []
    people.place(actor, "", state="RELEASED", version=3)
    assert search(people, administrator(Role.PROVINCE_ADMIN, "CN/440000"), phone=phone) == []


def test_a_moved_teacher_is_found_where_she_is_now(people, a_teacher, admin):
    actor, phone, _ = a_teacher(SCHOOL)
    people.place(actor, f"{COUNTY}/s2", state="VERIFIED", version=2)
    for wanted in ({"phone": phone}, {"name": "张三丰"}):
        assert str(actor.account_id) not in ids(search(people, admin, **wanted))
    assert ids(search(people, administrator(Role.SCHOOL_ADMIN, f"{COUNTY}/s2"), phone=phone)) == [str(actor.account_id)]


def test_a_new_name_is_found_and_the_old_one_is_not(people, a_teacher, admin):
    first, second = (f"上官{chr(0x4E00 + uuid.uuid4().int % 20000)}" for _ in range(2))
    actor, _, _ = a_teacher(name=first)
    people.place(actor, SCHOOL)
    people.call("update_profile", {"name": second}, actor)
    assert search(people, admin, name=first) == []
    assert ids(search(people, admin, name=second)) == [str(actor.account_id)]


def test_namesakes_are_turned_page_by_page(people, a_teacher):
    county = f"CN/440000/440100/{uuid.uuid4().hex[:6]}"
    everyone = [a_teacher(f"{county}/s{number % 2}")[0] for number in range(5)]
    admin = administrator(Role.COUNTY_ADMIN, county)
    seen, cursor = [], None
    while True:
        page = people.call("search_people", {"name": "张三丰", "limit": 2, "cursor": cursor}, admin)
        seen += ids(page["items"])
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == 5
    assert set(seen) == {str(actor.account_id) for actor in everyone}
    assert len(search(people, admin, name="张三丰", place=f"{county}/s1")) == 2
    with pytest.raises(NotFound, match="place_unknown"):
        search(people, admin, name="张三丰", place=COUNTY)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({}, "identity.one_search"),
        ({"name": "张三", "phone": "13800138000"}, "identity.one_search"),
        ({"phone": "1"}, "identity.phone_form"),
        ({"learner_no": "1234567890123"}, "identity.learner_no_form"),
        ({"name": "··"}, "identity.name_form"),
        ({"name": "张\u0000"}, "shared.invalid"),
        ({"name": "张三", "limit": 201}, "shared.invalid"),
        ({"name": "张三", "place": "CN/%"}, "shared.invalid"),
        ({"name": "张三", "cursor": {"place": "x"}}, "shared.invalid"),
        ({"id_no": "x", "id_type": "CARD"}, "shared.invalid"),
    ],
)
def test_bad_questions_are_refused(people, admin, wanted, code):
    with pytest.raises(InvalidInput) as caught:
        search(people, admin, **wanted)
    assert caught.value.code == code


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.AUDITOR])
def test_other_roles_do_not_search(people, a_teacher, role):
    _, phone, _ = a_teacher(SCHOOL)
    with pytest.raises(NotAllowed):
        search(people, administrator(role, "CN"), phone=phone)
