"""Links to certificates: unguessable, kept as a hash, limited in time and number, taken back, and on record."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from services.certs.shares.rules import MOST_LIVE
from services.identity.contract import person as identity
from services.shared.actor import ANONYMOUS, Role
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.certs.conftest import COUNTY
from tests.component.certs.test_corrections import (  # noqa: F401  fixtures
    act_on,
    approver,
    issue,
    propose,
    proposer,
)
from tests.component.certs.test_persons import merge
from tests.conftest import person


def share(season, teacher, certificate_id, days=7, **options):
    asked = {"certificate_id": certificate_id, "days": days}
    return season.certs.call("share_certificate", asked, person(teacher), **options)


def shown(season, token):
    return season.certs.call("open_share", {"token": token}, ANONYMOUS)


def listed(season, teacher, certificate_id):
    return season.certs.call("list_shares", {"certificate_id": certificate_id}, person(teacher))["items"]


def closed(season, token):
    with pytest.raises(NotFound, match=r"certs\.share_unknown"):
        shown(season, token)


def test_a_link_shows_the_name_in_full_and_the_pdf(season, issue, render):  # noqa: F811
    [(teacher, certificate_id)] = issue("张小明")
    link = share(season, teacher, certificate_id)
    assert link["url"].endswith(f"/shared/{link['token']}")
    assert len(link["token"]) >= 43
    seen = shown(season, link["token"])
    assert (seen["holder_name"], seen["state"], seen["hours"]) == ("张小明", "VALID", "6.00")
    rendered = render.call("render_shared", {"token": link["token"]}, ANONYMOUS)
    own = render.call("render_certificate", {"certificate_id": certificate_id}, person(teacher))
    assert rendered == own
    [told] = listed(season, teacher, certificate_id)
    assert (told["opened"], told["live"]) == (1, True)
    assert "token" not in told


def test_the_table_holds_no_token_and_no_reply_is_kept(season, issue):  # noqa: F811
    [(teacher, certificate_id)] = issue("张小明")
    token = share(season, teacher, certificate_id, command_id="share-1")["token"]
    shown(season, token)
    with season.certs.database.work() as db:
        tables = db.scalars(sa.text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"))
        for table in tables.all():
            kept = db.execute(sa.text(f'SELECT t::text FROM "{table}" AS t')).scalars()
            assert not any(token in row or "张小明" in row for row in kept), table


def test_expired_and_taken_back_links_look_like_unknown_ones(season, issue, fixed_clock):  # noqa: F811
    [(teacher, certificate_id)] = issue("张小明")
    one, other = (share(season, teacher, certificate_id, days) for days in (1, 2))
    closed(season, "no such token")
    for _ in range(2):
        gone = season.certs.call("revoke_share", {"share_id": other["share_id"]}, person(teacher))
        assert not gone["live"]
    closed(season, other["token"])
    shown(season, one["token"])
    fixed_clock.instant += dt.timedelta(days=1)
    closed(season, one["token"])
    assert [each["live"] for each in listed(season, teacher, certificate_id)] == [False, False]


def test_links_are_the_holders_alone(season, issue):  # noqa: F811
    (teacher, certificate_id), (other, _) = issue("张小明", "李小红")
    link = share(season, teacher, certificate_id)
    head = person(new_id(), (Role.SCHOOL_ADMIN, f"{COUNTY}/s1"))
    for stranger in (person(other), head):
        with pytest.raises((NotFound, NotAllowed)):
            season.certs.call("share_certificate", {"certificate_id": certificate_id, "days": 1}, stranger)
        with pytest.raises((NotFound, NotAllowed)):
            season.certs.call("list_shares", {"certificate_id": certificate_id}, stranger)
        with pytest.raises((NotFound, NotAllowed)):
            season.certs.call("revoke_share", {"share_id": link["share_id"]}, stranger)
    shown(season, link["token"])


@pytest.mark.parametrize("days", [0, 91, -1, "7", 1.5])
def test_how_long_is_limited(season, issue, days):  # noqa: F811
    [(teacher, certificate_id)] = issue("张小明")
    with pytest.raises(InvalidInput):
        share(season, teacher, certificate_id, days)


def test_how_many_are_limited_and_one_taken_back_makes_room(season, issue):  # noqa: F811
    [(teacher, certificate_id)] = issue("张小明")
    links = [share(season, teacher, certificate_id) for _ in range(MOST_LIVE)]
    with pytest.raises(LimitReached, match=r"certs\.too_many_shares"):
        share(season, teacher, certificate_id)
    season.certs.call("revoke_share", {"share_id": links[0]["share_id"]}, person(teacher))
    share(season, teacher, certificate_id)


def test_a_link_tells_of_a_revocation_and_prints_nothing_then(season, issue, proposer, approver, render):  # noqa: F811
    [(teacher, certificate_id)] = issue("张小明")
    link = share(season, teacher, certificate_id)
    act_on(season, "approve", propose(season, proposer, "REVOKE", certificate_id), approver)
    assert shown(season, link["token"])["state"] == "REVOKED"
    with pytest.raises(Conflict, match=r"certs\.already_revoked"):
        render.call("render_shared", {"token": link["token"]}, ANONYMOUS)
    with pytest.raises(Conflict, match=r"certs\.not_valid"):
        share(season, teacher, certificate_id)


def test_each_step_is_on_record(season, issue):  # noqa: F811
    [(teacher, certificate_id)] = issue("张小明")
    link = share(season, teacher, certificate_id)
    shown(season, link["token"])
    season.certs.call("revoke_share", {"share_id": link["share_id"]}, person(teacher))
    with season.certs.database.work() as db:
        acts = db.execute(
            sa.text("SELECT action FROM audit WHERE subject = :teacher AND refusal = '' ORDER BY at, action"),
            {"teacher": teacher},
        ).all()
    assert {act.action for act in acts} >= {"share_certificate", "open_share", "revoke_share"}


def test_an_erased_person_shares_nothing_and_a_merged_one_keeps_the_links(season, issue, render):  # noqa: F811
    (teacher, certificate_id), (kept, _) = issue("张小明", "张小明")
    link = share(season, teacher, certificate_id)
    merge(season, kept, teacher)
    assert [each["share_id"] for each in listed(season, kept, certificate_id)] == [link["share_id"]]
    payload = {"account_id": str(kept), "version": 4}
    assert identity.EVENTS[identity.PERSON_ERASED]().validate(payload) == {}
    render.deliver("on_person_erased", identity.PERSON_ERASED, payload, new_id())
    closed(season, link["token"])
