"""What may happen to a job on its way: deaths, lost leases, withdrawn rights, faults, absent neighbours, other people's jobs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from services.org.models import MembershipPeriod
from services.shared import clock
from services.shared.actor import Actor, Role
from services.shared.bulk import queries, runner, upkeep
from services.shared.bulk.kinds import Chunk, Kind, Result, each_row
from services.shared.bulk.rules import CONTENT_LIFETIME, FILE_LIFETIME, UPLOAD_LIFETIME, Outcome
from services.shared.bulk.tables import job as job_table
from services.shared.bulk.tables import row as row_table
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, Unavailable
from services.shared.tables import audit
from tests.component.org.bulk.conftest import Jobs, raised
from tests.component.org.conftest import YUEXIU, Org
from yanxiu import samples

pytestmark = pytest.mark.postgres


class Death(BaseException):
    """What a killed process does to its own code: nothing after it runs."""


@dataclasses.dataclass
class Class:
    """A school whose admin is about to verify its teachers."""

    admin: Actor
    grant_id: str
    teachers: list[Actor]

    @property
    def rows(self) -> list[dict[str, str]]:
        return [{"teacher_id": str(teacher.account_id)} for teacher in self.teachers]


@pytest.fixture
def four(org: Org) -> Class:
    return a_class(org, 4)


def a_class(org: Org, size: int) -> Class:
    school = org.school()
    admin = org.holder(Role.SCHOOL_ADMIN, school["place"])
    grants = org.call("list_grants", {"place": school["place"]}, org.person(None, (Role.COUNTY_ADMIN, YUEXIU)))
    return Class(admin, grants["items"][0]["grant_id"], [org.member(school) for _ in range(size)])


def in_chunks_of(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, rows: int, **changes: Any) -> None:
    """Let this process's kinds do so many rows at a time."""
    service = jobs.component.service
    kinds = {
        name: dataclasses.replace(kind, chunk_rows=rows, **changes) if name == "verify_memberships" else kind
        for name, kind in service.kinds.items()
    }
    monkeypatch.setattr(type(service), "kinds", kinds)
    service.__dict__.pop("runner", None)


def verified(jobs: Jobs, teachers: list[Actor]) -> int:
    """How many times these teachers were verified: one act in the audit trail each."""
    with jobs.component.database.work() as db:
        return db.execute(
            sa.select(sa.func.count()).where(
                audit.c.subject.in_([teacher.account_id for teacher in teachers]),
                audit.c.action == "verify_memberships",
            )
        ).scalar_one()


def end_lease(jobs: Jobs, job_id: str) -> None:
    """What a minute does to the lease of a runner that died."""
    with jobs.component.database.work() as db:
        db.execute(
            sa.update(job_table)
            .where(job_table.c.job_id == uuid.UUID(job_id))
            .values(lease_until=sa.func.now() - sa.text("interval '1 second'"))
        )


def die_at(monkeypatch: pytest.MonkeyPatch, target: Any, name: str, after: bool) -> None:
    """Kill the process the first time it reaches `name`, before or after what it does."""
    original = getattr(target, name)
    died: list[bool] = []

    def deadly(*arguments: Any, **options: Any) -> Any:
        if died:
            return original(*arguments, **options)
        died.append(True)
        if after:
            original(*arguments, **options)
        raise Death

    give_back: Any = runner.Runner._give_back
    monkeypatch.setattr(target, name, deadly)
    # The dead give nothing back.
    monkeypatch.setattr(runner.Runner, "_give_back", lambda *arguments: None if died else give_back(*arguments))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "point", ["list_pending_rows", "write_outcomes", "count_outcomes", "release", "update_job", "renew", "list_rows"]
)
def test_a_runner_killed_at_any_point_loses_nothing_and_doubles_nothing(
    jobs: Jobs, four: Class, monkeypatch: pytest.MonkeyPatch, point: str, after: bool
) -> None:
    in_chunks_of(jobs, monkeypatch, 2)
    job_id = jobs.submit(four.admin, "verify_memberships", four.rows)
    with monkeypatch.context() as patch:
        die_at(patch, queries, point, after)
        with pytest.raises(Death):
            jobs.run()
    end_lease(jobs, job_id)
    jobs.run()
    counts = jobs.get(job_id, four.admin)["counts"]
    assert (counts["changed"], counts["refused"], counts["pending"]) == (4, 0, 0)
    assert verified(jobs, four.teachers) == 4


def test_sabotage_outcomes_in_a_transaction_of_their_own_would_lie(
    jobs: Jobs, four: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the one transaction, a death between effect and outcome tells done rows as refused."""
    in_chunks_of(jobs, monkeypatch, 2)
    job_id = jobs.submit(four.admin, "verify_memberships", four.rows)
    original = runner.Runner._write

    def write_later(self: Any, db: Any, *arguments: Any) -> None:
        db.commit()  # the sabotage
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(runner.Runner, "_write", write_later)
        patch.setattr(runner.Runner, "_give_back", lambda *_: None)
        with pytest.raises(Death):
            jobs.run()
    assert runner.Runner._write is original
    end_lease(jobs, job_id)
    jobs.run()
    assert jobs.get(job_id, four.admin)["counts"]["refused"] == 2


def test_the_import_of_people_killed_between_two_services_creates_everybody_once(
    jobs: Jobs, admin: Actor, edition: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
    job_id = jobs.upload(admin, "import_teachers", samples.teachers_xlsx(edition), at_once=True)
    with monkeypatch.context() as patch:
        die_at(patch, queries, "write_outcomes", False)
        with pytest.raises(Death):
            jobs.run()
    end_lease(jobs, job_id)
    jobs.run()
    counts = jobs.get(job_id, admin)["counts"]
    # Told as created although identity had made the accounts of the first hundred before the death.
    assert (counts["created"], counts["unchanged"], counts["refused"]) == (190, 0, 10)


def test_a_validation_that_was_killed_begins_again(
    jobs: Jobs, admin: Actor, edition: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH_ROWS", 5)
    job_id = jobs.upload(admin, "import_schools", samples.schools_xlsx(edition))
    with monkeypatch.context() as patch:
        die_at(patch, queries, "insert_rows", True)
        with pytest.raises(Death):
            jobs.run()
    assert jobs.get(job_id, admin)["state"] == "VALIDATING"
    assert jobs.run() == 0, "the lease of the dead one still stands"
    end_lease(jobs, job_id)
    jobs.run()
    assert jobs.get(job_id, admin)["counts"]["total"] == samples.SCHOOLS
    assert len(jobs.rows(job_id, admin)) == samples.SCHOOLS


def test_a_runner_that_lost_its_lease_commits_nothing(jobs: Jobs, four: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    """It slept past its lease; another took the job over. Its chunk is undone, the other's stays."""
    job_id = jobs.submit(four.admin, "verify_memberships", four.rows)
    original: Any = jobs.component.service.kinds["verify_memberships"].prepare
    slept: list[bool] = []

    def sleep_past_the_lease(chunk: Chunk) -> Any:
        if not slept:
            slept.append(True)
            end_lease(jobs, job_id)
            jobs.run()
        return original(chunk)

    in_chunks_of(jobs, monkeypatch, 100, prepare=sleep_past_the_lease)
    jobs.run()
    assert jobs.get(job_id, four.admin)["counts"]["changed"] == 4
    assert verified(jobs, four.teachers) == 4


def test_two_runners_never_do_the_same_row(jobs: Jobs, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    in_chunks_of(jobs, monkeypatch, 3)
    classes = [a_class(org, 6) for _ in range(3)]
    ids = [jobs.submit(each.admin, "verify_memberships", each.rows) for each in classes]
    threads = [threading.Thread(target=jobs.run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    jobs.run()  # what was leased while the others looked
    for job_id, each in zip(ids, classes, strict=True):
        assert jobs.get(job_id, each.admin)["counts"]["changed"] == 6
        assert verified(jobs, each.teachers) == 6


# --- rights ---------------------------------------------------------------------------------------------------------------


def test_a_revoked_admins_job_stops_and_can_go_on_once_the_right_is_back(
    jobs: Jobs, org: Org, four: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_chunks_of(jobs, monkeypatch, 1)
    job_id = jobs.submit(four.admin, "verify_memberships", four.rows)
    jobs.component.service.runner.run_next()
    county = org.holder(Role.COUNTY_ADMIN, YUEXIU)
    org.call("revoke_grant", {"grant_id": four.grant_id}, county)
    jobs.run()
    stopped = jobs.get(job_id, four.admin)
    assert (stopped["state"], stopped["code"]) == ("STOPPED", "shared.rights_gone")
    assert (stopped["counts"]["changed"], stopped["counts"]["pending"]) == (1, 3)
    with pytest.raises(NotAllowed, match=r"shared\.rights_gone"):
        jobs.call("open_download", {"job_id": job_id}, raised(four.admin))
    place = four.admin.grants[0].place
    org.call("bootstrap_grant", {"account_id": str(four.admin.account_id), "role": "SCHOOL_ADMIN", "place": place})
    jobs.call("rerun_job", {"job_id": job_id}, four.admin)
    jobs.run()
    again = jobs.get(job_id, four.admin)
    assert (again["state"], again["code"], again["counts"]["changed"]) == ("DONE", "", 4)
    assert again["attempt"] == 2


def test_sabotage_a_runner_that_believes_old_grants_would_go_on(
    jobs: Jobs, org: Org, four: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_chunks_of(jobs, monkeypatch, 1)
    service = jobs.component.service
    monkeypatch.setattr(type(service), "read_grants", lambda *_: four.admin.grants)
    job_id = jobs.submit(four.admin, "verify_memberships", four.rows)
    service.runner.run_next()
    org.call("revoke_grant", {"grant_id": four.grant_id}, org.holder(Role.COUNTY_ADMIN, YUEXIU))
    jobs.run()
    assert jobs.get(job_id, four.admin)["counts"]["changed"] == 4


def test_a_row_outside_the_territory_is_refused_by_its_action_and_hidden_by_the_database(
    jobs: Jobs, org: Org, four: Class
) -> None:
    other = a_class(org, 1)
    job_id = jobs.submit(four.admin, "verify_memberships", other.rows)
    jobs.run()
    assert [row["code"] for row in jobs.rows(job_id, four.admin)] == ["org.membership_unknown"]
    assert verified(jobs, other.teachers) == 0


@pytest.mark.parametrize("role", [None, Role.COUNTY_ADMIN, Role.AUDITOR])
def test_a_kind_is_only_for_its_roles(jobs: Jobs, org: Org, four: Class, role: Role | None) -> None:
    actor = org.person(None, (role, YUEXIU)) if role else org.person()
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        jobs.submit(actor, "verify_memberships", four.rows)
    shown = {kind["kind"] for kind in jobs.call("list_job_kinds", {}, actor)["items"]}
    assert "verify_memberships" not in shown
    assert ("import_schools" in shown) == (role is Role.COUNTY_ADMIN)


# --- faults ---------------------------------------------------------------------------------------------------------------


def test_one_rows_trouble_holds_up_no_other(jobs: Jobs, four: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect that a single row meets is found by halves; the others are done."""
    original: Any = jobs.component.service.kinds["verify_memberships"].run

    def stumble(db: Any, chunk: Chunk) -> Mapping[int, Result]:
        if any(row.number == 3 for row in chunk.rows):
            db.execute(sa.text("SELECT 1 / 0"))
        done: Mapping[int, Result] = original(db, chunk)
        return done

    in_chunks_of(jobs, monkeypatch, 100, run=stumble)
    job_id = jobs.submit(four.admin, "verify_memberships", four.rows)
    jobs.run()
    assert jobs.get(job_id, four.admin)["counts"]["changed"] == 3
    assert [(row["number"], row["code"]) for row in jobs.rows(job_id, four.admin, outcome="REFUSED")] == [
        (3, "shared.defect")
    ]
    assert verified(jobs, four.teachers) == 3


def test_failed_rows_can_run_again_alone(jobs: Jobs, org: Org, four: Class) -> None:
    late = a_class(org, 1)
    job_id = jobs.submit(four.admin, "verify_memberships", [*four.rows, *late.rows, {"teacher_id": "no id"}])
    jobs.run()
    assert jobs.get(job_id, four.admin)["counts"]["refused"] == 2
    school_id = org.call("get_own_membership", {}, four.teachers[0])["school_id"]
    org.call("choose_school", {"school_id": school_id}, late.teachers[0])
    jobs.call("rerun_job", {"job_id": job_id}, four.admin)
    assert jobs.get(job_id, four.admin)["counts"]["pending"] == 1
    jobs.run()
    counts = jobs.get(job_id, four.admin)["counts"]
    assert (counts["changed"], counts["refused"]) == (5, 1)
    assert verified(jobs, [*four.teachers, *late.teachers]) == 5
    with pytest.raises(Conflict, match=r"shared\.nothing_to_rerun"):
        jobs.call("rerun_job", {"job_id": job_id}, four.admin)


@pytest.mark.parametrize(
    "away_how",
    [
        Unavailable("shared.service_unavailable"),
        Unavailable("shared.deadline"),
        # It still works on what a runner told it that died.
        Conflict("shared.in_progress"),
    ],
    ids=lambda error: error.code,
)
def test_while_a_neighbour_is_away_the_job_waits_and_nothing_fails(
    jobs: Jobs, admin: Actor, edition: int, monkeypatch: pytest.MonkeyPatch, away_how: Exception
) -> None:
    jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
    job_id = jobs.upload(admin, "import_teachers", samples.teachers_xlsx(edition), at_once=True)

    def away(*_: Any, **__: Any) -> None:
        raise away_how

    with monkeypatch.context() as patch:
        patch.setattr(jobs.component.service.bus, "tell_for", away)
        jobs.run()
        waiting = jobs.get(job_id, admin)
        assert (waiting["state"], waiting["counts"]["pending"]) == (
            "RUNNING",
            191,
        )  # the preview has refused the other nine
        assert jobs.run() == 0, "not at once again"
    end_lease(jobs, job_id)
    jobs.run()
    assert jobs.get(job_id, admin)["counts"]["created"] == 190


def test_nothing_may_be_done_to_a_target_that_was_never_checked(
    jobs: Jobs, four: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_chunks_of(jobs, monkeypatch, 100, run=each_row(lambda *_: Outcome.CHANGED))
    job_id = jobs.submit(four.admin, "verify_memberships", four.rows)
    jobs.run()
    assert jobs.get(job_id, four.admin)["counts"]["refused"] == 4
    assert {row["code"] for row in jobs.rows(job_id, four.admin)} == {"shared.defect"}


def test_a_cancelled_job_does_nothing_more_and_can_go_on(
    jobs: Jobs, four: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_chunks_of(jobs, monkeypatch, 1)
    job_id = jobs.submit(four.admin, "verify_memberships", four.rows)
    jobs.component.service.runner.run_next()
    jobs.call("cancel_job", {"job_id": job_id}, four.admin)
    jobs.run()
    counts = jobs.get(job_id, four.admin)["counts"]
    assert (counts["changed"], counts["pending"]) == (1, 3)
    with pytest.raises(Conflict, match=r"shared\.job_ended"):
        jobs.call("cancel_job", {"job_id": job_id}, four.admin)
    jobs.call("rerun_job", {"job_id": job_id}, four.admin)
    jobs.run()
    assert jobs.get(job_id, four.admin)["counts"]["changed"] == 4


def test_a_job_of_a_newer_release_is_left_to_it(jobs: Jobs, four: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = jobs.submit(four.admin, "verify_memberships", four.rows)
    service = jobs.component.service
    with monkeypatch.context() as patch:
        patch.setattr(type(service), "kinds", {})
        service.__dict__.pop("runner", None)
        jobs.run()
    service.__dict__.pop("runner", None)
    end_lease(jobs, job_id)
    jobs.run()
    assert jobs.get(job_id, four.admin)["state"] == "DONE"


# --- whose turn it is -------------------------------------------------------------------------------------------------------


def order_of_chunks(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The job of each stage, as they are done."""
    order: list[str] = []
    original: Any = runner.Runner._do_stage

    def note(self: Any, found: Any) -> None:
        if found.state == "RUNNING":
            order.append(str(found.job_id))
        original(self, found)

    monkeypatch.setattr(runner.Runner, "_do_stage", note)
    jobs.run()
    return order


def test_a_large_job_of_one_territory_does_not_keep_another_waiting(
    jobs: Jobs, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_chunks_of(jobs, monkeypatch, 1)
    large, small = a_class(org, 6), a_class(org, 1)
    first = jobs.submit(large.admin, "verify_memberships", large.rows)
    second = jobs.submit(small.admin, "verify_memberships", small.rows)
    order = order_of_chunks(jobs, monkeypatch)
    assert order.index(second) == 1
    assert order.count(first) == 7, "six chunks and the look that finds no more"


def test_of_one_territory_the_older_job_comes_first(jobs: Jobs, four: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    in_chunks_of(jobs, monkeypatch, 1)
    first = jobs.submit(four.admin, "verify_memberships", four.rows[:2])
    second = jobs.submit(four.admin, "verify_memberships", four.rows[2:])
    order = order_of_chunks(jobs, monkeypatch)
    assert order == [first] * 3 + [second] * 3


def test_nobody_has_more_than_ten_unfinished_jobs(jobs: Jobs, four: Class) -> None:
    for _ in range(10):
        jobs.submit(four.admin, "verify_memberships", four.rows, at_once=False)
    with pytest.raises(LimitReached, match=r"shared\.too_many_jobs"):
        jobs.submit(four.admin, "verify_memberships", four.rows)
    jobs.call("cancel_job", {"job_id": jobs.call("list_jobs", {}, four.admin)["items"][0]["job_id"]}, four.admin)
    jobs.submit(four.admin, "verify_memberships", four.rows)


# --- opening ----------------------------------------------------------------------------------------------------------------


def test_the_same_command_again_opens_no_second_job(jobs: Jobs, four: Class) -> None:
    arguments = {"kind": "verify_memberships", "rows": four.rows}
    first = jobs.call("submit_rows", arguments, four.admin, command_id="once-and-again")
    again = jobs.call("submit_rows", arguments, four.admin, command_id="once-and-again")
    assert first["job_id"] == again["job_id"]
    assert len(jobs.call("list_jobs", {}, four.admin)["items"]) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"parameters": {"reason": "x"}}, "parameters.reason"),
        ({"rows": [{"teacher_id": "x", "name": "y"}]}, "rows.0"),
        ({"rows": []}, "rows"),
        ({"kind": "reject_memberships"}, "parameters.reason"),
    ],
)
def test_a_list_of_another_form_is_refused(jobs: Jobs, four: Class, changes: dict[str, Any], field: str) -> None:
    arguments = {"kind": "verify_memberships", "rows": four.rows, **changes}
    with pytest.raises(InvalidInput) as refused:
        jobs.call("submit_rows", arguments, four.admin)
    assert refused.value.field == field


def test_a_second_file_is_not_accepted(jobs: Jobs, admin: Actor) -> None:
    job_id = jobs.upload(admin, "import_schools", b"first")
    other = jobs.component.service.files.store([b"first"])
    attached = jobs.call("attach_file", {"job_id": job_id, "file": other.to_wire()}, admin)
    assert not attached["accepted"]


def test_a_file_other_than_the_announced_one_is_refused(jobs: Jobs, admin: Actor) -> None:
    files = jobs.component.service.files
    announced, other = files.store([b"one"]), files.store([b"two"])
    opened = jobs.call("open_job", {"kind": "import_schools", "sha256": announced.sha256}, admin)
    with pytest.raises(InvalidInput, match=r"shared\.invalid"):
        jobs.call("attach_file", {"job_id": opened["job_id"], "file": other.to_wire()}, admin)


def test_a_file_that_is_gone_or_damaged_ends_the_job(jobs: Jobs, admin: Actor) -> None:
    job_id = jobs.upload(admin, "import_schools", b"x")
    with jobs.component.database.work() as db:
        found = queries.get_job(db, uuid.UUID(job_id), admin.account_id)
    jobs.component.service.files.forget(found.upload["pieces"])
    jobs.run()
    assert (jobs.get(job_id, admin)["state"], jobs.get(job_id, admin)["code"]) == ("REFUSED", "shared.file_damaged")


# --- what is kept -----------------------------------------------------------------------------------------------------------


def test_nothing_that_names_a_person_can_be_read_in_the_tables_or_on_the_disk(
    jobs: Jobs, admin: Actor, edition: int
) -> None:
    jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
    jobs.import_(admin, "import_teachers", samples.teachers_xlsx(edition))
    jobs.upload(admin, "import_teachers", samples.teachers_xlsx(edition))
    wanted = [row[key] for row in samples.teachers(edition).rows[10:20] for key in ("id_no", "phone") if row[key]]
    with jobs.component.database.work() as db:
        text = " ".join(
            str(tuple(found)) for table in (job_table, row_table) for found in db.execute(sa.select(table)).all()
        )
    folder = jobs.component.service.settings.data_dir / "files"
    content = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert not any(value in text or value.encode() in content for value in wanted)


def files_on_disk(jobs: Jobs) -> int:
    folder = jobs.component.service.settings.data_dir / "files"
    return sum(path.is_file() for path in folder.rglob("*"))


def keep_house(jobs: Jobs, later: dt.timedelta) -> None:
    upkeep.keep_house(jobs.component.database, jobs.component.service.files, clock.now() + later)


def test_files_go_after_a_day_and_a_report_can_be_made_again(jobs: Jobs, four: Class) -> None:
    job_id = jobs.submit(four.admin, "verify_memberships", four.rows)
    jobs.run()
    before = files_on_disk(jobs)
    keep_house(jobs, FILE_LIFETIME)
    assert files_on_disk(jobs) < before
    with pytest.raises(Conflict, match=r"shared\.file_expired"):
        jobs.call("open_download", {"job_id": job_id}, raised(four.admin))
    jobs.call("make_report", {"job_id": job_id}, four.admin)
    jobs.run()
    assert len(jobs.report(job_id, four.admin)) == 5


def test_what_was_uploaded_goes_after_a_month_and_what_became_of_it_stays(jobs: Jobs, four: Class) -> None:
    job_id = jobs.submit(four.admin, "verify_memberships", [*four.rows, {"teacher_id": str(uuid.uuid4())}])
    waiting = jobs.submit(four.admin, "verify_memberships", four.rows, at_once=False)
    jobs.run()
    keep_house(jobs, CONTENT_LIFETIME + dt.timedelta(seconds=1))
    assert jobs.get(job_id, four.admin)["counts"]["changed"] == 4
    assert len(jobs.rows(job_id, four.admin)) == 5
    with jobs.component.database.work() as db:
        sealed = db.execute(sa.select(row_table.c.cells_sealed).where(row_table.c.job_id == uuid.UUID(job_id)))
        assert set(sealed.scalars()) == {""}
    assert jobs.get(waiting, four.admin)["state"] == "CANCELLED"
    for method in ("rerun_job", "make_report"):
        with pytest.raises(Conflict, match=r"shared\.job_forgotten"):
            jobs.call(method, {"job_id": job_id}, four.admin)


def test_an_announced_file_that_never_came_is_waited_for_an_hour(jobs: Jobs, admin: Actor) -> None:
    opened = jobs.call("open_job", {"kind": "import_schools", "sha256": "0" * 64}, admin)
    keep_house(jobs, UPLOAD_LIFETIME - dt.timedelta(minutes=1))
    assert jobs.get(opened["job_id"], admin)["state"] == "UPLOADING"
    keep_house(jobs, UPLOAD_LIFETIME + dt.timedelta(seconds=1))
    assert jobs.get(opened["job_id"], admin)["state"] == "CANCELLED"


def test_the_uploaded_file_goes_once_it_is_read_or_will_never_be(jobs: Jobs, admin: Actor, edition: int) -> None:
    before = files_on_disk(jobs)
    read = jobs.upload(admin, "import_schools", samples.schools_xlsx(edition))
    jobs.run()
    never = jobs.upload(admin, "import_schools", samples.schools_xlsx(edition))
    jobs.call("cancel_job", {"job_id": never}, admin)
    keep_house(jobs, dt.timedelta())
    assert files_on_disk(jobs) == before + 1, "the preview's report"
    assert jobs.get(read, admin)["state"] == "READY"


def test_periods_of_verified_teachers_are_open_once(jobs: Jobs, four: Class) -> None:
    """The constraint of the database stands behind all of the above."""
    jobs.submit(four.admin, "verify_memberships", four.rows)
    jobs.run()
    with jobs.component.database.work() as db:
        open_periods = db.execute(
            sa.select(sa.func.count()).where(
                MembershipPeriod.teacher_id.in_([teacher.account_id for teacher in four.teachers]),
                MembershipPeriod.closed_at.is_(None),
            )
        ).scalar_one()
    assert open_periods == 4


def test_kinds_are_complete(jobs: Jobs) -> None:
    for kind in jobs.component.service.kinds.values():
        assert kind.title
        if isinstance(kind, Kind):
            assert {key for keys in kind.repeats for key in keys} <= {column.key for column in kind.columns}
        assert not kind.policy.anyone
        assert kind.policy.roles
