"""The bulk process of org over real databases, and short words for what its users do."""

from __future__ import annotations

import dataclasses
import io
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from services.org.bulk.service import OrgBulkService
from services.shared import clock
from services.shared.actor import Actor, Role
from services.shared.bulk.files import SealedFile
from services.shared.bus.local import LocalClient
from services.shared.keys import KeyRing
from services.shared.settings import Settings
from services.shared.spreadsheet import read_rows, write_sheet
from tests.component.org.conftest import Org
from yanxiu.local.processes import load_class

LIWAN = "CN/440000/440100/440103"


@dataclasses.dataclass
class Jobs:
    """The bulk process, and short words for what its users do."""

    org: Org
    component: Any

    def call(self, method: str, arguments: dict[str, Any], actor: Actor, **options: Any) -> Any:
        return self.component.call(method, arguments, actor, **options)

    def upload(self, actor: Actor, kind: str, data: bytes, **options: Any) -> str:
        """A job with its file; returns its id."""
        file = self.component.service.files.store([data])
        opened = self.call("open_job", {"kind": kind, "sha256": file.sha256, **options}, actor)
        attached = self.call("attach_file", {"job_id": opened["job_id"], "file": file.to_wire()}, actor)
        assert attached["accepted"]
        return str(opened["job_id"])

    def submit(self, actor: Actor, kind: str, rows: Sequence[dict[str, str]], **options: Any) -> str:
        return str(self.call("submit_rows", {"kind": kind, "rows": list(rows), **options}, actor)["job_id"])

    def run(self, limit: int = 1000) -> int:
        """Do what waits; returns how many stages that took."""
        for stages in range(limit):
            if not self.component.service.runner.run_next():
                return stages
        raise AssertionError("it never ends")

    def get(self, job_id: str, actor: Actor) -> Any:
        return self.call("get_job", {"job_id": job_id}, actor)

    def rows(self, job_id: str, actor: Actor, **options: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.call("list_job_rows", {"job_id": job_id, "cursor": cursor, "limit": 200, **options}, actor)
            items += page["items"]
            if (cursor := page["next_cursor"]) is None:
                return items

    def import_(self, actor: Actor, kind: str, data: bytes) -> Any:
        """Upload, look, start, run; returns the job as it ended."""
        job_id = self.upload(actor, kind, data)
        self.run()
        assert self.get(job_id, actor)["state"] == "READY"
        self.call("start_job", {"job_id": job_id}, actor)
        self.run()
        return self.get(job_id, actor)

    def report(self, job_id: str, actor: Actor) -> list[tuple[str, ...]]:
        """The rows of the job's file."""
        elevated = raised(actor)
        token = self.call("open_download", {"job_id": job_id}, elevated)["token"]
        redeemed = self.call("redeem_download", {"job_id": job_id, "token": token}, elevated)
        content = b"".join(self.component.service.files.read(SealedFile.from_wire(redeemed["file"])))
        return [row.cells for row in read_rows(content)]


def raised(actor: Actor) -> Actor:
    """The same person after a code by SMS."""
    return dataclasses.replace(actor, elevated_until=clock.now().replace(year=clock.now().year + 1))


@pytest.fixture
def neighbours(settings: Settings, keyring: KeyRing, service_database: Callable[[str], Any]) -> Iterator[LocalClient]:
    """What the bulk process asks: the real identity."""
    service_database("identity")
    client = LocalClient(settings, keyring, load_class)
    yield client
    client.close()


@pytest.fixture
def jobs(org: Org, component: Callable[..., Any], neighbours: LocalClient) -> Jobs:
    return Jobs(org, component(OrgBulkService, bus=neighbours))


@pytest.fixture
def admin(org: Org) -> Actor:
    return org.holder(Role.COUNTY_ADMIN, LIWAN)


@pytest.fixture
def edition() -> int:
    return uuid.uuid4().int % 9000 + 100


def workbook(columns: Sequence[Any], *rows: Sequence[str]) -> bytes:
    return table([column.title for column in columns], *rows)


def table(titles: Sequence[str], *rows: Sequence[str]) -> bytes:
    buffer = io.BytesIO()
    write_sheet(buffer, titles, rows)
    return buffer.getvalue()
