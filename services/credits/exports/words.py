"""What an export of credits writes for each value: the words of the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.credits.contract.declarations import DeclarationState, DeclaredKind
from services.credits.contract.recognisers import NAMES
from services.credits.contract.verification import RequirementStatus, YearState

UNIT: Final = {"HOUR": "学时", "CREDIT": "学分"}
MET: Final = {True: "达到要求", False: "未达到要求", None: "无考核要求"}
YEAR: Final = {
    YearState.OPEN: "未锁定",
    YearState.FROZEN: "已锁定",
    YearState.REFROZEN: "更正后锁定",
    YearState.FINAL: "已定",
}
STATUS: Final = {
    RequirementStatus.COMPLETED: "已完成",
    RequirementStatus.STUDYING: "学习中",
    RequirementStatus.INCOMPLETE: "未完成",
    RequirementStatus.NO_REQUIREMENT: "无考核要求",
    RequirementStatus.NOT_STARTED: "未开始",
}
DECLARATION: Final = {
    DeclarationState.DRAFT: "草稿",
    DeclarationState.FIRST_REVIEW: "待初审",
    DeclarationState.FINAL_REVIEW: "待终审",
    DeclarationState.RETURNED: "退回重新申报",
    DeclarationState.APPROVED: "已通过",
    DeclarationState.WITHDRAWN: "已撤回",
    DeclarationState.VOIDED: "已作废",
}
DECLARED: Final = {
    DeclaredKind.DECLARATION: "网外培训",
    DeclaredKind.RESEARCH: "科研成果",
    DeclaredKind.DEGREE: "学历提升",
    DeclaredKind.TRAINER: "担任培训者",
    DeclaredKind.ENTERPRISE: "企业实践",
    DeclaredKind.PUBLIC_COURSE: "公共课程",
    DeclaredKind.PROBATION: "试用期培训",
}
RECOGNISER: Final = {str(level): zh for level, (zh, _) in NAMES.items()}
TOTAL: Final = {"total": "合计"}


def measures(amounts: dict[str, str]) -> str:
    """Amounts by category, in one cell."""
    return "；".join(f"{TOTAL.get(name, name)} {amount}" for name, amount in amounts.items())


def how_much(content: Mapping[str, Any]) -> str:
    """Declared hours, or the activity of the place's table with its quantity."""
    item = content.get("item")
    if item is None:
        return str(content["hours"])
    return " ".join(
        [item["item"], *(f"{name}={value}" for name, value in item.items() if name not in ("table", "item"))]
    )
