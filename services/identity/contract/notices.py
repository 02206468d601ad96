"""Telling people by SMS, and of what may be a stranger's doing by e-mail too, what was decided about them (`features.md` F66)."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema

from services.shared.channels import Channel

LANGUAGES: Final = ("zh", "en")
CHANNELS: Final = tuple(map(str, Channel))


class NoticeKind(enum.StrEnum):
    MEMBERSHIP_VERIFIED = "MEMBERSHIP_VERIFIED"
    MEMBERSHIP_REJECTED = "MEMBERSHIP_REJECTED"
    MEMBERSHIP_RELEASED = "MEMBERSHIP_RELEASED"
    TRANSFER_APPROVED = "TRANSFER_APPROVED"
    TRANSFER_REJECTED = "TRANSFER_REJECTED"
    PROFILE_REOPENED = "PROFILE_REOPENED"
    PROFILE_CONFIRMED = "PROFILE_CONFIRMED"
    PROFILE_RETURNED = "PROFILE_RETURNED"
    YEAR_MET = "YEAR_MET"  # yearly verification 年度验证, frozen
    YEAR_NOT_MET = "YEAR_NOT_MET"
    YEAR_CORRECTED = "YEAR_CORRECTED"  # frozen again after a complaint
    COMPLAINT_ANSWERED = "COMPLAINT_ANSWERED"
    COURSES_CHOSEN = "COURSES_CHOSEN"  # the first of a period, by the teacher
    COURSES_CHOSEN_BY_SCHOOL = "COURSES_CHOSEN_BY_SCHOOL"  # the first of a period that the school chose for her
    COURSES_GRADED = "COURSES_GRADED"  # the first result of a period
    GRADE_CORRECTED = "GRADE_CORRECTED"  # a result was turned over
    COURSES_ADMITTED = "COURSES_ADMITTED"  # a period's courses are paid
    COURSES_UNPAID = "COURSES_UNPAID"  # their last day to pay has passed
    SPECIAL_USER_SET = "SPECIAL_USER_SET"  # 特殊用户
    SPECIAL_USER_CLEARED = "SPECIAL_USER_CLEARED"
    ACCOUNTS_MERGED = "ACCOUNTS_MERGED"  # to the phones of both
    ERASURE_REQUESTED = "ERASURE_REQUESTED"
    EMAIL_CHANGED = "EMAIL_CHANGED"  # a confirmed address was; to the phone and the former address
    PHONE_CHANGED = "PHONE_CHANGED"  # to the old number
    PHONE_TICKET_APPROVED = "PHONE_TICKET_APPROVED"  # to the old number, with the link that stops it
    PHONE_TICKET_DONE = "PHONE_TICKET_DONE"  # to the new number, like the two below
    PHONE_TICKET_REJECTED = "PHONE_TICKET_REJECTED"
    PHONE_TICKET_CANCELLED = "PHONE_TICKET_CANCELLED"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105  by an administrator
    PASS_BOUND = "PASS_BOUND"  # noqa: S105  a national pass, no password
    PASS_UNBOUND = "PASS_UNBOUND"  # noqa: S105


class NoticeState(enum.StrEnum):
    WAITING = "WAITING"
    SENT = "SENT"
    CAPPED = "CAPPED"  # the person has been told enough for one day
    GIVEN_UP = "GIVEN_UP"  # no provider took it, or there is no phone any more


EVENTS: Final[dict[str, type[Schema]]] = {}

ERRORS: Final[dict[str, tuple[str, str]]] = {}
