"""Rules of passes: authorisations, the last way in, the operator's file of issuers."""

import datetime as dt
import itertools
from pathlib import Path

import pytest

from services.identity.passes import rules
from services.identity.passes.issuers import challenge_of, is_safe_url, read_issuers
from services.identity.passes.rules import Purpose, Stage
from services.shared.settings import SettingsError

NOW = dt.datetime(2023, 1, 10, 2, tzinfo=dt.UTC)
SOON = NOW + dt.timedelta(minutes=1)


def test_an_authorisation_is_redeemed_once_in_time_and_for_its_purpose():
    fresh = Stage(Purpose.BIND, SOON, None)
    assert rules.is_redeemable(fresh, Purpose.BIND, "one", NOW)
    assert not rules.is_redeemable(fresh, Purpose.SIGN_IN, "one", NOW)
    assert not rules.is_redeemable(fresh, Purpose.BIND, "one", SOON)
    used = Stage(Purpose.BIND, SOON, "one")
    assert rules.is_redeemable(used, Purpose.BIND, "one", NOW)
    assert not rules.is_redeemable(used, Purpose.BIND, "two", NOW)


@pytest.mark.parametrize(("password", "dead", "others"), list(itertools.product((True, False), (True, False), (0, 1))))
def test_the_last_way_in(password, dead, others):
    kept = rules.is_last_way_in(has_password=password, phone_is_dead=dead, other_passes=others)
    assert kept is (dead and not password and not others)


@pytest.mark.parametrize(
    ("subject", "good"),
    [
        ("a", True),
        ("x" * 255, True),
        ("x" * 256, False),
        ("", False),
        ("名", False),
        ("a\n", False),
        (7, False),
        (None, False),
    ],
)
def test_what_an_issuer_may_call_somebody(subject, good):
    assert rules.is_subject(subject) is good


def test_the_challenge_of_rfc_7636():
    """Appendix B of the RFC."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("url", "development", "safe"),
    [
        ("https://issuer.example/token", False, True),
        ("http://issuer.example/token", False, False),
        ("http://127.0.0.1:9/token", False, False),
        ("http://127.0.0.1:9/token", True, True),
        ("http://issuer.example/token", True, False),
        ("https://user:word@issuer.example/", False, False),
        ("javascript:alert(1)", True, False),
        ("file:///etc/passwd", True, False),
        ("https://", False, False),
        (None, True, False),
        (7, True, False),
    ],
)
def test_secrets_go_to_https_only(url, development, safe):
    assert is_safe_url(url, development=development) is safe


GOOD = """
- name: smartedu
  issuer: https://issuer.example
  client_id: yanxiu
  client_secret: "a secret"
  title: {zh: 智教中国, en: National pass}
  redirect_uris: ["https://yanxiu.example/pass-callback"]
"""


def written(tmp_path, text):
    path = tmp_path / "passes.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file_is_read(tmp_path):
    issuers = read_issuers(written(tmp_path, GOOD), development=False)
    assert issuers["smartedu"].issuer == "https://issuer.example"
    assert issuers["smartedu"].scopes == ("openid",)
    assert "a secret" not in repr(issuers)


@pytest.mark.parametrize(
    "text",
    [
        GOOD + GOOD,
        GOOD.replace("https://issuer.example", "http://issuer.example"),
        GOOD.replace("client_secret", "client_secrets"),
        GOOD.replace("  client_id: yanxiu\n", ""),
        GOOD.replace("name: smartedu", "name: Smart Edu"),
        GOOD + '  scopes: ["profile"]\n',
        "smartedu",
        "- [",
    ],
)
def test_a_file_that_is_not_whole_stops_the_service_and_is_not_quoted(tmp_path, text):
    with pytest.raises(SettingsError) as refusal:
        read_issuers(written(tmp_path, text), development=False)
    assert "a secret" not in str(refusal.value)


def test_the_example_is_whole_but_for_the_secret(tmp_path):
    example = (Path(__file__).resolve().parents[3] / "deploy" / "passes.example.yaml").read_text(encoding="utf-8")
    with pytest.raises(SettingsError):
        read_issuers(written(tmp_path, example), development=False)
    filled = example.replace('client_secret: ""', "client_secret: given")
    assert list(read_issuers(written(tmp_path, filled), development=False)) == ["smartedu"]


def test_a_missing_file_is_said_so(tmp_path):
    with pytest.raises(SettingsError):
        read_issuers(tmp_path / "none.yaml", development=True)
