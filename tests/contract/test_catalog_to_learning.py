"""What the catalogue announces of the shipped season is what learning understands, and what learning announces of it is
what credits was promised. The services meet here only through their contracts and events.
"""

from __future__ import annotations

import pytest

from services.catalog import contract as catalog
from services.catalog.season_file import read_shipped_season
from services.catalog.service import CatalogService
from services.learning import contract as learning
from services.learning.service import LearningService
from services.learning.study.ingest import LearningIngest
from services.shared import clock
from services.shared.actor import service_actor
from services.shared.ids import new_id
from tests.conftest import person

pytestmark = pytest.mark.postgres


@pytest.fixture
def published(component, fixed_clock):
    """(learning, ingest, the payload that the catalogue announced)"""
    catalogue = component(CatalogService)
    catalogue.call("publish_programme", read_shipped_season("2023-winter"), service_actor("cli"))
    announced = catalogue.outbox(catalog.PROGRAMME_PUBLISHED)
    payload = [found for found in announced if found["code"] == "2023-winter"][-1]
    service = component(LearningService)
    service.deliver("on_programme_published", catalog.PROGRAMME_PUBLISHED, payload)
    return service, component(LearningIngest), payload


def enrolled(service, payload):
    teacher = person()
    profile = {
        "account_id": str(teacher.account_id),
        "version": 1,
        "complete": True,
        "segment": "PRIMARY",
        "subject": "",
    }
    service.deliver("on_profile_changed", "identity.profile_changed", profile)
    membership = {
        "teacher_id": str(teacher.account_id),
        "version": 1,
        "state": "PENDING",
        "school_id": str(new_id()),
        "school_name": "某小学",
        "place": "CN/440000/440100/440103/s0",
        "effective_at": "2023-01-01T00:00:00Z",
    }
    service.deliver("on_membership_changed", "org.membership_changed", membership)
    service.call("enrol", {"programme_id": payload["programme_id"]}, teacher)
    return teacher


def test_every_video_of_the_season_can_be_opened_as_it_was_published(published):
    service, _, payload = published
    teacher = enrolled(service, payload)
    videos = [video for course in payload["courses"] for video in course["videos"]]
    for video in videos:
        arguments = {"activity_id": video["activity_id"], "client_id": "device-one"}
        assert service.call("open_study_session", arguments, teacher)["duration_seconds"] == video["seconds"]
    progress = service.call("get_progress", {"programme_id": payload["programme_id"]}, teacher)
    shown = [(video["key"], len(video["quizzes"])) for course in progress["courses"] for video in course["videos"]]
    assert shown == [(video["key"], len(video["quizzes"])) for video in videos]


def test_a_snapshot_of_the_season_keeps_the_contract(published, fixed_clock):
    service, ingest, payload = published
    teacher = enrolled(service, payload)
    video = payload["courses"][0]["videos"][0]
    opened = service.call(
        "open_study_session", {"activity_id": video["activity_id"], "client_id": "device-one"}, teacher
    )
    fixed_clock.instant = fixed_clock.instant.replace(minute=fixed_clock.instant.minute + 5)
    report = {
        "kind": "report",
        "study_session_id": opened["study_session_id"],
        "seq": 1,
        "segments": [[0, 300]],
        "received_at": clock.format_instant(fixed_clock.instant),
    }
    ingest.deliver_batch("record_segments", [report], events=False)
    announced = service.outbox(learning.COURSE_PROGRESSED)
    [snapshot] = [found for found in announced if found["teacher_id"] == str(teacher.account_id)]
    assert learning.EVENTS[learning.COURSE_PROGRESSED]().validate(snapshot) == {}
    assert snapshot["course_id"] == payload["courses"][0]["course_id"]
    [shown] = snapshot["videos"]
    assert (shown["duration_seconds"], shown["seen"], shown["countable"]) == (video["seconds"], [[0, 300]], [[0, 300]])
    assert [quiz["at_seconds"] for quiz in shown["quizzes"]] == [quiz["at_seconds"] for quiz in video["quizzes"]]
