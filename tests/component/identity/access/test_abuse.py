"""An attack in small (reliability.md S8): many accounts, several addresses, all names, hours of it; then the owners come."""

import collections
import random

import sqlalchemy as sa

from services.shared.errors import LimitReached, NotAllowed
from tests.component.identity.stories import anonymous, new_id_no, new_phone

ACCOUNTS, ADDRESSES, GUESSES = 4, 3, 400
QUARTER, MINUTE = 900, 60


def most_within(moments, seconds):
    """The most of these moments that lie within any stretch of so many seconds."""
    return max((sum(0 <= later - moment < seconds for later in moments) for moment in moments), default=0)


def failures(people, actor):
    return people.scalar("SELECT failed_count FROM account WHERE id = :id", id=actor.account_id)


def test_hours_of_guessing_stay_within_the_limits_and_bar_nobody(people):
    drawn = random.Random(8)
    victims = []
    for _ in range(ACCOUNTS):
        actor, phone = people.register()
        id_no = new_id_no()
        people.fill_profile(actor, id_no=id_no)
        victims.append((actor, phone, (phone, id_no)))
    strangers = [new_phone() for _ in range(ACCOUNTS)]
    addresses = [anonymous().address for _ in range(ADDRESSES)]
    judged, refused = collections.defaultdict(list), collections.defaultdict(list)
    for _ in range(GUESSES):
        people.pass_time(seconds=drawn.choice([0, 0, 0, 1, 5, 120]))
        now, address = people.clock.instant.timestamp(), drawn.choice(addresses)
        actor, _, names = drawn.choice(victims)
        login = drawn.choice([*names, drawn.choice(strangers)])
        before = failures(people, actor)
        try:
            wanted = {"login": login, "password": "wrong-horse-9", "captcha": people.captcha()}
            people.call("sign_in", wanted, anonymous(address))
        except NotAllowed:
            refused[address].append(now)
            if failures(people, actor) > before:
                judged[actor.account_id].append(now)
        except LimitReached:
            pass
    assert max(map(len, judged.values())) > 5  # the attack did get through to its limits
    assert all(most_within(moments, QUARTER) <= 5 for moments in judged.values())
    assert all(most_within(moments, MINUTE) <= 2 * 30 for moments in refused.values())
    with people.database.work() as db:
        busiest = sa.text("SELECT max(attempts) FROM attempt_window WHERE kind = 'sign_in_address'")
        assert db.execute(busiest).scalar_one() <= 30
    # Locked or not: with the phone in hand every owner is in at once, and the password works again.
    for actor, phone, _ in victims:
        reply = people.call("sign_in", {"phone": phone, "sms_code": people.code(phone, "SIGN_IN")}, anonymous())
        assert reply["account"]["account_id"] == str(actor.account_id)
        assert people.sign_in(phone)["account"]["locked"] is False
