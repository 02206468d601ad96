"""Badges as such: multibase, did:web, and a canonical form that refuses what it does not know."""

import pytest

from services.certs.badges import building, multibase, rdf


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
