"""How far a teacher has come in a programme, as statistics tell it."""

from __future__ import annotations

import enum


class Stage(enum.StrEnum):
    NOT_ENROLLED = "NOT_ENROLLED"  # 未报名
    NOT_STARTED = "NOT_STARTED"  # 未开始: enrolled, and nothing watched
    STUDYING = "STUDYING"  # 学习中
    FINISHED = "FINISHED"  # 达到要求
