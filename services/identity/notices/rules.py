"""What is told to whom, in which words, how often."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from services.identity.contract.notices import NoticeKind as Kind

# A school's or a bureau's decisions; the others warn of what a stranger may have done, and nothing may silence those.
DECISIONS = frozenset(
    {
        Kind.MEMBERSHIP_VERIFIED,
        Kind.MEMBERSHIP_REJECTED,
        Kind.MEMBERSHIP_RELEASED,
        Kind.TRANSFER_APPROVED,
        Kind.TRANSFER_REJECTED,
        Kind.PROFILE_REOPENED,
        Kind.PROFILE_CONFIRMED,
        Kind.PROFILE_RETURNED,
        Kind.YEAR_MET,
        Kind.YEAR_NOT_MET,
        Kind.YEAR_CORRECTED,
        Kind.COMPLAINT_ANSWERED,
        Kind.COURSES_CHOSEN,
        Kind.COURSES_CHOSEN_BY_SCHOOL,
        Kind.COURSES_GRADED,
        Kind.GRADE_CORRECTED,
        Kind.COURSES_ADMITTED,
        Kind.COURSES_UNPAID,
        Kind.SPECIAL_USER_SET,
        Kind.SPECIAL_USER_CLEARED,
    }
)
DECISIONS_PER_DAY = 5  # of one person, in a Beijing day; ours
# Whoever is told days later, after an outage or a rebuilt projection, is told nothing: ours.
FRESH_FOR = dt.timedelta(days=2)

# Tries to hand a message over: after 1, 2, 4 … minutes, an hour at most; ten of them last about four hours.
ATTEMPTS = 10
LONGEST_PAUSE = dt.timedelta(hours=1)
# While one process hands a message over, no other takes it up.
LEASE = dt.timedelta(minutes=2)
KEPT = dt.timedelta(days=180)  # domain.md part 6: logs at least six months

TEXTS: Mapping[Kind, tuple[str, str]] = {
    Kind.MEMBERSHIP_VERIFIED: (
        "【研修】{school}已通过您的教师身份审核。",
        "[Yanxiu] {school} has verified you as its teacher.",
    ),
    Kind.MEMBERSHIP_REJECTED: (
        "【研修】{school}未通过您的任职审核，请登录查看并重新提交。",
        "[Yanxiu] {school} has not verified you. Sign in, correct what is wrong and choose your school again.",
    ),
    Kind.MEMBERSHIP_RELEASED: (
        "【研修】{school}已将您移出。请登录核对个人信息并重新选择学校，以免影响学习证书。",
        "[Yanxiu] {school} has released you. Sign in, check your profile and choose your school again.",
    ),
    Kind.TRANSFER_APPROVED: (
        "【研修】您调入{school}的申请已通过。",
        "[Yanxiu] Your transfer to {school} has been approved.",
    ),
    Kind.TRANSFER_REJECTED: (
        "【研修】您调入{school}的申请未通过，详情请咨询申请学校。",
        "[Yanxiu] Your transfer to {school} has not been approved. Ask the school that applied for it.",
    ),
    Kind.PROFILE_REOPENED: (
        "【研修】{school}已重新开放您的个人信息，请登录修改后提交审核。",
        "[Yanxiu] {school} has reopened your profile. Sign in, correct it and submit it for review.",
    ),
    Kind.PROFILE_CONFIRMED: (
        "【研修】{school}已审核通过您更新的个人信息。",
        "[Yanxiu] {school} has confirmed the changes of your profile.",
    ),
    Kind.PROFILE_RETURNED: (
        "【研修】{school}退回了您提交的个人信息，请登录查看原因并重新提交。",
        "[Yanxiu] {school} has returned your profile. Sign in to see why, and submit it again.",
    ),
    Kind.COURSES_CHOSEN: (
        "【研修】您已成功选课，选课结束前可登录查看、增选或取消；选课结束后由学校统一缴费。",
        "[Yanxiu] You have chosen a course. Until selection ends you can add or cancel; then your school pays for it.",
    ),
    Kind.COURSES_CHOSEN_BY_SCHOOL: (
        "【研修】学校已为您选课，请登录查看；如有异议，请在选课结束前取消或联系学校。",
        "[Yanxiu] Your school has chosen a course for you. Sign in to see it; until selection ends it can be cancelled.",
    ),
    Kind.COURSES_GRADED: (
        "【研修】您本期课程的成绩已登记，请登录查看。",
        "[Yanxiu] Results of your courses of this period have been entered. Sign in to see them.",
    ),
    Kind.GRADE_CORRECTED: (
        "【研修】您一门课程的成绩已更正，请登录查看。",
        "[Yanxiu] The result of one of your courses has been corrected. Sign in to see it.",
    ),
    Kind.COURSES_ADMITTED: (
        "【研修】您选读的课程已缴费录取，可登录查看并按时参加学习。",
        "[Yanxiu] Your courses are paid and you are admitted. Sign in to see them.",
    ),
    Kind.COURSES_UNPAID: (
        "【研修】您选读的课程已过缴费截止日仍未缴费，请联系学校继续教育管理员。",
        "[Yanxiu] The last day to pay for your courses has passed. Ask your school's administrator.",
    ),
    Kind.SPECIAL_USER_SET: (
        "【研修】因选课后未缴费，您已被列为特殊用户，暂不能选课和调动，请到市级培训中心办理。",
        "[Yanxiu] Unpaid courses have made you a special user: no choice, no transfer until the city centre clears you.",
    ),
    Kind.SPECIAL_USER_CLEARED: (
        "【研修】您的特殊用户记录已消除，可以正常选课。",
        "[Yanxiu] You are no special user any more and can choose courses again.",
    ),
    Kind.YEAR_MET: (
        "【研修】您{year}年度培训验证已达到要求，可登录查看并打印验证表。",
        "[Yanxiu] Your year {year} meets the requirement. Sign in to see and print its verification sheet.",
    ),
    Kind.YEAR_NOT_MET: (
        "【研修】您{year}年度培训验证未达到要求，请登录查看差额；如有异议，请在投诉期内提出。",
        "[Yanxiu] Your year {year} does not meet the requirement. Sign in to see what is missing, or to complain in time.",
    ),
    Kind.YEAR_CORRECTED: (
        "【研修】您{year}年度培训验证结果已更正，请登录查看。",
        "[Yanxiu] The verification of your year {year} has been corrected. Sign in to see it.",
    ),
    Kind.COMPLAINT_ANSWERED: (
        "【研修】您的年度验证投诉已答复，请登录查看。",
        "[Yanxiu] Your complaint about a yearly verification has been answered. Sign in to read the answer.",
    ),
    Kind.ACCOUNTS_MERGED: (
        "【研修】经核验证件，您的两个账号已合并为一个，30 天内可撤销。如非本人要求，请立即联系客服。",
        "[Yanxiu] With an ID document, your two accounts were made one; for 30 days it can be undone. Not you? Call support.",
    ),
    Kind.ERASURE_REQUESTED: (
        "【研修】您已申请注销账号，将于 {day} 生效，此前登录可撤回。如非本人操作，请立即登录撤回并修改密码。",
        "[Yanxiu] You asked to close your account; it happens on {day}. Sign in to withdraw. Not you? Withdraw at once.",
    ),
    Kind.PHONE_CHANGED: (
        "【研修】您的账号已改绑其他手机号。如非本人操作，请立即联系客服。",
        "[Yanxiu] Your account is bound to another phone now. If this was not you, call support at once.",
    ),
    Kind.PHONE_TICKET_APPROVED: (
        "【研修】有人凭证件申请将您的账号改绑其他手机号，24 小时后生效。如非本人申请，请打开链接取消：{link}",
        "[Yanxiu] With an ID document, somebody asked to move your account to another phone in 24 hours. Not you? {link}",
    ),
    Kind.PHONE_TICKET_DONE: (
        "【研修】换绑已完成，请用本手机号登录。",
        "[Yanxiu] Your account is bound to this phone now. Sign in with it.",
    ),
    Kind.PHONE_TICKET_REJECTED: (
        "【研修】您的换绑申请未通过：{reason}。",
        "[Yanxiu] Your request to bind this phone was rejected: {reason}.",
    ),
    Kind.PHONE_TICKET_CANCELLED: (
        "【研修】您的换绑申请已取消，账号仍使用原手机号。",
        "[Yanxiu] Your request to bind this phone was cancelled; the account keeps its old phone.",
    ),
    Kind.PASSWORD_RESET: (
        "【研修】管理员已重置您的登录密码，原有登录均已退出。如非本人要求，请用短信验证码登录并联系上级管理员。",
        "[Yanxiu] An administrator has reset your password; all devices are signed out. Not you? Sign in by SMS code.",
    ),
    Kind.PASS_BOUND: (
        "【研修】您的账号已绑定通行证“{provider}”。如非本人操作，请立即登录解绑并修改密码。",
        "[Yanxiu] The pass “{provider}” has been bound to your account. If this was not you, unbind it at once.",
    ),
    Kind.PASS_UNBOUND: (
        "【研修】您的账号已解绑通行证“{provider}”。如非本人操作，请立即联系客服。",
        "[Yanxiu] The pass “{provider}” has been unbound from your account. If this was not you, call support at once.",
    ),
}

# States of a membership that are somebody's decision about the teacher; PENDING is the teacher's own.
DECIDED = {
    "VERIFIED": Kind.MEMBERSHIP_VERIFIED,
    "REJECTED": Kind.MEMBERSHIP_REJECTED,
    "RELEASED": Kind.MEMBERSHIP_RELEASED,
}

# A transfer is decided once; one that was withdrawn was nobody's decision about the teacher.
TRANSFERS = {"APPROVED": Kind.TRANSFER_APPROVED, "REJECTED": Kind.TRANSFER_REJECTED}


# Years are frozen at midnight, of millions at once: nobody is woken. Ours.
TOLD_FROM, TOLD_UNTIL = dt.time(9), dt.time(20)


def year_kind(version: int, *, met: bool) -> Kind:
    """What a frozen year tells the teacher: its result, or that a correction has changed it."""
    if version > 1:
        return Kind.YEAR_CORRECTED
    return Kind.YEAR_MET if met else Kind.YEAR_NOT_MET


def choice_kind(state: str, chosen_by: str) -> Kind | None:
    """What is told of a choice; whoever gives one back knows it, and what becomes of it is told by its charge and grade."""
    if state != "CHOSEN":
        return None
    return Kind.COURSES_CHOSEN if chosen_by == "SELF" else Kind.COURSES_CHOSEN_BY_SCHOOL


def charge_kind(state: str) -> Kind | None:
    """What is told of a course's payment; that it is billed or cancelled is not."""
    return {"ADMITTED": Kind.COURSES_ADMITTED, "UNPAID": Kind.COURSES_UNPAID}.get(state)


def hold_kind(kind: str, *, active: bool) -> Kind | None:
    """What is told of a hold; arrears are told of as unpaid courses."""
    if kind != "SPECIAL_USER":
        return None
    return Kind.SPECIAL_USER_SET if active else Kind.SPECIAL_USER_CLEARED


def by_day(now: dt.datetime) -> dt.datetime:
    """Now, if it is a time at which people are told what can wait (`now` in their own zone); else the next morning."""
    if TOLD_FROM <= now.time() < TOLD_UNTIL:
        return now
    morning = now.replace(hour=TOLD_FROM.hour, minute=0, second=0, microsecond=0)
    return morning if now < morning else morning + dt.timedelta(days=1)


def text_of(kind: Kind, language: str, details: Mapping[str, str]) -> str:
    """The message. `details` fill its gaps; a value may differ by language: `reason_zh`, `reason_en`."""
    spoken = {key.removesuffix(f"_{language}"): value for key, value in details.items()}
    return TEXTS[kind][language == "en"].format_map(spoken)


def decision_of(state_before: str, state: str) -> Kind | None:
    """What a change of membership tells the teacher; None for nothing.

    A school that moves, merges or is renamed changes its members' places, not what was decided about them.
    """
    return None if state == state_before else DECIDED.get(state)


def is_fresh(happened_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether it is still news: a rebuilt projection replays the decisions of years."""
    return now - happened_at < FRESH_FOR


def is_capped(kind: Kind, told_today: int) -> bool:
    """Whether the person has been told of enough decisions today."""
    return kind in DECISIONS and told_today >= DECISIONS_PER_DAY


def next_try(attempts: int, now: dt.datetime) -> dt.datetime | None:
    """When to try again after so many attempts; None for never."""
    if attempts >= ATTEMPTS:
        return None
    return now + min(dt.timedelta(minutes=2 ** (attempts - 1)), LONGEST_PAUSE)
