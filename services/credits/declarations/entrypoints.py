"""Hours that teachers declare for what they did elsewhere, reviewed twice (`domain.md` §3.16)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from services.credits.declarations import actions, attachments, queries, schemas
from services.credits.declarations.attachments import File
from services.credits.declarations.models import Attachment
from services.credits.declarations.queries import Filter
from services.shared.bus import Call, command, periodic, query
from services.shared.bus.providers import Environment, Provider
from services.shared.crypto import FieldCipher, KeySet
from services.shared.errors import NotFound
from services.shared.paging import page_of


class CipherProvider(Provider[FieldCipher]):
    """What seals the keys of attachments."""

    def build(self, service_class: Any, environment: Environment) -> FieldCipher:
        return FieldCipher(KeySet.of(environment.keyring, "field-encryption"))


class Declarations:
    """Mixed into the service."""

    database: Any
    cipher = CipherProvider()

    @command
    def create_declaration(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.DeclarationText())
        return self._changed(call, lambda db: actions.create_declaration(db, call, given))

    @command
    def edit_declaration(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.EditedDeclaration())
        return self._changed(call, lambda db: actions.edit_declaration(db, call, given.pop("declaration_id"), given))

    @command
    def submit_declaration(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.DeclarationId())
        return self._changed(call, lambda db: actions.submit_declaration(db, call, **given))

    @command
    def withdraw_declaration(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.DeclarationId())
        return self._changed(call, lambda db: actions.withdraw_declaration(db, call, **given))

    @command
    def pass_declaration(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.DeclarationId())
        return self._changed(call, lambda db: actions.pass_declaration(db, call, **given))

    @command
    def return_declaration(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.Opinion())
        return self._changed(call, lambda db: actions.return_declaration(db, call, **given))

    @command
    def approve_declaration(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.DeclarationId())
        return self._changed(call, lambda db: actions.approve_declaration(db, call, **given))

    @command
    def void_declaration(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.Opinion())
        return self._changed(call, lambda db: actions.void_declaration(db, call, **given))

    @query
    def list_own_declarations(self, call: Call) -> dict[str, Any]:
        teacher_id = call.authorise_own()
        arguments = call.load(schemas.ListOwnDeclarations())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            found = queries.list_own(db, teacher_id, arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.Declaration().dump, lambda row: str(row.declaration_id))

    @query
    def list_declarations(self, call: Call) -> dict[str, Any]:
        """What the teachers of a place declared, the longest waiting first."""
        arguments = call.load(schemas.ListDeclarations())
        limit, after = arguments.pop("limit"), arguments.pop("cursor")
        call.authorise(place=arguments["place"], missing=queries.MISSING)
        with self.database.read(call) as db:
            found = queries.list_declarations(db, Filter(**arguments), after, limit + 1)
            return page_of(found, limit, schemas.Declaration().dump, lambda row: str(row.declaration_id))

    @query
    def get_declaration(self, call: Call) -> dict[str, Any]:
        """One declaration with every round, its opinions and reasons."""
        declaration_id = call.load(schemas.DeclarationId())["declaration_id"]
        with self.database.read(call) as db:
            declaration = queries.get_declaration(db, declaration_id)
            place = actions.place_of(db, declaration.teacher_id)
            call.authorise(subject=declaration.teacher_id, place=place, missing=queries.MISSING)
            if declaration.state == "DRAFT" and declaration.teacher_id != call.actor.account_id:
                raise NotFound(queries.MISSING)
            rounds = queries.list_rounds(db, declaration_id)
            files = queries.list_attachments(db, declaration_id)
            shown: dict[str, Any] = schemas.Declaration().dump(declaration)
            shown["assessment"] = schemas.Assessment().dump(actions.assess(db, declaration) or {}) or None
            shown["rounds"] = [
                {**schemas.Round().dump(each), "attachments": _files_of(files, each.round)} for each in rounds
            ]
            if declaration.state in attachments.EDITABLE and declaration.teacher_id == call.actor.account_id:
                shown["attachments"] = _files_of(files, declaration.round + 1)
            return shown

    @command
    def prepare_attachment(self, call: Call) -> dict[str, Any]:
        """Where a file goes and what seals it. The key is kept in no reply that is stored."""
        given = call.load(schemas.PrepareAttachment())
        declaration_id, file = given.pop("declaration_id"), File(**given)
        return self._filed(call, lambda db: attachments.prepare_attachment(db, call, self.cipher, declaration_id, file))

    @command
    def keep_attachment(self, call: Call) -> dict[str, Any]:
        """Whether the file under `storage_key` is the one; another one of the same content may be there already."""
        given = call.load(schemas.KeepAttachment())
        return self._filed(call, lambda db: attachments.keep_attachment(db, call, **given))

    @command
    def remove_attachment(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.AttachmentId())
        return self._filed(call, lambda db: attachments.remove_attachment(db, call, **given))

    @command
    def view_attachment(self, call: Call) -> dict[str, Any]:
        """What opens a file, for its teacher and the reviewers."""
        given = call.load(schemas.AttachmentId())
        return self._filed(call, lambda db: attachments.view_attachment(db, call, self.cipher, **given))

    @periodic(3600.0, job="reseal_attachments")
    def reseal_attachments(self, _now: dt.datetime) -> None:
        """After a change of keys: the next batches, until everything is sealed with the newest one."""
        more = True
        while more:
            with self.database.work() as db:
                more = attachments.reseal_attachments(db, self.cipher) > 0

    def _filed(self, call: Call, act: Any) -> dict[str, Any]:
        done: dict[str, Any] = self.database.commit_once(call, act, keep_reply=False)
        return done

    def _changed(self, call: Call, act: Any) -> dict[str, Any]:
        changed: dict[str, Any] = self.database.commit_once(call, act, schemas.Declaration())
        return changed


def _files_of(files: list[Attachment], round_: int) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = schemas.AttachmentShown(many=True).dump(
        [each for each in files if queries.is_of_round(each, round_)]
    )
    return shown
