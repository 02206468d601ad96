"""Certificates over HTTP: the wallet, the PDF from the store, and the public verification in both forms."""

import hashlib
import os
import random
import re

import pytest

from gateway.blueprints import certs as certs_module
from gateway.blueprints.certs import storage
from services.shared.actor import Role
from services.shared.errors import Conflict, NotFound, Unavailable
from services.shared.ids import new_id

# S12 of the reliability goals: 100,000 in a full run.
FORGERIES = int(os.environ.get("YANXIU_FORGERIES", "10000"))
NUMBER = "2023-RA2W-V5NM-T00P"
FOUND = {
    "number": NUMBER,
    "state": "VALID",
    "edition": 1,
    "kind": "LEARNING",
    "holder_name": "张*<b>",
    "school_name": "广州市第一小学",
    "programme_zh": "2023年寒假教师研修",
    "programme_en": "Winter training",
    "opens_on": "2022-12-02",
    "closes_on": "2023-02-28",
    "hours": "6.00",
    "issued_at": "2023-02-28T16:05:00.000000Z",
    "issuer": "教师研修平台",
    "programme_code": "2023-winter",
    "history": [{"state": "VALID", "at": "2023-02-28T16:05:00.000000Z", "edition": 1}],
    "statement": "{}",
    "signature": "x",
    "key_id": "abcd1234",
}


@pytest.fixture
def app(make_app):
    return make_app(certs_module)


@pytest.fixture
def page(client, bus):
    """`page(reply, language)`: the HTML of a verification that is answered with `reply`."""

    def get(reply, language="zh-CN", number=NUMBER):
        bus.answer("certs", "verify_certificate", reply)
        return client.get(f"/verify/{number}", headers={"Accept-Language": language})

    return get


def test_the_wallet_passes_its_cursor_on_sealed(client, bus, tokens):
    last = str(new_id())
    bus.answer("certs", "list_certificates", lambda arguments, _actor: {"items": [], "next_cursor": last})
    headers = tokens.headers(new_id())
    cursor = client.get("/api/v1/certificates?limit=1", headers=headers).json["next_cursor"]
    assert last not in cursor
    client.get("/api/v1/certificates", query_string={"limit": 1, "cursor": cursor}, headers=headers)
    assert [sent.arguments["cursor"] for sent in bus.sent] == [None, last]


@pytest.mark.parametrize("path", ["certificates", f"certificates/{new_id()}", f"certificates/{new_id()}/pdf"])
def test_the_wallet_needs_a_sign_in(client, bus, path):
    bus.otherwise = NotFound("certs.certificate_not_found")
    assert client.get(f"/api/v1/{path}").status_code in (401, 404)
    assert client.get("/api/v1/certificates").status_code == 401


def test_many_numbers_are_answered_without_a_sign_in_and_in_words(client, bus):
    items = [
        {"typed": NUMBER, "code": "", "found": FOUND},
        {"typed": "x", "code": "certs.number_malformed", "found": None},
    ]
    bus.answer("certs", "verify_certificates", {"items": items})
    body = {"numbers": [NUMBER, "x"]}
    answer = client.post("/api/v1/verifications", json=body, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    assert bus.sent[0].arguments == body
    assert [item["found"] and item["found"]["state"] for item in answer.json["items"]] == ["VALID", None]
    assert [item["message"][:30] for item in answer.json["items"]] == ["", "This is not a certificate numb"]


@pytest.mark.parametrize("numbers", [[], ["x"] * 201, [1], "x", None, ["x" * 201]])
def test_a_bad_batch_of_numbers_does_not_travel(client, bus, numbers):
    answer = client.post("/api/v1/verifications", json={"numbers": numbers})
    assert (answer.status_code, answer.json["field"].split(".")[0]) == (400, "numbers")
    assert bus.sent == []


def test_reasons_come_with_their_text(client, bus, tokens):
    programme = str(new_id())
    reply = {"programme_id": programme, "state": "BLOCKED", "reasons": ["teacher_not_verified", "of_a_newer_service"]}
    bus.answer("certs", "get_standing", reply)
    answer = client.get(
        f"/api/v1/programmes/{programme}/standing", headers={**tokens.headers(), "Accept-Language": "en"}
    )
    assert answer.json["reasons"] == ["teacher_not_verified", "of_a_newer_service"]
    assert answer.json["messages"] == [
        "The school has not verified this teacher yet; the certificate follows by itself once it has."
    ]


@pytest.fixture
def kept(app, bus):
    """A PDF in the store, and the render service answering with its key."""
    content = b"%PDF-1.7 " + bytes(200_000)
    with app.test_request_context():
        file = storage().put("certificates", content, "application/pdf")
    reply = {
        "storage_key": file.key,
        "sha256": file.sha256,
        "size": file.size,
        "file_name": "certificate-2023RA2WV5NMT00P.pdf",
    }
    bus.answer("certs-render", "render_certificate", reply)
    return content


def test_the_pdf_is_streamed_for_its_reader_alone(client, kept, tokens):
    answer = client.get(f"/api/v1/certificates/{new_id()}/pdf", headers=tokens.headers())
    assert answer.data == kept
    assert answer.content_type == "application/pdf"
    assert answer.headers["Content-Length"] == str(len(kept))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="certificate-2023RA2WV5NMT00P.pdf"'
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(kept).hexdigest()}"'


class Tampered:
    """A store that somebody else can write to."""

    def __init__(self, content):
        self.content = content

    def read(self, _key):
        return iter([self.content[:1000], self.content[1000:]])


def altered(pdf, chance):
    """Another file than `pdf`: a byte changed, some cut out, some added."""
    at = chance.randrange(len(pdf))
    match chance.randrange(4):
        case 0:
            return pdf[:at] + bytes([pdf[at] ^ (1 + chance.randrange(255))]) + pdf[at + 1 :]
        case 1:
            return pdf[:at]
        case 2:
            return pdf[:at] + pdf[at + 1 + chance.randrange(50) :]
        case _:
            return pdf[:at] + bytes([chance.randrange(256)]) + pdf[at:]


def test_an_altered_pdf_never_leaves_the_house(app, client, kept, tokens):
    store = app.extensions["yanxiu.storage"] = Tampered(altered(kept, random.Random(19)))
    path, headers = f"/api/v1/certificates/{new_id()}/pdf", tokens.headers()
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "certs.record_damaged")
    store.content = kept
    assert client.get(path, headers=headers).data == kept


def test_no_alteration_of_a_pdf_passes(app):
    pdf, chance, passed = random.Random(20).randbytes(30_000), random.Random(21), 0
    document = {"storage_key": "x", "sha256": hashlib.sha256(pdf).hexdigest()}
    with app.test_request_context():
        store = app.extensions["yanxiu.storage"] = Tampered(pdf)
        assert certs_module._intact(document) == pdf
        for _ in range(FORGERIES):
            store.content = altered(pdf, chance)
            if store.content == pdf:  # a byte put beside its equal, at the very end
                continue
            try:
                certs_module._intact(document)
            except Conflict:
                continue
            passed += 1
    assert passed == 0


def test_who_has_the_pdf_gets_no_second_copy_but_is_still_checked(client, bus, kept, tokens):
    path, headers = f"/api/v1/certificates/{new_id()}/pdf", tokens.headers()
    etag = client.get(path, headers=headers).headers["ETag"]
    again = client.get(path, headers={**headers, "If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    bus.answer("certs-render", "render_certificate", Conflict("certs.already_revoked"))
    refused = client.get(path, headers={**headers, "If-None-Match": etag})
    assert (refused.status_code, refused.json["code"]) == (409, "certs.already_revoked")


def test_a_head_request_closes_the_file(client, kept, tokens):
    answer = client.head(f"/api/v1/certificates/{new_id()}/pdf", headers=tokens.headers())
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(len(kept)))


def test_anybody_may_verify_a_number(client, bus):
    bus.answer("certs", "verify_certificate", FOUND)
    answer = client.get(f"/api/v1/verifications/{NUMBER}")
    assert answer.json == FOUND
    assert answer.headers["Cache-Control"] == "public, max-age=1"


def test_unknown_and_malformed_numbers_are_clear_problems(client, bus):
    for code in ("certs.number_unknown", "certs.number_malformed"):
        bus.answer("certs", "verify_certificate", NotFound(code, "number"))
        answer = client.get("/api/v1/verifications/xyz", headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
        assert (answer.json["code"], answer.json["field"]) == (code, "number")
        assert "no-store" in answer.headers["Cache-Control"]


def test_the_keys_may_be_kept_by_everyone(client, bus):
    key = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "a", "x": "b"}
    bus.answer("certs", "list_certificate_keys", {"keys": [key]})
    answer = client.get("/api/v1/certificate-keys")
    assert answer.json == {"keys": [key]}
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize(
    ("state", "chinese", "english"),
    [
        ("VALID", "证书有效", "This certificate is valid"),
        ("REPLACED", "证书已被替换", "This certificate has been replaced"),
        ("REVOKED", "证书已撤销", "This certificate has been revoked"),
    ],
)
def test_the_page_says_the_state_in_the_reader_s_language(page, state, chinese, english):
    for language, text in (("zh-CN", chinese), ("en-GB,en;q=0.9", english), ("fr", chinese)):
        answer = page({**FOUND, "state": state}, language)
        assert answer.status_code == 200
        assert f"<h2>{text}</h2>" in answer.text
    other_states = {"证书有效", "证书已被替换", "证书已撤销"} - {chinese}
    assert not any(other in page({**FOUND, "state": state}).text for other in other_states)


def test_the_page_shows_what_to_compare_and_escapes_it(page):
    html = page(FOUND).text
    for shown in (
        NUMBER,
        "2023年寒假教师研修",
        "2022-12-02",
        "2023-02-28",
        "6.00",
        "教师研修平台",
        "广州市第一小学",
        "2023-03-01",
    ):
        assert shown in html
    assert "张*&lt;b&gt;" in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("error", "status", "heading"),
    [
        (NotFound("certs.number_unknown"), 404, "没有查到该证书"),
        (NotFound("certs.number_malformed"), 404, "证书编号不正确"),
        (Unavailable("shared.unavailable"), 503, "暂时无法核验"),
    ],
)
def test_the_page_never_looks_valid_when_it_could_not_verify(page, error, status, heading):
    answer = page(error, number='"><script>alert(1)</script>')
    assert answer.status_code == status
    assert f"<h2>{heading}</h2>" in answer.text
    assert "证书有效" not in answer.text
    assert "<script" not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_the_page_runs_nothing_loads_nothing_and_is_not_indexed(page):
    answer = page(FOUND)
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"style-src 'nonce-([^']+)'", policy)[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "script" not in policy
    assert f'<style nonce="{nonce}">' in answer.text
    assert not re.search(r"<script|<link|<img|https?://|\sstyle=|\son\w+=", answer.text)
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert '<meta name="robots" content="noindex, nofollow">' in answer.text
    assert 'name="viewport"' in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Accept-Language" in answer.headers["Vary"]


def test_the_form_leads_to_the_number_s_own_address(client):
    form = client.get("/verify")
    assert (form.status_code, 'action="/verify"' in form.text) == (200, True)
    answer = client.get("/verify", query_string={"number": " 2023 RA2W/V5NM "})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/verify/2023%20RA2W/V5NM")


def test_the_page_is_limited_by_address(make_app, bus):
    bus.answer("certs", "verify_certificate", FOUND)
    client = make_app(certs_module, limit_scale=1).test_client()
    statuses = [client.get(f"/verify/{NUMBER}").status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    last = client.get(f"/verify/{NUMBER}")
    assert "暂时无法核验" in last.text
    assert int(last.headers["Retry-After"]) > 0


CREDENTIAL = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "https://x.example/api/v1/credentials/2023-RA2W-V5NM-T00P/1",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "issuer": {"id": "did:web:x.example", "type": ["Profile"], "name": "教师研修平台"},
    "validFrom": "2023-03-01T00:05:00Z",
    "credentialSubject": {"id": "https://x.example/x#y"},
    "proof": {"type": "DataIntegrityProof", "proofValue": "z5"},
}


def test_a_badge_is_handed_on_as_it_was_signed_and_kept_ready(client, bus):
    bus.answer("certs", "get_credential", {"credential": CREDENTIAL})
    answers = [client.get(f"/api/v1/credentials/{NUMBER}/1") for _ in range(2)]
    assert [answer.json for answer in answers] == [CREDENTIAL, CREDENTIAL]
    assert answers[0].headers["Cache-Control"].startswith("public")
    assert [sent.arguments for sent in bus.sent] == [{"number": NUMBER, "edition": 1}]
    assert client.get(f"/api/v1/credentials/{NUMBER}/2").status_code == 200
    assert len(bus.sent) == 2


def test_a_status_list_needs_no_sign_in_and_an_issuer_may_be_a_name_alone(client, bus):
    listed = {**CREDENTIAL, "issuer": "did:web:x.example"}
    bus.answer("certs", "get_status_list", {"credential": listed})
    assert client.get("/api/v1/status-lists/0").json == listed
    bus.answer("certs", "get_status_list", NotFound("certs.status_list_unknown", "list_number"))
    assert client.get("/api/v1/status-lists/1").status_code == 404


def test_the_did_document_is_where_did_web_looks_for_it(client, bus):
    document = {"@context": ["https://www.w3.org/ns/did/v1"], "id": "did:web:x.example"}
    bus.answer("certs", "get_did_document", {"document": document})
    answer = client.get("/.well-known/did.json")
    assert (answer.status_code, answer.json) == (200, document)
    assert answer.headers["Cache-Control"].startswith("public, max-age=3600")


SHARED = {**FOUND, "holder_name": "张小明", "expires_at": "2023-04-01T00:00:00.000000Z"}


def test_the_page_of_a_link_shows_the_name_and_the_pdf_and_is_kept_nowhere(client, bus):
    bus.answer("certs", "open_share", SHARED)
    answer = client.get("/shared/secret-token", headers={"Accept-Language": "zh-CN"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "张小明" in page
    assert "/api/v1/shared-certificates/secret-token/pdf" in page
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    revoked = {**SHARED, "state": "REVOKED"}
    bus.answer("certs", "open_share", revoked)
    assert "/pdf" not in client.get("/shared/secret-token").get_data(as_text=True)


def test_a_link_that_opens_nothing_says_so_without_its_token(client, bus):
    bus.answer("certs", "open_share", NotFound("certs.share_unknown"))
    answer = client.get("/shared/secret-token", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "This link is not valid" in answer.get_data(as_text=True)
    assert "secret-token" not in answer.get_data(as_text=True)


def test_a_link_is_opened_without_a_sign_in_and_its_answer_is_private(client, bus):
    bus.answer("certs", "open_share", SHARED)
    answer = client.get("/api/v1/shared-certificates/secret-token")
    assert (answer.status_code, answer.json["holder_name"]) == (200, "张小明")
    assert "public" not in answer.headers["Cache-Control"]
    assert bus.sent[0].arguments == {"token": "secret-token"}


def test_opening_links_is_limited(make_app, bus):
    client = make_app(certs_module, limit_scale=1).test_client()
    bus.otherwise = NotFound("certs.share_unknown")
    codes = [client.get(f"/shared/{n}").status_code for n in range(31)]
    assert codes == [404] * 30 + [429]


def test_the_page_names_the_kind_and_the_institution(page):
    registered = {**FOUND, "kind": "COMPLETION", "issuer": "南宁市教师培训中心"}
    text = page(registered).get_data(as_text=True)
    assert "结业证书" in text
    assert "南宁市教师培训中心" in text
    credit = {**FOUND, "kind": "CREDIT", "programme_code": "2025/CREDIT"}
    assert "认定学分" in page(credit).get_data(as_text=True)
    assert "认定学时" in page(FOUND).get_data(as_text=True)


def test_a_registration_is_checked_by_its_form_and_passed_on(client, bus, tokens):
    body = {
        "teacher_id": str(new_id()),
        "institution": "南宁市教师培训中心",
        "issued_number": "桂训2025-0012",
        "title_zh": "骨干教师提升培训",
        "title_en": "",
        "started_on": "2025-07-01",
        "ended_on": "2025-07-10",
        "issued_on": "2025-07-12",
        "hours": "40.00",
    }
    made = {
        **{key: body[key] for key in ("institution", "issued_number", "title_zh", "started_on", "ended_on", "hours")},
        "title_en": "",
        "certificate_id": str(new_id()),
        "number": NUMBER,
        "edition": 1,
        "state": "VALID",
        "holder_name": "张*明",
        "school_name": "广州市第一小学",
        "registered_at": "2025-07-13T00:00:00.000000Z",
        "verification_url": "https://x.example",
    }
    bus.answer("certs", "register_completion", made)
    headers = tokens.headers(new_id(), (Role.DISTRICT_INSTITUTION, "CN/440000/440100/440103"))
    answer = client.post("/api/v1/completion-certificates", json=body, headers=headers)
    assert (answer.status_code, answer.json) == (201, made)
    assert bus.sent[0].arguments == body
    for change in ({"hours": "4e1"}, {"hours": 40}, {"started_on": "2025-02-30"}, {"title_zh": " "}, {"more": 1}):
        answer = client.post("/api/v1/completion-certificates", json={**body, **change}, headers=headers)
        assert (answer.status_code, answer.json["field"]) == (400, next(iter(change))), change
