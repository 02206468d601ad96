"""Proofs of declarations: sealed, kept with their rounds, read by the teacher and the reviewers and by nobody else."""

from __future__ import annotations

import hashlib
import secrets
import threading

import pytest
import sqlalchemy as sa

from services.credits.declarations.models import Attachment
from services.identity.contract import person as identity
from services.shared import clock, tables
from services.shared.actor import Role
from services.shared.crypto import FieldCipher, KeySet
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotFound, ServiceError
from services.shared.keys import KeyRing
from services.shared.storage import new_key
from tests.component.credits.conftest import SCHOOL_PLACE, membership
from tests.component.credits.test_declarations import DEPARTMENT, SCHOOL, TEXT
from tests.conftest import person


@pytest.fixture
def teacher(recognition, fixed_clock):
    fixed_clock.instant = clock.parse_instant("2023-11-20T10:00:00+08:00")
    actor = person()
    recognition.deliver("on_membership_changed", *membership(actor.account_id))
    return actor


@pytest.fixture
def draft(credits_service, teacher):
    return {"declaration_id": credits_service.call("create_declaration", TEXT, teacher)["declaration_id"]}


@pytest.fixture
def attach(credits_service, teacher, draft):
    """Both steps of the gateway; the attachment's id."""

    def add(content, actor=teacher):
        described = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "media_type": "application/pdf",
            "size": len(content),
        }
        slot = credits_service.call("prepare_attachment", {**draft, **described}, actor)
        one = {**draft, "attachment_id": slot["attachment_id"]}
        kept = credits_service.call("keep_attachment", {**one, "storage_key": new_key("attachments")}, actor)
        return slot["attachment_id"], kept

    return add


def view(credits_service, draft, attachment_id, actor):
    return credits_service.call("view_attachment", {**draft, "attachment_id": attachment_id}, actor)


def ids(files):
    return [each["attachment_id"] for each in files]


def test_each_round_keeps_its_own_files(credits_service, teacher, draft, attach):
    first, _ = attach(b"one")
    second, _ = attach(b"two")
    credits_service.call("submit_declaration", draft, teacher)
    credits_service.call("return_declaration", {**draft, "reason": "证明不清楚"}, SCHOOL)
    third, kept = attach(b"three")
    assert kept["attachments"] == 3
    gone = credits_service.call("remove_attachment", {**draft, "attachment_id": first}, teacher)
    assert gone == {"storage_key": None}  # it was submitted: the first round keeps it
    credits_service.call("submit_declaration", draft, teacher)
    shown = credits_service.call("get_declaration", draft, SCHOOL)
    assert [ids(each["attachments"]) for each in shown["rounds"]] == [[first, second], [second, third]]
    for reviewer in (SCHOOL, DEPARTMENT, teacher):
        for attachment_id in (first, second, third):
            assert view(credits_service, draft, attachment_id, reviewer)["media_type"] == "application/pdf"


def test_what_was_never_submitted_goes_with_its_key(credits_service, teacher, draft, attach):
    attachment_id, _ = attach(b"wrong file")
    storage_key = view(credits_service, draft, attachment_id, teacher)["storage_key"]
    gone = credits_service.call("remove_attachment", {**draft, "attachment_id": attachment_id}, teacher)
    assert gone == {"storage_key": storage_key}
    with pytest.raises(NotFound, match="attachment_unknown"):
        view(credits_service, draft, attachment_id, teacher)
    assert credits_service.call("get_declaration", draft, teacher)["attachments"] == []


def test_reviewers_see_what_was_submitted_and_strangers_nothing(credits_service, teacher, draft, attach):
    attachment_id, _ = attach(b"one")
    with pytest.raises(NotFound, match="declaration_unknown"):
        view(credits_service, draft, attachment_id, SCHOOL)  # a draft is its author's alone
    credits_service.call("submit_declaration", draft, teacher)
    credits_service.call("return_declaration", {**draft, "reason": "证明不清楚"}, SCHOOL)
    later, _ = attach(b"two")
    with pytest.raises(NotFound, match="attachment_unknown"):
        view(credits_service, draft, later, SCHOOL)
    assert "attachments" not in credits_service.call("get_declaration", draft, SCHOOL)
    assert ids(credits_service.call("get_declaration", draft, teacher)["attachments"]) == [attachment_id, later]
    neighbour = person(None, (Role.SCHOOL_ADMIN, f"{SCHOOL_PLACE}x"))
    for stranger in (person(), neighbour, person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440105"))):
        with pytest.raises(NotFound, match="declaration_unknown"):
            view(credits_service, draft, attachment_id, stranger)
        with pytest.raises(NotFound, match="declaration_unknown"):
            attach(b"three", stranger)
    other = credits_service.call("create_declaration", TEXT, teacher)["declaration_id"]
    with pytest.raises(NotFound, match="attachment_unknown"):
        view(credits_service, {"declaration_id": other}, attachment_id, teacher)


def test_a_reviewers_look_is_on_record_and_the_teachers_own_is_not(credits_service, teacher, draft, attach):
    attachment_id, _ = attach(b"one")
    credits_service.call("submit_declaration", draft, teacher)
    view(credits_service, draft, attachment_id, teacher)
    view(credits_service, draft, attachment_id, DEPARTMENT)
    with credits_service.database.work() as db:
        rows = db.execute(
            sa.text("SELECT count(*) FROM audit WHERE action LIKE '%view_attachment' AND subject = :id"),
            {"id": teacher.account_id},
        )
        assert rows.scalar_one() == 1


def test_ten_files_and_the_same_one_once(credits_service, teacher, draft, attach):
    made = [attach(b"%d" % number)[0] for number in range(10)]
    again, kept = attach(b"3")
    assert (again, kept["kept"], kept["attachments"]) == (made[3], False, 10)
    with pytest.raises(LimitReached, match="attachments_full"):
        attach(b"eleventh")


def test_ten_files_also_when_all_come_at_once(credits_service, draft, attach):
    outcomes, start = [], threading.Barrier(14)

    def add(number):
        start.wait()
        try:
            outcomes.append(attach(b"file %d" % number)[0])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("credits.attachments_full") == 4


def test_nothing_is_added_or_removed_while_it_is_reviewed(credits_service, teacher, draft, attach):
    attachment_id, _ = attach(b"one")
    credits_service.call("submit_declaration", draft, teacher)
    with pytest.raises(Conflict, match="declaration_state"):
        attach(b"two")
    with pytest.raises(Conflict, match="declaration_state"):
        credits_service.call("remove_attachment", {**draft, "attachment_id": attachment_id}, teacher)


@pytest.mark.parametrize(
    "change", [{"media_type": "text/html"}, {"size": 10 * 1024 * 1024 + 1}, {"size": 0}, {"sha256": "x"}]
)
def test_bad_descriptions_are_refused(credits_service, teacher, draft, change):
    described = {"sha256": "0" * 64, "media_type": "image/png", "size": 1, **change}
    with pytest.raises(InvalidInput):
        credits_service.call("prepare_attachment", {**draft, **described}, teacher)


def test_keys_stand_in_no_table_in_clear(credits_service, teacher, draft, attach):
    attachment_id, _ = attach(b"one")
    file_key = view(credits_service, draft, attachment_id, teacher)["file_key"]
    with credits_service.database.work() as db:
        for table in (tables.audit.name, tables.idempotency.name, tables.outbox.name, Attachment.__tablename__):
            query = f"SELECT count(*) FROM {table} AS row WHERE strpos(row::text, :key) > 0"
            assert db.execute(sa.text(query), {"key": file_key}).scalar_one() == 0, table


def test_keys_are_sealed_anew_after_a_change_of_keys(credits_service, teacher, draft, attach, monkeypatch):
    attachment_id, _ = attach(b"one")
    before = view(credits_service, draft, attachment_id, teacher)
    service = credits_service.service
    old = KeySet.of(KeyRing(service.database._keyring.folder), "field-encryption")
    fresh = secrets.token_bytes(32)
    monkeypatch.setattr(service, "cipher", FieldCipher(KeySet("new", {**old.secrets, "new": fresh})))
    service.reseal_attachments(clock.now())
    # Now the retired key may be destroyed.
    monkeypatch.setattr(service, "cipher", FieldCipher(KeySet("new", {"new": fresh})))
    assert view(credits_service, draft, attachment_id, teacher) == before
    # The other tests' service still has the keys of this run.
    monkeypatch.setattr(service, "cipher", FieldCipher(KeySet(old.current, {**old.secrets, "new": fresh})))
    service.reseal_attachments(clock.now())
    monkeypatch.undo()
    assert view(credits_service, draft, attachment_id, teacher) == before


def test_the_keys_of_an_erased_persons_files_are_destroyed(credits_service, recognition, teacher, draft, attach):
    attachment_id, _ = attach(b"one")
    payload = {"account_id": str(teacher.account_id), "version": 4}
    assert identity.EVENTS[identity.PERSON_ERASED]().validate(payload) == {}
    for _ in range(2):
        recognition.deliver("on_person_erased", identity.PERSON_ERASED, payload)
    with pytest.raises(NotFound, match="attachment_unknown"):
        view(credits_service, draft, attachment_id, teacher)
    with credits_service.database.work() as db:
        stored = db.scalars(sa.select(Attachment).where(Attachment.teacher_id == teacher.account_id)).one()
        assert (stored.file_key_sealed, stored.storage_key) == ("", None)
    credits_service.service.reseal_attachments(clock.now())  # passes by what has no key
