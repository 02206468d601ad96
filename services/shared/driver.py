"""Straight to psycopg, inside a transaction of SQLAlchemy, for what runs with each call.

SQLAlchemy takes longer to build, look up and describe a small statement than PostgreSQL to answer it. Errors come out as
SQLAlchemy's all the same, and a connection that is lost leaves its pool.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator, Mapping
from typing import Any

# psycopg's default wait blocks the eventlet hub (dependencies.md table 1); it reads this when first imported.
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

import psycopg
import sqlalchemy as sa
from psycopg import generators
from psycopg.adapt import Buffer, Loader
from psycopg.errors import error_from_result
from psycopg.pq import Escaping, ExecStatus, TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


class _RangesLoader(Loader):
    """int4multirange as a tuple of (begin, end): psycopg's own makes two objects of each range, which takes ten times as long."""

    def load(self, data: Buffer) -> tuple[tuple[int, int], ...]:
        # PostgreSQL writes `{[0,60),[90,120)}`, whatever was put in; a set without end is none of ours and no number.
        text = bytes(data)
        if text == b"{}":
            return ()
        bounds = map(int, text[2:-2].replace(b"),[", b",").split(b","))
        return tuple(zip(bounds, bounds, strict=True))


# Before SQLAlchemy makes an engine: each takes its own copy of what is registered.
psycopg.adapters.register_loader("int4multirange", _RangesLoader)


class Connection(psycopg.Connection[Any]):
    """A connection that keeps its prepared statements when a transaction is taken back.

    psycopg forgets them all, for a table that was made meanwhile may be gone. Our roles make none, and a refusal is a
    transaction taken back: after each, every statement would be planned anew five times before it is prepared again,
    which costs PostgreSQL several times what it takes to run it.
    """

    def rollback(self) -> None:
        with self.lock:
            if self.info.transaction_status is not TransactionStatus.IDLE:
                self.wait(_run_all(self, b"ROLLBACK"))


def use_own_connections(engine: sa.Engine) -> None:
    """Let an engine open its connections as ours."""

    def connect(_dialect: Any, _record: Any, positional: Any, named: Any) -> Connection:
        return Connection.connect(*positional, **named)

    sa.event.listen(engine, "do_connect", connect)


def begin(db: Session, settings: Mapping[str, str], *, read_only: bool = False) -> None:
    """Begin the transaction of a fresh session, with `settings` for as long as it lasts: once to PostgreSQL and back.

    Names are ours; values may be anybody's.
    """
    with _driver_of(db) as connection:
        quote = Escaping(connection.pgconn).escape_literal
        parts = [b"BEGIN READ ONLY" if read_only else b"BEGIN"]
        parts += [b"SET LOCAL %s = %s" % (name.encode(), quote(value.encode())) for name, value in settings.items()]
        if read_only:
            # Once something was asked PostgreSQL lets nobody turn the transaction into one that writes.
            parts.append(b"SELECT")
        with connection.lock:
            # psycopg begins a transaction by itself where none runs, in a round trip of its own.
            connection.wait(_run_all(connection, b"; ".join(parts)))


def run_plain(db: Session, statement: str, parameters: dict[str, Any]) -> list[Any]:
    """The rows of SQL as it stands, parameters as `%(name)s`. Nothing is flushed before."""
    with _driver_of(db) as connection, connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, parameters).fetchall()


def touch_plain(db: Session, statement: str, parameters: dict[str, Any]) -> int:
    """As `run_plain` for a statement that writes; how many rows it touched, or returned."""
    with _driver_of(db) as connection, connection.cursor() as cursor:
        return cursor.execute(statement, parameters).rowcount


def _run_all(connection: psycopg.Connection[Any], script: bytes) -> Generator[Any, Any, None]:
    connection.pgconn.send_query(script)
    for result in (yield from generators.execute(connection.pgconn)):
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)


@contextlib.contextmanager
def _driver_of(db: Session) -> Iterator[psycopg.Connection[Any]]:
    """The connection itself, with what it raises as SQLAlchemy's own methods would raise it."""
    connection = db.connection()
    driver: Any = connection.connection.driver_connection
    try:
        yield driver
    except psycopg.Error as error:
        if driver.closed:
            connection.invalidate(error)
        raise _wrapped(connection, error, lost=driver.closed) from error
    except Exception:
        raise
    except BaseException as interruption:
        # A green thread that was killed: the answer may still be on its way, and would be read as the next one's.
        connection.invalidate(interruption)
        raise


def _wrapped(connection: sa.Connection, error: psycopg.Error, *, lost: bool) -> BaseException:
    return DBAPIError.instance(
        None,
        None,
        error,
        psycopg.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=connection.dialect,
    )
