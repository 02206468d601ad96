"""The personal fields of identity: which are sealed where, and under which kind they are indexed."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from typing import Any

import sqlalchemy as sa

from services.identity.rules.contact import name_key
from services.shared.bus.providers import Environment, Provider
from services.shared.crypto import BlindIndex, FieldCipher, KeySet
from services.shared.keys import KeyRing

TOKEN_BYTES = 32  # 256 bits: nobody guesses one, so a fast hash protects the stored side


class Vault:
    """Seals, opens and indexes. Field names here are the column names without `_sealed` and `_index`."""

    def __init__(self, field_keys: KeySet, index_keys: KeySet) -> None:
        self.cipher = FieldCipher(field_keys)
        self._index = BlindIndex(index_keys)
        self._field_key, self._index_key = field_keys.current, index_keys.current
        self.has_older_keys = len(field_keys.secrets) + len(index_keys.secrets) > 2

    @classmethod
    def of(cls, keyring: KeyRing) -> Vault:
        return cls(KeySet.of(keyring, "field-encryption"), KeySet.of(keyring, "blind-index"))

    def seal(self, table: str, row_id: uuid.UUID | str, field: str, text: str) -> str:
        return self.cipher.seal(text, table, row_id, field)

    def open(self, table: str, row_id: uuid.UUID | str, field: str, sealed: str | None) -> str:
        """The text, "" for an empty field. Raises SealError for a value that does not belong there."""
        return self.cipher.open(sealed, table, row_id, field) if sealed else ""

    def is_stale(self, column: Any) -> sa.ColumnElement[bool]:
        """Condition: this sealed column was not written with the newest key."""
        return ~sa.func.starts_with(column, f"{self._field_key}.")

    def is_stale_index(self, column: Any) -> sa.ColumnElement[bool]:
        """Condition: this index was not made with the newest key."""
        return ~sa.func.starts_with(column, f"{self._index_key}.")

    def phone_index(self, phone: str) -> str:
        return self._index.index(phone, "phone")

    def phone_candidates(self, phone: str) -> list[str]:
        return self._index.candidates(phone, "phone")

    def email_index(self, email: str) -> str:
        """Whatever its case: providers deliver to one mailbox."""
        return self._index.index(email.casefold(), "email")

    def email_candidates(self, email: str) -> list[str]:
        return self._index.candidates(email.casefold(), "email")

    def id_no_index(self, id_type: str, id_no: str) -> str:
        return self._index.index(f"{id_type} {id_no}", "id_no")

    def id_no_candidates(self, id_type: str, id_no: str) -> list[str]:
        return self._index.candidates(f"{id_type} {id_no}", "id_no")

    def name_index(self, name: str) -> str:
        """By the name's key, so that joints, case and width do not matter."""
        return self._index.index(name_key(name), "name")

    def name_candidates(self, name: str) -> list[str]:
        return self._index.candidates(name_key(name), "name")

    def address_index(self, address: str) -> str:
        """A client's address as limits count it: an address is personal data too."""
        return self._index.index(address, "address")

    def address_candidates(self, address: str) -> list[str]:
        return self._index.candidates(address, "address")

    def login_index(self, login: str) -> str:
        """What somebody typed to sign in, as limits count it: it may be a phone or an ID number."""
        return self._index.index(login, "login")

    def login_candidates(self, login: str) -> list[str]:
        return self._index.candidates(login, "login")

    def code_index(self, code_id: uuid.UUID, code: str) -> str:
        """Keyed and bound to its row: a plain hash of six digits is no secret."""
        return self._index.index(f"{code_id} {code}", "sms_code")

    def is_code(self, code_id: uuid.UUID, code: str, stored: str) -> bool:
        candidates = self._index.candidates(f"{code_id} {code}", "sms_code")
        return any(hmac.compare_digest(candidate, stored) for candidate in candidates)

    def subject_candidates(self, issuer: str, subject: str) -> list[str]:
        """What an issuer of passes calls somebody, newest key first."""
        return self._index.candidates(f"{issuer} {subject}", "pass_subject")

    def ticket_key(self, ticket_id: uuid.UUID) -> str:
        """What lets whoever opened a ticket follow it. Worked out, so that it is stored nowhere."""
        return self._index.index(str(ticket_id), "ticket_key")

    def is_ticket_key(self, ticket_id: uuid.UUID, key: str) -> bool:
        candidates = self._index.candidates(str(ticket_id), "ticket_key")
        return any(hmac.compare_digest(candidate.encode(), key.encode()) for candidate in candidates)


def new_refresh_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class VaultProvider(Provider[Vault]):
    def build(self, service_class: Any, environment: Environment) -> Vault:
        return Vault.of(environment.keyring)
