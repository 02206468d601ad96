"""What identity announces is what learning understands, and what org announces of grants is what identity's tokens tell.

The services meet here only through their contracts and events.
"""

from __future__ import annotations

import uuid

import pytest

from services.identity import contract as identity
from services.identity.actions.accounts import standing_of
from services.identity.models import Account, SignIn
from services.identity.service import IdentityService
from services.learning.enrolment import queries as enrolment_queries
from services.learning.service import LearningService
from services.org import contract as org
from services.org.service import OrgService
from services.shared import clock
from services.shared.actor import service_actor
from tests.component.identity.stories import new_id_no, new_phone

pytestmark = pytest.mark.postgres

CLI = service_actor("cli")


@pytest.fixture
def imported(component, fixed_clock):
    """(identity, the account id of a person from a roster)"""
    service = component(IdentityService)
    row = {"row": 1, "name": "王小明", "id_no": new_id_no(), "phone": new_phone(), "segment": "小学", "subject": "语文"}
    [outcome] = service.call("import_people", {"rows": [row]}, CLI)["rows"]
    return service, outcome["account_id"]


def of_account(service, event_type, account_id):
    return [payload for payload in service.outbox(event_type) if payload["account_id"] == account_id]


def test_learning_takes_a_complete_profile_from_the_announcement(imported, component):
    service, account_id = imported
    learning = component(LearningService)
    [payload] = of_account(service, identity.PROFILE_CHANGED, account_id)
    learning.deliver("on_profile_changed", identity.PROFILE_CHANGED, payload)
    with learning.database.work() as db:
        assert enrolment_queries.learner_facts(db, uuid.UUID(account_id)).complete


def test_a_grant_of_orgs_reaches_the_token_and_voids_the_older_ones(imported, component):
    service, account_id = imported
    granting = component(OrgService)
    grant = {"account_id": account_id, "role": "NATIONAL_OPERATOR", "place": org.NATION}
    granting.call("bootstrap_grant", grant, CLI)
    for payload in of_account(granting, org.GRANTS_CHANGED, account_id):
        service.deliver("on_grants_changed", org.GRANTS_CHANGED, payload)
    with service.database.work() as db:
        account = db.get_one(Account, uuid.UUID(account_id))
        at_desk = SignIn(desk="ADMINISTRATOR", desk_opened_at=clock.now())
        standing = standing_of(db, account, at_desk, clock.now())
        assert standing_of(db, account, None, clock.now()).grants == []
    assert standing.grants == [["NATIONAL_OPERATOR", org.NATION]]
    [revoked] = of_account(service, identity.ACCESS_REVOKED, account_id)
    assert revoked["session_id"] is None
