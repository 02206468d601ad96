"""Authority codes over the real database: generating, handing out, activating, replacing, revoking, expiring."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from services.identity import contract as identity
from services.org import contract
from services.org.contract.delegation import AUTHORITY_CODE_CHANGED
from services.org.delegation.models import AuthorityCode, CodeGuess
from services.org.delegation.rules import codes as rules
from services.org.delegation.rules.seats import places_above
from services.shared.actor import Actor, Role
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from services.shared.tables import audit, idempotency, outbox
from tests.component.org.conftest import GUANGDONG, GUANGZHOU, HAIZHU, YUEXIU, Org
from tests.conftest import FixedClock

pytestmark = pytest.mark.postgres

DAY = dt.timedelta(days=1)


def generate(org: Org, by: Actor, place: str, role: Role = Role.SCHOOL_ADMIN, **more: Any) -> dict[str, Any]:
    options = {key: more.pop(key) for key in ("command_id",) if key in more}
    return org.call("generate_authority_code", {"place": place, "role": role, **more}, by, **options)


def activate(org: Org, who: Actor, code: str, **more: Any) -> dict[str, Any]:
    return org.call("activate_authority_code", {"code": code, **more}, who)


def someone(org: Org, **more: Any) -> Actor:
    """An ordinary account of her own network address, for guesses are counted by address."""
    return dataclasses.replace(
        org.person(org.account(**more)), address=f"10.{new_id().int % 250}.{new_id().int % 251}.7"
    )


def a_code() -> str:
    """A well-formed code that nobody generated."""
    return rules.show(rules.compose([new_id().int % 31 for _ in range(17)]))


def listed(org: Org, by: Actor, place: str, code_id: str) -> dict[str, Any]:
    items = org.call("list_authority_codes", {"place": place, "limit": 200}, by)["items"]
    return next(item for item in items if item["code_id"] == code_id)


def seat(org: Org, place: str, role: str = "SCHOOL_ADMIN") -> str:
    with org.component.database.work() as db:
        return db.execute(
            sa.text("SELECT state FROM admin_seat WHERE place = :place AND role = :role"),
            {"place": place, "role": role},
        ).scalar_one()


def test_from_the_county_to_the_schools_administrator(org: Org) -> None:
    county, school = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()
    assert seat(org, school["place"]) == "NOT_GENERATED"
    made = generate(org, county, school["place"])
    assert seat(org, school["place"]) == "GENERATED"
    assert len(made["code"]) == 20
    delivered = org.call("record_code_delivery", {"code_id": made["code_id"], "channel": "LETTER"}, county)
    assert (delivered["state"], delivered["channel"]) == ("ISSUED", "LETTER")
    teacher = someone(org)
    grant = activate(org, teacher, made["code"].lower().replace("-", " "))
    assert (grant["role"], grant["place"], grant["account_id"]) == (
        "SCHOOL_ADMIN",
        school["place"],
        str(teacher.account_id),
    )
    assert seat(org, school["place"]) == "ACTIVATED"
    assert org.announced(contract.GRANTS_CHANGED, account_id=str(teacher.account_id))[-1]["grants"] == [
        ["SCHOOL_ADMIN", school["place"]]
    ]
    shown = listed(org, county, YUEXIU, made["code_id"])
    assert (shown["state"], shown["activated_by"], shown["grant_id"]) == (
        "ACTIVATED",
        str(teacher.account_id),
        grant["grant_id"],
    )
    states = [event["state"] for event in org.announced(AUTHORITY_CODE_CHANGED, code_id=made["code_id"])]
    assert states == ["ISSUED", "ISSUED", "ACTIVATED"]


def test_the_text_of_a_code_is_kept_nowhere(org: Org) -> None:
    made = generate(org, org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"])
    text = rules.read(made["code"])
    activate(org, someone(org), made["code"])
    with org.component.database.work() as db:
        for table in (AuthorityCode.__table__, audit, outbox, idempotency):
            for (row,) in db.execute(sa.text(f"SELECT to_jsonb(t)::text FROM {table.name} t")):
                assert text not in row
                assert made["code"] not in row


@pytest.mark.parametrize(
    ("holder", "at", "role", "place"),
    [
        (Role.COUNTY_ADMIN, YUEXIU, Role.SUPER_ADMIN, YUEXIU),
        (Role.COUNTY_ADMIN, YUEXIU, Role.COUNTY_ADMIN, YUEXIU),
        (Role.SUPER_ADMIN, GUANGZHOU, Role.COUNTY_ADMIN, YUEXIU),
        (Role.SUPER_ADMIN, GUANGDONG, Role.SUPER_ADMIN, YUEXIU),
        (Role.CITY_ADMIN, GUANGZHOU, Role.SCHOOL_ADMIN, "school"),  # a county's school is the county's
    ],
)
def test_nobody_issues_more_than_he_may_give(org: Org, holder: Role, at: str, role: Role, place: str) -> None:
    target = org.school()["place"] if place == "school" else place
    with pytest.raises(NotAllowed, match=r"org\.grant_refused"):
        generate(org, org.holder(holder, at), target, role)


@pytest.mark.parametrize(
    ("holder", "at", "role", "place"),
    [
        (Role.SUPER_ADMIN, YUEXIU, Role.COUNTY_ADMIN, YUEXIU),
        (Role.SUPER_ADMIN, GUANGZHOU, Role.CITY_ADMIN, GUANGZHOU),
        (Role.SUPER_ADMIN, GUANGZHOU, Role.SUPER_ADMIN, HAIZHU),
        (Role.SUPER_ADMIN, GUANGDONG, Role.SUPER_ADMIN, GUANGZHOU),
        (Role.NATIONAL_OPERATOR, "CN", Role.SUPER_ADMIN, GUANGDONG),
    ],
)
def test_a_super_admin_issues_for_his_own_level_and_the_next(
    org: Org, holder: Role, at: str, role: Role, place: str
) -> None:
    by = org.holder(holder, at)
    made = generate(org, by, place, role, regenerate=True)
    if made["state"] == "PROPOSED":  # of a province: a second person's word
        org.call("approve_authority_code", {"code_id": made["code_id"]}, org.holder(Role.NATIONAL_OPERATOR, "CN"))
    grant = activate(org, someone(org), made["code"])
    assert (grant["role"], grant["place"]) == (role, place)
    org.call("revoke_authority_code", {"code_id": made["code_id"]}, by)


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.DISTRICT_INSTITUTION, Role.AUDITOR])
def test_other_roles_are_given_by_name(org: Org, role: Role) -> None:
    with pytest.raises(InvalidInput, match=r"org\.code_role"):
        generate(org, org.holder(Role.NATIONAL_OPERATOR, "CN"), YUEXIU, role)


def test_outside_the_territory_nothing_exists(org: Org) -> None:
    yuexiu, haizhu = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.holder(Role.COUNTY_ADMIN, HAIZHU)
    place = org.school()["place"]
    made = generate(org, yuexiu, place)
    for method, arguments in (
        ("generate_authority_code", {"place": place, "role": "SCHOOL_ADMIN"}),
        ("list_authority_codes", {"place": place}),
        ("record_code_delivery", {"code_id": made["code_id"], "channel": "SMS"}),
        ("revoke_authority_code", {"code_id": made["code_id"]}),
    ):
        with pytest.raises(NotFound) as foreign:
            org.call(method, arguments, haizhu)
        unknown = {"code_id": str(new_id())} if "code_id" in arguments else {"place": f"{HAIZHU}/s{uuid.uuid4().hex}"}
        with pytest.raises(NotFound) as nowhere:
            org.call(method, {**arguments, **unknown}, haizhu if "code_id" in arguments else yuexiu)
        assert foreign.value.code == nowhere.value.code
    assert listed(org, yuexiu, YUEXIU, made["code_id"])["state"] == "ISSUED"


def test_a_second_code_needs_regeneration_and_voids_the_first(org: Org) -> None:
    county, place = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"]
    first = generate(org, county, place)
    with pytest.raises(Conflict, match=r"org\.code_waiting"):
        generate(org, county, place)
    second = generate(org, county, place, regenerate=True)
    assert listed(org, county, place, first["code_id"])["end_reason"] == "REGENERATED"
    with pytest.raises(InvalidInput, match=r"org\.code_refused"):
        activate(org, someone(org), first["code"])
    assert activate(org, someone(org), second["code"])["state"] == "ACTIVE"


def test_whoever_lost_the_answer_repeats_the_command_and_gets_a_good_code(org: Org) -> None:
    county, place = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"]
    lost = generate(org, county, place, command_id="lost-answer-0001")
    again = generate(org, county, place, command_id="lost-answer-0001")
    assert again["code"] != lost["code"]
    with pytest.raises(InvalidInput, match=r"org\.code_refused"):
        activate(org, someone(org), lost["code"])
    assert activate(org, someone(org), again["code"])["state"] == "ACTIVE"


def test_parallel_generations_leave_one_code(org: Org) -> None:
    county, place = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"]
    outcomes = together(4, lambda: generate(org, county, place)["state"])
    assert sorted(outcomes) == ["ISSUED", *["org.code_waiting"] * 3]


def test_a_code_works_once(org: Org) -> None:
    county, place = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"]
    code = generate(org, county, place)["code"]
    people = [someone(org) for _ in range(5)]
    outcomes = together(5, lambda: activate(org, people.pop(), code)["state"])
    assert sorted(outcomes) == ["ACTIVE", *["org.code_refused"] * 4]
    with pytest.raises(InvalidInput, match=r"org\.code_refused"):
        activate(org, someone(org), code, replace=True)


def test_a_repeated_activation_gets_the_first_answer(org: Org) -> None:
    code = generate(org, org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"])["code"]
    teacher = someone(org)
    first = org.call("activate_authority_code", {"code": code}, teacher, command_id="activate-0001")
    assert org.call("activate_authority_code", {"code": code}, teacher, command_id="activate-0001") == first


def test_unknown_used_void_expired_and_revoked_codes_are_refused_alike(org: Org, fixed_clock: FixedClock) -> None:
    county = org.holder(Role.COUNTY_ADMIN, YUEXIU)
    used, void, expired, revoked = (generate(org, county, org.school()["place"]) for _ in range(4))
    activate(org, someone(org), used["code"])
    org.call("revoke_authority_code", {"code_id": void["code_id"]}, county)
    activate(org, someone(org), revoked["code"])
    org.call("revoke_authority_code", {"code_id": revoked["code_id"]}, county)
    fixed_clock.instant += 30 * DAY
    answers = set()
    for code in (a_code(), *(each["code"] for each in (used, void, expired, revoked))):
        with pytest.raises(InvalidInput) as refused:
            activate(org, someone(org), code)
        answers.add((refused.value.code, refused.value.field, refused.value.detail))
    assert answers == {("org.code_refused", "code", "")}


def test_a_code_lives_thirty_days_and_not_a_moment_longer(org: Org, fixed_clock: FixedClock) -> None:
    county = org.holder(Role.COUNTY_ADMIN, YUEXIU)
    in_time, late = (generate(org, county, org.school()["place"]) for _ in range(2))
    fixed_clock.instant += 30 * DAY - dt.timedelta(microseconds=1)
    org.component.service.expire_authority_codes(fixed_clock.instant)
    assert activate(org, someone(org), in_time["code"])["state"] == "ACTIVE"
    fixed_clock.instant += dt.timedelta(microseconds=1)
    with pytest.raises(InvalidInput, match=r"org\.code_refused"):  # swept or not
        activate(org, someone(org), late["code"])
    org.component.service.expire_authority_codes(fixed_clock.instant)
    shown = listed(org, county, YUEXIU, late["code_id"])
    assert (shown["state"], shown["end_reason"]) == ("VOID", "EXPIRED")
    assert seat(org, shown["place"]) == "NOT_GENERATED"
    generate(org, county, shown["place"])  # and a new one needs no regeneration


def test_nobody_activates_what_he_issued(org: Org) -> None:
    county = org.holder(Role.COUNTY_ADMIN, YUEXIU)
    code = generate(org, county, org.school()["place"])["code"]
    with pytest.raises(NotAllowed, match=r"org\.code_own"):
        activate(org, county, code)
    assert activate(org, someone(org), code)["state"] == "ACTIVE"


def test_an_administrator_bears_a_true_name(org: Org) -> None:
    code = generate(org, org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"])["code"]
    nameless = someone(org, named=False)
    with pytest.raises(Conflict, match=r"org\.true_name_needed"):
        activate(org, nameless, code)
    told = {"version": 2, "complete": False, "named": True, "segment": "", "subject": ""}
    org.component.deliver(
        "on_profile_changed", identity.PROFILE_CHANGED, {"account_id": str(nameless.account_id), **told}
    )
    assert activate(org, nameless, code)["state"] == "ACTIVE"


def test_a_teacher_who_waits_for_her_new_schools_approval_becomes_its_administrator(org: Org) -> None:
    code = generate(org, org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"])["code"]
    waiting = dataclasses.replace(someone(org), waiting=True)
    assert activate(org, waiting, code)["state"] == "ACTIVE"


def test_a_taken_seat_asks_for_confirmation_and_then_changes_hands(org: Org) -> None:
    county, place = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"]
    first_code = generate(org, county, place)
    first, second = someone(org), someone(org)
    activate(org, first, first_code["code"])
    code = generate(org, county, place)["code"]
    assert seat(org, place) == "ACTIVATED"  # a code for a successor takes nothing from the present holder
    with pytest.raises(Conflict, match=r"org\.code_seat_taken"):
        activate(org, second, code)
    activate(org, second, code, replace=True)
    assert org.announced(contract.GRANTS_CHANGED, account_id=str(first.account_id))[-1]["grants"] == []
    assert seat(org, place) == "ACTIVATED"
    former = listed(org, county, place, first_code["code_id"])
    assert (former["state"], former["end_reason"]) == ("REVOKED", "GRANT_ENDED")


def test_who_holds_the_seat_already_keeps_the_code_good_for_another(org: Org) -> None:
    county, place = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"]
    holder = someone(org)
    activate(org, holder, generate(org, county, place)["code"])
    code = generate(org, county, place)["code"]
    with pytest.raises(Conflict, match=r"org\.grant_exists"):
        activate(org, holder, code, replace=True)
    assert activate(org, someone(org), code, replace=True)["state"] == "ACTIVE"


def test_where_a_school_may_have_two_admins_the_longest_serving_makes_room_for_a_third(org: Org) -> None:
    super_admin, county = org.holder(Role.SUPER_ADMIN, HAIZHU), org.holder(Role.COUNTY_ADMIN, HAIZHU)
    policy = {"place": HAIZHU, "mode": "OPEN", "max_school_admins": 2, "profile_review": "NONE", "reason": "两名管理员"}
    org.call("set_tenant_policy", policy, super_admin)
    try:
        place = org.school("440105")["place"]
        first, second, third = (someone(org) for _ in range(3))
        activate(org, first, generate(org, county, place)["code"])
        activate(org, second, generate(org, county, place)["code"])
        code = generate(org, county, place)["code"]
        with pytest.raises(Conflict, match=r"org\.code_seat_taken"):
            activate(org, third, code)
        activate(org, third, code, replace=True)
        here = {"place": place, "state": "ACTIVE"}
        holders = {item["account_id"] for item in org.call("list_unit_administrators", here, county)["items"]}
        assert holders == {str(second.account_id), str(third.account_id)}
    finally:
        org.call("withdraw_tenant_policy", {"place": HAIZHU, "reason": "试验结束"}, super_admin)


def test_revoking_an_activated_code_ends_its_grant(org: Org) -> None:
    county, place = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"]
    made = generate(org, county, place)
    teacher = someone(org)
    activate(org, teacher, made["code"])
    ended = org.call("revoke_authority_code", {"code_id": made["code_id"], "reason": "离任"}, county)
    assert (ended["state"], ended["end_reason"]) == ("REVOKED", "GRANT_ENDED")
    assert org.announced(contract.GRANTS_CHANGED, account_id=str(teacher.account_id))[-1]["grants"] == []
    assert seat(org, place) == "DISABLED"
    with pytest.raises(Conflict, match=r"org\.code_not_waiting"):
        org.call("revoke_authority_code", {"code_id": made["code_id"]}, county)
    with pytest.raises(Conflict, match=r"org\.code_not_waiting"):
        org.call("record_code_delivery", {"code_id": made["code_id"], "channel": "SMS"}, county)
    generate(org, county, place)
    assert seat(org, place) == "GENERATED"


def test_a_code_ends_with_the_right_of_whoever_issued_it(org: Org) -> None:
    """An ex-administrator's codes would be a back door."""
    nation, county = org.holder(Role.NATIONAL_OPERATOR, "CN"), org.holder(Role.COUNTY_ADMIN, YUEXIU)
    made = generate(org, county, org.school()["place"])
    held = org.call("list_unit_administrators", {"place": YUEXIU, "state": "ACTIVE", "limit": 200}, nation)["items"]
    own = next(item for item in held if item["account_id"] == str(county.account_id))
    org.call("revoke_grant", {"grant_id": own["grant_id"]}, nation)
    with pytest.raises(InvalidInput, match=r"org\.code_refused"):
        activate(org, someone(org), made["code"])
    assert listed(org, nation, made["place"], made["code_id"])["end_reason"] == "ISSUER_ENDED"
    assert seat(org, made["place"]) == "NOT_GENERATED"


def test_a_code_outlives_one_of_two_rights_to_issue_it(org: Org) -> None:
    nation, county = org.holder(Role.NATIONAL_OPERATOR, "CN"), org.holder(Role.COUNTY_ADMIN, YUEXIU)
    second = {"account_id": str(county.account_id), "role": "SUPER_ADMIN", "place": YUEXIU}
    first = next(
        item
        for item in org.call("list_unit_administrators", {"place": YUEXIU, "state": "ACTIVE", "limit": 200}, nation)[
            "items"
        ]
        if item["account_id"] == str(county.account_id)
    )
    org.call("bootstrap_grant", second)
    made = generate(org, county, org.school()["place"])
    org.call("revoke_grant", {"grant_id": first["grant_id"]}, nation)
    assert activate(org, someone(org), made["code"])["state"] == "ACTIVE"


def test_guesses_are_counted_by_account(org: Org) -> None:
    guesser = someone(org)
    for _ in range(rules.GUESSES_OF_ACCOUNT):
        with pytest.raises(InvalidInput, match=r"org\.code_refused"):
            activate(org, guesser, a_code())
    good = generate(org, org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"])["code"]
    with pytest.raises(LimitReached, match=r"org\.code_guesses") as refused:
        activate(org, guesser, good)
    assert refused.value.detail.startswith("retry_after_seconds=")
    assert activate(org, someone(org), good)["state"] == "ACTIVE"  # a stranger's guesses lock nobody else out


def test_guesses_are_counted_by_address_and_end_with_the_hour(org: Org, fixed_clock: FixedClock) -> None:
    address = f"198.51.100.{new_id().int % 250}"
    for _ in range(rules.GUESSES_OF_ADDRESS):
        with pytest.raises(InvalidInput, match=r"org\.code_refused"):
            activate(org, dataclasses.replace(someone(org), address=address), a_code())
    last = dataclasses.replace(someone(org), address=address)
    with pytest.raises(LimitReached, match=r"org\.code_guesses"):
        activate(org, last, a_code())
    with org.component.database.work() as db:
        kept = db.scalars(sa.select(CodeGuess.guesser)).all()
    assert not any(address in guesser for guesser in kept)
    fixed_clock.instant += dt.timedelta(hours=1)
    org.component.service.expire_authority_codes(fixed_clock.instant)
    with pytest.raises(InvalidInput, match=r"org\.code_refused"):
        activate(org, last, a_code())


def test_neither_typing_mistakes_nor_good_codes_are_guesses(org: Org) -> None:
    county, teacher = org.holder(Role.COUNTY_ADMIN, YUEXIU), someone(org)
    for _ in range(rules.GUESSES_OF_ACCOUNT + 1):
        with pytest.raises(InvalidInput, match=r"org\.code_mistyped"):
            activate(org, teacher, "ABCDEF-GHJKMN-PQRSTU")
    for _ in range(rules.GUESSES_OF_ACCOUNT + 1):
        assert activate(org, teacher, generate(org, county, org.school()["place"])["code"])["state"] == "ACTIVE"


def test_a_code_follows_its_school_and_ends_with_it(org: Org) -> None:
    from services.org.delegation.actions import note_unit

    county = org.holder(Role.COUNTY_ADMIN, YUEXIU)
    moving, ending = org.school(), org.school()
    follows, ends = generate(org, county, moving["place"]), generate(org, county, ending["place"])
    moved = f"{HAIZHU}/{moving['place'].rpartition('/')[2]}"
    with org.component.database.work() as db:
        note_unit(db, moving["place"], moved)
        note_unit(db, ending["place"], None)
        assert db.get(AuthorityCode, uuid.UUID(follows["code_id"])).place == moved
    assert listed(org, county, YUEXIU, ends["code_id"])["end_reason"] == "UNIT_ENDED"
    with pytest.raises(InvalidInput, match=r"org\.code_refused"):
        activate(org, someone(org), ends["code"])
    with pytest.raises(Conflict, match=r"org\.unit_ended"):
        generate(org, county, ending["place"])


def test_what_was_done_to_codes_is_recorded(org: Org) -> None:
    county, place = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"]
    made, teacher = generate(org, county, place), someone(org)
    activate(org, teacher, made["code"])
    with org.component.database.work() as db:
        rows = db.execute(sa.select(audit).where(audit.c.place == place).order_by(audit.c.at, audit.c.id)).all()
    acts = [(row.action, row.actor, row.after) for row in rows if "code_id" in row.after]
    told = {"code_id": made["code_id"], "role": "SCHOOL_ADMIN"}
    assert acts == [
        ("generate_authority_code", str(county.account_id), {**told, "state": "ISSUED"}),
        ("activate_authority_code", str(teacher.account_id), {**told, "state": "ACTIVATED"}),
    ]


def together(count: int, do: Any) -> list[str]:
    """What each of so many at once gets: its answer, or the code of its refusal."""
    outcomes: list[str] = []

    def press() -> None:
        try:
            outcomes.append(do())
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=press) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_a_code_and_a_grant_by_name_at_one_moment_leave_one_admin(org: Org) -> None:
    county, place = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"]
    code = generate(org, county, place)["code"]
    named = {"account_id": str(org.account()), "role": "SCHOOL_ADMIN", "place": place}
    acts: list[Callable[[], Any]] = [
        lambda: activate(org, someone(org), code)["state"],
        lambda: org.call("grant_role", named, county)["state"],
    ]
    outcomes = together(2, lambda: acts.pop()())  # noqa: PLW0108  each thread takes its own
    assert sorted(outcomes) in (["ACTIVE", "org.code_seat_taken"], ["ACTIVE", "org.place_taken"])
    held = org.call("list_unit_administrators", {"place": place, "state": "ACTIVE"}, county)["items"]
    assert len(held) == 1
    assert seat(org, place) == "ACTIVATED"


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_the_counts_stay_right(org: Org, seed: int, fixed_clock: FixedClock) -> None:
    """Two hundred acts in a random order, many of them refused; then every seat and count is recomputed."""
    chance = random.Random(seed)
    county = org.holder(Role.COUNTY_ADMIN, YUEXIU)
    places = [org.school()["place"] for _ in range(3)]
    people = [someone(org) for _ in range(3)]
    codes: list[dict[str, Any]] = []

    def generate_one(place: str, _code: dict[str, Any]) -> None:
        codes.append(generate(org, county, place, regenerate=chance.random() < 0.5))

    def activate_one(_place: str, code: dict[str, Any]) -> None:
        activate(org, chance.choice(people), code["code"], replace=chance.random() < 0.5)

    def revoke_code(_place: str, code: dict[str, Any]) -> None:
        org.call("revoke_authority_code", {"code_id": code["code_id"]}, county)

    def revoke_grant(place: str, _code: dict[str, Any]) -> None:
        held = org.call("list_unit_administrators", {"place": place, "state": "ACTIVE"}, county)["items"]
        org.call("revoke_grant", {"grant_id": chance.choice(held)["grant_id"]} if held else {}, county)

    def let_time_pass(_place: str, _code: dict[str, Any]) -> None:
        fixed_clock.instant += dt.timedelta(days=chance.choice((1, 8)))
        org.component.service.expire_authority_codes(fixed_clock.instant)
        org.component.service.fold_activation(fixed_clock.instant)

    acts = [
        generate_one,
        generate_one,
        activate_one,
        activate_one,
        activate_one,
        revoke_code,
        revoke_grant,
        let_time_pass,
    ]
    refused = 0
    for _ in range(200):
        try:
            unknown = {"code": a_code(), "code_id": str(new_id())}
            chance.choice(acts)(chance.choice(places), chance.choice(codes) if codes else unknown)
        except ServiceError:
            refused += 1
    assert 0 < refused < 190
    differences, after = [], None
    while True:
        page = org.call("reconcile_activation", {"after": after, "limit": 1000})
        differences += page["differences"]
        if (after := page["after"]) is None:
            break
    mine = {*places, *(above for place in places for above in places_above(place))}
    assert [found for found in differences if found["place"] in mine] == []
