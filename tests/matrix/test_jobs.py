"""Jobs over many rows: each kind is for whom the table gives what one row does, and a job is its owner's alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from services.shared import audit_denials
from services.shared.errors import ServiceError
from services.shared.ids import new_id
from tests.matrix.capabilities import CAPABILITIES, Scope
from tests.matrix.reach import REGIONS, right_of
from tests.matrix.world import Cast, Column, GrantState, Outcome, World
from yanxiu.local import processes

BULK = "org-bulk"
# The rows of the table that each kind stands on, by the process that runs it.
OF_ORG = {
    "import_schools": ("load rosters of a territory",),
    "import_teachers": ("load rosters of a territory", "add teacher, issue learner no. (学号)"),
    "verify_memberships": ("verify / reject teacher",),
    "reject_memberships": ("verify / reject teacher",),
    "release_memberships": ("remove teacher from school",),
    "archive_teachers": ("archive / restore teacher",),
    "restore_teachers": ("archive / restore teacher",),
    "generate_codes": ("generate + hand out school admin code (权限码)",),
    "export_teachers": ("export personal data",),
    "export_transfers": ("export personal data",),
    "export_activation": ("see activation progress of admins below",),
    "export_codes": ("see activation progress of admins below",),
}
OF_CREDITS = dict.fromkeys(
    ("export_verifications", "export_declarations", "export_statistics", "export_credit_matrix"),
    ("export personal data",),
)
OF_LEARNING = {
    "choose_courses": ("choose courses for others",),
    "enter_grades": ("enter grades of a period's courses",),
    "cancel_choices": ("choose courses for others",),
    "export_choices": ("export personal data",),
}
OF_CATALOG = {"import_courses": ("keep the courses of a city, district or institution",)}
OF_BILLING = {
    "import_payments": ("register payments and set special users of a city", "register payments of a district"),
    "export_bills": ("view bills, print payment notice",),
    "export_bill_lines": ("export personal data",),
}
OF_CERTS = dict.fromkeys(("export_certificates", "export_certificate_statistics"), ("export personal data",))
BY_PROCESS = {
    BULK: OF_ORG,
    "learning-bulk": OF_LEARNING,
    "credits-bulk": OF_CREDITS,
    "catalog-bulk": OF_CATALOG,
    "billing-bulk": OF_BILLING,
    "certs-bulk": OF_CERTS,
}
KINDS = {**OF_ORG, **OF_LEARNING, **OF_CREDITS, **OF_CATALOG, **OF_BILLING, **OF_CERTS}
# What an institution does with many of its own; files of its own projects come with the projects.
OF_PROJECTS = {"enter_grades"}
FILTERS = {
    "export_choices": {"period_id": "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"},
    "export_verifications": {"year": 2026},
    "export_credit_matrix": {"year": 2026},
}
PARAMETERS = {
    "reject_memberships": {"reason": "材料不全"},
    "release_memberships": {"reason": "调离"},
    "archive_teachers": {"status": "RETIRED"},
}


@pytest.fixture
def stage(world: World) -> Iterator[World]:
    patch = pytest.MonkeyPatch()
    patch.setattr(audit_denials._allowance, "take", lambda _actor: None)
    with world.rehearsing():
        yield world
    patch.undo()


def has(cast: Cast, kind: str) -> bool:
    nothing = {Scope.NONE} if kind in OF_PROJECTS else {Scope.NONE, Scope.PROJECTS}
    return any(right_of(capability, cast).scope not in nothing for capability in KINDS[kind])


def process_of(kind: str) -> str:
    return next(process for process, kinds in BY_PROCESS.items() if kind in kinds)


def export_of(kind: str, place: str) -> dict[str, Any]:
    return {"kind": kind, "place": place, "reason": "核对名册", "filters": FILTERS.get(kind, {})}


def test_every_kind_is_in_the_table() -> None:
    for process, kinds in BY_PROCESS.items():
        assert set(processes.load_class(process).kinds) == set(kinds)
    assert {capability for capabilities in KINDS.values() for capability in capabilities} <= set(CAPABILITIES)


def test_everybody_is_shown_the_kinds_that_are_theirs(stage: World) -> None:
    for cast in stage.cast:
        if cast.column is Column.VISITOR:
            continue
        for process, kinds in BY_PROCESS.items():
            answer = stage.rehearse(process, "list_job_kinds", {}, cast.actor)
            assert {kind["kind"] for kind in answer.reply["items"]} == {kind for kind in kinds if has(cast, kind)}, cast


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_opened_by_whom_it_is_for(stage: World, kind: str) -> None:
    is_export = kind.startswith("export")
    opened = 0
    for cast in stage.cast:
        arguments: dict[str, Any] = {"kind": kind, "sha256": "0" * 64, "parameters": PARAMETERS.get(kind, {})}
        if is_export:
            arguments = export_of(kind, cast.home or "CN")
        answer = stage.rehearse(process_of(kind), "request_export" if is_export else "open_job", arguments, cast.actor)
        opened += answer.outcome is Outcome.ALLOWED
        assert (answer.outcome is Outcome.ALLOWED) is has(cast, kind), (cast.column, cast.state, answer)
    assert opened


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("export")])
def test_an_export_reaches_no_further_than_the_own_territory_nor_without_a_code(stage: World, kind: str) -> None:
    places = [*REGIONS, *(spot.place for spot in stage.spots.values())]
    for cast in stage.cast:
        for place in places:
            wanted = export_of(kind, place)
            inside = has(cast, kind) and (place == cast.home or place.startswith(f"{cast.home}/"))
            answer = stage.rehearse(process_of(kind), "request_export", wanted, cast.actor)
            assert (answer.outcome is Outcome.ALLOWED) is inside, (cast.column, cast.state, place, answer)
            plain = dataclasses.replace(cast.actor, elevated_until=None)
            assert stage.rehearse(process_of(kind), "request_export", wanted, plain).outcome is Outcome.DENIED


@pytest.mark.parametrize("kind", ["export_teachers", "export_declarations"])
def test_a_stale_token_exports_nothing(stage: World, kind: str) -> None:
    """What leaves the house is decided by the grants of this moment."""
    for cast in stage.cast:
        if cast.state is not GrantState.REVOKED:
            continue
        active = next(each for each in stage.cast if each.column is cast.column and each.state is GrantState.ACTIVE)
        stale = dataclasses.replace(cast.actor, grants=active.actor.grants)
        assert (
            stage.rehearse(process_of(kind), "request_export", export_of(kind, cast.home), stale).outcome
            is Outcome.DENIED
        )


def test_a_job_is_its_owners_alone(world: World) -> None:
    """Also one's superiors do not see it; another's looks like one that nobody opened."""
    owner = next(cast for cast in world.cast if cast.column is Column.SCHOOL_ADMIN and cast.state is GrantState.ACTIVE)
    wanted = {"kind": "restore_teachers", "sha256": "0" * 64}
    job_id = world.call(BULK, "open_job", wanted, owner.actor)["job_id"]
    assert world.call(BULK, "get_job", {"job_id": job_id}, owner.actor)["job_id"] == job_id
    for cast in world.cast:
        if cast is owner or cast.column is Column.VISITOR:
            continue
        for method in (
            "get_job",
            "list_job_rows",
            "start_job",
            "cancel_job",
            "rerun_job",
            "make_report",
            "open_download",
        ):
            codes = {_refusal(world, method, {"job_id": each}, cast) for each in (job_id, str(new_id()))}
            assert codes == {"shared.job_unknown"}, (cast.column, method)
        assert world.call(BULK, "list_jobs", {}, cast.actor)["items"] == []


def _refusal(world: World, method: str, arguments: dict[str, Any], cast: Cast) -> str:
    with pytest.raises(ServiceError) as refused:
        world.call(BULK, method, arguments, cast.actor)
    return refused.value.code
