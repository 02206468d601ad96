"""A season of two short clips with a quiz each, for who tries the player: real video, real seconds, the usual rules."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

from yanxiu.journey.api import Api

FOLDER = Path(__file__).parent
PLACE = "sample-clips"  # below the media folder
OPEN_FOR = dt.timedelta(days=60)


def publish(operator: Api, media_dir: Path, now: dt.datetime) -> str:
    """Put the files where the gateway finds them and publish the season, open from yesterday on; returns the programme's id."""
    (media_dir / PLACE).mkdir(parents=True, exist_ok=True)
    for file in FOLDER.glob("*.webm"):
        shutil.copy(file, media_dir / PLACE / file.name)
    published = operator.post("/programmes", season(now))
    return str(published["programme_id"])


def season(now: dt.datetime) -> dict[str, Any]:
    """The season as it is published at `now`."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    opens_at, closes_at = midnight - dt.timedelta(days=1), midnight + OPEN_FOR
    return {
        "code": f"{opens_at:%Y}-sample-clips-{opens_at:%m%d}",
        "titles": {"zh": "短片体验专题（示例）", "en": "Short clips to try (sample)"},
        "rule_pack": "sample-clips",
        "certificate_template": "smartedu-study",
        "silence_limit_seconds": 600,
        "opens_at": opens_at.isoformat(),
        "closes_at": closes_at.isoformat(),
        "courses": [
            {
                "key": "clips",
                "title": "数一数",
                "title_en": "Counting",
                "opens_at": opens_at.isoformat(),
                "quiz_required": True,
                "videos": [_video("v1", "数到四十", 40, 12), _video("v2", "数到三十", 30, 20)],
            }
        ],
    }


def _video(key: str, title: str, seconds: int, quiz_at: int) -> dict[str, Any]:
    quiz = {
        "key": "q1",
        "at_seconds": quiz_at,
        "prompt": "画面上刚刚数到几？",
        "options": [str(quiz_at - 5), str(quiz_at), str(quiz_at + 5)],
        "answers": [str(quiz_at)],
    }
    return {
        "key": key,
        "title": title,
        "seconds": seconds,
        "media": f"{PLACE}/counting-{seconds}.webm",
        "quizzes": [quiz],
    }
