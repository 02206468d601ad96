"""Bulk jobs of the catalogue as others may know them: the process type that runs them, and the columns of a course list."""

from __future__ import annotations

from typing import Final

from services.catalog.contract.courses import COURSE_TYPE_NAMES, HOUR_TYPE_NAMES
from services.shared.bulk.columns import Column

PROCESS: Final = "catalog-bulk"
IMPORT_COURSES: Final = "import_courses"

# As lists write several of them in one cell.
SEPARATORS: Final = "、,，;；/ "
CAPABILITY_CLASSES: Final = {
    "通识必修": "GENERAL",
    "专业必修": "PROFESSIONAL",
    "校本研修": "SCHOOL_BASED",
    "任意选修": "ELECTIVE",
}
TERMINALS: Final = {"电脑": "COMPUTER", "手机": "MOBILE", "PC": "COMPUTER", "APP": "MOBILE"}

# The columns of the period's course list (S3:328), as the manual names them.
COURSE_COLUMNS: Final = (
    Column("course_no", "课程编号", longest=30),
    Column("title", "课程名称", longest=120),
    Column("lecturer", "主讲教师", required=False, longest=60),
    Column("hour_type", "学时类型", words={name: str(value) for value, name in HOUR_TYPE_NAMES.items()}),
    Column("course_type", "课程类型", words={name: str(value) for value, name in COURSE_TYPE_NAMES.items()}),
    Column("hours", "学时", longest=10),
    Column("fee", "培训费", required=False, longest=10),
    Column("material_fee", "资料费", required=False, longest=10),
    Column("subjects", "学科类别", required=False),
    Column("segments", "学段", required=False),
    Column("terminals", "学习终端", required=False),
    Column("applicant", "申报单位"),
    Column("charging", "收费单位"),
    Column("series", "系列", required=False, longest=60),
    Column("capability_class", "能力提升类别", required=False, words=CAPABILITY_CLASSES),
    Column("summary", "课程简介", required=False, longest=4000),
    Column("period", "期数", required=False, longest=15),
    Column("capacity", "名额", required=False, longest=7),
)

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "catalog.unit_ambiguous": (
        "有多个同名单位，请在平台上单独录入该课程",
        "Several units bear this name: enter this course by itself",
    ),
    "catalog.home_ambiguous": (
        "您在多处管理课程，请在平台上单独录入",
        "You keep courses in several places: enter them one by one",
    ),
}
