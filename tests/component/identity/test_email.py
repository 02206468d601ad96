"""The own e-mail address: confirmed by a code, doubted again when it changes, and told of what a stranger may have done."""

import pytest
import sqlalchemy as sa

from services.identity.contract.notices import NoticeKind
from services.identity.notices import rules
from services.shared import clock, senders
from services.shared.actor import ANONYMOUS
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, Unavailable
from services.shared.ids import new_id
from tests.component.identity.person.test_erasing import request as ask_to_be_erased
from tests.component.identity.stories import anonymous, new_phone
from tests.component.identity.test_phone_change import change
from tests.component.identity.tickets import Phones


def new_email():
    return f"teacher.{new_id().hex[-10:]}@example.com"


def mail_to(people, email):
    return people.call("list_development_messages", {"email": email, "limit": 100}, ANONYMOUS)["items"]


def write_down(people, actor, email):
    return people.call("update_profile", {"email": email}, actor)


def ask(people, actor, email):
    """Ask for a code and read it in the mail."""
    people.pass_time(seconds=61)
    people.call("request_email_code", {}, actor)
    return mail_to(people, email)[0]["code"]


def confirm(people, actor, code):
    return people.call("confirm_email", {"code": code}, actor)


@pytest.fixture
def owner(people):
    """(actor, phone, confirmed address)."""
    actor, phone = people.register()
    email = new_email()
    write_down(people, actor, email)
    assert confirm(people, actor, ask(people, actor, email))["email_confirmed"]
    return actor, phone, email


def kinds(people, actor):
    with people.database.work() as db:
        rows = db.execute(
            sa.text("SELECT kind, channel FROM notice WHERE account_id = :id ORDER BY id"), {"id": actor.account_id}
        )
        return [tuple(row) for row in rows]


def refusal(kind, code, act):
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.code == code


# --- confirming -----------------------------------------------------------------------------------------------------------------


def test_an_address_counts_as_the_owners_once_its_code_is_typed(people):
    actor, _ = people.register()
    email = new_email()
    assert not write_down(people, actor, email)["email_confirmed"]
    code = ask(people, actor, email)
    [message] = mail_to(people, email)
    assert (message["phone"], message["email"], message["code"]) == ("", "t***@example.com", code)
    assert confirm(people, actor, code)["email_confirmed"]
    assert people.call("get_profile", {}, actor)["email_confirmed"]
    refusal(Conflict, "identity.email_confirmed", lambda: people.call("request_email_code", {}, actor))


def test_there_must_be_an_address(people):
    actor, _ = people.register()
    refusal(Conflict, "identity.email_missing", lambda: people.call("request_email_code", {}, actor))
    with pytest.raises(NotAllowed):
        people.call("request_email_code", {}, anonymous())
    with pytest.raises(InvalidInput):
        confirm(people, actor, "")


def test_five_wrong_codes_use_a_code_up_and_each_counts(people):
    actor, _ = people.register()
    email = new_email()
    write_down(people, actor, email)
    code = ask(people, actor, email)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        refusal(InvalidInput, "identity.email_code_refused", lambda: confirm(people, actor, wrong))
    refusal(InvalidInput, "identity.email_code_refused", lambda: confirm(people, actor, code))
    assert confirm(people, actor, ask(people, actor, email))["email_confirmed"]


def test_a_code_ends_after_half_an_hour_works_once_and_is_one_accounts(people):
    actor, _ = people.register()
    other, _ = people.register()
    email = new_email()
    for each in (actor, other):
        write_down(people, each, email)
    late = ask(people, actor, email)
    refusal(InvalidInput, "identity.email_code_refused", lambda: confirm(people, other, late))
    people.pass_time(minutes=30)
    refusal(InvalidInput, "identity.email_code_refused", lambda: confirm(people, actor, late))
    code = ask(people, actor, email)
    confirm(people, actor, code)
    write_down(people, actor, "")
    write_down(people, actor, email)
    refusal(InvalidInput, "identity.email_code_refused", lambda: confirm(people, actor, code))


def test_a_code_confirms_only_the_address_it_went_to(people):
    actor, _ = people.register()
    email = new_email()
    write_down(people, actor, email)
    code = ask(people, actor, email)
    write_down(people, actor, new_email())
    refusal(InvalidInput, "identity.email_code_refused", lambda: confirm(people, actor, code))
    assert not people.call("get_profile", {}, actor)["email_confirmed"]


def test_codes_are_limited_by_the_minute_and_by_the_day_of_account_and_address(people):
    actor, _ = people.register()
    email = new_email()
    write_down(people, actor, email)
    ask(people, actor, email)
    refusal(LimitReached, "identity.email_too_soon", lambda: people.call("request_email_code", {}, actor))
    for _ in range(4):
        ask(people, actor, email)
    other, _ = people.register()
    write_down(people, other, email.upper())
    write_down(people, actor, new_email())
    for each in (actor, other):
        refusal(LimitReached, "identity.email_limit", lambda each=each: ask(people, each, email))
    people.pass_time(days=1)
    people.call("request_email_code", {}, other)


def test_parallel_requests_send_one_code(people, in_parallel):
    actor, _ = people.register()
    email = new_email()
    write_down(people, actor, email)
    people.pass_time(seconds=61)
    outcomes = in_parallel(4, lambda: people.call("request_email_code", {}, actor))
    assert [type(outcome) for outcome in outcomes].count(dict) == 1
    assert len(mail_to(people, email)) == 1


def test_without_a_provider_it_is_unavailable_and_the_same_command_sends_later(people, monkeypatch):
    actor, _ = people.register()
    email, key = new_email(), str(new_id())
    write_down(people, actor, email)
    with monkeypatch.context() as broken:
        broken.setattr(senders, "open_sender", lambda _settings, channel, _keep: senders.NoProvider(channel))
        refusal(
            Unavailable,
            "identity.email_unavailable",
            lambda: people.call("request_email_code", {}, actor, command_id=key),
        )
    for _ in range(2):
        people.call("request_email_code", {}, actor, command_id=key)
    assert len(mail_to(people, email)) == 1


# --- being warned ---------------------------------------------------------------------------------------------------------------


def send(people):
    people.service.send_notices(clock.now())


def test_a_change_of_phone_is_told_to_the_old_number_and_to_the_address(people, owner):
    actor, phone, email = owner
    assert change(Phones(people), actor, phone, new_phone())["state"] == "DONE"
    send(people)
    zh, _ = rules.TEXTS[NoticeKind.PHONE_CHANGED]
    assert mail_to(people, email)[0]["text"] == zh
    assert kinds(people, actor) == [("PHONE_CHANGED", "SMS"), ("PHONE_CHANGED", "EMAIL")]
    shown = people.call("list_notices", {}, actor)["items"]
    assert {(each["channel"], each["state"]) for each in shown} == {("SMS", "SENT"), ("EMAIL", "SENT")}


def test_an_approved_ticket_sends_the_link_that_stops_it_to_the_address_too(people):
    phones = Phones(people)
    actor, old, id_no = phones.teacher()
    email = new_email()
    write_down(people, actor, email)
    confirm(people, actor, ask(people, actor, email))
    phones.approved(old, id_no)
    send(people)
    told = mail_to(people, email)[0]["text"]
    token = told.rpartition("/")[2].rpartition("=")[2]
    assert phones.call("stop_phone_ticket", {"token": token}, ANONYMOUS)["state"] == "CANCELLED"


def test_whoever_replaces_or_removes_the_address_is_told_of_at_the_former_one(people, owner):
    actor, phone, email = owner
    fresh = new_email()
    assert not write_down(people, actor, fresh)["email_confirmed"]
    send(people)
    zh, _ = rules.TEXTS[NoticeKind.EMAIL_CHANGED]
    assert mail_to(people, email)[0]["text"] == zh
    assert mail_to(people, fresh) == []
    told = people.call("list_development_messages", {"phone": phone}, ANONYMOUS)["items"]
    assert told[0]["text"] == zh
    # The new address is nobody's yet: another change tells nobody.
    write_down(people, actor, "")
    assert kinds(people, actor) == [("EMAIL_CHANGED", "SMS"), ("EMAIL_CHANGED", "EMAIL")]


def test_decisions_and_unconfirmed_addresses_get_no_mail(people, owner):
    actor, _, email = owner
    before = len(mail_to(people, email))
    people.place(actor, state="PENDING")
    people.place(actor, state="VERIFIED", version=2)
    unsure, phone = people.register()
    write_down(people, unsure, new_email())
    change(Phones(people), unsure, phone, new_phone())
    send(people)
    assert len(mail_to(people, email)) == before
    assert {channel for each in (actor, unsure) for _, channel in kinds(people, each)} <= {"SMS"}


def test_the_address_is_kept_only_until_the_mail_is_out(people, owner):
    actor, phone, _ = owner
    change(Phones(people), actor, phone, new_phone())

    def kept():
        statement = "SELECT count(*) FROM notice WHERE account_id = :id AND email_sealed IS NOT NULL"
        return people.scalar(statement, id=actor.account_id)

    assert kept() == 1
    send(people)
    assert kept() == 0


def test_an_erased_person_leaves_neither_address_nor_codes(people, owner):
    actor, phone, email = owner
    ask_to_be_erased(people, actor, phone)
    people.pass_time(days=16)
    people.service.erase_due(clock.now())
    assert mail_to(people, email) == []
    for table in ("email_code", "notice"):
        assert people.scalar(f"SELECT count(*) FROM {table} WHERE account_id = :id", id=actor.account_id) == 0
    confirmed = "SELECT email_confirmed_at FROM profile WHERE account_id = :id"
    assert people.scalar(confirmed, id=actor.account_id) is None
