"""What identity announces of persons is what the others understand: numbers, merges, undone merges, erasure."""

from __future__ import annotations

import uuid

import pytest

from services.billing.service import BillingService
from services.certs.service import CertsService
from services.identity.contract import person
from services.identity.service import IdentityService
from services.learning.service import LearningService
from services.org.service import OrgService
from services.org.transfers import queries as transfers
from services.shared.actor import Role, service_actor
from services.shared.errors import NotFound
from tests.component.identity.stories import People, administrator, new_id_no, new_phone

pytestmark = pytest.mark.postgres

CLI = service_actor("cli")
LISTENERS = (OrgService, LearningService, CertsService, BillingService)
FIND_BY_NUMBER = (OrgService, LearningService, BillingService)


@pytest.fixture
def people(component, fixed_clock, keyring):
    return People(component(IdentityService), fixed_clock, keyring)


@pytest.fixture
def listeners(component):
    return [component(service_class) for service_class in LISTENERS]


def imported(people):
    """(account id, ID number) of a teacher from a roster."""
    row = {"row": 1, "name": "王小明", "id_no": new_id_no(), "phone": new_phone(), "segment": "小学", "subject": "语文"}
    return people.call("import_people", {"rows": [row]}, CLI)["rows"][0]["account_id"], row["id_no"]


def deliver(listeners, handler, event_type, payloads):
    """To every service that has this handler; returns how many have."""
    heard = [each for each in listeners if hasattr(each.service, handler)]
    for listener in heard:
        for payload in payloads:
            listener.deliver(handler, event_type, payload)
    return len(heard)


def agent(people):
    import dataclasses

    support = administrator(Role.SUPPORT_AGENT, "CN")
    return dataclasses.replace(support, elevated_until=people.clock.instant.replace(year=2030))


def merge(people, kept, merged):
    """The merge's id."""
    document = {"id_type": "RESIDENT_ID", "id_no": kept[1]}
    wanted = {"kept_id": kept[0], "merged_id": merged[0], "phone_of": "KEPT", "document_of": "KEPT", **document}
    proposed = people.call("propose_merge", {**wanted, "proof": "ORIGINAL", "reason": "两次注册"}, agent(people))
    people.call("approve_merge", {"merge_id": proposed["merge_id"], **document}, agent(people))
    return proposed["merge_id"]


def of_merge(people, event_type, merged):
    return [payload for payload in people.component.outbox(event_type) if payload["merged_id"] == merged[0]]


def numbers(people, account_id):
    return [each for each in people.component.outbox(person.LEARNER_NO_ISSUED) if each["account_id"] == account_id]


def found_by(listeners, number):
    org = next(each for each in listeners if each.service.name == "org")
    with org.database.work() as db:
        return str(transfers.get_teacher(db, number))


def test_a_number_leads_org_to_the_teacher_and_after_a_merge_to_the_kept_one(people, listeners):
    kept, merged = imported(people), imported(people)
    for each in (kept, merged):
        assert deliver(listeners, "on_learner_no_issued", person.LEARNER_NO_ISSUED, numbers(people, each[0])) == len(
            FIND_BY_NUMBER
        )
    [number] = [each["learner_no"] for each in numbers(people, merged[0])]
    assert found_by(listeners, number) == merged[0]
    merge_id = merge(people, kept, merged)
    together = of_merge(people, person.PERSONS_MERGED, merged)
    assert deliver(listeners, "on_persons_merged", person.PERSONS_MERGED, together) == len(LISTENERS)
    assert found_by(listeners, number) == kept[0]
    people.call("undo_merge", {"merge_id": merge_id, "reason": "误并"}, agent(people))
    apart = of_merge(people, person.MERGE_UNDONE, merged)
    assert deliver(listeners, "on_merge_undone", person.MERGE_UNDONE, apart) == len(LISTENERS)
    assert found_by(listeners, number) == merged[0]
    # Late and repeated, in whatever order: the newest word holds.
    deliver(listeners, "on_persons_merged", person.PERSONS_MERGED, together)
    assert found_by(listeners, number) == merged[0]


def test_nobody_is_found_by_the_number_of_an_erased_person(people, listeners):
    from services.identity.person.actions.erasing import erase_person
    from services.identity.queries import lock_account

    account_id, _ = imported(people)
    deliver(listeners, "on_learner_no_issued", person.LEARNER_NO_ISSUED, numbers(people, account_id))
    [number] = [each["learner_no"] for each in numbers(people, account_id)]
    with people.database.work() as db:
        account = lock_account(db, uuid.UUID(account_id))
        erase_person(db, people.service.vault, account, people.clock.instant)
    assert deliver(listeners, "on_person_erased", person.PERSON_ERASED, people.events(person.PERSON_ERASED, account_id))
    with pytest.raises(NotFound):
        found_by(listeners, number)
    # Told late, or once more: it stays forgotten.
    deliver(listeners, "on_learner_no_issued", person.LEARNER_NO_ISSUED, numbers(people, account_id))
    with pytest.raises(NotFound):
        found_by(listeners, number)
