"""What identity tells of numbers and merges to whoever rebuilds a projection."""

import pytest

from services.shared.actor import service_actor
from tests.component.identity.person.test_merging import end, merged_pair
from tests.component.identity.stories import COUNTY

CLI = service_actor("cli")
LEARNER_NO, MERGED = "identity.learner_no_issued", "identity.persons_merged"


def told(people, event_type):
    items, after = {}, None
    while True:
        page = people.call("read_snapshot", {"type": event_type, "after": after}, CLI)["items"]
        items |= {item["key"][0]: item for item in page}
        if not page:
            return items
        after = page[-1]["key"]


def test_each_number_as_it_was_announced(people, a_teacher):
    teacher, newcomer = a_teacher(f"{COUNTY}/s1")[0], a_teacher()[0]
    items = told(people, LEARNER_NO)
    [announced] = people.events(LEARNER_NO, teacher.account_id)
    assert items[str(teacher.account_id)]["payload"] == announced
    assert str(newcomer.account_id) not in items
    digest = people.call("get_digest", {"type": LEARNER_NO}, CLI)
    assert digest == {"count": len(items), "version_sum": len(items)}


def test_each_merge_that_holds_as_it_was_announced(people, a_teacher, agents):
    kept, merged = a_teacher(f"{COUNTY}/s1"), a_teacher()
    done = merged_pair(people, agents, kept, merged)
    item = told(people, MERGED)[str(merged[0].account_id)]
    announced = [each for each in people.component.outbox(MERGED) if each["merged_id"] == str(merged[0].account_id)]
    assert [item["payload"]] == announced
    assert item["version"] == announced[0]["version"]
    end(people, agents[0], "undo_merge", done)
    assert str(merged[0].account_id) not in told(people, MERGED)


@pytest.mark.parametrize("submit", [True, False])
def test_a_rebuilt_placement_ends_no_review_that_is_under_way(people, a_teacher, submit):
    from tests.component.identity.person.test_reviews import COUNTY as REVIEWING
    from tests.component.identity.person.test_reviews import reopen, review_profiles
    from tests.component.identity.stories import administrator

    review_profiles(people, REVIEWING)
    actor, _, _ = a_teacher(f"{REVIEWING}/s1")
    reopen(people, administrator(place=f"{REVIEWING}/s1"), actor)
    people.call("update_profile", {"subject": "数学"}, actor)
    if submit:
        people.call("submit_profile", {}, actor)
    before = people.call("get_profile", {}, actor)
    people.scalar("DELETE FROM placement WHERE teacher_id = :id RETURNING 1", id=actor.account_id)
    people.place(actor, f"{REVIEWING}/s1", state="VERIFIED")
    assert people.call("get_profile", {}, actor) == before
