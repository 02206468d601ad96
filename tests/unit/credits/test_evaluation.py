"""Documents for rule evaluation: the worked examples of `domain.md` §4.9 in the form that users write, and faulty ones."""

from __future__ import annotations

import copy
import json

import pytest
from click.testing import CliRunner

from services.credits.evaluation import EvaluationError, evaluate_document
from yanxiu.commands.rules import command

BEIJING = "+08:00"
AFTER = "2023-03-01T00:00:00+08:00"


def beijing(text):
    return f"{text}{BEIJING}"


def video(course, name, minutes, *, watched=None, at="2023-02-01T12:00:00", quiz=None, answered="2023-02-01T10:00:00"):
    """A video of `minutes`, watched to the minute `watched` (whole by default); `quiz`: the minute of its quiz."""
    end = int((minutes if watched is None else watched) * 60)
    quizzes = [{"at_seconds": quiz * 60, "answered_at": beijing(answered) if answered else None}] if quiz else []
    return {
        "course": course,
        "video": name,
        "duration_seconds": minutes * 60,
        "quizzes": quizzes,
        "watched": [{"from": 0, "to": end, "at": beijing(at)}] if end else [],
    }


def season(videos, pack="smartedu-2023-winter", as_of=AFTER, verified="2023-01-06T09:00:00+08:00", score=None):
    exam = {"score": score} if score else None
    document = {"kind": "season", "pack": pack, "as_of": as_of, "verified_at": verified, "videos": videos, "exam": exam}
    return evaluate_document(document)


def w01(**changes):
    courses = {
        "party20": [video("party20", "v1", 60, quiz=20), video("party20", "v2", 35)],
        "live_safety": [video("live_safety", "v1", 45)],
        "course_c": [video("course_c", "v1", 46, quiz=10)],
        "course_d": [video("course_d", "v1", 50, quiz=10)],
        "course_e": [video("course_e", "v1", 60, quiz=30)],
        **changes,
    }
    return [each for videos in courses.values() for each in videos]


def hours_of(answer):
    return {course["course"]: course["hours"] for course in answer["courses"]}


def reasons_of(answer, course):
    return next(each["reasons"] for each in answer["courses"] if each["course"] == course)


# --- seasons ------------------------------------------------------------------------------------------------------------


def test_w01():
    answer = season(w01())
    assert (answer["hours"], answer["certificate"]) == ("6.00", "ISSUED")
    first = answer["courses"][0]
    assert (first["course"], first["studied_seconds"], first["counted_seconds"], first["hours"], first["reasons"]) == (
        ("party20", 5700, 5700, "2.00", [])
    )
    line = answer["trace"][0]
    assert (line["rule_id"], line["before"], line["after"]) == ("SW23.PARTY20", "0.00", "2.00")


def test_w02():
    videos = w01(party20=[video("party20", "v1", 60), video("party20", "v2", 29)])
    answer = season(videos)
    assert (answer["hours"], answer["certificate"]) == ("4.00", "NOT_EARNED")
    assert reasons_of(answer, "party20") == ["below_threshold"]
    stepwise = season(videos, pack="smartedu-2023-winter-step")
    assert (stepwise["hours"], stepwise["certificate"]) == ("5.00", "NOT_EARNED")


def test_w03():
    videos = [video("course_c", "v1", 20), video("course_c", "v2", 15)]
    videos.append(video("course_c", "v3", 15, quiz=10, answered=None))
    answer = season(videos)
    assert answer["hours"] == "0.00"
    assert reasons_of(answer, "course_c") == ["quiz_unanswered", "below_threshold"]


def test_w04():
    others = [video("course_c", "v2", 15), video("course_c", "v3", 15)]
    quizzed = video("course_c", "v1", 15, watched=12, quiz=10)
    answer = season([quizzed, *others])
    assert answer["hours"] == "0.00"
    assert reasons_of(answer, "course_c") == ["remainder_unwatched", "below_threshold"]
    quizzed["watched"].append({"from": 720, "to": 900, "at": beijing("2023-02-02T08:00:00")})
    assert season([quizzed, *others])["hours"] == "1.00"


def test_w05_w06_w07_w08():
    unquizzed = video("live_safety", "v1", 45, quiz=10, answered=None)
    assert season([unquizzed])["hours"] == "1.00"
    long = season(w01(party20=[video("party20", f"v{n}", 60, at=f"2023-02-0{n}T12:00:00") for n in range(1, 6)]))
    assert (long["hours"], long["courses"][0]["studied_seconds"]) == ("6.00", 18000)
    assert reasons_of(long, "party20") == ["cap_reached"]
    short = video("course_c", "v1", 60)
    short["watched"] = [{"from": 0, "to": 2699, "at": beijing("2023-02-01T12:00:00")}]
    assert season([short])["hours"] == "0.00"
    short["watched"][0]["to"] = 2700
    assert season([short])["hours"] == "1.00"
    twice = video("course_c", "v1", 30)
    twice["watched"].append({"from": 0, "to": 1800, "at": beijing("2023-02-03T12:00:00")})
    answer = season([twice])
    assert (answer["hours"], answer["courses"][2]["studied_seconds"]) == ("0.00", 1800)


def test_w09_the_second_after_the_close_is_seen_and_does_not_count():
    late = video("course_e", "v1", 60)
    late["watched"] = [
        {"from": 0, "to": 2699, "at": beijing("2023-02-28T23:59:59")},
        {"from": 2699, "to": 2700, "at": beijing("2023-03-01T00:00:01")},
    ]
    answer = season(w01(course_e=[late]), as_of=beijing("2023-03-01T00:00:01"))
    assert (answer["hours"], answer["certificate"]) == ("5.00", "NOT_EARNED")
    course = answer["courses"][4]
    assert (course["studied_seconds"], course["counted_seconds"]) == (2700, 2699)
    assert course["reasons"] == ["outside_window", "below_threshold"]


def test_w10_w11_w12():
    assert season(w01(), verified=None)["certificate"] == "BLOCKED"
    verified_later = "2023-03-10T09:00:00+08:00"
    assert season(w01(), verified=verified_later)["certificate"] == "BLOCKED"
    assert season(w01(), verified=verified_later, as_of=verified_later)["certificate"] == "ISSUED"
    incomplete = season(w01(course_d=[]), verified=None)
    assert (incomplete["hours"], incomplete["certificate"]) == ("5.00", "NOT_EARNED")
    assert reasons_of(incomplete, "course_d") == ["not_started"]


def summer(**hours):
    videos = [
        video(course, f"v{n}", 45, watched=min(45, 45 * (amount - n)), at=f"2026-07-1{n}T12:00:00")
        for course, amount in hours.items()
        for n in range(int(amount + 0.999))
    ]
    return season(videos, pack="smartedu-2026-summer", as_of=beijing("2026-09-01T00:00:00"))


def test_w13_w14():
    answer = summer(digital=3.5, educator_spirit=2, science=1, mental_health=0.5, aesthetic=4)
    assert hours_of(answer) == {
        "digital": "3.00",
        "educator_spirit": "2.00",
        "science": "1.00",
        "mental_health": "0.50",
        "aesthetic": "3.50",
    }
    assert (answer["hours"], answer["certificate"]) == ("10.00", "ISSUED")
    assert reasons_of(answer, "digital") == ["cap_reached"]
    assert reasons_of(answer, "aesthetic") == ["cap_reached"]
    only = summer(digital=6)
    assert (only["hours"], only["courses"][0]["studied_seconds"]) == ("3.00", 6 * 2700)


def putian(score, practice_seconds=67_500):
    seconds = {"public": 45_900, "professional": 37_800, "practice": practice_seconds}
    videos = [
        {
            "course": module,
            "video": "v1",
            "duration_seconds": total,
            "quizzes": [],
            "watched": [{"from": 0, "to": total, "at": beijing("2026-05-01T12:00:00")}],
        }
        for module, total in seconds.items()
    ]
    return season(videos, pack="putian-2026-50h", as_of=beijing("2027-01-01T00:00:00"), score=score)


def test_w15_w16():
    passed = putian("60")
    assert hours_of(passed) == {"public": "16.00", "professional": "14.00", "practice": "20.00"}
    assert (passed["hours"], passed["certificate"]) == ("50.00", "ISSUED")
    assert (putian("59")["hours"], putian("59")["certificate"]) == ("50.00", "NOT_EARNED")
    assert putian(None)["certificate"] == "NOT_EARNED"


def test_of_putian_only_whole_videos_count():
    almost = video("public", "v1", 60, at="2026-05-01T12:00:00")
    almost["watched"][0]["to"] -= 1
    answer = season([almost], pack="putian-2026-50h", as_of=beijing("2027-01-01T00:00:00"))
    assert (answer["hours"], reasons_of(answer, "public")) == ("0.00", ["video_incomplete"])


def test_a_piece_that_straddles_an_instant_counts_in_part():
    straddling = video("course_c", "v1", 60)
    straddling["watched"] = [{"from": 0, "to": 600, "at": beijing("2023-01-05T00:01:00")}]
    opening = season([straddling])["courses"][2]
    assert (opening["studied_seconds"], opening["counted_seconds"]) == (600, 60)
    straddling["watched"] = [{"from": 0, "to": 600, "at": beijing("2023-03-01T00:01:00")}]
    closing = season([straddling], as_of=beijing("2023-03-02T00:00:00"))["courses"][2]
    assert (closing["studied_seconds"], closing["counted_seconds"]) == (600, 540)
    straddling["watched"] = [{"from": 0, "to": 600, "at": beijing("2023-02-01T12:00:00")}]
    so_far = season([straddling], as_of=beijing("2023-02-01T11:59:00"))["courses"][2]
    assert (so_far["studied_seconds"], so_far["counted_seconds"]) == (540, 540)


def test_a_piece_across_a_quiz_satisfies_the_gate_from_the_answer_on():
    # 0-900 played until 12:15; the quiz at 600 was met at 12:10 and answered at 12:12: 600-720 came before its answer.
    crossing = video("course_c", "v1", 15, at="2023-02-01T12:15:00", quiz=10, answered="2023-02-01T12:12:00")
    refused = season([crossing])
    assert reasons_of(refused, "course_c") == ["remainder_unwatched", "below_threshold"]
    crossing["watched"].append({"from": 600, "to": 720, "at": beijing("2023-02-01T12:20:00")})
    assert season([crossing])["courses"][2]["counted_seconds"] == 900


def test_what_comes_after_as_of_is_not_there_yet():
    later = w01(course_e=[video("course_e", "v1", 60, quiz=30, answered="2023-02-20T10:00:00")])
    answer = season(later, as_of=beijing("2023-02-10T00:00:00"))
    assert (answer["certificate"], reasons_of(answer, "course_e")) == (
        "NOT_DUE",
        ["quiz_unanswered", "below_threshold"],
    )


def test_an_answer_after_the_close_is_none():
    late = video("course_c", "v1", 50, quiz=10, answered="2023-03-01T00:00:00")
    answer = season([late], as_of=beijing("2023-03-02T00:00:00"))
    assert reasons_of(answer, "course_c") == ["quiz_unanswered", "below_threshold"]


# --- ledgers ------------------------------------------------------------------------------------------------------------


def entry(year, form, amount, **more):
    return {"year": year, "unit": "CREDIT", "amount": str(amount), "training_form": form, **more}


def ledger(entries, pack="guangxi-2016", years=(2021, 2022, 2023, 2024, 2025)):
    return evaluate_document({"kind": "ledger", "pack": pack, "years": list(years), "entries": entries})


def each_year(**amounts):
    names = {"school": "校本研修", "central": "集中培训", "remote": "远程培训"}
    return [entry(year, names[form], amount) for year in range(2021, 2026) for form, amount in amounts.items()]


def lacks(span):
    return {(lack["rule_id"], lack["measure"], lack["missing"]) for lack in span["shortfalls"]}


def test_w17():
    answer = ledger(each_year(school=10, central=6, remote=8))
    assert (answer["cycle"]["met"], answer["cycle"]["total"], answer["cycle"]["shortfalls"]) == (True, "120.00", [])
    assert [(year["year"], year["met"], year["total"]) for year in answer["years"]] == [
        (year, True, "24.00") for year in range(2021, 2026)
    ]
    assert answer["cycle"]["amounts"] == {"集中培训": "30.00", "远程培训": "40.00", "校本研修": "50.00"}


def test_w18():
    answer = ledger(each_year(school=10, remote=6))
    assert all(year["met"] for year in answer["years"])
    assert lacks(answer["cycle"]) == {("GX.TOTAL", "total", "40.00"), ("GX.FORM", "集中培训+远程培训", "40.00")}


def test_w19():
    answer = ledger([entry(2021, "校本研修", 8), entry(2021, "远程培训", 12)])
    first = answer["years"][0]
    assert (first["met"], first["total"], lacks(first)) == (False, "20.00", {("GX.YEAR", "校本研修", "2.00")})


def test_w20_w21():
    split = ledger([entry(2021, "校本研修", 70), entry(2021, "集中培训", 20), entry(2022, "远程培训", 30)])
    assert lacks(split["cycle"]) == {("GX.FORM", "集中培训+远程培训", "20.00")}
    entries = [entry(2021, "集中培训", 20), entry(2022, "远程培训", 50), entry(2023, "校本研修", 50)]
    assert ledger(entries)["cycle"]["met"]
    county = ledger(entries, pack="guangxi-2016-county")
    assert lacks(county["cycle"]) == {
        ("GX.FORM", "集中培训+远程培训", "10.00"),
        ("GX.FORM.SPLIT", "集中培训", "10.00"),
    }
    assert ("GX.FORM.REMOTE", "50.00", "40.00") in [(s["rule_id"], s["before"], s["after"]) for s in county["trace"]]


def test_w22_a_surplus_does_not_enter_the_next_cycle():
    assert ledger([], years=[2021])["cycle"]["total"] == "0.00"
    with pytest.raises(EvaluationError, match=r"entries\.0\.year: 2020 is not among the years of the cycle"):
        ledger([entry(2020, "校本研修", 130)])


def test_w23_probation_counts_nowhere():
    answer = ledger([entry(2023, "集中培训", 120, unit="HOUR", probation=True)])
    assert answer["cycle"]["total"] == "0.00"
    assert answer["probation"] == {"rule_id": "GX.PROBATION", "hours": "120.00", "required": "120.00", "met": True}


def test_w24_one_rounding():
    answer = ledger([entry(2021, None, 50, unit="HOUR")])
    assert answer["cycle"]["total"] == "16.67"
    assert [(s["rule_id"], s["before"], s["after"]) for s in answer["trace"]] == [("GX.CONV", "50.00", "16.67")]
    thirds = ledger([entry(2021, None, 1, unit="HOUR") for _ in range(3)])
    assert thirds["cycle"]["total"] == "0.99"  # each entry by itself: 0.33


def typed(year, general, professional, elective):
    amounts = {"公需科目": general, "专业科目": professional, "个人选修科目": elective}
    return [
        {"year": year, "unit": "HOUR", "amount": str(amount), "hour_type": hour_type}
        for hour_type, amount in amounts.items()
    ]


def test_w30_w31():
    answer = ledger(typed(2023, 18, 40, 20), pack="guangzhou-sample-72", years=[2023])
    assert (answer["years"][0]["total"], lacks(answer["years"][0])) == (
        "78.00",
        {("GZ.YEAR.A", "专业科目", "2.00")},
    )
    same = typed(2023, 18, 42, 12)
    assert ledger(same, pack="guangzhou-sample-72", years=[2023])["years"][0]["met"]
    province = ledger(same, pack="guangdong-90", years=[2023])["years"][0]
    assert lacks(province) == {
        ("GD.YEAR", "total", "18.00"),
        ("GD.YEAR", "公需科目", "12.00"),
        ("GD.YEAR", "个人选修科目", "6.00"),
    }


def test_w27_the_ict_project():
    def chosen(electives):
        classes = {"通识必修": 8, "专业必修": 18, "校本研修": 16, "任意选修": electives}
        entries = [
            {"year": 2015, "unit": "HOUR", "amount": str(amount), "class": name} for name, amount in classes.items()
        ]
        return ledger(entries, pack="guangzhou-ict-1502", years=[2015])["cycle"]

    assert lacks(chosen(7)) == {("GZ.ICT.MIN", "total", "1.00"), ("GZ.ICT.MIN", "任意选修", "1.00")}
    assert (chosen(8)["met"], chosen(8)["total"], chosen(20)["total"]) == (True, "50.00", "62.00")


def test_years_outside_a_packs_validity_are_refused():
    with pytest.raises(EvaluationError, match=r"years\.0: the pack is valid from 2008 to 2012"):
        ledger([], pack="guangzhou-2008", years=[2013])


# --- items --------------------------------------------------------------------------------------------------------------


def items(*given):
    document = {"kind": "items", "pack": "guangxi-school-based-sample", "year": 2021, "items": list(given)}
    return evaluate_document(document)


def test_w25():
    given = [
        {"item": "GXS.1", "half_days": 8},
        {"item": "GXS.2", "hours": 36},
        {"item": "GXS.7", "count": 4},
        {"item": "GXS.6", "years": 1},
    ]
    answer = items(*given)
    assert (answer["credits"], [item["credits"] for item in answer["items"]]) == (
        "12.00",
        ["3.00", "4.00", "3.00", "2.00"],
    )
    assert [item["capped"] for item in answer["items"]] == [True, True, True, False]
    assert items(*given, {"item": "GXS.3", "level": "province"})["credits"] == "18.00"


def test_w26_and_the_rest_of_the_table():
    assert items({"item": "GXS.3", "level": "province"}, {"item": "GXS.3", "level": "city"})["items"] == [
        {"item": "GXS.3", "credits": "6.00", "capped": True}
    ]
    assert items({"item": "GXS.1", "hours": 7})["credits"] == "0.50"  # half a credit for each full four hours
    assert items({"item": "GXS.4", "level": "province", "role": "coach"})["credits"] == "4.00"
    assert items({"item": "GXS.5", "work": "contest", "level": "city", "prize": "first"})["credits"] == "3.00"
    assert items({"item": "GXS.5", "work": "monograph", "ten_thousand_characters": 1})["credits"] == "4.00"


# --- what is refused, and where -------------------------------------------------------------------------------------------


WHOLE = {
    "kind": "season",
    "pack": "smartedu-2023-winter",
    "as_of": AFTER,
    "verified_at": None,
    "videos": [video("course_c", "v1", 30, quiz=10)],
    "exam": None,
}
YEAR = {"kind": "ledger", "pack": "guangxi-2016", "years": [2021], "entries": [entry(2021, "校本研修", 10)]}
ITEMS = {"kind": "items", "pack": "guangxi-school-based-sample", "year": 2021, "items": [{"item": "GXS.7", "count": 1}]}


@pytest.mark.parametrize(
    ("document", "change", "complaint"),
    [
        (WHOLE, lambda d: d.update(kind="tale"), "kind: "),
        (WHOLE, lambda d: d.pop("kind"), "kind: "),
        (WHOLE, lambda d: d.update(pack="no-such-pack"), "pack: unknown pack"),
        (WHOLE, lambda d: d.update(pack="guangxi-2016"), "pack: guangxi-2016 does not judge"),
        (WHOLE, lambda d: d.update(pack="smartedu-2023-summer"), "pack: smartedu-2023-summer is a draft"),
        (WHOLE, lambda d: d.update(pack=["x"]), "pack: must be text"),
        (WHOLE, lambda d: d.update(surprise=1), "surprise: Unknown field"),
        (WHOLE, lambda d: d.pop("as_of"), "as_of: Missing"),
        (WHOLE, lambda d: d.update(as_of="2023-03-01T00:00:00"), "as_of: must be an RFC 3339 time with its offset"),
        (WHOLE, lambda d: d.update(as_of="2023-02-30T00:00:00Z"), "as_of: must be an RFC 3339"),
        (WHOLE, lambda d: d.update(as_of="2023-03-01"), "as_of: must be an RFC 3339"),
        (WHOLE, lambda d: d.update(as_of=1677600000), "as_of: "),
        (WHOLE, lambda d: d["videos"][0].update(course="course_x"), "videos.0.course: the pack has no such course"),
        (WHOLE, lambda d: d["videos"].append(d["videos"][0]), "videos.1.video: stands twice"),
        (WHOLE, lambda d: d["videos"][0]["watched"][0].update({"to": 1801}), "videos.0.watched.0.to: leaves the video"),
        (WHOLE, lambda d: d["videos"][0]["watched"][0].update({"from": -1}), "videos.0.watched.0.from: "),
        (
            WHOLE,
            lambda d: d["videos"][0]["watched"][0].update({"from": 1800}),
            "videos.0.watched.0.to: must be greater",
        ),
        (WHOLE, lambda d: d["videos"][0]["watched"][0].update({"to": 9.5}), "videos.0.watched.0.to: must be a whole"),
        (WHOLE, lambda d: d["videos"][0]["watched"][0].update({"to": True}), "videos.0.watched.0.to: must be a whole"),
        (WHOLE, lambda d: d["videos"][0]["watched"][0].update(at="2023-02-01T12:00"), "videos.0.watched.0.at: "),
        (WHOLE, lambda d: d["videos"][0].update(duration_seconds=0), "videos.0.duration_seconds: "),
        (
            WHOLE,
            lambda d: d["videos"][0]["quizzes"][0].update(at_seconds=1801),
            "videos.0.quizzes.0.at_seconds: leaves",
        ),
        (WHOLE, lambda d: d["videos"][0]["quizzes"][0].pop("answered_at"), "videos.0.quizzes.0.answered_at: Missing"),
        (WHOLE, lambda d: d.update(exam={"score": 60}), "exam.score: must be a decimal in quotes"),
        (WHOLE, lambda d: d.update(exam={"score": "6e1"}), "exam.score: must be a decimal"),
        (YEAR, lambda d: d["entries"][0].update(amount=10), "entries.0.amount: must be a decimal in quotes"),
        (YEAR, lambda d: d["entries"][0].update(amount="1e2"), "entries.0.amount: must be a decimal"),
        (YEAR, lambda d: d["entries"][0].update(amount="NaN"), "entries.0.amount: must be a decimal"),
        (YEAR, lambda d: d["entries"][0].update(amount="-1"), "entries.0.amount: must be a decimal"),
        (YEAR, lambda d: d["entries"][0].update(amount="1.001"), "entries.0.amount: must be a decimal"),
        (YEAR, lambda d: d["entries"][0].update(amount="１０"), "entries.0.amount: must be a decimal"),
        (YEAR, lambda d: d["entries"][0].update(unit="DAY"), "entries.0.unit: "),
        (YEAR, lambda d: d["entries"][0].update(year=2020), "entries.0.year: 2020 is not among"),
        (
            YEAR,
            lambda d: d["entries"][0].update(training_form="函授"),
            "entries.0.training_form: the pack knows no 函授",
        ),
        (YEAR, lambda d: d["entries"][0].update(probation="yes"), "entries.0.probation: "),
        (YEAR, lambda d: d.update(years=[2021, 2021]), "years.1: 2021 stands twice"),
        (YEAR, lambda d: d.update(years=[]), "years: "),
        (YEAR, lambda d: d.update(years=["2021"]), "years.0: must be a whole number"),
        (YEAR, lambda d: d.update(pack="guangdong-90"), "entries.0.unit: the pack counts in HOUR and cannot convert"),
        (ITEMS, lambda d: d["items"][0].update(item="GXS.99"), "items.0.item: the pack has no GXS.99"),
        (ITEMS, lambda d: d["items"].append({"item": "GXS.3", "level": "moon"}), "items.1.level: GXS.3 knows level"),
        (ITEMS, lambda d: d["items"].append({"item": "GXS.3"}), "items.1.item: GXS.3 is counted by level"),
        (ITEMS, lambda d: d["items"].append({"item": "GXS.7", "half_days": 1}), "items.1.item: GXS.7 is counted by"),
        (ITEMS, lambda d: d["items"][0].update(count=-1), "items.0.count: "),
        (ITEMS, lambda d: d.pop("year"), "year: Missing"),
    ],
)
def test_a_fault_is_named_with_its_place(document, change, complaint):
    faulty = copy.deepcopy(document)
    change(faulty)
    with pytest.raises(EvaluationError) as refused:
        evaluate_document(faulty)
    assert str(refused.value).startswith(complaint)


@pytest.mark.parametrize("document", [None, [], "text", 1])
def test_a_document_is_an_object(document):
    with pytest.raises(EvaluationError, match="must be a JSON object"):
        evaluate_document(document)


# --- the command ----------------------------------------------------------------------------------------------------------


def run(*arguments, given=None):
    return CliRunner().invoke(command, arguments, input=given)


def test_the_command_reads_a_file_or_standard_input(tmp_path):
    file = tmp_path / "season.json"
    file.write_text(json.dumps(WHOLE), encoding="utf-8")
    from_file, from_input = run("evaluate", str(file)), run("evaluate", "-", given=json.dumps(WHOLE))
    assert (from_file.exit_code, from_input.exit_code) == (0, 0)
    assert json.loads(from_file.stdout) == json.loads(from_input.stdout) == evaluate_document(WHOLE)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "is not JSON"),
        (b'{"kind": NaN}', "-: kind: NaN is no number"),
        (b'{"entries": [{}, {"year": -Infinity}]}', "-: entries.1.year: -Infinity is no number"),
        (b'{"years": [' + b"9" * 5000 + b"]}", "-: years.0: has too many digits"),
        (b'{"kind": "season", "kind": "season"}', "'kind' stands twice"),
        (b'{"videos": [{"course": "a", "course": "b"}]}', "-: videos.0: 'course' stands twice"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "must be a JSON object"),
        (json.dumps({**WHOLE, "pack": "x"}).encode(), "pack: unknown pack"),
    ],
)
def test_a_bad_file_exits_with_two_and_one_line(content, complaint):
    result = run("evaluate", "-", given=content)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert complaint in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_file_may_begin_with_the_mark_of_its_encoding():
    result = run("evaluate", "-", given=b"\xef\xbb\xbf" + json.dumps(WHOLE).encode())
    assert result.exit_code == 0


def test_probation_training_needs_a_pack_that_knows_it():
    """Under another it would vanish: counted in no year, and nowhere told."""
    document = {"kind": "ledger", "pack": "guangdong-90", "years": [2021]}
    entry = {"year": 2021, "unit": "CREDIT", "amount": "1", "probation": True}
    with pytest.raises(EvaluationError, match=r"^entries\.0\.probation: the pack has no rule"):
        evaluate_document({**document, "entries": [entry]})


def test_a_file_that_is_not_there():
    result = run("evaluate", "no-such-file.json")
    assert (result.exit_code, "No such file" in result.stderr) == (2, True)


def test_the_packs_are_listed():
    listed = {pack["id"]: pack["status"] for pack in json.loads(run("list", "--json").stdout)}
    assert listed["smartedu-2023-winter"] == "ACTIVE"
    assert listed["smartedu-2023-summer"] == "DRAFT"
    assert {"putian-2026-50h", "guangxi-2016", "guangzhou-ict-1502", "guangdong-90"} <= set(listed)


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"watched": [{"from": 60, "to": 30, "at": AFTER}]}, "interval_reversed", "videos.0.watched.0.to"),
        ({"watched": [{"from": 0, "to": 601, "at": AFTER}]}, "interval_outside", "videos.0.watched.0.to"),
        ({"quizzes": [{"at_seconds": 601, "answered_at": None}]}, "interval_outside", "videos.0.quizzes.0.at_seconds"),
        ({"watched": [{"from": 0, "to": 9, "at": "2023-02-01T12:00:00"}]}, "instant_form", "videos.0.watched.0.at"),
        ({"duration_seconds": "600"}, "document_form", "videos.0.duration_seconds"),
    ],
)
def test_a_fault_of_a_season_has_a_code_that_tells_what_is_wrong(change, code, place):
    with pytest.raises(EvaluationError) as refused:
        season([{**video("party20", "v1", 10), **change}])
    assert (refused.value.code, refused.value.place) == (f"credits.{code}", place)


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"amount": "1e3"}, "amount_form", "entries.0.amount"),
        ({"amount": "1.001"}, "amount_form", "entries.0.amount"),
        ({"amount": "NaN"}, "amount_form", "entries.0.amount"),
        ({"probation": 1}, "document_form", "entries.0.probation"),
        ({"probation": "false"}, "document_form", "entries.0.probation"),
    ],
)
def test_a_fault_of_an_entry_has_a_code_that_tells_what_is_wrong(change, code, place):
    entry = {"year": 2021, "unit": "CREDIT", "amount": "10", **change}
    with pytest.raises(EvaluationError) as refused:
        evaluate_document({"kind": "ledger", "pack": "guangxi-2016", "years": [2021], "entries": [entry]})
    assert (refused.value.code, refused.value.place) == (f"credits.{code}", place)
