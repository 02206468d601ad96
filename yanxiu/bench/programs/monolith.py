"""What a sceptic would write instead (`performance.md` §2): FastAPI and asyncpg, one transaction for each request.

No token, no session, no rules, no receipt, no event: a report is added to its teacher's sets and committed. Needs the
packages of the development requirements. `python -m yanxiu.bench.programs.monolith LISTENING_FD`.
"""

from __future__ import annotations

import contextlib
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

from services.shared.database import Database
from services.shared.keys import open_keyring
from services.shared.settings import load_settings

CONNECTIONS = 10
_TABLE = """
    CREATE TABLE IF NOT EXISTS bench_monolith (teacher_id uuid, activity_id uuid, seen int4multirange NOT NULL,
        countable int4multirange NOT NULL, PRIMARY KEY (teacher_id, activity_id))
"""
_UPSERT = """
    INSERT INTO bench_monolith (teacher_id, activity_id, seen, countable)
    VALUES ($1, $2, $3::text::int4multirange, $3::text::int4multirange)
    ON CONFLICT (teacher_id, activity_id) DO UPDATE SET
        seen = bench_monolith.seen + excluded.seen, countable = bench_monolith.countable + excluded.countable
"""


class Segment(BaseModel):
    begin: int = Field(alias="from", ge=0)
    end: int = Field(alias="to", gt=0)


class Report(BaseModel):
    teacher_id: uuid.UUID
    activity_id: uuid.UUID
    segments: list[Segment] = Field(min_length=1, max_length=200)


def make_app(url: str) -> FastAPI:
    """The application over the database at `url`."""

    @contextlib.asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
            await pool.execute(_TABLE)
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=connected)

    @app.post("/segments", status_code=202)
    async def report_segments(report: Report, request: Request) -> dict[str, Any]:
        sets = "{" + ",".join(f"[{one.begin},{one.end})" for one in report.segments) + "}"
        await request.app.state.pool.execute(_UPSERT, report.teacher_id, report.activity_id, sets)
        return {"recorded": len(report.segments)}

    return app


if __name__ == "__main__":
    settings = load_settings()
    learning = Database("learning", settings, open_keyring(settings)).url.set(drivername="postgresql")
    application = make_app(learning.render_as_string(hide_password=False))
    uvicorn.run(
        application, fd=int(sys.argv[1]), log_level="warning", access_log=False, loop="uvloop", http="httptools"
    )
