"""Identity's word that two accounts are one person's, as several services keep it."""

from __future__ import annotations

import uuid

from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column


class MergedPersonMixin:
    """Columns of the `merged_person` table; a service's model adds its own `Model` base.

    A former account of a person; `live` ends when the merge is undone. There are no chains.
    """

    __tablename__ = "merged_person"

    merged_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    kept_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    version: Mapped[int]
    live: Mapped[bool]
