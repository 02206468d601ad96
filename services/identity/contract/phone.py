"""Changing the bound phone (`domain.md` §3.10)."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields, validate

PHONE_CHANGED: Final = "identity.phone_changed"
PHONE_TICKET_CHANGED: Final = "identity.phone_ticket_changed"

EVIDENCE_BYTES: Final = 5 * 1024 * 1024
EVIDENCE_TYPES: Final = ("image/jpeg", "image/png")
EVIDENCE_AT_MOST: Final = 3
LANGUAGES: Final = ("zh", "en")
STOP_PATH: Final = "/stop-phone-change/"  # + token: the page behind the link sent to the old number


class Way(enum.StrEnum):
    """How a phone came to be changed."""

    OLD_PHONE = "OLD_PHONE"  # the old one answered
    TICKET = "TICKET"  # it did not, and support decided


class TicketState(enum.StrEnum):
    DRAFT = "DRAFT"  # opened, the images are not all there yet
    SUBMITTED = "SUBMITTED"  # waits for an agent
    IN_REVIEW = "IN_REVIEW"  # one agent has it
    COOLING = "COOLING"  # approved; for 24 hours the old number's holder may stop it
    DONE = "DONE"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"  # a draft that nobody sent off


class Rejection(enum.StrEnum):
    """Why an agent refuses; told to whoever asked."""

    UNREADABLE = "UNREADABLE"
    NOT_THE_HOLDER = "NOT_THE_HOLDER"
    NO_MATCH = "NO_MATCH"
    SUSPECTED_FRAUD = "SUSPECTED_FRAUD"
    OTHER = "OTHER"


class Cancellation(enum.StrEnum):
    """Why a ticket ended without a decision, or after an approval."""

    WITHDRAWN = "WITHDRAWN"  # by whoever asked
    STOPPED_BY_OLD_PHONE = "STOPPED_BY_OLD_PHONE"  # by the link sent to the old number
    STOPPED_BY_OWNER = "STOPPED_BY_OWNER"  # by somebody signed in to the account
    OLD_PHONE_ALIVE = "OLD_PHONE_ALIVE"  # a code sent to the old number was used meanwhile
    PHONE_CHANGED = "PHONE_CHANGED"  # the account has another phone by now
    NEW_PHONE_TAKEN = "NEW_PHONE_TAKEN"
    ACCOUNT_GONE = "ACCOUNT_GONE"


class PhoneChanged(Schema):
    """An account has another phone, and its sign-ins have ended. The number itself travels nowhere."""

    account_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    way = fields.String(required=True, validate=validate.OneOf([*Way]))


class PhoneTicketChanged(Schema):
    """A ticket for a dead phone has moved on. `account_id` is null where no account answers to what was claimed."""

    ticket_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    state = fields.String(required=True, validate=validate.OneOf([*TicketState]))
    account_id = fields.UUID(required=True, allow_none=True)


EVENTS: Final[dict[str, type[Schema]]] = {
    PHONE_CHANGED: PhoneChanged,
    PHONE_TICKET_CHANGED: PhoneTicketChanged,
}

REJECTIONS: Final[dict[str, tuple[str, str]]] = {
    Rejection.UNREADABLE: ("照片不清晰，无法核对", "the photo cannot be read"),
    Rejection.NOT_THE_HOLDER: ("照片与证件不符", "the photo does not show the holder of the document"),
    Rejection.NO_MATCH: ("所填信息与账号不符", "what was entered does not match the account"),
    Rejection.SUSPECTED_FRAUD: ("无法确认为本人申请", "it is not certain that the holder asked for it"),
    Rejection.OTHER: ("其他原因，请联系客服", "another reason; ask support"),
}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "identity.phone_same": ("新手机号与原手机号相同。", "The new phone is the present one."),
    "identity.phone_change_unknown": (
        "没有进行中的换绑，请重新开始。",
        "There is no such change of phone. Start again.",
    ),
    "identity.phone_change_expired": (
        "换绑已超时，请重新开始。",
        "The change of phone has taken too long. Start again.",
    ),
    "identity.phone_change_order": (
        "请按顺序验证原手机号和新手机号。",
        "First prove the old phone, then name the new one, then prove that.",
    ),
    "identity.ticket_unknown": ("找不到该换绑申请。", "No such request."),
    "identity.ticket_open": (
        "该手机号已有一个处理中的换绑申请。",
        "A request about this phone is being worked on already.",
    ),
    "identity.ticket_limit": ("今天的换绑申请次数过多，请明天再试。", "Too many requests today. Try again tomorrow."),
    "identity.ticket_evidence_missing": (
        "请先上传本人手持证件的照片。",
        "First upload a photo of yourself with the document.",
    ),
    "identity.ticket_evidence_full": ("照片数量已达上限。", "There are as many photos as a request may have."),
    "identity.ticket_sent": ("申请已提交，不能再修改。", "The request has been sent and cannot be changed."),
    "identity.ticket_not_waiting": ("该申请不在待处理状态。", "This request does not wait for an agent."),
    "identity.ticket_not_yours": ("请先领取该申请。", "Claim the request first."),
    "identity.ticket_claimed": ("该申请已由其他客服领取。", "Another agent has this request."),
    "identity.ticket_second_agent": (
        "该账号有管理权限，须由另一位客服复核。",
        "The account holds administrator's rights: a second agent has to decide.",
    ),
    "identity.ticket_own": ("不能处理与本人有关的申请。", "Nobody decides a request about themselves."),
    "identity.ticket_no_match": (
        "所填姓名、证件号码和原手机号与任何账号不符，只能退回。",
        "No account has this name, ID number and old phone together: the request can only be rejected.",
    ),
    "identity.ticket_too_late": ("该申请已结束，无法取消。", "The request is over and cannot be stopped."),
    "identity.evidence_unknown": ("找不到该照片，或已按期删除。", "No such photo, or it has been deleted as promised."),
    "identity.evidence_form": (
        "请上传 5 MB 以内的 JPEG 或 PNG 照片。",
        "Upload a JPEG or PNG photo of at most 5 MB.",
    ),
    "identity.evidence_too_many_pixels": ("照片尺寸过大。", "The photo has too many pixels."),
}
