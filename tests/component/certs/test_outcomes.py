"""Where teachers end: the worked examples of `domain.md` §4.9 that are about certificates, over a real database."""

import pytest

from services.certs.actions import deciding
from services.certs.models import Decision
from services.shared import clock
from services.shared.bus import NotYet
from services.shared.errors import NotFound
from services.shared.ids import new_id


@pytest.mark.parametrize(
    ("example", "hours", "done", "state", "reasons"),
    [
        ("W01", "6.00", 5, "ISSUED", []),
        ("W02", "4.00", 4, "NOT_EARNED", ["requirement_not_met", "courses_missing"]),
        ("W09", "5.00", 4, "NOT_EARNED", ["requirement_not_met", "courses_missing"]),
        ("W12", "5.00", 4, "NOT_EARNED", ["requirement_not_met", "courses_missing"]),
    ],
)
def test_hours_decide_once_the_season_is_over(season, a_person, example, hours, done, state, reasons):
    teacher = season.teacher(hours, done=done)
    assert season.standing_of(teacher, a_person)["state"] == "NOT_DUE"
    season.close()
    assert season.standing_of(teacher, a_person)["reasons"] == ["decision_pending"]
    season.decide()
    standing = season.standing_of(teacher, a_person)
    assert (standing["state"], standing["reasons"], standing["hours"]) == (state, reasons, hours)
    assert (standing["certificate_id"] is not None) == (state == "ISSUED")


def test_w10_blocked_until_verified_then_issued_by_itself(season, a_person, fixed_clock):
    teacher = season.teacher(state="PENDING")
    season.close()
    season.decide()
    standing = season.standing_of(teacher, a_person)
    assert (standing["state"], standing["reasons"], standing["hours"]) == ("BLOCKED", ["teacher_not_verified"], "6.00")
    [blocked] = season.events("certs.certificate_blocked")
    assert (blocked["teacher_id"], blocked["version"], blocked["reasons"]) == (
        str(teacher),
        1,
        ["teacher_not_verified"],
    )

    fixed_clock.instant = clock.parse_instant("2023-03-10T09:00:00+08:00")
    season.place(teacher, "VERIFIED")
    season.decide()
    standing = season.standing_of(teacher, a_person)
    assert (standing["state"], standing["decided_at"]) == ("ISSUED", "2023-03-10T01:00:00.000000Z")
    [issued] = season.events("certs.certificate_issued")
    assert (issued["certificate_id"], issued["version"]) == (standing["certificate_id"], 2)
    [certificate] = season.certs.call("list_certificates", {}, a_person(teacher))["items"]
    assert issued["number"] == certificate["number"]


def test_w11_the_certificate_names_the_school_that_verified_her(season, a_person):
    teacher = season.teacher(state="PENDING")
    season.place(teacher, "PENDING", "其他", "CN/440000/440100/440103/other")
    season.place(teacher, "PENDING", "新建实验学校")
    season.place(teacher, "VERIFIED", "新建实验学校")
    season.close()
    season.decide()
    [certificate] = season.certs.call("list_certificates", {}, a_person(teacher))["items"]
    assert (certificate["school_name"], certificate["hours"]) == ("新建实验学校", "6.00")
    season.place(teacher, "VERIFIED", "后来的学校")
    season.decide()
    [certificate] = season.certs.call("list_certificates", {}, a_person(teacher))["items"]
    assert certificate["school_name"] == "新建实验学校"


def test_nothing_is_decided_while_the_season_is_open(season, a_person):
    teacher = season.teacher()
    season.decide()
    standing = season.standing_of(teacher, a_person)
    assert (standing["state"], standing["reasons"], standing["hours"]) == ("NOT_DUE", ["season_open"], "6.00")
    assert season.directory.asked == []


def test_a_teacher_without_standing_learns_what_a_decision_would_be(season, a_person):
    assert season.standing_of(new_id(), a_person)["state"] == "NOT_DUE"
    season.close()
    standing = season.standing_of(new_id(), a_person)
    assert (standing["state"], standing["hours"]) == ("NOT_EARNED", "0.00")


def test_an_unknown_programme_is_not_found(certs, a_person):
    with pytest.raises(NotFound) as refused:
        certs.call("get_standing", {"programme_id": str(new_id())}, a_person())
    assert refused.value.code == "certs.programme_not_found"


def test_the_season_is_due_only_when_every_standing_has_arrived(season):
    season.teacher()
    for missing in ({"standings": 2}, {"version_sum": 2}):
        with pytest.raises(NotYet):
            season.close(**missing)
    season.decide()
    assert not season.events("certs.certificate_issued")
    season.close()
    season.decide()
    assert len(season.events("certs.certificate_issued")) == 1


def test_events_of_an_unknown_programme_wait(season):
    season.programme_id = new_id()
    with pytest.raises(NotYet):
        season.close()
    with pytest.raises(NotYet):
        season.deliver(
            "on_programme_closed",
            "catalog.programme_closed",
            {"programme_id": str(season.programme_id), "version": 2, "closes_at": "2023-02-28T16:00:00.000000Z"},
        )


def test_late_and_repeated_standings_change_nothing(season, a_person):
    teacher = season.teacher("5.00", done=4)
    stale = season.standing(teacher, "5.00", 4, met=False)
    season.recognise(teacher, "6.00")
    newest = season.standing(teacher, "6.00", 5, met=True)
    batch = [("credits.hours_recognised", payload) for payload in (newest, stale, stale, newest)]
    season.certs.deliver_batch("record_standings", batch, events=True)
    assert season.standing_of(teacher, a_person)["hours"] == "6.00"
    season.close()
    season.decide()
    assert season.standing_of(teacher, a_person)["state"] == "ISSUED"


def test_an_older_programme_version_does_not_overwrite_a_newer_one(season, a_person):
    season.publish(version=3, titles={"zh": "新名称", "en": "New title"})
    season.publish(version=2, titles={"zh": "旧名称", "en": "Old title"})
    teacher = season.teacher()
    season.close()
    season.decide()
    [certificate] = season.certs.call("list_certificates", {}, a_person(teacher))["items"]
    assert certificate["programme"]["title_zh"] == "新名称"


def test_a_correction_after_the_decision_lifts_a_teacher(season, a_person):
    teacher = season.teacher("5.00", done=4)
    season.close()
    season.decide()
    season.recognise(teacher, "6.00")
    season.decide()
    assert season.standing_of(teacher, a_person)["state"] == "ISSUED"


def test_a_correction_never_takes_a_certificate_away_by_itself(season, a_person):
    teacher = season.teacher()
    season.close()
    season.decide()
    season.recognise(teacher, "5.00", done=4, met=False)
    season.decide()
    standing = season.standing_of(teacher, a_person)
    assert (standing["state"], standing["reasons"]) == ("ISSUED", ["hours_corrected_later"])
    assert len(season.events("certs.certificate_issued")) == 1


def test_without_a_name_she_is_blocked_until_the_profile_is_complete(season, a_person):
    teacher = season.teacher()
    name = season.directory.names.pop(str(teacher))
    season.close()
    season.decide()
    assert season.standing_of(teacher, a_person)["reasons"] == ["holder_unknown"]
    season.directory.names[str(teacher)] = name
    season.deliver(
        "on_profile_changed",
        "identity.profile_changed",
        {"account_id": str(teacher), "version": 2, "complete": True, "segment": "", "subject": ""},
    )
    season.decide()
    assert season.standing_of(teacher, a_person)["state"] == "ISSUED"


def test_only_who_would_be_issued_one_has_the_text_looked_at(season, monkeypatch):
    looked_at = []
    real = deciding.fonts.unprintable
    monkeypatch.setattr(deciding.fonts, "unprintable", lambda text: looked_at.append(text) or real(text))
    season.teacher(name="甲得到")
    short = season.teacher("5.00", done=4, met=False, name="乙😀")
    season.close()
    season.decide()
    assert len(looked_at) == 1
    assert looked_at[0].startswith("甲得到")
    with season.certs.database.work() as db:
        decision = db.get(Decision, (season.programme_id, short, "LEARNING"))
        assert (decision.state, decision.reasons) == ("NOT_EARNED", ["requirement_not_met", "courses_missing"])
