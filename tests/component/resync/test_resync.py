"""Projections come back from their owners, whatever was lost, and nothing else moves."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.shared.actor import Role
from services.shared.bus import resync as plumbing
from services.shared.errors import NotFound, Unavailable
from tests.component.resync.conftest import STUDYING, Installation
from tests.component.resync.selling import let_time_pass
from tests.conftest import person
from yanxiu.commands import resync
from yanxiu.local import processes

pytestmark = pytest.mark.postgres

# So small that every projection of teachers takes several, and that no page ends with a teacher's last course.
PAGE = 7


@dataclasses.dataclass(frozen=True)
class Damage:
    """How a projection is lost or grows old, and the table that must be as before; `but` leaves out our own columns."""

    consumer: str
    type: str
    table: str
    lost: str
    old: str = ""
    but: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.consumer}-{self.type}"


def _plain(consumer: str, type_: str, table: str, *but: str) -> Damage:
    return Damage(consumer, type_, table, f"DELETE FROM {table}", f"UPDATE {table} SET version = version - 1", but)


DAMAGES = [
    *(
        _plain(consumer, "org.membership_changed", "placement")
        for consumer in resync.NAMES
        if consumer not in ("org", "catalog")
    ),
    *(
        _plain(consumer, "org.grants_changed", "account_grants")
        for consumer in ("identity", "billing", "credits", "catalog", "learning", "certs")
    ),
    _plain("catalog", "org.school_changed", "unit"),
    _plain("catalog", "identity.profile_changed", "teaching"),
    _plain("catalog", "learning.choice_changed", "choice", "subject"),
    _plain("identity", "org.tenant_policy_changed", "tenant_policy"),
    _plain("learning", "identity.profile_changed", "learner"),
    _plain("learning", "org.employment_changed", "employment"),
    _plain("credits", "org.employment_changed", "employment"),
    # Both tell of one row: what only the other knows stays as it is.
    Damage(
        "org",
        "identity.account_registered",
        "known_account",
        "DELETE FROM known_account",
        "",
        ("profile_version", "named", "standing", "standing_version", "erased"),
    ),
    Damage(
        "org",
        "identity.profile_changed",
        "known_account",
        "UPDATE known_account SET profile_version = 0, named = false",
        "UPDATE known_account SET profile_version = profile_version - 1 WHERE profile_version > 0",
    ),
    Damage(
        "org",
        "identity.persons_merged",
        "known_account",
        "UPDATE known_account SET standing = true, standing_version = 0 WHERE NOT standing AND NOT erased",
        "UPDATE known_account SET standing_version = standing_version - 1 WHERE NOT standing AND NOT erased",
    ),
    Damage(
        "org",
        "identity.person_erased",
        "known_account",
        "UPDATE known_account SET standing = true, standing_version = 0, erased = false WHERE erased",
        # As rows were before they told why: the version is the same.
        "",
    ),
    _plain("org", "identity.persons_merged", "person_merge"),
    _plain("learning", "identity.persons_merged", "merged_person"),
    _plain("certs", "identity.persons_merged", "merged_person"),
    _plain("billing", "identity.persons_merged", "merged_person"),
    *(
        Damage(
            consumer,
            "identity.learner_no_issued",
            "learner_number",
            "DELETE FROM learner_number WHERE learner_no NOT LIKE 'erased%'",
            "",
            ("version",),
        )
        for consumer in ("org", "billing", "learning")
    ),
    dataclasses.replace(
        _plain("learning", "catalog.programme_published", "programme"),
        lost="DELETE FROM activity; DELETE FROM course; DELETE FROM programme",
    ),
    _plain("credits", "catalog.programme_published", "programme", "recognition_closed_at"),
    Damage("credits", "learning.enrolled", "standing", "UPDATE standing SET enrolled_at = NULL", "", ("recorded_at",)),
    _plain("credits", "learning.course_progressed", "evidence"),
    Damage(
        "credits",
        "learning.study_closed",
        "programme",
        "UPDATE programme SET recognition_closed_at = NULL",
        "",
        ("recognition_closed_at",),
    ),
    _plain("credits", "learning.exam_judged", "exam_score"),
    _plain("credits", "learning.course_graded", "course_grade", "changed_at", "recorded_at"),
    _plain("learning", "catalog.training_project_changed", "training_project"),
    _plain("credits", "learning.training_graded", "training_result", "changed_at", "recorded_at"),
    _plain("learning", "catalog.exam_published", "exam"),
    *(
        _plain(consumer, f"catalog.{fact}_changed", fact)
        for consumer in ("learning", "billing")
        for fact in ("period", "offering")
    ),
    # A choice is learning's own; of billing it holds what became of its charge.
    Damage("learning", "billing.charge_changed", "choice", "UPDATE choice SET charge_version = 0", "", ("changed_at",)),
    _plain("billing", "org.school_changed", "unit"),
    _plain("billing", "learning.choice_changed", "choice"),
    Damage("billing", "learning.selection_closed", "closing", "DELETE FROM closing", "", ("complete_at", "billed_at")),
    # That it was billed is where a period goes on from, by its keeper's own acts.
    Damage(
        "catalog",
        "billing.period_billed",
        "period",
        "UPDATE period SET state = 'CLOSED'",
        "",
        ("state", "version", "changed_at"),
    ),
    _plain("certs", "catalog.programme_published", "programme", "due_at"),
    _plain("certs", "credits.hours_recognised", "standing", "pending"),
    Damage("certs", "credits.recognition_closed", "programme", "UPDATE programme SET due_at = NULL", "", ("due_at",)),
]


@pytest.fixture(autouse=True)
def command(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command works on this installation."""

    @contextlib.contextmanager
    def operator() -> Any:
        yield installation.operator

    monkeypatch.setattr(resync, "_operator", operator)
    monkeypatch.setattr(plumbing, "PAGE", PAGE)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(resync.command, ["--json", *arguments])


def projections(result: Result) -> dict[tuple[str, str, str], dict[str, Any]]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    # Outside the command nobody has sent the log to stderr.
    document = result.stdout[result.stdout.index("{\n") :]
    rows = json.loads(document)["projections"]
    found = {(row["consumer"], row["type"], row["table"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def assert_rebuilt(installation: Installation, damage: Damage, statement: str) -> None:
    """Damage it, see the difference without changing anything, repair it, and find it as it was."""
    before = installation.rows(damage.consumer, damage.table, *damage.but)
    assert before, "nothing to lose"
    installation.sql(damage.consumer, statement)
    damaged = installation.rows(damage.consumer, damage.table)

    checked = run(damage.consumer, "--check", "--type", damage.type)
    row = projections(checked)[damage.consumer, damage.type, damage.table]
    assert (checked.exit_code, row["repaired"], row["ahead"]) == (1, 0, 0)
    assert row["missing"] == row["owner_count"] > 0
    assert installation.rows(damage.consumer, damage.table) == damaged

    repaired = run(damage.consumer)
    assert repaired.exit_code == 0, repaired.stdout
    row = projections(repaired)[damage.consumer, damage.type, damage.table]
    assert (row["repaired"], row["missing"]) == (row["owner_count"], 0)
    assert row["same_digest"]
    assert installation.rows(damage.consumer, damage.table, *damage.but) == before

    again = run(damage.consumer)
    assert (again.exit_code, {row["repaired"] for row in projections(again).values()}) == (0, {0})


def test_every_declared_projection_is_damaged_here() -> None:
    declared = {
        (name.split("-")[0], projection.type, projection.table)
        for name in processes.SERVICE_PROCESSES
        for projection in getattr(processes.load_class(name), "projections", ())
    }
    tested = {(damage.consumer, damage.type, damage.table) for damage in DAMAGES}
    assert declared == tested | {("learning", "catalog.programme_closed", "programme")}


def test_who_was_merged_away_or_erased_stands_no_more_after_the_table_was_lost(installation: Installation) -> None:
    """All of it, not one fact after the other: a right given to nobody's account is a back door."""
    before = installation.rows("org", "known_account")
    ended = [row["account_id"] for row in before if not row["standing"]]
    assert len(ended) == 2, "one merged away, one erased"
    installation.sql("org", "DELETE FROM known_account")
    assert run("org").exit_code == 0
    assert installation.rows("org", "known_account") == before
    grantor = person(None, (Role.NATIONAL_OPERATOR, "CN"))
    installation.call(
        "org", "bootstrap_grant", {"account_id": str(grantor.account_id), "role": "NATIONAL_OPERATOR", "place": "CN"}
    )
    installation.deliver_all()  # what the grant announces is nobody's difference
    [(place,)] = installation.sql("org", "SELECT place FROM school WHERE NOT other LIMIT 1")
    for account_id in ended:
        wanted = {"account_id": account_id, "role": "SCHOOL_ADMIN", "place": place, "replace": True}
        with pytest.raises((NotFound, Unavailable), match=r"org\.account_(unknown|not_told)"):
            installation.call("org", "grant_role", wanted, grantor)


def test_an_erased_account_of_a_row_that_did_not_tell_why_is_put_right(installation: Installation) -> None:
    before = installation.rows("org", "known_account")
    installation.sql("org", "UPDATE known_account SET erased = false")
    assert run("org", "--check").exit_code == 1
    run("org")
    assert run("org", "--check").exit_code == 0
    assert installation.rows("org", "known_account") == before


def test_after_a_season_nothing_differs(installation: Installation) -> None:
    result = run("--check")
    assert result.exit_code == 0, result.stdout
    assert all(row["owner_count"] for row in projections(result).values())
    assert "agrees" in CliRunner().invoke(resync.command, ["--check"]).output


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_what_was_lost_comes_back(installation: Installation, damage: Damage) -> None:
    assert_rebuilt(installation, damage, damage.lost)
    let_time_pass(installation)  # what is lost of a service's own way is gone again by the clock


@pytest.mark.parametrize("damage", [each for each in DAMAGES if each.old], ids=str)
def test_what_is_old_is_brought_up_to_date(installation: Installation, damage: Damage) -> None:
    assert_rebuilt(installation, damage, damage.old)


def test_sabotage_a_handler_that_keeps_nothing_is_found_out(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    [damage] = [each for each in DAMAGES if str(each) == "identity-org.membership_changed"]
    handler = processes.load_class("identity").on_membership_changed

    def keep_nothing(self: Any, db: Any, event: Any) -> None: ...

    keep_nothing.bus_marker = handler.bus_marker  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(processes.load_class("identity"), "on_membership_changed", keep_nothing)
        with pytest.raises(AssertionError):
            assert_rebuilt(installation, damage, damage.lost)
        row = projections(run("identity"))["identity", damage.type, damage.table]
        assert (row["missing"], row["differs"]) == (row["owner_count"], True)
    assert run("identity").exit_code == 0


def test_a_lost_closing_sends_its_markers_again(installation: Installation) -> None:
    installation.sql("learning", "DELETE FROM closing_marker")
    assert projections(run("learning"))["learning", "catalog.programme_closed", "programme"]["repaired"] == 1
    installation.pass_markers()
    assert run("--check").exit_code == 0


def test_learnings_snapshots_applied_again_leave_the_ledger_alone(installation: Installation) -> None:
    ledger, standings = (
        installation.rows("credits", "ledger"),
        installation.rows("credits", "standing", "recorded_at"),
    )
    of_the_season = [entry for entry in ledger if entry["source_kind"] == "SEASON"]
    assert len(of_the_season) == STUDYING * 5, "every course earned its hours once"
    for damage in ("UPDATE evidence SET version = 0", "DELETE FROM evidence"):
        installation.sql("credits", damage)
        row = projections(run("credits"))["credits", "learning.course_progressed", "evidence"]
        assert row["repaired"] == row["owner_count"] == STUDYING * 5
        assert installation.rows("credits", "ledger") == ledger
        assert installation.rows("credits", "standing", "recorded_at") == standings


def test_sabotage_pages_that_split_a_teacher_do_harm_the_ledger(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why `_cut` keeps a teacher's facts together: judged by half of her evidence, she loses hours that she has."""
    ledger = installation.rows("credits", "ledger")
    entries = ", ".join(f"'{entry['entry_id']}'" for entry in ledger)
    with monkeypatch.context() as patch:
        patch.setattr(
            plumbing, "_cut", lambda *pages: min((max(page) for page in pages if len(page) == PAGE), default=None)
        )
        installation.sql("credits", "DELETE FROM evidence")
        run("credits")
    assert installation.rows("credits", "ledger") != ledger
    installation.sql("credits", f"DELETE FROM ledger WHERE entry_id NOT IN ({entries})")
    installation.deliver_all()
    assert run("--check").exit_code == 0


def test_a_resync_that_stops_goes_on_where_it_was(installation: Installation) -> None:
    installation.sql("identity", "DELETE FROM placement")
    identity = installation.process["identity"].service
    asked = 0

    def ask(service: str, method: str, arguments: dict[str, Any]) -> Any:
        nonlocal asked
        asked += method == "read_snapshot"
        if (method, asked) == ("read_snapshot", 2):
            raise Unavailable("shared.deadline")
        return installation.operator.ask(service, method, arguments)

    [projection] = [each for each in identity.projections if each.type == "org.membership_changed"]
    with pytest.raises(Unavailable):
        plumbing.resync(identity, projection, ask)
    kept = len(installation.rows("identity", "placement"))
    assert kept == PAGE
    outcome = plumbing.resync(identity, projection, ask)
    assert (outcome.repaired, outcome.differs) == (outcome.owner.count - kept, False)


def test_an_empty_database_is_filled_and_the_hours_are_those_of_before(installation: Installation) -> None:
    """Credits from nothing: entries get ids of their own, and the same rules, amounts, days and years."""
    fresh = ("entry_id", "recorded_at", "school_id", "place", "evidence_version")
    ledger = installation.rows("credits", "ledger", *fresh)
    own = ("version", "pending")
    standings, as_decided = installation.rows("certs", "standing"), installation.rows("certs", "standing", *own)
    installation.sql(
        "credits",
        "TRUNCATE ledger, standing, evidence, exam_score, course_grade, training_result, programme, placement, teacher_year",
    )
    assert run("credits").exit_code == 0
    assert installation.rows("credits", "ledger", *fresh) == ledger

    # Its versions began again at one, as in a database restored to an earlier time: certs knows more, and says so.
    result = run("certs")
    row = projections(result)["certs", "credits.hours_recognised", "standing"]
    assert (result.exit_code, row["ahead"], row["repaired"]) == (1, STUDYING, 0)
    assert installation.rows("certs", "standing") == standings

    # Whoever decides that the owner is right lets the holder forget its versions.
    installation.sql("certs", "UPDATE standing SET version = 0")
    assert run("certs").exit_code == 0
    assert installation.rows("certs", "standing", *own) == as_decided


def test_a_holder_ahead_of_its_owner_is_reported_and_left_alone(installation: Installation) -> None:
    before = installation.rows("certs", "placement")
    stranger = (
        "INSERT INTO placement SELECT '00000000-0000-7000-8000-00000000000a', version, state, place, school_id,"
        " school_name, effective_at FROM placement LIMIT 1"
    )
    installation.sql("certs", stranger)
    installation.sql("certs", "UPDATE placement SET version = version + 5 WHERE state = 'RELEASED'")
    ahead = installation.rows("certs", "placement")
    result = run("certs", "--type", "org.membership_changed")
    [row] = projections(result).values()
    assert (result.exit_code, row["ahead"], row["repaired"], row["missing"]) == (1, 2, 0, 0)
    assert installation.rows("certs", "placement") == ahead
    shown = CliRunner().invoke(resync.command, ["certs", "--check"])
    assert "differs" in shown.output
    assert "Ahead" in shown.output
    installation.sql("certs", "UPDATE placement SET version = version - 5 WHERE state = 'RELEASED'")
    installation.sql("certs", "DELETE FROM placement WHERE teacher_id = '00000000-0000-7000-8000-00000000000a'")
    assert installation.rows("certs", "placement") == before


def test_an_unknown_type_is_wrong_usage() -> None:
    result = run("--type", "org.nothing")
    assert result.exit_code == 2
    assert "org.membership_changed" in result.stderr
