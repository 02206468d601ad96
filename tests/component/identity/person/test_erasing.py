"""A person is forgotten: asked with proof, 15 days to take it back, then nothing names them any more."""

import dataclasses
import uuid
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from services.identity.person.actions.erasing import erase_due
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from tests.component.identity.person.test_merging import merged_pair
from tests.component.identity.stories import COUNTY, anonymous

SCHOOL = f"{COUNTY}/s1"
# What may still hold the id of somebody who was erased, each with the reason.
KEPT = {
    ("account", "id"): "the id that ledgers stand under",
    ("account", "merged_into"): "of others",
    ("profile", "account_id"): "the blank row",
    ("placement", "teacher_id"): "org's word, which ends with org's own reaction",
    ("erasure", "account_id"): "that it was asked for, and done",
    ("consent", "account_id"): "that we were allowed to",
    ("person_merge", "kept_id"): "whose ledger is whose",
    ("person_merge", "merged_id"): "whose ledger is whose",
    ("audit", "subject"): "what others did to them, without a name",
    ("outbox", "aggregate_id"): "events, without a name",
    ("idempotency", "reply"): "the id in replies to others",
    ("revocation", "account_id"): "the tokens that gateways refuse; gone within the hour",
}


def code_for(people, actor, phone):
    people.pass_time(seconds=61)
    people.call("request_erasure_code", {}, actor)
    return people.call("list_development_messages", {"phone": phone, "limit": 1}, anonymous())["items"][0]["code"]


def request(people, actor, phone):
    return people.call("request_erasure", {"sms_code": code_for(people, actor, phone)}, actor)


def run(people, **time):
    people.pass_time(**time)
    with people.database.work() as db:
        return erase_due(db, people.service.vault, people.clock.instant)


def state_of(people, actor):
    return people.call("get_erasure", {}, actor)["state"]


def erased(people, teacher):
    request(people, teacher[0], teacher[1])
    run(people, days=15)


def test_asked_with_a_code_done_after_fifteen_days(people, a_teacher):
    actor, phone, _ = a_teacher(SCHOOL)
    assert state_of(people, actor) == ""
    asked = request(people, actor, phone)
    assert (asked["state"], asked["due_at"]) == ("REQUESTED", "2023-01-25" + asked["requested_at"][10:])
    run(people, days=14)
    assert state_of(people, actor) == "REQUESTED"
    run(people, days=1)
    assert state_of(people, actor) == "DONE"
    [event] = people.events("identity.person_erased", actor.account_id)
    assert event["version"] > max(
        each["version"] for each in people.events("identity.profile_changed", actor.account_id)
    )


def test_taken_back_nothing_happens(people, a_teacher):
    actor, phone, _ = a_teacher()
    request(people, actor, phone)
    assert people.call("cancel_erasure", {}, actor)["state"] == "CANCELLED"
    run(people, days=16)
    assert people.call("get_profile", {}, actor)["name"] == "张三丰"
    assert people.events("identity.person_erased", actor.account_id) == []
    assert request(people, actor, phone)["state"] == "REQUESTED"


def test_asking_twice_and_taking_back_nothing_are_refused(people, a_teacher):
    actor, phone, _ = a_teacher()
    with pytest.raises(Conflict, match="erasure_not_requested"):
        people.call("cancel_erasure", {}, actor)
    request(people, actor, phone)
    code = code_for(people, actor, phone)
    with pytest.raises(Conflict, match="erasure_requested"):
        people.call("request_erasure", {"sms_code": code}, actor)
    people.call("cancel_erasure", {}, actor)
    with pytest.raises(Conflict, match="erasure_not_requested"):
        people.call("cancel_erasure", {}, actor)


def test_done_is_done(people, a_teacher):
    actor, phone, _ = a_teacher()
    erased(people, (actor, phone))
    with pytest.raises((Conflict, NotFound)):
        people.call("cancel_erasure", {}, actor)
    with pytest.raises(NotFound):
        people.call("request_erasure_code", {}, actor)
    with pytest.raises(NotFound):
        people.call("request_erasure", {"sms_code": "000000"}, actor)


def test_without_the_code_nothing_is_asked_for_and_tries_are_counted(people, a_teacher):
    actor, phone, _ = a_teacher()
    code = code_for(people, actor, phone)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        with pytest.raises(InvalidInput, match="sms_code_refused"):
            people.call("request_erasure", {"sms_code": wrong}, actor)
    with pytest.raises(InvalidInput, match="sms_code_refused"):
        people.call("request_erasure", {"sms_code": code}, actor)
    assert state_of(people, actor) == ""


def test_a_code_of_another_purpose_does_not_do(people, a_teacher):
    actor, phone, _ = a_teacher()
    code = people.code(phone, "SIGN_IN")
    with pytest.raises(InvalidInput, match="sms_code_refused"):
        people.call("request_erasure", {"sms_code": code}, actor)


def test_codes_are_limited_as_all_are(people, a_teacher):
    actor, _, _ = a_teacher()
    people.pass_time(seconds=61)
    people.call("request_erasure_code", {}, actor)
    with pytest.raises(LimitReached, match="sms_too_soon"):
        people.call("request_erasure_code", {}, actor)


def give_office(people, actor, version=1, grants=(("SCHOOL_ADMIN", SCHOOL),)):
    payload = {"account_id": str(actor.account_id), "version": version, "grants": [list(pair) for pair in grants]}
    people.hear("on_grants_changed", "org.grants_changed", payload)


def test_an_office_is_given_back_first(people, a_teacher):
    actor, phone, _ = a_teacher(SCHOOL)
    give_office(people, actor)
    code = code_for(people, actor, phone)
    with pytest.raises(Conflict, match="erasure_holds_grants"):
        people.call("request_erasure", {"sms_code": code}, actor)


def test_an_office_given_meanwhile_makes_it_wait(people, a_teacher):
    actor, phone, _ = a_teacher(SCHOOL)
    request(people, actor, phone)
    give_office(people, actor)
    run(people, days=16)
    assert state_of(people, actor) == "REQUESTED"
    give_office(people, actor, version=2, grants=())
    run(people, days=1)
    assert state_of(people, actor) == "DONE"


def test_nobody_asks_for_somebody_else(people, a_teacher):
    actor, phone, _ = a_teacher()
    stranger, _, _ = a_teacher()
    code = code_for(people, actor, phone)
    with pytest.raises(InvalidInput, match="sms_code_refused"):
        people.call("request_erasure", {"sms_code": code}, stranger)
    for method in ("request_erasure", "cancel_erasure", "get_erasure", "request_erasure_code"):
        with pytest.raises(NotAllowed):
            people.call(method, {}, anonymous())


# --- what is left -------------------------------------------------------------------------------------------------------


def traces(people, value):
    """(table, column) of every value in the database that holds this text."""
    found = set()
    with people.database.work() as db:
        columns = db.execute(
            sa.text(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
            )
        ).all()
        for table, column in columns:
            if not db.scalar(sa.text("SELECT has_table_privilege(:table, 'SELECT')"), {"table": table}):
                continue
            query = f'SELECT EXISTS (SELECT 1 FROM "{table}" WHERE "{column}"::text LIKE :value)'
            if db.scalar(sa.text(query), {"value": f"%{value}%"}):
                found.add((table, column))
    return found


def test_no_table_leads_from_the_id_to_the_person(people, a_teacher):
    actor, phone, id_no = a_teacher(SCHOOL, email="zhang@example.com", address="天河区", nickname="三丰")
    people.call("update_profile", {"nickname": "张"}, actor)
    people.sign_in(phone)
    number = people.call("get_profile", {}, actor)["learner_no"]
    people.call("record_consent", {"kind": "TERMS", "version": "2022-12-01", "given": True}, actor)
    erased(people, (actor, phone))
    left = {
        trace for trace in traces(people, actor.account_id) if not trace[1].startswith(("payload", "before", "after"))
    }
    assert left - set(KEPT) - {("audit", "actor")} == set()
    assert traces(people, number) == {("retired_learner_no", "learner_no"), ("outbox", "payload")}
    vault = people.service.vault
    for index in (*vault.phone_candidates(phone), *vault.id_no_candidates("RESIDENT_ID", id_no)):
        assert traces(people, index) == set()
    row = people.scalar("SELECT row_to_json(p)::text FROM profile AS p WHERE account_id = :id", id=actor.account_id)
    assert '_sealed":"' not in row.replace(" ", "")


def test_nobody_signs_in_any_more_and_the_phone_is_free(people, a_teacher):
    actor, phone, id_no = a_teacher(SCHOOL)
    tokens = people.sign_in(phone)
    erased(people, (actor, phone))
    with pytest.raises(NotAllowed, match="sign_in_again"):
        people.call("refresh_session", {"refresh_token": tokens["refresh_token"]}, anonymous())
    with pytest.raises((NotAllowed, NotFound)):
        people.sign_in(phone)
    newcomer, _ = people.register(phone)
    assert newcomer.account_id != actor.account_id
    people.fill_profile(newcomer, id_no=id_no)
    assert people.events("identity.access_revoked", actor.account_id)


def test_who_was_merged_into_a_person_goes_with_them(people, a_teacher, agents):
    kept, merged = a_teacher(SCHOOL), a_teacher()
    merged_pair(people, agents, kept, merged, phone_of="MERGED", document_of="MERGED")
    request(people, dataclasses.replace(kept[0]), merged[1])
    run(people, days=15)
    for person in (kept, merged):
        assert people.events("identity.person_erased", person[0].account_id)
        states = people.scalar("SELECT state FROM account WHERE id = :id", id=person[0].account_id)
        assert states == "ERASED"
    assert people.scalar(
        "SELECT count(*) FROM person_merge WHERE kept_id = :id AND undo_sealed IS NULL AND reason = ''"
        " AND state = 'SETTLED'",
        id=kept[0].account_id,
    )


def test_a_proposal_about_an_erased_person_is_void(people, a_teacher, agents):
    from tests.component.identity.person.test_merging import propose

    kept, merged = a_teacher(), a_teacher()
    merge = propose(people, agents[0], kept, merged)
    erased(people, merged)
    assert people.call("get_merge", {"merge_id": merge["merge_id"]}, agents[0])["state"] == "WITHDRAWN"


def test_one_who_cannot_be_erased_keeps_nobody_waiting(people, a_teacher, monkeypatch):
    from services.identity.person.actions import erasing

    first, second = a_teacher(), a_teacher()
    request(people, first[0], first[1])
    request(people, second[0], second[1])
    real = erasing.erase_person

    def failing(db, vault, account, now):
        if account.id == first[0].account_id:
            db.execute(sa.text("SELECT 1 / 0"))
        real(db, vault, account, now)

    monkeypatch.setattr(erasing, "erase_person", failing)
    run(people, days=15)
    assert [state_of(people, each[0]) for each in (first, second)] == ["REQUESTED", "DONE"]


def test_a_number_of_an_erased_person_is_never_issued_again(people, a_teacher, monkeypatch):
    from services.identity.person.actions import learner_numbers

    actor, phone, _ = a_teacher(SCHOOL)
    number = people.call("get_profile", {}, actor)["learner_no"]
    erased(people, (actor, phone))
    draws = iter([int(number[:-1]) - learner_numbers.BODY.start, 7])
    other, _ = people.register()
    monkeypatch.setattr(learner_numbers, "secrets", SimpleNamespace(randbelow=lambda _: next(draws)))
    people.place(other, SCHOOL, state="VERIFIED")
    assert people.call("get_profile", {}, other)["learner_no"] not in ("", number)


# --- consents -----------------------------------------------------------------------------------------------------------


def consent(people, actor, kind="PRIVACY", given=True, version="2022-12-01"):
    shown = people.call("record_consent", {"kind": kind, "version": version, "given": given}, actor)
    return {item["kind"]: item["given"] for item in shown["items"]}[kind]


def test_the_texts_are_there_for_everybody_in_both_languages(people):
    texts = people.call("list_consent_texts", {}, anonymous())["items"]
    assert [text["kind"] for text in texts] == ["TERMS", "PRIVACY", "SENSITIVE"]
    for text in texts:
        assert not text["zh"].isascii()
        assert text["en"].isascii()
        assert len(text["digest"]) == 64


def test_given_and_taken_back_each_is_kept(people):
    actor, _ = people.register()
    assert people.call("list_consents", {}, actor)["history"] == []
    assert consent(people, actor)
    assert consent(people, actor)
    assert not consent(people, actor, given=False)
    history = people.call("list_consents", {}, actor)["history"]
    assert [answer["given"] for answer in history] == [True, False]


def test_a_version_that_was_not_shown_is_refused(people):
    actor, _ = people.register()
    with pytest.raises(Conflict, match="consent_outdated"):
        consent(people, actor, version="2021-01-01")
    for arguments in ({"kind": "SPAM"}, {"given": "yes"}, {"given": 1}, {"account_id": str(uuid.uuid4())}):
        with pytest.raises(InvalidInput):
            people.call("record_consent", {"kind": "TERMS", "version": "2022-12-01", "given": True, **arguments}, actor)


def test_a_changed_text_asks_again(people, monkeypatch):
    from services.identity.person.actions import consents

    actor, _ = people.register()
    consent(people, actor)
    newer = {kind: {**text, "digest": "0" * 64} for kind, text in consents.current_texts().items()}
    monkeypatch.setattr(consents, "current_texts", lambda: newer)
    assert not any(item["given"] for item in people.call("list_consents", {}, actor)["items"])


def test_two_answers_at_once_are_one(people, in_parallel):
    actor, _ = people.register()
    assert in_parallel(6, lambda: consent(people, actor)) == [True] * 6
    assert len(people.call("list_consents", {}, actor)["history"]) == 1


@pytest.mark.parametrize("role", ["app", "worker"])
def test_no_role_changes_or_deletes_an_answer(people, role):
    from sqlalchemy.exc import ProgrammingError

    engine = getattr(people.database, role)
    for statement in ("UPDATE consent SET given = true", "DELETE FROM consent"):
        with engine.connect() as connection, pytest.raises(ProgrammingError):
            connection.execute(sa.text(statement))
