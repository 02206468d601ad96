"""Materials of courses: sealed files of their tutors."""

import sqlalchemy as sa
from alembic import op

from services.shared import row_security

revision = "0014"
down_revision = "0013"


def upgrade():
    op.create_table(
        "course_material",
        sa.Column("material_id", sa.Uuid, primary_key=True),
        sa.Column("course_id", sa.Uuid, nullable=False),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("file_key_sealed", sa.Text, nullable=False),
        sa.Column("storage_key", sa.Text),
        sa.Column("added_by", sa.Uuid, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("course_material_list", "course_material", ["course_id", "material_id"])
    row_security.protect(
        op,
        "course_material",
        app="app_covers(place) OR (storage_key IS NOT NULL AND EXISTS (SELECT 1 FROM enrolment AS mine"
        " WHERE mine.teacher_id = app_person() AND mine.programme_id = course_material.programme_id))",
        check="app_covers(place)",
    )
