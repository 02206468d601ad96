"""People as administrators see and import them; row security; nothing in clear in the tables."""

import uuid

import pytest
import sqlalchemy as sa

from services.identity import contract, queries
from services.identity.actions import upkeep
from services.identity.contract.rosters import fault_in_person
from services.identity.person.actions import adding
from services.identity.vault import Vault
from services.shared import clock
from services.shared.actor import Role, service_actor
from services.shared.crypto import KeySet
from services.shared.errors import InvalidInput, NotAllowed
from services.shared.ids import new_id
from tests.component.identity.stories import COUNTY, PASSWORD, administrator, anonymous, new_id_no, new_phone

CLI = service_actor("cli")


def row(number=1, **changes):
    good = {
        "row": number,
        "name": "王小明",
        "id_no": new_id_no(),
        "phone": new_phone(),
        "segment": "小学",
        "subject": "语文",
    }
    return {**good, **changes}


def imported(people, *rows, actor=CLI):
    return people.call("import_people", {"rows": list(rows)}, actor)["rows"]


# --- list_people -------------------------------------------------------------------------------------------------------


def placed_teacher(people, place):
    actor, phone = people.register()
    people.fill_profile(actor)
    people.place(actor, place)
    return actor, phone


def listed(people, admin, *actors):
    asked = {"account_ids": [str(actor.account_id) for actor in actors]}
    return people.call("list_people", asked, admin)["people"]


def test_an_administrator_sees_the_own_people_masked(people):
    actor, phone = placed_teacher(people, f"{COUNTY}/s1")
    [person] = listed(people, administrator(Role.SCHOOL_ADMIN, f"{COUNTY}/s1"), actor)
    assert person["name"] == "张**"
    assert person["phone"] == f"{phone[:3]}****{phone[-4:]}"
    assert person["id_no"][4:14] == "*" * 10
    assert person["complete"]
    assert phone not in str(person)


def test_others_are_left_out_without_a_word(people):
    mine, _ = placed_teacher(people, f"{COUNTY}/s1")
    neighbour, _ = placed_teacher(people, f"{COUNTY}/s2")
    other_county, _ = placed_teacher(people, "CN/440000/440100/440104/s3")
    nowhere, _ = people.register()
    everyone = (mine, neighbour, other_county, nowhere)

    def seen(role, place):
        return {person["account_id"] for person in listed(people, administrator(role, place), *everyone)}

    assert seen(Role.SCHOOL_ADMIN, f"{COUNTY}/s1") == {str(mine.account_id)}
    assert seen(Role.COUNTY_ADMIN, COUNTY) == {str(mine.account_id), str(neighbour.account_id)}
    assert seen(Role.COUNTY_ADMIN, "CN/440000/440100/44010") == set()
    assert seen(Role.PROVINCE_ADMIN, "CN/450000") == set()
    assert len(seen(Role.NATIONAL_OPERATOR, "CN")) == 3


def test_a_moved_teacher_leaves_the_old_administrators_view(people):
    actor, _ = placed_teacher(people, f"{COUNTY}/s1")
    people.place(actor, f"{COUNTY}/s2", version=2)
    assert listed(people, administrator(Role.SCHOOL_ADMIN, f"{COUNTY}/s1"), actor) == []
    people.place(actor, "", state="RELEASED", version=3)
    assert listed(people, administrator(Role.COUNTY_ADMIN, COUNTY), actor) == []


def test_an_administrator_who_is_a_teacher_elsewhere_is_not_in_the_own_list(people):
    actor, _ = placed_teacher(people, "CN/450000/450100/450102/s9")
    grants = administrator(Role.COUNTY_ADMIN, COUNTY).grants
    import dataclasses

    assert listed(people, dataclasses.replace(actor, grants=grants), actor) == []


def test_teachers_and_visitors_may_not_list(people):
    actor, _ = placed_teacher(people, f"{COUNTY}/s1")
    for caller in (actor, anonymous(), administrator(Role.AUDITOR, COUNTY)):
        with pytest.raises(NotAllowed):
            listed(people, caller, actor)


@pytest.mark.parametrize("ids", [[], ["x"], [1], "x", None, [str(uuid.uuid4())] * 201])
def test_bad_lists_are_refused(people, ids):
    with pytest.raises(InvalidInput):
        people.call("list_people", {"account_ids": ids}, administrator())


# --- row security: raw SQL with the application role ---------------------------------------------------------------------

PERSONAL = (
    "account", "profile", "profile_history", "sign_in", "refresh_token", "revocation", "account_grants", "placement",
    "sms_code", "email_code", "development_message", "attempt_window",
)  # fmt: skip


def visible(people, table, person="", places=""):
    """How many rows the application role sees; None where it may not even look."""
    with people.database.app.connect() as connection, connection.begin():
        connection.execute(
            sa.text("SELECT set_config('app.person', :person, true), set_config('app.places', :places, true)"),
            {"person": person, "places": places},
        )
        allowed = sa.text("SELECT has_table_privilege(:table, 'SELECT')")
        if not connection.execute(allowed, {"table": table}).scalar_one():
            return None
        return connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()


def test_every_table_forces_row_security(people):
    with people.database.work() as db:
        loose = db.execute(
            sa.text(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                " AND relname <> 'alembic_version' AND NOT (relrowsecurity AND relforcerowsecurity)"
            )
        ).scalars()
        assert set(loose) == set()


@pytest.mark.parametrize("table", PERSONAL)
def test_without_a_scope_the_application_role_sees_nothing_also_on_a_reused_connection(people, table):
    actor, _ = placed_teacher(people, f"{COUNTY}/s1")
    # A scope set once leaves '' behind on the pooled connection, which must not cover everything.
    visible(people, table, str(actor.account_id), "CN")
    assert visible(people, table) in (0, None)


@pytest.mark.parametrize("table", ["account", "profile"])
def test_a_scope_shows_the_own_row_and_the_territory_and_nothing_else(people, table):
    actor, _ = placed_teacher(people, f"{COUNTY}/{uuid.uuid4().hex}")
    school = people.scalar("SELECT place FROM placement WHERE teacher_id = :id", id=actor.account_id)
    assert visible(people, table, person=str(actor.account_id)) == 1
    assert visible(people, table, places=school) == 1
    assert visible(people, table, places=school[:-1]) == 0
    assert visible(people, table, person=str(uuid.uuid4()), places=f"{COUNTY}/none") == 0


@pytest.mark.parametrize(
    "table", ["sms_code", "email_code", "development_message", "attempt_window", "refresh_token", "profile_history"]
)
def test_codes_tokens_and_history_are_out_of_the_application_roles_reach(people, table):
    assert visible(people, table, places="CN") is None


# --- import_people -----------------------------------------------------------------------------------------------------


def test_new_people_are_created_once_and_can_sign_in_by_code(people):
    roster = [row(1), row(2, segment="KINDERGARTEN", subject=""), row(3, id_type="PASSPORT", id_no=f"E{new_phone()}")]
    first = imported(people, *roster)
    assert [outcome["outcome"] for outcome in first] == ["CREATED"] * 3
    again = imported(people, *roster)
    assert [outcome["outcome"] for outcome in again] == ["UNCHANGED"] * 3
    assert [outcome["account_id"] for outcome in again] == [outcome["account_id"] for outcome in first]
    for outcome in first:
        assert len(people.events("identity.account_registered", outcome["account_id"])) == 1
        assert [event["complete"] for event in people.events("identity.profile_changed", outcome["account_id"])] == [
            True
        ]
    code = people.code(roster[0]["phone"], "SIGN_IN")
    reply = people.call("sign_in", {"phone": roster[0]["phone"], "sms_code": code}, anonymous())
    assert reply["account"]["has_password"] is False
    assert reply["account"]["account_id"] == first[0]["account_id"]
    with pytest.raises(NotAllowed, match="sign_in_refused"):
        people.sign_in(roster[0]["phone"], PASSWORD)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"id_no": "440524188001010015"}, "identity.id_no_check_digit", "id_no"),
        ({"id_no": "440524880101001"}, "identity.id_no_fifteen_digits", "id_no"),
        ({"phone": "12345"}, "identity.phone_form", "phone"),
        ({"name": "=cmd|' /C calc'!A0"}, "identity.name_form", "name"),
        ({"name": ""}, "shared.invalid", "name"),
        ({"name": None}, "shared.invalid", "name"),
        ({"segment": "大学"}, "identity.segment_unknown", "segment"),
        ({"segment": "幼儿园", "subject": "语文"}, "identity.subject_kindergarten", "subject"),
        ({"id_no": 440524188001010014}, "shared.invalid", "id_no"),
        ({"salary": "1"}, "shared.invalid", "salary"),
        ({"row": "7"}, "shared.invalid", "row"),
        ({"name": "王\ud800"}, "shared.invalid", "name"),
    ],
)
def test_a_bad_row_says_why_and_its_neighbours_are_imported(people, changes, code, field):
    outcomes = imported(people, row(1), row(2, **changes), row(3))
    assert [outcome["outcome"] for outcome in outcomes] == ["CREATED", "REFUSED", "CREATED"]
    assert (outcomes[1]["code"], outcomes[1]["field"], outcomes[1]["account_id"]) == (code, field, None)


def test_rows_that_contradict_what_is_known_are_refused_and_overwrite_nothing(people):
    known = row(1)
    imported(people, known)
    registered, phone = people.register()
    outcomes = imported(
        people,
        {**known, "name": "李四"},
        {**known, "phone": new_phone()},
        row(3, phone=known["phone"]),
        row(4, phone=phone),
    )
    assert [(outcome["code"], outcome["field"]) for outcome in outcomes] == [
        ("identity.import_name_differs", "name"),
        ("identity.import_phone_differs", "phone"),
        ("identity.import_phone_belongs", "phone"),
        ("identity.import_phone_belongs", "phone"),
    ]
    assert people.call("get_profile", {}, registered)["id_no"] == ""
    assert imported(people, known)[0]["outcome"] == "UNCHANGED"


def test_one_file_that_names_a_person_or_a_phone_twice(people):
    first = row(1)
    outcomes = imported(people, first, {**first, "row": 2}, row(3, phone=first["phone"]))
    assert [outcome["outcome"] for outcome in outcomes] == ["CREATED", "UNCHANGED", "REFUSED"]


def test_the_same_import_in_parallel_creates_each_person_once(people, in_parallel):
    roster = [row(number) for number in range(1, 6)]
    outcomes = in_parallel(3, lambda: imported(people, *roster))
    by_row = zip(*outcomes, strict=True)
    assert [sorted(outcome["outcome"] for outcome in each) for each in by_row] == [
        ["CREATED", "UNCHANGED", "UNCHANGED"]
    ] * len(roster), outcomes


def test_importing_is_audited_and_for_those_who_keep_teachers(people):
    admin = administrator(Role.COUNTY_ADMIN, COUNTY)
    [outcome] = imported(people, row(), actor=admin)
    audited = people.scalar(
        "SELECT actor FROM audit WHERE action = 'import_people' AND subject = :id", id=uuid.UUID(outcome["account_id"])
    )
    assert audited == str(admin.account_id)
    for caller in (administrator(Role.PRINCIPAL), anonymous(), service_actor("learning")):
        with pytest.raises(NotAllowed):
            imported(people, row(), actor=caller)


def test_what_an_import_announces_fits_the_contract(people):
    """It is built without asking the contract about every row."""
    roster = [
        row(1),
        row(2, segment="KINDERGARTEN", subject=""),
        row(3, subject=""),
        row(4, id_type="PASSPORT", id_no="E1234567"),
    ]
    for outcome in imported(people, *roster):
        for event in (contract.ACCOUNT_REGISTERED, contract.PROFILE_CHANGED, contract.person.LEARNER_NO_ISSUED):
            [payload] = people.events(event, outcome["account_id"])
            assert contract.EVENTS[event]().validate(payload) == {}
            snapshot = people.service.snapshots[event]
            with people.database.work() as db:
                [told] = snapshot.tell(people.service, db, [(uuid.UUID(outcome["account_id"]),)])
            assert told.payload == payload, "as whoever rebuilds a projection is told"


def test_a_roster_takes_a_handful_of_statements_whatever_its_size(people):
    statements = []
    engine = people.database.worker
    listen = lambda *arguments: statements.append(arguments[2])  # noqa: E731
    sa.event.listen(engine, "before_cursor_execute", listen)
    outcomes = imported(people, *(row(number) for number in range(1, contract.IMPORT_ROWS_AT_ONCE + 1)))
    sa.event.remove(engine, "before_cursor_execute", listen)
    assert {outcome["outcome"] for outcome in outcomes} == {"CREATED"}
    assert len(statements) < 25, statements


def test_a_person_lost_to_a_registration_at_the_same_moment_takes_nobody_along(people, monkeypatch):
    """Their phone was taken between our look and our insert: the database refuses the row, and it alone."""
    _, phone = people.register()
    monkeypatch.setattr(queries, "list_phone_owners", lambda *_: [])
    outcomes = imported(people, row(1), row(2, phone=phone), row(3))
    assert [(outcome["outcome"], outcome["code"]) for outcome in outcomes] == [
        ("CREATED", ""),
        ("REFUSED", "identity.import_phone_belongs"),
        ("CREATED", ""),
    ]
    assert outcomes[1]["account_id"] is None
    for outcome in (outcomes[0], outcomes[2]):
        assert len(people.events("identity.account_registered", outcome["account_id"])) == 1


def test_a_school_that_asks_for_too_many_strangers_is_told_nothing_more_until_tomorrow(people, monkeypatch):
    monkeypatch.setattr(adding, "ROSTER_REFUSALS_PER_DAY", 3)
    _, phone = people.register()
    admin = administrator(Role.SCHOOL_ADMIN, f"{COUNTY}/s1")
    first = imported(people, row(1), row(2, phone=phone), row(3, phone="1"), actor=admin)
    assert [outcome["code"] for outcome in first] == ["", "identity.person_known", "identity.phone_form"]
    assert first[1]["field"] == ""
    more = imported(people, *(row(number, phone=phone) for number in range(1, 4)), row(4), actor=admin)
    assert [outcome["code"] for outcome in more] == ["identity.person_known"] * 2 + ["identity.add_limit"] * 2
    # Also somebody new: else the difference would tell who is known.
    assert imported(people, row(5), actor=admin)[0]["code"] == "identity.add_limit"
    # Whoever keeps a whole county is told everything, as often as it takes.
    county = imported(
        people, *(row(number, phone=phone) for number in range(1, 6)), actor=administrator(Role.COUNTY_ADMIN, COUNTY)
    )
    assert {outcome["code"] for outcome in county} == {"identity.import_phone_belongs"}


def test_known_people_are_found_by_name_number_and_phone_together_only(people):
    known = row(1)
    [outcome] = imported(people, known)
    rows = [
        known,
        {**known, "row": 2, "name": "李四"},
        {**known, "row": 3, "phone": new_phone()},
        {**known, "row": 4, "id_no": new_id_no()},
        row(5),
        {**known, "row": 6, "segment": "大学"},
    ]
    found = people.call("find_known_people", {"rows": rows}, service_actor("org"))["people"]
    assert found == [{"row": 1, "account_id": outcome["account_id"]}]
    for caller in (
        administrator(Role.SCHOOL_ADMIN),
        administrator(Role.COUNTY_ADMIN, COUNTY),
        service_actor("learning"),
    ):
        with pytest.raises(NotAllowed):
            people.call("find_known_people", {"rows": rows}, caller)


@pytest.mark.parametrize("rows", [[], "x", [1], [[]], None, [{}] * (contract.IMPORT_ROWS_AT_ONCE + 1)])
def test_what_is_no_list_of_rows_is_refused(people, rows):
    with pytest.raises(InvalidInput):
        people.call("import_people", {"rows": rows}, CLI)


# --- at rest -------------------------------------------------------------------------------------------------------------


def everything_stored(people):
    """Each value of each table, as text: what a stolen backup would show."""
    with people.database.work() as db:
        tables = db.execute(
            sa.text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        ).scalars()
        readable = [table for table in tables if table != "alembic_version"]
        return "\n".join(
            text or ""
            for table in readable
            for text in db.execute(sa.text(f"SELECT string_agg(stored::text, '\n') FROM {table} AS stored")).scalars()
        )


def test_no_table_holds_a_phone_a_number_a_name_a_code_or_a_password_in_clear(people):
    phone, id_no, name = new_phone(), new_id_no(), "慕容复"
    code = people.code(phone)
    reply = people.call(
        "register_account", {"phone": phone, "sms_code": code, "password": PASSWORD}, anonymous("198.51.100.77")
    )
    actor = people.actor(reply["account"])
    people.fill_profile(actor, name=name, id_no=id_no)
    people.fill_profile(actor, name="慕容龙城", id_no=new_id_no())
    known = row()
    imported(people, known)
    stored = everything_stored(people)
    assert str(actor.account_id) in stored
    secrets = (
        phone,
        id_no,
        name,
        PASSWORD,
        reply["tokens"]["refresh_token"],
        known["phone"],
        known["id_no"],
        known["name"],
    )
    assert [secret for secret in secrets if secret in stored] == []


def test_after_a_rotation_people_are_found_by_old_and_new_keys_and_resealed(people):
    actor, phone = people.register()
    id_no = new_id_no()
    people.fill_profile(actor, id_no=id_no)
    old = people.service.vault
    keys = {purpose: KeySet.of(people.keyring, purpose) for purpose in ("field-encryption", "blind-index")}
    rotated = Vault(*(KeySet("newkey01", {**each.secrets, "newkey01": bytes([7]) * 32}) for each in keys.values()))
    assert rotated.has_older_keys
    assert not old.has_older_keys
    people.service.vault = rotated
    # Between rotation and resealing: found under the old key, and still only one person per number.
    assert people.sign_in(phone)["account"]["account_id"] == str(actor.account_id)
    rival, _ = people.register()
    with pytest.raises(Exception, match="id_no_taken"):
        people.fill_profile(rival, id_no=id_no)
    while people.database and reseal(people, rotated):
        pass
    fresh_only = Vault(
        KeySet("newkey01", {"newkey01": bytes([7]) * 32}), KeySet("newkey01", {"newkey01": bytes([7]) * 32})
    )
    people.service.vault = fresh_only
    assert people.sign_in(phone)["account"]["account_id"] == str(actor.account_id)
    assert people.call("get_profile", {}, actor)["name"] == "张三丰"
    # Back to the first key, for the other tests of this database.
    back = Vault(
        KeySet(keys["field-encryption"].current, {**keys["field-encryption"].secrets, "newkey01": bytes([7]) * 32}),
        KeySet(keys["blind-index"].current, {**keys["blind-index"].secrets, "newkey01": bytes([7]) * 32}),
    )
    while reseal(people, back):
        pass
    people.service.vault = old
    assert people.call("get_profile", {}, actor)["name"] == "张三丰"


def reseal(people, vault):
    with people.database.work() as db:
        return upkeep.reseal_personal_data(db, vault)


def test_housekeeping_forgets_codes_and_dead_tokens_and_keeps_the_living(people):
    actor, phone = people.register()
    living = people.sign_in(phone)["refresh_token"]
    people.pass_time(days=3)
    people.service.forget_stale(people.clock.instant)
    of_phone = "SELECT count(*) FROM sms_code WHERE phone_index = :index"
    assert people.scalar(of_phone, index=people.service.vault.phone_index(phone)) == 0
    assert people.call("refresh_session", {"refresh_token": living}, anonymous())["refresh_token"]
    people.pass_time(days=130)
    people.service.forget_stale(people.clock.instant)
    for table in ("refresh_token", "sign_in"):
        assert people.scalar(f"SELECT count(*) FROM {table} WHERE account_id = :id", id=actor.account_id) == 0


def test_an_unknown_account_is_not_found_everywhere(people):
    ghost = people.actor({"account_id": str(new_id()), "active_identity": "TEACHER"})
    for method, arguments in (
        ("get_account", {}),
        ("get_profile", {}),
        ("update_profile", {"name": "李四"}),
        ("switch_identity", {"identity": "TEACHER"}),
    ):
        with pytest.raises(Exception, match="person_unknown"):
            people.call(method, arguments, ghost)


# --- what a preview tells beforehand -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "=cmd"},
        {"name": "阿卜杜拉•买买提"},
        {"phone": "123"},
        {"id_no": "440524188001010015"},
        {"id_no": "130503670401001"},
        {"id_no": "11010519491231002x"},
        {"id_type": "PASSPORT", "id_no": "?"},
        {"segment": "大学"},
        {"segment": "幼儿园", "subject": "语文"},
        {"segment": "幼儿园", "subject": ""},
        {"subject": "=1+1"},
        {"phone": "123", "name": "=cmd", "id_no": "1"},
    ],
)
def test_a_preview_finds_the_faults_of_form_that_the_import_finds(people, changes):
    wanted = row(**changes)
    [outcome] = imported(people, wanted)
    told = (outcome["code"], outcome["field"]) if outcome["outcome"] == "REFUSED" else None
    assert fault_in_person(wanted, clock.now().date()) == told
