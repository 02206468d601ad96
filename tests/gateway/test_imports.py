"""Uploading rosters: who may, what is refused before anything happens, and the report row by row."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.blueprints import imports as imports_blueprint
from gateway.roster_columns import SCHOOL_COLUMNS, TEACHER_COLUMNS
from services.shared.actor import Actor, Role
from services.shared.ids import new_id
from services.shared.spreadsheet import read_rows, write_sheet
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens
from yanxiu import samples

API = "/api/v1/imports"
COUNTY = (Role.COUNTY_ADMIN, "CN/440000/440100/440103")
TITLES = [column.title for column in TEACHER_COLUMNS]


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(imports_blueprint).test_client()


def sheet(header: list[str], *rows: list[str]) -> bytes:
    buffer = io.BytesIO()
    write_sheet(buffer, header, rows)
    return buffer.getvalue()


def upload(client: FlaskClient, what: str, data: bytes, headers: dict[str, str], name: str = "file") -> Any:
    # Built by hand: the test client keeps a large form in a temporary file that it never closes.
    part = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="roster.xlsx"\r\n\r\n'.encode()
    body = part + data + b"\r\n--b--\r\n"
    return client.post(f"{API}/{what}", data=body, headers=headers, content_type="multipart/form-data; boundary=b")


def all_created(arguments: dict[str, Any], _actor: Actor) -> dict[str, Any]:
    return {
        "rows": [
            {"row": row["row"], "outcome": "CREATED", "code": "", "field": "", "account_id": str(new_id())}
            for row in arguments["rows"]
        ]
    }


def every_school(arguments: dict[str, Any], _actor: Actor) -> dict[str, Any]:
    return {
        "items": [{"code": code, "school_id": str(new_id())} for code in arguments["codes"] if code != "2144999999"]
    }


@pytest.fixture
def willing(bus: FakeBus) -> FakeBus:
    """Services that know every school but one and take every row."""
    bus.answer("org", "find_schools", every_school)
    bus.answer("org", "import_schools", all_created)
    bus.answer("org", "import_memberships", all_created)
    bus.answer("identity", "import_people", all_created)
    return bus


def test_the_report_tells_every_row_in_the_readers_language(
    client: FlaskClient, willing: FakeBus, tokens: Tokens
) -> None:
    headers = tokens.headers(None, COUNTY)
    answer = upload(client, "teachers", samples.teachers_xlsx(1), headers | {"Accept-Language": "en"})
    assert answer.status_code == 200
    # The four faults that identity would tell are not refused by services that take everything.
    assert answer.json["counts"] == {"CREATED": 195, "UNCHANGED": 0, "REFUSED": 5}
    assert [row["row"] for row in answer.json["rows"]] == list(range(2, 202))
    refused = {row["code"]: row for row in answer.json["rows"] if row["outcome"] == "REFUSED"}
    assert refused["org.school_unknown"]["column"] == "学校标识码"
    assert refused["org.duplicate_row"]["message"] == "The row repeats an earlier row of the file."
    in_chinese = upload(client, "teachers", samples.teachers_xlsx(1), headers).json
    assert "与文件中前面的行重复。" in {row["message"] for row in in_chinese["rows"]}


def test_rows_travel_in_chunks_under_one_key(client: FlaskClient, willing: FakeBus, tokens: Tokens) -> None:
    upload(
        client, "teachers", samples.teachers_xlsx(1), tokens.headers(None, COUNTY) | {"Idempotency-Key": "roster-0001"}
    )
    commands = [(sent.method, sent.command_id) for sent in willing.sent if sent.command_id]
    assert commands == [
        ("import_people", "roster-0001/people-0"),
        ("import_memberships", "roster-0001/memberships-0"),
        ("import_people", "roster-0001/people-1"),
        ("import_memberships", "roster-0001/memberships-1"),
    ]
    assert all(len(sent.arguments["rows"]) <= 100 for sent in willing.sent if sent.command_id)


def test_a_row_refused_by_its_school_makes_no_account(client: FlaskClient, willing: FakeBus, tokens: Tokens) -> None:
    row = ["测试", "居民身份证", "11010519491231002X", "13800000000", "小学", "语文", "2144999999"]
    answer = upload(client, "teachers", sheet(TITLES, row), tokens.headers(None, COUNTY))
    assert answer.json["rows"][0]["code"] == "org.school_unknown"
    assert [sent.method for sent in willing.sent] == ["find_schools"]


@pytest.mark.parametrize(
    ("position", "text", "code", "field"),
    [
        (0, "", "org.value_missing", "name"),
        (1, "驾驶证", "org.value_unknown", "id_type"),
        (6, "2" * 21, "org.value_malformed", "school_code"),
        (5, "文" * 300, "org.value_malformed", "subject"),
    ],
)
def test_a_bad_cell_refuses_its_row(
    client: FlaskClient, willing: FakeBus, tokens: Tokens, position: int, text: str, code: str, field: str
) -> None:
    row = ["测试", "居民身份证", "11010519491231002X", "13800000000", "小学", "语文", "2144000001"]
    row[position] = text
    reply = upload(client, "teachers", sheet(TITLES, row), tokens.headers(None, COUNTY)).json["rows"][0]
    assert (reply["code"], reply["field"]) == (code, field)


def test_an_id_number_typed_as_a_number_is_told_so(client: FlaskClient, willing: FakeBus, tokens: Tokens) -> None:
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    page = book.add_worksheet()
    page.write_row(0, 0, TITLES)
    page.write_row(1, 0, ["测试", "居民身份证", 110105194912310021, "13800000000", "小学", "语文", "2144000001"])
    book.close()
    reply = upload(client, "teachers", buffer.getvalue(), tokens.headers(None, COUNTY)).json["rows"][0]
    assert (reply["code"], reply["field"]) == ("org.digits_lost", "id_no")


def test_schools_are_imported_with_the_words_of_the_template(
    client: FlaskClient, willing: FakeBus, tokens: Tokens
) -> None:
    titles = [column.title for column in SCHOOL_COLUMNS]
    row = ["440103", "测试学校", "", "$NIGHT_YEAR", "测试学校", "测试街道", "民办", "测试", "13800000000", ""]
    answer = upload(client, "schools", sheet(titles, row), tokens.headers(None, COUNTY))
    assert answer.json["counts"]["CREATED"] == 1
    values = willing.sent[0].arguments["rows"][0]["values"]
    assert (values["school_type"], values["nature"], "code" in values) == ("NINE_YEAR", "PRIVATE", False)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "shared.not_a_spreadsheet"),
        (b"PK\x03\x04 not really", 400, "shared.not_a_spreadsheet"),
        (sheet(["姓名"]), 400, "org.wrong_columns"),
        (sheet([*TITLES, "密码"], ["x"] * 8), 400, "org.wrong_columns"),
        (sheet([*TITLES, "姓名"], ["x"] * 8), 400, "org.wrong_columns"),
        (sheet(TITLES), 400, "org.no_rows"),
        (b"PK\x03\x04" + bytes(5 << 20), 413, "shared.too_large"),
    ],
    ids=["empty", "no zip", "columns missing", "column unknown", "column twice", "no rows", "too large"],
)
def test_a_file_that_cannot_be_a_roster_changes_nothing(
    client: FlaskClient, willing: FakeBus, tokens: Tokens, data: bytes, status: int, code: str
) -> None:
    answer = upload(client, "teachers", data, tokens.headers(None, COUNTY))
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert willing.sent == []


def test_empty_cells_beside_the_header_are_no_columns(client: FlaskClient, willing: FakeBus, tokens: Tokens) -> None:
    row = ["测试", "居民身份证", "11010519491231002X", "13800000000", "小学", "语文", "2144000001", ""]
    answer = upload(client, "teachers", sheet([*TITLES, " "], row), tokens.headers(None, COUNTY))
    assert answer.json["counts"]["CREATED"] == 1


def test_an_empty_workbook_has_no_rows(client: FlaskClient, willing: FakeBus, tokens: Tokens) -> None:
    assert upload(client, "schools", sheet([]), tokens.headers(None, COUNTY)).json["code"] == "org.no_rows"


def test_ten_megabytes_are_refused_on_the_way_in(client: FlaskClient, willing: FakeBus, tokens: Tokens) -> None:
    assert upload(client, "teachers", bytes(10 << 20), tokens.headers(None, COUNTY)).status_code == 413


def test_the_file_is_mandatory_and_alone(client: FlaskClient, tokens: Tokens) -> None:
    headers = tokens.headers(None, COUNTY)
    assert upload(client, "teachers", samples.teachers_xlsx(1), headers, "other").status_code == 400
    assert client.post(f"{API}/teachers", json={"file": "x"}, headers=headers).status_code == 415


def test_a_visitor_and_a_teacher_are_refused_before_the_file_is_read(
    client: FlaskClient, willing: FakeBus, tokens: Tokens
) -> None:
    assert upload(client, "teachers", b"PK\x03\x04", {}).json["code"] == "shared.sign_in_first"
    assert upload(client, "schools", b"PK\x03\x04", tokens.headers()).json["code"] == "shared.not_allowed"
    assert willing.sent == []


def test_a_school_admin_holds_a_grant_but_imports_nothing(
    client: FlaskClient, willing: FakeBus, tokens: Tokens
) -> None:
    headers = tokens.headers(None, (Role.SCHOOL_ADMIN, f"{COUNTY[1]}/s{'0' * 32}"))
    answer = upload(client, "teachers", samples.teachers_xlsx(1), headers)
    assert (answer.status_code, answer.json["code"]) == (403, "shared.not_allowed")


@pytest.mark.parametrize(("roster", "columns"), [("schools", SCHOOL_COLUMNS), ("teachers", TEACHER_COLUMNS)])
def test_a_template_holds_the_columns_that_the_import_reads(
    client: FlaskClient, willing: FakeBus, tokens: Tokens, roster: str, columns: tuple[Any, ...]
) -> None:
    headers = tokens.headers(None, COUNTY)
    answer = client.get(f"{API}/{roster}/template", headers=headers)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{roster}.xlsx"'
    assert read_rows(answer.data)[0].cells == tuple(column.title for column in columns)
    assert upload(client, roster, answer.data, headers).json["code"] == "org.no_rows"


def test_there_is_no_other_template(client: FlaskClient, tokens: Tokens) -> None:
    assert client.get(f"{API}/schools/template").status_code == 401
    assert client.get(f"{API}/programmes/template", headers=tokens.headers(None, COUNTY)).status_code == 404
