"""Signing in by a national pass, and binding one to an account (OpenID Connect, [S0:81])."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from services.identity.actions.refusals import accepted
from services.identity.actions.sign_ins import Client
from services.identity.passes import actions, queries, rules, schemas
from services.identity.passes.actions import Begun, Redeemable
from services.identity.passes.issuers import Issuer, IssuersProvider, Proof
from services.identity.passes.rules import Purpose
from services.identity.schemas import Nothing
from services.shared.bus import Call, command, periodic, query
from services.shared.errors import InvalidInput


class NationalPasses:
    """Mixed into the service."""

    database: Any
    vault: Any
    pass_issuers = IssuersProvider()
    _signed_in: Callable[[Call, Callable[[Session], Any]], Any]

    @query
    def list_pass_issuers(self, call: Call) -> dict[str, Any]:
        """The passes that can be used here."""
        call.load(Nothing())
        return {
            "items": [
                {
                    "issuer": issuer.name,
                    "title_zh": issuer.title_zh,
                    "title_en": issuer.title_en,
                    "redirect_uris": list(issuer.redirect_uris),
                }
                for issuer in self.pass_issuers
            ]
        }

    @command
    def start_pass_sign_in(self, call: Call) -> dict[str, Any]:
        return self._started(call, Purpose.SIGN_IN)

    @command
    def complete_pass_sign_in(self, call: Call) -> dict[str, Any]:
        """Tokens of the account that the pass is bound to."""
        arguments = call.load(schemas.CompleteSignIn())
        flow, _, subject = self._redeemed(call, arguments, Purpose.SIGN_IN)
        client = Client.of(call, arguments["user_agent"])
        return self._signed_in(
            call, lambda db: actions.sign_in_by_pass(db, call, self.vault, flow.issuer, subject, client)
        )

    @query
    def list_passes(self, call: Call) -> dict[str, Any]:
        call.load(Nothing())
        account_id = call.authorise_own()
        with self.database.read(call) as db:
            return {"items": [actions.show_pass(binding) for binding in queries.list_bindings(db, account_id)]}

    @command
    def start_pass_binding(self, call: Call) -> dict[str, Any]:
        call.authorise_own()
        return self._started(call, Purpose.BIND)

    @command
    def complete_pass_binding(self, call: Call) -> dict[str, Any]:
        """The pass opens the caller's account from now on."""
        arguments = call.load(schemas.CompleteAuthorisation())
        call.authorise_own()
        _, issuer, subject = self._redeemed(call, arguments, Purpose.BIND)
        return accepted(
            self.database.commit_once(call, lambda db: actions.bind_pass(db, call, self.vault, issuer, subject))
        )

    @command
    def unbind_pass(self, call: Call) -> dict[str, Any]:
        pass_id = call.load(schemas.OnePass())["pass_id"]
        call.authorise_own()
        issuers = {issuer.name: issuer for issuer in self.pass_issuers}
        return self.database.commit_once(call, lambda db: actions.unbind_pass(db, call, self.vault, pass_id, issuers))

    @periodic(3600, job="forget_pass_flows")
    def forget_pass_flows(self, now: dt.datetime) -> None:
        with self.database.work() as db:
            queries.forget_flows(db, now - rules.FLOW_KEPT)

    @periodic(600, job="reseal_passes")
    def reseal_passes(self, now: dt.datetime) -> None:
        if self.vault.has_older_keys:
            with self.database.work() as db:
                actions.reseal_passes(db, self.vault)

    def _started(self, call: Call, purpose: Purpose) -> dict[str, Any]:
        """Where to send the browser. The secrets are in no stored reply: a repeated command begins another one."""
        arguments = call.load(schemas.StartAuthorisation())
        issuer, redirect_uri = self.pass_issuers.get(arguments["issuer"]), arguments["redirect_uri"]
        if redirect_uri not in issuer.redirect_uris:
            raise InvalidInput("identity.pass_redirect_unknown", "redirect_uri")
        begun = Begun.fresh()
        # The issuer may have to be asked where it signs people in: before the transaction.
        url = self.pass_issuers.authorisation_url(issuer, redirect_uri, begun.state, begun.nonce, begun.verifier)
        self.database.commit_once(
            call,
            lambda db: actions.begin(db, call, self.vault, issuer, redirect_uri, purpose, begun),
            keep_reply=False,
        )
        return {
            "authorisation_url": url,
            "client_key": begun.client_key,
            "expires_in_seconds": int(rules.FLOW_LIFETIME.total_seconds()),
        }

    def _redeemed(self, call: Call, arguments: dict[str, Any], purpose: Purpose) -> tuple[Redeemable, Issuer, str]:
        """What the issuer says, asked between two transactions: taking the authorisation up, and noting the answer."""
        with self.database.transaction(call) as db:
            flow = actions.take_up(db, call, self.vault, arguments["state"], arguments["client_key"], purpose)
        issuer = self.pass_issuers.get(flow.issuer)
        if arguments.get("iss", issuer.issuer) != issuer.issuer:
            raise InvalidInput("identity.pass_refused", "iss")
        if flow.subject:
            return flow, issuer, flow.subject
        proof = Proof(arguments["code"], flow.verifier, flow.nonce, flow.redirect_uri)
        subject = self.pass_issuers.redeem(issuer, proof)
        with self.database.transaction(call) as db:
            actions.note_subject(db, self.vault, flow.flow_id, subject)
        return flow, issuer, subject
