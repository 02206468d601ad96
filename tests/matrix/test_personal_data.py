"""Where personal data may lie in plain text: nowhere (`reliability.md` S9, decision 18).

The world's people have names, ID numbers and phones, and have been registered, verified, moved, released, asked for, held and
appointed. Every table of every service is searched for them, the stored replies of commands and the events among them, and so is
what was logged meanwhile.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from services.shared.errors import ServiceError
from services.shared.settings import SERVICES
from tests.component.org.conftest import new_school
from tests.matrix.world import SERIES, Where, World, choose, release, verify
from yanxiu.journey.people import invent

# Of the schools' heads, from `new_school`.
HEAD = new_school()


def needles(world: World) -> dict[str, str]:
    """What is looked for, and what it is."""
    people = [invent(SERIES, number) for number in range(world.people_made)]
    found = {one.id_no: "ID number" for one in people} | {one.phone: "phone" for one in people}
    return found | {HEAD["head_mobile"]: "phone of a head"}


def tables(world: World, service: str) -> Iterator[tuple[str, str]]:
    """Every table of a service with all its rows as text, as the administrator sees them."""
    url = sa.make_url(world.settings.database_url).set(database=world.settings.database_name(service))
    with psycopg.connect(url.render_as_string(hide_password=False).replace("+psycopg", "")) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname = 'public' AND relkind = 'r'"
        ).fetchall()
        for (name,) in names:
            rows = connection.execute(f'SELECT t::text FROM "{name}" t').fetchall()  # type: ignore[arg-type]
            yield name, "\n".join(text for (text,) in rows)


def hits(text: str, wanted: dict[str, str], pattern: re.Pattern[str]) -> set[str]:
    return {wanted[found] for found in pattern.findall(text)}


def pattern_of(wanted: dict[str, str]) -> re.Pattern[str]:
    # Not inside a longer number; IDs in lower case too.
    return re.compile(rf"(?<![0-9])(?:{'|'.join(map(re.escape, wanted))})(?![0-9])")


@pytest.mark.parametrize("service", SERVICES)
def test_no_table_holds_an_id_number_or_a_phone(world: World, service: str) -> None:
    wanted = needles(world)
    pattern = pattern_of(wanted)
    found = {name: hits(text, wanted, pattern) for name, text in tables(world, service)}
    assert {name: kinds for name, kinds in found.items() if kinds} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_no_reply_event_or_audit_row_holds_a_name(world: World, service: str) -> None:
    """Names of people who were invented; "王" alone would be found anywhere, whole names are not."""
    names = {invent(SERIES, number).name for number in range(world.people_made)} | {HEAD["head_name"]}
    pattern = re.compile("|".join(map(re.escape, names)))
    for name, text in tables(world, service):
        if name in ("idempotency", "outbox", "parked", "audit", "inbox"):
            assert not pattern.findall(_as_text(text)), name


def _as_text(text: str) -> str:
    """JSON may hide characters behind escapes."""
    return text + json.loads(json.dumps(text)).encode().decode("utf-8") + _unescaped(text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)


def test_the_people_are_there_to_be_found(world: World) -> None:
    """Sealed, and found again by whoever may: otherwise the searches above would prove nothing."""
    assert world.people_made > 90
    [(count,)] = world.sql("identity", "SELECT count(*) FROM account WHERE phone_sealed IS NOT NULL")
    assert int(str(count)) >= world.people_made
    [(heads,)] = world.sql("org", "SELECT count(*) FROM school_contact WHERE head_mobile_sealed IS NOT NULL")
    assert int(str(heads)) >= len(Where)


def test_the_search_finds_what_is_put_there(world: World) -> None:
    """The twin."""
    one = invent(SERIES, 0)
    wanted = needles(world)
    world.sql("org", f'CREATE TABLE leak AS SELECT \'{{"phone": "{one.phone}"}}\'::jsonb AS body')
    try:
        found = {name for name, text in tables(world, "org") if hits(text, wanted, pattern_of(wanted))}
        assert found == {"leak"}
    finally:
        world.sql("org", "DROP TABLE leak")


def test_nothing_personal_is_logged(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """One more teacher comes, is refused, verified, released; what was written to log, stdout and stderr is searched."""
    caplog.set_level(logging.DEBUG)
    spot = world.spots[Where.NEIGHBOUR]
    before = world.people_made
    [account_id] = world.new_people(1)
    world.deliver_all()
    choose(world, account_id, spot)
    with pytest.raises(ServiceError):
        verify(world, account_id, world.spots[Where.OTHER_PROVINCE])
    verify(world, account_id, spot)
    release(world, account_id, spot)
    with pytest.raises(ServiceError):
        world.call(
            "identity", "import_people", {"rows": [{"row": 2, "phone": invent(SERIES, before).phone, "name": 7}] * 2000}
        )
    written = capfd.readouterr()
    text = caplog.text + written.out + written.err
    assert not pattern_of(needles(world)).findall(text)
    assert invent(SERIES, before).name not in text
