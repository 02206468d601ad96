"""Two accounts of one person: proposed, approved, refused, undone, settled; every refusal, and what each party sees."""

import dataclasses
import uuid

import pytest

from services.identity.person.actions.merging import settle_merges
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.identity.stories import COUNTY, PASSWORD, administrator, anonymous, new_id_no

SCHOOL = f"{COUNTY}/s1"


@pytest.fixture
def two(a_teacher):
    """The two accounts of 张三丰: one at a school, one not."""
    kept, merged = a_teacher(SCHOOL), a_teacher()
    return kept, merged


def propose(people, agent, kept, merged, **changes):
    shown = {"id_type": "RESIDENT_ID", "id_no": kept[2], "phone_of": "KEPT", "document_of": "KEPT"}
    wanted = {
        "kept_id": str(kept[0].account_id),
        "merged_id": str(merged[0].account_id),
        "proof": "ORIGINAL",
        "reason": "同一人两次注册",
        **shown,
        **changes,
    }
    return people.call("propose_merge", wanted, agent)


def approve(people, agent, merge, id_no, **changes):
    wanted = {"merge_id": merge["merge_id"], "id_type": "RESIDENT_ID", "id_no": id_no, **changes}
    return people.call("approve_merge", wanted, agent)


def end(people, agent, method, merge):
    return people.call(method, {"merge_id": merge["merge_id"], "reason": "材料不符"}, agent)


def merged_pair(people, agents, kept, merged, **changes):
    id_no = merged[2] if changes.get("document_of") == "MERGED" else kept[2]
    return approve(people, agents[1], propose(people, agents[0], kept, merged, id_no=id_no, **changes), id_no)


def sign_in_by_code(people, phone):
    return people.call("sign_in", {"phone": phone, "sms_code": people.code(phone, "SIGN_IN")}, anonymous())


def profile_of(people, person):
    return people.call("get_profile", {}, person[0])


def told(people, event_type, kept, merged):
    return [
        event
        for event in people.component.outbox(event_type)
        if (event["kept_id"], event["merged_id"]) == (str(kept[0].account_id), str(merged[0].account_id))
    ]


# --- together -----------------------------------------------------------------------------------------------------------


def test_two_of_support_make_two_accounts_one(people, agents, two):
    kept, merged = two
    merge = propose(people, agents[0], kept, merged)
    assert (merge["state"], merge["kept"]["name"]) == ("PROPOSED", "张**")
    done = approve(people, agents[1], merge, kept[2])
    assert done["state"] == "MERGED"
    [event] = told(people, "identity.persons_merged", kept, merged)
    versions = [each["version"] for each in people.events("identity.profile_changed", merged[0].account_id)]
    assert event["version"] == max(versions)
    # Of the account that went, nothing opens and nothing is found.
    assert sign_in_by_code(people, kept[1])["account"]["account_id"] == str(kept[0].account_id)
    with pytest.raises((NotAllowed, NotFound)):
        people.sign_in(merged[1])
    support = administrator(Role.SUPPORT_AGENT, "CN")
    found = people.call("search_people", {"name": "张三丰", "limit": 200}, support)["items"]
    assert str(merged[0].account_id) not in [row["account_id"] for row in found]
    assert people.call("search_people", {"id_no": merged[2]}, support)["items"] == []


def test_the_person_goes_on_with_the_phone_and_the_document_that_were_chosen(people, agents, two):
    kept, merged = two
    merged_pair(people, agents, kept, merged, phone_of="MERGED", document_of="MERGED")
    shown = profile_of(people, kept)
    assert (shown["id_no"][-4:], shown["phone"][-4:]) == (merged[2][-4:], merged[1][-4:])
    assert sign_in_by_code(people, merged[1])["account"]["account_id"] == str(kept[0].account_id)
    assert people.sign_in(merged[1], PASSWORD)["account"]["account_id"] == str(kept[0].account_id)
    # The other phone is free.
    again, _ = people.register(kept[1])
    assert again.account_id != kept[0].account_id


def test_a_number_that_is_not_chosen_is_free_and_remembered(people, agents, two, a_teacher):
    kept, merged = two
    merged_pair(people, agents, kept, merged)
    newcomer = a_teacher(id_no=merged[2])
    suspects = people.call("list_possible_duplicates", {"account_id": str(newcomer[0].account_id)}, agents[0])["items"]
    assert (str(kept[0].account_id), "FORMER_ID_NO") in [(each["account_id"], each["sign"]) for each in suspects]


def test_what_only_the_other_account_says_is_taken_over(people, agents, a_teacher):
    kept = a_teacher()
    merged = a_teacher(email="zhang@example.com", segment="KINDERGARTEN", subject="幼教")
    merged_pair(people, agents, kept, merged)
    shown = profile_of(people, kept)
    assert (shown["email"], shown["segment"], shown["subject"]) == ("zhang@example.com", "PRIMARY", "语文")


def test_every_sign_in_of_the_account_that_goes_ends(people, agents, two):
    kept, merged = two
    tokens = people.sign_in(merged[1])
    staying = people.sign_in(kept[1])
    merged_pair(people, agents, kept, merged)
    with pytest.raises(NotAllowed, match="sign_in_again"):
        people.call("refresh_session", {"refresh_token": tokens["refresh_token"]}, anonymous())
    assert people.call("refresh_session", {"refresh_token": staying["refresh_token"]}, anonymous())
    assert people.events("identity.access_revoked", merged[0].account_id)


def test_a_learner_number_goes_on_meaning_the_person(people, agents, a_teacher):
    kept, merged = a_teacher(), a_teacher(SCHOOL)
    number = profile_of(people, merged)["learner_no"]
    merged_pair(people, agents, kept, merged)
    own = profile_of(people, kept)["learner_no"]
    assert own not in ("", number)
    support = administrator(Role.SUPPORT_AGENT, "CN")
    for each in (own, number):
        [found] = people.call("search_people", {"learner_no": each}, support)["items"]
        assert found["account_id"] == str(kept[0].account_id)


def test_late_news_of_the_school_does_not_bring_the_account_back_into_lists(people, agents, two):
    kept, merged = two
    merged_pair(people, agents, kept, merged)
    people.place(merged[0], SCHOOL, state="VERIFIED", version=9)
    assert profile_of(people, merged)["learner_no"] == ""
    found = people.call("search_people", {"name": "张三丰", "limit": 200}, administrator(Role.SCHOOL_ADMIN, SCHOOL))
    assert str(merged[0].account_id) not in [row["account_id"] for row in found["items"]]


# --- refused ------------------------------------------------------------------------------------------------------------


def test_nobody_approves_what_he_proposed(people, agents, two):
    merge = propose(people, agents[0], *two)
    for act in (
        lambda: approve(people, agents[0], merge, two[0][2]),
        lambda: end(people, agents[0], "reject_merge", merge),
    ):
        with pytest.raises(NotAllowed, match="merge_two_persons"):
            act()


def test_nobody_deals_with_his_own_account(people, agents, two, elevated):
    kept, merged = two
    for side in (kept, merged):
        agent = elevated(dataclasses.replace(side[0], grants=agents[0].grants))
        with pytest.raises(NotAllowed, match="merge_two_persons"):
            propose(people, agent, kept, merged)
    merge = propose(people, agents[0], kept, merged)
    agent = elevated(dataclasses.replace(kept[0], grants=agents[0].grants))
    with pytest.raises(NotAllowed, match="merge_two_persons"):
        approve(people, agent, merge, kept[2])


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_without_the_right_document_nothing_is_proposed_or_approved(people, agents, two, number):
    with pytest.raises(Conflict, match="merge_proof"):
        propose(people, agents[0], *two, id_no=number)
    merge = propose(people, agents[0], *two)
    with pytest.raises(Conflict, match="merge_proof"):
        approve(people, agents[1], merge, number)


def test_the_number_of_the_account_that_goes_proves_nothing_when_the_other_stays(people, agents, two):
    with pytest.raises(Conflict, match="merge_proof"):
        propose(people, agents[0], *two, id_no=two[1][2])


def test_different_names_are_different_people(people, agents, a_teacher):
    with pytest.raises(Conflict, match="merge_names_differ"):
        propose(people, agents[0], a_teacher(), a_teacher(name="李四"))


def test_an_account_and_itself(people, agents, a_teacher):
    one = a_teacher()
    with pytest.raises(InvalidInput, match="merge_same"):
        propose(people, agents[0], one, one)


def test_an_office_ends_first(people, agents, two):
    people.hear(
        "on_grants_changed",
        "org.grants_changed",
        {"account_id": str(two[1][0].account_id), "version": 1, "grants": [["SCHOOL_ADMIN", SCHOOL]]},
    )
    with pytest.raises(Conflict, match="merge_holds_grants"):
        propose(people, agents[0], *two)


def test_an_office_given_after_the_proposal_stops_it(people, agents, two):
    merge = propose(people, agents[0], *two)
    people.hear(
        "on_grants_changed",
        "org.grants_changed",
        {"account_id": str(two[1][0].account_id), "version": 1, "grants": [["SCHOOL_ADMIN", SCHOOL]]},
    )
    with pytest.raises(Conflict, match="merge_holds_grants"):
        approve(people, agents[1], merge, two[0][2])


def test_there_are_no_chains(people, agents, two, a_teacher):
    kept, merged = two
    merged_pair(people, agents, kept, merged)
    third = a_teacher()
    with pytest.raises(Conflict, match="merge_chain"):
        propose(people, agents[0], third, kept)
    with pytest.raises(Conflict, match="merge_not_living"):
        propose(people, agents[0], third, merged)
    merged_pair(people, agents, kept, third)
    assert told(people, "identity.persons_merged", kept, third)


def test_two_proposals_about_one_account_are_one_too_many(people, agents, two, a_teacher):
    kept, merged = two
    propose(people, agents[0], kept, merged)
    third = a_teacher()
    for pair in ((kept, third), (third, merged), (merged, kept)):
        with pytest.raises(Conflict, match="merge_open"):
            propose(people, agents[1], *pair)


@pytest.mark.parametrize("method", ["approve_merge", "reject_merge", "withdraw_merge"])
@pytest.mark.parametrize("ending", ["approve", "reject_merge", "withdraw_merge"])
def test_what_is_decided_is_decided(people, agents, two, method, ending):
    merge = propose(people, agents[0], *two)
    if ending == "approve":
        approve(people, agents[1], merge, two[0][2])
    else:
        end(people, agents[0 if ending == "withdraw_merge" else 1], ending, merge)
    agent = agents[0 if method == "withdraw_merge" else 1]
    again = approve if method == "approve_merge" else lambda *words: end(*words[:2], method, words[2])
    with pytest.raises(Conflict, match="merge_decided"):
        again(people, agent, merge, two[0][2])


def test_only_the_proposer_withdraws(people, agents, two):
    merge = propose(people, agents[0], *two)
    with pytest.raises(NotFound, match="merge_unknown"):
        end(people, agents[1], "withdraw_merge", merge)
    assert end(people, agents[0], "withdraw_merge", merge)["state"] == "WITHDRAWN"


def test_a_refused_proposal_changes_nobody(people, agents, two):
    before = [profile_of(people, each) for each in two]
    merge = propose(people, agents[0], *two)
    assert end(people, agents[1], "reject_merge", merge)["state"] == "REJECTED"
    assert [profile_of(people, each) for each in two] == before
    propose(people, agents[0], *two)


@pytest.mark.parametrize("method", ["get_merge", "approve_merge", "reject_merge", "withdraw_merge", "undo_merge"])
def test_what_does_not_exist_is_unknown(people, agents, method):
    arguments = {"merge_id": str(new_id())}
    if method == "approve_merge":
        arguments |= {"id_type": "RESIDENT_ID", "id_no": "11010519491231002X"}
    elif method != "get_merge":
        arguments["reason"] = "x"
    with pytest.raises(NotFound, match="merge_unknown"):
        people.call(method, arguments, agents[0])


def test_unknown_accounts_are_not_found(people, agents, a_teacher):
    one = a_teacher()
    nobody = (dataclasses.replace(one[0], account_id=uuid.uuid4()), "", new_id_no())
    with pytest.raises(NotFound, match="person_unknown"):
        propose(people, agents[0], one, nobody)


@pytest.mark.parametrize("role", [Role.SCHOOL_ADMIN, Role.COUNTY_ADMIN, Role.PROVINCE_ADMIN, Role.AUDITOR])
def test_only_support_and_the_nation_merge(people, two, elevated, role):
    agent = elevated(administrator(role, "CN"))
    with pytest.raises(NotAllowed):
        propose(people, agent, *two)
    for method in ("list_merges", "list_possible_duplicates"):
        with pytest.raises(NotAllowed):
            people.call(method, {"account_id": str(two[0][0].account_id)} if "dupl" in method else {}, agent)


@pytest.mark.parametrize("method", ["propose_merge", "approve_merge", "undo_merge", "show_identity_history"])
def test_what_decides_needs_a_fresh_code(people, method):
    with pytest.raises(NotAllowed, match="step_up_needed"):
        people.call(method, {}, administrator(Role.SUPPORT_AGENT, "CN"))


def test_an_agent_of_one_province_reaches_no_further(people, agents, two, elevated):
    agent = elevated(administrator(Role.SUPPORT_AGENT, "CN/450000"))
    with pytest.raises(NotFound, match="person_unknown"):
        propose(people, agent, *two)


def test_approved_twice_at_once_happens_once(people, agents, two, in_parallel):
    merge = propose(people, agents[0], *two)
    outcomes = in_parallel(4, lambda: approve(people, agents[1], merge, two[0][2]))
    done = [each for each in outcomes if isinstance(each, dict)]
    assert len(done) == 1
    assert {each.code for each in outcomes if not isinstance(each, dict)} == {"identity.merge_decided"}
    assert len(told(people, "identity.persons_merged", *two)) == 1


# --- apart again --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phone_of", ["KEPT", "MERGED"])
@pytest.mark.parametrize("document_of", ["KEPT", "MERGED"])
def test_undone_both_are_as_before(people, agents, a_teacher, phone_of, document_of):
    kept, merged = a_teacher(SCHOOL), a_teacher(f"{COUNTY}/s2", email="b@example.com")
    before = [profile_of(people, each) for each in (kept, merged)]
    done = merged_pair(people, agents, kept, merged, phone_of=phone_of, document_of=document_of)
    undone = end(people, agents[0], "undo_merge", done)
    assert undone["state"] == "UNDONE"
    assert [profile_of(people, each) for each in (kept, merged)] == before
    for person in (kept, merged):
        assert sign_in_by_code(people, person[1])["account"]["account_id"] == str(person[0].account_id)
    [together], [apart] = (
        told(people, kind, kept, merged) for kind in ("identity.persons_merged", "identity.merge_undone")
    )
    assert apart["version"] > together["version"]
    found = people.call("search_people", {"name": "张三丰"}, administrator(Role.SCHOOL_ADMIN, f"{COUNTY}/s2"))
    assert str(merged[0].account_id) in [row["account_id"] for row in found["items"]]
    for person in (kept, merged):
        history = people.call(
            "show_identity_history", {"account_id": str(person[0].account_id), "reason": "核对"}, agents[0]
        )
        assert history["items"] == []


def test_undone_it_may_be_merged_again(people, agents, two):
    kept, merged = two
    end(people, agents[0], "undo_merge", merged_pair(people, agents, kept, merged))
    merged_pair(people, agents, kept, merged)
    versions = [event["version"] for event in told(people, "identity.persons_merged", kept, merged)]
    assert len(set(versions)) == 2


def test_what_the_person_changed_since_stays(people, agents, two):
    kept, merged = two
    done = merged_pair(people, agents, kept, merged)
    people.call("update_profile", {"email": "new@example.com"}, kept[0])
    end(people, agents[0], "undo_merge", done)
    assert profile_of(people, kept)["email"] == "new@example.com"


def test_a_phone_that_somebody_else_has_by_now_stops_the_undoing(people, agents, two):
    kept, merged = two
    done = merged_pair(people, agents, kept, merged)
    people.register(merged[1])
    with pytest.raises(Conflict, match="merge_undo_taken") as caught:
        end(people, agents[0], "undo_merge", done)
    assert caught.value.field == "phone"


def test_a_number_that_somebody_else_has_by_now_stops_the_undoing(people, agents, two, a_teacher):
    kept, merged = two
    done = merged_pair(people, agents, kept, merged)
    a_teacher(id_no=merged[2])
    with pytest.raises(Conflict, match="merge_undo_taken") as caught:
        end(people, agents[0], "undo_merge", done)
    assert caught.value.field == "id_no"


def test_after_thirty_days_it_is_for_good(people, agents, two):
    kept, merged = two
    done = merged_pair(people, agents, kept, merged)
    people.pass_time(days=30)
    agents = [dataclasses.replace(agent, elevated_until=people.clock.instant.replace(year=2030)) for agent in agents]
    with pytest.raises(Conflict, match="merge_undo_over"):
        end(people, agents[0], "undo_merge", done)
    with people.database.work() as db:
        settle_merges(db, people.clock.instant)
    assert people.call("get_merge", {"merge_id": done["merge_id"]}, agents[0])["state"] == "SETTLED"
    for left in (
        "SELECT count(*) FROM person_merge WHERE undo_sealed IS NOT NULL AND id = :merge",
        "SELECT num_nonnulls(name_sealed, id_no_sealed, name_index) FROM profile WHERE account_id = :merged",
    ):
        assert people.scalar(left, merge=done["merge_id"], merged=merged[0].account_id) == 0
    with pytest.raises(Conflict, match="merge_undo_over"):
        end(people, agents[0], "undo_merge", done)


def test_before_that_nothing_is_settled(people, agents, two):
    done = merged_pair(people, agents, *two)
    people.pass_time(days=29)
    with people.database.work() as db:
        settle_merges(db, people.clock.instant)
    assert people.call("get_merge", {"merge_id": done["merge_id"]}, agents[0])["state"] == "MERGED"


@pytest.mark.parametrize("state", ["PROPOSED", "REJECTED", "WITHDRAWN", "UNDONE"])
def test_what_was_not_merged_is_not_undone(people, agents, two, state):
    merge = propose(people, agents[0], *two)
    if state == "UNDONE":
        approve(people, agents[1], merge, two[0][2])
        end(people, agents[0], "undo_merge", merge)
    elif state != "PROPOSED":
        end(
            people,
            agents[0 if state == "WITHDRAWN" else 1],
            {"REJECTED": "reject_merge", "WITHDRAWN": "withdraw_merge"}[state],
            merge,
        )
    with pytest.raises(Conflict, match="merge_undo_over"):
        end(people, agents[0], "undo_merge", merge)


# --- lists, history, traces ---------------------------------------------------------------------------------------------


def test_proposals_are_listed_newest_first_page_by_page(people, agents, a_teacher):
    made = [propose(people, agents[0], a_teacher(), a_teacher())["merge_id"] for _ in range(3)]
    page = people.call("list_merges", {"limit": 2}, agents[1])
    assert [each["merge_id"] for each in page["items"]] == made[:0:-1]
    rest = people.call("list_merges", {"limit": 2, "cursor": page["next_cursor"]}, agents[1])
    assert rest["items"][0]["merge_id"] == made[0]


def test_former_values_are_shown_to_support_masked_and_recorded(people, agents, a_teacher):
    actor, _, first = a_teacher(name="张三丰")
    people.call("update_profile", {"name": "李四光", "id_no": new_id_no()}, actor)
    shown = people.call("show_identity_history", {"account_id": str(actor.account_id), "reason": "核对"}, agents[0])
    values = {item["field"]: item["value"] for item in shown["items"]}
    assert values == {"name": "张**", "id_no": f"{first[:4]}{'*' * 10}{first[14:]}"}
    assert people.scalar(
        "SELECT count(*) FROM audit WHERE action = 'show_identity_history' AND subject = :id", id=actor.account_id
    )


def test_namesakes_born_on_one_day_are_suspects(people, agents, a_teacher):
    one = a_teacher(name="东方不败")
    twin = a_teacher(name="东方不败", id_type="PASSPORT", id_no=f"E{new_id().int % 10**8:08d}")
    born_on = profile_of(people, one)["birth_date"]
    people.call("update_profile", {"birth_date": born_on}, twin[0])
    [found] = people.call("list_possible_duplicates", {"account_id": str(one[0].account_id)}, agents[0])["items"]
    assert (found["account_id"], found["sign"]) == (str(twin[0].account_id), "NAME_AND_BIRTH_DATE")
    with pytest.raises(NotFound, match="person_unknown"):
        people.call("list_possible_duplicates", {"account_id": str(new_id())}, agents[0])


def test_nothing_of_a_merge_names_a_person_in_clear(people, agents, two):
    kept, merged = two
    merged_pair(people, agents, kept, merged, phone_of="MERGED", document_of="MERGED")
    for table in ("person_merge", "audit", "outbox", "idempotency"):
        text = people.scalar(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t")
        for secret in (kept[1], merged[1], kept[2], merged[2]):
            assert secret not in text


# --- the way out for who is refused -------------------------------------------------------------------------------------


def ask(people, actor, id_no, name="张三丰"):
    return people.call("ask_for_own_account", {"name": name, "id_no": id_no}, actor)


def test_who_knows_name_and_number_is_told_which_phone(people, a_teacher):
    owner = a_teacher()
    newcomer, _ = people.register()
    assert ask(people, newcomer, owner[2]) == {"found": True, "phone": f"{owner[1][:3]}****{owner[1][-4:]}"}
    assert ask(people, newcomer, owner[2], name="李四") == {"found": False, "phone": ""}
    assert ask(people, newcomer, new_id_no()) == {"found": False, "phone": ""}
    assert ask(people, owner[0], owner[2]) == {"found": False, "phone": ""}


def test_who_asks_too_often_is_stopped(people, a_teacher):
    from services.shared.errors import LimitReached

    newcomer, _ = people.register()
    for _ in range(10):
        ask(people, newcomer, new_id_no())
    with pytest.raises(LimitReached, match="id_no_attempts"):
        ask(people, newcomer, new_id_no())
