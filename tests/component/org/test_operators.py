"""Who may run the nation's side of the installation ends only from the operators' machine, and never the last one."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from services.org import contract, queries
from services.org.actions import operators
from services.shared.actor import Actor, Role
from services.shared.errors import Conflict, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from services.shared.tables import audit
from tests.component.org.conftest import CLI, Org

pytestmark = pytest.mark.postgres

NATION = "CN"


def operator(org: Org) -> Actor:
    return org.holder(Role.NATIONAL_OPERATOR, NATION)


def revoke(org: Org, account_id: uuid.UUID | None, by: Actor = CLI) -> dict[str, Any]:
    return org.call("revoke_operator", {"account_id": str(account_id), "reason": "离任"}, by)


def present(org: Org) -> list[str]:
    return [item["account_id"] for item in org.call("list_operators")["items"]]


@pytest.fixture
def two(org: Org) -> Iterator[list[Actor]]:
    """The only operators there are: tests before this one have left theirs."""
    left = present(org)
    made = [operator(org), operator(org)]
    for account_id in left:
        revoke(org, uuid.UUID(account_id))
    return [*made]  # type: ignore[return-value]


def test_a_revoked_operator_holds_nothing_and_it_is_announced_and_recorded(org: Org, two: list[Actor]) -> None:
    gone, stays = two
    ended = revoke(org, gone.account_id)
    assert (ended["state"], ended["role"], present(org)) == ("REVOKED", "NATIONAL_OPERATOR", [str(stays.account_id)])
    announced = org.announced(contract.GRANTS_CHANGED, account_id=str(gone.account_id))
    assert [event["grants"] for event in announced] == [[["NATIONAL_OPERATOR", NATION]], []]
    with org.component.database.work() as db:
        row = db.execute(sa.select(audit).where(audit.c.subject == gone.account_id).order_by(audit.c.at.desc())).first()
    assert row is not None
    assert (row.action, row.actor, row.reason, row.after["state"]) == (
        "revoke_operator",
        "service:cli",
        "离任",
        "REVOKED",
    )


def test_the_last_operator_stays(org: Org, two: list[Actor]) -> None:
    revoke(org, two[0].account_id)
    with pytest.raises(Conflict, match=r"org\.last_operator"):
        revoke(org, two[1].account_id)
    assert present(org) == [str(two[1].account_id)]


def test_an_operator_whose_time_has_not_come_is_no_successor(org: Org, two: list[Actor]) -> None:
    with org.component.database.work() as db:
        db.execute(
            sa.text("UPDATE admin_grant SET valid_from = now() + interval '1 day' WHERE account_id = :one"),
            {"one": two[0].account_id},
        )
    with pytest.raises(Conflict, match=r"org\.last_operator"):
        revoke(org, two[1].account_id)


def test_two_who_are_revoked_at_the_same_moment_do_not_count_on_each_other(org: Org, two: list[Actor]) -> None:
    assert press_both(org, two) == ["REVOKED", "org.last_operator"]


def test_sabotage_without_the_lock_both_would_go(org: Org, two: list[Actor], monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)

    def unlocked(db: Any) -> Any:
        found = queries.list_operators(db)
        both.wait(timeout=10)
        return found

    monkeypatch.setattr(operators.queries, "lock_operators", unlocked)
    assert press_both(org, two) == ["REVOKED", "REVOKED"]


def press_both(org: Org, two: list[Actor]) -> list[str]:
    outcomes: list[str] = []

    def press(who: Actor) -> None:
        try:
            outcomes.append(revoke(org, who.account_id)["state"])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=press, args=(who,)) for who in two]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_only_the_operators_machine_revokes(org: Org, two: list[Actor]) -> None:
    with pytest.raises(NotAllowed):
        revoke(org, two[0].account_id, by=two[1])
    with pytest.raises(NotAllowed):
        org.call("list_operators", {}, two[0])
    with pytest.raises(NotFound, match=r"org\.operator_unknown"):
        revoke(org, new_id())
    with pytest.raises(NotFound, match=r"org\.operator_unknown"):
        revoke(org, org.holder(Role.AUDITOR, NATION).account_id)
