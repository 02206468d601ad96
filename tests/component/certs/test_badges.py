"""Badges before an independent implementation (@digitalbazaar/vc): what it accepts, and that it refuses what was altered."""

import base64
import copy
import gzip

import pytest
import sqlalchemy as sa

from services.certs.badges import multibase
from services.certs.badges.building import LIST_LENGTH
from services.shared.actor import ANONYMOUS
from services.shared.errors import InvalidInput, NotFound
from tests.clients import independent
from tests.clients.independent import needs_node
from tests.component.certs.test_corrections import (  # noqa: F401  fixtures
    act_on,
    approver,
    issue,
    propose,
    proposer,
    wallet,
)


def badge(season, number, edition=1):
    return season.certs.call("get_credential", {"number": number, "edition": edition}, ANONYMOUS)["credential"]


def status_list(season, list_number=0):
    return season.certs.call("get_status_list", {"list_number": list_number}, ANONYMOUS)["credential"]


def did(season):
    return season.certs.call("get_did_document", {}, ANONYMOUS)["document"]


def number_of(season, teacher):
    return wallet(season, teacher)[0]["number"]


def bits(listed):
    encoded = listed["credentialSubject"]["encodedList"]
    assert encoded[0] == "u"
    raw = gzip.decompress(base64.urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4)))
    assert len(raw) * 8 == LIST_LENGTH
    return {position for position in range(LIST_LENGTH) if raw[position >> 3] & 0x80 >> (position & 7)}


def position_of(credential):
    return int(credential["credentialStatus"]["statusListIndex"])


def judged(season, *credentials):
    return independent.verify(did(season), [status_list(season)], credentials)


@needs_node
def test_others_accept_a_valid_badge_and_see_the_revocation(season, issue, proposer, approver):  # noqa: F811
    (kept, _), (lost, lost_id) = issue("张小明", '阿依努尔·"买买提"\\')
    before = [badge(season, number_of(season, each)) for each in (kept, lost)]
    assert judged(season, *before) == [{"verified": True, "status": [False]}] * 2
    ended = bits(status_list(season))
    act_on(season, "approve", propose(season, proposer, "REVOKE", lost_id), approver)
    # The signature stays good; what counts is the bit, which the verifier read out of the signed list.
    assert judged(season, *before) == [{"verified": True, "status": [False]}, {"verified": True, "status": [True]}]
    assert bits(status_list(season)) - ended == {position_of(before[1])}


@needs_node
def test_a_replaced_edition_ends_and_the_next_one_holds(season, issue, proposer, approver):  # noqa: F811
    [(teacher, certificate_id)] = issue("张小名")
    number = number_of(season, teacher)
    season.directory.names[str(teacher)] = "张小明"
    act_on(season, "approve", propose(season, proposer, "REISSUE", certificate_id), approver)
    old, new = judged(season, badge(season, number, 1), badge(season, number, 2))
    assert [old, new] == [{"verified": True, "status": [True]}, {"verified": True, "status": [False]}]


def alterations(genuine):
    """What a forger would try, by name: each a changed copy of a genuine badge."""

    def changed(*path, to):
        copied = copy.deepcopy(genuine)
        target = copied
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = to
        return copied

    subject = genuine["credentialSubject"]
    proof_value = genuine["proof"]["proofValue"]
    return {
        "another name": changed("credentialSubject", "narrative", to=subject["narrative"].replace("6.00", "60.00")),
        "another holder": changed("credentialSubject", "id", to=f"{genuine['id']}#{'0' * 64}"),
        "another achievement": changed("credentialSubject", "achievement", "name", to="博士"),
        "another bit": changed("credentialStatus", "statusListIndex", to=str(position_of(genuine) + 1)),
        "another list": changed("credentialStatus", "statusListCredential", to="https://forger.example/0"),
        "an earlier day": changed("validFrom", to="2020-01-01T00:00:00Z"),
        "another issuer": changed("issuer", "id", to="did:web:forger.example"),
        "one more field": {**copy.deepcopy(genuine), "validUntil": "2099-01-01T00:00:00Z"},
        "no status": {key: value for key, value in genuine.items() if key != "credentialStatus"},
        "another signature": changed(
            "proof", "proofValue", to=proof_value[:-1] + ("2" if proof_value[-1] != "2" else "3")
        ),
        "another moment of signing": changed("proof", "created", to="2020-01-01T00:00:00Z"),
        "another purpose": changed("proof", "proofPurpose", to="authentication"),
        "an unknown key": changed("proof", "verificationMethod", to=f"{genuine['issuer']['id']}#00000000"),
        "no proof": {key: value for key, value in genuine.items() if key != "proof"},
    }


@needs_node
def test_others_refuse_every_alteration(season, issue):  # noqa: F811
    [(teacher, _)] = issue("张小明")
    genuine = badge(season, number_of(season, teacher))
    forged = alterations(genuine)
    assert all(each != genuine for each in forged.values())
    [first, *others] = judged(season, genuine, *forged.values())
    assert first["verified"]  # the twin: the same judge says yes to what was not altered
    assert [name for name, verdict in zip(forged, others, strict=True) if verdict["verified"]] == []


@needs_node
def test_an_altered_status_list_proves_nothing(season, issue, proposer, approver):  # noqa: F811
    [(teacher, certificate_id)] = issue("张小明")
    credential = badge(season, number_of(season, teacher))
    clean = status_list(season)
    act_on(season, "approve", propose(season, proposer, "REVOKE", certificate_id), approver)
    forged = {**status_list(season), "credentialSubject": clean["credentialSubject"]}
    [verdict] = independent.verify(did(season), [forged], [credential])
    assert not verdict["verified"]
    assert verdict.get("status") is None


def test_a_badge_names_nobody(season, issue):  # noqa: F811
    [(teacher, _)] = issue("张小明")
    told = str(badge(season, number_of(season, teacher)))
    assert "张*明" in told
    assert "张小明" not in told
    assert str(teacher) not in told


def test_the_same_badge_is_the_same_bytes_and_the_list_for_a_minute(season, issue):  # noqa: F811
    [(teacher, _)] = issue("张小明")
    number = number_of(season, teacher)
    assert badge(season, number) == badge(season, number)
    assert status_list(season) == status_list(season)


def test_each_certificate_has_a_bit_of_its_own(season, issue):  # noqa: F811
    issued = issue(*["张小明"] * 20)
    positions = [position_of(badge(season, number_of(season, teacher))) for teacher, _ in issued]
    assert len(set(positions)) == len(positions)


def test_unknown_badges_and_lists_are_not_found(season, issue):  # noqa: F811
    for arguments in ({"number": "x", "edition": 1}, {"number": "2023-0000-0000-0000", "edition": 1}):
        with pytest.raises(NotFound):
            season.certs.call("get_credential", arguments, ANONYMOUS)
    [(teacher, _)] = issue("张小明")
    with pytest.raises(NotFound, match=r"certs\.number_unknown"):
        badge(season, number_of(season, teacher), edition=2)
    with pytest.raises(NotFound, match=r"certs\.status_list_unknown"):
        status_list(season, 9)
    with pytest.raises(InvalidInput):
        status_list(season, 2**40)


def test_a_row_that_was_tampered_with_gets_no_badge(season, issue):  # noqa: F811
    [(teacher, certificate_id)] = issue("张小明")
    number = number_of(season, teacher)
    with season.certs.database.work() as db:
        changed = sa.text("UPDATE certificate SET hours = 60 WHERE certificate_id = :id")
        db.execute(changed, {"id": certificate_id})
    with pytest.raises(NotFound, match=r"certs\.number_unknown"):
        badge(season, number)


def test_the_did_document_holds_the_published_keys(season):
    [key] = season.certs.call("list_certificate_keys", {}, ANONYMOUS)["keys"]
    document = did(season)
    [method] = document["verificationMethod"]
    assert method["id"] == f"{document['id']}#{key['kid']}"
    raw = base64.urlsafe_b64decode(key["x"] + "=")
    assert method["publicKeyMultibase"] == multibase.of_ed25519_key(raw)
    assert document["assertionMethod"] == [method["id"]]
