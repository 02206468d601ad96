"""Registration, signing in and out, the own account and profile."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.rpc import ask, tell
from gateway.schemas import identity as schemas

blueprint = Blueprint("identity", __name__, description="注册、登录、个人信息 (accounts, sign-in, profile)")


@blueprint.post("/sms-codes")
@blueprint.doc(operationId="request_sms_code", security=[])
@blueprint.arguments(schemas.SmsCodeRequest)
@blueprint.response(202, schemas.SmsCodeSent)
def request_sms_code(body: dict[str, Any]) -> dict[str, Any]:
    """Send a code to a phone. The answer is the same whether or not the phone has an account."""
    return tell("identity", "request_sms_code", body)


@blueprint.post("/accounts")
@blueprint.doc(operationId="register_account", security=[])
@blueprint.arguments(schemas.NewAccount)
@blueprint.response(201, schemas.Registered)
def register_account(body: dict[str, Any]) -> dict[str, Any]:
    """Register with a code sent to the phone, and be signed in."""
    return tell("identity", "register_account", body)


@blueprint.post("/sessions")
@blueprint.doc(operationId="sign_in", security=[])
@blueprint.arguments(schemas.NewSignIn)
@blueprint.response(201, schemas.SignedIn)
def sign_in(body: dict[str, Any]) -> dict[str, Any]:
    """Sign in by password or SMS code. Unknown phone, wrong password and locked account answer alike."""
    return tell("identity", "sign_in", body)


@blueprint.post("/sessions/refresh")
@blueprint.doc(operationId="refresh_session", security=[])
@blueprint.arguments(schemas.Refresh)
@blueprint.response(200, schemas.SignedIn)
def refresh_session(body: dict[str, Any]) -> dict[str, Any]:
    """Exchange the refresh token for new tokens. A token used twice ends the sign-in."""
    return tell("identity", "refresh_session", body)


@blueprint.delete("/sessions/current")
@blueprint.doc(operationId="sign_out")
@blueprint.response(204)
def sign_out() -> None:
    """End this sign-in; its tokens are refused everywhere within a second."""
    tell("identity", "sign_out")


@blueprint.get("/accounts/me")
@blueprint.doc(operationId="get_account")
@blueprint.response(200, schemas.Account)
def get_account() -> dict[str, Any]:
    """The own account: identities, grants, lock."""
    return ask("identity", "get_account")


@blueprint.post("/accounts/me/password")
@blueprint.doc(operationId="set_password")
@blueprint.arguments(schemas.NewPassword)
@blueprint.response(204)
def set_password(body: dict[str, Any]) -> None:
    """Set or replace the password; other devices are signed out."""
    tell("identity", "set_password", body)


@blueprint.post("/accounts/me/identity")
@blueprint.doc(operationId="switch_identity")
@blueprint.arguments(schemas.IdentityChoice)
@blueprint.response(200, schemas.Switched)
def switch_identity(body: dict[str, Any]) -> dict[str, Any]:
    """Act as teacher, student or guardian from now on; older access tokens end, the answer holds a new one."""
    return tell("identity", "switch_identity", body)


@blueprint.post("/accounts/<uuid:account_id>/unlocking")
@blueprint.doc(operationId="unlock_account")
@blueprint.response(200, schemas.Unlocked)
def unlock_account(account_id: Any) -> dict[str, Any]:
    """Unlock a teacher of the own school or territory whose password was wrong ten times."""
    return tell("identity", "unlock_account", {"account_id": str(account_id)})


@blueprint.get("/profiles/me")
@blueprint.doc(operationId="get_profile")
@blueprint.response(200, schemas.Profile)
def get_profile() -> dict[str, Any]:
    """The own profile, numbers masked."""
    return ask("identity", "get_profile")


@blueprint.patch("/profiles/me")
@blueprint.doc(operationId="update_profile")
@blueprint.arguments(schemas.ProfileChanges)
@blueprint.response(200, schemas.Profile)
def update_profile(body: dict[str, Any]) -> dict[str, Any]:
    """Change the own profile; the resident ID is checked, and belongs to one person only."""
    return tell("identity", "update_profile", body)


@blueprint.get("/development/messages")
@blueprint.doc(operationId="list_development_messages", security=[])
@blueprint.arguments(schemas.MailboxQuery, location="query")
@blueprint.response(200, schemas.Mailbox)
def list_development_messages(query: dict[str, Any]) -> dict[str, Any]:
    """SMS messages of a development installation, newest first. In production there is no such page."""
    return ask("identity", "list_development_messages", query)
