"""A bank's file (F53): each row says what became of its money, the file may come twice, and no yuan is lost."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from services.billing.bills import rules
from services.billing.bulk.service import BillingBulkService
from services.org import contract as org
from services.shared import clock
from services.shared.actor import Actor, Role
from services.shared.errors import NotAllowed
from services.shared.ids import new_id
from tests.component.billing.conftest import GUANGZHOU, HAIZHU, Billing, Sold

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("fixed_clock")]


class Directory:
    """Identity as exports see it."""

    def call(self, service: str, method: str, arguments: dict[str, Any], **_: Any) -> dict[str, Any]:
        assert service == "identity"
        if method == "get_profile":
            return {"name": "赵小红"}
        people = [{"account_id": each, "name": "张三", "learner_no": "9"} for each in arguments["account_ids"]]
        return {"people": people}


@dataclasses.dataclass
class Bank:
    """The job's process, and the city centre that runs it."""

    billing: Billing
    jobs: Any
    keeper: Actor

    def run(self, *rows: dict[str, str], actor: Actor | None = None) -> list[tuple[str, str]]:
        """(outcome, what it says) of each row."""
        body = {"kind": "import_payments", "rows": list(rows)}
        job_id = self.jobs.call("submit_rows", body, actor or self.keeper)["job_id"]
        while self.jobs.service.runner.run_next():
            pass
        listed = self.jobs.call("list_job_rows", {"job_id": job_id}, actor or self.keeper)["items"]
        return [(row["outcome"], row["code"]) for row in sorted(listed, key=lambda row: row["number"])]


def grant(billing: Billing, actor: Actor) -> Actor:
    """Let org tell of the grants that the token has: jobs run by what holds when they run."""
    payload = {
        "account_id": str(actor.account_id),
        "version": 1,
        "grants": [[str(each.role), each.place] for each in actor.grants],
    }
    billing.component.deliver("on_grants_changed", org.GRANTS_CHANGED, payload)
    return dataclasses.replace(actor, elevated_until=clock.now() + dt.timedelta(days=3650))


@pytest.fixture
def bank(billing: Billing, component: Callable[..., Any]) -> Bank:
    keeper = grant(billing, billing.person(None, (Role.CITY_CENTRE, GUANGZHOU)))
    return Bank(billing, component(BillingBulkService, bus=Directory()), keeper)


def row(bill_no: str, amount: str = "100.00", **changes: str) -> dict[str, str]:
    body = {"bill_no": bill_no, "amount": amount, "receipt_no": f"B{new_id().hex[-12:]}", "paid_on": "2023-01-10"}
    return {**body, **changes}


def owed(billing: Billing, teachers: int = 1, **period: Any) -> tuple[Sold, dict[str, Any]]:
    sold = Sold(billing, **period)
    school, offering = billing.unit(billing.school()), sold.offer()
    for _ in range(teachers):
        sold.choose(billing.teacher(school), school, offering)
    return sold, sold.bill()


def money(billing: Billing, keeper: Actor, *rows: dict[str, str]) -> list[str]:
    """What the books say of these receipts."""
    listed = billing.call("list_payments", {"place": GUANGZHOU, "limit": 200}, keeper)["items"]
    states = {payment["receipt_no"]: payment["state"] for payment in listed}
    return [states[each["receipt_no"]] for each in rows]


def test_each_row_says_what_became_of_its_money(billing: Billing, bank: Bank) -> None:
    (_, matched), (_, short), (_, paid) = (owed(billing) for _ in range(3))
    rows = [
        row(matched["bill_no"]),
        row(short["bill_no"], "60.00"),
        row("202399999999"),
        row(paid["bill_no"]),
        row(paid["bill_no"]),
    ]
    assert bank.run(*rows) == [("CREATED", "")] * 5
    assert money(billing, bank.keeper, *rows) == [
        "MATCHED",
        "AMOUNT_DIFFERS",
        "UNKNOWN_NOTICE",
        "MATCHED",
        "PAID_TWICE",
    ]
    states = [billing.call("get_bill", {"bill_id": bill["bill_id"]}, bank.keeper) for bill in (matched, short, paid)]
    assert [(bill["state"], bill["paid"], bill["surplus"]) for bill in states] == [
        ("PAID", "100.00", "0.00"),
        ("UNPAID", "60.00", "60.00"),
        ("PAID", "200.00", "100.00"),
    ]


def test_the_same_file_again_changes_nothing_and_another_amount_under_its_receipt_is_refused(
    billing: Billing, bank: Bank
) -> None:
    _, bill = owed(billing)
    once = row(bill["bill_no"])
    assert bank.run(once) == [("CREATED", "")]
    assert bank.run(once) == [("UNCHANGED", "")]
    [(outcome, code)] = bank.run({**once, "amount": "90.00"})
    assert (outcome, code) == ("REFUSED", "billing.receipt_known")
    assert billing.call("get_bill", {"bill_id": bill["bill_id"]}, bank.keeper)["paid"] == "100.00"


def test_money_of_an_unknown_notice_is_kept_until_somebody_assigns_it(billing: Billing, bank: Bank) -> None:
    sold, bill = owed(billing)
    stray = row(rules.bill_no(2099, 1))
    bank.run(stray)
    wanted = {"place": GUANGZHOU, "state": "UNKNOWN_NOTICE", "limit": 200}
    listed = billing.call("list_payments", wanted, bank.keeper)["items"]
    [kept] = [payment for payment in listed if payment["receipt_no"] == stray["receipt_no"]]
    assert (kept["amount"], kept["bill_id"]) == ("100.00", None)
    assigned = billing.call(
        "assign_payment", {"payment_id": kept["payment_id"], "bill_id": bill["bill_id"]}, bank.keeper
    )
    assert (assigned["state"], assigned["bill_id"]) == ("MATCHED", bill["bill_id"])
    assert set(sold.charges().values()) == {"ADMITTED"}


def test_another_institutions_bill_is_an_unknown_notice(billing: Billing, bank: Bank) -> None:
    _, bill = owed(billing, tier="DISTRICT", place_=HAIZHU)
    foreign = row(bill["bill_no"])
    bank.run(foreign)
    assert money(billing, bank.keeper, foreign) == ["UNKNOWN_NOTICE"]
    district = billing.person(None, (Role.DISTRICT_INSTITUTION, HAIZHU))
    assert billing.call("get_bill", {"bill_id": bill["bill_id"]}, district)["paid"] == "0.00"


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "0"},
        {"amount": "abc"},
        {"amount": "1.005"},
        {"paid_on": "2023-01-11"},
        {"paid_on": "10.1.2023"},
        {"receipt_no": "=1+1"},
    ],
)
def test_a_row_with_a_fault_is_refused_and_the_others_are_not(
    billing: Billing, bank: Bank, changes: dict[str, str]
) -> None:
    _, bill = owed(billing)
    outcomes = bank.run(row("202300000018", **changes), row(bill["bill_no"]))
    assert [outcome for outcome, _ in outcomes] == ["REFUSED", "CREATED"]


def test_whoever_keeps_no_books_runs_no_file(billing: Billing, bank: Bank) -> None:
    school = billing.school()
    admin = grant(billing, billing.admin_of(school))
    with pytest.raises(NotAllowed):
        bank.run(row("202300000018"), actor=admin)


def test_bills_and_admissions_go_out_as_files(billing: Billing, bank: Bank) -> None:
    owed(billing, teachers=2)
    for kind in ("export_bills", "export_bill_lines"):
        wanted = {"kind": kind, "place": GUANGZHOU, "reason": "对账存档", "filters": {}}
        job_id = bank.jobs.call("request_export", wanted, bank.keeper)["job_id"]
        while bank.jobs.service.runner.run_next():
            pass
        job = bank.jobs.call("get_job", {"job_id": job_id}, bank.keeper)
        assert (job["state"], job["code"]) == ("DONE", "")
        assert bank.jobs.call("open_download", {"job_id": job_id}, bank.keeper)["token"]
    without_code = dataclasses.replace(bank.keeper, elevated_until=None)
    with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
        bank.jobs.call("request_export", {**wanted}, without_code)
