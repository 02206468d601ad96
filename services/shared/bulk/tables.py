"""The tables of jobs, in the database of each service that mounts them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.shared import row_security
from services.shared.bulk.rules import WAITING

BULK = sa.MetaData()
_instant = sa.DateTime(timezone=True)
_waiting = ", ".join(f"'{state}'" for state in sorted(WAITING))

job = sa.Table(
    "bulk_job",
    BULK,
    sa.Column("job_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("account_id", UUID(as_uuid=True)),  # null: the installation's own command line
    sa.Column("place", sa.Text(collation="C"), nullable=False),  # an export's scope; whose turn it is
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    sa.Column("parameters", JSONB, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),  # an export's purpose
    sa.Column("at_once", sa.Boolean, nullable=False),  # starts without waiting for its owner to look at the preview
    sa.Column("header", JSONB, nullable=False, server_default="[]"),  # column keys by position
    sa.Column("upload", JSONB(none_as_null=True)),
    sa.Column("upload_sha256", sa.Text, nullable=False, server_default=""),
    sa.Column("validated", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("forgotten", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
    sa.Column("total", sa.Integer, nullable=False, server_default="0"),
    *(
        sa.Column(name, sa.Integer, nullable=False, server_default="0")
        for name in ("created", "changed", "unchanged", "refused")
    ),
    sa.Column("code", sa.Text, nullable=False, server_default=""),  # of what stopped or refused the whole job
    sa.Column("field", sa.Text, nullable=False, server_default=""),
    sa.Column("file", JSONB(none_as_null=True)),  # the report or the export, sealed
    sa.Column("file_expires_at", _instant),
    sa.Column("report_due", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", _instant, nullable=False),
    sa.Column("changed_at", _instant, nullable=False),
    sa.Column("finished_at", _instant),
    # The runner's part, by the database's own clock: whoever holds the lease works on the job.
    sa.Column("waiting", sa.Boolean, sa.Computed(f"state IN ({_waiting}) OR report_due", persisted=True)),
    sa.Column("served_at", _instant, nullable=False, server_default=sa.func.now()),
    sa.Column("lease", UUID(as_uuid=True)),
    sa.Column("lease_until", _instant),
)
sa.Index("bulk_job_waiting", job.c.place, job.c.job_id, postgresql_where=job.c.waiting)
sa.Index("bulk_job_owner", job.c.account_id, job.c.job_id)
sa.Index("bulk_job_upload", job.c.job_id, postgresql_where=job.c.upload.is_not(None))
sa.Index("bulk_job_file", job.c.file_expires_at, postgresql_where=job.c.file.is_not(None))

row = sa.Table(
    "bulk_row",
    BULK,
    sa.Column("job_id", UUID(as_uuid=True), sa.ForeignKey("bulk_job.job_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("cells_sealed", sa.Text, nullable=False),  # a roster's cells name people
    sa.Column("told_sealed", sa.Text, nullable=False, server_default=""),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False, server_default=""),
    sa.Column("field", sa.Text, nullable=False, server_default=""),
    sa.Column("again", sa.Boolean, nullable=False, server_default="false"),  # another run may end otherwise
)
sa.Index("bulk_row_pending", row.c.job_id, row.c.number, postgresql_where=row.c.outcome == "PENDING")
sa.Index("bulk_row_refused", row.c.job_id, row.c.number, postgresql_where=row.c.outcome == "REFUSED")

download = sa.Table(
    "bulk_download",
    BULK,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),
    sa.Column("job_id", UUID(as_uuid=True), sa.ForeignKey("bulk_job.job_id", ondelete="CASCADE"), nullable=False),
    sa.Column("account_id", UUID(as_uuid=True), nullable=False),
    sa.Column("expires_at", _instant, nullable=False),
    sa.Column("used_at", _instant),
)
sa.Index("bulk_download_expiry", download.c.expires_at)


def create_bulk(op: Any) -> None:
    """Create the tables of jobs with their rights (a migration of the service that mounts them).

    A job is its owner's alone: no administrator sees another's, whatever the territory.
    """
    BULK.create_all(op.get_bind())
    rights = ("SELECT", "INSERT", "UPDATE")
    row_security.protect(op, "bulk_job", person="account_id", app_rights=rights)
    row_security.protect(
        op,
        "bulk_row",
        app="EXISTS (SELECT 1 FROM bulk_job AS owned WHERE owned.job_id = bulk_row.job_id"
        " AND owned.account_id = app_person())",
        app_rights=rights,
    )
    row_security.protect(op, "bulk_download", person="account_id", app_rights=rights)
