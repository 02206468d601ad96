"""What was chosen, as totals: each change is a delta, and one folder adds deltas to the totals of all places above."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.selection.models import ChoiceTotal

FOLD = 5000
# One folder at a time, whatever the number of processes: two would wait for each other's rows of the nation.
_ALONE = sa.text("SELECT pg_try_advisory_xact_lock(hashtext('fold_choices'))")
_ABOVE = "array_to_string((string_to_array(place, '/'))[1:depth], '/')"
_FOLD = sa.text(f"""
    WITH taken AS (
        DELETE FROM choice_delta WHERE delta_id IN (SELECT delta_id FROM choice_delta ORDER BY delta_id LIMIT :limit)
        RETURNING offering_id, period_id, place, state, change
    ), above AS (
        SELECT offering_id, period_id, {_ABOVE} AS place, state, sum(change) AS change
        FROM taken, generate_series(1, array_length(string_to_array(place, '/'), 1)) AS depth GROUP BY 1, 2, 3, 4
    ), kept AS (
        INSERT INTO choice_total AS total (offering_id, period_id, place, state, parent, number)
        SELECT offering_id, period_id, place, state,
            CASE WHEN strpos(place, '/') = 0 THEN '' ELSE regexp_replace(place, '/[^/]*$', '') END, change
        FROM above WHERE change <> 0
        ON CONFLICT (offering_id, place, state) DO UPDATE SET number = total.number + excluded.number
    )
    SELECT count(*) FROM taken
""")  # noqa: S608


def fold(db: Session) -> int:
    """Fold the oldest deltas into the totals; how many there were (0 while another process folds)."""
    if not db.scalar(_ALONE):
        return 0
    folded: int = db.scalar(_FOLD, {"limit": FOLD}) or 0
    return folded


def find_differences(db: Session) -> tuple[int, list[dict[str, Any]]]:
    """Where totals and choices disagree, once all deltas are folded: how many were compared, and what differs."""
    direct = {
        (row.offering_id, row.place, row.state): row.number
        for row in db.execute(
            sa.text(
                f"SELECT offering_id, {_ABOVE} AS place, state, count(*) AS number FROM choice,"  # noqa: S608
                " generate_series(1, array_length(string_to_array(place, '/'), 1)) AS depth GROUP BY 1, 2, 3"
            )
        )
    }
    kept = {
        (row.offering_id, row.place, row.state): row.number
        for row in db.scalars(sa.select(ChoiceTotal).where(ChoiceTotal.number != 0))
    }
    differing = sorted(key for key in direct.keys() | kept.keys() if direct.get(key, 0) != kept.get(key, 0))
    return len(direct), [
        {
            "offering_id": str(key[0]),
            "place": key[1],
            "state": key[2],
            "expected": direct.get(key, 0),
            "kept": kept.get(key, 0),
        }
        for key in differing
    ]
