"""Stories about phones: what the tests of changes, tickets and notices begin with."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import uuid

from services.identity.person.actions.consents import current_texts
from services.shared import clock
from services.shared.actor import ANONYMOUS, Actor, Desk, Grant, Kind, Role
from services.shared.sealed_files import seal_file
from services.shared.storage import open_storage
from tests.component.identity.stories import anonymous, new_id_no, new_phone

NAME = "张三丰"
IMAGE = b"\x89PNG\r\n\x1a\n a photo of a person with a document"


def agent():
    """A support agent who has just typed a code from the own phone."""
    return Actor(
        kind=Kind.PERSON,
        account_id=uuid.uuid4(),
        identity="TEACHER",
        grants=(Grant(Role.SUPPORT_AGENT, "CN"),),
        session_id=uuid.uuid4(),
        desk=Desk.ADMINISTRATOR,
        elevated_until=clock.now() + dt.timedelta(days=400),
    )


def agreed():
    """What a client sends once the text about sensitive data has been read and agreed to."""
    return {"consent_version": current_texts()["SENSITIVE"]["version"]}


@dataclasses.dataclass
class Asked:
    """A ticket, and what whoever opened it knows."""

    ticket_id: str
    ticket_key: str
    old_phone: str
    new_phone: str
    id_no: str

    @property
    def reference(self):
        return {"ticket_id": self.ticket_id, "ticket_key": self.ticket_key}


class Phones:
    """The service with stories about phones."""

    def __init__(self, people):
        self.people, self.call = people, people.call

    def messages(self, phone):
        found = self.call("list_development_messages", {"phone": phone, "limit": 100}, ANONYMOUS)["items"]
        return [message["text"] for message in found]

    def last_code(self, phone):
        return self.call("list_development_messages", {"phone": phone, "limit": 1}, ANONYMOUS)["items"][0]["code"]

    def teacher(self, **profile):
        """Somebody with a whole profile: (actor, phone, id number)."""
        actor, phone = self.people.register()
        id_no = new_id_no()
        self.people.fill_profile(actor, name=NAME, id_no=id_no, **profile)
        return actor, phone, id_no

    def request_code(self, new_phone):
        self.call("request_ticket_code", {"new_phone": new_phone, "captcha": self.people.captcha()}, anonymous())

    def open(self, old_phone, id_no, *, name=NAME, new_phone=None, **more):
        """A draft, with its code typed right."""
        new_phone = new_phone or new_phone_of()
        self.people.pass_time(seconds=61)
        self.request_code(new_phone)
        claimed = {
            "name": name,
            "id_no": id_no,
            "old_phone": old_phone,
            "new_phone": new_phone,
            "sms_code": self.last_code(new_phone),
            **more,
        }
        opened = self.call("open_phone_ticket", claimed, anonymous())
        return Asked(opened["ticket_id"], opened["ticket_key"], old_phone, new_phone, id_no)

    def upload(self, asked, content=IMAGE):
        """What the gateway does with an image: (evidence id, storage key)."""
        image = {"sha256": hashlib.sha256(content).hexdigest(), "media_type": "image/png", "size": len(content)}
        slot = self.call("prepare_evidence", {**asked.reference, **image, **agreed()}, anonymous())
        stored = self.storage().put(
            "evidence", seal_file(content, slot["file_key"], slot["evidence_id"]), "application/octet-stream"
        )
        kept = self.call(
            "keep_evidence",
            {**asked.reference, "evidence_id": slot["evidence_id"], "storage_key": stored.key},
            anonymous(),
        )
        assert kept["kept"]
        return slot["evidence_id"], stored.key

    def submit(self, asked):
        self.upload(asked)
        return self.call("submit_phone_ticket", asked.reference, anonymous())

    def submitted(self, old_phone, id_no, **more):
        asked = self.open(old_phone, id_no, **more)
        self.submit(asked)
        return asked

    def claimed(self, old_phone, id_no, **more):
        """(asked, agent)"""
        asked, someone = self.submitted(old_phone, id_no, **more), agent()
        self.call("claim_phone_ticket", {"ticket_id": asked.ticket_id}, someone)
        return asked, someone

    def approved(self, old_phone, id_no, **more):
        asked, someone = self.claimed(old_phone, id_no, **more)
        self.call("approve_phone_ticket", {"ticket_id": asked.ticket_id}, someone)
        return asked

    def state(self, asked):
        return self.call("get_phone_ticket", asked.reference, anonymous())

    def run(self, *jobs):
        for job in jobs:
            getattr(self.people.service, job)(clock.now())

    def send(self):
        self.run("send_notices")

    def storage(self):
        return open_storage(self.people.service.settings)


def new_phone_of():
    return new_phone()
