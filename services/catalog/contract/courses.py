"""Courses as they are offered in periods: value sets (`domain.md` §2.3, §2.4) and refusals."""

from __future__ import annotations

import enum
from typing import Final

COURSES_AT_ONCE: Final = 500  # rows of one command; longer lists come as a job


class HourType(enum.StrEnum):
    """What a course's hours count as: Guangzhou's hour types (S3:509), and Guangxi's credit types (S2:162-167)."""

    PUBLIC = "PUBLIC"
    PROFESSIONAL = "PROFESSIONAL"
    ELECTIVE = "ELECTIVE"
    PUBLIC_COMPULSORY = "PUBLIC_COMPULSORY"
    PROFESSIONAL_CHOICE = "PROFESSIONAL_CHOICE"
    OWN_CHOICE = "OWN_CHOICE"
    SCHOOL_BASED = "SCHOOL_BASED"


# As manuals, course lists and rule packs write them.
HOUR_TYPE_NAMES: Final[dict[HourType, str]] = {
    HourType.PUBLIC: "公需科目",
    HourType.PROFESSIONAL: "专业科目",
    HourType.ELECTIVE: "个人选修科目",
    HourType.PUBLIC_COMPULSORY: "公共必修",
    HourType.PROFESSIONAL_CHOICE: "专业选修",
    HourType.OWN_CHOICE: "自主选修",
    HourType.SCHOOL_BASED: "校本研修课程",
}


class CourseType(enum.StrEnum):
    """How a course is held (`domain.md` §2.3)."""

    REMOTE = "REMOTE"
    FACE_TO_FACE = "FACE_TO_FACE"
    SCHOOL_BASED = "SCHOOL_BASED"
    MICRO = "MICRO"
    LIVE = "LIVE"


COURSE_TYPE_NAMES: Final[dict[CourseType, str]] = {
    CourseType.REMOTE: "远程",
    CourseType.FACE_TO_FACE: "面授",
    CourseType.SCHOOL_BASED: "校本",
    CourseType.MICRO: "微课程",
    CourseType.LIVE: "直播",
}


class CapabilityClass(enum.StrEnum):
    """Class of a course of the ICT capability project 能力提升工程 (S3:1070); other courses have none."""

    GENERAL = "GENERAL"  # 通识必修
    PROFESSIONAL = "PROFESSIONAL"  # 专业必修
    SCHOOL_BASED = "SCHOOL_BASED"  # 校本研修
    ELECTIVE = "ELECTIVE"  # 任意选修


class Terminal(enum.StrEnum):
    """Where a course can be studied 学习终端 (S3:731)."""

    COMPUTER = "COMPUTER"
    MOBILE = "MOBILE"


class CourseState(enum.StrEnum):
    OPEN = "OPEN"
    WITHDRAWN = "WITHDRAWN"  # no period can offer it any more


ERRORS: Final[dict[str, tuple[str, str]]] = {
    "catalog.course_unknown": ("没有这门课程", "There is no such course"),
    "catalog.course_no_taken": ("该课程编号已被使用", "This course number is in use already"),
    "catalog.course_version": (
        "课程已被他人修改，请刷新后重试",
        "The course was changed meanwhile; look at it again",
    ),
    "catalog.course_withdrawn": ("该课程已撤回", "This course has been withdrawn"),
    "catalog.course_offered": (
        "该课程在尚未结束选课的期中开设，请先撤回开课",
        "A period whose selection is not over offers this course; withdraw the offering first",
    ),
    "catalog.unit_unknown": ("没有这个单位", "There is no such unit"),
    "catalog.keeper_elsewhere": (
        "只有本单位、本区或本市的培训机构可以在此管理课程",
        "Only the training institution of this unit, district or city keeps courses here",
    ),
}
