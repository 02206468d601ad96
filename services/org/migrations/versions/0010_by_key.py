"""Where a school went and whose a code is are found by key: by the place of the school."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # As `row_security.place_by_key`, of a school instead of a person.
    where = "SELECT moved.place FROM school AS moved WHERE moved.school_id = school_former_place.school_id"
    visible = f"app_covers(school_former_place.place) OR app_covers(({where}))"
    op.execute(f"ALTER POLICY app_scope ON school_former_place USING ({visible}) WITH CHECK ({visible})")
    there = "SELECT holder.place FROM school AS holder WHERE holder.school_id = school_code.school_id"
    holds = f"app_covers(({there}))"
    op.execute(f"ALTER POLICY app_adds ON school_code WITH CHECK ({holds})")
    changes = f"{holds} OR void_reason = 'CORRECTED'"
    op.execute(f"ALTER POLICY app_changes ON school_code USING ({changes}) WITH CHECK ({holds})")
