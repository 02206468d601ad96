"""Whatever JSON arrives, every method answers or refuses: no exception of another kind, nothing half-written."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.identity.policy import POLICIES
from services.shared.actor import Role, service_actor
from services.shared.errors import ServiceError
from tests.component.identity.stories import COUNTY, administrator, anonymous

FIELDS = {
    "request_sms_code": ("phone", "purpose"),
    "register_account": ("phone", "sms_code", "password", "identity"),
    "sign_in": ("phone", "password", "sms_code"),
    "refresh_session": ("refresh_token",),
    "set_password": ("password", "current_password", "sms_code"),
    "update_profile": ("name", "id_type", "id_no", "gender", "segment", "subject"),
    "switch_identity": ("identity",),
    "unlock_account": ("account_id",),
    "list_people": ("account_ids",),
    "get_holders": ("account_ids",),
    "check_enrolment_facts": ("account_id",),
    "import_people": ("rows",),
    "read_snapshot": ("type", "after", "limit"),
    "get_digest": ("type",),
    "list_development_messages": ("phone", "limit"),
    "sign_out": (),
    "get_account": (),
    "get_profile": (),
    "list_revocations": (),
}
# What hostile clients send, beside whatever hypothesis thinks of.
HOSTILE = st.sampled_from(
    ["", " ", "\x00", "\ud800", "\u202e", "1" * 5000, "13800138000", "11010519491231002x", "=1+1", "' OR 1=1 --", "𠮷" * 40,
     "PASSPORT", "RESIDENT_ID", "KINDERGARTEN", "幼教", "SIGN_IN", "identity.profile_changed", "0" * 6, -1, 2**63, 1e308, float("inf"), float("nan")]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | HOSTILE | st.uuids().map(str)
KEYS = st.sampled_from(["row", "name", "id_no", "phone", "segment", "subject", "id_type"]) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8), max_leaves=12
)


def arguments_of(method):
    known = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[method], VALUES))
    return known | st.dictionaries(st.text(max_size=8), VALUES, max_size=3)


def test_every_method_is_tried():
    assert set(FIELDS) == set(POLICIES)


@pytest.fixture
def callers(people):
    teacher, _ = people.register()
    return {
        "sign_out": teacher,
        "get_account": teacher,
        "get_profile": teacher,
        "set_password": teacher,
        "update_profile": teacher,
        "switch_identity": teacher,
        "unlock_account": administrator(),
        "list_people": administrator(),
        "import_people": administrator(Role.COUNTY_ADMIN, COUNTY),
        "read_snapshot": service_actor("learning"),
        "get_digest": service_actor("learning"),
        "get_holders": service_actor("certs"),
        "check_enrolment_facts": service_actor("learning"),
        "list_revocations": service_actor("gateway"),
    }


@pytest.mark.parametrize("method", sorted(FIELDS))
def test_any_json_is_answered_or_refused(people, callers, method):
    caller = callers.get(method, anonymous())

    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(arguments_of(method))
    def tried(arguments):
        with contextlib.suppress(ServiceError):
            people.call(method, arguments, caller)

    tried()


@pytest.mark.parametrize("column", ["\x00", "\ud800", "a" * 1000, "a.b", "姓名", ""])
def test_a_roster_with_an_unspeakable_column_is_refused_row_by_row(people, column):
    row = {
        "row": 1,
        "name": "王小明",
        "id_no": "11010519491231002X",
        "phone": "13800138000",
        "segment": "小学",
        column: "x",
    }
    [outcome] = people.call("import_people", {"rows": [row]}, administrator(Role.COUNTY_ADMIN, COUNTY))["rows"]
    assert (outcome["outcome"], outcome["code"]) == ("REFUSED", "shared.invalid")


@pytest.mark.parametrize("number", [0, -1, 10**30, True, "1", None, 1.0])
def test_a_row_number_that_is_none_is_not_repeated(people, number):
    [outcome] = people.call("import_people", {"rows": [{"row": number}]}, administrator(Role.COUNTY_ADMIN, COUNTY))[
        "rows"
    ]
    assert (outcome["outcome"], outcome["row"]) == ("REFUSED", None)
