"""Hours of special training in the ledger: once, in the year of the training's last day, and back again when it is turned over."""

from __future__ import annotations

import pytest

from services.learning import contract as learning
from services.shared.ids import new_id
from tests.component.credits.conftest import membership, told
from tests.conftest import person

GUANGZHOU = "CN/440000/440100"


@pytest.fixture
def result(recognition):
    """`result(teacher, application_id, passed, version)`: what learning tells of it."""

    def tell(teacher, application_id, passed=True, version=1, **changes):
        payload = {
            "application_id": str(application_id),
            "version": version,
            "teacher_id": str(teacher.account_id),
            "project_id": str(new_id()),
            "title": "骨干教师专项培训",
            "passed": passed,
            "amount": "24.00",
            "unit": "HOUR",
            "hour_type": "PROFESSIONAL",
            "course_type": "FACE_TO_FACE",
            "year": 2023,
            "place": GUANGZHOU,
            "graded_on": "2023-12-30",
            **changes,
        }
        recognition.deliver("on_training_graded", *told(learning.special_training.TRAINING_GRADED, payload))

    return tell


@pytest.fixture
def entries(credits_service):
    def rows(teacher):
        items = credits_service.call("list_ledger", {"limit": 100}, teacher)["items"]
        return [item for item in reversed(items) if item["source_ref"].startswith("training:")]

    return rows


@pytest.fixture
def cantonese(recognition, at):
    """A teacher in Guangzhou, whose years count in hours."""
    actor = person()
    recognition.deliver("on_membership_changed", *membership(actor.account_id, f"{GUANGZHOU}/440103/s1"))
    return actor


def state_of(recognition, application_id):
    from services.credits.grades.models import TrainingResult

    with recognition.database.work() as db:
        return db.query(TrainingResult).filter_by(application_id=application_id).one().state


def test_24_hours_of_professional_training_count_in_their_year_once(
    recognition, cantonese, result, entries, verification
):
    """W32: entered on 30 December, 专业 +24 in that year."""
    application_id = new_id()
    for _ in range(3):  # the same result under new event ids
        result(cantonese, application_id)
    [entry] = entries(cantonese)
    assert (entry["source_kind"], entry["amount"], entry["unit"], entry["year"]) == ("SPECIAL", "24.00", "HOUR", 2023)
    assert (entry["hour_type"], entry["training_form"]) == ("专业科目", "集中培训")
    assert "骨干教师专项培训" in entry["explanation"]["why"]
    assert state_of(recognition, application_id) == "ENTERED"
    assert verification(cantonese)["verification"]["amounts"]["专业科目"] == "24.00"


def test_where_the_pack_counts_in_credits_hours_are_converted_and_credits_stay(teacher, result, entries, verification):
    """GX.SPECIAL.EX: a project grants 20 credits; GX.TOTAL: 3 hours make one."""
    guangxi = {"hour_type": "PUBLIC_COMPULSORY", "place": "CN/450000"}
    result(teacher, new_id(), **guangxi)
    result(teacher, new_id(), amount="20.00", unit="CREDIT", **guangxi)
    found = [(entry["amount"], entry["unit"], entry["hour_type"]) for entry in entries(teacher)]
    assert found == [("8.00", "CREDIT", "公共必修"), ("20.00", "CREDIT", "公共必修")]
    assert verification(teacher)["verification"]["amounts"]["集中培训"] == "28.00"


def test_credits_where_the_pack_counts_in_hours_wait_for_an_act_of_conversion(cantonese, result, entries, verification):
    result(cantonese, new_id(), amount="20.00", unit="CREDIT", hour_type="PUBLIC_COMPULSORY")
    [entry] = entries(cantonese)
    assert (entry["amount"], entry["unit"], entry["source_kind"]) == ("20.00", "CREDIT", "SPECIAL")
    assert verification(cantonese)["verification"]["total"] == "0.00"


def test_a_result_turned_over_is_a_reversal_and_turned_again_the_next_turn(cantonese, result, entries, verification):
    application_id = new_id()
    for version, passed in enumerate((True, False, True), start=1):
        result(cantonese, application_id, passed, version)
    assert [each["amount"] for each in entries(cantonese)] == ["24.00", "-24.00", "24.00"]
    result(cantonese, application_id, passed=False, version=2)  # old news
    assert verification(cantonese)["verification"]["total"] == "24.00"


def test_a_fail_brings_nothing(recognition, cantonese, result, entries):
    application_id = new_id()
    result(cantonese, application_id, passed=False)
    assert (entries(cantonese), state_of(recognition, application_id)) == ([], "NOTHING")


def test_a_course_and_a_training_of_one_id_are_two_sources(cantonese, result, entries):
    application_id = new_id()
    result(cantonese, application_id)
    result(cantonese, new_id())
    assert len(entries(cantonese)) == 2
