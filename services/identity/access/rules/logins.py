"""What people type to say who they are: a phone, a learner number or a resident ID."""

from __future__ import annotations

import dataclasses
import enum

from services.identity.person.rules.learner_no import is_learner_no
from services.identity.rules.contact import is_mainland_mobile, normalised_phone
from services.identity.rules.documents import EIGHTEEN, normalised_id_no


class LoginKind(enum.StrEnum):
    PHONE = "PHONE"
    LEARNER_NO = "LEARNER_NO"
    ID_NO = "ID_NO"


@dataclasses.dataclass(frozen=True)
class Login:
    """A login in the one form under which it is looked up and counted."""

    kind: LoginKind
    text: str


def read_login(typed: str) -> Login | None:
    """The login that was typed, None for what can be none. Blanks, hyphens and full-width digits do not matter."""
    plain = normalised_id_no(typed).replace("-", "")
    if is_mainland_mobile(phone := normalised_phone(plain)):
        return Login(LoginKind.PHONE, phone)
    if is_learner_no(plain):
        return Login(LoginKind.LEARNER_NO, plain)
    return Login(LoginKind.ID_NO, plain) if EIGHTEEN.fullmatch(plain) else None
