"""Jobs through the real org and identity: files in, people and schools out; every row once, whatever happens meanwhile."""

from __future__ import annotations

import dataclasses
import io
import uuid
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from services.org.contract.bulk import SCHOOL_COLUMNS, TEACHER_COLUMNS
from services.org.models import Membership
from services.shared.actor import Actor, Role
from services.shared.errors import NotFound
from services.shared.ids import new_id
from services.shared.spreadsheet import write_sheet
from tests.component.org.bulk.conftest import Jobs, raised, table, workbook
from tests.component.org.conftest import CLI, YUEXIU, Org, new_school
from yanxiu import samples

pytestmark = pytest.mark.postgres

# --- rosters ------------------------------------------------------------------------------------------------------------


def test_the_sample_rosters_come_in_whole_but_for_the_ten_faulty_rows(jobs: Jobs, admin: Actor, edition: int) -> None:
    schools = jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
    teachers = jobs.import_(admin, "import_teachers", samples.teachers_xlsx(edition))
    assert (schools["state"], schools["counts"]["created"]) == ("DONE", samples.SCHOOLS)
    assert teachers["state"] == "DONE"
    assert teachers["counts"] == {
        "total": 200,
        "created": 190,
        "changed": 0,
        "unchanged": 0,
        "refused": 10,
        "pending": 0,
    }
    refused = jobs.rows(teachers["job_id"], admin, outcome="REFUSED")
    told = [samples.Fault(row["number"], row["code"], row["field"]) for row in refused]
    assert told == samples.teachers(edition).faults


def test_a_second_import_of_the_same_file_changes_nothing(jobs: Jobs, admin: Actor, edition: int) -> None:
    for _ in range(2):
        schools = jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
        teachers = jobs.import_(admin, "import_teachers", samples.teachers_xlsx(edition))
    assert schools["counts"]["unchanged"] == samples.SCHOOLS
    assert (teachers["counts"]["unchanged"], teachers["counts"]["refused"]) == (190, 10)


def test_schools_out_of_reach_refuse_their_rows_and_make_no_account(
    jobs: Jobs, admin: Actor, org: Org, edition: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
    stranger = org.holder(Role.COUNTY_ADMIN, "CN/440000/440100/440105")
    told: list[str] = []
    monkeypatch.setattr(jobs.component.service.bus, "tell_for", lambda *arguments: told.append(arguments[2]))
    done = jobs.import_(stranger, "import_teachers", samples.teachers_xlsx(edition))
    assert done["counts"]["refused"] == 200
    assert {row["code"] for row in jobs.rows(done["job_id"], stranger)} >= {"org.school_unknown"}
    assert told == []


def test_the_report_holds_the_rows_as_they_came_and_what_became_of_them(jobs: Jobs, admin: Actor, edition: int) -> None:
    jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
    done = jobs.import_(admin, "import_teachers", samples.teachers_xlsx(edition))
    header, *rows = jobs.report(done["job_id"], admin)
    assert header[:7] == tuple(column.title for column in TEACHER_COLUMNS)
    assert header[7:10] == ("处理结果", "代码", "原因")
    assert len(rows) == 200
    first = samples.teachers(edition).rows[0]
    assert rows[0][:8] == (*(first[column.key] for column in TEACHER_COLUMNS), "已新增")
    fault = samples.teachers(edition).faults[0]
    assert rows[fault.row - 2][7:9] == ("未通过", fault.code)
    assert rows[fault.row - 2][9]


def test_a_corrected_report_can_be_uploaded_as_it_is(jobs: Jobs, admin: Actor, edition: int) -> None:
    jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
    done = jobs.import_(admin, "import_teachers", samples.teachers_xlsx(edition))
    header, *rows = jobs.report(done["job_id"], admin)
    buffer = io.BytesIO()
    write_sheet(buffer, header, rows)
    again = jobs.import_(admin, "import_teachers", buffer.getvalue())
    assert (again["counts"]["unchanged"], again["counts"]["refused"]) == (190, 10)


def test_the_preview_tells_the_faults_and_does_nothing(jobs: Jobs, admin: Actor, org: Org, edition: int) -> None:
    row = [samples.schools(edition)[0][column.key] for column in SCHOOL_COLUMNS]
    bad = ["", *row[1:]]
    job_id = jobs.upload(admin, "import_schools", workbook(SCHOOL_COLUMNS, row, bad, row))
    jobs.run()
    job = jobs.get(job_id, admin)
    assert (job["state"], job["counts"]["pending"], job["counts"]["refused"]) == ("READY", 1, 2)
    faults = jobs.rows(job_id, admin, outcome="REFUSED")
    assert [(row["number"], row["code"], row["column"]) for row in faults] == [
        (3, "shared.value_missing", "行政区划代码"),
        (4, "shared.duplicate_row", "学校标识码"),
    ]
    listed = org.call("list_schools", {"division": "440103", "q": row[1]})["items"]
    assert [school["code"] for school in listed] == []


BAD_PEOPLE = {
    "name": '=HYPERLINK("x")',
    "id_no": "440524188001010015",  # wrong check digit, `domain.md` §2.6
    "phone": "123",
    "segment": "大学",
    "subject": "=1+1",
}


def test_the_preview_tells_every_fault_of_form(jobs: Jobs, admin: Actor, edition: int) -> None:
    jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
    people = [dict(row) for row in samples.teachers(edition).rows[: len(BAD_PEOPLE) + 1]]
    for person, (field, text) in zip(people, BAD_PEOPLE.items(), strict=False):
        person[field] = text
    rows = [[person[column.key] for column in TEACHER_COLUMNS] for person in people]
    job_id = jobs.upload(admin, "import_teachers", workbook(TEACHER_COLUMNS, *rows))
    jobs.run()
    job = jobs.get(job_id, admin)
    assert (job["state"], job["counts"]["pending"], job["counts"]["refused"]) == ("READY", 1, len(BAD_PEOPLE))
    told = {row["field"]: row["code"] for row in jobs.rows(job_id, admin, outcome="REFUSED")}
    assert told == {
        "name": "identity.name_form",
        "id_no": "identity.id_no_check_digit",
        "phone": "identity.phone_form",
        "segment": "identity.segment_unknown",
        "subject": "identity.subject_form",
    }


def test_the_preview_tells_a_malformed_school(jobs: Jobs, admin: Actor, edition: int) -> None:
    good = dict(samples.schools(edition)[0])
    bad = {**good, "name": "另一所学校", "code": "", "head_mobile": "123"}
    rows = [[row[column.key] for column in SCHOOL_COLUMNS] for row in (good, bad)]
    job_id = jobs.upload(admin, "import_schools", workbook(SCHOOL_COLUMNS, *rows))
    jobs.run()
    refused = jobs.rows(job_id, admin, outcome="REFUSED")
    assert [(row["number"], row["code"], row["field"]) for row in refused] == [
        (3, "shared.value_malformed", "head_mobile")
    ]


def code_of() -> str:
    return f"2144{uuid.uuid4().int % 10**6:06d}"


def test_an_import_creates_once_and_names_each_refusal(jobs: Jobs, org: Org) -> None:
    operator = org.holder(Role.NATIONAL_OPERATOR, "CN")
    known = new_school(code=code_of())
    rows = [
        known,
        new_school("440105"),
        new_school("999999"),
        new_school(code="9944000001"),
        new_school(nature="FREE"),
        {**new_school(), "code": known["code"]},
    ]
    first = jobs.submit(operator, "import_schools", rows)
    jobs.run()
    assert [(row["outcome"], row["code"], row["field"]) for row in jobs.rows(first, operator)] == [
        ("CREATED", "", ""),
        ("CREATED", "", ""),
        ("REFUSED", "org.division_unknown", "division_code"),
        ("REFUSED", "org.school_code_invalid", "code"),
        ("REFUSED", "shared.value_unknown", "nature"),
        ("REFUSED", "shared.duplicate_row", "code"),
    ]
    taken = {**new_school(), "code": known["code"]}
    second = jobs.submit(operator, "import_schools", [known, rows[1]])
    third = jobs.submit(operator, "import_schools", [taken])
    jobs.run()
    assert {row["outcome"] for row in jobs.rows(second, operator)} == {"UNCHANGED"}
    assert [row["code"] for row in jobs.rows(third, operator)] == ["org.code_taken"]


def test_an_import_stays_in_the_importers_territory(jobs: Jobs, org: Org) -> None:
    county = org.holder(Role.COUNTY_ADMIN, YUEXIU)
    job_id = jobs.submit(county, "import_schools", [new_school("440104"), new_school("440105")])
    jobs.run()
    assert [(row["outcome"], row["code"]) for row in jobs.rows(job_id, county)] == [
        ("CREATED", ""),
        ("REFUSED", "org.division_unknown"),
    ]


def test_a_csv_in_gb18030_is_a_roster_too(jobs: Jobs, admin: Actor, edition: int) -> None:
    titles = ",".join(column.title for column in SCHOOL_COLUMNS)
    lines = [",".join(row[column.key] for column in SCHOOL_COLUMNS) for row in samples.schools(edition)]
    done = jobs.import_(admin, "import_schools", "\r\n".join([titles, *lines]).encode("gb18030"))
    assert done["counts"]["created"] == samples.SCHOOLS


def test_a_job_at_once_does_not_wait_for_its_owner(jobs: Jobs, admin: Actor, edition: int) -> None:
    job_id = jobs.upload(admin, "import_schools", samples.schools_xlsx(edition), at_once=True)
    jobs.run()
    assert jobs.get(job_id, admin)["state"] == "DONE"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "shared.not_a_spreadsheet"),
        (b"PK\x03\x04 not really", "shared.not_a_spreadsheet"),
        (workbook(TEACHER_COLUMNS), "shared.wrong_columns"),
        (workbook(SCHOOL_COLUMNS), "shared.no_rows"),
    ],
)
def test_a_file_that_is_no_roster_is_refused_and_forgotten(jobs: Jobs, admin: Actor, data: bytes, code: str) -> None:
    job_id = jobs.upload(admin, "import_schools", data)
    jobs.run()
    job = jobs.get(job_id, admin)
    assert (job["state"], job["code"], job["counts"]["total"]) == ("REFUSED", code, 0)
    assert jobs.rows(job_id, admin) == []


def test_the_command_line_runs_its_own_jobs_and_nobody_elses(jobs: Jobs, edition: int) -> None:
    from services.shared.actor import ActorSigner
    from services.shared.bus.providers import ServiceBus

    keyring = jobs.component.service.keyring
    bus = jobs.component.service.bus
    jobs.component.service.bus = ServiceBus("cli", ActorSigner("cli", keyring.signing_key("actor.cli")), bus.client)
    for kind, data in (
        ("import_schools", samples.schools_xlsx(edition)),
        ("import_teachers", samples.teachers_xlsx(edition)),
    ):
        job_id = jobs.upload(CLI, kind, data, at_once=True)
        assert jobs.run() == 0
        while jobs.component.service.runner.run_next(uuid.UUID(job_id)):
            pass
        assert jobs.get(job_id, CLI)["state"] == "DONE"
    assert jobs.get(job_id, CLI)["counts"]["created"] == 190


# --- lists of people ----------------------------------------------------------------------------------------------------


def test_a_school_decides_about_many_at_once_each_for_itself(jobs: Jobs, org: Org) -> None:
    school = org.school()
    admin = org.holder(Role.SCHOOL_ADMIN, school["place"])
    waiting = [org.member(school) for _ in range(3)]
    elsewhere = org.member(org.school())
    rows = [{"teacher_id": str(each.account_id)} for each in (*waiting, elsewhere)]
    job_id = jobs.submit(admin, "verify_memberships", [*rows, rows[0], {"teacher_id": "x"}, {}])
    assert jobs.get(job_id, admin)["state"] == "RUNNING"
    jobs.run()
    assert jobs.get(job_id, admin)["counts"] | {"total": 7} == {
        "total": 7,
        "created": 0,
        "changed": 3,
        "unchanged": 0,
        "refused": 4,
        "pending": 0,
    }
    assert [(row["number"], row["code"]) for row in jobs.rows(job_id, admin, outcome="REFUSED")] == [
        (4, "org.membership_unknown"),
        (5, "shared.duplicate_row"),
        (6, "shared.value_malformed"),
        (7, "shared.value_missing"),
    ]
    for teacher in waiting:
        assert org.call("get_own_membership", {}, teacher)["state"] == "VERIFIED"
    released = jobs.submit(admin, "release_memberships", rows[:2], parameters={"reason": "调离"})
    jobs.run()
    assert jobs.get(released, admin)["counts"]["changed"] == 2
    assert org.call("get_own_membership", {}, waiting[0])["reason"] == "调离"


def with_learner_number(jobs: Jobs, org: Org, teacher: Actor) -> str:
    """What identity says of a teacher's number, as org hears it."""
    number = f"G{uuid.uuid4().int % 10**12:012d}"
    org.component.deliver(
        "on_learner_no_issued",
        "identity.learner_no_issued",
        {"account_id": str(teacher.account_id), "version": 1, "learner_no": number},
    )
    return number


def test_teachers_are_named_by_learner_number_as_on_paper(jobs: Jobs, org: Org) -> None:
    school = org.school()
    admin = org.holder(Role.SCHOOL_ADMIN, school["place"])
    teachers = [org.member(school) for _ in range(2)]
    elsewhere = org.member(org.school())
    numbers = [with_learner_number(jobs, org, each) for each in (*teachers, elsewhere)]
    titles = ["继续教育学号"]
    job_id = jobs.upload(admin, "verify_memberships", table(titles, *([number] for number in (*numbers, "G0"))))
    jobs.run()
    jobs.call("start_job", {"job_id": job_id}, admin)
    jobs.run()
    assert [(row["number"], row["outcome"], row["code"]) for row in jobs.rows(job_id, admin)] == [
        (2, "CHANGED", ""),
        (3, "CHANGED", ""),
        # A number that is nobody's answers like one of a teacher elsewhere.
        (4, "REFUSED", "org.membership_unknown"),
        (5, "REFUSED", "org.membership_unknown"),
    ]


def test_many_are_archived_and_restored(jobs: Jobs, org: Org) -> None:
    school = org.school()
    admin = org.holder(Role.SCHOOL_ADMIN, school["place"])
    rows = [{"teacher_id": str(org.member(school, "VERIFIED").account_id)} for _ in range(3)]
    archived = jobs.submit(admin, "archive_teachers", rows, parameters={"status": "RETIRED", "reason": "到龄"})
    jobs.run()
    assert jobs.get(archived, admin)["counts"]["changed"] == 3
    twice = jobs.submit(admin, "archive_teachers", rows[:1], parameters={"status": "LEFT"})
    jobs.run()
    assert [row["code"] for row in jobs.rows(twice, admin)] == ["org.archived_already"]
    restored = jobs.submit(admin, "restore_teachers", rows)
    jobs.run()
    assert jobs.get(restored, admin)["counts"]["changed"] == 3


def named(jobs: Jobs, actor: Actor) -> str:
    try:
        return str(jobs.component.service.name_of(actor))
    except NotFound:
        return ""


def test_whoever_exports_is_named_by_identity_and_masked(jobs: Jobs, admin: Actor, edition: int) -> None:
    """The name in the watermark is the one of the exporter's own profile."""
    jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
    jobs.import_(admin, "import_teachers", samples.teachers_xlsx(edition))
    # Other tests' members are strangers to identity.
    with jobs.component.database.work() as db:
        members = db.scalars(sa.select(Membership.teacher_id)).all()
    exporters = (dataclasses.replace(admin, account_id=member) for member in members)
    name = next(filter(None, (named(jobs, exporter) for exporter in exporters)))
    assert name[0] in samples.SURNAMES
    assert set(name[1:]) == {"*"}


def test_each_row_of_a_job_is_audited_like_the_single_command(jobs: Jobs, org: Org) -> None:
    from services.shared.tables import audit

    school = org.school()
    admin = org.holder(Role.SCHOOL_ADMIN, school["place"])
    teacher = org.member(school)
    job_id = jobs.submit(admin, "verify_memberships", [{"teacher_id": str(teacher.account_id)}])
    jobs.run()
    with jobs.component.database.work() as db:
        rows = db.execute(audit.select().where(audit.c.subject == teacher.account_id)).all()
    acts = [(row.action, row.actor, row.call_id) for row in rows if row.actor == str(admin.account_id)]
    assert acts == [("verify_memberships", str(admin.account_id), f"job:{job_id}")]


@pytest.fixture
def reject_job(jobs: Jobs, org: Org) -> tuple[str, Actor]:
    school = org.school()
    admin = org.holder(Role.SCHOOL_ADMIN, school["place"])
    rows = [{"teacher_id": str(org.member(school).account_id)} for _ in range(2)]
    arguments = {"parameters": {"reason": "不是本校教师"}, "at_once": False}
    return jobs.submit(admin, "reject_memberships", rows, **arguments), admin


def test_rows_wait_for_their_owner_when_asked_to(jobs: Jobs, reject_job: tuple[str, Actor]) -> None:
    job_id, admin = reject_job
    jobs.run()
    assert jobs.get(job_id, admin)["state"] == "READY"
    jobs.call("start_job", {"job_id": job_id}, admin)
    jobs.run()
    assert jobs.get(job_id, admin)["counts"]["changed"] == 2


@pytest.mark.parametrize("new", [new_id])
def test_another_administrator_finds_no_such_job(
    jobs: Jobs, org: Org, reject_job: tuple[str, Actor], new: Callable[[], uuid.UUID]
) -> None:
    from services.shared.errors import NotFound

    job_id, admin = reject_job
    boss = org.holder(Role.NATIONAL_OPERATOR, "CN")
    for method in ("get_job", "start_job", "cancel_job", "rerun_job", "make_report", "list_job_rows"):
        for which in (job_id, str(new())):
            with pytest.raises(NotFound, match=r"shared\.job_unknown"):
                jobs.call(method, {"job_id": which}, boss)
    with pytest.raises(NotFound, match=r"shared\.job_unknown"):
        jobs.call("open_download", {"job_id": job_id}, raised(boss))
    assert jobs.call("list_jobs", {}, boss)["items"] == []
    assert [job["job_id"] for job in jobs.call("list_jobs", {}, admin)["items"]] == [job_id]
