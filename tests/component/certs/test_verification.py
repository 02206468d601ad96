"""What strangers learn of a number, and that nothing forged passes."""

import json
import os
import random

import pytest
import sqlalchemy as sa

from services.certs import rules, signing
from services.shared.actor import ANONYMOUS, Role
from services.shared.errors import InvalidInput, NotFound
from services.shared.ids import new_id
from tests.component.certs.conftest import COUNTY

# S12 of the reliability goals: 100,000 in a full run.
FORGERIES = int(os.environ.get("YANXIU_FORGERIES", "10000"))


@pytest.fixture
def issued(season, a_person):
    """(teacher, her certificate in full)."""
    teacher = season.teacher(name="欧阳小明")
    season.close()
    season.decide()
    [item] = season.certs.call("list_certificates", {}, a_person(teacher))["items"]
    return teacher, season.certs.call("get_certificate", {"certificate_id": item["certificate_id"]}, a_person(teacher))


def verify(certs, number):
    return certs.call("verify_certificate", {"number": number}, ANONYMOUS)


def test_a_stranger_learns_that_it_is_valid_and_nothing_that_identifies(certs, issued):
    teacher, certificate = issued
    reply = verify(certs, certificate["number"])
    assert (reply["state"], reply["hours"], reply["programme_zh"]) == ("VALID", "6.00", "2023年寒假教师研修")
    assert (reply["opens_on"], reply["closes_on"]) == ("2022-12-02", "2023-02-28")
    assert (reply["holder_name"], reply["school_name"]) == ("欧**明", "广州市第一小学")
    assert [change["state"] for change in reply["history"]] == ["VALID"]
    told = json.dumps(reply, ensure_ascii=False)
    for secret in ("欧阳小明", "阳小", str(teacher), certificate["certificate_id"]):
        assert secret not in told


def test_the_number_may_be_typed_badly(certs, issued):
    number = issued[1]["number"]
    for typed in (number.lower(), number.replace("-", " "), number.replace("0", "o").replace("8", "B")):
        assert verify(certs, typed)["number"] == number


@pytest.mark.parametrize(
    "typed", ["", "x", "2023", "../../etc/passwd", "%00", "2023-0000-0000-0000", "证书", "A" * 200]
)
def test_what_is_no_number_says_so(certs, typed):
    with pytest.raises(NotFound) as refused:
        verify(certs, typed)
    assert (refused.value.code, refused.value.field) == ("certs.number_malformed", "number")


def test_an_unknown_number_is_unknown(certs):
    with pytest.raises(NotFound) as refused:
        verify(certs, rules.make_number(2023, random.randrange(rules.RANDOM_RANGE)))
    assert refused.value.code == "certs.number_unknown"


@pytest.mark.parametrize("state", ["REVOKED", "REPLACED"])
def test_a_revoked_or_replaced_one_says_so_with_its_date(season, issued, state):
    certificate = issued[1]
    with season.certs.database.work() as db:
        values = {"id": certificate["certificate_id"], "state": state, "teacher": issued[0]}
        db.execute(sa.text("UPDATE certificate SET state = :state WHERE certificate_id = :id"), values)
        db.execute(
            sa.text(
                "INSERT INTO certificate_history (certificate_id, state, teacher_id, at, actor, reason)"
                " VALUES (:id, :state, :teacher, '2023-04-01T00:00:00Z', 'person', 'secret reason')"
            ),
            values,
        )
    reply = verify(season.certs, certificate["number"])
    assert reply["state"] == state
    assert [change["state"] for change in reply["history"]] == ["VALID", state]
    assert reply["history"][1]["at"] == "2023-04-01T00:00:00.000000Z"
    assert "secret reason" not in json.dumps(reply)


def test_of_many_numbers_each_gets_its_own_answer(season, a_person):
    teachers = [season.teacher(name=name) for name in ("欧阳小明", "李华")]
    season.close()
    season.decide()
    numbers = [
        season.certs.call("list_certificates", {}, a_person(teacher))["items"][0]["number"] for teacher in teachers
    ]
    unknown = rules.make_number(2023, random.randrange(rules.RANDOM_RANGE))
    asked = [numbers[1], "x", unknown, numbers[0].lower(), numbers[1]]
    items = season.certs.call("verify_certificates", {"numbers": asked}, ANONYMOUS)["items"]
    assert [item["typed"] for item in items] == asked
    assert [item["code"] for item in items] == ["", "certs.number_malformed", "certs.number_unknown", "", ""]
    assert [item["found"] and item["found"]["holder_name"] for item in items] == ["李*", None, None, "欧**明", "李*"]
    for item in items:
        if item["found"]:
            assert item["found"] == verify(season.certs, item["typed"]), "as the question for one answers"


def test_in_a_batch_an_altered_record_spoils_itself_only(season, a_person):
    teachers = [season.teacher() for _ in range(2)]
    season.close()
    season.decide()
    wallets = [season.certs.call("list_certificates", {}, a_person(teacher))["items"][0] for teacher in teachers]
    with season.certs.database.work() as db:
        db.execute(
            sa.text("UPDATE certificate SET signature = reverse(signature) WHERE certificate_id = :id"),
            {"id": wallets[0]["certificate_id"]},
        )
    items = season.certs.call("verify_certificates", {"numbers": [each["number"] for each in wallets]})["items"]
    assert [item["code"] for item in items] == ["certs.number_unknown", ""]


@pytest.mark.parametrize("numbers", [[], ["x"] * 201, [1], "x", None])
def test_a_bad_batch_is_refused(certs, numbers):
    with pytest.raises(InvalidInput) as refused:
        certs.call("verify_certificates", {"numbers": numbers}, ANONYMOUS)
    assert refused.value.field.startswith("numbers")


def test_a_record_altered_in_the_database_is_as_good_as_unknown(season, issued):
    with season.certs.database.work() as db:
        db.execute(
            sa.text("UPDATE certificate SET statement = replace(statement, '6.00', '9.00') WHERE certificate_id = :id"),
            {"id": issued[1]["certificate_id"]},
        )
    with pytest.raises(NotFound) as refused:
        verify(season.certs, issued[1]["number"])
    assert refused.value.code == "certs.number_unknown"


def test_the_published_keys_verify_what_the_api_gives_away(certs, issued):
    # An independent check: only the key set and what a stranger gets, through another library than ours.
    from joserfc.jwk import OKPKey

    reply = verify(certs, issued[1]["number"])
    [key] = [key for key in certs.call("list_certificate_keys")["keys"] if key["kid"] == reply["key_id"]]
    public = OKPKey.import_key({name: key[name] for name in ("kty", "crv", "x")}).public_key
    public.verify(signing._decode(reply["signature"]), reply["statement"].encode())
    assert json.loads(reply["statement"])["number"] == reply["number"].replace("-", "")


def test_forged_numbers_are_not_accepted(certs, issued):
    chance = random.Random(7)
    accepted = 0
    with certs.database.work() as db:
        known = set(db.scalars(sa.text("SELECT number FROM certificate")))
    guesses = {rules.make_number(2023, chance.randrange(rules.RANDOM_RANGE)) for _ in range(FORGERIES)}
    assert not guesses & known
    # The well-formed ones reach the database: in one question, as the table would answer each.
    with certs.database.work() as db:
        accepted += db.execute(
            sa.text("SELECT count(*) FROM certificate WHERE number = ANY(:guesses)"), {"guesses": list(guesses)}
        ).scalar_one()
    for guess in list(guesses)[:50]:
        with pytest.raises(NotFound):
            verify(certs, guess)
    assert accepted == 0


def test_altered_numbers_are_refused_before_the_database(issued):
    number = issued[1]["number"].replace("-", "")
    chance = random.Random(11)
    passed = 0
    for _ in range(FORGERIES):
        altered = list(number)
        for place in chance.sample(range(len(number)), chance.randint(1, 2)):
            altered[place] = chance.choice(rules.ALPHABET)
        try:
            passed += rules.parse_number("".join(altered)) != number
        except rules.NumberError:
            continue
    # One wrong character never passes; two independent ones pass the check once in 29, and are then unknown.
    assert passed < FORGERIES / 29


def test_forged_signatures_and_statements_are_not_accepted(certs, issued):
    certificate = issued[1]
    verifier = certs.service.verifier
    statement, signature, key_id = certificate["statement"].encode(), certificate["signature"], certificate["key_id"]
    assert verifier.is_genuine(statement, signature, key_id)
    chance = random.Random(13)
    for _ in range(FORGERIES):
        forged_statement, forged_signature = bytearray(statement), signature
        if chance.random() < 0.5:
            forged_statement[chance.randrange(len(statement))] ^= 1 << chance.randrange(8)
        else:
            place, letter = chance.randrange(len(signature)), chance.choice("ABCXYZabcxyz019_-=+/ \n")
            forged_signature = signature[:place] + letter + signature[place + chance.randrange(2) :]
        if (bytes(forged_statement), forged_signature) != (statement, signature):
            assert not verifier.is_genuine(bytes(forged_statement), forged_signature, key_id)


def test_the_wallet_pages_newest_first_and_only_ones_own(season, a_person, directory):
    teacher = new_id()
    directory.names[str(teacher)] = "张明"
    season.place(teacher, "VERIFIED")
    for _ in range(3):
        season.programme_id, season.versions = new_id(), {}
        season.publish()
        season.recognise(teacher, "6.00")
        season.close()
        season.decide()
    first = season.certs.call("list_certificates", {"limit": 2}, a_person(teacher))
    second = season.certs.call("list_certificates", {"limit": 2, "cursor": first["next_cursor"]}, a_person(teacher))
    ids = [item["certificate_id"] for item in first["items"] + second["items"]]
    assert len(ids) == 3
    assert ids == sorted(ids, reverse=True)
    assert second["next_cursor"] is None
    assert season.certs.call("list_certificates", {}, a_person())["items"] == []


@pytest.mark.parametrize(
    ("role", "place", "sees"),
    [
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s1", True),
        (Role.COUNTY_ADMIN, COUNTY, True),
        (Role.NATIONAL_OPERATOR, "CN", True),
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s10", False),
        (Role.COUNTY_ADMIN, "CN/440000/440100/440104", False),
    ],
)
def test_administrators_see_certificates_in_their_territory_with_the_name_masked(
    certs, issued, a_person, role, place, sees
):
    arguments = {"certificate_id": issued[1]["certificate_id"]}
    admin = a_person(None, (role, place))
    if sees:
        assert certs.call("get_certificate", arguments, admin)["holder_name"] == "欧**明"
        return
    with pytest.raises(NotFound) as refused:
        certs.call("get_certificate", arguments, admin)
    assert refused.value.code == "certs.certificate_not_found"


def test_the_holder_reads_her_full_name_and_unknown_looks_like_forbidden(certs, issued, a_person):
    assert issued[1]["holder_name"] == "欧阳小明"
    refusals = set()
    for certificate_id in (issued[1]["certificate_id"], str(new_id())):
        with pytest.raises(NotFound) as refused:
            certs.call("get_certificate", {"certificate_id": certificate_id}, a_person())
        refusals.add((refused.value.code, refused.value.field, refused.value.detail))
    assert len(refusals) == 1


def test_names_lie_in_the_database_only_sealed(certs, issued):
    with certs.database.work() as db:
        for table in ("certificate", "decision", "standing", "certificate_history", "outbox"):
            rows = db.execute(sa.text(f"SELECT to_jsonb({table})::text FROM {table}")).scalars().all()
            assert rows
            assert not any("欧阳小明" in row for row in rows)


def test_row_security_hides_everything_from_an_application_without_scope(certs, issued):
    with certs.database.app.connect() as connection:
        for table in ("certificate", "decision", "standing", "certificate_history", "document", "placement"):
            assert connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
            forced = connection.execute(
                sa.text("SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = :table"),
                {"table": table},
            ).scalar_one()
            assert forced


@pytest.mark.parametrize("statement", ["UPDATE certificate_history SET reason = 'x'", "DELETE FROM certificate"])
def test_history_and_certificates_cannot_be_rewritten_even_by_the_worker(certs, issued, statement):
    with certs.database.work() as db, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        db.execute(sa.text(statement))


def test_an_unknown_number_takes_the_same_steps_as_a_known_one(certs, issued, monkeypatch):
    steps = []

    def note(_connection, _cursor, statement, *_others):
        steps.append(statement)

    honest = signing.Verifier.is_genuine

    def check(self, statement, signature, key_id):
        steps.append(("signature", key_id in self.keys, signing._decode(signature) is not None))
        return honest(self, statement, signature, key_id)

    monkeypatch.setattr(signing.Verifier, "is_genuine", check)
    sa.event.listen(certs.database.worker, "before_cursor_execute", note)
    try:
        verify(certs, issued[1]["number"])
        known, steps[:] = list(steps), []
        with pytest.raises(NotFound):
            verify(certs, rules.make_number(2023, 1))
    finally:
        sa.event.remove(certs.database.worker, "before_cursor_execute", note)
    assert [step for step in known if step[0] == "signature"] == [("signature", True, True)]
    assert len(steps) == len(known)
    assert [step for step in steps if step[0] == "signature"] == [("signature", True, True)]
