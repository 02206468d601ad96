"""Certificates on request and by registration: once each, the next edition when figures change, never by whom it is not for."""

from __future__ import annotations

import concurrent.futures
import re

import pypdfium2 as pdfium
import pytest

from services.certs import rules
from services.shared.actor import ANONYMOUS, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.clients import independent
from tests.clients.independent import needs_node
from tests.component.certs.conftest import COUNTY
from tests.component.certs.test_corrections import (  # noqa: F401  fixtures
    act_on,
    approver,
    propose,
    proposer,
    verify,
    wallet,
)
from tests.component.certs.test_persons import merge
from tests.conftest import person
from tests.unit.certs.test_sheets import year

DISTRICT = (Role.DISTRICT_INSTITUTION, COUNTY)


@pytest.fixture
def years(season):
    """Credits, which answers for frozen years beside identity's names."""
    known = {}
    ask = season.directory.call

    def call(service, method, arguments, **options):
        if (service, method) != ("credits", "get_year_sheet"):
            return ask(service, method, arguments, **options)
        if arguments["year"] not in known:
            raise Conflict("credits.year_open")
        return known[arguments["year"]]

    season.directory.call = call
    return known


def study_proof(season, teacher, **options):
    return season.certs.call(
        "request_study_proof", {"programme_id": str(season.programme_id)}, person(teacher), **options
    )


def credit_certificate(season, teacher, of=2023):
    return season.certs.call("request_credit_certificate", {"year": of}, person(teacher))


def number_at_institution(teacher_id):
    return f"桂训2022-{str(teacher_id)[-12:]}"


def completion(teacher_id, **changes):
    return {
        "teacher_id": str(teacher_id),
        "institution": "南宁市教师培训中心",
        "issued_number": number_at_institution(teacher_id),
        "title_zh": "骨干教师提升培训",
        "title_en": "Training of leading teachers",
        "started_on": "2022-07-01",
        "ended_on": "2022-07-10",
        "issued_on": "2022-07-12",
        "hours": "40.00",
        **changes,
    }


def register(season, actor, teacher_id, **changes):
    return season.certs.call("register_completion", completion(teacher_id, **changes), actor)


def printed(render, teacher, certificate):
    rendered = render.call("render_certificate", {"certificate_id": certificate["certificate_id"]}, person(teacher))
    pdf = b"".join(render.service.storage.read(rendered["storage_key"]))
    return re.sub(r"\s+", "", pdfium.PdfDocument(pdf)[0].get_textpage().get_text_range())


# --- study proofs -----------------------------------------------------------------------------------------------------------


def test_a_study_proof_tells_of_too_few_hours_too(season, render):
    teacher = season.teacher("4.00", done=4, met=False)
    season.close()
    season.decide()
    proof = study_proof(season, teacher)
    assert (proof["kind"], proof["hours"], proof["state"]) == ("STUDY_PROOF", "4.00", "VALID")
    shown = verify(season, proof["number"])
    assert (shown["kind"], shown["hours"], shown["holder_name"]) == ("STUDY_PROOF", "4.00", "张*明")
    text = printed(render, teacher, proof)
    assert "成绩证明" in text
    assert "4.00" in text
    assert [each["kind"] for each in wallet(season, teacher)] == ["STUDY_PROOF"]


def test_asked_for_again_it_is_the_same_one_and_after_a_correction_the_next_edition(season):
    teacher = season.teacher("4.00", met=False)
    season.close()
    first, again = study_proof(season, teacher), study_proof(season, teacher)
    assert first["certificate_id"] == again["certificate_id"]
    season.recognise(teacher, "5.00", met=False)
    second = study_proof(season, teacher)
    assert (second["number"], second["edition"], second["hours"]) == (first["number"], 2, "5.00")
    assert {each["edition"]: each["state"] for each in wallet(season, teacher)} == {1: "REPLACED", 2: "VALID"}


def test_two_requests_at_once_make_one_proof(season):
    teacher = season.teacher("4.00", met=False)
    season.close()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: study_proof(season, teacher)["certificate_id"], range(4)))
    assert len(set(made)) == 1
    assert len(wallet(season, teacher)) == 1


def test_a_proof_is_refused_with_its_reason(season):
    verified, unverified = season.teacher("4.00", met=False), season.teacher("4.00", met=False, state="PENDING")
    idle, nameless = season.teacher("0.00", done=0, met=False), season.teacher("4.00", met=False, name="")
    unprintable = season.teacher("4.00", met=False, name="张😀")
    with pytest.raises(Conflict, match=r"certs\.season_open"):
        study_proof(season, verified)
    season.close()
    for teacher, code in (
        (unverified, "certs.teacher_not_verified"),
        (idle, "certs.nothing_recognised"),
        (nameless, "certs.holder_unknown"),
        (unprintable, "certs.name_not_printable"),
    ):
        with pytest.raises(Conflict, match=re.escape(code)):
            study_proof(season, teacher)
        assert wallet(season, teacher) == []
    with pytest.raises(NotFound, match=r"certs\.programme_not_found"):
        season.certs.call("request_study_proof", {"programme_id": str(new_id())}, person(verified))


def test_a_revoked_proof_is_not_given_again_and_takes_no_hours_back(season, proposer, approver):  # noqa: F811
    teacher = season.teacher("6.00")
    season.close()
    season.decide()
    proof = study_proof(season, teacher)
    act_on(season, "approve", propose(season, proposer, "REVOKE", proof["certificate_id"]), approver)
    with pytest.raises(Conflict, match=r"certs\.already_revoked"):
        study_proof(season, teacher)
    # Credits would take a season's hours out of the register at this event.
    assert season.events("certs.certificate_revoked") == []
    assert [each["kind"] for each in wallet(season, teacher) if each["state"] == "VALID"] == ["LEARNING"]


# --- credit certificates -----------------------------------------------------------------------------------------------------


def test_a_year_that_was_met_and_frozen_has_a_credit_certificate(season, years, render):
    teacher = season.teacher()
    years[2023] = year(teacher_id=str(teacher), met=True, total="90.00")
    certificate = credit_certificate(season, teacher)
    assert (certificate["kind"], certificate["hours"]) == ("CREDIT", "90.00")
    assert credit_certificate(season, teacher)["certificate_id"] == certificate["certificate_id"]
    text = printed(render, teacher, certificate)
    assert "学分证书" in text
    assert "90.00学分" in text
    years[2023] = year(teacher_id=str(teacher), met=True, total="91.00")
    assert credit_certificate(season, teacher)["edition"] == 2


def test_an_open_year_and_one_that_fell_short_have_none(season, years):
    teacher = season.teacher()
    years[2023] = year(teacher_id=str(teacher), met=False)
    with pytest.raises(Conflict, match=r"certs\.requirement_not_met"):
        credit_certificate(season, teacher)
    with pytest.raises(Conflict, match=r"credits\.year_open"):
        credit_certificate(season, teacher, of=2024)
    assert wallet(season, teacher) == []


# --- completion certificates ---------------------------------------------------------------------------------------------------


def test_what_an_institution_registered_anybody_can_check(season, render):
    teacher, institution = season.teacher(), person(new_id(), DISTRICT)
    made = register(season, institution, teacher)
    assert (made["institution"], made["holder_name"], made["hours"]) == ("南宁市教师培训中心", "张*明", "40.00")
    shown = verify(season, made["number"])
    assert (shown["kind"], shown["issuer"], shown["state"]) == ("COMPLETION", "南宁市教师培训中心", "VALID")
    text = printed(render, teacher, made)
    for said in ("结业证书", "骨干教师提升培训", number_at_institution(teacher), "南宁市教师培训中心"):
        assert said in text
    assert season.certs.call("list_registrations", {"limit": 1}, institution)["items"] == [made]
    assert (
        season.certs.call(
            "list_registrations", {}, person(new_id(), (Role.DISTRICT_INSTITUTION, "CN/440000/440100/440104"))
        )["items"]
        == []
    )


def test_registered_again_it_is_the_same_and_with_other_hours_the_next_edition(season):
    teacher, institution = season.teacher(), person(new_id(), DISTRICT)
    first = register(season, institution, teacher)
    assert register(season, institution, teacher) == first
    second = register(season, institution, teacher, hours="41")
    assert (second["number"], second["edition"], second["hours"]) == (first["number"], 2, "41.00")


def test_an_institution_gives_a_number_once(season):
    institution = person(new_id(), DISTRICT)
    first, other = season.teacher(), season.teacher()
    register(season, institution, first)
    with pytest.raises(Conflict, match=r"certs\.issued_number_taken"):
        register(season, institution, other, issued_number=number_at_institution(first))
    assert wallet(season, other) == []


def test_only_institutions_register_and_only_in_their_territory(season):
    teacher = season.teacher()
    for role, place in (
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s1"),
        (Role.COUNTY_ADMIN, COUNTY),
        (Role.NATIONAL_OPERATOR, "CN"),
    ):
        with pytest.raises(NotAllowed):
            register(season, person(new_id(), (role, place)), teacher)
    elsewhere = person(new_id(), (Role.DISTRICT_INSTITUTION, "CN/440000/440100/440104"))
    for unreachable in (teacher, new_id()):
        with pytest.raises(NotFound, match=r"certs\.teacher_unknown"):
            register(season, elsewhere, unreachable)
    with pytest.raises(NotAllowed, match=r"certs\.own_certificate"):
        register(season, person(teacher, DISTRICT), teacher)
    pending = season.teacher(state="PENDING")
    with pytest.raises(Conflict, match=r"certs\.teacher_not_verified"):
        register(season, person(new_id(), DISTRICT), pending)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hours": "0"}, "hours"),
        ({"hours": "40.001"}, "hours"),
        ({"hours": "NaN"}, "hours"),
        ({"hours": "2000.01"}, "hours"),
        ({"ended_on": "2022-06-30"}, "ended_on"),
        ({"issued_on": "2022-07-09"}, "issued_on"),
        ({"issued_on": "2999-01-01"}, "issued_on"),
        ({"institution": "中心"}, "institution"),
        ({"institution": "南宁市\n教师培训中心"}, "institution"),
        ({"issued_number": " 桂训2022-0012"}, "issued_number"),
        ({"title_zh": ""}, "title_zh"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_bad_registrations_are_refused_by_field(season, change, field):
    teacher = season.teacher()
    with pytest.raises(InvalidInput) as refused:
        register(season, person(new_id(), DISTRICT), teacher, **change)
    assert refused.value.field == field


def test_a_registered_certificate_is_corrected_by_two_persons(season, proposer, approver):  # noqa: F811
    teacher = season.teacher(name="张小名")
    made = register(season, person(new_id(), DISTRICT), teacher)
    season.directory.names[str(teacher)] = "张小明"
    act_on(season, "approve", propose(season, proposer, "REISSUE", made["certificate_id"]), approver)
    shown = verify(season, made["number"])
    assert (shown["edition"], shown["holder_name"], shown["issuer"]) == (2, "张*明", "南宁市教师培训中心")
    assert season.events("certs.certificate_reissued") == []


def test_a_merged_persons_registration_goes_with_the_person(season):
    institution, former, kept = person(new_id(), DISTRICT), season.teacher(), season.teacher()
    made = register(season, institution, former)
    merge(season, kept, former)
    assert [each["certificate_id"] for each in wallet(season, kept)] == [made["certificate_id"]]
    again = register(season, institution, kept, issued_number=number_at_institution(former))
    assert again["certificate_id"] == made["certificate_id"]


@needs_node
def test_every_kind_is_a_badge_that_others_accept(season, years):
    teacher = season.teacher()
    season.close()
    season.decide()
    years[2023] = year(teacher_id=str(teacher), met=True, total="90.00")
    study_proof(season, teacher)
    credit_certificate(season, teacher)
    register(season, person(new_id(), DISTRICT), teacher)
    held = wallet(season, teacher)
    assert {each["kind"] for each in held} == set(rules.Kind)

    def ask(method, **arguments):
        return season.certs.call(method, arguments, ANONYMOUS)

    badges = [ask("get_credential", number=each["number"], edition=1)["credential"] for each in held]
    lists = [ask("get_status_list", list_number=0)["credential"]]
    verdicts = independent.verify(ask("get_did_document")["document"], lists, badges)
    assert verdicts == [{"verified": True, "status": [False]}] * 4
