"""Verification sheets: credits' figures and identity's names on paper, for whom the table of rights gives them."""

import base64
import dataclasses
import re

import pypdfium2 as pdfium
import pytest
import sqlalchemy as sa

from services.certs.render import CertsRenderService
from services.org import contract as org
from services.shared import clock
from services.shared.actor import Role, service_actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.certs.conftest import COUNTY
from tests.unit.certs.test_sheets import year

REASON = "年度验证盖章"


class Neighbours:
    """Credits and identity as the sheets see them, with what they were asked as whom."""

    def __init__(self):
        self.years, self.asked, self.silent = {}, [], set()

    def call(self, service, method, arguments, *, actor_token=None, **_options):
        self.asked.append((f"{service}.{method}", arguments))
        return getattr(self, method)(arguments)

    def get_year_sheet(self, arguments):
        if arguments.get("teacher_id", "own") not in self.years:
            raise Conflict("credits.year_open")
        return self.years[arguments.get("teacher_id", "own")]

    def list_year_verifications(self, arguments):
        found = list(self.years.values())
        start = arguments["cursor"] or 0
        end = start + arguments["limit"]
        return {"items": found[start:end], "next_cursor": end if end < len(found) else None}

    def get_profile(self, _arguments):
        return {"name": "李小红", "learner_no": "G2023000999"}

    def disclose_people(self, arguments):
        assert 0 < len(arguments["account_ids"]) <= 200
        ids = [each for each in arguments["account_ids"] if each not in self.silent]
        return {"people": [{"account_id": each, "name": "张小明", "learner_no": "G1"} for each in ids]}

    def methods(self):
        return [method for method, _ in self.asked]


@pytest.fixture
def neighbours():
    return Neighbours()


@pytest.fixture
def printer(component, neighbours, fixed_clock):
    return component(CertsRenderService, bus=neighbours)


@pytest.fixture
def teacher_id(component, printer, certs):
    found = new_id()
    payload = {
        "teacher_id": str(found),
        "version": 1,
        "state": "VERIFIED",
        "school_id": str(new_id()),
        "school_name": "广州市第一小学",
        "place": f"{COUNTY}/s1",
        "effective_at": "2023-01-01T00:00:00.000000Z",
    }
    certs.deliver("on_membership_changed", org.MEMBERSHIP_CHANGED, payload)
    return found


def elevated(actor):
    return dataclasses.replace(actor, elevated_until=clock.now().replace(year=clock.now().year + 1))


def text_of(reply):
    document = pdfium.PdfDocument(base64.b64decode(reply["content"]))
    return re.sub(r"\s+", "", "".join(page.get_textpage().get_text_range() for page in document))


def acts(printer, method):
    with printer.database.work() as db:
        return db.execute(sa.text("SELECT * FROM audit WHERE action = :m ORDER BY at"), {"m": method}).all()


def test_a_teacher_prints_her_own_frozen_year_with_her_name(printer, neighbours, a_person):
    neighbours.years["own"] = year()
    printed = printer.call("render_year_sheet", {"year": 2023}, a_person())
    assert "李小红" in text_of(printed)
    assert neighbours.methods() == ["credits.get_year_sheet", "identity.get_profile"]


def test_an_open_year_is_refused_and_no_name_is_asked_for(printer, neighbours, a_person):
    with pytest.raises(Conflict, match=r"credits\.year_open"):
        printer.call("render_year_sheet", {"year": 2023}, a_person())
    assert neighbours.methods() == ["credits.get_year_sheet"]


def test_a_school_prints_a_teachers_sheet_after_a_fresh_code_and_on_record(printer, neighbours, teacher_id, a_person):
    neighbours.years[str(teacher_id)] = year(teacher_id=str(teacher_id))
    head = a_person(None, (Role.SCHOOL_ADMIN, f"{COUNTY}/s1"))
    arguments = {"year": 2023, "teacher_id": str(teacher_id), "reason": REASON}
    with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
        printer.call("render_teacher_sheet", arguments, head)
    printed = printer.call("render_teacher_sheet", arguments, elevated(head))
    assert "张小明" in text_of(printed)
    assert f"李**·2023-01-1010:00·{REASON}" in text_of(printed)
    [act] = [each for each in acts(printer, "render_teacher_sheet") if not each.refusal]
    assert (act.subject, act.reason, act.place) == (teacher_id, REASON, f"{COUNTY}/s1")
    assert "张" not in str(act)


def test_a_stranger_a_principal_and_a_neighbour_print_nothing(printer, neighbours, teacher_id, a_person):
    neighbours.years[str(teacher_id)] = year()
    arguments = {"year": 2023, "teacher_id": str(teacher_id), "reason": REASON}
    with pytest.raises(NotFound):
        printer.call("render_teacher_sheet", arguments, elevated(a_person(None, (Role.SCHOOL_ADMIN, f"{COUNTY}/s2"))))
    for actor in (a_person(), a_person(None, (Role.PRINCIPAL, f"{COUNTY}/s1"))):
        with pytest.raises(NotAllowed):
            printer.call("render_teacher_sheet", arguments, elevated(actor))
    assert neighbours.asked == []


def test_a_list_of_several_pages_names_whom_identity_names(printer, neighbours, a_person):
    years = [year(teacher_id=str(new_id())) for _ in range(205)]
    neighbours.years = {each["teacher_id"]: each for each in years}
    neighbours.silent = {years[3]["teacher_id"]}
    head = elevated(a_person(None, (Role.COUNTY_ADMIN, COUNTY)))
    asked = {"year": 2023, "place": COUNTY, "reason": REASON}
    text = text_of(printer.call("render_school_list", asked, head))
    assert text.count("张小明") == 204
    assert neighbours.methods().count("identity.disclose_people") == 2
    [act] = [each for each in acts(printer, "render_school_list") if not each.refusal]
    assert act.after["years"] == 205


def test_a_list_of_nobody_or_of_too_many_is_refused_by_name(printer, neighbours, a_person):
    head = elevated(a_person(None, (Role.COUNTY_ADMIN, COUNTY)))
    asked = {"year": 2023, "place": COUNTY, "reason": REASON}
    with pytest.raises(Conflict, match=r"certs\.list_empty"):
        printer.call("render_school_list", asked, head)
    neighbours.years = {str(number): year() for number in range(1001)}
    with pytest.raises(InvalidInput, match=r"certs\.list_too_long"):
        printer.call("render_school_list", asked, head)
    assert "identity.disclose_people" not in neighbours.methods()
    with pytest.raises(NotFound):
        printer.call("render_school_list", {**asked, "place": "CN/440000/440100/440104"}, head)


def test_a_document_of_another_owner_is_printed_for_the_gateway_and_for_nobody_else(printer, a_person):
    document = {"title": {"zh": "缴款通知书"}, "at": "2026-03-01T00:00:00Z", "notes": ["一千二百元整"]}
    printed = printer.call("render_document", {"document": document}, service_actor("gateway"))
    assert "一千二百元整" in text_of(printed)
    for actor in (a_person(), elevated(a_person(None, (Role.NATIONAL_OPERATOR, "CN"))), service_actor("billing")):
        with pytest.raises(NotAllowed):
            printer.call("render_document", {"document": document}, actor)
    with pytest.raises(InvalidInput, match=r"shared\.invalid"):
        printer.call("render_document", {"document": {"title": {"zh": "x"}}}, service_actor("gateway"))
