"""Bulk jobs of org as others may know them: the process type that runs them, and the columns of the rosters."""

from __future__ import annotations

from typing import Final

from services.shared.bulk.columns import Column

PROCESS: Final = "org-bulk"

IMPORT_SCHOOLS: Final = "import_schools"
IMPORT_TEACHERS: Final = "import_teachers"
VERIFY_MEMBERSHIPS: Final = "verify_memberships"
REJECT_MEMBERSHIPS: Final = "reject_memberships"
RELEASE_MEMBERSHIPS: Final = "release_memberships"
ARCHIVE_TEACHERS: Final = "archive_teachers"
RESTORE_TEACHERS: Final = "restore_teachers"
GENERATE_CODES: Final = "generate_codes"
EXPORT_TEACHERS: Final = "export_teachers"
EXPORT_TRANSFERS: Final = "export_transfers"
EXPORT_ACTIVATION: Final = "export_activation"
EXPORT_CODES: Final = "export_codes"

SCHOOL_TYPES: Final = {
    "幼儿园": "KINDERGARTEN",
    "小学": "PRIMARY",
    "五年制小学": "PRIMARY_FIVE",
    "初中": "MIDDLE",
    "初级中学": "MIDDLE",
    "四年制初中": "MIDDLE_FOUR",
    "高中": "HIGH",
    "高级中学": "HIGH",
    "完全中学": "COMPLETE",
    "九年一贯制学校": "NINE_YEAR",
    "$NIGHT_YEAR": "NINE_YEAR",  # so misspelt in exports of the national platform (`domain.md` §2.2)
    "十二年一贯制学校": "TWELVE_YEAR",
    "中等职业学校": "VOCATIONAL",
    "特殊教育学校": "SPECIAL",
    "其他": "OTHER",
}
NATURES: Final = {"公办": "PUBLIC", "民办": "PRIVATE", "其他": "OTHER"}
KINDS: Final = {
    "基础教育学校": "BASIC_EDUCATION",
    "教研机构": "RESEARCH_OFFICE",
    "电教机构": "TECHNOLOGY_CENTRE",
    "进修机构": "TRAINING_COLLEGE",
    "其他机构": "OTHER_INSTITUTION",
}
ID_TYPES: Final = {"居民身份证": "RESIDENT_ID", "港澳台居民居住证": "RESIDENCE_PERMIT", "护照": "PASSPORT"}

SCHOOL_COLUMNS: Final = (
    Column("division_code", "行政区划代码"),
    Column("name", "学校名称"),
    Column("code", "学校标识码", required=False),
    Column("school_type", "办学类型", words=SCHOOL_TYPES),
    Column("seal_name", "公章名"),
    Column("town", "所在镇街"),
    Column("nature", "学校性质", words=NATURES),
    Column("head_name", "校长姓名"),
    Column("head_mobile", "校长手机"),
    Column("kind", "机构类别", required=False, words=KINDS),
)
TEACHER_COLUMNS: Final = (
    Column("name", "姓名"),
    Column("id_type", "证件类型", required=False, words=ID_TYPES),
    Column("id_no", "证件号码"),
    Column("phone", "手机号"),
    Column("segment", "任教学段"),  # identity knows the words
    Column("subject", "任教学科", required=False),
    Column("school_code", "学校标识码", longest=20),
)
# One of the two names the teacher.
MEMBER_COLUMNS: Final = (
    Column("learner_no", "继续教育学号", required=False, longest=40),
    Column("teacher_id", "教师编号", required=False, longest=36),
)
CODE_COLUMNS: Final = (Column("school_code", "学校标识码", longest=20),)
