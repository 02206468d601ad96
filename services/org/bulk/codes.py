"""Authority codes for many units at once: the texts go into the report, and nowhere else."""

from __future__ import annotations

import functools
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from services.org import queries
from services.org.contract import bulk
from services.org.delegation.actions import codes
from services.org.delegation.policy import POLICIES
from services.org.delegation.rules import codes as rules
from services.shared.actor import Role
from services.shared.bulk.kinds import Chunk, JobRow, Kind, Result, each_row
from services.shared.bulk.rules import Outcome
from services.shared.crypto import BlindIndex, KeySet
from services.shared.errors import NotFound


class Generating(Schema):
    regenerate = fields.Boolean(load_default=False, truthy={True}, falsy={False})


@functools.lru_cache(maxsize=4)
def index_of(keyring: Any) -> BlindIndex:
    return BlindIndex(KeySet.of(keyring, "blind-index"))


def generate_code(db: Session, chunk: Chunk, row: JobRow) -> Result:
    """A code for the school's administrator; the row tells it once, in the sealed report."""
    found = queries.find_schools_by_code(db, [row.values["school_code"]])
    if not found:
        raise NotFound("org.place_unknown", "school_code")
    index, place = index_of(chunk.service.keyring), found[0].place
    # Here and not only below, so that the row of a school elsewhere names the same column as that of an unknown one.
    chunk.call.authorise(place=place, missing="org.place_unknown", field="school_code")
    made = codes.generate_code(db, chunk.call, index, Role.SCHOOL_ADMIN, place, **chunk.parameters)
    return Result(Outcome.CREATED, told=rules.show(made.text))


KINDS = (
    Kind(
        name=bulk.GENERATE_CODES,
        title="批量生成学校管理员权限码",
        columns=bulk.CODE_COLUMNS,
        policy=POLICIES["generate_authority_code"],
        run=each_row(generate_code),
        parameters=Generating,
        repeats=(("school_code",),),
    ),
)
