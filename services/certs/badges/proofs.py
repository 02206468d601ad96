"""Data Integrity proofs `eddsa-rdfc-2022` (W3C Data Integrity EdDSA Cryptosuites v1.0 §3.2) over documents of ours."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from services.certs.badges import multibase, rdf
from services.certs.signing import Signer

CRYPTOSUITE: Final = "eddsa-rdfc-2022"


def signed(document: dict[str, Any], signer: Signer, did: str, created: str) -> dict[str, Any]:
    """The document with its proof. The same document, key and moment give the same bytes."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": created,
        "verificationMethod": f"{did}#{signer.key_id}",
        "proofPurpose": "assertionMethod",
    }
    proof_value = multibase.encode(signer.sign_raw(what_is_signed(document, options)))
    return {**document, "proof": {**options, "proofValue": proof_value}}


def what_is_signed(document: dict[str, Any], options: dict[str, Any]) -> bytes:
    """SHA-256 of the proof's options, then of the document, both in their canonical form."""
    return hashlib.sha256(rdf.canonical(options)).digest() + hashlib.sha256(rdf.canonical(document)).digest()
