"""Captchas, signing in and out, desks, stepping up, passwords, unlocking."""

from __future__ import annotations

from typing import Any

from flask import request

from gateway.auth import user_agent
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import Page
from gateway.schemas import access as schemas
from gateway.schemas.identity import NewPassword, Refresh, SmsCodeSent, Unlocked

blueprint = Blueprint(
    "access", __name__, description="登录、管理端、密码、登录设备 (sign-in, desks, passwords, devices)"
)


@blueprint.post("/captchas")
@blueprint.doc(operationId="issue_captcha", security=[])
@blueprint.response(201, schemas.Captcha)
def issue_captcha() -> dict[str, Any]:
    """A task that a browser solves in about a second; its solution goes into `captcha` where one is asked for."""
    return ask("identity", "issue_captcha")


@blueprint.post("/sessions")
@blueprint.doc(operationId="sign_in", security=[])
@blueprint.arguments(schemas.NewSignIn)
@blueprint.response(201, schemas.SignedInAtDesk)
def sign_in(body: dict[str, Any]) -> dict[str, Any]:
    """Sign in by password or SMS code. Unknown login, wrong password and locked account answer alike."""
    return tell("identity", "sign_in", {**body, "user_agent": user_agent(request)})


@blueprint.get("/sessions")
@blueprint.doc(operationId="list_sign_ins")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.SignIns)
def list_sign_ins(query: dict[str, Any]) -> dict[str, Any]:
    """Where the own account is signed in: device, times, masked address."""
    return ask_page("identity", "list_sign_ins", query)


@blueprint.post("/sessions/refresh")
@blueprint.doc(operationId="refresh_session", security=[])
@blueprint.arguments(Refresh)
@blueprint.response(200, schemas.SignedInAtDesk)
def refresh_session(body: dict[str, Any]) -> dict[str, Any]:
    """Exchange the refresh token for new tokens. A token used twice ends the sign-in."""
    return tell("identity", "refresh_session", body)


@blueprint.delete("/sessions/current")
@blueprint.doc(operationId="sign_out")
@blueprint.response(204)
def sign_out() -> None:
    """End this sign-in; its tokens are refused everywhere within a second."""
    tell("identity", "sign_out")


@blueprint.post("/sessions/current/desk")
@blueprint.doc(operationId="choose_desk")
@blueprint.arguments(schemas.DeskChoice)
@blueprint.response(200, schemas.AtDesk)
def choose_desk(body: dict[str, Any]) -> dict[str, Any]:
    """Open the administrator's desk by a second factor, or go back to the teacher's; the answer holds the new token."""
    return tell("identity", "choose_desk", body)


@blueprint.delete("/sessions/others")
@blueprint.doc(operationId="end_other_sign_ins")
@blueprint.response(200, schemas.EndedSignIns)
def end_other_sign_ins() -> dict[str, Any]:
    """Sign out everywhere but here; refused at every gateway within a second."""
    return tell("identity", "end_other_sign_ins")


@blueprint.delete("/sessions/<uuid:session_id>")
@blueprint.doc(operationId="end_own_sign_in")
@blueprint.response(204)
def end_own_sign_in(session_id: Any) -> None:
    """Sign one device out; refused at every gateway within a second."""
    tell("identity", "end_own_sign_in", {"session_id": str(session_id)})


@blueprint.post("/step-up-codes")
@blueprint.doc(operationId="request_step_up_code")
@blueprint.response(202, SmsCodeSent)
def request_step_up_code() -> dict[str, Any]:
    """Send a code to the bound phone, before an export or a look at what is sensitive."""
    return tell("identity", "request_step_up_code")


@blueprint.post("/step-up")
@blueprint.doc(operationId="step_up")
@blueprint.arguments(schemas.StepUp)
@blueprint.response(200, schemas.SteppedUp)
def step_up(body: dict[str, Any]) -> dict[str, Any]:
    """Step up for half an hour, in this sign-in only; the answer holds the token that says so."""
    return tell("identity", "step_up", body)


@blueprint.post("/accounts/me/password")
@blueprint.doc(operationId="set_password")
@blueprint.arguments(NewPassword)
@blueprint.response(204)
def set_password(body: dict[str, Any]) -> None:
    """Set or replace the password; other devices are signed out."""
    tell("identity", "set_password", body)


@blueprint.post("/password-recoveries")
@blueprint.doc(operationId="recover_password", security=[])
@blueprint.arguments(schemas.Recovery)
@blueprint.response(204)
def recover_password(body: dict[str, Any]) -> None:
    """Replace a forgotten password by a code from the phone; every device is signed out."""
    tell("identity", "recover_password", body)


@blueprint.post("/accounts/<uuid:account_id>/unlocking")
@blueprint.doc(operationId="unlock_account")
@blueprint.response(200, Unlocked)
def unlock_account(account_id: Any) -> dict[str, Any]:
    """Unlock somebody of the own school or territory whose password was wrong ten times."""
    return tell("identity", "unlock_account", {"account_id": str(account_id)})


@blueprint.post("/accounts/<uuid:account_id>/password-reset")
@blueprint.doc(operationId="reset_password")
@blueprint.response(200, schemas.PasswordReset)
def reset_password(account_id: Any) -> dict[str, Any]:
    """Give somebody of the own school or territory a one-time password; their devices are signed out."""
    return tell("identity", "reset_password", {"account_id": str(account_id)})


@blueprint.get("/administrators/me")
@blueprint.doc(operationId="get_administrator")
@blueprint.response(200, schemas.Administrator)
def get_administrator() -> dict[str, Any]:
    """The own record as an administrator: true name and bound phone masked, grants, what is still missing."""
    return ask("identity", "get_administrator")
