"""Signatures: genuine ones pass, through rotations too; everything else does not."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.certs.signing import Signer, Verifier
from services.shared.keys import KeyRing


@pytest.fixture
def ring(tmp_path):
    return KeyRing(tmp_path, generate=True)


def rotate(ring):
    """Retire the certificate key, as the key ring's module says, and open the folder anew."""
    old_id = ring.key_id("certificate")
    (ring.folder / "certificate.key").rename(ring.folder / f"certificate.{old_id}.key")
    (ring.folder / "certificate.pub").unlink()
    return KeyRing(ring.folder, generate=True)


def test_a_signature_passes_for_exactly_its_statement(ring):
    signer, verifier = Signer.of(ring), Verifier.of(ring)
    signature = signer.sign(b"statement")
    assert verifier.is_genuine(b"statement", signature, signer.key_id)
    assert not verifier.is_genuine(b"Statement", signature, signer.key_id)
    assert not verifier.is_genuine(b"statement", signature, "00000000")


@pytest.mark.parametrize("signature", ["", "A" * 86, "A" * 85, "签名", "!" * 86, "A" * 10_000])
def test_what_is_no_signature_does_not_pass(ring, signature):
    assert not Verifier.of(ring).is_genuine(b"statement", signature, Signer.of(ring).key_id)


def test_a_signature_has_only_one_text(ring):
    signer, verifier = Signer.of(ring), Verifier.of(ring)
    signature = signer.sign(b"statement")
    for other in (signature + "==", signature + "\n", " " + signature, signature[:40] + "\n" + signature[40:]):
        assert not verifier.is_genuine(b"statement", other, signer.key_id)


def test_old_certificates_pass_after_a_rotation_and_both_keys_are_published(ring):
    old = Signer.of(ring)
    signature = old.sign(b"statement")
    ring = rotate(ring)
    new, verifier = Signer.of(ring), Verifier.of(ring)
    assert new.key_id != old.key_id
    assert verifier.is_genuine(b"statement", signature, old.key_id)
    assert not verifier.is_genuine(b"statement", signature, new.key_id)
    published = {key["kid"]: key for key in verifier.published()["keys"]}
    assert set(published) == {old.key_id, new.key_id}
    assert all((key["kty"], key["crv"], len(key["x"])) == ("OKP", "Ed25519", 43) for key in published.values())


def test_another_issuer_s_key_does_not_pass(ring):
    stranger = Signer(Signer.of(ring).key_id, Ed25519PrivateKey.generate())
    assert not Verifier.of(ring).is_genuine(b"statement", stranger.sign(b"statement"), stranger.key_id)
