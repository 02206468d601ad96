"""Signing in, the lock (W37), refresh tokens, signing out, passwords."""

import statistics
import time
import uuid

import pytest
import sqlalchemy as sa

from services.identity import queries
from services.identity.access.actions import guarding, proving, signing_in
from services.identity.models import Account
from services.identity.passwords import Passwords
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.identity.stories import COUNTY, PASSWORD, administrator, anonymous, new_phone


def refused(people, phone, password="wrong-horse-9", address=None):
    with pytest.raises(NotAllowed) as caught:
        people.sign_in(phone, password, address)
    return caught.value


def failures(people, actor):
    return people.scalar("SELECT failed_count FROM account WHERE id = :id", id=actor.account_id)


def guess(people, phone, times, password="wrong-horse-9"):
    """Wrong passwords at the pace that is judged: five in a quarter of an hour."""
    for number in range(times):
        if number % 5 == 0:
            people.pass_time(minutes=16)
        refused(people, phone, password)


# --- the lock: domain.md §3.9 and W37 ----------------------------------------------------------------------------------


def test_w37_nine_wrong_one_right_ten_wrong(people):
    actor, phone = people.register()
    people.place(actor)
    guess(people, phone, 9)
    assert people.sign_in(phone)["account"]["locked"] is False
    assert failures(people, actor) == 0
    guess(people, phone, 9)
    assert not people.call("get_account", {}, actor)["locked"]
    refused(people, phone)
    assert people.call("get_account", {}, actor)["locked"]
    people.pass_time(minutes=16)
    refused(people, phone, PASSWORD)
    assert people.call("unlock_account", {"account_id": str(actor.account_id)}, administrator()) == {
        "account_id": str(actor.account_id),
        "locked": False,
    }
    assert people.sign_in(phone)["account"]["locked"] is False


@pytest.mark.parametrize("guesses", [3, 14])
def test_parallel_wrong_passwords_are_counted_exactly(people, in_parallel, guesses):
    actor, phone = people.register()
    outcomes = in_parallel(guesses, lambda: people.sign_in(phone, "wrong-horse-9"))
    codes = [outcome.code for outcome in outcomes]
    assert codes.count("identity.sign_in_refused") == failures(people, actor) == min(guesses, 5)
    assert set(codes) <= {"identity.sign_in_refused", "identity.sign_in_limit"}


def test_the_tenth_of_parallel_wrong_passwords_locks_and_none_is_lost(people, in_parallel):
    actor, phone = people.register()
    guess(people, phone, 6)
    people.pass_time(minutes=16)
    in_parallel(8, lambda: people.sign_in(phone, "wrong-horse-9"))
    assert failures(people, actor) == 10
    assert people.call("get_account", {}, actor)["locked"]


def test_sabotage_guesses_that_do_not_wait_for_each_other_outrun_the_count(people, in_parallel, monkeypatch):
    """The twin of the tests above: without the lock and with the obvious way to count they must fail."""
    seen = guarding.read_guesses

    def read_slowly(*arguments):
        counted = seen(*arguments)
        time.sleep(0.1)
        return counted

    def count_carelessly(db, _call, account_id, *, wrong):
        account = db.get(Account, account_id)
        before = account.failed_count
        time.sleep(0.05)
        db.execute(sa.update(Account).where(Account.id == account_id).values(failed_count=before + 1))

    monkeypatch.setattr(guarding, "lock_target", lambda *_: None)
    monkeypatch.setattr(guarding, "read_guesses", read_slowly)
    monkeypatch.setattr(proving, "_count_failure", count_carelessly)
    monkeypatch.setattr(queries, "lock_account", lambda db, account_id: db.get(Account, account_id))
    actor, phone = people.register()
    outcomes = in_parallel(8, lambda: people.sign_in(phone, "wrong-horse-9"))
    judged = [outcome.code for outcome in outcomes].count("identity.sign_in_refused")
    assert judged > 5 or failures(people, actor) < judged


def test_sabotage_a_refusal_raised_inside_the_transaction_forgets_the_failure(people, monkeypatch):
    """The twin of every test that counts refusals: raising at once rolls the count back."""

    def raise_at_once(error):
        raise error

    monkeypatch.setattr(signing_in, "refused", raise_at_once)
    actor, phone = people.register()
    for _ in range(10):
        refused(people, phone)
    assert failures(people, actor) == 0


def test_a_right_password_racing_with_the_tenth_wrong_one_never_unlocks(people, in_parallel):
    actor, phone = people.register()
    guess(people, phone, 9)
    tries = iter([PASSWORD, "wrong-horse-9"])
    outcomes = in_parallel(2, lambda: people.sign_in(phone, next(tries)))
    locked = people.call("get_account", {}, actor)["locked"]
    # Either the right one came first and reset the counter, or the wrong one locked first: no third way.
    assert (failures(people, actor), locked) in {(1, False), (10, True), (0, False)}
    assert any(isinstance(outcome, dict) for outcome in outcomes) is not locked


def test_unknown_phone_wrong_password_locked_and_passwordless_answer_alike(people):
    _, phone = people.register()
    _, passwordless = people.register(password=None)
    wrong = refused(people, phone)
    guess(people, phone, 9)
    people.pass_time(minutes=16)
    locked = refused(people, phone, PASSWORD)
    unknown = refused(people, new_phone())
    without = refused(people, passwordless)
    assert wrong.args == locked.args == unknown.args == without.args


def test_unknown_and_known_phones_take_the_same_time(people, settings):
    people.service.passwords = Passwords(settings)
    _, phone = people.register()
    known, unknown = [], []
    refused(people, new_phone())  # the first call makes nobody's hash
    for _ in range(8):
        people.pass_time(minutes=4)
        for phone_tried, times in ((phone, known), (new_phone(), unknown)):
            started = time.perf_counter()
            refused(people, phone_tried)
            times.append(time.perf_counter() - started)
    # Without the dummy hash an unknown phone would answer in a fraction of the time.
    assert 0.5 < statistics.median(unknown) / statistics.median(known) < 2


def test_an_sms_code_signs_in_where_the_password_is_locked_and_unlocks(people):
    actor, phone = people.register()
    guess(people, phone, 10)
    reply = people.call("sign_in", {"phone": phone, "sms_code": people.code(phone, "SIGN_IN")}, anonymous())
    assert reply["account"]["locked"] is False
    assert people.sign_in(phone)["account"]["account_id"] == str(actor.account_id)


def test_a_valid_code_of_a_phone_without_account_says_so(people):
    phone = new_phone()
    with pytest.raises(NotFound) as caught:
        people.call("sign_in", {"phone": phone, "sms_code": people.code(phone, "SIGN_IN")}, anonymous())
    assert caught.value.code == "identity.account_unknown"


def test_wrong_codes_at_sign_in_are_used_up_although_refused(people):
    _, phone = people.register()
    code = people.code(phone, "SIGN_IN")
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for sms_code in [*[wrong] * 5, code]:
        with pytest.raises(InvalidInput, match="sms_code_refused"):
            people.call("sign_in", {"phone": phone, "sms_code": sms_code}, anonymous())


def test_locking_revokes_access_and_is_announced(people):
    actor, phone = people.register()
    guess(people, phone, 10)
    assert [event["session_id"] for event in people.events("identity.access_revoked", actor.account_id)] == [None]


def test_one_address_may_guess_thirty_times_a_minute_over_all_accounts(people):
    for _ in range(30):
        refused(people, new_phone(), address="203.0.113.7")
    with pytest.raises(LimitReached, match="sign_in_limit"):
        people.sign_in(new_phone(), "wrong-horse-9", "203.0.113.7")
    refused(people, new_phone(), address="203.0.113.8")
    people.pass_time(minutes=1)
    refused(people, new_phone(), address="203.0.113.7")


@pytest.mark.parametrize("secrets", [{}, {"password": PASSWORD, "sms_code": "123456"}])
def test_exactly_one_secret_is_asked(people, secrets):
    with pytest.raises(InvalidInput, match="one_secret"):
        people.call("sign_in", {"phone": new_phone(), **secrets}, anonymous())


# --- who may unlock ----------------------------------------------------------------------------------------------------


def locked_teacher(people, place=f"{COUNTY}/s1"):
    actor, phone = people.register()
    if place:
        people.place(actor, place)
    guess(people, phone, 10)
    return actor


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s1"),
        (Role.COUNTY_ADMIN, COUNTY),
        (Role.CITY_ADMIN, "CN/440000/440100"),
        (Role.NATIONAL_OPERATOR, "CN"),
    ],
)
def test_administrators_of_the_teachers_place_unlock_with_an_audit_row(people, role, place):
    actor = locked_teacher(people)
    people.call("unlock_account", {"account_id": str(actor.account_id)}, administrator(role, place))
    audited = people.scalar(
        "SELECT count(*) FROM audit WHERE action = 'unlock_account' AND subject = :id", id=actor.account_id
    )
    assert audited == 1


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s2"),
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s"),
        (Role.COUNTY_ADMIN, "CN/440000/440100/440104"),
        (Role.PROVINCE_ADMIN, "CN/450000"),
    ],
)
def test_for_strangers_there_is_no_such_person(people, role, place):
    actor = locked_teacher(people)
    stranger = administrator(role, place)
    errors = []
    for account_id in (actor.account_id, uuid.uuid4()):
        with pytest.raises(NotFound) as caught:
            people.call("unlock_account", {"account_id": str(account_id)}, stranger)
        errors.append(caught.value.args)
    assert errors[0] == errors[1]
    assert people.call("get_account", {}, actor)["locked"]


def test_a_principal_a_teacher_and_a_visitor_may_not_unlock(people):
    actor = locked_teacher(people)
    for caller in (administrator(Role.PRINCIPAL, COUNTY), actor, anonymous()):
        with pytest.raises(NotAllowed):
            people.call("unlock_account", {"account_id": str(actor.account_id)}, caller)


def test_a_teacher_without_school_is_nobodys_to_unlock(people):
    actor = locked_teacher(people, place="")
    with pytest.raises(NotFound):
        people.call(
            "unlock_account", {"account_id": str(actor.account_id)}, administrator(Role.NATIONAL_OPERATOR, "CN")
        )


def test_an_open_account_is_not_unlocked(people):
    actor, _ = people.register()
    people.place(actor)
    with pytest.raises(Conflict, match="not_locked"):
        people.call("unlock_account", {"account_id": str(actor.account_id)}, administrator())


# --- tokens ------------------------------------------------------------------------------------------------------------


def test_the_access_token_says_who_as_what_and_at_the_teachers_desk_no_grants(people):
    actor, phone = people.register()
    people.grant(actor, ("SCHOOL_ADMIN", COUNTY))
    reply = people.sign_in(phone)
    claims = people.claims(reply["access_token"])
    assert claims["iss"] == "identity"
    assert claims["sub"] == str(actor.account_id)
    assert claims["idn"] == "TEACHER"
    assert (claims["dsk"], claims["grants"], claims["elv"], claims["wai"]) == ("TEACHER", [], None, False)
    assert 599 <= claims["exp"] - claims["iat"] <= 600
    # What the account holds is told to its owner, who needs it to choose the other desk.
    assert reply["account"]["grants"] == [{"role": "SCHOOL_ADMIN", "place": COUNTY}]
    assert reply["desk"] == "TEACHER"


def test_a_token_made_in_the_very_instant_of_a_revocation_is_newer_than_it(people):
    actor, phone = people.register()
    instants = []
    for version in (1, 2, 3):
        people.hear(
            "on_grants_changed",
            "org.grants_changed",
            {"account_id": str(actor.account_id), "version": version, "grants": []},
        )
        instants.append(
            people.scalar("SELECT tokens_not_before FROM account WHERE id = :id", id=actor.account_id).timestamp()
        )
        instants.append(people.claims(people.sign_in(phone)["access_token"])["iat"])
    # The clock stands still, so only their own order tells tokens and revocations apart.
    revoked, issued = instants[::2], instants[1::2]
    assert all(iat > not_before for iat, not_before in zip(issued, revoked, strict=True))
    assert all(iat <= not_before for iat, not_before in zip(issued, revoked[1:], strict=False))


def test_refreshing_rotates_and_a_stolen_token_ends_the_sign_in(people):
    actor, phone = people.register()
    first = people.sign_in(phone)["refresh_token"]
    second = people.call("refresh_session", {"refresh_token": first}, anonymous())["refresh_token"]
    with pytest.raises(NotAllowed, match="sign_in_again"):
        people.call("refresh_session", {"refresh_token": first}, anonymous())
    with pytest.raises(NotAllowed, match="sign_in_again"):
        people.call("refresh_session", {"refresh_token": second}, anonymous())
    revoked = people.events("identity.access_revoked", actor.account_id)
    assert len(revoked) == 1
    assert revoked[0]["session_id"] is not None


def test_another_device_of_the_same_person_stays_signed_in(people):
    _, phone = people.register()
    stolen, other = people.sign_in(phone)["refresh_token"], people.sign_in(phone)["refresh_token"]
    people.call("refresh_session", {"refresh_token": stolen}, anonymous())
    with pytest.raises(NotAllowed):
        people.call("refresh_session", {"refresh_token": stolen}, anonymous())
    assert people.call("refresh_session", {"refresh_token": other}, anonymous())["refresh_token"]


def test_a_refresh_repeated_by_the_same_command_is_a_lost_answer(people):
    _, phone = people.register()
    token, key = people.sign_in(phone)["refresh_token"], str(new_id())
    lost = people.call("refresh_session", {"refresh_token": token}, anonymous(), command_id=key)["refresh_token"]
    again = people.call("refresh_session", {"refresh_token": token}, anonymous(), command_id=key)["refresh_token"]
    with pytest.raises(NotAllowed):
        people.call("refresh_session", {"refresh_token": lost}, anonymous())
    assert people.call("refresh_session", {"refresh_token": again}, anonymous())
    # Once the successor has been used the answer was not lost.
    with pytest.raises(NotAllowed):
        people.call("refresh_session", {"refresh_token": token}, anonymous(), command_id=key)


def test_parallel_refreshes_of_one_token_give_at_most_one_successor(people, in_parallel):
    _, phone = people.register()
    token = people.sign_in(phone)["refresh_token"]
    outcomes = in_parallel(4, lambda: people.call("refresh_session", {"refresh_token": token}, anonymous()))
    assert [type(outcome) for outcome in outcomes].count(dict) == 1


def test_a_refresh_token_ends_after_ninety_idle_days(people):
    _, phone = people.register()
    token = people.sign_in(phone)["refresh_token"]
    people.pass_time(days=89)
    token = people.call("refresh_session", {"refresh_token": token}, anonymous())["refresh_token"]
    people.pass_time(days=90)
    with pytest.raises(NotAllowed, match="sign_in_again"):
        people.call("refresh_session", {"refresh_token": token}, anonymous())


@pytest.mark.parametrize("token", ["x", "é" * 43, "A" * 200])
def test_an_invented_refresh_token_is_refused(people, token):
    with pytest.raises(NotAllowed, match="sign_in_again"):
        people.call("refresh_session", {"refresh_token": token}, anonymous())


def test_signing_out_ends_this_sign_in_for_good_and_twice_is_once(people):
    actor, phone = people.register()
    reply = people.sign_in(phone)
    session_id = uuid.UUID(people.claims(reply["access_token"])["sid"])
    signed_in = people.actor(reply["account"], session_id)
    for _ in range(2):
        assert people.call("sign_out", {}, signed_in) == {}
    with pytest.raises(NotAllowed):
        people.call("refresh_session", {"refresh_token": reply["refresh_token"]}, anonymous())
    events = people.events("identity.access_revoked", actor.account_id)
    assert [event["session_id"] for event in events] == [str(session_id)]


def test_nobody_signs_somebody_else_out(people):
    _, phone = people.register()
    reply = people.sign_in(phone)
    stranger, _ = people.register()
    session_id = uuid.UUID(people.claims(reply["access_token"])["sid"])
    people.call(
        "sign_out", {}, people.actor({"account_id": str(stranger.account_id), "active_identity": "TEACHER"}, session_id)
    )
    assert people.call("refresh_session", {"refresh_token": reply["refresh_token"]}, anonymous())


def test_the_gateway_lists_living_revocations(people, a_service):
    actor, _ = people.register()
    people.hear(
        "on_grants_changed", "org.grants_changed", {"account_id": str(actor.account_id), "version": 1, "grants": []}
    )
    listed = people.call("list_revocations", {}, a_service("gateway"))["items"]
    assert [each for each in listed if each["account_id"] == str(actor.account_id)] == people.events(
        "identity.access_revoked", actor.account_id
    )
    people.pass_time(minutes=21)
    listed = people.call("list_revocations", {}, a_service("gateway"))["items"]
    assert str(actor.account_id) not in {each["account_id"] for each in listed}
    with pytest.raises(NotAllowed):
        people.call("list_revocations", {}, a_service("learning"))


# --- passwords ---------------------------------------------------------------------------------------------------------

NEW_PASSWORD = "battery-staple-7"


def test_a_new_password_by_the_old_one_ends_the_other_sign_ins(people):
    _, phone = people.register()
    other = people.sign_in(phone)
    mine = people.sign_in(phone)
    me = people.actor(mine["account"], uuid.UUID(people.claims(mine["access_token"])["sid"]))
    people.call("set_password", {"password": NEW_PASSWORD, "current_password": PASSWORD}, me)
    refused(people, phone, PASSWORD)
    assert people.sign_in(phone, NEW_PASSWORD)
    assert people.call("refresh_session", {"refresh_token": mine["refresh_token"]}, anonymous())
    with pytest.raises(NotAllowed):
        people.call("refresh_session", {"refresh_token": other["refresh_token"]}, anonymous())


def test_a_hash_of_older_figures_is_renewed_by_the_next_sign_in(people, settings):
    actor, phone = people.register()
    people.service.passwords = Passwords(settings)
    for _ in range(2):
        assert people.sign_in(phone)
    stored = people.scalar("SELECT password_hash FROM account WHERE id = :id", id=actor.account_id)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_wrong_old_password_counts_and_locks(people):
    actor, _ = people.register()
    for number in range(10):
        if number % 5 == 0:
            people.pass_time(minutes=16)
        with pytest.raises(InvalidInput, match="password_wrong"):
            people.call("set_password", {"password": NEW_PASSWORD, "current_password": "wrong-horse-9"}, actor)
    assert people.call("get_account", {}, actor)["locked"]


def test_who_has_no_password_yet_sets_one_by_code(people):
    actor, phone = people.register(password=None)
    with pytest.raises(InvalidInput):
        people.call("set_password", {"password": NEW_PASSWORD, "current_password": ""}, actor)
    people.call("set_password", {"password": NEW_PASSWORD, "sms_code": people.code(phone, "SIGN_IN")}, actor)
    assert people.sign_in(phone, NEW_PASSWORD)["account"]["has_password"]


def test_who_has_just_signed_in_by_code_needs_no_second_one_and_a_little_later_does(people):
    _, phone = people.register()
    reply = people.call("sign_in", {"phone": phone, "sms_code": people.code(phone, "SIGN_IN")}, anonymous())
    me = people.actor(reply["account"], uuid.UUID(people.claims(reply["access_token"])["sid"]))
    people.call("set_password", {"password": NEW_PASSWORD}, me)
    assert people.sign_in(phone, NEW_PASSWORD)
    people.pass_time(minutes=10)
    with pytest.raises(InvalidInput, match="proof_missing"):
        people.call("set_password", {"password": PASSWORD}, me)


def test_a_sign_in_by_password_or_of_somebody_else_proves_no_phone(people):
    _, phone = people.register()
    _, stranger_phone = people.register()
    reply = people.sign_in(phone)
    me = people.actor(reply["account"], uuid.UUID(people.claims(reply["access_token"])["sid"]))
    theirs = people.call(
        "sign_in", {"phone": stranger_phone, "sms_code": people.code(stranger_phone, "SIGN_IN")}, anonymous()
    )
    mixed = people.actor(reply["account"], uuid.UUID(people.claims(theirs["access_token"])["sid"]))
    for caller in (me, mixed):
        with pytest.raises(InvalidInput, match="proof_missing"):
            people.call("set_password", {"password": NEW_PASSWORD}, caller)


def test_only_a_hash_of_a_refresh_token_is_stored(people):
    _, phone = people.register()
    token = people.sign_in(phone)["refresh_token"]
    with people.database.work() as db:
        rows = db.execute(sa.text("SELECT token_hash FROM refresh_token")).scalars().all()
    assert token not in rows
    with people.database.work() as db:
        assert queries.lock_refresh_token(db, token) is None
