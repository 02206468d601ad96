"""What a profile says of the teacher beyond name and subject: birth, ethnicity, title, post, employment, mail."""

from __future__ import annotations

import datetime as dt
import re

from services.identity.rules.documents import IdType, birth_date

# GB/T 3304-1991, with the two values that registers use beside it.
_IN_ORDER = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇"
    " 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔"
    " 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
ETHNICITIES = {f"{number:02d}": name for number, name in enumerate(_IN_ORDER.split(), start=1)} | {
    "97": "其他",
    "98": "外国血统中国籍人士",
}
# 中小学教师职称: five grades since the reform of 2015 (人社部发〔2015〕79号); the codes of GB/T 8561 are not at hand.
TITLES = {
    "NONE": "未评定",
    "THIRD_GRADE": "三级教师",
    "SECOND_GRADE": "二级教师",
    "FIRST_GRADE": "一级教师",
    "SENIOR": "高级教师",
    "FULL_SENIOR": "正高级教师",
    "OTHER": "其他系列",
}
# 事业单位岗位类别 (国人部发〔2006〕70号): three, of which the professional one is told apart for teachers.
POST_CATEGORIES = {
    "TEACHER": "教师岗位",
    "OTHER_PROFESSIONAL": "其他专业技术岗位",
    "MANAGEMENT": "管理岗位",
    "WORKER": "工勤技能岗位",
}

BORN_FROM = dt.date(1900, 1, 1)
WORKING_AGE = 15  # ours: a typing error shows, nobody is excluded
EMAIL_LENGTH = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets
# Only what cannot be right is refused: whether mail arrives only mail can tell.
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def parse_day(text: str) -> dt.date | None:
    """The day written as 2022-09-01, None for anything else."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def ethnicity_of(text: str) -> str | None:
    """The code that a profile names, by code or in Chinese with or without 族."""
    if text in ETHNICITIES:
        return text
    return next((code for code, name in ETHNICITIES.items() if text in (name, f"{name}族")), None)


def birth_date_of(id_type: str, id_no: str) -> str:
    """The day of birth that an ID number tells, "" where it tells none."""
    if not id_no or id_type == IdType.PASSPORT:
        return ""
    born_on = birth_date(id_no)
    return born_on.isoformat() if born_on else ""


def birth_date_problem(born_on: str, in_number: str, today: dt.date) -> str:
    """The error code of a day of birth that cannot be right, or ""; `in_number` is the one that the ID number tells."""
    if in_number:
        return "" if born_on == in_number else "identity.birth_date_differs"
    day = parse_day(born_on)
    return "" if not born_on or (day is not None and BORN_FROM <= day <= today) else "identity.birth_date_form"


def employed_since_problem(since: str, born_on: str, today: dt.date) -> str:
    """The error code of a first day of work that cannot be right, or ""."""
    if not since:
        return ""
    day, born = parse_day(since), parse_day(born_on)
    if day is None or day > today or day < BORN_FROM or (born is not None and day.year - born.year < WORKING_AGE):
        return "identity.employed_since_form"
    return ""


def is_on_probation(employed_since: str, today: dt.date) -> bool:
    """Whether the first year of work is not over (`domain.md` §2.1, [S2:149]); unknown is no."""
    day = parse_day(employed_since)
    if day is None:
        return False
    # A year after 29 February is 1 March.
    return (today.year, today.month, today.day) < (day.year + 1, day.month, day.day)


def email_problem(email: str) -> str:
    """The error code of what cannot be an address, or ""."""
    return "" if not email or (len(email) <= EMAIL_LENGTH and _EMAIL.fullmatch(email)) else "identity.email_form"
