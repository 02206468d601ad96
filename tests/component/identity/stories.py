"""Small stories that identity's tests begin with, and people to play with."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import secrets
import uuid

from joserfc import jwt
from joserfc.jwk import OKPKey

from services.billing import contract as billing
from services.credits import contract as credits_contract
from services.identity.rules.documents import check_character
from services.learning import contract as learning
from services.org import contract as org
from services.shared.actor import ANONYMOUS, Actor, Desk, Grant, Kind, Role, instant_in
from yanxiu.client.captcha import solve

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
        desk=Desk.ADMINISTRATOR,
    )


class People:
    """The service, with the small stories that every test begins with."""

    def __init__(self, component, clock, keyring):
        self.component, self.clock, self.keyring = component, clock, keyring
        self.call, self.database, self.service = component.call, component.database, component.service

    def pass_time(self, **duration):
        self.clock.instant += dt.timedelta(**duration)

    def captcha(self):
        """A solved captcha, fresh."""
        return solve(self.service.captchas.challenge())

    def request_code(self, phone, purpose="REGISTER", address=None, **options):
        arguments = {"phone": phone, "purpose": purpose, "captcha": self.captcha()}
        return self.call("request_sms_code", arguments, anonymous(address), **options)

    def code(self, phone, purpose="REGISTER"):
        """Ask for a code and read it in the development mailbox."""
        self.pass_time(seconds=61)
        self.request_code(phone, purpose)
        return self.newest_code(phone)

    def newest_code(self, phone):
        messages = self.call("list_development_messages", {"phone": phone}, ANONYMOUS)["items"]
        return next(message["code"] for message in messages if message["code"])

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
        arguments = {"phone": phone, "password": password, "captcha": self.captcha()}
        return self.call("sign_in", arguments, anonymous(address))

    def session(self, reply):
        """The person that the tokens of a reply speak for, as the gateway would say it."""
        claims = self.claims(reply["access_token"])
        return Actor(
            kind=Kind.PERSON,
            account_id=uuid.UUID(claims["sub"]),
            identity=claims["idn"],
            grants=tuple(Grant(Role(role), place) for role, place in claims["grants"]),
            session_id=uuid.UUID(claims["sid"]),
            address="10.0.0.1",
            desk=Desk(claims["dsk"]),
            elevated_until=instant_in(claims["elv"]),
            waiting=claims["wai"],
        )

    def claims(self, token):
        pem = self.keyring.verify_key("access-token").public_bytes_raw()
        key = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(pem).rstrip(b"=").decode()}
        return jwt.decode(token, OKPKey.import_key(key), algorithms=["Ed25519"]).claims

    def grant(self, actor, *grants, version=1):
        """Tell identity of all grants that an account holds now."""
        payload = {"account_id": str(actor.account_id), "version": version, "grants": [list(each) for each in grants]}
        self.hear("on_grants_changed", "org.grants_changed", payload)

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
        """Deliver an event of another service's, as its owner promises it."""
        known = {**org.EVENTS, **credits_contract.EVENTS, **billing.EVENTS, **learning.EVENTS}
        assert known[event_type]().validate(payload) == {}
        self.component.deliver(method, event_type, payload, event_id)

    def events(self, event_type, account_id):
        return [event for event in self.component.outbox(event_type) if event["account_id"] == str(account_id)]

    def scalar(self, statement, **parameters):
        import sqlalchemy as sa

        with self.database.work() as db:
            return db.execute(sa.text(statement), parameters).scalar_one()
