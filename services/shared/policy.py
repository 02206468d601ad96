"""Policies: who may call a service's method, and on whom. Each service declares its own in `policy.py`.

The bus refuses a method without a policy at start-up, checks the caller before the method runs, and refuses to
commit or answer when a policy that names a scope was never given its target (`Call.authorise`).
"""

from __future__ import annotations

import dataclasses
import uuid

from services.shared import clock
from services.shared.actor import Actor, Kind, Role, covers
from services.shared.errors import NotAllowed, NotFound


@dataclasses.dataclass(frozen=True)
class Policy:
    """Who may call one method.

    `anyone`: no sign-in needed. `signed_in`: any account. `own`: the account that the record is about. `roles`: holders of
    one of these grants, at a place that covers the target's. `services`: internal callers by name. `everywhere`: the
    reason why this method must see rows beyond the caller's (it then runs with the worker's database role), or "".
    `step_up`: persons need a fresh SMS code besides (`domain.md` §3.11). `waiting`: also open to a teacher of a GATED
    tenant whom no school has approved yet (`domain.md` §3.1).
    """

    anyone: bool = False
    signed_in: bool = False
    own: bool = False
    roles: frozenset[Role] = frozenset()
    services: frozenset[str] = frozenset()
    everywhere: str = ""
    step_up: bool = False
    waiting: bool = False

    def __or__(self, other: Policy) -> Policy:
        return Policy(
            self.anyone or other.anyone,
            self.signed_in or other.signed_in,
            self.own or other.own,
            self.roles | other.roles,
            self.services | other.services,
            self.everywhere or other.everywhere,
            self.step_up or other.step_up,
            self.waiting or other.waiting,
        )

    def seeing_everything(self, reason: str) -> Policy:
        """The same callers, but the database shows rows beyond theirs. `reason` says why that is right."""
        return dataclasses.replace(self, everywhere=reason)

    def with_step_up(self) -> Policy:
        """The same callers, who must have typed a code from their phone within the last half hour; services need none."""
        return dataclasses.replace(self, step_up=True)

    def while_waiting(self) -> Policy:
        """The same callers, and also those who still wait for their school's approval."""
        return dataclasses.replace(self, waiting=True)

    @property
    def needs_target(self) -> bool:
        """Whether the method has to name its target before it may commit or answer."""
        return (self.own or bool(self.roles)) and not (self.anyone or self.signed_in)

    def admit(self, actor: Actor) -> None:
        """Refuse a caller who can have no right here, whatever the target.

        Raises NotAllowed: "shared.sign_in_first" for a visitor, "shared.not_allowed" for the wrong role,
        "identity.awaiting_approval" for whom the school has to approve first, "shared.step_up_needed" without a
        fresh code.
        """
        if self.anyone:
            return
        if actor.kind is Kind.SERVICE:
            if actor.service in self.services:
                return
            raise NotAllowed("shared.not_allowed")
        if actor.kind is Kind.ANONYMOUS or actor.account_id is None:
            raise NotAllowed("shared.sign_in_first")
        if not (self.signed_in or self.own or any(grant.role in self.roles for grant in actor.grants)):
            raise NotAllowed("shared.not_allowed")
        if actor.waiting and not self.waiting:
            raise NotAllowed("identity.awaiting_approval")
        if self.step_up and not actor.is_elevated(clock.now()):
            raise NotAllowed("shared.step_up_needed")

    def check(self, actor: Actor, subject: uuid.UUID | None, place: str | None, missing: str, field: str = "") -> None:
        """Refuse a caller whose scope does not reach the target, by the code and field that an unknown target would give.

        Unknown and forbidden look alike: NotFound.
        """
        if actor.kind is Kind.SERVICE and actor.service in self.services:
            return
        if self.own and subject is not None and subject == actor.account_id:
            return
        if place is not None and any(covers(granted, place) for granted in actor.places(self.roles)):
            return
        raise NotFound(missing, field)


def anyone() -> Policy:
    return Policy(anyone=True)


def signed_in() -> Policy:
    return Policy(signed_in=True)


def own() -> Policy:
    return Policy(own=True)


def granted(*roles: Role) -> Policy:
    return Policy(roles=frozenset(roles))


def service(*names: str) -> Policy:
    """Internal callers only. "cli" is the `yanxiu` command on the operators' machine."""
    return Policy(services=frozenset(names))
