"""What an export writes for each value: the words of the field."""

from __future__ import annotations

from typing import Final

from services.identity import contract as identity
from services.org.contract.bulk import ID_TYPES as ID_TYPES_BY_WORD

ID_TYPES: Final = {value: word for word, value in ID_TYPES_BY_WORD.items()}
SEGMENT: Final = dict(zip(identity.SEGMENTS, identity.SEGMENT_NAMES, strict=True))
MEMBERSHIP: Final = {"PENDING": "待审核", "VERIFIED": "已认证", "REJECTED": "未通过", "RELEASED": "已移出"}
EMPLOYMENT: Final = {
    "ON_DUTY": "在职",
    "LEFT": "离职",
    "RETIRED": "退休",
    "SECONDED": "借调",
    "SICK_LEAVE": "病休",
    "MATERNITY_LEAVE": "产假",
    "ABROAD": "出国",
    "DECEASED": "去世",
}
ARCHIVES: Final = {word: value for value, word in EMPLOYMENT.items() if value != "ON_DUTY"}
LEVEL: Final = {"NATION": "国家", "PROVINCE": "省级", "CITY": "市级", "COUNTY": "区县", "SCHOOL": "学校"}
ROLE: Final = {
    "PRINCIPAL": "校长",
    "SCHOOL_ADMIN": "学校管理员",
    "COUNTY_ADMIN": "区县专项管理员",
    "CITY_ADMIN": "市级专项管理员",
    "PROVINCE_ADMIN": "省级专项管理员",
    "SUPER_ADMIN": "区域超级管理员",
    "DISTRICT_INSTITUTION": "区县教师培训机构",
    "CITY_CENTRE": "市级培训管理机构",
    "TRAINING_INSTITUTION": "承训机构",
    "NATIONAL_OPERATOR": "国家平台运营",
    "SUPPORT_AGENT": "客服",
    "AUDITOR": "审计",
}
SEAT: Final = {"NOT_GENERATED": "未生成", "GENERATED": "已生成", "ACTIVATED": "已激活", "DISABLED": "已停用"}
CODE: Final = {"PROPOSED": "待批准", "ISSUED": "待激活", "ACTIVATED": "已激活", "VOID": "已作废", "REVOKED": "已撤销"}
CHANNEL: Final = {"OFFLINE": "当面", "LETTER": "信函", "SMS": "短信"}
TRANSFER: Final = {"PENDING": "待审批", "APPROVED": "已批准", "REJECTED": "未批准", "WITHDRAWN": "已撤回"}
TRANSFER_LEVEL: Final = {"DISTRICT": "区县内", "CITY": "市内跨区县", "PROVINCE": "省内跨市", "NATION": "跨省"}
