"""Badges as such: multibase, did:web, a canonical form that refuses what it does not know; no forged one passes."""

import base64
import copy
import os
import random

import pytest

from services.certs import rules
from services.certs.badges import building, multibase, proofs, rdf
from services.certs.signing import Signer, Verifier
from services.shared.keys import KeyRing

# S12 of the reliability goals: 100,000 in a full run.
FORGERIES = int(os.environ.get("YANXIU_FORGERIES", "10000"))


# From the multibase specification and RFC drafts of base58.
@pytest.mark.parametrize(
    ("data", "text"),
    [(b"yes mani !", "z7paNL19xttacUY"), (b"\0yes mani !", "z17paNL19xttacUY"), (b"", "z"), (b"\0\0", "z11")],
)
def test_base58(data, text):
    assert multibase.encode(data) == text


@pytest.mark.parametrize(
    ("address", "did"),
    [
        ("https://yanxiu.example", "did:web:yanxiu.example"),
        ("http://127.0.0.1:8080", "did:web:127.0.0.1%3A8080"),
        ("https://example.org/training", "did:web:example.org:training"),
    ],
)
def test_did_web(address, did):
    assert building.did_of(address) == did


def test_the_statements_are_sorted_and_escaped():
    document = {"id": "https://x.example/1", "type": "Profile", "name": 'a"b\\c\n\x01é'}
    kind = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    assert rdf.canonical(document).decode().splitlines() == [
        f"<https://x.example/1> <{kind}> <https://purl.imsglobal.org/spec/vc/ob/vocab.html#Profile> .",
        '<https://x.example/1> <https://schema.org/name> "a\\"b\\\\c\\n\\u0001é" .',
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"id": "https://x.example/1", "unknown": "x"},
        {"id": "https://x.example/1", "type": "Unknown"},
        {"id": "https://x.example/1", "issuer": {"name": "nameless"}},
        {"type": "DataIntegrityProof", "issuer": {"name": "a second nameless"}},
        {"id": "relative", "name": "x"},
        {"id": "https://x.example/a b", "name": "x"},
        {"id": "https://x.example/名", "name": "x"},
    ],
)
def test_what_is_not_in_the_table_is_never_left_out_of_what_is_signed(document):
    with pytest.raises((ValueError, KeyError)):
        rdf.canonical(document)


def test_the_first_bit_is_the_highest_of_the_first_byte():
    assert building.encode_list([]) != building.encode_list([0]) != building.encode_list([7])
    assert building.encode_list([0, 0]) == building.encode_list([0])


# --- forgeries ----------------------------------------------------------------------------------------------------------


def raw_of(proof_value):
    """The bytes of a multibase text; whatever is no such text has none."""
    alphabet = multibase._ALPHABET
    if not proof_value.startswith("z") or any(each not in alphabet for each in proof_value[1:]):
        return b""
    number = 0
    for each in proof_value[1:]:
        number = number * 58 + alphabet.index(each)
    # Leading zeros are written as ones; one signature in 256 begins with one.
    zeros = len(proof_value) - 1 - len(proof_value[1:].lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)


def accepts(badge, verifier):
    """What a verifier decides that knows our published keys and nothing else."""
    try:
        document = {name: value for name, value in badge.items() if name != "proof"}
        options = {name: value for name, value in badge["proof"].items() if name != "proofValue"}
        key_id = options["verificationMethod"].rpartition("#")[2]
        signature = base64.urlsafe_b64encode(raw_of(badge["proof"]["proofValue"])).rstrip(b"=").decode()
        return verifier.is_genuine(proofs.what_is_signed(document, options), signature, key_id)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    return KeyRing(tmp_path_factory.mktemp("keys"), generate=True)


@pytest.fixture(scope="module")
def genuine(ring):
    statement = rules.Statement(
        number=rules.make_number(2023, 12345),
        edition=1,
        kind="LEARNING",
        programme_code="2023-winter",
        programme_zh="2023年寒假教师研修",
        programme_en="Winter training",
        opens_on="2022-12-02",
        closes_on="2023-02-28",
        hours="6.00",
        issued_at="2023-03-01T00:05:00.000000Z",
        issuer="教师研修平台",
        school_name="广州市第一小学",
        holder_masked="张*明",
        holder_digest="0" * 64,
    )
    base = "https://yanxiu.example"
    return proofs.signed(
        building.credential(statement, 7, base), Signer.of(ring), building.did_of(base), "2023-03-01T00:05:00Z"
    )


def places_of(node, path=()):
    """The path of every value in a document, objects and lists included."""
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield (*path, name)
        if isinstance(value, dict | list):
            yield from places_of(value, (*path, name))


def forged(genuine, paths, chance):
    """A copy with one value changed, moved, doubled or taken away."""
    copied = copy.deepcopy(genuine)
    *way, last = chance.choice(paths)
    holder = copied
    for step in way:
        holder = holder[step]
    value = holder[last]
    match chance.randrange(4):
        case 0 if isinstance(value, str) and value:
            at = chance.randrange(len(value))
            holder[last] = value[:at] + chance.choice("0123456789zA明 #/") + value[at + chance.randrange(2) :]
        case 1:
            del holder[last]
        case 2 if isinstance(holder, dict):
            holder[chance.choice(["validUntil", "name", "id", "description", "unknown"])] = copy.deepcopy(value)
        case _:
            other = copied
            for step in chance.choice(paths):
                other = other[step] if step in other or (isinstance(other, list) and step < len(other)) else other
            holder[last] = copy.deepcopy(other)
    return copied


def meaning(node):
    """One value and a list of that one value are the same statement."""
    if isinstance(node, dict):
        return {name: meaning(value) for name, value in node.items()}
    if isinstance(node, list):
        return meaning(node[0]) if len(node) == 1 else [meaning(each) for each in node]
    return node


@pytest.mark.parametrize("data", [b"\0\0\1", b"\1\0", b"\xff" * 64, b"\0" * 64])
def test_the_bytes_of_a_proof_are_read_back(data):
    assert raw_of(multibase.encode(data)) == data


def test_no_forged_badge_passes(genuine, ring):
    verifier = Verifier.of_published(Verifier.of(ring).published())
    assert accepts(genuine, verifier)
    chance, passed = random.Random(23), []
    # Which context is read with which terms is the verifier's own; the others are what is claimed and proved.
    paths = [path for path in places_of(genuine) if path[0] != "@context"]
    for _ in range(FORGERIES):
        attempt = forged(genuine, paths, chance)
        if meaning(attempt) != meaning(genuine) and accepts(attempt, verifier):
            passed.append(attempt)
    assert passed == []
