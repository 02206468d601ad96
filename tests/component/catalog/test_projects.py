"""Projects of special training: who keeps and sees them, what may still change, and every refused transition."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from services.catalog import contract
from services.shared.actor import ANONYMOUS, Actor, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.catalog.conftest import Ground
from tests.conftest import person

BEFORE, APPLYING, TRAINING, OVER = (
    "2026-01-10T10:00:00+08:00",
    "2026-02-05T10:00:00+08:00",
    "2026-03-05T10:00:00+08:00",
    "2026-04-01T00:00:00+08:00",
)


class Board:
    """A city of the test's own, its centre, a district, and an institution that holds projects."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.city = f"CN/450000/{new_id().hex[-6:]}"
        self.district = f"{self.city}/450102"
        self.centre = person(None, (Role.CITY_CENTRE, self.city))
        self.college = ground.unit(f"{self.city}/college", "教育学院")

    def content(self, **changes: Any) -> dict[str, Any]:
        return {
            "title": "骨干教师专项培训",
            "level": "NATIONAL",
            "project_type": "中小学教师信息技术应用能力培训",
            "course_type": "FACE_TO_FACE",
            "funding": "财政经费",
            "hour_type": "PROFESSIONAL",
            "amount": "24",
            "subject": "小学语文",
            "institution_unit_id": self.college["unit_id"],
            "venue": "教育学院一号楼",
            "starts_on": "2026-03-01",
            "ends_on": "2026-03-31",
            "applies_from": "2026-02-01T00:00:00+08:00",
            "applies_until": "2026-02-20T00:00:00+08:00",
            "capacity": 30,
            "conditions": "教龄三年以上",
            **changes,
        }

    def draft(self, place: str = "", actor: Actor | None = None, **changes: Any) -> dict[str, Any]:
        wanted = {"place": place or self.city, **self.content(**changes)}
        made: dict[str, Any] = self.ground.call("create_training_project", wanted, actor or self.centre)
        return made

    def published(self, **changes: Any) -> dict[str, Any]:
        return self.act("publish_training_project", self.draft(**changes))

    def act(self, method: str, project: dict[str, Any], actor: Actor | None = None, **more: Any) -> dict[str, Any]:
        key = {"project_id": project["project_id"], "version": project["version"], **more}
        moved: dict[str, Any] = self.ground.call(method, key, actor or self.centre)
        return moved

    def change(self, project: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return self.act("change_training_project", project, **self.content(**changes))

    def titles(self, place: str = "") -> list[str]:
        asked = {"place": place or self.district}
        return [each["title"] for each in self.ground.call("list_training_projects", asked, ANONYMOUS)["items"]]

    def told(self, project: dict[str, Any]) -> list[dict[str, Any]]:
        return self.ground.told(contract.projects.PROJECT_CHANGED, "project_id", project["project_id"])


@pytest.fixture
def board(ground: Ground) -> Board:
    ground.at(BEFORE)
    return Board(ground)


def test_a_project_is_told_whole_from_its_publication_on(board: Board) -> None:
    project = board.draft()
    assert (project["state"], project["institution_name"], board.told(project)) == ("DRAFT", "教育学院", [])
    changed = board.change(project, title="名师专项培训")
    assert (changed["version"], board.told(project)) == (2, [])
    published = board.act("publish_training_project", changed)
    [told] = board.told(project)
    assert (published["state"], told["version"], told["title"]) == ("PUBLISHED", 3, "名师专项培训")
    assert (told["place_id"], told["shown_at"], told["amount"], told["unit"]) == (
        board.city,
        board.city,
        "24.00",
        "HOUR",
    )
    assert told["institution_place"] == board.college["place"]
    withdrawn = board.act("withdraw_training_project", published, reason="经费未到位")
    assert [each["state"] for each in board.told(project)] == ["PUBLISHED", "WITHDRAWN"]
    assert [row.action for row in board.ground.audited(withdrawn["project_id"])] == [
        "create_training_project", "change_training_project", "publish_training_project", "withdraw_training_project",
    ]  # fmt: skip


def test_a_draft_that_was_withdrawn_nobody_has_heard_of(board: Board) -> None:
    project = board.act("withdraw_training_project", board.draft(), reason="重复")
    assert board.told(project) == []
    with pytest.raises(NotFound, match=r"catalog\.project_unknown"):
        board.ground.call("get_training_project", {"project_id": project["project_id"]}, ANONYMOUS)


def test_published_projects_are_on_the_wall_of_their_region_until_they_end(board: Board) -> None:
    board.draft(title="草稿")
    board.published()
    keeper = person(None, (Role.TRAINING_INSTITUTION, board.college["place"]))
    own = board.draft(board.college["place"], keeper, title="学院自办")
    board.act("publish_training_project", own, keeper)
    assert board.titles() == ["学院自办", "骨干教师专项培训"]
    assert board.titles(f"CN/450000/{new_id().hex[-6:]}") == []
    shown = board.ground.call("get_training_project", {"project_id": own["project_id"]}, ANONYMOUS)
    assert shown["shown_at"] == board.city
    board.ground.at(OVER)
    assert board.titles() == []


def test_drafts_are_seen_by_their_keeper_alone(board: Board) -> None:
    project = board.draft()
    key = {"project_id": project["project_id"]}
    assert board.ground.call("get_kept_training_project", key, board.centre)["title"] == "骨干教师专项培训"
    with pytest.raises(NotFound, match=r"catalog\.project_unknown"):
        board.ground.call("get_training_project", key, ANONYMOUS)
    for stranger in (
        person(None, (Role.CITY_CENTRE, "CN/440000/440100")),
        person(None, (Role.DISTRICT_INSTITUTION, board.district)),
    ):
        with pytest.raises(NotFound, match=r"catalog\.project_unknown"):
            board.ground.call("get_kept_training_project", key, stranger)
        with pytest.raises(NotFound, match=r"catalog\.project_unknown"):
            board.act("publish_training_project", project, stranger)
    kept = board.ground.call("list_kept_training_projects", {"place": board.city, "state": "DRAFT"}, board.centre)
    assert [each["project_id"] for each in kept["items"]] == [project["project_id"]]


def test_a_project_is_kept_where_its_keeper_stands(board: Board) -> None:
    with pytest.raises(NotAllowed, match=r"catalog\.keeper_elsewhere"):
        board.draft(board.district)
    with pytest.raises(NotFound, match=r"catalog\.keeper_elsewhere"):
        board.draft("CN/440000/440100")
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        board.draft(actor=person(None, (Role.CITY_ADMIN, board.city)))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"applies_until": "2026-02-01T00:00:00+08:00"}, "catalog.project_window", "applies_until"),
        ({"applies_until": "2026-03-01T00:00:01+08:00"}, "catalog.project_window", "applies_until"),
        ({"ends_on": "2026-02-28"}, "catalog.project_window", "ends_on"),
        ({"institution_unit_id": str(new_id())}, "catalog.unit_unknown", "institution_unit_id"),
        ({"hour_type": "PUBLIC"}, "shared.invalid", "hour_type"),
        ({"hour_type": "SCHOOL_BASED"}, "shared.invalid", "hour_type"),
        ({"course_type": "SCHOOL_BASED"}, "shared.invalid", "course_type"),
        ({"amount": "0"}, "shared.invalid", "amount"),
        ({"amount": "1.005"}, "shared.invalid", "amount"),
        ({"capacity": 0}, "shared.invalid", "capacity"),
        ({"audience": {"place_ids": ["CN/440000"]}}, "catalog.audience_outside", "audience.place_ids"),
        ({"audience": {"school_ids": [str(uuid.uuid4())]}}, "catalog.unit_unknown", "audience.school_ids"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(board: Board, changes: Any, code: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        board.draft(**changes)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_the_unit_must_stand_in_the_keepers_region(board: Board) -> None:
    elsewhere = board.ground.unit("CN/440000/440300/college")
    with pytest.raises(InvalidInput, match=r"catalog\.unit_unknown"):
        board.draft(institution_unit_id=elsewhere["unit_id"])


def test_applications_that_are_over_cannot_be_published(board: Board) -> None:
    project = board.draft()
    board.ground.at("2026-02-20T00:00:00+08:00")
    with pytest.raises(InvalidInput, match=r"catalog\.project_past"):
        board.act("publish_training_project", project)


def test_until_applications_begin_everything_may_change(board: Board) -> None:
    project = board.published()
    changed = board.change(
        project, amount="30", hour_type="OWN_CHOICE", capacity=10, applies_from="2026-01-20T00:00:00+08:00"
    )
    assert (changed["amount"], changed["capacity"], len(board.told(project))) == ("30.00", 10, 2)
    same = board.change(
        changed, amount="30", hour_type="OWN_CHOICE", capacity=10, applies_from="2026-01-20T00:00:00+08:00"
    )
    assert (same["version"], len(board.told(project))) == (changed["version"], 2)
    with pytest.raises(InvalidInput) as refused:
        board.change(changed, applies_from="2026-01-05T00:00:00+08:00")
    assert (refused.value.code, refused.value.field) == ("catalog.project_past", "applies_from")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "30"}, "amount"),
        ({"hour_type": "OWN_CHOICE"}, "hour_type"),
        ({"conditions": "教龄五年以上"}, "conditions"),
        ({"audience": {"subjects": ["语文"]}}, "audience"),
        ({"capacity": 29}, "capacity"),
    ],
)
def test_what_teachers_applied_for_stays(board: Board, changes: Any, field: str) -> None:
    project = board.published()
    board.ground.at(APPLYING)
    with pytest.raises(Conflict) as refused:
        board.change(project, **changes)
    assert (refused.value.code, refused.value.field) == ("catalog.project_applied", field)


def test_while_teachers_apply_there_may_be_more_places_and_other_days(board: Board) -> None:
    project = board.published()
    board.ground.at(APPLYING)
    more = board.change(
        project, capacity=40, venue="网络", ends_on="2026-04-10", applies_until="2026-02-25T00:00:00+08:00"
    )
    assert (more["capacity"], more["ends_on"], more["venue"]) == (40, "2026-04-10", "网络")
    unlimited = board.change(more, capacity=None, venue="网络", ends_on="2026-04-10")
    assert unlimited["capacity"] is None
    board.ground.at("2026-04-05T00:00:00+08:00")
    with pytest.raises(InvalidInput) as refused:
        board.change(unlimited, capacity=None, ends_on="2026-03-31")
    assert (refused.value.code, refused.value.field) == ("catalog.project_past", "ends_on")


def test_after_its_last_day_a_project_stays_as_it_is(board: Board) -> None:
    project = board.published()
    board.ground.at(OVER)
    with pytest.raises(Conflict, match=r"catalog\.project_over"):
        board.change(project, title="改名")
    with pytest.raises(Conflict, match=r"catalog\.project_over"):
        board.act("withdraw_training_project", project, reason="取消")


def test_refused_transitions(board: Board) -> None:
    published = board.published()
    with pytest.raises(Conflict, match=r"catalog\.project_state"):
        board.act("publish_training_project", published)
    with pytest.raises(Conflict, match=r"catalog\.project_version"):
        board.act("withdraw_training_project", {**published, "version": 1}, reason="取消")
    withdrawn = board.act("withdraw_training_project", published, reason="取消")
    for method, more in (
        ("publish_training_project", {}),
        ("withdraw_training_project", {"reason": "取消"}),
        ("change_training_project", board.content(title="改名")),
    ):
        with pytest.raises(Conflict, match=r"catalog\.project_state"):
            board.act(method, withdrawn, **more)


def test_an_institution_that_moves_takes_its_projects_along(board: Board) -> None:
    project = board.published()
    moved = f"{board.district}/{board.college['unit_id'][-12:]}"
    board.ground.tell_unit(board.college["unit_id"], moved, version=2, name="教育学院")
    assert [each["institution_place"] for each in board.told(project)] == [board.college["place"], moved]
