"""Row-level security: the second wall behind the policies (`architecture.md` decision 17).

Three roles per database: the owner (migrations; NOLOGIN), the application (requests; sees what the scope set by
`transaction()` reaches) and the worker (event handlers, sweepers, methods that must see everything; explicit policies).
None of the two that log in owns a table or has BYPASSRLS, and every protected table is FORCEd.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

ALL_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclasses.dataclass(frozen=True)
class DatabaseRoles:
    """Names of the three roles of one service's database."""

    owner: str
    app: str
    worker: str

    @classmethod
    def of(cls, database: str) -> DatabaseRoles:
        return cls(f"{database}_owner", f"{database}_app", f"{database}_worker")


def roles_of(op: Any) -> DatabaseRoles:
    """The roles of the database under migration; their names follow the database's."""
    return DatabaseRoles.of(op.get_bind().engine.url.database)


def create_functions(op: Any) -> None:
    """The functions that policies compare with.

    `nullif(…, '')` is essential: on a reused connection a setting made LOCAL once reads '' and not NULL afterwards, and an
    empty prefix would cover every place.
    """
    op.execute("""
        CREATE FUNCTION app_person() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
        RETURN nullif(current_setting('app.person', true), '')::uuid
    """)
    op.execute("""
        CREATE FUNCTION app_actor() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
        RETURN nullif(current_setting('app.actor', true), '')
    """)
    # One expression without a sub-select, so that PostgreSQL puts it in the place of the call: half a microsecond for each
    # row that a list looks at, against seven for a function that is called. Both sides end in '/', so that CN/44 covers
    # itself and CN/44/01, but not CN/4401.
    op.execute("""
        CREATE FUNCTION app_covers(place text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
        RETURN coalesce(
            (place || '/') ^@ ANY (string_to_array(
                replace(nullif(current_setting('app.places', true), ''), ',', '/,') || '/', ',')),
            false)
    """)


def protect(
    op: Any,
    table: str,
    *,
    person: str = "",
    place: str = "",
    placed_by: str = "",
    app: str = "",
    check: str = "",
    app_rights: Iterable[str] = ALL_RIGHTS,
    worker_rights: Iterable[str] = ALL_RIGHTS,
) -> None:
    """Enable and force row security on `table`.

    The application role reaches a row when its `person` column is the caller, or its `place` column lies in the caller's
    territory, or the placement table `placed_by` puts the person there; `app` replaces all that by an SQL condition.
    New and changed rows must meet the same condition, or `check` when given. Rights are granted as listed (an
    append-only table gives ("SELECT", "INSERT") to both roles). Partitions inherit rights through their parent.
    """
    roles = roles_of(op)
    conditions = [app] if app else []
    if person:
        conditions.append(f"{table}.{person} = app_person()")
    if place:
        conditions.append(f"app_covers({table}.{place})")
    if placed_by:
        conditions.append(
            # Names come from our migrations, never from input.
            f"EXISTS (SELECT 1 FROM {placed_by} AS placed WHERE placed.teacher_id = {table}.{person}"  # noqa: S608
            " AND app_covers(placed.place))"
        )
    if not conditions:
        raise ValueError(f"{table}: say who may see its rows")
    visible = " OR ".join(conditions)
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY app_scope ON {table} FOR ALL TO {roles.app} USING ({visible}) WITH CHECK ({check or visible})"
    )
    op.execute(f"CREATE POLICY worker_all ON {table} FOR ALL TO {roles.worker} USING (true) WITH CHECK (true)")
    _grant(op, table, roles.app, app_rights)
    _grant(op, table, roles.worker, worker_rights)


def place_by_key(op: Any, table: str, *, person: str, placed_by: str, place: str = "", check: str = "") -> None:
    """Replace the scope of a table that was protected by `person`, `placed_by` and perhaps `place`; it shows the same rows.

    Of the EXISTS in `protect` PostgreSQL makes a list of everybody in the territory before it shows an administrator one
    person's rows, and the list grows with the nation. A place by itself it looks up by its key.
    """
    # Names come from our migrations, never from input.
    where = f"(SELECT placed.place FROM {placed_by} AS placed WHERE placed.teacher_id = {table}.{person})"  # noqa: S608
    own_place = f" OR app_covers({table}.{place})" if place else ""
    visible = f"{table}.{person} = app_person(){own_place} OR app_covers({where})"
    op.execute(f"ALTER POLICY app_scope ON {table} USING ({visible}) WITH CHECK ({check or visible})")


def open_to_app(op: Any, table: str, *, write: bool = False) -> None:
    """Rights on a table without rows of persons or units (divisions, published programmes)."""
    roles = roles_of(op)
    _grant(op, table, roles.app, ALL_RIGHTS if write else ("SELECT",))
    _grant(op, table, roles.worker, ALL_RIGHTS)


def _grant(op: Any, table: str, role: str, rights: Iterable[str]) -> None:
    if rights := ", ".join(rights):
        op.execute(f"GRANT {rights} ON {table} TO {role}")
