"""Whole runs: make the ground, start what is measured, take the samples, find the ratios, clean up."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from yanxiu.bench import floors, ground, results
from yanxiu.bench.cases import Case, Report, Sample, measure
from yanxiu.bench.results import Finding


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run found. `against`: the cases that the others are held against, in the order of the table."""

    mode: str
    findings: list[Finding]
    against: tuple[str, ...]
    remarks: list[str]
    goals: list[dict[str, Any]] = dataclasses.field(default_factory=list)


def measure_floors(
    *, rounds: int, operations: int, concurrency: int, embedded: bool, own_vhost: bool, report: Report
) -> Outcome:
    """The floors of this machine. Raises BenchError when an operation came out wrong."""
    from services.shared.keys import open_keyring
    from services.shared.migrations import migrate_service
    from yanxiu.local import launcher

    names = (floors.HELLO, floors.RAW, floors.BUS, floors.STOCK, floors.UPSERT)
    against = (floors.RAW, floors.HELLO)
    with (
        ground.own_ground(embedded=embedded, own_vhost=own_vhost) as (asked, environment),
        launcher.database(asked) as settings,
    ):
        keyring = open_keyring(settings)
        keyring.generate_missing()
        migrate_service(settings, keyring, floors.DATABASE_OF)
        with floors.running(settings, environment, names, concurrency) as running:
            cases = running.cases(names)
            told = remarks(cases)
            samples = _measure(cases, rounds, operations, report)
    return Outcome(settings.mode.value, results.find(cases, samples, against), against, told)


def measure_api(
    *, rounds: int, operations: int, concurrency: int, embedded: bool, own_vhost: bool, report: Report
) -> Outcome:
    """What the whole stack's actions cost. Raises BenchError when one of them came out wrong."""
    from yanxiu.bench import api
    from yanxiu.local import launcher

    names = (floors.HELLO, floors.RAW)
    with (
        ground.own_ground(embedded=embedded, own_vhost=own_vhost) as (asked, environment),
        launcher.running(asked, port=0, environment=environment) as stack,
        floors.running(stack.settings, environment, names, concurrency) as running,
    ):
        people = api.prepare(stack, concurrency)
        cases = running.cases(names) + api.cases(stack, people, lambda: floors.database_pids(stack.settings))
        told = remarks(cases)
        samples = _measure(cases, rounds, operations, report, people)
        people.require_everything_recorded()
    return Outcome(stack.settings.mode.value, results.find(cases, samples, names), names, told)


def measure_sign_ins(
    *, rounds: int, operations: int, concurrency: int, embedded: bool, own_vhost: bool, report: Report
) -> Outcome:
    """Sign-ins by password against bare argon2id. Raises BenchError when one of them came out wrong."""
    from yanxiu.bench import sign_ins
    from yanxiu.local import launcher

    against = (sign_ins.ARGON2,)
    with (
        ground.own_ground(embedded=embedded, own_vhost=own_vhost) as (asked, environment),
        launcher.running(asked, port=0, environment=environment, copies=sign_ins.copies()) as stack,
    ):
        cases = sign_ins.cases(stack, concurrency, lambda: floors.database_pids(stack.settings))
        told = remarks(cases)
        samples = _measure(cases, rounds, operations, report)
    found = results.find(cases, samples, against)
    return Outcome(stack.settings.mode.value, found, against, told, sign_ins.goals(samples))


def measure_study(
    *, rounds: int, operations: int, concurrency: int, embedded: bool, own_vhost: bool, report: Report
) -> Outcome:
    """Study reports at the edge and in the database. Raises BenchError when one that was accepted was not recorded."""
    from yanxiu.bench import api, study
    from yanxiu.local import launcher

    against = (floors.POST, study.UNNEST)
    with (
        ground.own_ground(embedded=embedded, own_vhost=own_vhost) as (asked, environment),
        launcher.running(asked, port=0, environment=environment) as stack,
        floors.running(stack.settings, environment, (floors.HELLO, floors.MONOLITH), concurrency) as running,
    ):
        people = api.prepare(stack, concurrency)
        bare = (floors.HELLO, floors.POST, floors.MONOLITH_ONE, floors.MONOLITH_TEN)
        database = lambda: floors.database_pids(stack.settings)  # noqa: E731
        cases = running.cases(bare) + study.cases(stack, people, database)
        told = remarks(cases)
        samples = _measure(cases, rounds, operations, report, people)
        people.require_everything_recorded()
    found = results.find(cases, samples, against)
    goals = study.goals(samples, embedded=stack.settings.embedded)
    return Outcome(stack.settings.mode.value, found, against, told, goals)


def _measure(
    cases: Sequence[Case], rounds: int, operations: int, report: Report, people: object = None
) -> dict[str, list[Sample]]:
    try:
        return measure(cases, rounds, operations, report, getattr(people, "renew", lambda: None))
    finally:
        for case in cases:
            case.runner.close()


def remarks(cases: Sequence[Case]) -> list[str]:
    """What of the cost could not be seen from here."""
    parts = [case.parts() for case in cases]
    missing = [
        part
        for part in ("broker", "database")
        if any(part in one for one in parts) and not any(one.get(part) for one in parts)
    ]
    return [f"the {part} runs elsewhere: its CPU time is not in these figures" for part in missing]
