"""Rules that hold for every service: policies, contracts, the acyclic call graph, tables under row security."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.shared.actor import Role
from services.shared.audit_trail import AuditTrail
from services.shared.bus.calls import BatchConsumer, Command, EventHandler, Query, marked_methods
from services.shared.database import Database
from services.shared.settings import SERVICES
from yanxiu.local import processes

REPOSITORY = Path(__file__).resolve().parents[2]
PROCESSES = processes.SERVICE_PROCESSES
# What holds no row of a person or a unit, each with the reason.
OPEN_TABLES = {
    "alembic_version": "the migration's own",
    "division": "public administrative divisions",
    "programme": "published programmes are public",
    "course": "published programmes are public, and so are learning's copies; the catalogue's own is protected",
    "activity": "published programmes are public",
    "quiz": "published programmes are public; answers are the catalogue's own",
    "programme_version": "published programmes are public",
}
# Protected, but only against writing.
PUBLIC_TO_READ = {
    "school": "names of schools are public, so that a teacher can choose; adding one is scoped",
    "school_code": "codes stand beside the names of schools, also void ones; giving one is scoped",
    "unit": "names of units are public; they come from org",
    "course": "titles and fees are public; keeping one is scoped",
    "period": "dates are public; what is only planned is left out by the queries; keeping one is scoped",
    "offering": "titles and fees are public; a district's are shown to its own by the queries; keeping one is scoped",
    "study_offer": "offers are public; keeping one is scoped",
    "training_project": "published projects are public, drafts their keeper's; keeping one is scoped",
    "peer_tally": "numbers without names",
    "closing": "that selection of a period is over is public",
    "tenant_policy": "whoever stands below a place must know what was decided there; deciding is scoped",
}


@pytest.mark.parametrize("process", PROCESSES)
def test_every_method_has_a_policy_and_every_policy_a_method(process: str) -> None:
    service_class = processes.load_class(process)
    methods = set(marked_methods(service_class, (Query, Command)))  # type: ignore[arg-type]
    assert methods == set(service_class.policies)


@pytest.mark.parametrize("process", PROCESSES)
def test_no_policy_admits_nobody(process: str) -> None:
    for method, policy in processes.load_class(process).policies.items():
        admitted = policy.anyone or policy.signed_in or policy.own or policy.roles or policy.services
        assert admitted, f"{process}.{method} can be called by nobody"


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_seals_its_audit_trail_and_shows_it_to_auditors_only(
    service: str, service_database: Callable[[str], Database]
) -> None:
    service_class = processes.load_class(service)
    assert issubclass(service_class, AuditTrail)
    assert service_class.policies["search_audit"].roles == frozenset({Role.AUDITOR})
    with service_database(service).work() as db:
        triggers = db.execute(sa.text("SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit'::regclass")).scalars()
        assert "audit_wait_for_seal" in set(triggers)


def contracts() -> dict[str, Any]:
    return {service: importlib.import_module(f"services.{service}.contract") for service in SERVICES}


def test_every_consumed_event_has_a_contract() -> None:
    announced = {type_ for contract in contracts().values() for type_ in contract.EVENTS}
    for process in PROCESSES:
        service_class = processes.load_class(process)
        for marker in marked_methods(service_class, (EventHandler, BatchConsumer)).values():  # type: ignore[arg-type]
            assert set(marker.types) <= announced, f"{process} waits for {set(marker.types) - announced}"


def test_event_types_and_codes_carry_their_owner() -> None:
    for service, contract in contracts().items():
        assert all(type_.startswith(f"{service}.") for type_ in contract.EVENTS)
        assert all(code.startswith(f"{service}.") for code in contract.ERRORS)
        assert all(chinese and english for chinese, english in contract.ERRORS.values())


def codes_raised(service: str) -> set[str]:
    """Every literal "service.reason" in the service's code that is raised or stored as a reason."""
    found = set()
    for path in (REPOSITORY / "services" / service).rglob("*.py"):
        if path.parts[-2] == "contract" or path.name == "contract.py" or "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in ("InvalidInput", "NotFound", "NotAllowed", "Conflict", "LimitReached", "Unavailable"):
                    found.add(str(node.args[0].value))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_refusal_has_its_two_messages(service: str) -> None:
    from services.shared import messages

    known = set(contracts()[service].ERRORS) | set(messages.ERRORS)
    assert codes_raised(service) <= known


# Who asks, and which argument names the service asked.
ASKING = {"ask": 0, "tell": 0, "ask_for": 1, "tell_for": 1}


def caller_of(path: Path, service: str) -> str:
    """The process type that runs a file's code: jobs have one of their own, which nobody waits for."""
    return f"{service}-bulk" if {"bulk", "exports"} & set(path.parts) else service


def questions_of(path: Path) -> Iterator[tuple[str, str]]:
    """(service, method) that a file's code asks; the method is "" where it is no plain text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        position = ASKING.get(getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and position is not None and len(node.args) > position + 1:
            target, method = node.args[position], node.args[position + 1]
            name = target.value if isinstance(target, ast.Constant) else getattr(target, "id", "")
            asked = getattr(getattr(target, "value", None), "id", "") or name
            if asked in SERVICES:
                yield asked, str(method.value) if isinstance(method, ast.Constant) else ""


def home_of(service: str, method: str) -> Path | None:
    """The file whose entrypoints answer a method: whoever asks it waits for what that file asks, and for no more."""
    for path in (REPOSITORY / "services" / service).rglob("*.py"):
        if f"    def {method}(self, call" in path.read_text(encoding="utf-8"):
            return path
    return None


def test_the_call_graph_is_acyclic_and_two_hops_deep() -> None:
    files = {path: service for service in SERVICES for path in (REPOSITORY / "services" / service).rglob("*.py")}
    questions = {
        path: {(asked, method) for asked, method in questions_of(path) if asked != service}
        for path, service in files.items()
    }
    calls: dict[str, set[str]] = {process: set() for service in SERVICES for process in (service, f"{service}-bulk")}
    for path, service in files.items():
        calls[caller_of(path, service)] |= {asked for asked, _ in questions[path]}

    def require_no_cycle(service: str, above: tuple[str, ...] = ()) -> None:
        assert service not in above, f"a cycle: {' -> '.join((*above, service))}"
        for called in calls[service]:
            require_no_cycle(called, (*above, service))

    for process in calls:
        require_no_cycle(process)
    # The gateway's own call is the first hop, a file's question the second: what is asked asks nobody.
    for path, asked in questions.items():
        for service, method in asked:
            home = home_of(service, method)
            assert home is None or not questions[home], f"{path} waits for {service}.{method}, which asks others"
            assert home is not None or not calls[service], f"{path} asks {service}, and it does not say what"
    assert calls["org-bulk"] == {"identity"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_is_under_forced_row_security(service: str, service_database: Callable[[str], Database]) -> None:
    database = service_database(service)
    with database.work() as db:
        rows = db.execute(
            sa.text(
                "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            )
        ).all()
    unprotected = {row.relname for row in rows if not row.forced} - set(OPEN_TABLES)
    assert not unprotected


@pytest.mark.parametrize("service", SERVICES)
def test_no_role_that_logs_in_can_pass_by(service: str, service_database: Callable[[str], Database]) -> None:
    database = service_database(service)
    with database.work() as db:
        rows = db.execute(
            sa.text(
                "SELECT rolname, rolsuper OR rolbypassrls AS passes, EXISTS (SELECT 1 FROM pg_class c"
                " WHERE c.relowner = r.oid) AS owns FROM pg_roles r WHERE rolname IN (:app, :worker)"
            ),
            {"app": database.app.url.username, "worker": database.worker.url.username},
        ).all()
    assert len(rows) == 2
    assert not any(row.passes or row.owns for row in rows)


@pytest.mark.parametrize("service", SERVICES)
def test_without_a_scope_the_application_sees_nothing(
    service: str, service_database: Callable[[str], Database]
) -> None:
    """Also on a reused connection, where a LOCAL setting of an earlier transaction reads '' and not NULL."""
    database = service_database(service)
    with database.app.connect() as connection:
        connection.execute(sa.text("SELECT set_config('app.places', 'CN', true), set_config('app.person', '', true)"))
        connection.rollback()
        tables = connection.execute(
            sa.text(
                "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = 'public' AND c.relrowsecurity AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
                " AND has_table_privilege(c.oid, 'SELECT')"
            )
        ).scalars()
        for table in set(tables.all()) - set(PUBLIC_TO_READ):
            assert connection.execute(sa.text(f'SELECT count(*) FROM "{table}"')).scalar_one() == 0, table
