"""Small stories that identity's tests begin with, and people to play with."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
import uuid

from services.identity.rules.documents import check_character
from services.org import contract as org
from services.shared.actor import ANONYMOUS, Actor, Grant, Kind, Role

PASSWORD = "correct-horse-9"
COUNTY = "CN/440000/440100/440103"

_counter = itertools.count(secrets.randbelow(5_000_000) * 10)


def new_phone():
    return f"139{next(_counter) % 10**8:08d}"


def new_id_no(born_on=dt.date(1985, 6, 15)):
    number = next(_counter)
    first = (
        f"44010{1 + number // 1000 % 8}{born_on - dt.timedelta(days=number // 8000 % 9000):%Y%m%d}{number % 1000:03d}"
    )
    return first + check_character(first)


def anonymous(address=None):
    # An address of its own unless the test is about addresses: limits count per address.
    return Actor(kind=Kind.ANONYMOUS, address=address or f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.9")


def administrator(role=Role.SCHOOL_ADMIN, place=COUNTY):
    return Actor(
        kind=Kind.PERSON,
        account_id=uuid.uuid4(),
        identity="TEACHER",
        grants=(Grant(role, place),),
        session_id=uuid.uuid4(),
    )


class People:
    """The service, with the small stories that every test begins with."""

    def __init__(self, component, clock, keyring):
        self.component, self.clock, self.keyring = component, clock, keyring
        self.call, self.database, self.service = component.call, component.database, component.service

    def pass_time(self, **duration):
        self.clock.instant += dt.timedelta(**duration)

    def code(self, phone, purpose="REGISTER"):
        """Ask for a code and read it in the development mailbox."""
        self.pass_time(seconds=61)
        self.call("request_sms_code", {"phone": phone, "purpose": purpose}, anonymous())
        message = self.call("list_development_messages", {"phone": phone, "limit": 1}, ANONYMOUS)["items"][0]
        return message["code"]

    def register(self, phone=None, identity="TEACHER", password=PASSWORD):
        """A new account: (actor, phone)."""
        phone = phone or new_phone()
        arguments = {"phone": phone, "sms_code": self.code(phone), "identity": identity}
        if password:
            arguments["password"] = password
        return self.actor(self.call("register_account", arguments, anonymous())["account"]), phone

    def actor(self, account, session_id=None):
        return Actor(
            kind=Kind.PERSON,
            account_id=uuid.UUID(account["account_id"]),
            identity=account["active_identity"],
            session_id=session_id or uuid.uuid4(),
            address="10.0.0.1",
        )

    def sign_in(self, phone, password=PASSWORD, address=None):
        return self.call("sign_in", {"phone": phone, "password": password}, anonymous(address))

    def fill_profile(self, actor, **changes):
        profile = {
            "name": "张三丰",
            "id_type": "RESIDENT_ID",
            "id_no": new_id_no(),
            "segment": "PRIMARY",
            "subject": "语文",
        }
        return self.call("update_profile", {**profile, **changes}, actor)

    def place(self, actor, place=f"{COUNTY}/s1", state="PENDING", version=1):
        self.hear(
            "on_membership_changed",
            "org.membership_changed",
            {
                "teacher_id": str(actor.account_id),
                "version": version,
                "state": state,
                "school_id": str(uuid.uuid4()),
                "school_name": "实验小学",
                "place": place,
                "effective_at": "2023-01-10T02:00:00.000000Z",
            },
        )

    def hear(self, method, event_type, payload, event_id=None):
        """Deliver an event of org's, as org promises it."""
        assert org.EVENTS[event_type]().validate(payload) == {}
        self.component.deliver(method, event_type, payload, event_id)

    def events(self, event_type, account_id):
        return [event for event in self.component.outbox(event_type) if event["account_id"] == str(account_id)]

    def scalar(self, statement, **parameters):
        import sqlalchemy as sa

        with self.database.work() as db:
            return db.execute(sa.text(statement), parameters).scalar_one()
