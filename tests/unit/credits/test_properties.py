"""What holds for any document under any shipped pack: through the same door as `yanxiu rules evaluate`.

Each property has a twin that breaks the engine in the one place that the property is about, and sees it fall.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import random
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.credits import pack_files
from services.credits.evaluation import evaluate_document
from services.credits.rules import intervals, ledger, season
from services.credits.rules import items as item_rules
from services.credits.rules.items import Item
from services.credits.rules.items import evaluate as evaluate_items
from services.credits.rules.ledger import Entry, LedgerOutcome
from services.credits.rules.ledger import evaluate as evaluate_ledger
from services.credits.rules.pack import ItemPack, Kind, LedgerPack, SeasonPack, Status
from services.shared.clock import BEIJING

PACKS = [
    pack
    for pack in map(pack_files.load_pack, pack_files.list_packs())
    if pack.status is not Status.DRAFT
]  # fmt: skip
SEASONS = [pack.pack_id for pack in PACKS if isinstance(pack, SeasonPack)]
LEDGERS = [pack for pack in PACKS if isinstance(pack, LedgerPack)]
ITEMS = [pack for pack in PACKS if isinstance(pack, ItemPack)]

# A busy machine is no fault of the rule.
many = settings(deadline=None, max_examples=60)


def test_there_are_packs_of_every_kind():
    assert len(SEASONS) >= 4
    assert len(LEDGERS) >= 5
    assert ITEMS


# --- seasons ---------------------------------------------------------------------------------------------------------------


# Any instant will do.
ALWAYS_OPEN = dt.datetime(2023, 1, 10, 2, tzinfo=dt.UTC)


def _instants(pack):
    """Instants before, inside and after the pack's windows, and on their edges."""
    edges = [edge for rule in pack.of_kind(Kind.VALIDITY) for edge in (rule.begins_at, rule.ends_at) if edge]
    edges = edges or [ALWAYS_OPEN]  # a pack without a window counts whatever its programme lets in
    first, last = min(edges), max(edges)
    inside = [first + (last - first) * tenth / 10 for tenth in range(11)]
    around = [edge + dt.timedelta(seconds=shift) for edge in edges for shift in (-1800, -1, 1, 1800)]
    return sorted({instant.astimezone(BEIJING).replace(microsecond=0).isoformat() for instant in (*inside, *around)})


@st.composite
def watched(draw, pack, duration):
    begin = draw(st.integers(0, duration - 1))
    end = draw(st.integers(begin + 1, duration))
    return {"from": begin, "to": end, "at": draw(st.sampled_from(_instants(pack)))}


@st.composite
def a_video(draw, pack, name):
    duration = draw(st.sampled_from([60, 1800, 2700, 6000]))
    quiz = st.fixed_dictionaries(
        {
            "at_seconds": st.integers(1, duration - 1),
            "answered_at": st.none() | st.sampled_from(_instants(pack)),
        }
    )
    whole = {"from": 0, "to": duration, "at": draw(st.sampled_from(_instants(pack)))}
    pieces = draw(st.lists(watched(pack, duration), max_size=4))
    return {
        "course": draw(st.sampled_from(pack.courses)),
        "video": name,
        "duration_seconds": duration,
        "quizzes": draw(st.lists(quiz, max_size=2, unique_by=lambda each: each["at_seconds"])),
        "watched": pieces + ([whole] if draw(st.booleans()) else []),
    }


@st.composite
def a_season(draw):
    pack = pack_files.load_season_pack(draw(st.sampled_from(SEASONS)))
    names = [f"v{number}" for number in range(draw(st.integers(0, 6)))]
    score = draw(st.none() | st.integers(0, 100))
    return {
        "kind": "season",
        "pack": pack.pack_id,
        "as_of": draw(st.sampled_from(_instants(pack))),
        "verified_at": draw(st.none() | st.sampled_from(_instants(pack))),
        "videos": [draw(a_video(pack, name)) for name in names],
        "exam": None if score is None else {"score": str(score)},
    }


@many
@given(a_season(), st.data())
def test_more_evidence_never_earns_less(document, data):
    """More watched, one more answer, one more video, a better exam, a later moment: hours stay or grow, course by course in
    what counts, and in total in what is earned (a common cap may be used up by an earlier course)."""
    pack = pack_files.load_season_pack(document["pack"])
    before = evaluate_document(document)
    grown = copy.deepcopy(document)
    for video in grown["videos"]:
        video["watched"] += data.draw(st.lists(watched(pack, video["duration_seconds"]), max_size=2))
        for quiz in video["quizzes"]:
            quiz["answered_at"] = quiz["answered_at"] or data.draw(st.none() | st.sampled_from(_instants(pack)))
    if data.draw(st.booleans()):
        grown["videos"].append(data.draw(a_video(pack, "new")))
    grown["as_of"] = max(document["as_of"], data.draw(st.sampled_from(_instants(pack))))
    if document["exam"] is None:
        grown["exam"] = data.draw(st.none() | st.just({"score": "60"}))
    _require_no_less(before, evaluate_document(grown))


def _require_no_less(before, after):
    assert Decimal(after["hours"]) >= Decimal(before["hours"])
    for old, new in zip(before["courses"], after["courses"], strict=True):
        assert new["studied_seconds"] >= old["studied_seconds"]
        assert new["counted_seconds"] >= old["counted_seconds"]
    order = ["NOT_DUE", "NOT_EARNED", "BLOCKED", "ISSUED"]
    assert order.index(after["certificate"]) >= order.index(before["certificate"])


def _one_video(*pieces):
    """A document of an hour of one course, watched in these pieces."""
    watched_ = [{"from": begin, "to": end, "at": "2023-02-01T12:00:00+08:00"} for begin, end in pieces]
    video = {"course": "live_safety", "video": "v", "duration_seconds": 3600, "quizzes": [], "watched": watched_}
    return {
        "kind": "season",
        "pack": "smartedu-2023-winter",
        "as_of": "2023-03-02T00:00:00+08:00",
        "verified_at": None,
        "videos": [video],
        "exam": None,
    }


@pytest.fixture
def forgetful(monkeypatch):
    """An engine for which the last piece of watching is all there is."""
    monkeypatch.setattr(intervals, "union", lambda pieces: tuple(list(pieces)[-1:]))


@pytest.mark.usefixtures("forgetful")
def test_sabotage_an_engine_that_forgets_earns_less_for_more():
    before, after = (evaluate_document(_one_video(*pieces)) for pieces in ([(0, 3600)], [(0, 3600), (0, 60)]))
    with pytest.raises(AssertionError):
        _require_no_less(before, after)


@pytest.mark.usefixtures("forgetful")
def test_sabotage_for_an_engine_that_forgets_the_order_matters():
    pieces = [(0, 3600), (0, 60)]
    assert evaluate_document(_one_video(*pieces)) != evaluate_document(_one_video(*reversed(pieces)))


@many
@given(a_season(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_is_irrelevant(document, shuffler: random.Random):
    mixed = copy.deepcopy(document)
    shuffler.shuffle(mixed["videos"])
    for video in mixed["videos"]:
        shuffler.shuffle(video["watched"])
        shuffler.shuffle(video["quizzes"])
        video["watched"] += video["watched"][:1]  # and hearing the same twice is hearing it once
    assert evaluate_document(mixed) == evaluate_document(document)


@many
@given(a_season())
def test_caps_are_never_passed_and_parts_add_up(document):
    _require_within_caps(pack_files.load_season_pack(document["pack"]), evaluate_document(document))


def test_seconds_that_round_to_nothing_are_a_zero_with_a_reason():
    piece = {"from": 0, "to": 2, "at": "2026-08-13T09:36:00+08:00"}
    video = {"course": "educator_spirit", "video": "v1", "duration_seconds": 60, "quizzes": [], "watched": [piece]}
    asked = {"as_of": "2026-08-31T00:00:00+08:00", "verified_at": None, "exam": None}
    document = {"kind": "season", "pack": "smartedu-2026-summer", "videos": [video], **asked}
    [course] = [each for each in evaluate_document(document)["courses"] if each["course"] == "educator_spirit"]
    assert (course["counted_seconds"], course["hours"], course["reasons"]) == (2, "0.00", ["below_threshold"])


def _require_within_caps(pack, answer):
    hours = {course["course"]: Decimal(course["hours"]) for course in answer["courses"]}
    assert sum(hours.values()) == Decimal(answer["hours"])
    for rule in pack.rules:
        if rule.cap is None:
            continue
        if rule.kind is Kind.ITEM_CAP:
            assert all(hours[key] <= rule.cap for key in rule.courses)
        else:
            assert sum(hours[key] for key in pack.courses if rule.selects(key)) <= rule.cap
    for course in answer["courses"]:
        assert course["counted_seconds"] <= course["studied_seconds"]
        assert course["reasons"] or Decimal(course["hours"]), "a zero without a reason"


@pytest.mark.parametrize("step", ["_cap_item", "_share"])
def test_sabotage_without_a_kind_of_cap_one_is_passed(monkeypatch, step):
    monkeypatch.setattr(season, step, lambda *_: None)
    pack = pack_files.load_season_pack("smartedu-2026-summer")
    whole = {"from": 0, "to": 40_000, "at": _instants(pack)[len(_instants(pack)) // 2]}
    videos = [
        {"course": key, "video": key, "duration_seconds": 40_000, "quizzes": [], "watched": [whole]}
        for key in pack.courses
    ]
    head = {"kind": "season", "pack": pack.pack_id, "as_of": _instants(pack)[-1], "verified_at": None, "exam": None}
    with pytest.raises(AssertionError):
        _require_within_caps(pack, evaluate_document({**head, "videos": videos}))


@many
@given(a_season())
def test_the_trace_leads_from_nothing_to_the_hours(document):
    """Each line begins where the one before it ended, so the last one explains the whole amount."""
    _require_trace(evaluate_document(document))


def test_sabotage_a_step_that_says_nothing_leaves_a_hole_in_the_trace(monkeypatch):
    monkeypatch.setattr(
        season._Trace, "hours", lambda _self, _rule, course, after, _why: setattr(course, "hours", after)
    )
    with pytest.raises(AssertionError):
        _require_trace(evaluate_document(_one_video((0, 3600))))


def _require_trace(answer):
    for course in answer["courses"]:
        lines = [line for line in answer["trace"] if line["course"] == course["course"] and line["unit"] == "HOURS"]
        reached = "0.00"
        for line in lines:
            assert line["before"] == reached
            reached = line["after"]
        assert reached == course["hours"]


# --- years and cycles ------------------------------------------------------------------------------------------------------

YEARS = [2021, 2022, 2023]
amounts = st.integers(1, 9999).map(lambda hundredths: Decimal(hundredths) / 100)


@st.composite
def a_ledger(draw):
    pack = draw(st.sampled_from(LEDGERS))
    units = ["HOUR", "CREDIT"] if pack.of_kind(Kind.CONVERSION) else [pack.unit]
    entry = st.builds(
        Entry,
        st.sampled_from([*YEARS, 2020]),
        st.sampled_from(units),
        amounts,
        st.sampled_from(["", *pack.categories]),
        st.booleans() if pack.of_kind(Kind.GATE) else st.just(False),
    )
    return pack, draw(st.lists(entry, max_size=12)), draw(entry)


def _figures(outcome: LedgerOutcome):
    return outcome.years, outcome.cycle, outcome.probation


@many
@given(a_ledger(), st.randoms(use_true_random=False))
def test_the_order_of_entries_is_irrelevant(case, shuffler: random.Random):
    pack, entries, _ = case
    mixed = shuffler.sample(entries, len(entries))
    assert _figures(evaluate_ledger(pack, YEARS, mixed)) == _figures(evaluate_ledger(pack, YEARS, entries))


@many
@given(a_ledger())
def test_one_more_entry_never_makes_anything_less(case):
    pack, entries, another = case
    _require_no_less_of_anything(pack, entries, another)


def _require_no_less_of_anything(pack, entries, another):
    before, after = (evaluate_ledger(pack, YEARS, given_) for given_ in (entries, [*entries, another]))
    for old, new in zip((*before.years, before.cycle), (*after.years, after.cycle), strict=True):
        assert new.total >= old.total
        assert all(new.amounts[category] >= amount for category, amount in old.amounts.items())
        missing = {(lack.rule_id, lack.measure): lack.missing for lack in old.lacks}
        assert all(lack.missing <= missing[lack.rule_id, lack.measure] for lack in new.lacks)


def test_sabotage_a_register_of_which_only_the_newest_entry_counts_loses_by_one_more(monkeypatch):
    monkeypatch.setattr(
        ledger, "_sum", lambda entries, labels: sum([e.amount for e in entries if e.label in labels][-1:])
    )
    pack = pack_files.load_pack("guangxi-2016")
    school_based = pack.categories[-1]
    with pytest.raises(AssertionError):
        _require_no_less_of_anything(
            pack, [Entry(2021, "CREDIT", Decimal(9), school_based)], Entry(2021, "CREDIT", Decimal(1), school_based)
        )


def test_sabotage_a_cap_that_shuts_out_what_passes_it_makes_more_of_the_capped_less(monkeypatch):
    """Of remote training 40 count toward the 70. Were nothing counted once there are more, one more credit would cost 40."""
    pack = pack_files.load_pack("guangxi-2016-county")
    [remote] = [rule for rule in pack.rules if rule.category]
    entries, another = (
        [Entry(2021, "CREDIT", remote.cap, remote.category)],
        Entry(2021, "CREDIT", Decimal(1), remote.category),
    )
    _require_no_less_of_anything(pack, entries, another)
    reached = ledger._reached

    def shut_out(pack_, rule, minimum, counted, *more):
        over = sum(entry.amount for entry in counted if entry.label == remote.category) > remote.cap
        inside = [entry for entry in counted if not (over and entry.label == remote.category)]
        return reached(pack_, rule, minimum, inside, *more)

    monkeypatch.setattr(ledger, "_reached", shut_out)
    with pytest.raises(AssertionError):
        _require_no_less_of_anything(pack, entries, another)


@many
@given(st.sampled_from([pack for pack in LEDGERS if pack.of_kind(Kind.CONVERSION)]), amounts)
def test_what_is_converted_there_and_back_differs_by_roundings_only(pack, amount):
    _require_same_there_and_back(pack, amount)


def _require_same_there_and_back(pack, amount):
    hours = next(each for each in LEDGERS if each.unit == "HOUR")
    there = ledger.exchange(hours, pack, "CREDIT", amount)
    back = ledger.exchange(pack, hours, "HOUR", there.amount)
    assert (there.pack, back.pack) == (pack, pack)  # whose rule it is, whoever is asked
    rate = pack.of_kind(Kind.CONVERSION)[0].hours_per_credit
    assert abs(back.amount - amount) <= hours.quantum / rate / 2 + pack.quantum / 2


def test_sabotage_a_rate_turned_round_does_not_come_back(monkeypatch):
    def turned(rule, pack, amount):
        return amount * rule.hours_per_credit, ledger.Step(rule.rule_id, "", "", "")

    monkeypatch.setattr(ledger, "_by_rule", turned)
    with pytest.raises(AssertionError):
        _require_same_there_and_back(pack_files.load_pack("guangxi-2016"), Decimal(10))


def test_where_neither_has_a_rule_nothing_is_exchanged():
    one, other = (pack for pack in LEDGERS if pack.pack_id in ("guangdong-90", "guangzhou-2008"))
    with pytest.raises(ledger.UnitError):
        ledger.exchange(one, other, "CREDIT", Decimal(1))


@many
@given(a_ledger())
def test_reversal_is_exact(case):
    """An entry taken back leaves what was there before, to the last digit, whatever it was converted to."""
    pack, entries, another = case
    _require_exact_reversal(pack, entries, another)


def _require_exact_reversal(pack, entries, another):
    taken_back = Entry(another.year, another.unit, -another.amount, another.label, another.probation)
    without, with_both = (evaluate_ledger(pack, YEARS, given_) for given_ in (entries, [*entries, another, taken_back]))
    assert _figures(without) == _figures(with_both)


@pytest.mark.parametrize("towards", [ROUND_FLOOR, ROUND_CEILING])
def test_sabotage_rounding_towards_one_side_leaves_something_of_what_was_taken_back(monkeypatch, towards):
    def to_one_side(amount, quantum):
        return (amount / quantum).quantize(Decimal(1), towards) * quantum

    monkeypatch.setattr(ledger, "rounded", to_one_side)
    pack = pack_files.load_pack("guangxi-2016")
    with pytest.raises(AssertionError):
        _require_exact_reversal(pack, [], Entry(2021, "HOUR", Decimal(1), ""))


def test_sabotage_a_second_rounding_makes_years_and_their_entries_differ(monkeypatch):
    """Three hours are 0.33 credits each; rounded as a sum they would be 1.00."""
    pack = pack_files.load_pack("guangxi-2016")
    entries = [Entry(2021, "HOUR", Decimal(1), "")] * 3
    _require_years_add_up(pack, entries)
    span = ledger._span

    def rounded_again(*given_):
        found = span(*given_)
        return dataclasses.replace(found, total=found.total.quantize(Decimal(1), ROUND_CEILING))

    monkeypatch.setattr(ledger, "_span", rounded_again)
    with pytest.raises(AssertionError):
        _require_years_add_up(pack, entries)


@many
@given(a_ledger())
def test_years_add_up_to_the_cycle_and_entries_to_the_years(case):
    pack, entries, _ = case
    _require_years_add_up(pack, entries)


def _require_years_add_up(pack, entries):
    outcome = evaluate_ledger(pack, YEARS, entries)
    assert sum(span.total for span in outcome.years) == outcome.cycle.total
    for span in outcome.years:
        alone = [
            evaluate_ledger(pack, [span.year], [entry]).cycle.total for entry in entries if entry.year == span.year
        ]
        assert sum(alone) == span.total  # each entry is rounded by itself, once


# --- activities ------------------------------------------------------------------------------------------------------------


@st.composite
def activities(draw):
    pack = draw(st.sampled_from(ITEMS))
    found = []
    for _ in range(draw(st.integers(0, 10))):
        rule = draw(st.sampled_from(pack.rules))
        rate = draw(st.sampled_from(rule.rates))
        units = {rate.unit: Decimal(draw(st.integers(1, 60)))} if rate.unit else {}
        found.append(Item(rule.rule_id, units, dict(rate.when)))
    return pack, found


@many
@given(activities(), st.randoms(use_true_random=False))
def test_activities_never_pass_their_caps_in_any_order_and_more_of_them_never_earn_less(case, shuffler: random.Random):
    pack, items = case
    _require_within_item_caps(pack, items)
    _require_same_in_order(pack, items, shuffler.sample(items, len(items)))
    _require_more_for_more(pack, items)


def _amounts(pack, items):
    outcome = evaluate_items(pack, items)
    return {item.rule_id: item.amount for item in outcome.items}, outcome.total


def _require_within_item_caps(pack, items):
    earned, total = _amounts(pack, items)
    assert sum(earned.values()) == total
    for rule_id, amount in earned.items():
        rule = pack.find_item(rule_id)
        assert rule is not None
        assert rule.cap is None or amount <= rule.cap


def _require_same_in_order(pack, items, mixed):
    assert _amounts(pack, mixed) == _amounts(pack, items)


def _require_more_for_more(pack, items):
    totals = [_amounts(pack, items[:count])[1] for count in range(len(items) + 1)]
    assert totals == sorted(totals)


@many
@given(activities())
def test_shares_of_a_year_are_together_what_the_year_earns(case):
    pack, items = case
    _require_shares_add_up(pack, items)


def _require_shares_add_up(pack, items):
    earned: dict[str, Decimal] = {}
    for share in item_rules.shares(pack, items):
        assert share.amount >= 0
        assert share.trace[-1].after == f"{share.amount:.2f}"
        earned[share.rule_id] = earned.get(share.rule_id, Decimal(0)) + share.amount
    assert earned == _amounts(pack, items)[0]


TABLE = next(pack for pack in ITEMS if pack.pack_id == "guangxi-school-based-sample")
LESSONS = [Item("GXS.7", {"count": Decimal(2)}, {}), Item("GXS.7", {"count": Decimal(3)}, {})]


def test_sabotage_without_the_cap_of_a_year_it_is_passed(monkeypatch):
    monkeypatch.setattr(item_rules, "_counted", lambda _pack, _rule, amount: amount)
    with pytest.raises(AssertionError):
        _require_within_item_caps(TABLE, LESSONS)


def test_sabotage_a_cap_on_each_activity_by_itself_is_passed_by_two(monkeypatch):
    def each_alone(pack, items):
        amounts = [item_rules.evaluate(pack, [item]) for item in items]
        total = sum((each.total for each in amounts), Decimal(0))
        found = item_rules.ItemAmount(items[0].rule_id, total, capped=False)
        return item_rules.ItemsOutcome(total, (found,), ())

    monkeypatch.setitem(globals(), "evaluate_items", each_alone)
    with pytest.raises(AssertionError):
        _require_within_item_caps(TABLE, LESSONS)


def test_sabotage_a_cap_that_shuts_out_what_passes_it_earns_less_for_more(monkeypatch):
    monkeypatch.setattr(
        item_rules, "_counted", lambda _pack, rule, amount: amount if amount <= rule.cap else Decimal(0)
    )
    with pytest.raises(AssertionError):
        _require_more_for_more(TABLE, LESSONS)


def test_sabotage_where_only_the_first_activity_counts_the_order_matters(monkeypatch):
    whole = item_rules.evaluate
    monkeypatch.setitem(globals(), "evaluate_items", lambda pack, items: whole(pack, items[:1]))
    with pytest.raises(AssertionError):
        _require_same_in_order(TABLE, LESSONS, LESSONS[::-1])


def test_sabotage_shares_that_forget_what_was_earned_before_add_up_to_more(monkeypatch):
    alone = item_rules.shares
    monkeypatch.setattr(
        item_rules, "shares", lambda pack, items: [share for item in items for share in alone(pack, [item])]
    )
    with pytest.raises(AssertionError):
        _require_shares_add_up(TABLE, LESSONS)


@pytest.mark.parametrize("pack_id", SEASONS)
def test_nothing_at_all_earns_nothing(pack_id):
    empty = {"kind": "season", "pack": pack_id, "as_of": "2030-01-01T00:00:00+08:00", "videos": []}
    answer = evaluate_document({**empty, "verified_at": None, "exam": None})
    assert (answer["hours"], answer["trace"]) == ("0.00", [])
