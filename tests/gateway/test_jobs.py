"""Jobs at the edge: who may upload, what a file costs before it is refused, and files on their way in and out."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway import bulk_files
from gateway.blueprints import exports as exports_blueprint
from gateway.blueprints import jobs as jobs_blueprint
from services.shared.actor import Role
from services.shared.bulk.files import SealedFile
from services.shared.errors import Conflict, NotAllowed, NotFound
from services.shared.ids import new_id
from services.shared.spreadsheet import read_rows
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

API = "/api/v1"
COUNTY = (Role.COUNTY_ADMIN, "CN/440000/440100/440103")
JOB_ID = str(new_id())


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(jobs_blueprint, exports_blueprint)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def job(state: str = "UPLOADING", **changes: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("total", "pending", "created", "changed", "unchanged", "refused"), 0)
    return {
        "job_id": JOB_ID,
        "kind": "import_teachers",
        "export": False,
        "state": state,
        "place": COUNTY[1],
        "reason": "",
        "attempt": 1,
        "counts": counts,
        "code": "",
        "field": "",
        "file_ready": False,
        "file_expires_at": None,
        "version": 1,
        "created_at": "2023-01-10T02:00:00.000000Z",
        "changed_at": "2023-01-10T02:00:00.000000Z",
        "finished_at": None,
        **changes,
    }


@pytest.fixture
def willing(bus: FakeBus) -> FakeBus:
    """A bulk process with one job that waits for its file."""
    bus.answer("org-bulk", "open_job", job())
    bus.answer("org-bulk", "get_job", job())
    bus.answer("org-bulk", "attach_file", {**job("UPLOADED"), "accepted": True})
    return bus


def upload(client: FlaskClient, data: bytes, headers: dict[str, str], **facts: str) -> Any:
    # Built by hand: the test client keeps a large form in a temporary file that it never closes.
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in ({"kind": "import_teachers"} | facts).items()
    ]
    parts.append(
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.xlsx"\r\n\r\n' + data + b"\r\n--b--\r\n"
    )
    return client.post(
        f"{API}/jobs/org/uploads",
        data=b"".join(parts),
        headers=headers,
        content_type="multipart/form-data; boundary=b",
    )


def objects(app: Flask) -> list[bytes]:
    folder = app.extensions["yanxiu"].settings.data_dir / "files"
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


# --- uploading ----------------------------------------------------------------------------------------------------------


def test_a_file_is_announced_sealed_and_attached(
    app: Flask, client: FlaskClient, willing: FakeBus, tokens: Tokens
) -> None:
    data = "张三的名册".encode() * 300_000  # more than one piece
    headers = tokens.headers(None, COUNTY) | {"Idempotency-Key": "roster-0001"}
    answer = upload(client, data, headers, at_once="true", reason="调离")
    assert (answer.status_code, answer.json["state"]) == (202, "UPLOADED")
    opened, looked, attached = willing.sent
    digest = hashlib.sha256(data).hexdigest()
    assert (opened.method, opened.command_id) == ("open_job", "roster-0001")
    assert opened.arguments == {
        "kind": "import_teachers",
        "parameters": {"reason": "调离"},
        "at_once": True,
        "sha256": digest,
    }
    assert looked.method == "get_job"
    file = SealedFile.from_wire(attached.arguments["file"])
    assert (file.sha256, file.size, len(file.pieces)) == (digest, len(data), 5)
    assert attached.command_id == f"roster-0001/file-{file.file_id}"
    assert all("张三".encode() not in content for content in objects(app))
    with app.app_context():
        assert b"".join(bulk_files.sealed_files().read(file)) == data


def test_a_repeated_upload_whose_file_has_arrived_stores_nothing(
    app: Flask, client: FlaskClient, willing: FakeBus, tokens: Tokens
) -> None:
    willing.answer("org-bulk", "get_job", job("RUNNING"))
    assert upload(client, b"x", tokens.headers(None, COUNTY)).json["state"] == "RUNNING"
    assert [sent.method for sent in willing.sent] == ["open_job", "get_job"]
    assert objects(app) == []


def test_the_loser_of_two_uploads_takes_his_pieces_back(
    app: Flask, client: FlaskClient, willing: FakeBus, tokens: Tokens
) -> None:
    willing.answer("org-bulk", "attach_file", {**job("VALIDATING"), "accepted": False})
    assert upload(client, b"x", tokens.headers(None, COUNTY)).status_code == 202
    assert objects(app) == []


def test_whoever_is_refused_stores_nothing(app: Flask, client: FlaskClient, willing: FakeBus, tokens: Tokens) -> None:
    assert upload(client, b"x", {}).json["code"] == "shared.sign_in_first"
    assert upload(client, b"x", tokens.headers()).json["code"] == "shared.not_allowed"
    assert willing.sent == []
    willing.answer("org-bulk", "open_job", NotAllowed("shared.not_allowed"))
    assert upload(client, b"x", tokens.headers(None, COUNTY)).status_code == 403
    assert objects(app) == []


def test_a_file_too_large_is_refused_on_the_way_in(client: FlaskClient, willing: FakeBus, tokens: Tokens) -> None:
    assert upload(client, bytes(26 << 20), tokens.headers(None, COUNTY)).status_code == 413
    answer = upload(client, bytes((24 << 20) + 1), tokens.headers(None, COUNTY))
    assert (answer.status_code, answer.json["code"]) == (413, "shared.too_large")
    assert willing.sent == []


@pytest.mark.parametrize(
    "facts", [{"kind": "Import"}, {"kind": ""}, {"at_once": "yes"}, {"reason": " "}, {"extra": "x"}]
)
def test_the_facts_beside_the_file_are_checked(
    client: FlaskClient, willing: FakeBus, tokens: Tokens, facts: dict[str, str]
) -> None:
    assert upload(client, b"x", tokens.headers(None, COUNTY), **facts).status_code == 400
    assert willing.sent == []


def test_a_text_is_no_file(client: FlaskClient, willing: FakeBus, tokens: Tokens) -> None:
    form = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nx\r\n'.encode() for name in ("kind", "file")
    )
    answer = client.post(
        f"{API}/jobs/org/uploads",
        data=form + b"--b--\r\n",
        headers=tokens.headers(None, COUNTY),
        content_type="multipart/form-data; boundary=b",
    )
    assert (answer.status_code, answer.json["field"]) == (400, "file")


# --- rows in the request, looking, deciding -------------------------------------------------------------------------------


def test_rows_are_sent_as_they_are(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("org-bulk", "submit_rows", job("RUNNING"))
    body = {"kind": "reject_memberships", "parameters": {"reason": "不是"}, "rows": [{"teacher_id": "x"}]}
    answer = client.post(f"{API}/jobs/org", json=body, headers=tokens.headers(None, COUNTY))
    assert answer.status_code == 202
    assert bus.sent[0].arguments == {**body, "at_once": True}


@pytest.mark.parametrize("rows", [[], [{"a": 1}], [{"": "x"}], [{"a": "x"}] * 1001, "x", [["a"]]])
def test_a_list_of_another_form_is_refused(client: FlaskClient, bus: FakeBus, tokens: Tokens, rows: Any) -> None:
    body = {"kind": "reject_memberships", "rows": rows}
    assert client.post(f"{API}/jobs/org", json=body, headers=tokens.headers(None, COUNTY)).status_code == 400
    assert bus.sent == []


def test_an_unchanged_job_costs_no_body(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("org-bulk", "get_job", job("RUNNING"))
    headers = tokens.headers(None, COUNTY)
    first = client.get(f"{API}/jobs/org/{JOB_ID}", headers=headers)
    again = client.get(f"{API}/jobs/org/{JOB_ID}", headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    bus.answer("org-bulk", "get_job", job("RUNNING", version=2))
    changed = client.get(f"{API}/jobs/org/{JOB_ID}", headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_codes_come_with_their_text(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("org-bulk", "get_job", job("REFUSED", code="shared.no_rows"))
    headers = tokens.headers(None, COUNTY) | {"Accept-Language": "en"}
    assert client.get(f"{API}/jobs/org/{JOB_ID}", headers=headers).json["message"] == "The file has no rows."
    row = {"number": 2, "outcome": "REFUSED", "code": "shared.duplicate_row", "field": "id_no", "column": "证件号码"}
    bus.answer("org-bulk", "list_job_rows", {"items": [row], "next_cursor": 2})
    page = client.get(f"{API}/jobs/org/{JOB_ID}/rows?outcome=REFUSED", headers=headers).json
    assert page["items"][0]["message"] == "The row repeats an earlier row of the file."
    client.get(f"{API}/jobs/org/{JOB_ID}/rows?cursor={page['next_cursor']}", headers=headers)
    assert bus.sent[-1].arguments["cursor"] == 2


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("start", "start_job"),
        ("cancellation", "cancel_job"),
        ("reruns", "rerun_job"),
        ("report", "make_report"),
    ],
)
def test_each_decision_is_one_command(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, path: str, method: str
) -> None:
    bus.answer("org-bulk", method, job("RUNNING"))
    answer = client.post(f"{API}/jobs/org/{JOB_ID}/{path}", headers=tokens.headers(None, COUNTY))
    assert answer.status_code in (200, 202)
    assert [(sent.method, sent.arguments) for sent in bus.sent] == [(method, {"job_id": JOB_ID})]


def test_lists_of_jobs_are_pages(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("org-bulk", "list_jobs", {"items": [job()], "next_cursor": JOB_ID})
    page = client.get(f"{API}/jobs/org?limit=1", headers=tokens.headers(None, COUNTY)).json
    assert page["items"][0]["job_id"] == JOB_ID
    assert page["next_cursor"]


def test_there_are_jobs_of_known_services_only(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    assert client.get(f"{API}/jobs/mars", headers=tokens.headers(None, COUNTY)).status_code == 404
    assert bus.sent == []


# --- kinds ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def kinds(bus: FakeBus) -> FakeBus:
    columns = [{"key": "name", "title": "姓名", "required": True, "words": []}]
    items = [
        {"kind": "import_teachers", "title": "教师名册导入", "export": False, "columns": columns},
        {"kind": "export_teachers", "title": "教师名册导出", "export": True, "columns": []},
    ]
    bus.answer("org-bulk", "list_job_kinds", {"items": items})
    return bus


def test_a_template_holds_the_columns_of_its_kind(client: FlaskClient, kinds: FakeBus, tokens: Tokens) -> None:
    headers = tokens.headers(None, COUNTY)
    assert client.get(f"{API}/jobs/org/kinds", headers=headers).json["items"][0]["kind"] == "import_teachers"
    answer = client.get(f"{API}/jobs/org/kinds/import_teachers/template", headers=headers)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="import_teachers.xlsx"'
    assert read_rows(answer.data)[0].cells == ("姓名",)
    again = client.get(
        f"{API}/jobs/org/kinds/import_teachers/template", headers=headers | {"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("kind", ["export_teachers", "import_planets"])
def test_there_is_no_other_template(client: FlaskClient, kinds: FakeBus, tokens: Tokens, kind: str) -> None:
    answer = client.get(f"{API}/jobs/org/kinds/{kind}/template", headers=tokens.headers(None, COUNTY))
    assert (answer.status_code, answer.json["code"]) == (404, "shared.job_kind_unknown")


# --- exports and downloads ------------------------------------------------------------------------------------------------


def test_an_export_is_asked_for_with_its_purpose(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("org-bulk", "request_export", job("RUNNING", export=True))
    body = {"kind": "export_teachers", "place": COUNTY[1], "reason": "年度核对"}
    assert client.post(f"{API}/exports/org", json=body, headers=tokens.headers(None, COUNTY)).status_code == 202
    assert bus.sent[0].arguments == {**body, "filters": {}}


@pytest.mark.parametrize("missing", ["reason", "place", "kind"])
def test_an_export_lacks_nothing(client: FlaskClient, bus: FakeBus, tokens: Tokens, missing: str) -> None:
    body = {"kind": "export_teachers", "place": COUNTY[1], "reason": "年度核对"}
    del body[missing]
    answer = client.post(f"{API}/exports/org", json=body, headers=tokens.headers(None, COUNTY))
    assert (answer.status_code, answer.json["field"]) == (400, missing)
    assert bus.sent == []


def test_a_file_is_opened_on_its_way_out(app: Flask, client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    data = bytes(range(256)) * 8000
    with app.app_context():
        file = bulk_files.store(io.BytesIO(data))
    bus.answer("org-bulk", "open_download", {"token": "t" * 43, "expires_at": "2023-01-10T02:05:00.000000Z"})
    bus.answer("org-bulk", "redeem_download", {"file": file.to_wire(), "kind": "export_teachers"})
    headers = tokens.headers(None, COUNTY)
    token = client.post(f"{API}/jobs/org/{JOB_ID}/downloads", headers=headers).json["token"]
    answer = client.get(f"{API}/jobs/org/{JOB_ID}/file?token={token}", headers=headers)
    assert answer.data == data
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="export_teachers-{JOB_ID}.xlsx"'
    assert bus.sent[-1].arguments == {"job_id": JOB_ID, "token": token}


@pytest.mark.parametrize("refusal", [NotFound("shared.download_unknown"), Conflict("shared.file_expired")])
def test_a_refused_download_holds_nothing(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, refusal: Exception
) -> None:
    bus.answer("org-bulk", "redeem_download", refusal)
    answer = client.get(f"{API}/jobs/org/{JOB_ID}/file?token=x", headers=tokens.headers(None, COUNTY))
    assert answer.status_code in (404, 409)
    assert answer.json["code"] == refusal.args[0]


def test_a_file_that_is_gone_is_refused_and_not_cut_off(
    app: Flask, client: FlaskClient, bus: FakeBus, tokens: Tokens
) -> None:
    with app.app_context():
        file = bulk_files.store(io.BytesIO(b"x"))
        bulk_files.forget(file)
    bus.answer("org-bulk", "redeem_download", {"file": file.to_wire(), "kind": "export_teachers"})
    answer = client.get(f"{API}/jobs/org/{JOB_ID}/file?token=x", headers=tokens.headers(None, COUNTY))
    assert answer.status_code == 404
