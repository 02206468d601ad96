"""The QR code without a network: genuine ones pass, nothing forged does."""

from __future__ import annotations

import base64
import dataclasses
import os
import random

import pytest

from services.certs import offline, rules
from services.certs.offline import Seal, SealError, check_seal
from services.certs.signing import Signer, Verifier
from services.shared.keys import KeyRing

# S12 of the reliability goals: 100,000 in a full run.
FORGERIES = int(os.environ.get("YANXIU_FORGERIES", "10000"))
SEAL = Seal(rules.make_number(2023, 12345), 1, "LEARNING", "6.00", "2023-03-01", "2023-winter", "张*明")
ADDRESS = f"https://example.org/verify/{SEAL.number}"


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    return KeyRing(tmp_path_factory.mktemp("keys"), generate=True)


@pytest.fixture(scope="module")
def verifier(ring):
    """As a stranger has it: from the published keys."""
    return Verifier.of_published(Verifier.of(ring).published())


@pytest.fixture(scope="module")
def fragment(ring):
    signer = Signer.of(ring)
    return SEAL.compose(signer.sign(SEAL.signed_text()), signer.key_id)


def test_a_genuine_one_tells_its_facts(fragment, verifier):
    for scanned in (fragment, f"{ADDRESS}#{fragment}", f"{ADDRESS}/#{fragment}\n"):
        assert check_seal(scanned, verifier) == SEAL


def test_names_travel_exactly(ring, verifier):
    for name in ("欧**修", 'a"b', "张|*", "𠮷*", "M***n", "·*"):
        seal, signer = dataclasses.replace(SEAL, holder_masked=name), Signer.of(ring)
        assert check_seal(seal.compose(signer.sign(seal.signed_text()), signer.key_id), verifier).holder_masked == name


@pytest.mark.parametrize(
    ("change", "value"),
    [("number", rules.make_number(2023, 54321)), ("hours", "60.00"), ("edition", 2), ("holder_masked", "李*明")],
)
def test_other_facts_under_the_same_signature_do_not_pass(fragment, verifier, change, value):
    _, signature, key_id = fragment.split(".")
    with pytest.raises(SealError, match="signature"):
        check_seal(dataclasses.replace(SEAL, **{change: value}).compose(signature, key_id), verifier)


def test_a_genuine_seal_on_another_address_does_not_pass(fragment, verifier):
    with pytest.raises(SealError, match="another certificate"):
        check_seal(f"https://example.org/verify/{rules.make_number(2023, 54321)}#{fragment}", verifier)


def test_no_other_signature_of_ours_is_a_seal(ring, verifier):
    # Signed by the same key, but as a statement: the first line of what is signed keeps them apart.
    signer = Signer.of(ring)
    with pytest.raises(SealError, match="signature"):
        check_seal(SEAL.compose(signer.sign(SEAL.text()), signer.key_id), verifier)


@pytest.mark.parametrize(
    "scanned",
    [
        "",
        "#",
        "..",
        "a.b.c",
        ADDRESS,
        f"{ADDRESS}#",
        "x" * 100_000,
        base64.urlsafe_b64encode(b"[" * 500).decode() + ".A.k",
        base64.urlsafe_b64encode(b'["\\ud800",1,"a","b","c","d","e"]').decode().rstrip("=") + ".A.k",
        base64.urlsafe_b64encode(b"[1,2,3]").decode() + ".A.k",
        base64.urlsafe_b64encode(b'{"number":1}').decode().rstrip("=") + ".A.k",
        base64.urlsafe_b64encode(b"[NaN,1,2,3,4,5,6]").decode().rstrip("=") + ".A.k",
        "证书.签名.键",
    ],
)
def test_what_is_no_seal_is_refused_and_nothing_breaks(scanned, verifier):
    with pytest.raises(SealError):
        check_seal(scanned, verifier)


def test_no_altered_one_passes(fragment, verifier):
    chance, accepted = random.Random(11), 0
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=#"
    for _ in range(FORGERIES):
        at, new = chance.randrange(len(fragment)), chance.choice(alphabet)
        forged = fragment[:at] + new + fragment[at + chance.randrange(2) :]
        try:
            accepted += forged != fragment and check_seal(forged, verifier) is not None
        except SealError:
            continue
    assert accepted == 0


def test_without_the_check_of_the_signature_forgeries_pass(fragment):
    class Believing:
        def is_genuine(self, *_):
            return True

    forged = dataclasses.replace(SEAL, hours="60.00").compose("A" * 86, "00000000")
    assert check_seal(forged, Believing()).hours == "60.00"


@pytest.mark.parametrize("key_set", [{}, [], None, {"keys": []}, {"keys": [{"crv": "Ed25519"}]}, {"keys": [{"x": 1}]}])
def test_what_is_no_key_set_says_so(key_set):
    with pytest.raises(ValueError, match=r"[Kk]ey"):
        Verifier.of_published(key_set)


def test_the_longest_code_fits_a_qr_code(ring):
    import segno

    signer = Signer.of(ring)
    seal = dataclasses.replace(SEAL, programme_code="2023-" + "x" * 60, holder_masked="𠮷***𠮷")
    code = segno.make(f"{ADDRESS}#{seal.compose(signer.sign(seal.signed_text()), signer.key_id)}", error="m")
    # 28 mm on the paper: below a third of a millimetre a module, telephones fail.
    assert 28 / code.symbol_size(border=2)[0] > 0.33, code.version
    assert len(seal.text()) < offline._LONGEST
