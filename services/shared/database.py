"""One service's database: two engines (application and worker role), and the transactions that always set the scope."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

# psycopg's default wait blocks the eventlet hub (dependencies.md table 1); it reads this when first imported.
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from services.shared import idempotency
from services.shared.actor import Kind
from services.shared.errors import Conflict, Unavailable
from services.shared.keys import KeyRing
from services.shared.row_security import DatabaseRoles
from services.shared.settings import Settings

if TYPE_CHECKING:
    from marshmallow import Schema

    from services.shared.bus.calls import Call

SERIALISATION_ATTEMPTS = 3
# SQLSTATEs: serialisation failure, deadlock, lock not available.
TRANSIENT_STATES = frozenset({"40001", "40P01", "55P03"})
UNIQUE_VIOLATION = "23505"
# Without a call there is no deadline; a worker's statement may still not run for ever.
WORKER_STATEMENT_TIMEOUT_MS = 60_000
POOL_WAIT_SECONDS = 5


def database_password(keyring: KeyRing, service: str, role: str) -> str:
    """The password of a role; a service can work out only its own two."""
    return hmac.new(keyring.secret(f"database.{service}"), role.encode(), hashlib.sha256).hexdigest()


def is_outage(error: BaseException) -> bool:
    """Whether the database is away or overloaded, rather than the work being wrong: such work is held and retried."""
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    # An OperationalError without SQLSTATE never reached the server; 08 connection, 53 resources, 57P shutdown.
    return isinstance(error, OperationalError) and (state is None or state[:2] in ("08", "53") or state[:3] == "57P")


class Database:
    """The engines of one service and its transactions. Connections are made when first needed, and kept."""

    def __init__(self, service: str, settings: Settings, keyring: KeyRing) -> None:
        self.service = service
        self._keyring = keyring
        name = settings.database_name(service)
        roles = DatabaseRoles.of(name)
        self.url = sa.make_url(settings.database_url).set(drivername="postgresql+psycopg", database=name)
        self.app = self._engine(roles.app, settings.pool_size)
        self.worker = self._engine(roles.worker, settings.pool_size)

    def _engine(self, role: str, pool_size: int) -> Engine:
        password = database_password(self._keyring, self.service, role)
        return sa.create_engine(
            self.url.set(username=role, password=password),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_recycle=1800,
            # Parameters hold personal data; they must reach neither logs nor error texts.
            hide_parameters=True,
            connect_args={"connect_timeout": 5, "application_name": f"yanxiu-{self.service}"},
        )

    def dispose(self) -> None:
        self.app.dispose()
        self.worker.dispose()

    @contextlib.contextmanager
    def transaction(self, call: Call, *, read_only: bool = False) -> Iterator[Session]:
        """A transaction in the caller's scope: row security shows only what the caller may see.

        Callers that are services, and methods whose policy sees everything, get the worker's role instead.
        """
        sees_all = bool(call.policy.everywhere) or call.actor.kind is Kind.SERVICE
        engine = self.worker if sees_all else self.app
        with _translate_outages(), Session(engine, expire_on_commit=False) as db, db.begin():
            _set_scope(db, call, read_only=read_only)
            yield db

    @contextlib.contextmanager
    def read(self, call: Call) -> Iterator[Session]:
        """As `transaction`, and PostgreSQL refuses any write in it."""
        with self.transaction(call, read_only=True) as db:
            yield db

    @contextlib.contextmanager
    def work(self) -> Iterator[Session]:
        """A transaction of the service itself (event handlers, sweepers, jobs), with the worker's role."""
        with Session(self.worker, expire_on_commit=False) as db, db.begin():
            db.execute(
                sa.text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(WORKER_STATEMENT_TIMEOUT_MS)}
            )
            yield db

    def commit_once(
        self,
        call: Call,
        act: Callable[[Session], Any],
        reply_schema: Schema | None = None,
        *,
        keep_reply: bool = True,
    ) -> Any:
        """Run `act(db)` and everything it announces in one transaction, once per (actor, command id).

        A repeated command gets the first reply again. `keep_reply=False` keeps no row, for replies that hold secrets: such
        a method must be harmless to repeat. `act` may run again after a serialisation failure, so it touches only `db`.

        Raises InvalidInput("shared.key_reused") for a known key with another body, Conflict("shared.in_progress") while
        the first is running, Conflict("shared.conflict") for a lost race that `act` did not name itself.
        """
        remembered = keep_reply and call.command_id is not None
        for attempt in range(1, SERIALISATION_ATTEMPTS + 1):
            try:
                with self.transaction(call) as db:
                    if remembered and (stored := idempotency.find_reply(db, call, self._keyring)) is not None:
                        # The first run checked the target; its reply belongs to this same actor.
                        call.settled = True
                        return stored.reply
                    result = act(db)
                    reply = reply_schema.dump(result) if reply_schema else result
                    call.require_authorised()
                    if remembered:
                        idempotency.keep_reply(db, call, self._keyring, reply)
                return reply
            except idempotency.LostRace:
                continue
            except IntegrityError as error:
                if getattr(error.orig, "sqlstate", None) == UNIQUE_VIOLATION:
                    raise Conflict("shared.conflict", "", violated_constraint(error)) from error
                raise
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in TRANSIENT_STATES or attempt == SERIALISATION_ATTEMPTS:
                    raise
                time.sleep(0.01 * attempt)
        raise Conflict("shared.in_progress")


def violated_constraint(error: IntegrityError) -> str:
    diagnostics = getattr(error.orig, "diag", None)
    return str(getattr(diagnostics, "constraint_name", "") or "")


def run_plain(db: Session, statement: str, parameters: dict[str, Any]) -> sa.CursorResult[Any]:
    """Run SQL as it stands, parameters as `%(name)s`, for statements that a hot path runs each time.

    SQLAlchemy takes longer to build and look up an expression than PostgreSQL to answer it. Nothing is flushed before.
    """
    return db.connection().exec_driver_sql(statement, parameters)


_SET_SCOPE = (
    "SELECT set_config('app.person', %(person)s, true), set_config('app.places', %(places)s, true),"
    " set_config('app.actor', %(actor)s, true), set_config('statement_timeout', %(ms)s, true),"
    " set_config('lock_timeout', %(ms)s, true)"
)
_SET_SCOPE_READ_ONLY = _SET_SCOPE + ", set_config('transaction_read_only', 'on', true)"


def _set_scope(db: Session, call: Call, *, read_only: bool = False) -> None:
    """Set who is asking, how long a statement may take and whether it may write, for this transaction, in one round trip."""
    actor = call.actor
    places = ",".join(sorted({grant.place for grant in actor.grants}))
    remaining_ms = max(1, int(call.remaining_seconds() * 1000))
    run_plain(
        db,
        _SET_SCOPE_READ_ONLY if read_only else _SET_SCOPE,
        {
            "person": str(actor.account_id or ""),
            "places": places,
            "actor": actor.key,
            "ms": str(remaining_ms),
        },
    )


@contextlib.contextmanager
def _translate_outages() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        if is_outage(error):
            raise Unavailable("shared.database_unavailable", "", type(error).__name__) from error
        if getattr(getattr(error, "orig", None), "sqlstate", None) == "57014":  # statement_timeout
            raise Unavailable("shared.deadline") from error
        raise
