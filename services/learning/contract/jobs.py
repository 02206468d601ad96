"""Bulk jobs of learning as others may know them: the process type that runs them, their kinds and columns."""

from __future__ import annotations

from typing import Final

from services.shared.bulk.columns import Column

PROCESS: Final = "learning-bulk"

CHOOSE_COURSES: Final = "choose_courses"
CANCEL_CHOICES: Final = "cancel_choices"
ENTER_GRADES: Final = "enter_grades"
EXPORT_CHOICES: Final = "export_choices"

GRADES: Final = {"通过": "PASSED", "合格": "PASSED", "未通过": "FAILED", "不合格": "FAILED"}

# One teacher and one course, named as on paper or as in lists of the API. All rows with one course are 按课程选课, all with
# one teacher 按教师选课.
CHOICE_COLUMNS: Final = (
    Column("learner_no", "继续教育学号", required=False, longest=40),
    Column("period", "期数", required=False, longest=40),
    Column("course_no", "课程编号", required=False, longest=40),
    Column("teacher_id", "教师标识", required=False, longest=36),
    Column("offering_id", "开课标识", required=False, longest=36),
)
GRADE_COLUMNS: Final = (
    *CHOICE_COLUMNS,
    Column("grade", "成绩", words=GRADES),
    Column("score", "分数", required=False, longest=6),
    # Why a grade that stands is turned over.
    Column("reason", "更正原因", required=False),
)
