"""Authority codes and activation progress."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from services.shared import row_security

revision = "0003"
down_revision = "0002"

PLACE = sa.Text(collation="C")
ID = UUID(as_uuid=True)
INSTANT = sa.DateTime(timezone=True)
# Who was given what must stay answerable: no role may delete it.
KEPT = ("SELECT", "INSERT", "UPDATE")
COUNTERS = ("expected", "generated", "activated", "disabled")


def upgrade() -> None:
    create_seats()
    create_counts()
    create_codes()
    create_known_account()
    seat_what_stands()


def create_seats() -> None:
    op.create_table(
        "admin_seat",
        sa.Column("place", PLACE, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("parent", PLACE, nullable=False),
        sa.Column("standing", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("state IN ('NOT_GENERATED', 'GENERATED', 'ACTIVATED', 'DISABLED')", name="admin_seat_state"),
        sa.CheckConstraint("starts_with(place, parent || '/')", name="admin_seat_place"),
    )
    standing = sa.text("standing")
    op.create_index("admin_seat_parent", "admin_seat", ["parent", "place"], postgresql_where=standing)
    op.create_index("admin_seat_waiting", "admin_seat", ["role", "state", "place"], postgresql_where=standing)
    row_security.protect(op, "admin_seat", place="place", app_rights=KEPT, worker_rights=KEPT)


def create_counts() -> None:
    op.create_table(
        "activation_count",
        sa.Column("place", PLACE, primary_key=True),
        sa.Column("level", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTERS),
    )
    row_security.protect(op, "activation_count", place="place", app_rights=("SELECT",))
    op.create_table(
        "activation_delta",
        sa.Column("delta_id", ID, primary_key=True),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTERS),
    )
    op.create_index("activation_delta_place", "activation_delta", ["place"])
    row_security.protect(op, "activation_delta", place="place", app_rights=("SELECT", "INSERT"))


def create_codes() -> None:
    op.create_table(
        "authority_code",
        sa.Column("code_id", ID, primary_key=True),
        sa.Column("code_index", sa.Text, nullable=False, unique=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("place", PLACE, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("issued_by", ID, nullable=False),
        sa.Column("issued_with", sa.Text, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("delivered_at", INSTANT),
        sa.Column("activated_by", ID),
        sa.Column("activated_at", INSTANT),
        sa.Column("grant_id", ID, sa.ForeignKey("admin_grant.grant_id"), unique=True),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_by", sa.Text),
        sa.Column("end_reason", sa.Text, nullable=False),
        sa.CheckConstraint("state IN ('ISSUED', 'ACTIVATED', 'VOID', 'REVOKED')", name="authority_code_state"),
        sa.CheckConstraint("(state IN ('VOID', 'REVOKED')) = (ended_at IS NOT NULL)", name="authority_code_ended"),
        sa.CheckConstraint("(state IN ('ACTIVATED', 'REVOKED')) = (grant_id IS NOT NULL)", name="authority_code_used"),
        sa.CheckConstraint("activated_by <> issued_by", name="authority_code_two_people"),
    )
    waiting = sa.text("state = 'ISSUED'")
    # One code per seat at a time, whatever the code above it does.
    op.create_index("authority_code_issued", "authority_code", ["place", "role"], unique=True, postgresql_where=waiting)
    op.create_index("authority_code_place", "authority_code", ["place", "code_id"])
    op.create_index("authority_code_issuer", "authority_code", ["issued_by"], postgresql_where=waiting)
    op.create_index("authority_code_due", "authority_code", ["expires_at"], postgresql_where=waiting)
    row_security.protect(op, "authority_code", place="place", app_rights=KEPT, worker_rights=KEPT)
    op.create_table(
        "code_guess",
        sa.Column("guesser", sa.Text, primary_key=True),
        sa.Column("window_at", INSTANT, primary_key=True),
        sa.Column("guesses", sa.Integer, nullable=False),
    )
    row_security.protect(op, "code_guess", app="false", app_rights=())


def create_known_account() -> None:
    op.create_table(
        "known_account",
        sa.Column("account_id", ID, primary_key=True),
        sa.Column("profile_version", sa.Integer, nullable=False),
        sa.Column("named", sa.Boolean, nullable=False),
        sa.Column("standing_version", sa.Integer, nullable=False),
        sa.Column("standing", sa.Boolean, nullable=False),
    )
    row_security.protect(op, "known_account", app="false", app_rights=())


def seat_what_stands() -> None:
    """Seats, and their counts, of the regions and schools of an installation that is older than this."""
    forced = ("school", "admin_grant", "admin_seat", "activation_count")
    for table in forced:  # the owner reads and writes them in this transaction only
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        INSERT INTO admin_seat (place, role, level, parent, standing, state, changed_at)
        SELECT unit.place, expected.role, unit.level, regexp_replace(unit.place, '/[^/]+$', ''), true,
            CASE
                WHEN EXISTS (SELECT 1 FROM admin_grant WHERE admin_grant.place = unit.place
                    AND admin_grant.role = expected.role AND state = 'ACTIVE') THEN 'ACTIVATED'
                WHEN EXISTS (SELECT 1 FROM admin_grant WHERE admin_grant.place = unit.place
                    AND admin_grant.role = expected.role) THEN 'DISABLED'
                ELSE 'NOT_GENERATED'
            END, now()
        FROM (
            SELECT place, 'SCHOOL' AS level FROM school
            WHERE NOT other AND state IN ('DRAFT', 'ACTIVE', 'SUSPENDED')
            UNION ALL SELECT place, level FROM division WHERE NOT (leaf AND level = 'PROVINCE')) AS unit
        JOIN (VALUES ('SCHOOL', 'SCHOOL_ADMIN'), ('COUNTY', 'SUPER_ADMIN'), ('COUNTY', 'COUNTY_ADMIN'),
            ('CITY', 'SUPER_ADMIN'), ('CITY', 'CITY_ADMIN'), ('PROVINCE', 'SUPER_ADMIN'), ('PROVINCE', 'PROVINCE_ADMIN'))
            AS expected (level, role) USING (level)
    """)
    op.execute("""
        INSERT INTO activation_count (place, level, role, expected, generated, activated, disabled)
        SELECT array_to_string(steps[1:height], '/'), level, role, count(*), 0,
            count(*) FILTER (WHERE state = 'ACTIVATED'), count(*) FILTER (WHERE state = 'DISABLED')
        FROM (SELECT string_to_array(place, '/') AS steps, level, role, state FROM admin_seat) AS seat,
            generate_series(1, cardinality(steps)) AS height
        WHERE NOT starts_with(steps[height], 's')
        GROUP BY 1, 2, 3
    """)
    for table in forced:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
