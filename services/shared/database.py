"""One service's database: two engines (application and worker role), and the transactions that always set the scope."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from services.shared import driver, idempotency
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
LOOKERS = 2  # each is needed for a millisecond, and PostgreSQL counts every connection
NO_SETTINGS: Mapping[str, str] = {}
# For a statement whose best plan is the same whatever it asks for: PostgreSQL guesses that another could be better, and
# plans anew each time, which may take longer than the rows.
PLANNED_ONCE: Mapping[str, str] = {"plan_cache_mode": "force_generic_plan"}


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
        timeout_ms = int(settings.rpc_deadline_seconds * 1000)
        self._looking = self._engine(
            roles.worker,
            LOOKERS,
            f"-c default_transaction_read_only=on -c statement_timeout={timeout_ms}",
            max_overflow=0,
            isolation_level="AUTOCOMMIT",
        )

    def _engine(self, role: str, pool_size: int, session: str = "", **more: Any) -> Engine:
        """Connections of a role; `session`: settings that hold for all that is done in them."""
        password = database_password(self._keyring, self.service, role)
        options: dict[str, Any] = {
            "pool_size": pool_size,
            "max_overflow": pool_size,
            "pool_timeout": POOL_WAIT_SECONDS,
            "pool_recycle": 1800,
            # Parameters hold personal data; they must reach neither logs nor error texts.
            "hide_parameters": True,
            "connect_args": {"connect_timeout": 5, "application_name": f"yanxiu-{self.service}", "options": session},
        }
        engine = sa.create_engine(self.url.set(username=role, password=password), **{**options, **more})
        driver.use_own_connections(engine)
        return engine

    def dispose(self) -> None:
        self.app.dispose()
        self.worker.dispose()
        self._looking.dispose()

    @contextlib.contextmanager
    def transaction(
        self, call: Call, *, read_only: bool = False, settings: Mapping[str, str] = NO_SETTINGS
    ) -> Iterator[Session]:
        """A transaction in the caller's scope: row security shows only what the caller may see.

        Callers that are services, and methods whose policy sees everything, get the worker's role instead.
        """
        sees_all = bool(call.policy.everywhere) or call.actor.kind is Kind.SERVICE
        engine = self.worker if sees_all else self.app
        with _translate_outages(), Session(engine, expire_on_commit=False) as db, db.begin():
            driver.begin(db, {**_scope(call), **settings}, read_only=read_only)
            yield db

    @contextlib.contextmanager
    def read(self, call: Call, settings: Mapping[str, str] = NO_SETTINGS) -> Iterator[Session]:
        """As `transaction`, and PostgreSQL refuses any write in it. `settings`: more of PostgreSQL's own for it."""
        with self.transaction(call, read_only=True, settings=settings) as db:
            yield db

    @contextlib.contextmanager
    def look(self, call: Call) -> Iterator[Session]:
        """For a first look before the work, in a method that sees everything: each statement for itself, and none may write.

        Once to PostgreSQL and back where `read` takes three times; but two statements may see two states.
        """
        if not call.policy.everywhere:
            raise ValueError(f"{call.method} does not see everything")
        with _translate_outages(), Session(self._looking, expire_on_commit=False) as db:
            yield db

    @contextlib.contextmanager
    def work(self) -> Iterator[Session]:
        """A transaction of the service itself (event handlers, sweepers, jobs), with the worker's role."""
        with Session(self.worker, expire_on_commit=False) as db, db.begin():
            driver.begin(db, {"statement_timeout": str(WORKER_STATEMENT_TIMEOUT_MS)})
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


def _scope(call: Call) -> dict[str, str]:
    """Who is asking, and how long a statement may take."""
    actor = call.actor
    remaining_ms = str(max(1, int(call.remaining_seconds() * 1000)))
    return {
        "app.person": str(actor.account_id or ""),
        "app.places": ",".join(sorted({grant.place for grant in actor.grants})),
        "app.actor": actor.key,
        "statement_timeout": remaining_ms,
        "lock_timeout": remaining_ms,
    }


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
