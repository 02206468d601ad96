"""Random sequences of what teachers, strangers, agents and the clock may do: no phone is ever lost or taken unasked."""

import contextlib
import datetime as dt
import itertools
import random
import uuid

import pytest
import sqlalchemy as sa

from services.identity.contract.phone import TicketState
from services.identity.phone.models import PhoneTicket
from services.identity.phone.rules.tickets import COOLING, IN_PROGRESS, TRANSITIONS
from services.shared.errors import ServiceError
from tests.component.identity.stories import anonymous, new_phone
from tests.component.identity.tickets import Phones, agent

STEPS = 80
REACHABLE = {(before, after) for (before, _), after in TRANSITIONS.items()}


# Enough of what leads on that some walks arrive, enough of the rest that most do not.
WEIGHTS = {
    "open": 3, "upload": 1, "submit": 5, "claim": 8, "approve": 8, "reject": 1, "put_back": 1, "withdraw": 0.5,
    "stop_own": 0.3, "wait": 3, "finish": 4, "forget": 2, "answer": 0.5,
}  # fmt: skip


class Walk:
    """A few teachers, their tickets, two agents."""

    def __init__(self, people, seed):
        self.people, self.phones, self.chance = people, Phones(people), random.Random(seed)
        self.teachers = [self.phones.teacher() for _ in range(2)]
        self.agents = [agent(), agent()]
        self.asked, self.stopped, self.log = [], set(), []

    def step(self):
        act = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        with contextlib.suppress(ServiceError):
            getattr(self, act)()

    def ticket(self):
        """Mostly one of the last."""
        if not self.asked:
            return self.open()
        return self.chance.choice(self.asked if self.chance.random() < 0.2 else self.asked[-2:])

    def open(self):
        _, old, id_no = self.chance.choice(self.teachers)
        taken = self.chance.choice([each[1] for each in self.teachers]) if self.chance.random() < 0.1 else new_phone()
        self.asked.append(self.phones.open(old, id_no, new_phone=taken))
        return self.asked[-1]

    def upload(self):
        self.phones.upload(self.ticket(), bytes([self.chance.randrange(3)]) * 10)

    def submit(self):
        asked = self.ticket()
        with contextlib.suppress(ServiceError):
            self.phones.upload(asked)
        self.phones.call("submit_phone_ticket", asked.reference, anonymous())

    def desk(self, method, **more):
        self.phones.call(method, {"ticket_id": self.ticket().ticket_id, **more}, self.chance.choice(self.agents))

    def claim(self):
        self.desk("claim_phone_ticket")

    def approve(self):
        self.desk("approve_phone_ticket")

    def reject(self):
        self.desk("reject_phone_ticket", reason="OTHER")

    def put_back(self):
        self.desk("put_back_phone_ticket")

    def withdraw(self):
        asked = self.ticket()
        self.phones.call("withdraw_phone_ticket", asked.reference, anonymous())
        self.stopped.add(asked.ticket_id)

    def stop_own(self):
        self.phones.call("stop_own_phone_ticket", {}, self.chance.choice(self.teachers)[0])

    def wait(self):
        self.people.pass_time(hours=self.chance.choice([1, 12, 25, 24 * 8]))

    def finish(self):
        self.phones.run("finish_phone_tickets")
        self.teachers = [(actor, self.phone_of(actor), id_no) for actor, _, id_no in self.teachers]

    def forget(self):
        self.phones.run("forget_phone_tickets")

    def answer(self):
        """The old phone turns out to be alive."""
        _, phone, _ = self.chance.choice(self.teachers)
        self.people.call("sign_in", {"phone": phone, "sms_code": self.people.code(phone, "SIGN_IN")}, anonymous())

    def phone_of(self, actor):
        with self.people.database.work() as db:
            sealed = db.execute(sa.text("SELECT phone_sealed FROM account WHERE id = :id"), {"id": actor.account_id})
            return self.people.service.vault.open("account", actor.account_id, "phone", sealed.scalar_one())

    def check(self):
        ids = [uuid.UUID(asked.ticket_id) for asked in self.asked]
        with self.people.database.work() as db:
            tickets = db.scalars(sa.select(PhoneTicket).where(PhoneTicket.id.in_(ids))).all()
        running = [ticket for ticket in tickets if ticket.state in IN_PROGRESS]
        for side in ("old_phone_index", "new_phone_index", "account_id"):
            named = [getattr(ticket, side) for ticket in running]
            assert len(named) == len(set(named)), side
        for ticket in tickets:
            self.check_story(ticket)

    def check_story(self, ticket):
        states = [
            event["state"]
            for event in self.people.component.outbox("identity.phone_ticket_changed")
            if event["ticket_id"] == str(ticket.id)
        ]
        assert states[-1] == ticket.state
        assert len(states) == ticket.version
        assert all(pair in REACHABLE for pair in itertools.pairwise(states)), states
        if ticket.state == TicketState.DONE:
            assert "COOLING" in states
            assert ticket.decided_by is not None
            assert ticket.over_at >= ticket.decided_at + COOLING
            assert str(ticket.id) not in self.stopped
        if ticket.forgotten_at is not None and ticket.decided_at is not None:
            assert ticket.forgotten_at >= ticket.decided_at + dt.timedelta(days=7)


@pytest.mark.slow
def test_whatever_is_tried_a_phone_is_changed_by_the_rules_or_not_at_all(people):
    arrived = 0
    for seed in range(3):
        walk = Walk(people, seed)
        for _ in range(STEPS):
            walk.step()
            walk.check()
        changes = sum(len(people.events("identity.phone_changed", actor.account_id)) for actor, _, _ in walk.teachers)
        done = sum(walk.phones.state(asked)["state"] == "DONE" for asked in walk.asked)
        assert changes == done, seed
        arrived += done
    assert arrived  # or the walks went nowhere
