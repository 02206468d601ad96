"""Entrypoints of identity: parse, authorise, one action in one transaction, dump."""

from __future__ import annotations

import uuid

from services.identity import contract, passwords, queries, schemas, tokens
from services.identity.access.actions import guarding, policies
from services.identity.access.captcha import CaptchasProvider
from services.identity.access.entrypoints import SignInDefences
from services.identity.actions import accounts, codes, imports, people, profiles, sign_ins, upkeep
from services.identity.actions.refusals import accepted, checked_phone, require
from services.identity.disclosure.entrypoints import Disclosure
from services.identity.mail.entrypoints import Mail
from services.identity.notices.actions import telling_decision
from services.identity.notices.entrypoints import Notices
from services.identity.passes.entrypoints import NationalPasses
from services.identity.person.actions import adding, placing
from services.identity.person.entrypoints import Persons
from services.identity.phone.entrypoints import PhoneChanges
from services.identity.policy import COUNTY_AND_ABOVE, POLICIES
from services.identity.projections import PROJECTIONS
from services.identity.rules import sign_in as rules
from services.identity.rules.profile import Identity
from services.identity.snapshots import SNAPSHOTS
from services.identity.vault import VaultProvider
from services.org.contract import GRANTS_CHANGED, MEMBERSHIP_CHANGED
from services.shared import clock, senders
from services.shared.audit_trail import AuditTrail
from services.shared.bus import DatabaseProvider, SettingsProvider, command, event_handler, periodic, query
from services.shared.bus.snapshots import TellsSnapshots
from services.shared.channels import Channel
from services.shared.errors import NotFound, Unavailable

ACCOUNT = schemas.Account()
UNAVAILABLE = {Channel.SMS: "identity.sms_unavailable", Channel.EMAIL: "identity.email_unavailable"}


class IdentityService(
    SignInDefences, PhoneChanges, NationalPasses, Notices, Mail, Persons, Disclosure, AuditTrail, TellsSnapshots
):
    name = contract.SERVICE
    policies = POLICIES
    snapshots = SNAPSHOTS
    projections = PROJECTIONS
    database = DatabaseProvider()
    settings = SettingsProvider()
    vault = VaultProvider()
    passwords = passwords.PasswordsProvider()
    mint = tokens.MintProvider()
    captchas = CaptchasProvider()

    # Registration and signing in ----------------------------------------------------------------------------------

    @command
    def request_sms_code(self, call):
        """Send a code; the answer is the same whether or not the phone has an account."""
        arguments = call.load(schemas.RequestSmsCode())
        phone = checked_phone(arguments["phone"])
        purpose, captcha = arguments["purpose"], self._captcha(arguments)

        def act(db):
            guarding.require_captcha_for_code(db, call, self.vault, phone, purpose, captcha)
            return codes.request_sms_code(db, call, self.vault, phone, purpose)

        return self._code_sent(call, act)

    @command
    def register_account(self, call):
        arguments = call.load(schemas.RegisterAccount())
        phone = checked_phone(arguments["phone"])
        password = arguments.get("password")
        if password is not None:
            require(rules.password_problem(password, phone), "password")
        wanted = accounts.Registration(
            phone,
            arguments["sms_code"],
            self.passwords.hash(password) if password is not None else None,
            arguments["identity"],
        )
        made = accepted(
            self.database.commit_once(call, lambda db: accounts.register_account(db, call, self.vault, wanted))
        )
        # Tokens are secrets and are kept nowhere, so they come from a command that may be repeated.
        account_id = uuid.UUID(made["account_id"])
        client = sign_ins.Client.of(call, arguments["user_agent"])
        reply = self._signed_in(call, lambda db: sign_ins.open_first_sign_in(db, call, self.vault, account_id, client))
        return {"account": reply.pop("account"), "tokens": reply}

    # The own account and profile ----------------------------------------------------------------------------------

    @query
    def get_account(self, call):
        call.load(schemas.Nothing())
        with self.database.read(call) as db:
            return schemas.Account().dump(accounts.show_account(db, self.vault, call.actor.account_id))

    @query
    def get_profile(self, call):
        call.load(schemas.Nothing())
        return self._profile(call)

    @command
    def update_profile(self, call):
        changes = call.load(schemas.UpdateProfile())
        accepted(self.database.commit_once(call, lambda db: profiles.update_profile(db, call, self.vault, changes)))
        return self._profile(call)

    @command
    def switch_identity(self, call):
        arguments = call.load(schemas.SwitchIdentity())
        wanted = Identity(arguments["identity"])
        self.database.commit_once(call, lambda db: accounts.switch_identity(db, call, wanted))
        with self.database.read(call) as db:
            standing = accounts.get_standing(db, call)
            shown = schemas.Account().dump(accounts.show_account(db, self.vault, standing.account_id))
        return {**self._access_token(standing, call.actor.session_id, call.now), "account": shown}

    # People, for administrators and other services -------------------------------------------------------------------

    @query
    def list_people(self, call):
        """The asked people of the caller's territory, masked; others are left out without a word."""
        arguments = call.load(schemas.ManyAccounts())
        with self.database.read(call) as db:
            found = people.reachable_people(db, call, arguments["account_ids"])
            shown = [people.show_person(self.vault, account, profile) for account, profile, _ in found]
        return {"people": schemas.Person(many=True).dump(shown)}

    @command
    def import_people(self, call):
        arguments = call.load(schemas.ImportPeople())
        people.authorise_territory(call)
        keeper = call.actor.service or call.actor.places(COUNTY_AND_ABOVE.roles)
        act = imports.import_people if keeper else adding.add_teachers
        return self.database.commit_once(call, lambda db: {"rows": act(db, call, self.vault, arguments["rows"])})

    @query
    def find_known_people(self, call):
        """Whom rows of a roster name by name, number and phone alike; of everybody else nothing is told."""
        rows = call.load(schemas.ImportPeople())["rows"]
        with self.database.read(call) as db:
            known = imports.find_known(db, self.vault, rows, profiles.beijing_day(call.now))
        return {"people": [{"row": row, "account_id": account_id} for row, account_id in known.items()]}

    @query
    def get_holders(self, call):
        """Names as they stand on certificates: the only unmasked ones that leave identity."""
        arguments = call.load(schemas.ManyAccounts())
        with self.database.read(call) as db:
            found = queries.list_people(db, arguments["account_ids"])
            shown = [people.show_holder(self.vault, profile) for _, profile, _ in found]
        return {"items": schemas.Holder(many=True).dump(shown)}

    @query
    def check_enrolment_facts(self, call):
        arguments = call.load(schemas.OneAccount())
        with self.database.read(call) as db:
            return people.check_enrolment_facts(db, self.vault, arguments["account_id"])

    @query
    def list_revocations(self, call):
        """Revocations that living access tokens may still meet; a gateway asks when it starts to listen."""
        call.load(schemas.Nothing())
        with self.database.read(call) as db:
            found = queries.list_revocations(db, call.now - 2 * tokens.LIFETIME)
        return {
            "items": [
                {
                    "account_id": str(each.account_id),
                    "session_id": str(each.sign_in_id) if each.sign_in_id else None,
                    "not_before": clock.format_instant(each.not_before),
                }
                for each in found
            ]
        }

    @query
    def list_development_messages(self, call):
        """The development mailbox, newest first. In production there is none: NotFound."""
        if not self.settings.development:
            raise NotFound("identity.mailbox_absent")
        arguments = call.load(schemas.ListDevelopmentMessages())
        phone, email = arguments.get("phone"), arguments.get("email")
        with self.database.read(call) as db:
            to = self.vault.phone_candidates(checked_phone(phone)) if phone else []
            to += self.vault.email_candidates(email) if email else []
            found = queries.list_development_messages(db, to, arguments["limit"])
            return {"items": [codes.show_development_message(self.vault, message) for message in found]}

    # What others announce, and housekeeping ---------------------------------------------------------------------------

    @event_handler(MEMBERSHIP_CHANGED)
    def on_membership_changed(self, db, event):
        now = clock.now()
        with (
            policies.noticing_approval(db, event.payload, now),
            telling_decision(db, self.vault, event.payload, now),
        ):
            placing.follow_membership(db, event.payload)

    @event_handler(GRANTS_CHANGED)
    def on_grants_changed(self, db, event):
        accounts.keep_grants(db, event.payload, clock.now())

    @periodic(3600, job="forget_stale")
    def forget_stale(self, now):
        with self.database.work() as db:
            upkeep.forget_stale(db, now)

    @periodic(600, job="reseal_personal_data")
    def reseal_personal_data(self, now):
        if self.vault.has_older_keys:
            with self.database.work() as db:
                upkeep.reseal_personal_data(db, self.vault)

    # ------------------------------------------------------------------------------------------------------------------

    def _signed_in(self, call, act):
        """Run an action that opens a sign-in; the tokens of its reply are never stored."""
        opened = accepted(self.database.commit_once(call, act, keep_reply=False))["opened"]
        return {
            **self._access_token(opened.standing, opened.session_id, call.now),
            "refresh_token": opened.refresh_token,
            "desk": opened.standing.desk,
            "account": ACCOUNT.dump(opened.account),
        }

    def _access_token(self, standing, session_id, now):
        return {
            "access_token": self.mint.mint(standing, session_id, now),
            "expires_in_seconds": contract.ACCESS_TOKEN_SECONDS,
        }

    def _profile(self, call):
        with self.database.read(call) as db:
            return schemas.Profile().dump(profiles.show_profile(db, self.vault, call.actor.account_id))

    def _code_sent(self, call, act):
        """Issue a code by `act` and hand it over."""
        issued = self.database.commit_once(call, act)
        self._send(call, uuid.UUID(issued["message_id"]))
        return {
            "expires_in_seconds": int(rules.CODE_LIFETIME.total_seconds()),
            "resend_after_seconds": int(rules.RESEND_INTERVAL.total_seconds()),
        }

    def _send(self, call, message_id, find_unsent=codes.find_unsent, mark_sent=codes.mark_sent):
        """Hand a message over after its commit. A repeated command sends again only what was not taken."""
        with self.database.read(call) as db:
            message = find_unsent(db, self.vault, message_id)
        if message is None:
            return
        keep = lambda *_message: self._keep_in_mailbox(call, message)  # noqa: E731
        sender = senders.open_sender(self.settings, message.channel, keep)
        try:
            sender.send(str(message.id), message.to, message.text)
        except Unavailable as error:
            raise Unavailable(UNAVAILABLE[message.channel], "", error.detail) from None
        with self.database.transaction(call) as db:
            mark_sent(db, message_id)

    def _keep_in_mailbox(self, call, message):
        with self.database.transaction(call) as db:
            codes.keep_development_message(db, self.vault, message, call.now)
