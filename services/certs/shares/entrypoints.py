"""Links to certificates: made, listed and taken back by the holder, opened by whoever was given one."""

from __future__ import annotations

import datetime as dt
from typing import Any

from services.certs import contract, queries, showing
from services.certs.actions import documents
from services.certs.shares import actions, rules, schemas
from services.certs.shares import queries as shares
from services.certs.shares.models import Share
from services.shared.bus import Call, command, query
from services.shared.paging import page_of


class Shares:
    """Mixed into the service."""

    database: Any
    settings: Any
    office: Any
    verifier: Any

    @command
    def share_certificate(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.ShareCertificate())

        def act(db: Any) -> dict[str, Any]:
            share, token = actions.share_certificate(db, call, **given)
            return {
                **_shown(share, call.now),
                "token": token,
                "url": f"{self.settings.base_url}{contract.SHARED_PATH}{token}",
            }

        # The reply is the link itself: it is kept nowhere, and asked again makes another link.
        reply: dict[str, Any] = self.database.commit_once(call, act, schemas.NewShare(), keep_reply=False)
        return reply

    @query
    def list_shares(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListShares())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            certificate = queries.get_certificate(db, arguments["certificate_id"])
            call.authorise(certificate.teacher_id, missing=queries.NOT_FOUND)
            found = shares.list_shares(db, certificate.certificate_id, arguments["cursor"], limit + 1)
        return page_of(
            found,
            limit,
            lambda share: schemas.Share().dump(_shown(share, call.now)),
            lambda share: str(share.share_id),
        )

    @command
    def revoke_share(self, call: Call) -> dict[str, Any]:
        share_id = call.load(schemas.ShareId())["share_id"]

        def act(db: Any) -> dict[str, Any]:
            return _shown(actions.revoke_share(db, call, share_id), call.now)

        reply: dict[str, Any] = self.database.commit_once(call, act, schemas.Share())
        return reply

    @command
    def open_share(self, call: Call) -> dict[str, Any]:
        """What the link shows: the certificate as it stands now, with the name in full. Raises NotFound for any other token."""
        token = call.load(schemas.OpenShare())["token"]

        def act(db: Any) -> dict[str, Any]:
            share, editions = actions.open_share(db, call, token)
            documents.require_genuine(self.verifier, editions[0])
            name = documents.open_holder(self.office.cipher, editions[0]).name
            history = queries.history_of(db, [each.certificate_id for each in editions])
            shown = showing.verification(editions, history)
            return {**shown, "holder_name": name, "expires_at": share.expires_at}

        # The reply holds a name: it is kept nowhere.
        reply: dict[str, Any] = self.database.commit_once(call, act, schemas.SharedCertificate(), keep_reply=False)
        return reply


def _shown(share: Share, now: dt.datetime) -> dict[str, Any]:
    columns = ("share_id", "certificate_id", "created_at", "expires_at", "revoked_at", "opened", "opened_at")
    told = {name: getattr(share, name) for name in columns}
    return {**told, "live": rules.is_live(share.expires_at, share.revoked_at, now)}
