"""A dead phone from the first request to the new sign-in: HTTP, identity and its database, the store; nothing faked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time

import pytest

from gateway.blueprints import access, identity, person, phone
from services.shared import clock
from services.shared.actor import Role
from services.shared.bus.local import LocalClient
from services.shared.ids import new_id
from tests.component.identity.stories import PASSWORD, new_id_no, new_phone
from tests.gateway.conftest import Tokens
from tests.gateway.test_images import SECRET, exif, picture, saved
from yanxiu.client.captcha import solve
from yanxiu.local import processes

API = "/api/v1"
PHOTO = saved(picture((300, 200)), "JPEG", exif=exif(6))


class InProcess:
    """The gateway's bus, with identity called directly."""

    def __init__(self, client):
        self.client, self.call = client, client.call

    def publish(self, *_):
        """Nothing of this story goes there."""

    def check(self):
        """Always there."""

    def listen(self, _event_type, on_connected, _on_message, on_idle):
        on_connected()
        while True:
            on_idle()
            time.sleep(0.2)


@pytest.fixture
def story(settings, keyring, service_database, fixed_clock):
    from gateway.app import create_app

    service_database("identity")
    cheap = dataclasses.replace(settings, argon2_memory_kib=64, argon2_passes=1)
    client = LocalClient(cheap, keyring, processes.load_class)
    client.open("identity")  # once, before two threads ask for it
    app = create_app(
        cheap, bus=InProcess(client), keyring=keyring, modules=[access, identity, person, phone], limit_scale=1000
    )
    yield Story(app.test_client(), client, keyring, fixed_clock)
    app.extensions["yanxiu"].revocations.stop()
    client.close()


class Story:
    def __init__(self, http, client, keyring, fixed):
        self.http, self.client, self.tokens, self.clock = http, client, Tokens(keyring), fixed

    def ask(self, method, path, body=None, status=200, headers=None, **options):
        response = self.http.open(f"{API}{path}", method=method, json=body, headers=headers, **options)
        assert response.status_code == status, response.text
        return response

    def captcha(self):
        return solve(self.ask("POST", "/captchas", status=201).json["challenge"])

    def code(self, phone_number):
        messages = self.ask("GET", f"/development/messages?phone={phone_number}&limit=1").json["items"]
        return messages[0]["code"]

    def text_shown(self, kind):
        """The version of the text that a client shows before it asks for consent."""
        texts = self.ask("GET", "/consent-texts").json["items"]
        return next(each["version"] for each in texts if each["kind"] == kind)

    def texts(self, phone_number):
        service = self.client.open("identity")
        service.send_notices(clock.now())
        found = self.ask("GET", f"/development/messages?phone={phone_number}&limit=50").json["items"]
        return [message["text"] for message in found]

    def teacher(self):
        number, id_no = new_phone(), new_id_no()
        self.ask("POST", "/sms-codes", {"phone": number, "purpose": "REGISTER", "captcha": self.captcha()}, 202)
        body = {"phone": number, "sms_code": self.code(number), "password": PASSWORD}
        registered = self.ask("POST", "/accounts", body, 201).json
        profile = {"name": "张三丰", "id_type": "RESIDENT_ID", "id_no": id_no, "segment": "PRIMARY", "subject": "语文"}
        headers = {"Authorization": f"Bearer {registered['tokens']['access_token']}"}
        self.ask("PATCH", "/profiles/me", profile, headers=headers)
        return registered["account"]["account_id"], number, id_no

    def agent(self):
        until = (clock.now() + dt.timedelta(minutes=30)).timestamp()
        return self.tokens.headers(new_id(), (Role.SUPPORT_AGENT, "CN"), dsk="ADMINISTRATOR", elv=until)


def photo_form(content):
    head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return {"data": head.encode() + content + b"\r\n--b--\r\n", "content_type": "multipart/form-data; boundary=b"}


def photos_kept(settings):
    """The files of the evidence store, which the tests of one process share."""
    return {path for path in (settings.data_dir / "files" / "evidence").rglob("*") if path.is_file()}


def upload(story, ticket, content, key=None):
    headers = {
        "Ticket-Key": ticket["ticket_key"],
        "Idempotency-Key": key or str(new_id()),
        "Consent-Version": story.text_shown("SENSITIVE"),
    }
    return story.http.post(f"{API}/phone-tickets/{ticket['ticket_id']}/photos", headers=headers, **photo_form(content))


@pytest.mark.postgres
def test_from_a_dead_phone_to_a_new_sign_in(story, settings):
    account_id, old, id_no = story.teacher()
    new = new_phone()
    story.ask("POST", "/phone-ticket-codes", {"new_phone": new, "captcha": story.captcha()}, 202)
    claim = {"name": "张三丰", "id_no": id_no, "old_phone": old, "new_phone": new, "sms_code": story.code(new)}
    ticket = story.ask("POST", "/phone-tickets", claim, 201).json
    base, key = f"/phone-tickets/{ticket['ticket_id']}", {"Ticket-Key": ticket["ticket_key"]}

    # The client lost the answer and sends the photo again, with the same key: one photo.
    before = photos_kept(settings)
    first, second = (upload(story, ticket, PHOTO, "the-same-key") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert len(photos_kept(settings) - before) == 1
    assert story.ask("POST", f"{base}/submission", headers=key).json["state"] == "SUBMITTED"

    agent = story.agent()
    story.ask("GET", f"{base}/details", status=409, headers=agent)
    story.ask("POST", f"{base}/claim", headers=agent)
    details = story.ask("GET", f"{base}/details", headers=agent).json
    assert details["matches"] == {"account": True, "name": True, "id_no": True}
    seen = story.ask("GET", f"{base}/photos/{details['images'][0]['evidence_id']}", headers=agent)
    assert seen.data.startswith(b"\xff\xd8")
    assert SECRET not in seen.data
    assert story.ask("POST", f"{base}/approval", headers=agent).json["state"] == "COOLING"
    [link] = [text for text in story.texts(old) if "/stop-phone-change/" in text]
    page = story.http.get("/stop-phone-change/" + link.rsplit("/", 1)[1])
    assert 'method="post"' in page.text

    story.clock.instant += dt.timedelta(hours=24)
    story.client.open("identity").finish_phone_tickets(clock.now())
    assert story.ask("GET", base, headers=key).json["state"] == "DONE"
    body = {"phone": new, "password": PASSWORD}
    assert story.ask("POST", "/sessions", body, 201).json["account"]["account_id"] == account_id
    story.ask("POST", "/sessions", {"phone": old, "password": PASSWORD}, 401)
    assert [text for text in story.texts(new) if "换绑已完成" in text]


@pytest.mark.postgres
def test_the_old_numbers_holder_presses_the_button(story):
    account_id, old, id_no = story.teacher()
    new = new_phone()
    story.ask("POST", "/phone-ticket-codes", {"new_phone": new, "captcha": story.captcha()}, 202)
    claim = {"name": "张三丰", "id_no": id_no, "old_phone": old, "new_phone": new, "sms_code": story.code(new)}
    ticket = story.ask("POST", "/phone-tickets", claim, 201).json
    base, agent = f"/phone-tickets/{ticket['ticket_id']}", story.agent()
    upload(story, ticket, PHOTO)
    story.ask("POST", f"{base}/submission", headers={"Ticket-Key": ticket["ticket_key"]})
    story.ask("POST", f"{base}/claim", headers=agent)
    story.ask("POST", f"{base}/approval", headers=agent)
    [link] = [text for text in story.texts(old) if "/stop-phone-change/" in text]
    assert "换绑已取消" in story.http.post("/stop-phone-change/" + link.rsplit("/", 1)[1]).text
    story.clock.instant += dt.timedelta(hours=25)
    story.client.open("identity").finish_phone_tickets(clock.now())
    signed_in = story.ask("POST", "/sessions", {"phone": old, "password": PASSWORD}, 201).json
    assert signed_in["account"]["account_id"] == account_id
