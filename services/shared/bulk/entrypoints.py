"""What a service gets by mounting jobs: a mixin for a process type of its own (`<service>-bulk`)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from services.shared import messages
from services.shared.account_grants import AccountGrantsMixin, list_grants
from services.shared.actor import Actor, Grant
from services.shared.actor import Kind as ActorKind
from services.shared.bulk import actions, queries, schemas, upkeep
from services.shared.bulk.columns import Fault
from services.shared.bulk.exporting import masked_name
from services.shared.bulk.files import SealedFilesProvider
from services.shared.bulk.kinds import Export, Kind
from services.shared.bulk.rules import is_open
from services.shared.bulk.runner import Runner, Workshop
from services.shared.bus.calls import Call, command, continuous, periodic, query
from services.shared.bus.providers import BusProvider, DatabaseProvider, KeyRingProvider, SettingsProvider, owner_of
from services.shared.crypto import FieldCipher, KeySet
from services.shared.errors import NotAllowed, NotFound
from services.shared.paging import page_of
from services.shared.policy import Policy, own, service

OWNER = own() | service("cli")

# Every method is about the caller's own jobs; which kinds are whose is each kind's own policy.
POLICIES: dict[str, Policy] = {
    "list_job_kinds": OWNER,
    "open_job": OWNER,
    "attach_file": OWNER,
    "submit_rows": OWNER,
    "get_job": OWNER,
    "list_jobs": OWNER,
    "list_job_rows": OWNER,
    "start_job": OWNER,
    "cancel_job": OWNER,
    "rerun_job": OWNER,
    "make_report": OWNER,
    # `domain.md` §3.11: whatever holds personal data leaves only after a fresh code from the bound phone.
    "request_export": own().with_step_up(),
    "open_download": own().with_step_up(),
    "redeem_download": own(),
}


class RunsJobs:
    """The methods of jobs, and the loops that run them. The mounting class says what jobs there are and by whose word."""

    name: ClassVar[str]
    policies: ClassVar[Mapping[str, Policy]] = POLICIES
    kinds: ClassVar[Mapping[str, Kind | Export]]
    account_grants: ClassVar[type[AccountGrantsMixin]]  # its projection of org's grants; org's own reads its tables
    directory: ClassVar[str]  # the service that knows people's names
    texts: ClassVar[tuple[Mapping[str, tuple[str, str]], ...]]  # of the services whose codes a row may be refused with
    database = DatabaseProvider()
    keyring = KeyRingProvider()
    settings = SettingsProvider()
    bus = BusProvider()
    files = SealedFilesProvider()

    def read_grants(self, db: Session, account_id: uuid.UUID) -> tuple[Grant, ...]:
        """The grants that this account holds at this moment, from where they are decided or from our projection."""
        return list_grants(db, self.account_grants, account_id)

    def name_of(self, actor: Actor) -> str:
        """The masked name of whoever exports."""
        return masked_name(self.bus, actor, self.directory)

    def text_of(self, code: str) -> str:
        """A code in Chinese, for reports."""
        found = (texts[code] for texts in (messages.ERRORS, *self.texts) if code in texts)
        return next(found, messages.ERRORS["shared.unknown"])[0]

    @functools.cached_property
    def cipher(self) -> FieldCipher:
        return FieldCipher(KeySet.of(self.keyring, "field-encryption"))

    # --- kinds ---

    @query
    def list_job_kinds(self, call: Call) -> dict[str, Any]:
        """The kinds that the caller's grants allow; whether a code by SMS is needed besides is told when it is."""
        call.load(schemas.Nothing())
        _settle(call)
        shown = [self._show_kind(kind) for kind in self.kinds.values() if _may_use(kind, call.actor)]
        return {"items": schemas.KindShown(many=True).dump(shown)}

    # --- opening ---

    @command
    def open_job(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.OpenJob())
        kind = self._import_kind(call, arguments["kind"])
        made = self.database.commit_once(call, lambda db: _id_of(actions.open_job(db, call, kind, arguments)))
        return self._show(call, made["job_id"])

    @command
    def attach_file(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.AttachFile())
        _settle(call)
        done = self.database.commit_once(call, lambda db: actions.attach_file(db, call, **arguments))
        return {**self._show(call, arguments["job_id"]), **done}

    @command
    def submit_rows(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.SubmitRows())
        kind = self._import_kind(call, arguments["kind"])
        foreseen = self._foreseen(call, kind, arguments)
        made = self.database.commit_once(
            call, lambda db: _id_of(actions.submit_rows(db, call, kind, self.cipher, arguments, foreseen))
        )
        return self._show(call, made["job_id"])

    @command
    def request_export(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.RequestExport())
        kind = self.kinds.get(arguments["kind"])
        if not isinstance(kind, Export):
            raise NotFound("shared.job_kind_unknown", "kind")
        kind.policy.admit(call.actor)
        _settle(call)
        self._require_live(call, kind, arguments["place"])
        names = [each.name for each in self.kinds.values() if isinstance(each, Export)]
        made = self.database.commit_once(
            call, lambda db: _id_of(actions.request_export(db, call, kind, names, arguments))
        )
        return self._show(call, made["job_id"])

    # --- looking ---

    @query
    def get_job(self, call: Call) -> dict[str, Any]:
        job_id = call.load(schemas.JobId())["job_id"]
        _settle(call)
        return self._show(call, job_id)

    @query
    def list_jobs(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListJobs())
        limit = arguments["limit"]
        _settle(call)
        with self.database.read(call) as db:
            found = queries.list_jobs(db, actions.owner_of(call), arguments["cursor"], limit + 1)
        return page_of(found, limit, lambda job: self._shown(job, call.now), lambda job: str(job.job_id))

    @query
    def list_job_rows(self, call: Call) -> dict[str, Any]:
        """What became of the rows, without what stood in them."""
        arguments = call.load(schemas.ListRows())
        limit = arguments["limit"]
        _settle(call)
        with self.database.read(call) as db:
            job = queries.get_job(db, arguments["job_id"], actions.owner_of(call))
            after = arguments["cursor"] or 0
            found = queries.list_rows(db, arguments["job_id"], arguments["outcome"], after, limit + 1)
        kind = self.kinds.get(job.kind)
        titles = {column.key: column.title for column in kind.columns} if isinstance(kind, Kind) else {}
        return page_of(
            found,
            limit,
            lambda row: {**schemas.RowShown().dump(row), "column": titles.get(row.field, "")},
            lambda row: row.number,
        )

    # --- deciding ---

    @command
    def start_job(self, call: Call) -> dict[str, Any]:
        return self._change(call, actions.start_job)

    @command
    def cancel_job(self, call: Call) -> dict[str, Any]:
        return self._change(call, actions.cancel_job)

    @command
    def rerun_job(self, call: Call) -> dict[str, Any]:
        return self._change(call, actions.rerun_job)

    @command
    def make_report(self, call: Call) -> dict[str, Any]:
        return self._change(call, actions.make_report)

    # --- files ---

    @command
    def open_download(self, call: Call) -> dict[str, Any]:
        job_id = call.load(schemas.JobId())["job_id"]
        call.authorise_own()
        self._require_still_allowed(call, job_id)
        # The token is a secret: its reply is kept nowhere, and another one is harmless.
        opened: dict[str, Any] = self.database.commit_once(
            call, lambda db: actions.open_download(db, call, job_id), schemas.Download(), keep_reply=False
        )
        return opened

    @command
    def redeem_download(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.RedeemDownload())
        call.authorise_own()
        self._require_still_allowed(call, arguments["job_id"])
        redeemed: dict[str, Any] = self.database.commit_once(
            call, lambda db: actions.redeem_download(db, call, **arguments), keep_reply=False
        )
        return redeemed

    # --- running ---

    @functools.cached_property
    def runner(self) -> Runner:
        return Runner(
            Workshop(
                service=self,
                owner=owner_of(type(self)),
                database=self.database,
                files=self.files,
                cipher=self.cipher,
                kinds=self.kinds,
                read_grants=self.read_grants,
                name_of=self.name_of,
                text_of=self.text_of,
            )
        )

    @continuous(workers=2)
    def run_next_job(self) -> bool:
        return self.runner.run_next()

    @periodic(600, job="keep_house_of_jobs")
    def keep_house_of_jobs(self, now: dt.datetime) -> None:
        upkeep.keep_house(self.database, self.files, now)

    # --- parts ---

    def _change(self, call: Call, act: Any) -> dict[str, Any]:
        job_id = call.load(schemas.JobId())["job_id"]
        _settle(call)
        self.database.commit_once(call, lambda db: act(db, call, job_id))
        return self._show(call, job_id)

    def _import_kind(self, call: Call, name: str) -> Kind:
        kind = self.kinds.get(name)
        if not isinstance(kind, Kind):
            raise NotFound("shared.job_kind_unknown", "kind")
        kind.policy.admit(call.actor)
        _settle(call)
        return kind

    def _foreseen(self, call: Call, kind: Kind, arguments: Mapping[str, Any]) -> Mapping[int, Fault]:
        if kind.foresee is None or arguments["at_once"]:
            return {}
        rows = actions.rows_in(kind, arguments["rows"])
        as_owner = dataclasses.replace(call, policy=kind.policy, method=kind.name)
        return kind.foresee(self, as_owner, rows) if rows else {}

    def _require_live(self, call: Call, kind: Kind | Export, place: str) -> None:
        """The token may be ten minutes old: what leaves the house is decided by the grants of this moment."""
        if call.actor.account_id is None:
            return
        with self.database.work() as db:
            grants = self.read_grants(db, call.actor.account_id)
        live = Actor(kind=ActorKind.PERSON, account_id=call.actor.account_id, grants=grants)
        kind.policy.check(live, None, place, "shared.not_found")

    def _require_still_allowed(self, call: Call, job_id: uuid.UUID) -> None:
        with self.database.read(call) as db:
            job = queries.get_job(db, job_id, actions.owner_of(call))
        kind = self.kinds.get(job.kind)
        if kind is None:
            raise NotFound("shared.job_kind_unknown")
        try:
            self._require_live(call, kind, job.place)
        except NotFound:
            raise NotAllowed("shared.rights_gone") from None

    def _show(self, call: Call, job_id: Any) -> dict[str, Any]:
        with self.database.read(call) as db:
            return self._shown(queries.get_job(db, uuid.UUID(str(job_id)), actions.owner_of(call)), call.now)

    def _shown(self, job: Any, now: dt.datetime) -> dict[str, Any]:
        return {
            **schemas.Job().dump(job),
            "export": isinstance(self.kinds.get(job.kind), Export),
            "counts": actions.counts_of(job),
            "file_ready": job.file is not None and is_open(job.file_expires_at, now),
        }

    def _show_kind(self, kind: Kind | Export) -> dict[str, Any]:
        columns = () if isinstance(kind, Export) else kind.columns
        return {"name": kind.name, "title": kind.title, "export": isinstance(kind, Export), "columns": columns}


def _settle(call: Call) -> None:
    """The target is the caller's own: queries and row security see to it that nothing else is found."""
    if call.actor.account_id is None:
        call.authorise()
    else:
        call.authorise_own()


def _id_of(made: dict[str, Any]) -> dict[str, Any]:
    return {"job_id": str(made["job_id"])}


def _may_use(kind: Kind | Export, actor: Actor) -> bool:
    """By role; of the rest of the policy (a fresh code) the refusal tells."""
    if actor.kind is ActorKind.SERVICE:
        return actor.service in kind.policy.services
    return any(grant.role in kind.policy.roles for grant in actor.grants)
