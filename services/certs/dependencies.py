"""What certs' processes build once, when they start: keys in the forms that they are used in, and the store of PDFs."""

from __future__ import annotations

from typing import Any

from services.certs.actions.writing import Office
from services.certs.signing import Signer, Verifier
from services.shared.bus.providers import Environment, Provider
from services.shared.crypto import FieldCipher, KeySet
from services.shared.keys import KeyRing
from services.shared.storage import Storage, open_storage


def open_cipher(keyring: KeyRing) -> FieldCipher:
    return FieldCipher(KeySet.of(keyring, "field-encryption"))


class OfficeProvider(Provider):
    """Signature and seal; only the process that issues has the private key."""

    def build(self, service_class: Any, environment: Environment) -> Office:
        return Office(Signer.of(environment.keyring), open_cipher(environment.keyring))


class CipherProvider(Provider):
    def build(self, service_class: Any, environment: Environment) -> FieldCipher:
        return open_cipher(environment.keyring)


class VerifierProvider(Provider):
    def build(self, service_class: Any, environment: Environment) -> Verifier:
        return Verifier.of(environment.keyring)


class StorageProvider(Provider):
    def build(self, service_class: Any, environment: Environment) -> Storage:
        return open_storage(environment.settings)
