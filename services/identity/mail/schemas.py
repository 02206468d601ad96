"""Arguments about the own e-mail address."""

from __future__ import annotations

from services.identity.schemas import Arguments, code_text


class ConfirmEmail(Arguments):
    code = code_text(required=True)
