"""Rosters as an administrator imports them, with preview and outcome of each row; and as he takes them out again."""

from __future__ import annotations

import time
import uuid
from typing import Any

from services.shared.spreadsheet import read_rows
from yanxiu.journey.api import Api

PATIENCE_SECONDS = 180
PAUSE_SECONDS = 0.2
RESTING = frozenset({"READY", "DONE", "CANCELLED", "STOPPED", "REFUSED"})


def import_roster(api: Api, kind: str, content: bytes) -> dict[str, Any]:
    """The job as it ended, with its refused rows under "rows"."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    files = {"file": (f"{kind}.xlsx", content, "application/octet-stream")}
    job = api.send("POST", "/jobs/org/uploads", data={"kind": kind}, files=files, headers=key).json()
    preview = await_rest(api, job["job_id"])
    if preview["state"] == "READY":
        api.post(f"/jobs/org/{job['job_id']}/start")
        preview = await_rest(api, job["job_id"])
    refused = api.get(f"/jobs/org/{job['job_id']}/rows", outcome="REFUSED", limit=200)["items"]
    return {**preview, "rows": refused}


def export(api: Api, kind: str, place: str) -> list[tuple[str, ...]]:
    """The rows of an export, its header first."""
    job = api.post("/exports/org", {"kind": kind, "place": place, "reason": "年度验证核对名册"})
    done = await_rest(api, job["job_id"])
    if done["state"] != "DONE":
        raise RuntimeError(f"the export ended {done['state']} {done['code']}")
    token = api.post(f"/jobs/org/{job['job_id']}/downloads")["token"]
    file = api.send("GET", f"/jobs/org/{job['job_id']}/file", params={"token": token}).content
    return [row.cells for row in read_rows(file)]


def await_rest(api: Api, job_id: str) -> dict[str, Any]:
    """The job once nothing is being done to it. Raises TimeoutError."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        job: dict[str, Any] = api.get(f"/jobs/org/{job_id}")
        if job["state"] in RESTING:
            return job
        if time.monotonic() > until:
            raise TimeoutError(f"job {job_id} is still {job['state']}")
        time.sleep(PAUSE_SECONDS)
