"""What the person is told by SMS: reviews, merges, the wish to be erased."""

import pytest

from services.shared.actor import Role
from services.shared.ids import new_id
from tests.component.identity.person.test_erasing import request
from tests.component.identity.person.test_merging import merged_pair
from tests.component.identity.person.test_reviews import COUNTY, decide, review_profiles, submitted
from tests.component.identity.stories import administrator, anonymous


def texts(people, phone):
    people.service.send_notices(people.clock.instant)
    items = people.call("list_development_messages", {"phone": phone, "limit": 100}, anonymous())["items"]
    return [item["text"] for item in items if "验证码" not in item["text"]]


@pytest.fixture
def school(people):
    review_profiles(people, COUNTY)
    return f"{COUNTY}/{new_id()}"


def test_reopened_returned_confirmed(people, a_teacher, school):
    admin = administrator(Role.SCHOOL_ADMIN, school)
    actor, phone, _ = a_teacher(school)
    seen = submitted(people, admin, actor, name="李四")
    decide(people, admin, "return_profiles", (actor, seen), reason="李四与证件不符")
    people.call("submit_profile", {}, actor)
    decide(people, admin, "confirm_profiles", (actor, seen + 1))
    told = texts(people, phone)
    for words in ("重新开放", "退回", "审核通过您更新"):
        assert sum(words in text for text in told) == 1, told
    assert not any("李四" in text for text in told)


def test_a_refused_decision_tells_nobody(people, a_teacher, school):
    admin = administrator(Role.SCHOOL_ADMIN, school)
    actor, phone, _ = a_teacher(school)
    seen = submitted(people, admin, actor)
    before = texts(people, phone)
    decide(people, admin, "confirm_profiles", (actor, seen + 1))
    assert texts(people, phone) == before


def test_both_phones_are_told_of_a_merge(people, a_teacher, agents):
    kept, merged = a_teacher(), a_teacher()
    merged_pair(people, agents, kept, merged, phone_of="MERGED")
    for person in (kept, merged):
        assert sum("合并为一个" in text for text in texts(people, person[1])) == 1


def test_who_asks_to_be_erased_is_told_the_day(people, a_teacher):
    actor, phone, _ = a_teacher()
    request(people, actor, phone)
    [told] = [text for text in texts(people, phone) if "注销" in text]
    assert "2023-01-25" in told
