"""Notices (F66): one per decision, after the commit, capped, in two languages, kept from the wrong phone."""

import datetime as dt
import types
import uuid

import pytest
import sqlalchemy as sa

from services.identity.contract.notices import NoticeKind
from services.identity.notices import actions, entrypoints
from services.identity.notices.actions import Addressee, tell
from services.identity.passes.models import PassBinding
from services.shared import clock
from services.shared.errors import InvalidInput, NotAllowed, Unavailable
from services.shared.ids import new_id
from tests.component.identity.stories import COUNTY, anonymous, new_phone
from tests.component.identity.tickets import Phones


@pytest.fixture
def phones(people):
    return Phones(people)


class Provider:
    """Takes what it is given, or refuses while `down`; a message id it knows already is no second message."""

    def __init__(self):
        self.messages, self.calls, self.down = {}, 0, False

    def send(self, message_id, phone, text):
        self.calls += 1
        if self.down:
            raise Unavailable("shared.unavailable")
        self.messages[message_id] = (phone, text)

    def to(self, phone):
        return [text for number, text in self.messages.values() if number == phone]


@pytest.fixture
def provider(monkeypatch):
    """Stands behind the notices only; codes go on to the development mailbox."""
    provider = Provider()
    monkeypatch.setattr(entrypoints, "sms", types.SimpleNamespace(open_sender=lambda *_: provider))
    return provider


def send(people):
    people.service.send_notices(clock.now())


def change(people, actor, state, version, *, school="实验小学", when=None, event_id=None):
    released = state == "RELEASED"
    people.hear(
        "on_membership_changed",
        "org.membership_changed",
        {
            "teacher_id": str(actor.account_id),
            "version": version,
            "state": state,
            "school_id": None if released else str(uuid.UUID(int=7)),
            "school_name": "" if released else school,
            "place": "" if released else f"{COUNTY}/s1",
            "effective_at": clock.format_instant(when or clock.now()),
        },
        event_id,
    )


def states(people, actor):
    with people.database.work() as db:
        rows = db.execute(
            sa.text("SELECT kind, state FROM notice WHERE account_id = :id ORDER BY id"), {"id": actor.account_id}
        )
        return [tuple(row) for row in rows]


# --- what a school decides -----------------------------------------------------------------------------------------------


def test_a_teacher_is_told_when_the_school_verifies_rejects_and_releases(people, provider):
    actor, phone = people.register()
    change(people, actor, "PENDING", 1)
    change(people, actor, "REJECTED", 2)
    change(people, actor, "PENDING", 3)
    change(people, actor, "VERIFIED", 4)
    change(people, actor, "RELEASED", 5)
    send(people)
    assert provider.to(phone) == [
        "【研修】实验小学未通过您的任职审核，请登录查看并重新提交。",
        "【研修】实验小学已通过您的教师身份审核。",
        "【研修】实验小学已将您移出。请登录核对个人信息并重新选择学校，以免影响学习证书。",
    ]


def test_one_event_one_message_however_often_it_comes(people, provider):
    actor, phone = people.register()
    change(people, actor, "PENDING", 1)
    event_id = new_id()
    for _ in range(3):
        change(people, actor, "VERIFIED", 2, event_id=event_id)
    change(people, actor, "VERIFIED", 2)  # told again under another id, by a resync
    for _ in range(3):
        send(people)
    assert len(provider.to(phone)) == 1


def test_sabotage_without_the_cause_a_resync_tells_it_twice(people, provider, monkeypatch):
    """The twin of the test above: what is unique is the cause, not the delivery."""
    actor, phone = people.register()
    change(people, actor, "PENDING", 1)
    plain = actions.tell
    monkeypatch.setattr(
        actions, "tell", lambda db, vault, kind, cause, *more: plain(db, vault, kind, str(new_id()), *more)
    )
    monkeypatch.setattr(actions, "membership_of", lambda *_: actions.Membership(1, "PENDING", ""))
    for _ in range(2):
        change(people, actor, "VERIFIED", 2)
    send(people)
    assert len(provider.to(phone)) == 2


def test_what_is_not_the_schools_decision_is_not_told(people, provider):
    actor, phone = people.register()
    change(people, actor, "PENDING", 1)
    change(people, actor, "PENDING", 2, school="第二小学")  # chose another one
    change(people, actor, "VERIFIED", 3)
    send(people)
    provider.messages.clear()
    change(people, actor, "VERIFIED", 4, school="新名小学")  # the school was renamed, moved or merged
    send(people)
    assert provider.to(phone) == []


def test_what_was_overtaken_or_is_long_past_is_not_told(people, provider):
    actor, phone = people.register()
    change(people, actor, "RELEASED", 5)
    change(people, actor, "VERIFIED", 4)
    assert states(people, actor) == []
    other, _ = people.register()
    change(people, other, "PENDING", 1)
    two_days_ago = clock.now()
    people.pass_time(days=2)
    change(people, other, "VERIFIED", 2, when=two_days_ago)
    assert states(people, other) == []
    send(people)
    assert provider.to(phone) == []


def test_whom_nobody_knows_is_told_nothing(people):
    nobody = people.actor({"account_id": str(uuid.uuid4()), "active_identity": "TEACHER"})
    change(people, nobody, "PENDING", 1)
    change(people, nobody, "VERIFIED", 2)
    assert states(people, nobody) == []


def transfer(people, actor, state, *, transfer_id=None, event_id=None, decided=True):
    people.hear(
        "on_transfer_changed",
        "org.transfer_changed",
        {
            "transfer_id": str(transfer_id or new_id()),
            "version": 1 if state == "PENDING" else 2,
            "teacher_id": str(actor.account_id),
            "state": state,
            "level": "DISTRICT",
            "from_school_id": str(new_id()),
            "from_school_name": "实验小学",
            "from_place": f"{COUNTY}/s1",
            "to_school_id": str(new_id()),
            "to_school_name": "东风小学",
            "to_place": f"{COUNTY}/s2",
            "requested_at": clock.format_instant(clock.now()),
            "decided_at": clock.format_instant(clock.now()) if decided else None,
        },
        event_id,
    )


def test_a_teacher_is_told_when_a_transfer_is_decided(people, provider):
    actor, phone = people.register()
    moved, event_id = new_id(), new_id()
    transfer(people, actor, "PENDING", transfer_id=moved, decided=False)
    for _ in range(2):
        transfer(people, actor, "APPROVED", transfer_id=moved, event_id=event_id)
    transfer(people, actor, "APPROVED", transfer_id=moved)
    transfer(people, actor, "REJECTED")
    transfer(people, actor, "WITHDRAWN")
    send(people)
    assert provider.to(phone) == [
        "【研修】您调入东风小学的申请已通过。",
        "【研修】您调入东风小学的申请未通过，详情请咨询申请学校。",
    ]


def test_an_approved_transfer_is_told_once_though_the_membership_moves_too(people, provider):
    actor, phone = people.register()
    change(people, actor, "PENDING", 1)
    change(people, actor, "VERIFIED", 2)
    transfer(people, actor, "APPROVED")
    change(people, actor, "VERIFIED", 3, school="东风小学")
    send(people)
    assert [text[4:8] for text in provider.to(phone)] == ["实验小学", "您调入东"]


# --- what yearly verification comes to -------------------------------------------------------------------------------------


def frozen(people, actor, *, met=True, version=1, year=2023, event_id=None):
    payload = {"teacher_id": str(actor.account_id), "year": year, "version": version, "met": met}
    people.hear("on_year_frozen", "credits.year_frozen", payload, event_id)


def test_a_teacher_is_told_once_what_her_year_came_to_and_what_a_complaint_changed(people, provider):
    actor, phone = people.register()
    event_id = new_id()
    for _ in range(2):
        frozen(people, actor, met=False, event_id=event_id)
    frozen(people, actor, met=False)  # announced again under another id
    complaint = {"complaint_id": str(new_id()), "teacher_id": str(actor.account_id)}
    for version, state in enumerate(("FILED", "ASSIGNED", "ANSWERED", "CLOSED"), start=1):
        people.hear(
            "on_complaint_changed", "credits.complaint_changed", {**complaint, "version": version, "state": state}
        )
    frozen(people, actor, met=True, version=2)
    people.pass_time(days=1)
    send(people)
    assert provider.to(phone) == [
        "【研修】您2023年度培训验证未达到要求，请登录查看差额；如有异议，请在投诉期内提出。",
        "【研修】您的年度验证投诉已答复，请登录查看。",
        "【研修】您2023年度培训验证结果已更正，请登录查看。",
    ]


def test_nobody_is_woken_for_a_year_that_is_frozen_at_midnight(people, provider):
    actor, phone = people.register()
    now = clock.now().astimezone(clock.BEIJING)
    people.pass_time(seconds=(now.replace(hour=0, minute=1, second=0) + dt.timedelta(days=1) - now).total_seconds())
    frozen(people, actor)
    send(people)
    assert provider.to(phone) == []
    people.pass_time(hours=9)
    send(people)
    assert len(provider.to(phone)) == 1


def test_a_year_that_is_old_news_is_told_to_nobody(people, provider, monkeypatch):
    actor, _ = people.register()
    plain = actions.note_year
    monkeypatch.setattr(
        actions,
        "note_year",
        lambda db, vault, payload, at, now: plain(db, vault, payload, at - dt.timedelta(days=2), now),
    )
    frozen(people, actor)
    assert states(people, actor) == []
    nobody = people.actor({"account_id": str(uuid.uuid4()), "active_identity": "TEACHER"})
    monkeypatch.undo()
    frozen(people, nobody)
    assert states(people, nobody) == []


def test_a_refused_handler_leaves_no_message(people, provider, monkeypatch):
    """The message stands in the transaction of what it tells: it exists exactly if that does."""
    from services.identity import service

    actor, phone = people.register()
    change(people, actor, "PENDING", 1)

    def fail(db, payload):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(service.placing, "follow_membership", fail)
        with pytest.raises(RuntimeError):
            change(people, actor, "VERIFIED", 2)
    send(people)
    assert provider.to(phone) == []


# --- how often -------------------------------------------------------------------------------------------------------------


def test_five_decisions_a_day_are_told_and_warnings_always(people, provider):
    actor, phone = people.register()
    for version in range(1, 15, 2):
        change(people, actor, "PENDING", version)
        change(people, actor, "REJECTED", version + 1)
    assert [state for _, state in states(people, actor)] == ["WAITING"] * 5 + ["CAPPED"] * 2
    with people.database.work() as db:
        told = tell(db, people.service.vault, NoticeKind.PHONE_CHANGED, "c1", Addressee(actor.account_id), clock.now())
    assert told
    send(people)
    assert len(provider.to(phone)) == 6
    people.pass_time(hours=14)  # the next Beijing day
    change(people, actor, "PENDING", 20)
    change(people, actor, "VERIFIED", 21)
    send(people)
    assert len(provider.to(phone)) == 7


def test_the_cap_holds_when_decisions_arrive_at_once(people, in_parallel):
    actor, _ = people.register()
    numbers = iter(range(20))

    def decide():
        number = next(numbers)
        with people.database.work() as db:
            tell(
                db,
                people.service.vault,
                NoticeKind.MEMBERSHIP_REJECTED,
                f"{actor.account_id} {number}",
                Addressee(actor.account_id),
                clock.now(),
                {"school": "x"},
            )

    in_parallel(8, decide)
    assert sorted(state for _, state in states(people, actor)) == ["CAPPED"] * 3 + ["WAITING"] * 5


# --- handing over ----------------------------------------------------------------------------------------------------------


def decided(people):
    actor, phone = people.register()
    change(people, actor, "PENDING", 1)
    change(people, actor, "VERIFIED", 2)
    return actor, phone


def test_a_provider_that_is_away_gets_it_later_and_once(people, provider):
    actor, phone = decided(people)
    provider.down = True
    send(people)
    send(people)
    assert states(people, actor) == [("MEMBERSHIP_VERIFIED", "WAITING")]
    tries = provider.calls
    provider.down = False
    send(people)  # too early: a pause of one minute
    assert provider.to(phone) == []
    assert provider.calls == tries
    people.pass_time(seconds=61)
    send(people)
    assert len(provider.to(phone)) == 1
    assert states(people, actor) == [("MEMBERSHIP_VERIFIED", "SENT")]


def test_after_ten_tries_it_is_given_up(people, provider):
    actor, _ = decided(people)
    provider.down = True
    for _ in range(12):
        send(people)
        people.pass_time(hours=1, seconds=1)
    assert states(people, actor) == [("MEMBERSHIP_VERIFIED", "GIVEN_UP")]


def test_a_process_that_dies_between_sending_and_noting_repeats_the_same_message(people, provider, monkeypatch):
    actor, phone = decided(people)
    with monkeypatch.context() as killed:
        killed.setattr(actions, "settle", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            send(people)
    send(people)  # still leased
    assert provider.calls >= 1
    people.pass_time(minutes=2)
    send(people)
    assert len(provider.to(phone)) == 1  # one id: the provider knows it
    assert states(people, actor) == [("MEMBERSHIP_VERIFIED", "SENT")]


def test_many_processes_send_each_once(people, provider, in_parallel):
    everyone = [decided(people) for _ in range(6)]
    before = provider.calls
    in_parallel(4, lambda: send(people))
    assert provider.calls - before == 6
    assert all(len(provider.to(phone)) == 1 for _, phone in everyone)


def test_no_transaction_is_open_while_the_provider_is_asked(people, provider, monkeypatch):
    decided(people)
    seen = []
    plain = provider.send

    def look(*message):
        with people.database.work() as db:
            seen.append(
                db.execute(
                    sa.text(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND pid <> pg_backend_pid() AND state = 'idle in transaction'"
                    )
                ).scalar_one()
            )
        plain(*message)

    monkeypatch.setattr(provider, "send", look)
    send(people)
    assert seen
    assert set(seen) == {0}


def test_it_goes_to_the_phone_that_is_bound_when_it_is_sent(people, provider, phones):
    actor, old = decided(people)
    people.pass_time(seconds=61)
    change_id = phones.call("start_phone_change", {}, actor)["change_id"]
    phones.call("prove_old_phone", {"change_id": change_id, "sms_code": phones.last_code(old)}, actor)
    new = new_phone()
    phones.call("name_new_phone", {"change_id": change_id, "new_phone": new}, actor)
    phones.call("complete_phone_change", {"change_id": change_id, "sms_code": phones.last_code(new)}, actor)
    send(people)
    assert [text for text in provider.to(new) if "已通过" in text]
    assert not [text for text in provider.to(old) if "已通过" in text]
    assert [text for text in provider.to(old) if "已改绑" in text]


# --- languages, the own list, what stays -----------------------------------------------------------------------------------


def test_a_person_is_told_in_the_language_they_chose(people, provider):
    actor, phone = people.register()
    assert people.call("get_notice_language", {}, actor) == {"language": "zh"}
    assert people.call("choose_notice_language", {"language": "en"}, actor) == {"language": "en"}
    change(people, actor, "PENDING", 1)
    change(people, actor, "VERIFIED", 2)
    send(people)
    assert provider.to(phone) == ["[Yanxiu] 实验小学 has verified you as its teacher."]
    with pytest.raises(InvalidInput):
        people.call("choose_notice_language", {"language": "fr"}, actor)


def test_the_own_list_newest_first_by_the_page(people, provider):
    actor, _ = people.register()
    stranger, _ = decided(people)
    for version in (1, 3, 5):
        change(people, actor, "PENDING", version)
        change(people, actor, "REJECTED", version + 1)
    send(people)
    first = people.call("list_notices", {"limit": 2}, actor)
    assert [each["state"] for each in first["items"]] == ["SENT", "SENT"]
    rest = people.call("list_notices", {"limit": 2, "cursor": first["next_cursor"]}, actor)
    assert len(rest["items"]) == 1
    assert rest["next_cursor"] is None
    found = [each["notice_id"] for each in (*first["items"], *rest["items"])]
    assert found == sorted(found, reverse=True)
    assert "实验小学" in first["items"][0]["text"]
    assert len(people.call("list_notices", {}, stranger)["items"]) == 1
    with pytest.raises(NotAllowed):
        people.call("list_notices", {}, anonymous())


def test_what_is_sent_keeps_neither_phone_nor_link(people, provider, phones):
    _, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    send(people)
    assert (
        people.scalar(
            "SELECT count(*) FROM notice WHERE cause LIKE :cause AND (phone_sealed IS NOT NULL OR secret_sealed IS NOT NULL)",
            cause=f"ticket {asked.ticket_id}%",
        )
        == 0
    )


OWN = ("notice", "notice_setting", "phone_ticket", "pass_binding")
NOBODYS = ("phone_change", "ticket_evidence", "pass_flow")


def as_person(people, actor, statement):
    """The statement with the application's role, in this person's scope."""
    with people.database.app.connect() as connection, connection.begin() as transaction:
        connection.execute(
            sa.text("SELECT set_config('app.person', :id, true), set_config('app.places', 'CN', true)"),
            {"id": str(actor.account_id)},
        )
        found = connection.execute(sa.text(statement)).all()
        transaction.rollback()
        return found


def test_row_security_shows_everybody_their_own_and_an_administrator_no_more(people, phones):
    actor, phone, id_no = phones.teacher()
    phones.submitted(phone, id_no)
    people.call("choose_notice_language", {"language": "en"}, actor)
    change(people, actor, "PENDING", 1)
    change(people, actor, "VERIFIED", 2)
    vault, binding_id, subject = people.service.vault, new_id(), str(new_id())
    with people.database.work() as db:
        db.add(
            PassBinding(
                id=binding_id,
                account_id=actor.account_id,
                issuer="x",
                subject_sealed=vault.seal("pass_binding", binding_id, "subject", subject),
                subject_index=vault.subject_candidates("x", subject)[0],
                bound_at=clock.now(),
            )
        )
    other, _ = people.register()
    for table in OWN:
        assert len(as_person(people, actor, f"SELECT * FROM {table}")) == 1, table
        assert as_person(people, other, f"SELECT * FROM {table}") == [], table
    for table in NOBODYS:
        with pytest.raises(sa.exc.ProgrammingError):
            as_person(people, actor, f"SELECT * FROM {table}")
    for table in ("notice", "phone_ticket", "pass_binding"):
        with pytest.raises(sa.exc.ProgrammingError):
            as_person(people, actor, f"DELETE FROM {table} RETURNING 1")


def test_old_notices_are_forgotten(people, provider):
    actor, _ = decided(people)
    send(people)
    people.pass_time(days=181)
    people.service.forget_notices(clock.now())
    assert states(people, actor) == []


def test_a_teacher_is_told_once_a_period_that_her_courses_are_paid_or_were_not(people, provider):
    actor, phone = people.register()
    period_id = str(new_id())
    charge = {"teacher_id": str(actor.account_id), "bill_id": str(new_id()), "offering_id": str(new_id())}
    for state in ("BILLED", "ADMITTED", "VOID", "UNPAID"):
        for version in (1, 2):  # two courses of the period
            payload = {**charge, "choice_id": str(new_id()), "period_id": period_id, "version": version, "state": state}
            people.hear("on_charge_changed", "billing.charge_changed", payload)
    people.pass_time(days=1)
    send(people)
    assert provider.to(phone) == [
        "【研修】您选读的课程已缴费录取，可登录查看并按时参加学习。",
        "【研修】您选读的课程已过缴费截止日仍未缴费，请联系学校继续教育管理员。",
    ]


def test_a_special_user_is_told_and_told_again_when_cleared_and_arrears_are_not_told_twice(people, provider):
    actor, phone = people.register()
    hold = {
        "teacher_id": str(actor.account_id),
        "occurrence": 1,
        "blocks": ["TRANSFER"],
        "place_id": "CN/440000/440100",
    }
    for kind in ("CITY_ARREARS", "SPECIAL_USER"):
        hold_id = str(new_id())
        for version, active in ((1, True), (2, False)):
            payload = {**hold, "hold_id": hold_id, "kind": kind, "version": version, "active": active}
            for _ in range(2):
                people.hear("on_hold_changed", "billing.hold_changed", payload)
    people.pass_time(days=1)
    send(people)
    assert [text[:14] for text in provider.to(phone)] == [
        "【研修】因选课后未缴费，您已",
        "【研修】您的特殊用户记录已消除"[:14],
    ]


def chosen(people, actor, period_id, **terms):
    payload = {
        "choice_id": str(new_id()),
        "version": 1,
        "teacher_id": str(actor.account_id),
        "school_id": str(new_id()),
        "place": "CN/440000/440100/440103/s1",
        "offering_id": str(new_id()),
        "period_id": period_id,
        "state": "CHOSEN",
        "chosen_by": "SELF",
        "at": clock.format_instant(clock.now()),
        **terms,
    }
    people.hear("on_choice_changed", "learning.choice_changed", payload)


def test_a_teacher_is_told_once_a_period_that_courses_are_chosen_and_that_her_school_has_chosen(people, provider):
    actor, phone = people.register()
    period_id = str(new_id())
    for _ in range(2):
        chosen(people, actor, period_id)
        chosen(people, actor, period_id, chosen_by="ADMIN")
    for state in ("CANCELLED", "VOID", "BILLED", "ADMITTED", "PASSED"):
        chosen(people, actor, str(new_id()), state=state)
    people.pass_time(days=1)
    send(people)
    assert [text[:12] for text in provider.to(phone)] == ["【研修】您已成功选课，选", "【研修】学校已为您选课，"]


def test_choices_of_long_ago_are_no_news(people, provider):
    actor, phone = people.register()
    at = clock.format_instant(clock.now())
    people.pass_time(days=3)
    chosen(people, actor, str(new_id()), at=at)
    people.pass_time(days=1)
    send(people)
    assert provider.to(phone) == []


def test_results_are_told_once_a_period_and_each_correction_by_itself(people, provider):
    actor, phone = people.register()
    grade = {
        "teacher_id": str(actor.account_id),
        "offering_id": str(new_id()),
        "period_id": str(new_id()),
        "period_code": "2023-1",
        "course_no": "C1",
        "title": "课程",
        "hours": "18.00",
        "hour_type": "PROFESSIONAL",
        "course_type": "REMOTE",
        "year": 2023,
        "place": "CN/440000/440100",
        "graded_on": "2023-06-01",
    }
    first, second = str(new_id()), str(new_id())
    for choice_id, version, passed in ((first, 1, True), (second, 1, False), (first, 2, False), (first, 2, False)):
        payload = {**grade, "choice_id": choice_id, "version": version, "passed": passed}
        people.hear("on_course_graded", "learning.course_graded", payload)
    people.pass_time(days=1)
    send(people)
    assert provider.to(phone) == [
        "【研修】您本期课程的成绩已登记，请登录查看。",
        "【研修】您一门课程的成绩已更正，请登录查看。",
    ]
