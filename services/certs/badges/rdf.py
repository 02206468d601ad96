"""The canonical form that a Data Integrity proof signs (RDFC-1.0), for the documents that we write ourselves; pure.

RDF canonicalisation is hard because of nodes without names. Ours all have one: each object of a credential carries its `id`,
and only the proof's own options stay nameless, one node, which is then always `_:c14n0`. What is left is a table of the
terms that we use, and sorting. The table repeats what the three contexts say; an independent implementation checks it in
`tests/clients/test_credentials.py`. A term that is not in it is refused, never left out of what is signed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

CREDENTIALS: Final = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_VC, _STATUS = "https://www.w3.org/2018/credentials#", "https://www.w3.org/ns/credentials/status#"
_BADGE = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
_SECURITY = "https://w3id.org/security#"
_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"

_TYPES: Final = {
    "VerifiableCredential": _VC,
    "OpenBadgeCredential": _BADGE,
    "Profile": _BADGE,
    "AchievementSubject": _BADGE,
    "Achievement": _BADGE,
    "BitstringStatusListEntry": _STATUS,
    "BitstringStatusListCredential": _STATUS,
    "BitstringStatusList": _STATUS,
    "DataIntegrityProof": _SECURITY,
}
# {term: (its IRI, the datatype of a literal)}; "" is plain text, None an IRI or an object with one.
_TERMS: Final[dict[str, tuple[str, str | None]]] = {
    "name": ("https://schema.org/name", ""),
    "description": ("https://schema.org/description", ""),
    "narrative": (f"{_BADGE}narrative", ""),
    "achievementType": (f"{_BADGE}achievementType", ""),
    "achievement": (f"{_BADGE}achievement", None),
    "criteria": (f"{_BADGE}Criteria", None),
    "issuer": (f"{_VC}issuer", None),
    "validFrom": (f"{_VC}validFrom", _DATE_TIME),
    "credentialSubject": (f"{_VC}credentialSubject", None),
    "credentialStatus": (f"{_VC}credentialStatus", None),
    "statusPurpose": (f"{_STATUS}statusPurpose", ""),
    "statusListIndex": (f"{_STATUS}statusListIndex", ""),
    "statusListCredential": (f"{_STATUS}statusListCredential", None),
    "encodedList": (f"{_STATUS}encodedList", f"{_SECURITY}multibase"),
    "created": ("http://purl.org/dc/terms/created", _DATE_TIME),
    "cryptosuite": (f"{_SECURITY}cryptosuite", f"{_SECURITY}cryptosuiteString"),
    "verificationMethod": (f"{_SECURITY}verificationMethod", None),
    "proofPurpose": (f"{_SECURITY}proofPurpose", None),
}
_VOCABULARY: Final = {"assertionMethod": f"{_SECURITY}assertionMethod"}
_NAMELESS: Final = "_:c14n0"


def canonical(document: Mapping[str, Any]) -> bytes:
    """The sorted N-Quads of a document. Raises ValueError for a term that is not in the table, and for a second nameless node."""
    nameless = sum(not each.get("id") for each in _nodes(document))
    if nameless > (0 if document.get("id") else 1):
        raise ValueError("an object without an id")
    return "".join(sorted(set(_statements(document)))).encode()


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for term, value in node.items():
        if term != "@context" and isinstance(value, Mapping):
            yield from _nodes(value)


def _statements(node: Mapping[str, Any]) -> Iterator[str]:
    subject = _iri(node["id"]) if "id" in node else _NAMELESS
    for term, value in node.items():
        if term in ("@context", "id"):
            continue
        if term == "type":
            for name in [value] if isinstance(value, str) else value:
                if name not in _TYPES:
                    raise ValueError(f"the type {name} is not in the table")
                yield f"{subject} <{_TYPE}> <{_TYPES[name]}{name}> .\n"
            continue
        if term not in _TERMS:
            raise ValueError(f"the term {term} is not in the table")
        predicate, datatype = _TERMS[term]
        if datatype is None:
            name = value["id"] if isinstance(value, Mapping) else _VOCABULARY.get(value, value)
            yield f"{subject} <{predicate}> {_iri(name)} .\n"
            if isinstance(value, Mapping):
                yield from _statements(value)
        else:
            yield f"{subject} <{predicate}> {_literal(value)}{f'^^<{datatype}>' if datatype else ''} .\n"


def _iri(name: str) -> str:
    if not name.isascii() or any(each in '<>"{}|^`\\ ' or each < " " for each in name) or ":" not in name:
        raise ValueError("not an absolute IRI")
    return f"<{name}>"


_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _literal(text: str) -> str:
    # RDFC-1.0, "canonical N-Quads": short escapes where there are any, \uXXXX for other controls, nothing else.
    return (
        '"'
        + "".join(
            _ESCAPES.get(each) or (f"\\u{ord(each):04X}" if each < " " or each == "\x7f" else each) for each in text
        )
        + '"'
    )
