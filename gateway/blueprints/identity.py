"""Registration, the own account and profile."""

from __future__ import annotations

from typing import Any

from flask import request

from gateway.auth import user_agent
from gateway.openapi import Blueprint
from gateway.rpc import ask, tell
from gateway.schemas import identity as schemas

blueprint = Blueprint("identity", __name__, description="注册、账号、个人信息 (registration, account, profile)")


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
    return tell("identity", "register_account", {**body, "user_agent": user_agent(request)})


@blueprint.get("/accounts/me")
@blueprint.doc(operationId="get_account")
@blueprint.response(200, schemas.Account)
def get_account() -> dict[str, Any]:
    """The own account: identities, grants, lock."""
    return ask("identity", "get_account")


@blueprint.post("/accounts/me/identity")
@blueprint.doc(operationId="switch_identity")
@blueprint.arguments(schemas.IdentityChoice)
@blueprint.response(200, schemas.Switched)
def switch_identity(body: dict[str, Any]) -> dict[str, Any]:
    """Act as teacher, student or guardian from now on; older access tokens end, the answer holds a new one."""
    return tell("identity", "switch_identity", body)


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


@blueprint.post("/profiles/me/email-codes")
@blueprint.doc(operationId="request_email_code")
@blueprint.response(202, schemas.EmailCodeSent)
def request_email_code() -> dict[str, Any]:
    """Send a code to the e-mail address in the own profile; five a day, good for half an hour."""
    return tell("identity", "request_email_code")


@blueprint.post("/profiles/me/email-confirmation")
@blueprint.doc(operationId="confirm_email")
@blueprint.arguments(schemas.EmailCode)
@blueprint.response(200, schemas.Profile)
def confirm_email(body: dict[str, Any]) -> dict[str, Any]:
    """Confirm the address by the code; from now on warnings about the account go there as well as to the phone."""
    return tell("identity", "confirm_email", body)


@blueprint.get("/development/messages")
@blueprint.doc(operationId="list_development_messages", security=[])
@blueprint.arguments(schemas.MailboxQuery, location="query")
@blueprint.response(200, schemas.Mailbox)
def list_development_messages(query: dict[str, Any]) -> dict[str, Any]:
    """Messages and mail of a development installation, newest first. In production there is no such page."""
    return ask("identity", "list_development_messages", query)
