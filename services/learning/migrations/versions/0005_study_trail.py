"""What each sitting earned, presence prompts, and the trail: every report as it came, in a partition per day."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0005"
down_revision = "0004"

ALL_DAY = "{[0,86400000)}"


class Ranges(sa.types.UserDefinedType):
    def get_col_spec(self, **_):
        return "INT4MULTIRANGE"


def _ranges(name, default="{}"):
    return sa.Column(name, Ranges, nullable=False, server_default=default)


def upgrade():
    _extend_sessions()
    _create_trail()


def _extend_sessions():
    op.add_column(
        "programme", sa.Column("presence_prompt_seconds", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    for column in (_ranges("seen"), _ranges("countable"), _ranges("present", ALL_DAY)):
        op.add_column("study_session", column)
    op.add_column("study_session", sa.Column("prompt_at", sa.DateTime(timezone=True)))
    op.add_column(
        "study_session", sa.Column("claimed_seconds", sa.BigInteger, nullable=False, server_default=sa.text("0"))
    )
    # Which sitting of before earned what is not known: the last one at each video stands for all.
    for table in ("study_session", "watched"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        UPDATE study_session SET seen = watched.seen, countable = watched.countable
        FROM watched
        WHERE watched.teacher_id = study_session.teacher_id AND watched.activity_id = study_session.activity_id
          AND study_session.fence = (
              SELECT max(last.fence) FROM study_session AS last
              WHERE last.teacher_id = watched.teacher_id AND last.activity_id = watched.activity_id)""")
    for table in ("study_session", "watched"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.create_check_constraint("spent_while_present", "study_session", "spent <@ present")
    op.create_check_constraint("countable_was_seen", "study_session", "countable <@ seen")
    op.create_index("study_session_opened", "study_session", ["opened_at"])
    op.create_index("study_session_teacher", "study_session", ["teacher_id", "activity_id"])


def _create_trail():
    op.execute("""
        CREATE TABLE study_report (
            recorded_on date NOT NULL,
            study_session_id uuid NOT NULL,
            seq integer NOT NULL,
            teacher_id uuid NOT NULL,
            activity_id uuid NOT NULL,
            received_at timestamptz NOT NULL,
            segments integer[] NOT NULL,
            seen int4multirange NOT NULL,
            countable int4multirange NOT NULL,
            spent int4multirange NOT NULL,
            PRIMARY KEY (study_session_id, seq, recorded_on)
        ) PARTITION BY RANGE (recorded_on)""")
    row_security.protect(
        op, "study_report", person="teacher_id", app_rights=("SELECT",), worker_rights=("SELECT", "INSERT")
    )
    # The worker may add and drop whole days and nothing else: the functions run with the owner's rights.
    op.execute("""
        CREATE FUNCTION add_study_report_day(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        DECLARE
            part text := 'study_report_' || to_char(day, 'YYYYMMDD');
        BEGIN
            IF to_regclass(part) IS NOT NULL THEN RETURN; END IF;
            PERFORM pg_advisory_xact_lock(hashtext('study_report'));
            IF to_regclass(part) IS NOT NULL THEN RETURN; END IF;
            -- Made apart and attached: CREATE ... PARTITION OF would stop everybody who writes to the trail.
            EXECUTE format('CREATE TABLE %I (LIKE study_report INCLUDING ALL)', part);
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
            EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
            EXECUTE format('ALTER TABLE study_report ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                           part, day, day + 1);
        END $$""")
    op.execute("""
        CREATE FUNCTION drop_study_report_days(kept_from date) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        DECLARE
            part text;
            dropped integer := 0;
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('study_report'));
            FOR part IN
                SELECT inhrelid::regclass::text FROM pg_inherits
                WHERE inhparent = 'study_report'::regclass
                  AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < kept_from
            LOOP
                EXECUTE format('DROP TABLE %I', part);
                dropped := dropped + 1;
            END LOOP;
            RETURN dropped;
        END $$""")
    worker = row_security.roles_of(op).worker
    for function in ("add_study_report_day(date)", "drop_study_report_days(date)"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {worker}")
