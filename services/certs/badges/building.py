"""What the documents say: a certificate as an Open Badge, the status list, the DID document. Pure; signed by `proofs`."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from services.certs import rules
from services.certs.badges import multibase
from services.certs.badges.rdf import CREDENTIALS, OPEN_BADGES
from services.certs.proofs.rules import unit_of
from services.certs.rules import Statement
from services.shared import clock

# The shortest that the standard allows (Bitstring Status List v1.0 §3.2): a reader of one learns not whose status was asked.
LIST_LENGTH: Final = 131_072
PURPOSE: Final = "revocation"
API: Final = "/api/v1"


def did_of(base_url: str) -> str:
    """did:web of the public address: the host, a port with its colon written %3A, then what path there is."""
    parts = urlsplit(base_url)
    return ":".join(["did:web", quote(parts.netloc, safe=""), *(quote(each) for each in parts.path.split("/") if each)])


def credential_url(base_url: str, number: str, edition: int) -> str:
    return f"{base_url}{API}/credentials/{rules.format_number(number)}/{edition}"


def status_list_url(base_url: str, list_number: int) -> str:
    return f"{base_url}{API}/status-lists/{list_number}"


def credential(statement: Statement, status_index: int, base_url: str) -> dict[str, Any]:
    """The badge of one edition, unsigned: what the certificate's signed statement says, and where its status stands.

    The holder appears as on the verification page: masked, and by the salted digest.
    """
    own = credential_url(base_url, statement.number, statement.edition)
    list_number, position = divmod(status_index, LIST_LENGTH)
    in_list = status_list_url(base_url, list_number)
    unit_zh, unit_en = unit_of(statement.kind, statement.programme_code)
    window = f"{statement.opens_on} – {statement.closes_on}"
    return {
        "@context": [CREDENTIALS, OPEN_BADGES],
        "id": own,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": f"{statement.programme_zh} {statement.programme_en}".strip(),
        "issuer": {"id": did_of(base_url), "type": ["Profile"], "name": statement.issuer},
        "validFrom": _seconds(clock.parse_instant(statement.issued_at)),
        "credentialSubject": {
            "id": f"{own}#{statement.holder_digest}",
            "type": ["AchievementSubject"],
            "narrative": f"{statement.holder_masked}（{statement.school_name}），{statement.hours} {unit_zh} {unit_en}, {window}",
            "achievement": {
                "id": f"{own}#achievement",
                "type": ["Achievement"],
                "achievementType": "CertificateOfCompletion",
                "name": statement.programme_zh,
                "description": f"{statement.programme_zh} {statement.programme_en} ({window})",
                "criteria": {"id": f"{own}#criteria", "narrative": _CRITERIA[rules.Kind(statement.kind)]},
            },
        },
        "credentialStatus": {
            "id": f"{in_list}#{position}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": PURPOSE,
            "statusListIndex": str(position),
            "statusListCredential": in_list,
        },
    }


_CRITERIA = {
    rules.Kind.LEARNING: (
        "完成专题规定的课程并取得规定的学时。 Completed the courses that the programme asks for, and earned its hours."
    ),
    rules.Kind.CREDIT: "达到年度继续教育要求。 Met the requirements of the year.",
    rules.Kind.COMPLETION: "完成承训机构的培训，由该机构发证。 Completed a training of the issuing institution.",
    rules.Kind.STUDY_PROOF: "在专题中取得所列学时。 Earned the hours told here in the programme.",
}


def status_list(list_number: int, ended: Iterable[int], base_url: str, at: dt.datetime) -> dict[str, Any]:
    """The status list, unsigned: a bit for each certificate, set where it was revoked or replaced by another edition.

    `ended` are indexes of certificates, of this list only.
    """
    own = status_list_url(base_url, list_number)
    return {
        "@context": [CREDENTIALS],
        "id": own,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": did_of(base_url),
        "validFrom": _seconds(at),
        "credentialSubject": {
            "id": f"{own}#list",
            "type": "BitstringStatusList",
            "statusPurpose": PURPOSE,
            "encodedList": encode_list(index % LIST_LENGTH for index in ended),
        },
    }


def encode_list(positions: Iterable[int]) -> str:
    """GZIP of the bits, the first of a byte its highest, in base64url with the multibase letter u."""
    bits = bytearray(LIST_LENGTH // 8)
    for position in positions:
        bits[position >> 3] |= 0x80 >> (position & 7)
    # Without the time of packing, so that the same bits are the same text.
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(bits), mtime=0)).rstrip(b"=").decode()


def did_document(keys: Mapping[str, bytes], base_url: str) -> dict[str, Any]:
    """The issuer's DID document: every key that signed or signs certificates, by its key id."""
    did = did_of(base_url)
    methods = [
        {
            "id": f"{did}#{key_id}",
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": multibase.of_ed25519_key(raw),
        }
        for key_id, raw in sorted(keys.items())
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": [base_url],
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def whole_minute(at: dt.datetime) -> dt.datetime:
    """A list that has not changed stays the same text for a minute."""
    return at.replace(second=0, microsecond=0)


def _seconds(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
