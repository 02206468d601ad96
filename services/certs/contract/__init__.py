"""What others may know of certs: names, event payloads, value sets, error codes and the texts of reasons."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

SERVICE: Final = "certs"
RENDER: Final = "certs-render"  # the process type that makes PDFs

CERTIFICATE_ISSUED: Final = "certs.certificate_issued"
CERTIFICATE_BLOCKED: Final = "certs.certificate_blocked"
CERTIFICATE_REISSUED: Final = "certs.certificate_reissued"
CERTIFICATE_REVOKED: Final = "certs.certificate_revoked"

# Who stands behind a certificate of this installation.
ISSUER_ZH: Final = "教师研修平台"
ISSUER_EN: Final = "Yanxiu, teachers' professional development"
ISSUER_PLACE: Final = "CN"  # where the people are who may correct what was issued

VERIFICATION_PATH: Final = "/verify/"
SHARED_PATH: Final = "/shared/"
MOST_AT_ONCE: Final = 200  # numbers verified in one request; ours


class PublicState(enum.StrEnum):
    """What a stranger is told about a certificate."""

    VALID = "VALID"
    REPLACED = "REPLACED"
    REVOKED = "REVOKED"


class CorrectionAct(enum.StrEnum):
    """What a correction does to each of its certificates (`domain.md` §3.18)."""

    REISSUE = "REISSUE"  # 换发: the next edition, with the holder's name and hours as they are now
    REVOKE = "REVOKE"  # 撤销


class CorrectionState(enum.StrEnum):
    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"  # nobody decided in time


# What a reader is told of the kind (`rules.Kind`).
KINDS: Final[dict[str, tuple[str, str]]] = {
    "LEARNING": ("学习证书", "Certificate of learning"),
    "CREDIT": ("学分证书", "Certificate of credits"),
    "COMPLETION": ("结业证书", "Certificate of completion"),
    "STUDY_PROOF": ("成绩证明", "Proof of study"),
}


def verification_url(base_url: str, number: str) -> str:
    """What the QR code holds: the page that says whether this number is good."""
    return f"{base_url}{VERIFICATION_PATH}{number}"


class CertificateEvent(Schema):
    """`version` counts the changes of this teacher's decision in this programme; the event's aggregate is the decision."""

    teacher_id = fields.UUID(required=True)
    programme_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)
    state = fields.String(required=True)


class CertificateIssued(CertificateEvent):
    certificate_id = fields.UUID(required=True)
    number = fields.String()  # as it is printed; missing in what was announced before it was told


class CertificateBlocked(CertificateEvent):
    reasons = fields.List(fields.String(), required=True)


class CertificateReissued(CertificateEvent):
    """The next edition of the same number took the place of `replaces`; its hours may be others."""

    certificate_id = fields.UUID(required=True)
    replaces = fields.UUID(required=True)
    number = fields.String(required=True)
    edition = fields.Integer(required=True, strict=True)
    hours = fields.String(required=True)


class CertificateRevoked(CertificateEvent):
    certificate_id = fields.UUID(required=True)
    number = fields.String(required=True)


EVENTS: dict[str, type[Schema]] = {
    CERTIFICATE_ISSUED: CertificateIssued,
    CERTIFICATE_BLOCKED: CertificateBlocked,
    CERTIFICATE_REISSUED: CertificateReissued,
    CERTIFICATE_REVOKED: CertificateRevoked,
}

ERRORS: dict[str, tuple[str, str]] = {
    "certs.programme_not_found": ("没有这个专题。", "There is no such programme."),
    "certs.certificate_not_found": ("没有这份证书。", "There is no such certificate."),
    "certs.place_unknown": ("没有这个地区或学校。", "There is no such place."),
    "certs.number_unknown": (
        "没有查到该编号的证书。请核对编号；如仍查不到，请勿采信该证书。",
        "No certificate has this number. Compare it with the paper; if they agree, do not trust the paper.",
    ),
    "certs.number_malformed": (
        "证书编号不正确：请检查是否有漏输或错输的字符。",
        "This is not a certificate number: look for a missing or mistyped character.",
    ),
    "certs.status_list_unknown": ("没有这份状态列表。", "There is no such status list."),
    "certs.name_not_printable": (
        "姓名、学校或专题名称中有暂不能打印的字符，请联系平台处理。",
        "The name, school or programme holds a character that cannot be printed yet; please contact the platform.",
    ),
    "certs.hold_unknown": ("没有这项暂停签发。", "Issuing is not held for this programme."),
    "certs.hold_lifted": ("已恢复签发。", "Issuing goes on already."),
    "certs.list_too_long": (
        "教师人数超过单次打印上限，请缩小范围或改用导出。",
        "There are more teachers than one list prints; take a smaller place, or an export.",
    ),
    "certs.list_empty": ("该年度没有已锁定的验证结果。", "No teacher's year is frozen here."),
    "certs.person_unreachable": (
        "该教师的姓名不可查看。",
        "This teacher's name is not shown to you.",
    ),
    "certs.holder_erased": (
        "持证人已注销账号，姓名已删除；证书编号仍可查验，但不能再打印。",
        "The holder's account and name were erased; the number still verifies, but nothing can be printed any more.",
    ),
    "certs.record_damaged": (
        "证书记录未通过签名校验，已停止出具，请联系平台处理。",
        "The record of this certificate does not match its signature; it is not handed out. Please contact the platform.",
    ),
    "certs.already_issued": ("证书已签发。", "The certificate has been issued."),
    "certs.already_replaced": ("证书已被新证书替换。", "The certificate has been replaced by another one."),
    "certs.already_revoked": ("证书已撤销。", "The certificate has been revoked."),
    "certs.not_issued": ("证书尚未签发。", "The certificate has not been issued."),
    "certs.correction_not_found": ("没有这项更正申请。", "There is no such correction."),
    "certs.correction_settled": ("这项更正申请已办结。", "This correction has been settled."),
    "certs.correction_lapsed": (
        "这项更正申请超过 30 天无人审批，已失效，请重新提出。",
        "Nobody decided on this correction within 30 days; propose it anew.",
    ),
    "certs.correction_open": (
        "其中有证书已在另一项待审批的更正申请中。",
        "One of these certificates is in another correction that waits for its decision.",
    ),
    "certs.second_person_needed": (
        "更正证书须由另一人审批，不能审批自己提出的申请。",
        "A correction takes two persons: you cannot decide on your own proposal.",
    ),
    "certs.own_certificate": ("不能处理本人的证书。", "You cannot decide about a certificate of your own."),
    "certs.not_proposer": ("只有提出人可以撤回。", "Only the person who proposed it can withdraw it."),
    "certs.nothing_to_correct": (
        "姓名和学时与原证书一致，无须换发；如证书遗失，可重新下载。",
        "Name and hours are as on the certificate: there is nothing to correct. A lost one can be downloaded again.",
    ),
    "certs.hours_short": (
        "更正后的学时未达到要求，不能换发；如确有错误，请撤销。",
        "The corrected hours are below the requirement: it cannot be re-issued, only revoked.",
    ),
    "certs.share_unknown": (
        "链接无效、已过期或已被持证人撤回。",
        "This link is not valid, has expired, or was taken back by the holder.",
    ),
    "certs.too_many_shares": (
        "该证书的有效链接已达上限，请先撤回不用的链接。",
        "This certificate has as many live links as it may; take back one that is no longer needed.",
    ),
    "certs.not_valid": (
        "证书已被替换或撤销，不能分享。",
        "The certificate was replaced or revoked; it cannot be shared.",
    ),
    "certs.teacher_unknown": ("没有这位教师。", "There is no such teacher."),
    "certs.teacher_not_verified": (
        "教师身份尚未通过学校认证，暂不能出具证书。",
        "The school has not verified this teacher yet, so no certificate can be issued.",
    ),
    "certs.season_open": (
        "专题尚未结束，结束后方可出具证明。",
        "The programme has not closed; a proof can be had afterwards.",
    ),
    "certs.nothing_recognised": (
        "该专题没有已认定的学时。",
        "No hours were recognised in this programme.",
    ),
    "certs.requirement_not_met": (
        "该年度未达到要求，不能出具学分证书。",
        "The year's requirements were not met, so there is no credit certificate.",
    ),
    "certs.issue_held": (
        "该专题的学时正在复核，暂停出具证书，请稍后再试。",
        "The hours of this programme are being proved again; nothing is issued meanwhile. Please try later.",
    ),
    "certs.days_disordered": (
        "日期顺序不正确：开始、结束、发证日期应依次不早于前一日期，且不晚于今天。",
        "The days are out of order: begun, ended, issued, each not before the one before it, and none in the future.",
    ),
    "certs.issued_number_taken": (
        "该证书编号已登记给另一位教师，请核对。",
        "This number is registered for another teacher's certificate; please check it.",
    ),
    "certs.holder_unknown": ("没有可署名的姓名。", "There is no name to put on the certificate."),
}

# Why there is no certificate, or not yet (`rules.Reason`).
REASONS: dict[str, tuple[str, str]] = {
    "season_open": (
        "专题尚未结束，证书在结束后签发。",
        "The programme has not closed; certificates are issued afterwards.",
    ),
    "decision_pending": ("正在核定，请稍后查看。", "The decision is being made; look again soon."),
    "requirement_not_met": (
        "未达到专题的学时或课程要求。",
        "The hours or courses that the programme asks for were not reached.",
    ),
    "courses_missing": ("有课程未完成。", "Some courses were not completed."),
    "teacher_not_verified": (
        "教师身份尚未通过学校认证；认证通过后自动签发。",
        "The school has not verified this teacher yet; the certificate follows by itself once it has.",
    ),
    "holder_unknown": (
        "个人信息不完整，无法在证书上署名。",
        "The personal profile holds no name to print on the certificate.",
    ),
    "name_not_printable": (
        "姓名、学校或专题名称中有暂不能打印的字符，平台补充字体后自动签发。",
        "The name, school or programme holds a character that cannot be printed yet; the certificate follows with the font.",
    ),
    "hours_corrected_later": (
        "签发后学时有更正，低于要求，待复核。",
        "A later correction took the hours below the requirement; under review.",
    ),
    "revoked": ("证书已被签发单位撤销。", "The issuer revoked the certificate."),
}
