"""Whatever JSON arrives, every method answers or refuses: no exception of another kind, nothing half-written."""

import contextlib
import dataclasses
import datetime as dt
import inspect
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.identity.policy import POLICIES
from services.identity.service import IdentityService
from services.shared import clock
from services.shared.actor import REGION_ADMINS, Role, service_actor
from services.shared.errors import ServiceError
from tests.component.identity.stories import COUNTY, administrator, anonymous

SHOWN = re.compile(r"call\.load\(([\w.]+)\(")


def fields_of(method):
    """The names of a method's arguments, read off the schema that it loads."""
    function = inspect.unwrap(getattr(IdentityService, method))
    found = SHOWN.search(inspect.getsource(function))
    if found is None:
        return ()
    value = function.__globals__[found[1].split(".")[0]]
    for name in found[1].split(".")[1:]:
        value = getattr(value, name)
    return tuple(value._declared_fields)


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
    known = st.fixed_dictionaries({}, optional=dict.fromkeys(fields_of(method), VALUES))
    return known | st.dictionaries(st.text(max_size=8), VALUES, max_size=3)


def test_the_arguments_of_methods_are_found():
    assert set(fields_of("request_sms_code")) == {"phone", "purpose", "captcha"}
    assert set(fields_of("read_snapshot")) == {"type", "after", "limit"}
    nameless = {method for method in POLICIES if not fields_of(method)}
    assert len(nameless) < len(POLICIES) / 2, nameless


def caller_of(policy, teacher):
    """Somebody whom the policy admits."""
    if policy.anyone:
        return anonymous()
    until = clock.now() + dt.timedelta(minutes=20)
    if policy.signed_in or policy.own:
        return dataclasses.replace(teacher, elevated_until=until)
    if policy.roles:
        role = Role.COUNTY_ADMIN if Role.COUNTY_ADMIN in policy.roles else min(policy.roles)
        place = COUNTY if role in REGION_ADMINS or role is Role.SCHOOL_ADMIN else "CN"
        return dataclasses.replace(administrator(role, place), elevated_until=until)
    return service_actor(min(policy.services))


@pytest.mark.parametrize("method", sorted(POLICIES))
def test_any_json_is_answered_or_refused(people, method):
    teacher, _ = people.register()
    caller = caller_of(POLICIES[method], teacher)

    @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
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


@pytest.mark.parametrize("row", [{}, {"row": [1]}, {"row": {}, "name": "王小明"}])
def test_a_row_without_a_number_names_nobody(people, row):
    assert people.call("find_known_people", {"rows": [row]}, service_actor("org")) == {"people": []}
