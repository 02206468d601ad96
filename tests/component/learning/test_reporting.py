"""From the reference client through the gateway to the recorded set, over networks and brokers that fail."""

from __future__ import annotations

import random

import pytest
import requests

from gateway.app import create_app
from gateway.blueprints import learning as blueprint
from services.shared import clock
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens
from yanxiu.client.study import RefusedError, StudyClient, StudyEndedError


class Network:
    """Stands in for requests.Session: carries requests to the gateway, and loses requests or answers."""

    def __init__(self, app, seed=0):
        self._client = app.test_client()
        self._random = random.Random(seed)
        self.loss = 0.0
        self.requests = 0

    def request(self, method, address, json=None, headers=None, timeout=None):
        self.requests += 1
        if self._random.random() < self.loss:
            raise requests.ConnectionError("the request was lost")
        answer = self._client.open(address.removeprefix("http://gateway"), method=method, json=json, headers=headers)
        if self._random.random() < self.loss:
            raise requests.ConnectionError("the answer was lost")
        response = requests.Response()
        response.status_code = answer.status_code
        response._content = answer.data
        return response


class Broker:
    """Delivers what the gateway published when told to; may lose all of it."""

    def __init__(self, world, bus):
        self._world, self._bus = world, bus

    def deliver(self):
        bodies = [published.body for published in self._bus.published]
        self._bus.published.clear()
        self._world.record(*bodies)

    def wipe(self):
        self._bus.published.clear()


@pytest.fixture
def stage(world, settings, keyring):
    """(client of one teacher, network, broker, video, teacher)"""
    bus = FakeBus(keyring)
    for method in ("open_study_session", "renew_play_token", "answer_quiz", "confirm_presence"):
        bus.answer(
            "learning", method, lambda arguments, actor, method=method: world.learning.call(method, arguments, actor)
        )
    app = create_app(settings, bus=bus, keyring=keyring, modules=[blueprint], limit_scale=1000)
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    network = Network(app)
    tokens = Tokens(keyring)
    client = StudyClient("http://gateway", lambda: tokens.make(teacher.account_id), network)
    yield client, network, Broker(world, bus), programme.activity_id("free", "v1"), teacher
    app.extensions["yanxiu"].revocations.stop()


def test_reports_are_kept_until_they_are_durable(world, stage):
    client, _, broker, activity_id, teacher = stage
    session = client.open(activity_id)
    for minute in range(3):
        world.wait(60)
        assert session.report((60 * minute, 60 * minute + 60))
    session.renew()
    assert len(session.journal.unconfirmed()) == 3
    broker.deliver()
    assert session.settle(timeout_seconds=5)
    assert world.watched(teacher, activity_id) == (((0, 180),), ((0, 180),))


def test_the_client_answers_prompts(stage):
    client, _, _, activity_id, _ = stage
    session = client.open(activity_id)
    assert session.opened["prompt_in_seconds"] is None
    assert session.confirm_presence() == {"study_session_id": session.study_session_id, "prompt_in_seconds": None}


def test_a_wiped_broker_costs_no_time(world, stage):
    client, _, broker, activity_id, teacher = stage
    session = client.open(activity_id)
    # Five reports, five minutes apart: longer in all than the silence limit, so the lost ones cannot lean on it.
    for number in range(5):
        world.wait(300)
        session.report((300 * number, 300 * number + 300))
        if number == 2:
            broker.wipe()
    broker.deliver()
    world.wait(1000)
    session.renew()
    assert [saved.seq for saved in session.journal.unconfirmed()] == [1, 2, 3, 4, 5]
    session.resend()
    broker.deliver()
    session.renew()
    assert session.is_durable()
    assert world.watched(teacher, activity_id) == (((0, 1500),), ((0, 1500),))


def test_a_network_that_loses_one_in_ten_costs_next_to_nothing(world, stage):
    # reliability.md S7: honest clients on a 10 % loss link keep at least 99.5 % of their time.
    client, network, broker, activity_id, teacher = stage
    session = client.open(activity_id)
    network.loss = 0.1
    for minute in range(45):
        world.wait(60)
        accepted = session.report((60 * minute, 60 * minute + 60))
        for _ in range(2):
            accepted = accepted or session.flush()
        broker.deliver()
    assert network.requests > 50
    network.loss = 0.0
    session.flush()
    broker.deliver()
    seen, countable = world.watched(teacher, activity_id)
    assert sum(end - begin for begin, end in countable) >= 0.995 * 2700
    assert seen == countable


def test_a_crashed_client_goes_on_from_its_journal(world, stage, tmp_path):
    client, network, broker, activity_id, teacher = stage
    session = client.open(activity_id, journal=tmp_path / "journal")
    world.wait(60)
    network.loss = 1.0
    assert not session.report((0, 60))
    network.loss = 0.0
    with (tmp_path / "journal").open("a") as journal:
        journal.write('{"event": "repo')  # the crash came in the middle of a line
    resumed = client.resume(tmp_path / "journal")
    assert [saved.segments for saved in resumed.journal.unconfirmed()] == [((0, 60),)]
    assert resumed.flush()
    broker.deliver()
    assert resumed.settle(timeout_seconds=5)
    assert world.watched(teacher, activity_id)[0] == ((0, 60),)
    again = client.resume(tmp_path / "journal")
    assert (again.is_durable(), again.journal.last_seq, again.journal.durable_seq) == (True, 1, 1)


def test_the_client_renews_an_expired_play_token_by_itself(world, stage):
    client, _, broker, activity_id, teacher = stage
    session = client.open(activity_id)
    world.wait(590)
    assert session.report((0, 590))
    world.wait(60)  # both tokens are past their ten minutes
    assert session.report((590, 650))
    broker.deliver()
    assert world.watched(teacher, activity_id)[0] == ((0, 650),)


def test_a_session_that_was_taken_over_ends_for_its_client(world, stage):
    client, _, broker, activity_id, teacher = stage
    session = client.open(activity_id)
    world.wait(60)
    session.report((0, 60))
    world.open(teacher, activity_id, "device-two", take_over=True)
    world.wait(601)
    with pytest.raises(StudyEndedError):
        session.report((60, 600))
    # What had been accepted needs no fresh token.
    broker.wipe()
    session.journal.make_durable(0)
    with pytest.raises(StudyEndedError):
        session.resend()
    broker.deliver()
    assert world.watched(teacher, activity_id)[0] == ((0, 60),)


def test_a_refusal_reaches_the_caller_with_its_code(stage):
    client, _, _, activity_id, _ = stage
    session = client.open(activity_id)
    with pytest.raises(RefusedError) as refusal:
        session.report((0, 99_999))
    assert refusal.value.code == "learning.segment_outside"


def test_an_answer_is_sent_after_what_was_watched_before_it(world, stage):
    client, network, broker, activity_id, teacher = stage
    programme_quiz = _quiz_of(world, activity_id)
    session = client.open(activity_id)
    world.wait(60)
    network.loss = 1.0
    session.report((0, 60))
    network.loss = 0.0
    assert session.answer(programme_quiz, ["第二门"])["right"]
    broker.deliver()
    assert world.watched(teacher, activity_id)[0] == ((0, 60),)
    assert (
        clock.format_instant(world.clock.instant)
        == world.snapshots(teacher)[-1]["videos"][0]["quizzes"][0]["answered_at"]
    )


def _quiz_of(world, activity_id):
    from services.learning.study import queries

    with world.learning.database.work() as db:
        return str(queries.get_video(db, activity_id).quizzes[0].quiz_id)
