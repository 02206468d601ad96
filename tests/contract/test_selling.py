"""Selling courses, through catalog, learning, billing and org as they really are: a period from its plan to the special user.

Every event goes to every handler, as relay and broker would carry it; only the transport is missing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterator

import pytest

from services.shared import clock
from services.shared.actor import Actor, Role
from services.shared.errors import Conflict, InvalidInput, ServiceError
from services.shared.keys import KeyRing
from services.shared.migrations import drop_all, migrate_service
from services.shared.settings import SERVICES, Settings
from tests.component.org.conftest import GUANGZHOU, YUEXIU, new_school
from tests.component.resync.conftest import Installation
from tests.conftest import FixedClock, person
from yanxiu.journey.people import invent

pytestmark = pytest.mark.postgres

CENTRE = person(None, (Role.CITY_CENTRE, GUANGZHOU))
BEFORE, DURING, AFTER = "2023-02-20T10:00:00+08:00", "2023-03-02T10:00:00+08:00", "2023-03-16T00:00:00+08:00"
DUE = "2023-03-31"
LATE = "2023-04-01T00:00:00+08:00"


@pytest.fixture(scope="module")
def market(settings: Settings, keyring: KeyRing) -> Iterator[Market]:
    own = dataclasses.replace(settings, database_prefix=f"{settings.database_prefix}_selling", pool_size=2)
    for service in SERVICES:
        migrate_service(own, keyring, service)
    fixed = FixedClock(clock.parse_instant(BEFORE))
    clock.install(fixed)
    market = Market(Installation(own, keyring, fixed))
    market.open()
    yield market
    clock.install(clock.SystemClock())
    market.all.operator.close()
    drop_all(own)


class Market:
    """Two schools with three teachers, and a period of the city with two courses."""

    def __init__(self, installation: Installation) -> None:
        self.all = installation
        self.call = installation.call

    def open(self) -> None:
        self.all.operator.load_divisions()
        keeper = person(None, (Role.COUNTY_ADMIN, YUEXIU))
        self.school, self.other = (self.call("org", "create_school", new_school(), keeper) for _ in range(2))
        self.payee = self.call("org", "create_school", new_school("440100"), person(None, (Role.CITY_ADMIN, GUANGZHOU)))
        rows = []
        for number in range(3):
            one = invent(4713, number)
            named = {"name": one.name, "id_no": one.id_no, "phone": one.phone, "segment": "小学", "subject": "语文"}
            rows.append({"row": number + 2, **named})
        imported = self.call("identity", "import_people", {"rows": rows})["rows"]
        self.all.deliver_all()
        self.teachers = [person(uuid.UUID(row["account_id"])) for row in imported]
        for teacher in self.teachers:
            self.call("org", "choose_school", {"school_id": self.school["school_id"]}, teacher)
            wanted = {"teacher_id": str(teacher.account_id)}
            self.call("org", "verify_membership", wanted, person(None, (Role.SCHOOL_ADMIN, self.school["place"])))
        self.all.deliver_all()

    def period(self, year: int) -> tuple[str, list[str]]:
        """A published period with an ordinary and a public course: (period, offerings)."""
        planned = {
            "place": GUANGZHOU,
            "code": f"{year}-1",
            "title": f"{year}年上半年",
            "year": year,
            "selects_from": f"{year}-03-01T00:00:00+08:00",
            "selects_until": f"{year}-03-16T00:00:00+08:00",
            "due_on": f"{year}-03-31",
        }
        period_id = self.call("catalog", "plan_period", planned, CENTRE)["period_id"]
        offerings = []
        for number, (hour_type, fee, material) in enumerate((("PROFESSIONAL", "100", "20"), ("PUBLIC", "50", "30"))):
            course = {
                "place": GUANGZHOU,
                "course_no": f"{year}{number}",
                "title": f"课程{number}",
                "hour_type": hour_type,
                "course_type": "REMOTE",
                "hours": "18",
                "fee": fee,
                "material_fee": material,
                "applicant_unit_id": self.payee["school_id"],
                "charging_unit_id": self.payee["school_id"],
            }
            made = self.call("catalog", "create_course", course, CENTRE)
            wanted = {"period_id": period_id, "offerings": [{"course_id": made["course_id"]}]}
            [offering] = self.call("catalog", "add_offerings", wanted, CENTRE)["items"]
            offerings.append(offering["offering_id"])
        self.call("catalog", "publish_period", {"period_id": period_id, "version": 1}, CENTRE)
        self.all.deliver_all()
        return period_id, offerings

    def at(self, instant: str) -> None:
        """Let time pass, and every service do what is due."""
        self.all.clock.instant = clock.parse_instant(instant)
        now = self.all.clock.instant
        for _ in range(3):
            self.all.process["catalog"].service.move_due_periods(now)
            self.all.deliver_all()
            self.all.process["learning"].service.close_selection(now)
            self.all.deliver_all()
            self.all.process["billing"].service.make_bills(now)
            self.all.process["billing"].service.mark_overdue(now)
            self.all.deliver_all()

    def choose(self, teacher: Actor, offering_id: str) -> str:
        return str(self.call("learning", "choose_course", {"offering_id": offering_id}, teacher)["choice_id"])

    def choices(self, teacher: Actor) -> dict[str, str]:
        items = self.call("learning", "list_own_choices", {}, teacher)["items"]
        return {item["choice_id"]: item["state"] for item in items}

    def transfer(self, teacher: Actor) -> str:
        """What a request for her by the other school comes to, taken back at once."""
        [(number,)] = self.all.sql(
            "org", f"SELECT learner_no FROM learner_number WHERE account_id = '{teacher.account_id}'"
        )
        asked = {"school_id": self.other["school_id"], "learner_no": number}
        admin = person(None, (Role.SCHOOL_ADMIN, self.other["place"]))
        try:
            transfer = self.call("org", "request_transfer", asked, admin)
        except ServiceError as error:
            return error.code
        self.call("org", "withdraw_transfer", {"transfer_id": transfer["transfer_id"]}, admin)
        return str(transfer["state"])


def test_from_the_choice_to_the_admission_and_from_the_debt_to_the_special_user(market: Market) -> None:
    payer, debtor, free = market.teachers
    period_id, (ordinary, public) = market.period(2023)
    market.at(DURING)
    paid, owed = market.choose(payer, ordinary), market.choose(debtor, public)
    dropped = market.choose(free, ordinary)
    market.call("learning", "cancel_choice", {"choice_id": dropped}, free)
    market.at(AFTER)

    # One bill of the school, of what still stood: 120 + 50, the public course's material not in it.
    admin = person(None, (Role.SCHOOL_ADMIN, market.school["place"]))
    [bill] = market.call("billing", "list_bills", {"place": market.school["place"], "period_id": period_id}, admin)[
        "items"
    ]
    assert (bill["amount"], bill["state"], bill["payer"]) == ("170.00", "UNPAID", "测试小学")
    assert market.choices(payer)[paid] == market.choices(debtor)[owed] == "BILLED"
    market.call("billing", "print_notice", {"bill_id": bill["bill_id"]}, admin)

    # Paid in part: whoever is named is admitted, line by line.
    money = {"amount": "120.00", "receipt_no": "GZ-2023-0001", "paid_on": "2023-03-16", "choice_ids": [paid]}
    market.call("billing", "register_payment", {"bill_id": bill["bill_id"], **money}, CENTRE)
    market.all.deliver_all()
    assert (market.choices(payer)[paid], market.choices(debtor)[owed]) == ("ADMITTED", "BILLED")
    assert market.transfer(debtor) == "PENDING"

    # W35: the last day passes; an unpaid old period stops the transfer, and a special user's too.
    market.at(LATE)
    assert market.choices(debtor)[owed] == "UNPAID"
    assert (market.transfer(debtor), market.transfer(payer)) == ("org.transfer_arrears", "PENDING")
    confirmed = {"period_id": period_id, "teacher_ids": [str(debtor.account_id)]}
    assert market.call("billing", "confirm_special_users", confirmed, CENTRE)["rows"][0]["outcome"] == "DONE"
    market.all.deliver_all()
    assert market.transfer(debtor) == "org.transfer_special_user"

    # W36: she chooses nothing in the next period until the ID was shown.
    market.at("2024-02-20T10:00:00+08:00")
    _, (again, _) = market.period(2024)
    market.at("2024-03-02T10:00:00+08:00")
    with pytest.raises(Conflict, match=r"learning\.special_user"):
        market.choose(debtor, again)
    [hold] = [
        each for each in market.call("billing", "list_own_holds", {}, debtor)["items"] if each["kind"] == "SPECIAL_USER"
    ]
    lifting = {"hold_id": hold["hold_id"], "reason": "凭证件办理"}
    with pytest.raises(InvalidInput, match=r"billing\.hold_evidence"):
        market.call("billing", "lift_hold", lifting, CENTRE)
    market.call("billing", "lift_hold", {**lifting, "evidence": ["ID_DOCUMENT"]}, CENTRE)
    market.all.deliver_all()
    assert market.choices(debtor)[owed] == "VOID", "the unpaid record went with the hold"
    assert market.transfer(debtor) == "PENDING"
    second = market.choose(debtor, again)

    # Unpaid again: the second time the ID alone does not clear her.
    market.at("2024-03-16T00:00:00+08:00")
    market.at("2024-04-01T00:00:00+08:00")
    assert market.choices(debtor)[second] == "UNPAID"
    [overdue] = market.call("billing", "list_overdue", {"place": GUANGZHOU}, CENTRE)["items"]
    confirmed = {"period_id": overdue["period_id"], "teacher_ids": [overdue["teacher_id"]]}
    market.call("billing", "confirm_special_users", confirmed, CENTRE)
    [hold] = [
        each
        for each in market.call("billing", "list_own_holds", {}, debtor)["items"]
        if (each["kind"], each["state"]) == ("SPECIAL_USER", "ACTIVE")
    ]
    assert hold["occurrence"] == 2
    lifting = {"hold_id": hold["hold_id"], "reason": "再次办理"}
    with pytest.raises(InvalidInput, match=r"billing\.hold_evidence"):
        market.call("billing", "lift_hold", {**lifting, "evidence": ["ID_DOCUMENT"]}, CENTRE)
    market.call("billing", "lift_hold", {**lifting, "evidence": ["ID_DOCUMENT", "STAMPED_LETTER"]}, CENTRE)
    assert market.transfer(debtor) == "PENDING"
    assert market.all.clock.instant - clock.parse_instant(LATE) > dt.timedelta(days=300)


def test_who_is_archived_chooses_again_once_the_school_has_restored_her(market: Market) -> None:
    """S3:187-192: whoever has left is invisible in selection until a school sets her on duty."""
    teacher = market.teachers[2]
    market.at("2025-02-20T10:00:00+08:00")
    _, (offering, _) = market.period(2025)
    market.at("2025-03-02T10:00:00+08:00")
    admin = person(None, (Role.SCHOOL_ADMIN, market.school["place"]))
    her = {"teacher_id": str(teacher.account_id), "reason": "调往外省"}
    market.call("org", "archive_teacher", {**her, "status": "LEFT"}, admin)
    market.all.deliver_all()
    with pytest.raises(Conflict, match=r"learning\.archived"):
        market.choose(teacher, offering)
    market.call("org", "restore_teacher", her, admin)
    market.all.deliver_all()
    chosen = market.choose(teacher, offering)
    assert market.choices(teacher)[chosen] == "CHOSEN"
