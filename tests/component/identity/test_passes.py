"""National passes: binding, signing in, unbinding; everything an issuer or a stranger may get wrong."""

import dataclasses
import datetime as dt
import json
import subprocess
import sys
import time
import uuid

import pytest
import requests
import sqlalchemy as sa
from joserfc.jwk import RSAKey

from services.identity.passes import actions as pass_actions
from services.identity.passes.issuers import Issuer, Issuers, challenge_of
from services.identity.vault import token_hash
from services.shared import clock
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unavailable
from tests.component.identity.issuer import CLIENT_ID, CLIENT_SECRET, REDIRECT
from tests.component.identity.issuer import Issuer as IssuerServer
from tests.component.identity.stories import anonymous
from tests.component.identity.tickets import Phones


@pytest.fixture(scope="module")
def server():
    server = IssuerServer()
    yield server
    server.stop()


@pytest.fixture
def issuer(server, people):
    server.reset()
    people.service.pass_issuers = issuers(server.url)
    return server


def issuers(url, secret=CLIENT_SECRET):
    made = [
        Issuer(name, url, CLIENT_ID, secret, title, name, (REDIRECT,), ("openid",))
        for name, title in (("smartedu", "智教中国"), ("second", "第二通行证"))
    ]
    return Issuers({each.name: each for each in made}, development=True)


def elevated(actor):
    return dataclasses.replace(actor, elevated_until=clock.now() + dt.timedelta(minutes=30))


def start(people, method, actor, name="smartedu"):
    return people.call(method, {"issuer": name, "redirect_uri": REDIRECT}, actor)


def bind(people, issuer, actor, subject=None, name="smartedu"):
    begun = start(people, "start_pass_binding", elevated(actor), name)
    back = issuer.sign_in(begun["authorisation_url"], subject or str(uuid.uuid4()))
    return people.call("complete_pass_binding", {**back, "client_key": begun["client_key"]}, actor)


def begin(people, issuer, subject):
    """What a client holds when the browser has come back."""
    begun = start(people, "start_pass_sign_in", anonymous())
    return {**issuer.sign_in(begun["authorisation_url"], subject), "client_key": begun["client_key"]}


def enter(people, back, command_id=None):
    return people.call("complete_pass_sign_in", back, anonymous("10.1.1.1"), command_id=command_id)


@pytest.fixture
def holder(people, issuer):
    """Somebody with a bound pass: (actor, phone, subject)."""
    actor, phone = people.register()
    subject = str(uuid.uuid4())
    bind(people, issuer, actor, subject)
    return actor, phone, subject


# --- the whole way -------------------------------------------------------------------------------------------------------


def test_bound_by_its_holder_a_pass_signs_in(people, issuer, holder):
    actor, _, subject = holder
    opened = enter(people, begin(people, issuer, subject))
    assert opened["account"]["account_id"] == str(actor.account_id)
    signed_in = people.session(opened)
    assert signed_in.desk == "TEACHER"
    assert people.call("get_account", {}, signed_in)["account_id"] == str(actor.account_id)
    [bound] = people.call("list_passes", {}, actor)["items"]
    assert (bound["issuer"], bound["used_at"]) == ("smartedu", clock.format_instant(clock.now()))
    assert subject not in str(bound)


def test_it_unlocks(people, issuer, holder):
    _, phone, subject = holder
    account = holder[0].account_id
    with people.database.work() as db:
        db.execute(sa.text("UPDATE account SET locked_at = now(), failed_count = 10 WHERE id = :id"), {"id": account})
    enter(people, begin(people, issuer, subject))
    assert people.sign_in(phone)["account"]["locked"] is False


def test_it_proves_no_phone_and_opens_no_administrators_desk(people, issuer, holder):
    actor, _, subject = holder
    signed_in = people.session(enter(people, begin(people, issuer, subject)))
    with pytest.raises(InvalidInput, match=r"identity\.proof_missing"):
        people.call("set_password", {"password": "another-horse-9"}, signed_in)
    people.grant(actor, ("COUNTY_ADMIN", "CN/440000/440100/440103"))
    assert people.session(enter(people, begin(people, issuer, subject))).grants == ()


def test_binding_is_announced_told_and_on_record(people, issuer, holder):
    actor, phone, _ = holder
    [event] = people.events("identity.pass_bound", actor.account_id)
    assert event["issuer"] == "smartedu"
    Phones(people).send()
    assert [text for text in Phones(people).messages(phone) if "已绑定通行证“智教中国”" in text]
    assert (
        people.scalar(
            "SELECT count(*) FROM audit WHERE subject = :id AND action = 'complete_pass_binding'", id=actor.account_id
        )
        == 1
    )


def test_issuers_are_listed_without_their_secrets(people, issuer):
    listed = people.call("list_pass_issuers", {}, anonymous())
    assert [each["issuer"] for each in listed["items"]] == ["smartedu", "second"]
    assert CLIENT_SECRET not in str(listed)


# --- never by phone or e-mail ----------------------------------------------------------------------------------------------


def test_what_the_issuer_says_of_phones_merges_nobody(people, issuer):
    """The claims name a phone that has an account; still the pass is nobody's until its holder binds it."""
    actor, phone = people.register()
    issuer.claims = {"phone_number": phone, "phone_number_verified": True}
    with pytest.raises(NotFound, match=r"identity\.pass_unbound"):
        enter(people, begin(people, issuer, str(uuid.uuid4())))
    assert people.call("list_passes", {}, actor)["items"] == []


# --- who may bind ------------------------------------------------------------------------------------------------------------


def test_binding_and_unbinding_need_a_fresh_code_from_the_phone(people, issuer, holder):
    actor, _, _ = holder
    with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
        start(people, "start_pass_binding", actor)
    [bound] = people.call("list_passes", {}, actor)["items"]
    with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
        people.call("unbind_pass", {"pass_id": bound["pass_id"]}, actor)
    with pytest.raises(NotAllowed, match=r"shared\.sign_in_first"):
        start(people, "start_pass_binding", anonymous())


def test_a_pass_is_one_accounts(people, issuer, holder):
    _, _, subject = holder
    other, _ = people.register()
    with pytest.raises(Conflict, match=r"identity\.pass_taken"):
        bind(people, issuer, other, subject)


def test_an_account_has_one_pass_of_an_issuer(people, issuer, holder):
    actor, _, subject = holder
    with pytest.raises(Conflict, match=r"identity\.pass_bound_already"):
        bind(people, issuer, actor)
    assert bind(people, issuer, actor, subject)["issuer"] == "smartedu"  # the same one again: nothing new
    assert bind(people, issuer, actor, subject, name="second")["issuer"] == "second"
    assert len(people.call("list_passes", {}, actor)["items"]) == 2


def test_two_issuers_may_use_one_name(people, issuer, holder):
    _, _, subject = holder
    other, _ = people.register()
    bind(people, issuer, other, subject, name="second")
    begun = start(people, "start_pass_sign_in", anonymous(), "second")
    back = issuer.sign_in(begun["authorisation_url"], subject)
    opened = enter(people, {**back, "client_key": begun["client_key"]})
    assert opened["account"]["account_id"] == str(other.account_id)


def test_of_two_who_bind_one_pass_at_once_one_gets_it(people, issuer, in_parallel):
    subject, ready = str(uuid.uuid4()), []
    for _ in range(2):
        actor, _ = people.register()
        begun = start(people, "start_pass_binding", elevated(actor))
        back = issuer.sign_in(begun["authorisation_url"], subject)
        ready.append((actor, {**back, "client_key": begun["client_key"]}))
    waiting = list(ready)

    def complete():
        actor, back = waiting.pop()
        return people.call("complete_pass_binding", back, actor)

    outcomes = in_parallel(2, complete)
    assert sorted(getattr(outcome, "code", "bound") for outcome in outcomes) == ["bound", "identity.pass_taken"]


# --- state, nonce, PKCE, replay ----------------------------------------------------------------------------------------------


def over(people, back, **changes):
    with pytest.raises(InvalidInput, match=r"identity\.pass_flow_over"):
        enter(people, {**back, **changes})


def test_an_answer_is_worth_nothing_in_another_browser(people, issuer, holder):
    """Login CSRF: a stranger's code and state, slipped to a victim, whose client never began this."""
    back = begin(people, issuer, holder[2])
    over(people, back, client_key=begin(people, issuer, holder[2])["client_key"])
    over(people, back, client_key="x")
    over(people, back, state="x")
    assert enter(people, back)


def test_an_authorisation_works_once(people, issuer, holder):
    back = begin(people, issuer, holder[2])
    assert enter(people, back)
    over(people, back)


def test_but_a_lost_answer_comes_again(people, issuer, holder):
    back = begin(people, issuer, holder[2])
    asked = issuer.token_requests
    first, second = (enter(people, back, "the-same-command") for _ in range(2))
    assert first["account"] == second["account"]
    assert issuer.token_requests == asked + 1


def test_parallel_redemptions_ask_the_issuer_once(people, issuer, holder, in_parallel):
    back = begin(people, issuer, holder[2])
    asked = issuer.token_requests
    outcomes = in_parallel(4, lambda: enter(people, back))
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 1
    assert issuer.token_requests == asked + 1


def test_it_is_over_after_ten_minutes(people, issuer, holder):
    back = begin(people, issuer, holder[2])
    people.pass_time(minutes=10)
    over(people, back)


def test_a_binding_is_no_sign_in_and_nobody_elses(people, issuer):
    actor, _ = people.register()
    other, _ = people.register()
    begun = start(people, "start_pass_binding", elevated(actor))
    back = {**issuer.sign_in(begun["authorisation_url"], "x"), "client_key": begun["client_key"]}
    over(people, back)
    for somebody in (other, dataclasses.replace(actor, session_id=uuid.uuid4())):
        with pytest.raises(InvalidInput, match=r"identity\.pass_flow_over"):
            people.call("complete_pass_binding", back, somebody)
    sign_in = begin(people, issuer, "x")
    with pytest.raises(InvalidInput, match=r"identity\.pass_flow_over"):
        people.call("complete_pass_binding", sign_in, actor)
    assert people.call("complete_pass_binding", back, actor)["issuer"] == "smartedu"


def test_a_code_of_another_authorisation_is_refused_by_its_challenge(people, issuer, holder):
    """PKCE: a stolen code, put into an authorisation of one's own."""
    victim, thief = begin(people, issuer, holder[2]), begin(people, issuer, "thief")
    with pytest.raises(InvalidInput, match=r"identity\.pass_refused"):
        enter(people, {**thief, "code": victim["code"]})


def test_the_issuers_own_name_in_the_answer_is_compared(people, issuer, holder):
    back = begin(people, issuer, holder[2])
    with pytest.raises(InvalidInput, match=r"identity\.pass_refused"):
        enter(people, {**back, "iss": "https://other.example"})
    assert enter(people, {**begin(people, issuer, holder[2]), "iss": issuer.url})


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": None},
        {"aud": [CLIENT_ID, "somebody-else"]},
        {"aud": [CLIENT_ID, "somebody-else"], "azp": "somebody-else"},
        {"azp": "somebody-else"},
        {"iss": "https://other.example"},
        {"iss": None},
        {"exp": 1_600_000_000},
        {"exp": None},
        {"exp": "soon"},
        {"iat": 1_600_000_000},
        {"iat": None},
        {"iat": time.time() + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "名"},
    ],
)
def test_a_token_that_is_not_for_us_is_refused(people, issuer, holder, claims):
    issuer.claims = claims
    with pytest.raises(InvalidInput, match=r"identity\.pass_refused"):
        enter(people, begin(people, issuer, holder[2]))


@pytest.mark.parametrize(
    ("audience", "party"), [([CLIENT_ID], None), ([CLIENT_ID, "other"], CLIENT_ID), (CLIENT_ID, CLIENT_ID)]
)
def test_audiences_that_are_good(people, issuer, holder, audience, party):
    issuer.claims = {"aud": audience, "azp": party}
    assert enter(people, begin(people, issuer, holder[2]))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_only_the_issuers_own_signature_counts(people, issuer, holder, algorithm):
    issuer.header = {"alg": algorithm}
    with pytest.raises(InvalidInput, match=r"identity\.pass_refused"):
        enter(people, begin(people, issuer, holder[2]))


def test_a_forged_signature_is_refused(people, issuer, holder):
    issuer.signing_key = RSAKey.generate_key(2048, {"kid": issuer.key.kid})
    with pytest.raises(InvalidInput, match=r"identity\.pass_refused"):
        enter(people, begin(people, issuer, holder[2]))


def test_sabotage_without_looking_at_the_claims_a_foreign_token_signs_in(people, issuer, holder, monkeypatch):
    """The twin of the tests above."""
    from services.identity.passes import issuers as module

    monkeypatch.setattr(module, "_is_for_us", lambda *_: True)
    issuer.claims = {"aud": "somebody-else", "nonce": "another"}
    assert enter(people, begin(people, issuer, holder[2]))


# --- the issuer as others find it ----------------------------------------------------------------------------------------


def test_what_an_issuer_publishes_is_kept_and_new_keys_are_looked_for(people, issuer, holder):
    before = (issuer.discoveries, issuer.key_requests)
    for _ in range(3):
        enter(people, begin(people, issuer, holder[2]))
    assert (issuer.discoveries, issuer.key_requests) == before
    people.service.pass_issuers._cache = {
        name: (loaded - 61, value) for name, (loaded, value) in people.service.pass_issuers._cache.items()
    }
    old, issuer.key = issuer.key, RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
    assert enter(people, begin(people, issuer, holder[2]))
    assert issuer.key_requests == before[1] + 1
    # Made-up key ids do not make us ask each time.
    issuer.header = {"kid": "made-up"}
    for _ in range(3):
        with pytest.raises(InvalidInput, match=r"identity\.pass_refused"):
            enter(people, begin(people, issuer, holder[2]))
    assert issuer.key_requests == before[1] + 1
    issuer.key = old


@pytest.mark.parametrize(
    "answer",
    [
        (500, (), {}),
        (503, (), b"busy"),
        (200, (), b"not json"),
        (200, (), b"[1]"),
        (200, (), b"{" + b" " * 300_000 + b"}"),
        (302, (("Location", "http://127.0.0.1:1/"),), {}),
    ],
)
def test_an_issuer_that_is_out_of_order_is_said_so(people, issuer, holder, answer):
    issuer.answer = answer
    with pytest.raises(Unavailable, match=r"identity\.pass_unavailable"):
        enter(people, begin(people, issuer, holder[2]))


@pytest.mark.parametrize("answer", [(400, (), {"error": "invalid_grant"}), (401, (), {}), (200, (), {})])
def test_an_issuer_that_says_no_is_believed(people, issuer, holder, answer):
    issuer.answer = answer
    with pytest.raises(InvalidInput, match=r"identity\.pass_refused"):
        enter(people, begin(people, issuer, holder[2]))


def test_an_issuer_that_does_not_answer_costs_seconds_and_no_more(people, issuer, holder):
    back = begin(people, issuer, holder[2])
    issuer.delay = 4
    started = time.monotonic()
    with pytest.raises(Unavailable, match=r"identity\.pass_unavailable"):
        enter(people, back, "a-slow-command")
    assert time.monotonic() - started < 3
    people.service.pass_issuers = issuers("http://127.0.0.1:1")
    with pytest.raises(Unavailable, match=r"identity\.pass_unavailable"):
        start(people, "start_pass_sign_in", anonymous())


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://198.51.100.7/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "https://user:word@issuer.example/token"},
    ],
)
def test_a_discovery_document_must_be_the_issuers_and_safe(people, issuer, discovery):
    issuer.discovery = discovery
    with pytest.raises(Unavailable, match=r"identity\.pass_unavailable"):
        start(people, "start_pass_sign_in", anonymous())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"issuer": "nobody", "redirect_uri": REDIRECT}, "identity.pass_issuer_unknown"),
        ({"issuer": "smartedu", "redirect_uri": "https://evil.example/"}, "identity.pass_redirect_unknown"),
        ({"issuer": "smartedu", "redirect_uri": REDIRECT + "/more"}, "identity.pass_redirect_unknown"),
        ({"issuer": "smartedu"}, "shared.invalid"),
        ({"issuer": "smartedu", "redirect_uri": REDIRECT, "state": "mine"}, "shared.invalid"),
    ],
)
def test_only_known_issuers_and_addresses(people, issuer, arguments, code):
    with pytest.raises(InvalidInput) as refusal:
        people.call("start_pass_sign_in", arguments, anonymous())
    assert refusal.value.code == code


# --- unbinding -------------------------------------------------------------------------------------------------------------


def unbind(people, actor):
    [bound, *_] = people.call("list_passes", {}, actor)["items"]
    return people.call("unbind_pass", {"pass_id": bound["pass_id"]}, elevated(actor))


def test_an_unbound_pass_opens_nothing(people, issuer, holder):
    actor, phone, subject = holder
    stranger, _ = people.register()
    [bound] = people.call("list_passes", {}, actor)["items"]
    with pytest.raises(NotFound, match=r"identity\.pass_unknown"):
        people.call("unbind_pass", {"pass_id": bound["pass_id"]}, elevated(stranger))
    unbind(people, actor)
    with pytest.raises(NotFound, match=r"identity\.pass_unbound"):
        enter(people, begin(people, issuer, subject))
    with pytest.raises(NotFound, match=r"identity\.pass_unknown"):
        people.call("unbind_pass", {"pass_id": bound["pass_id"]}, elevated(actor))
    Phones(people).send()
    assert [text for text in Phones(people).messages(phone) if "已解绑" in text]
    bind(people, issuer, stranger, subject)  # free for somebody else


def test_the_last_way_in_stays(people, issuer):
    phones = Phones(people)
    actor, phone, id_no = phones.teacher()
    with people.database.work() as db:
        db.execute(sa.text("UPDATE account SET password_hash = NULL WHERE id = :id"), {"id": actor.account_id})
    bind(people, issuer, actor)
    asked = phones.submitted(phone, id_no)
    with pytest.raises(Conflict, match=r"identity\.pass_last_way_in"):
        unbind(people, actor)
    bind(people, issuer, actor, name="second")
    unbind(people, actor)
    with pytest.raises(Conflict, match=r"identity\.pass_last_way_in"):
        unbind(people, actor)
    phones.call("withdraw_phone_ticket", asked.reference, anonymous())
    unbind(people, actor)
    assert people.call("list_passes", {}, actor)["items"] == []


# --- personal data, keys, closed accounts --------------------------------------------------------------------------------------


def test_nothing_of_a_pass_is_in_clear_anywhere(people, issuer, holder):
    back = begin(people, issuer, holder[2])
    enter(people, back)
    for table in ("pass_binding", "pass_flow", "audit", "outbox", "idempotency", "notice"):
        for secret in (holder[2], back["state"], back["client_key"], back["code"]):
            assert (
                people.scalar(f"SELECT count(*) FROM {table} WHERE {table}::text LIKE :text", text=f"%{secret}%") == 0
            )


def test_after_a_rotation_passes_are_resealed_and_still_found(people, issuer, holder, keyring):
    from services.identity.passes.models import PassBinding
    from services.identity.vault import Vault
    from services.shared.crypto import KeySet

    fields, indexes = KeySet.of(keyring, "field-encryption"), KeySet.of(keyring, "blind-index")
    newer = Vault(
        KeySet("newer", {**fields.secrets, "newer": b"1" * 32}),
        KeySet("newer", {**indexes.secrets, "newer": b"2" * 32}),
    )
    old, people.service.vault = people.service.vault, newer
    try:
        assert enter(people, begin(people, issuer, holder[2]))  # before resealing, by the older key
        with people.database.work() as db:
            while pass_actions.reseal_passes(db, newer):
                pass
            binding = db.scalars(sa.select(PassBinding).where(PassBinding.account_id == holder[0].account_id)).one()
            assert binding.subject_index.startswith("newer.")
            db.rollback()
    finally:
        people.service.vault = old


def test_stale_authorisations_are_forgotten(people, issuer):
    state = token_hash(begin(people, issuer, "x")["state"])
    for left in (1, 0):
        people.service.forget_pass_flows(clock.now())
        assert people.scalar("SELECT count(*) FROM pass_flow WHERE state_hash = :state", state=state) == left
        people.pass_time(days=1, minutes=1)


def test_a_slow_issuer_holds_up_nobody_else(issuer):
    """Identity's processes run on eventlet: one thread that must never stand still."""
    proofs = []
    for number in range(6):
        verifier, nonce = f"verifier-{number}" * 5, f"nonce-{number}"
        issuer.codes[f"code-{number}"] = {
            "code_challenge": challenge_of(verifier),
            "redirect_uri": REDIRECT,
            "nonce": nonce,
            "sub": f"teacher-{number}",
        }
        proofs.append((f"code-{number}", verifier, nonce))
    issuer.delay = 0.7
    printed = subprocess.run(
        [sys.executable, "-m", "tests.component.identity.parallel_passes", issuer.url, json.dumps(proofs)],
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    told = json.loads(printed)
    assert told["subjects"] == [f"teacher-{number}" for number in range(6)]
    # Discovery, token and keys, 0.7 s each; one after the other six would take twelve seconds.
    assert told["took"] < 5
    assert told["late"] < 0.5


# --- against an issuer that others wrote -----------------------------------------------------------------------------------


def test_against_a_real_issuer(people, tmp_path):
    """oidc-provider-mock, built on Authlib: discovery, login form, code, token and keys as somebody else does them."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/.well-known/openid-configuration")
        people.service.pass_issuers = issuers(
            requests.get(f"{url}/.well-known/openid-configuration", timeout=5).json()["issuer"]
        )
        actor, _ = people.register()
        subject = f"teacher-{uuid.uuid4()}"
        begun = start(people, "start_pass_binding", elevated(actor))
        bound = people.call(
            "complete_pass_binding",
            {**at_the_form(begun["authorisation_url"], subject), "client_key": begun["client_key"]},
            actor,
        )
        assert bound["issuer"] == "smartedu"
        begun = start(people, "start_pass_sign_in", anonymous())
        opened = enter(people, {**at_the_form(begun["authorisation_url"], subject), "client_key": begun["client_key"]})
        assert opened["account"]["account_id"] == str(actor.account_id)
    finally:
        process.terminate()
        process.wait(10)


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url):
    for _ in range(200):
        try:
            requests.get(url, timeout=1)
            return
        except requests.RequestException:
            time.sleep(0.1)
    pytest.fail("the issuer did not start")


def at_the_form(authorisation_url, subject):
    """Type a name into the issuer's form, as a person does; what comes back to our address."""
    from urllib.parse import parse_qs, urlsplit

    answer = requests.post(authorisation_url, data={"sub": subject}, allow_redirects=False, timeout=5)
    assert answer.status_code in (302, 303), answer.text
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {"code": back["code"][0], "state": back["state"][0]}
