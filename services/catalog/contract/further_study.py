"""Degree and skills offers (专业发展: 学历提升, 职业技能; S3:626): value sets and refusals."""

from __future__ import annotations

import enum
from typing import Final


class OfferKind(enum.StrEnum):
    DEGREE = "DEGREE"  # 学历提升
    SKILL = "SKILL"  # 职业技能


class OfferState(enum.StrEnum):
    OPEN = "OPEN"
    WITHDRAWN = "WITHDRAWN"


class ApplicationState(enum.StrEnum):
    APPLIED = "APPLIED"
    TAKEN_BACK = "TAKEN_BACK"  # by the teacher
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"


ERRORS: Final[dict[str, tuple[str, str]]] = {
    "catalog.offer_unknown": ("没有这个学历提升或职业技能项目", "There is no such degree or skills offer"),
    "catalog.offer_version": ("该项目已被他人修改，请刷新后重试", "The offer was changed meanwhile; look at it again"),
    "catalog.offer_withdrawn": ("该项目已撤回", "This offer has been withdrawn"),
    "catalog.offer_window": ("报名结束须晚于报名开始", "Applications must end after they begin"),
    "catalog.offer_not_open": ("不在报名时间内", "Applications are not taken at this time"),
    "catalog.applied_already": ("您已报名该项目", "You have applied for this already"),
    "catalog.application_unknown": ("没有这条报名记录", "There is no such application"),
    "catalog.application_settled": ("该报名已处理，不能再更改", "This application has been settled"),
    "catalog.own_application": ("不能审核自己的报名", "Nobody decides about his own application"),
}
