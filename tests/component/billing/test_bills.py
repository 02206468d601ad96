"""Bills (`domain.md` §3.12): made of what still stood, printed, paid line by line, late, twice, too much; never lost."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from services.billing.bills.models import Payment
from services.billing.contract.bills import CHARGE_CHANGED, PERIOD_BILLED
from services.certs.contract.document import PrintedDocument
from services.shared import clock
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from tests.component.billing.conftest import GUANGZHOU, HAIZHU, YUEXIU, Billing, Sold
from tests.conftest import FixedClock

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("fixed_clock")]


def refused(code: str, act: Any) -> None:
    with pytest.raises(ServiceError) as error:
        act()
    assert error.value.code == code


# --- making ---------------------------------------------------------------------------------------------------------


def test_a_bill_for_each_school_of_what_still_stood(billing: Billing) -> None:
    sold = Sold(billing)
    dear, public = sold.offer("100.00", "20.00"), sold.offer("50.00", "30.00", public=True)
    schools = [billing.unit(billing.school(), f"第{number}小学") for number in range(2)]
    one, other = (billing.teacher(school) for school in schools)
    kept = [
        sold.choose(one, schools[0], dear),
        sold.choose(one, schools[0], public),
        sold.choose(other, schools[1], public),
    ]
    gone = sold.choose(other, schools[1], dear)
    sold.tell(gone, "CANCELLED")
    sold.close()
    bills = {bill["payer"]: bill for bill in sold.make_bills()}
    # 100 + 20 of the ordinary course, 50 of the public one, whose 30 for material is not in it (S3:409).
    assert {payer: (bill["amount"], bill["state"], bill["paid"]) for payer, bill in bills.items()} == {
        "第0小学": ("170.00", "UNPAID", "0.00"),
        "第1小学": ("50.00", "UNPAID", "0.00"),
    }
    assert sold.charges() == dict.fromkeys(kept, "BILLED")
    assert billing.announced(PERIOD_BILLED, period_id=sold.period_id) == [{"period_id": sold.period_id}]
    sold.make_bills()
    assert len(billing.announced(PERIOD_BILLED, period_id=sold.period_id)) == 1
    assert len(billing.announced(CHARGE_CHANGED, period_id=sold.period_id)) == 3


def test_nothing_is_billed_before_every_choice_has_arrived(billing: Billing) -> None:
    sold = Sold(billing)
    offering, school = sold.offer(), billing.unit(billing.school())
    sold.choose(billing.teacher(school), school, offering)
    sold.close(choices=2, versions=2)
    assert sold.make_bills() == []
    sold.choose(billing.teacher(school), school, offering)
    [bill] = sold.make_bills()
    assert bill["amount"] == "200.00"


def test_a_choice_that_comes_after_all_is_billed_all_the_same(billing: Billing) -> None:
    """What the sums cannot tell apart must not cost a teacher the course."""
    sold = Sold(billing)
    offering, school = sold.offer(), billing.unit(billing.school())
    sold.choose(billing.teacher(school), school, offering)
    bill = sold.bill()
    sold.pay(bill, "100.00")
    late = sold.choose(billing.teacher(school), school, offering)
    bills = sold.make_bills()
    assert sorted((each["amount"], each["state"]) for each in bills) == [("100.00", "PAID"), ("100.00", "UNPAID")]
    assert sold.charges()[late] == "BILLED"


def test_an_unknown_course_or_school_waits(billing: Billing) -> None:
    sold = Sold(billing)
    school = billing.school()
    sold.choose(billing.teacher(school), school, sold.offer())
    sold.close()
    assert sold.make_bills() == []
    billing.unit(school)
    assert len(sold.make_bills()) == 1


def test_what_costs_nothing_is_admitted_at_once(billing: Billing) -> None:
    sold = Sold(billing)
    school = billing.unit(billing.school())
    free = sold.choose(billing.teacher(school), school, sold.offer("0.00", "30.00", public=True))
    bill = sold.bill()
    assert (bill["amount"], bill["state"]) == ("0.00", "PAID")
    assert sold.charges() == {free: "ADMITTED"}
    refused("billing.nothing_to_pay", lambda: billing.call("print_notice", {"bill_id": bill["bill_id"]}, sold.keeper))


# --- cancelled afterwards -----------------------------------------------------------------------------------------------


def test_a_late_cancellation_takes_a_line_off_and_the_printed_notice_fits_no_more(billing: Billing) -> None:
    sold = Sold(billing)
    school, offering = billing.unit(billing.school()), sold.offer()
    one, two = (sold.choose(billing.teacher(school), school, offering) for _ in range(2))
    bill = sold.bill()
    first = billing.call("print_notice", {"bill_id": bill["bill_id"]}, billing.admin_of(school))
    assert sold.look(bill)["state"] == "NOTICE_PRINTED"
    sold.tell(one, "VOID")
    assert (sold.look(bill)["amount"], sold.look(bill)["state"]) == ("100.00", "UNPAID")
    second = billing.call("print_notice", {"bill_id": bill["bill_id"]}, billing.admin_of(school))
    assert first["reference"] != second["reference"]
    sold.tell(two, "VOID")
    assert (sold.look(bill)["amount"], sold.look(bill)["state"]) == ("0.00", "VOID")
    assert sold.charges() == {one: "VOID", two: "VOID"}


def test_what_was_paid_for_a_cancelled_line_is_shown_as_surplus_until_it_is_given_back(billing: Billing) -> None:
    sold = Sold(billing)
    school, offering = billing.unit(billing.school()), sold.offer()
    one, two = (sold.choose(billing.teacher(school), school, offering) for _ in range(2))
    bill = sold.bill()
    sold.pay(bill, "200.00")
    sold.tell(one, "VOID")
    shown = sold.look(bill)
    assert (shown["amount"], shown["paid"], shown["surplus"], shown["state"]) == ("100.00", "200.00", "100.00", "PAID")
    back = {"bill_id": bill["bill_id"], "receipt_no": "T-0001", "paid_on": "2023-01-10", "reason": "退课"}
    refused(
        "billing.refund_too_large", lambda: billing.call("register_refund", {**back, "amount": "100.01"}, sold.keeper)
    )
    given = billing.call("register_refund", {**back, "amount": "100.00"}, sold.keeper)
    assert (given["amount"], given["source"]) == ("-100.00", "REFUND")
    assert (sold.look(bill)["paid"], sold.look(bill)["surplus"]) == ("100.00", "0.00")
    assert sold.charges() == {one: "VOID", two: "ADMITTED"}


# --- printing ----------------------------------------------------------------------------------------------------------


def test_the_notice_names_the_seal_and_printing_it_again_gives_the_same(
    billing: Billing, fixed_clock: FixedClock
) -> None:
    sold = Sold(billing)
    school = billing.unit(billing.school(), "越秀区测试小学（公章）")
    offering, public = sold.offer("100.00", "20.50"), sold.offer("50.00", "30.00", public=True)
    for _ in range(2):
        teacher = billing.teacher(school)
        sold.choose(teacher, school, offering)
        sold.choose(teacher, school, public)
    bill = sold.bill()
    asked, admin = {"bill_id": bill["bill_id"]}, billing.admin_of(school)
    refused("billing.notice_missing", lambda: billing.call("get_declaration_form", asked, admin))
    notice = billing.call("print_notice", asked, admin)
    assert PrintedDocument().validate(notice) == {}
    facts = {fact["label"]["zh"]: fact["value"] for fact in notice["facts"]}
    assert facts["缴款单位"] == "越秀区测试小学（公章）"
    assert (facts["应缴金额"], facts["人民币（大写）"]) == ("341.00 元", "叁佰肆拾壹元整")
    assert [row[3:] for row in notice["sections"][0]["rows"]] == [["2", "120.50", "241.00"], ["2", "50.00", "100.00"]]
    fixed_clock.instant = clock.parse_instant("2023-02-01T10:00:00+08:00")
    assert billing.call("print_notice", asked, admin) == notice
    assert billing.call("print_notice", asked, sold.keeper) == notice
    form = billing.call("get_declaration_form", asked, admin)
    assert PrintedDocument().validate(form) == {}
    assert [section["title"]["zh"] for section in form["sections"]] == ["第一联：交收费单位", "第二联：学校留存"]
    rows = [["远程培训费", "2", "241.00"], ["公需课培训费", "2", "100.00"]]
    assert [section["rows"] for section in form["sections"]] == [rows, rows]
    # No teacher's name is on either: the names are the list of admissions' matter.
    sold.pay(bill, "341.00")
    assert billing.call("print_notice", asked, admin) == notice


# --- money --------------------------------------------------------------------------------------------------------------


def test_all_is_admitted_when_all_is_paid_and_nothing_before(billing: Billing) -> None:
    sold = Sold(billing)
    school, offering = billing.unit(billing.school()), sold.offer()
    one, two = (sold.choose(billing.teacher(school), school, offering) for _ in range(2))
    bill = sold.bill()
    assert sold.pay(bill, "150.00")["state"] == "AMOUNT_DIFFERS"
    assert sold.charges() == {one: "BILLED", two: "BILLED"}
    assert (sold.look(bill)["surplus"], sold.look(bill)["state"]) == ("150.00", "UNPAID")
    assert sold.pay(bill, "50.00")["state"] == "MATCHED"
    assert sold.charges() == {one: "ADMITTED", two: "ADMITTED"}
    assert (sold.look(bill)["surplus"], sold.look(bill)["state"]) == ("0.00", "PAID")


def test_line_by_line_for_those_who_are_named(billing: Billing) -> None:
    sold = Sold(billing)
    school, offering = billing.unit(billing.school()), sold.offer()
    one, two, three = (sold.choose(billing.teacher(school), school, offering) for _ in range(3))
    bill = sold.bill()
    refused("billing.money_short", lambda: sold.pay(bill, "99.99", choice_ids=[one]))
    assert sold.look(bill)["paid"] == "0.00"
    sold.pay(bill, "100.00", choice_ids=[one])
    assert sold.charges() == {one: "ADMITTED", two: "BILLED", three: "BILLED"}
    sold.pay(bill, "100.00")
    asked = {"bill_id": bill["bill_id"], "choice_ids": [two]}
    assert billing.call("settle_lines", asked, sold.keeper)["state"] == "UNPAID"
    refused("billing.line_settled", lambda: billing.call("settle_lines", asked, sold.keeper))
    refused("billing.money_short", lambda: billing.call("settle_lines", {**asked, "choice_ids": [three]}, sold.keeper))
    stranger = {**asked, "choice_ids": [str(uuid.uuid4())]}
    refused("billing.line_unknown", lambda: billing.call("settle_lines", stranger, sold.keeper))
    sold.pay(bill, "100.00")
    assert set(sold.charges().values()) == {"ADMITTED"}


def test_money_that_comes_twice_is_shown_and_the_same_receipt_is_refused(billing: Billing) -> None:
    sold = Sold(billing)
    school = billing.unit(billing.school())
    sold.choose(billing.teacher(school), school, sold.offer())
    bill = sold.bill()
    sold.pay(bill, "100.00", receipt_no="GZ-2023-0001")
    refused("billing.receipt_known", lambda: sold.pay(bill, "100.00", receipt_no="GZ-2023-0001"))
    assert sold.pay(bill, "100.00")["state"] == "PAID_TWICE"
    assert (sold.look(bill)["paid"], sold.look(bill)["surplus"], sold.look(bill)["state"]) == (
        "200.00",
        "100.00",
        "PAID",
    )
    listed = billing.call(
        "list_payments", {"place": school["place"], "bill_id": bill["bill_id"]}, billing.admin_of(school)
    )
    assert sorted(payment["state"] for payment in listed["items"]) == ["MATCHED", "PAID_TWICE"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "0.00"}, "amount"),
        ({"amount": "-5.00"}, "amount"),
        ({"amount": "1.005"}, "amount"),
        ({"amount": 100.0}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": "１００"}, "amount"),
        ({"receipt_no": "x"}, "receipt_no"),
        ({"paid_on": "2023-01-11"}, "paid_on"),  # tomorrow in Beijing
    ],
)
def test_money_with_a_fault_is_refused(billing: Billing, changes: dict[str, Any], field: str) -> None:
    sold = Sold(billing)
    school = billing.unit(billing.school())
    sold.choose(billing.teacher(school), school, sold.offer())
    bill = sold.bill()
    with pytest.raises(InvalidInput) as error:
        sold.pay(bill, **{"amount": "100.00", **changes})
    assert error.value.field == field


def test_a_payment_is_written_once_however_often_it_is_sent(billing: Billing) -> None:
    sold = Sold(billing)
    school = billing.unit(billing.school())
    sold.choose(billing.teacher(school), school, sold.offer())
    bill, keeper = sold.bill(), sold.keeper
    body = {"bill_id": bill["bill_id"], "amount": "100.00", "receipt_no": "GZ-0002", "paid_on": "2023-01-10"}
    first = billing.call("register_payment", body, keeper, command_id="pay-0001")
    assert billing.call("register_payment", body, keeper, command_id="pay-0001") == first
    assert sold.look(bill)["paid"] == "100.00"


def test_the_books_keep_every_yuan_by_the_rights_of_the_database(billing: Billing) -> None:
    sold = Sold(billing)
    school = billing.unit(billing.school())
    sold.choose(billing.teacher(school), school, sold.offer())
    sold.pay(sold.bill(), "100.00")
    for statement in (sa.update(Payment).values(amount=Decimal(1)), sa.delete(Payment)):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), billing.component.database.work() as db:
            db.execute(statement)


# --- rights ---------------------------------------------------------------------------------------------------------------


def test_each_sees_its_own_bills_and_only_the_keeper_writes_money(billing: Billing) -> None:
    sold = Sold(billing, tier="DISTRICT", place_=YUEXIU)
    school, elsewhere = billing.unit(billing.school()), billing.unit(billing.school(HAIZHU))
    sold.choose(billing.teacher(school), school, sold.offer())
    bill = sold.bill()
    asked = {"bill_id": bill["bill_id"]}
    centre = billing.person(None, (Role.CITY_CENTRE, GUANGZHOU))
    principal = billing.person(None, (Role.PRINCIPAL, school["place"]))
    for viewer in (billing.admin_of(school), principal, sold.keeper, centre):
        assert billing.call("get_bill", asked, viewer)["bill_no"] == bill["bill_no"]
        lines = billing.call("list_bill_lines", {"place": school["place"], **asked}, viewer)["items"]
        assert [line["amount"] for line in lines] == ["100.00"]
    for stranger in (billing.admin_of(elsewhere), billing.person(None, (Role.DISTRICT_INSTITUTION, HAIZHU))):
        with pytest.raises(NotFound, match=r"billing\.bill_unknown"):
            billing.call("get_bill", asked, stranger)
        with pytest.raises(NotFound, match=r"billing\.place_unknown"):
            billing.call("list_bills", {"place": school["place"]}, stranger)
    money = {**asked, "amount": "100.00", "receipt_no": "GZ-0003", "paid_on": "2023-01-10"}
    with pytest.raises(NotAllowed):
        billing.call("register_payment", money, billing.admin_of(school))
    # A district's books are its institution's, and not the city centre's.
    with pytest.raises(NotFound, match=r"billing\.bill_unknown"):
        billing.call("register_payment", money, billing.person(None, (Role.DISTRICT_INSTITUTION, HAIZHU)))
    with pytest.raises(NotAllowed, match=r"billing\.keeper_elsewhere"):
        billing.call("register_payment", money, centre)
    assert billing.call("register_payment", money, sold.keeper)["state"] == "MATCHED"


def test_lists_go_by_the_page_and_by_filters(billing: Billing) -> None:
    sold = Sold(billing)
    offering = sold.offer()
    for _ in range(3):
        school = billing.unit(billing.school())
        sold.choose(billing.teacher(school), school, offering)
    sold.close()
    bills = sold.make_bills()
    sold.pay(bills[0], "100.00")
    wanted = {"place": GUANGZHOU, "period_id": sold.period_id, "limit": 2}
    first = billing.call("list_bills", wanted, sold.keeper)
    rest = billing.call("list_bills", {**wanted, "cursor": first["next_cursor"]}, sold.keeper)
    assert [bill["bill_id"] for bill in (*first["items"], *rest["items"])] == [bill["bill_id"] for bill in bills]
    assert rest["next_cursor"] is None
    paid = billing.call("list_bills", {**wanted, "state": "PAID"}, sold.keeper)["items"]
    assert [bill["bill_id"] for bill in paid] == [bills[0]["bill_id"]]
    other = {**wanted, "charging_unit_id": str(uuid.uuid4())}
    assert billing.call("list_bills", other, sold.keeper)["items"] == []


# --- one's own ---------------------------------------------------------------------------------------------------------------


def test_orders_are_the_own_choices_with_their_payment(billing: Billing) -> None:
    sold = Sold(billing)
    school = billing.unit(billing.school())
    teacher, colleague = billing.teacher(school), billing.teacher(school)
    offering = sold.offer("80.00", "20.00")
    mine = sold.choose(teacher, school, offering)
    sold.choose(colleague, school, offering)
    [order] = billing.call("list_own_orders", actor=teacher)["items"]
    assert (order["amount"], order["payment_state"], order["choice_state"]) == ("100.00", None, "CHOSEN")
    bill = sold.bill()
    dues = billing.call("get_own_dues", actor=teacher)
    assert dues == {
        "to_pay": {"courses": 1, "hours": "18.00", "amount": "100.00"},
        "overdue": {"courses": 0, "hours": "0.00", "amount": "0.00"},
    }
    sold.pay(bill, "100.00", choice_ids=[mine])
    [order] = billing.call("list_own_orders", actor=teacher)["items"]
    assert (order["choice_id"], order["payment_state"]) == (mine, "ADMITTED")
    assert billing.call("get_own_dues", actor=teacher)["to_pay"]["courses"] == 0
    assert billing.call("get_own_dues", actor=colleague)["to_pay"]["courses"] == 1


def test_a_receipt_belongs_to_one_institutions_books(billing: Billing) -> None:
    """Two districts may each have a receipt 0001."""
    bills = []
    for place in (YUEXIU, HAIZHU):
        sold = Sold(billing, tier="DISTRICT", place_=place)
        school = billing.unit(billing.school(place))
        sold.choose(billing.teacher(school), school, sold.offer())
        bills.append((sold, sold.bill()))
    for sold, bill in bills:
        assert sold.pay(bill, "100.00", receipt_no="SAME-0001")["state"] == "MATCHED"
    with pytest.raises(Conflict, match=r"billing\.receipt_known"):
        bills[0][0].pay(bills[0][1], "100.00", receipt_no="SAME-0001")
