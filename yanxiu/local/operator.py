"""The command line's own way to the services: as the service actor "cli", straight over their databases."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

from services.shared.actor import ActorSigner, service_actor
from services.shared.bus.local import LocalClient
from services.shared.bus.providers import ServiceBus
from services.shared.keys import KeyRing, open_keyring
from services.shared.settings import Settings
from yanxiu.journey.people import Person, invent
from yanxiu.local import processes

NATION = "CN"
# The development installation's first operator; production appoints a real person with `yanxiu operator appoint`.
SAMPLE_OPERATOR = invent(0, 1)


class Operator:
    """Asks and tells services on behalf of whoever runs the installation."""

    def __init__(self, settings: Settings, keyring: KeyRing) -> None:
        self.settings = settings
        self._signer = ActorSigner("cli", keyring.signing_key("actor.cli"))
        self._client = LocalClient(settings, keyring, processes.load_class)

    def ask(self, service: str, method: str, arguments: dict[str, Any] | None = None) -> Any:
        return self._call(service, method, arguments or {}, None)

    def tell(self, service: str, method: str, arguments: dict[str, Any] | None = None) -> Any:
        return self._call(service, method, arguments or {}, str(uuid.uuid4()))

    def open(self, process: str) -> Any:
        """The service object of a process type, for what goes past its methods (`yanxiu resync`)."""
        return self._client.open(process)

    def open_bulk(self, process: str) -> Any:
        """As `open`, for a process type that runs jobs: it asks other services as the command line, whose jobs these are."""
        service = self._client.open(process)
        service.bus = ServiceBus("cli", self._signer, self._client)
        return service

    def _call(self, service: str, method: str, arguments: dict[str, Any], command_id: str | None) -> Any:
        return self._client.call(
            service,
            method,
            arguments,
            actor_token=self._signer.sign(service_actor("cli"), service),
            command_id=command_id,
        )

    def load_divisions(self) -> None:
        """The administrative divisions; a second time changes nothing."""
        if not self.ask("org", "list_divisions", {"parent": NATION})["items"]:
            self.tell("org", "import_divisions")

    def appoint_national_operator(self, person: Person) -> str:
        """Make sure that this person has an account and the national operator's grant; returns the account's id."""
        row = {
            "row": 1,
            "name": person.name,
            "id_no": person.id_no,
            "phone": person.phone,
            "segment": "小学",
            "subject": "语文",
        }
        imported = self.tell("identity", "import_people", {"rows": [row]})["rows"][0]
        if imported["outcome"] == "REFUSED":
            raise ValueError(f"{imported['code']} {imported['field']}")
        account_id = str(imported["account_id"])
        self.tell("org", "bootstrap_grant", {"account_id": account_id, "role": "NATIONAL_OPERATOR", "place": NATION})
        return account_id

    def list_operators(self) -> list[dict[str, Any]]:
        """The national operators, each with the masked person."""
        grants = self.ask("org", "list_operators")["items"]
        account_ids = [grant["account_id"] for grant in grants]
        people = self.ask("identity", "list_people", {"account_ids": account_ids})["people"] if grants else []
        by_account = {person["account_id"]: person for person in people}
        return [{**grant, "person": by_account.get(grant["account_id"])} for grant in grants]

    def close(self) -> None:
        self._client.close()


@contextlib.contextmanager
def operator(settings: Settings) -> Iterator[Operator]:
    made = Operator(settings, open_keyring(settings))
    try:
        yield made
    finally:
        made.close()
