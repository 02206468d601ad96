"""Confirming the own e-mail address."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from services.identity.actions.refusals import accepted
from services.identity.mail import actions, rules, schemas
from services.identity.rules.sign_in import RESEND_INTERVAL
from services.identity.schemas import Nothing
from services.shared.bus import Call, command


class Mail:
    """Mixed into the service."""

    database: Any
    vault: Any
    _send: Callable[..., None]
    _profile: Callable[[Call], dict[str, Any]]

    @command
    def request_email_code(self, call: Call) -> dict[str, Any]:
        """Send a code to the address in the caller's own profile."""
        call.load(Nothing())
        issued = self.database.commit_once(call, lambda db: actions.request_email_code(db, call, self.vault))
        self._send(call, uuid.UUID(issued["message_id"]), actions.find_unsent, actions.mark_sent)
        return {
            "expires_in_seconds": int(rules.CODE_LIFETIME.total_seconds()),
            "resend_after_seconds": int(RESEND_INTERVAL.total_seconds()),
        }

    @command
    def confirm_email(self, call: Call) -> dict[str, Any]:
        code = call.load(schemas.ConfirmEmail())["code"]
        accepted(self.database.commit_once(call, lambda db: actions.confirm_email(db, call, self.vault, code)))
        return self._profile(call)
