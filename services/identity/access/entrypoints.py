"""Signing in: captcha, second factor, desks, step-up, sessions, limits, resets by administrators."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity.access import schemas
from services.identity.access.actions import own_sign_ins, passwords, policies, proving, signing_in
from services.identity.access.actions.guarding import Target
from services.identity.access.actions.proving import Credentials, PasswordTry
from services.identity.access.actions.signing_in import Fresh, NewPassword
from services.identity.access.captcha import Captchas, Solved
from services.identity.access.models import SpentCaptcha
from services.identity.access.rules.logins import Login, LoginKind, read_login
from services.identity.access.rules.passwords import one_time_password
from services.identity.actions import accounts, codes, sign_ins
from services.identity.actions.refusals import accepted, checked_phone, require
from services.identity.rules import sign_in as rules
from services.identity.schemas import Nothing, OneAccount
from services.org.contract.units import TENANT_POLICY_CHANGED
from services.shared.actor import Desk
from services.shared.bus import Call, Event, command, event_handler, periodic, query
from services.shared.errors import InvalidInput
from services.shared.settings import Settings

Arguments = dict[str, Any]
# Made once: copying a schema's fields takes longer than checking them.
START_SIGN_IN = schemas.StartSignIn()


class SignInDefences:
    """Mixed into the service."""

    database: Any
    settings: Settings
    vault: Any
    passwords: Any
    captchas: Captchas
    _signed_in: Callable[[Call, Callable[[Session], Any]], Any]
    _code_sent: Callable[[Call, Callable[[Session], Any]], Any]
    _access_token: Callable[..., Any]

    @query
    def issue_captcha(self, call: Call) -> Any:
        """A fresh task; nothing is stored for it."""
        call.load(Nothing())
        return {"challenge": self.captchas.challenge()}

    # Signing in and out -----------------------------------------------------------------------------------------------

    @command
    def sign_in(self, call: Call) -> Any:
        arguments = call.load(START_SIGN_IN)
        client = sign_ins.Client.of(call, arguments["user_agent"])
        login, desk = _login_of(arguments), Desk(arguments["desk"])
        _require_secrets(arguments, desk)
        if "password" not in arguments:
            if login.kind is not LoginKind.PHONE:
                raise InvalidInput("identity.code_by_phone", "login")
            code = arguments["sms_code"]
            return self._signed_in(
                call, lambda db: signing_in.sign_in_by_code(db, call, self.vault, login.text, code, client)
            )
        captcha, password = self._captcha(arguments), arguments["password"]
        with self.database.look(call) as db:
            credentials = proving.read_credentials(db, call, self.vault, login, desk, captcha)
        target = Target(login.text, credentials.account_id)
        tried = self._tried(target, credentials, arguments, desk, captcha)
        fresh = self._fresh(credentials, tried.matches, password, arguments.get("new_password"))
        return self._signed_in(
            call, lambda db: signing_in.sign_in_by_password(db, call, self.vault, tried, fresh, client)
        )

    @command
    def refresh_session(self, call: Call) -> Any:
        arguments = call.load(schemas.RefreshSession())
        return self._signed_in(
            call, lambda db: sign_ins.refresh_session(db, call, self.vault, arguments["refresh_token"])
        )

    @command
    def sign_out(self, call: Call) -> Any:
        call.load(Nothing())
        return self.database.commit_once(call, lambda db: sign_ins.sign_out(db, call))

    @command
    def choose_desk(self, call: Call) -> Any:
        """Open the administrator's desk in this sign-in, or go back to the teacher's."""
        arguments = call.load(schemas.ChooseDesk())
        desk = Desk(arguments["desk"])
        if desk is Desk.TEACHER:
            accepted(self.database.commit_once(call, lambda db: signing_in.close_desk(db, call)))
            return self._at_desk(call)
        _require_secrets(arguments, desk)
        captcha = self._captcha(arguments)
        if captcha is None:
            raise InvalidInput("identity.captcha_needed", "captcha")
        with self.database.read(call) as db:
            credentials, _ = proving.read_own_credentials(db, call, self.vault)
        tried = self._tried(Target.own(credentials.account_id), credentials, arguments, desk, captcha)
        accepted(self.database.commit_once(call, lambda db: signing_in.open_desk(db, call, self.vault, tried)))
        return self._at_desk(call)

    # Stepping up ------------------------------------------------------------------------------------------------------

    @command
    def request_step_up_code(self, call: Call) -> Any:
        """Send a code to the caller's own phone, which the caller does not choose."""
        call.load(Nothing())

        def act(db: Session) -> Any:
            _, phone = proving.read_own_credentials(db, call, self.vault)
            return codes.request_sms_code(db, call, self.vault, phone, signing_in.STEP_UP)

        return self._code_sent(call, act)

    @command
    def step_up(self, call: Call) -> Any:
        arguments = call.load(schemas.StepUp())
        code = arguments["sms_code"]
        done = accepted(self.database.commit_once(call, lambda db: signing_in.elevate(db, call, self.vault, code)))
        return {**self._at_desk(call), "elevated_until": done["elevated_until"]}

    # Passwords --------------------------------------------------------------------------------------------------------

    @command
    def set_password(self, call: Call) -> Any:
        """Proved by the old password, by a code, or by having signed in by code just now."""
        arguments = call.load(schemas.SetPassword())
        if "current_password" in arguments and "sms_code" in arguments:
            raise InvalidInput("identity.one_secret", "current_password")
        with self.database.read(call) as db:
            credentials, phone = proving.read_own_credentials(db, call, self.vault)
        require(rules.password_problem(arguments["password"], phone), "password")
        current = arguments.get("current_password")
        matches = None if current is None else self.passwords.verify(current, credentials.password_hash)
        proof = passwords.PasswordProof(credentials, phone, arguments.get("sms_code"), matches)
        password_hash = self.passwords.hash(arguments["password"])
        accepted(
            self.database.commit_once(
                call, lambda db: passwords.set_password(db, call, self.vault, proof, password_hash)
            )
        )
        return {}

    @command
    def recover_password(self, call: Call) -> Any:
        """A new password by a code from the phone; the answer tells nothing of an account before the code is right."""
        arguments = call.load(schemas.RecoverPassword())
        phone, code = checked_phone(arguments["phone"]), arguments["sms_code"]
        require(rules.password_problem(arguments["password"], phone), "password")
        password_hash = self.passwords.hash(arguments["password"])
        accepted(
            self.database.commit_once(
                call, lambda db: passwords.recover_password(db, call, self.vault, phone, code, password_hash)
            )
        )
        return {}

    @command
    def reset_password(self, call: Call) -> Any:
        """Give out a one-time password. It is shown once and stored nowhere, so a repeated command makes another."""
        arguments = call.load(OneAccount())
        password = one_time_password(secrets.choice)
        password_hash = self.passwords.hash(password)
        done = self.database.commit_once(
            call,
            lambda db: passwords.reset_password(db, call, self.vault, arguments["account_id"], password_hash),
            keep_reply=False,
        )
        return {**done, "one_time_password": password}

    @command
    def unlock_account(self, call: Call) -> Any:
        arguments = call.load(OneAccount())
        return self.database.commit_once(
            call, lambda db: passwords.unlock_account(db, call, self.vault, arguments["account_id"])
        )

    # The own sign-ins, and the own record as an administrator -----------------------------------------------------------

    @query
    def list_sign_ins(self, call: Call) -> Any:
        arguments = call.load(schemas.ListSignIns())
        with self.database.read(call) as db:
            page = own_sign_ins.list_sign_ins(db, call, arguments["cursor"], arguments["limit"])
        return {**page, "items": schemas.SignInShown(many=True).dump(page["items"])}

    @command
    def end_own_sign_in(self, call: Call) -> Any:
        arguments = call.load(schemas.OneSignIn())
        return self.database.commit_once(
            call, lambda db: own_sign_ins.end_own_sign_in(db, call, arguments["session_id"])
        )

    @command
    def end_other_sign_ins(self, call: Call) -> Any:
        call.load(Nothing())
        return self.database.commit_once(call, lambda db: own_sign_ins.end_other_sign_ins(db, call))

    @query
    def get_administrator(self, call: Call) -> Any:
        call.load(Nothing())
        with self.database.read(call) as db:
            return schemas.Administrator().dump(own_sign_ins.show_administrator(db, call, self.vault))

    # What others announce, and housekeeping ---------------------------------------------------------------------------

    @event_handler(TENANT_POLICY_CHANGED)
    def on_tenant_policy_changed(self, db: Session, event: Event) -> None:
        policies.keep_tenant_policy(db, event.payload)

    @periodic(3600, job="forget_captchas")
    def forget_captchas(self, _now: dt.datetime) -> None:
        """By the database's real clock, as captchas end."""
        with self.database.work() as db:
            db.execute(sa.delete(SpentCaptcha).where(SpentCaptcha.expires_at < sa.func.now()))

    # ------------------------------------------------------------------------------------------------------------------

    def _captcha(self, arguments: Arguments) -> Solved | None:
        """The captcha that came with a request, None without one. Raises InvalidInput for one that is not right."""
        if "captcha" not in arguments:
            return None
        solved = self.captchas.check(arguments["captcha"])
        if solved is None:
            raise InvalidInput("identity.captcha_refused", "captcha")
        return solved

    def _tried(
        self, target: Target, credentials: Credentials, arguments: Arguments, desk: Desk, captcha: Solved | None
    ) -> PasswordTry:
        # 36 ms of argon2, so before the transaction; the action checks that the hash is still the same.
        matches = self.passwords.verify(arguments["password"], credentials.password_hash)
        second = arguments.get("sms_code", "")
        return PasswordTry(target, credentials, matches, desk, second, captcha, is_changing="new_password" in arguments)

    def _fresh(self, credentials: Credentials, matches: bool, password: str, new: str | None) -> Fresh:
        """The hashes that a right password may need."""
        if not matches:
            return Fresh()
        if new is not None:
            return Fresh(chosen=NewPassword(new, self.passwords.hash(new), is_the_old_one=new == password))
        outdated = self.passwords.is_outdated(credentials.password_hash)
        return Fresh(renewed_hash=self.passwords.hash(password) if outdated else None)

    def _at_desk(self, call: Call) -> dict[str, Any]:
        with self.database.read(call) as db:
            standing = accounts.get_standing(db, call)
        return {**self._access_token(standing, call.actor.session_id, call.now), "desk": standing.desk}


def _login_of(arguments: Arguments) -> Login:
    if ("phone" in arguments) == ("login" in arguments):
        raise InvalidInput("identity.one_login", "login")
    if "phone" in arguments:
        return Login(LoginKind.PHONE, checked_phone(arguments["phone"]))
    login = read_login(arguments["login"])
    if login is None:
        raise InvalidInput("identity.login_form", "login")
    return login


def _require_secrets(arguments: Arguments, desk: Desk) -> None:
    given = ("password" in arguments, "sms_code" in arguments)
    if desk is Desk.ADMINISTRATOR and not all(given):
        raise InvalidInput("identity.two_secrets", "password" if not given[0] else "sms_code")
    if desk is Desk.TEACHER and given[0] == given[1]:
        raise InvalidInput("identity.one_secret", "password")
