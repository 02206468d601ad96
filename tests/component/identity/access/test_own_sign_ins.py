"""The list of one's own sign-ins, and ending single ones or all others."""

import dataclasses
import datetime as dt
import uuid

import pytest

from services.shared.actor import Actor, Kind
from services.shared.errors import NotAllowed, NotFound
from tests.component.identity.stories import PASSWORD, anonymous

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"


def sign_in(people, phone, user_agent="", address=None):
    wanted = {"phone": phone, "password": PASSWORD, "user_agent": user_agent, "captcha": people.captcha()}
    return people.call("sign_in", wanted, anonymous(address))


def listed(people, actor, **arguments):
    return people.call("list_sign_ins", arguments, actor)


def refresh(people, reply):
    return people.call("refresh_session", {"refresh_token": reply["refresh_token"]}, anonymous())


def test_the_list_tells_device_times_and_a_masked_address(people):
    _, phone = people.register()
    people.pass_time(hours=1)
    reply = sign_in(people, phone, CHROME, "203.0.113.7")
    started_at = people.clock.instant
    people.pass_time(hours=1)
    refresh(people, reply)
    me = people.session(reply)
    newest, registered = listed(people, me)["items"]
    assert newest == {
        "session_id": str(me.session_id),
        "current": True,
        "method": "PASSWORD",
        "device": "Chrome · Windows",
        "address": "203.0.*.*",
        "desk": "TEACHER",
        "started_at": started_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "last_used_at": people.clock.instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    assert (registered["method"], registered["current"]) == ("REGISTRATION", False)
    # Neither the full address nor the full text of the browser is kept anywhere.
    kept = people.scalar("SELECT string_agg(sign_in::text, ' ') FROM sign_in WHERE account_id = :id", id=me.account_id)
    assert "203.0.113.7" not in kept
    assert "AppleWebKit" not in kept


def test_it_pages_newest_first_and_shows_nobody_elses(people):
    _, phone = people.register()
    _, other = people.register()
    replies = [sign_in(people, phone) for _ in range(4)]
    people.sign_in(other)
    me = people.session(replies[-1])
    seen, cursor = [], None
    while True:
        page = listed(people, me, limit=2, cursor=cursor)
        seen += page["items"]
        if not (cursor := page["next_cursor"]):
            break
    ids = [item["session_id"] for item in seen]
    assert ids[:4] == [str(people.session(reply).session_id) for reply in reversed(replies)]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)


def test_ended_and_idle_ones_are_not_listed(people):
    _, phone = people.register()
    gone = people.session(sign_in(people, phone))
    people.call("sign_out", {}, gone)
    people.pass_time(days=91)
    me = people.session(sign_in(people, phone))
    assert [item["session_id"] for item in listed(people, me)["items"]] == [str(me.session_id)]


def test_ending_one_stops_its_refreshing_and_voids_its_tokens(people):
    _, phone = people.register()
    lost, mine = sign_in(people, phone), sign_in(people, phone)
    me, thief = people.session(mine), people.session(lost)
    assert people.call("end_own_sign_in", {"session_id": str(thief.session_id)}, me) == {}
    with pytest.raises(NotAllowed, match="sign_in_again"):
        refresh(people, lost)
    assert refresh(people, mine)
    revoked = people.events("identity.access_revoked", me.account_id)[-1]
    assert revoked["session_id"] == str(thief.session_id)
    # Ended for good: also a token minted within its last moments is void.
    assert dt.datetime.fromisoformat(revoked["not_before"]) > people.clock.instant
    with pytest.raises(NotFound, match="session_unknown"):
        people.call("end_own_sign_in", {"session_id": str(thief.session_id)}, me)


def test_nobody_ends_another_persons(people):
    _, phone = people.register()
    _, other = people.register()
    theirs = people.sign_in(other)
    me = people.session(people.sign_in(phone))
    errors = []
    for session_id in (people.session(theirs).session_id, uuid.uuid4()):
        with pytest.raises(NotFound) as caught:
            people.call("end_own_sign_in", {"session_id": str(session_id)}, me)
        errors.append(caught.value.args)
    assert errors[0] == errors[1]
    assert refresh(people, theirs)


def test_all_others_are_ended_and_this_one_is_spared(people):
    _, phone = people.register()
    others = [sign_in(people, phone) for _ in range(3)]
    mine = sign_in(people, phone)
    assert people.call("end_other_sign_ins", {}, people.session(mine)) == {"ended": 4}  # and that of the registration
    for reply in others:
        with pytest.raises(NotAllowed):
            refresh(people, reply)
    assert refresh(people, mine)
    assert people.call("end_other_sign_ins", {}, people.session(mine)) == {"ended": 0}


def test_a_service_and_a_visitor_have_no_sign_ins(people, a_service):
    for caller in (anonymous(), a_service("learning")):
        for method in ("list_sign_ins", "end_other_sign_ins"):
            with pytest.raises(NotAllowed):
                people.call(method, {}, caller)


def test_a_token_of_a_stranger_with_my_sign_in_sees_nothing_of_mine(people):
    actor, phone = people.register()
    me = people.session(people.sign_in(phone))
    stranger = dataclasses.replace(Actor(kind=Kind.PERSON, account_id=uuid.uuid4()), session_id=me.session_id)
    assert listed(people, stranger)["items"] == []
    assert people.call("end_other_sign_ins", {}, stranger) == {"ended": 0}
    assert len(listed(people, me)["items"]) == 2
    assert actor.account_id == me.account_id
