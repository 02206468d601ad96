"""Certificates: the teacher's wallet, the PDF, and verification by anybody, as API and as page."""

from __future__ import annotations

import hashlib
import uuid

import structlog
from flask import Blueprint as Pages
from flask import Response, current_app, redirect, render_template, request, url_for

from gateway import auth, caching, security
from gateway.context import call, gateway
from gateway.errors import problem_of
from gateway.messages import LANGUAGES
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.papers import PDF_DOCUMENT
from gateway.people import explained
from gateway.rpc import ask, extend_deadline, tell
from gateway.schemas import Page
from gateway.schemas.certs import (
    Certificate,
    CertificatePage,
    CertificateStanding,
    CertificateStatistics,
    CertificateStatisticsBelow,
    CertificateStatisticsBelowQuery,
    CertificateStatisticsQuery,
    CertificateSummary,
    CreatedShare,
    HoldLifting,
    IssuedCertificates,
    IssuedCertificatesQuery,
    IssueHold,
    IssueHolds,
    KeySet,
    NewCompletion,
    NewShare,
    NumberAnswers,
    Numbers,
    RegisteredCertificate,
    RegisteredCertificates,
    Share,
    SharedCertificate,
    Shares,
    VerifiableCredential,
    Verification,
)
from gateway.warm import warm
from services.certs import contract
from services.shared import clock
from services.shared.errors import Conflict, ServiceError
from services.shared.storage import Storage, open_storage

blueprint = Blueprint("certs", __name__, description="Certificates 证书")
log = structlog.get_logger(__name__)

pages = Pages("certificate_pages", __name__, template_folder="../templates")

# A first render waits for a free place in a small pool.
RENDER_SECONDS = 15.0
# `performance.md` S6, S8: a change of state shows within two seconds. One of them is ours, one the reader's.
VERIFICATION_SECONDS = 1
KEYS_SECONDS = 3600
CHANGES = {
    contract.PublicState.VALID: ("签发日期", "Issued on"),
    contract.PublicState.REPLACED: ("替换日期", "Replaced on"),
    contract.PublicState.REVOKED: ("撤销日期", "Revoked on"),
}


@blueprint.get("/certificates")
@blueprint.doc(operationId="list_certificates")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, CertificatePage)
def list_certificates(page):
    """Your certificates, newest first."""
    return ask_page("certs", "list_certificates", page)


@blueprint.get("/programmes/<uuid:programme_id>/standing")
@blueprint.doc(operationId="get_standing")
@blueprint.response(200, CertificateStanding)
def get_standing(programme_id: uuid.UUID):
    """Where you stand with a programme's certificate, and why."""
    reply = ask("certs", "get_standing", {"programme_id": str(programme_id)})
    language = LANGUAGES.index(call().language)
    texts = [contract.REASONS[reason][language] for reason in reply["reasons"] if reason in contract.REASONS]
    return {**reply, "messages": texts}


@blueprint.post("/programmes/<uuid:programme_id>/study-proof")
@blueprint.doc(operationId="request_study_proof")
@blueprint.response(201, CertificateSummary)
def request_study_proof(programme_id: uuid.UUID):
    """A proof of what was recognised of a season that is over (成绩证明), enough for its certificate or not.

    Asked for again it is the same one, or the next edition where the figures have changed since.
    """
    return tell("certs", "request_study_proof", {"programme_id": str(programme_id)})


@blueprint.post("/year-verifications/<int:year>/credit-certificate")
@blueprint.doc(operationId="request_credit_certificate")
@blueprint.response(201, CertificateSummary)
def request_credit_certificate(year: int):
    """The credit certificate (学分证书) of a frozen year whose requirements were met."""
    return tell("certs", "request_credit_certificate", {"year": year})


@blueprint.get("/issued-certificates")
@blueprint.doc(operationId="list_issued_certificates")
@blueprint.arguments(IssuedCertificatesQuery, location="query")
@blueprint.response(200, IssuedCertificates)
def list_issued_certificates(query):
    """Certificates of the teachers of a place and below it, school by school; holders masked."""
    return ask_page("certs", "list_issued_certificates", IssuedCertificatesQuery().dump(query))


@blueprint.get("/certificate-statistics")
@blueprint.doc(operationId="get_certificate_statistics")
@blueprint.arguments(CertificateStatisticsQuery, location="query")
@blueprint.response(200, CertificateStatistics)
def get_certificate_statistics(query):
    """How many certificates of each kind a place and everything below it has, by what became of them."""
    return ask("certs", "get_certificate_statistics", CertificateStatisticsQuery().dump(query))


@blueprint.get("/certificate-statistics/below")
@blueprint.doc(operationId="list_certificate_statistics_below")
@blueprint.arguments(CertificateStatisticsBelowQuery, location="query")
@blueprint.response(200, CertificateStatisticsBelow)
def list_certificate_statistics_below(query):
    """The same of each place directly below, in the order of the tree: no league tables."""
    return ask_page("certs", "list_certificate_statistics_below", CertificateStatisticsBelowQuery().dump(query))


@blueprint.post("/completion-certificates")
@blueprint.doc(operationId="register_completion")
@blueprint.arguments(NewCompletion)
@blueprint.response(201, RegisteredCertificate)
def register_completion(body):
    """Register a certificate that your institution issued (结业证书): it gets a number here, and anybody can check it."""
    return tell("certs", "register_completion", NewCompletion().dump(body))


@blueprint.get("/completion-certificates")
@blueprint.doc(operationId="list_registrations")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, RegisteredCertificates)
def list_registrations(page):
    """What your institution registered, newest first."""
    return ask_page("certs", "list_registrations", page)


@blueprint.get("/certificates/<uuid:certificate_id>")
@blueprint.doc(operationId="get_certificate")
@blueprint.response(200, Certificate)
def get_certificate(certificate_id: uuid.UUID):
    """One certificate, with its signed statement and its history."""
    caching.allow(0)
    return ask("certs", "get_certificate", {"certificate_id": str(certificate_id)})


@blueprint.get("/certificates/<uuid:certificate_id>/pdf")
@blueprint.doc(operationId="render_certificate", responses=PDF_DOCUMENT)
def render_certificate(certificate_id: uuid.UUID):
    """Download the certificate as PDF; it is made when first asked for."""
    extend_deadline(RENDER_SECONDS)
    return _stored_pdf(ask(contract.RENDER, "render_certificate", {"certificate_id": str(certificate_id)}))


def _stored_pdf(document: dict) -> Response:
    caching.allow(0, etag=document["sha256"])
    # No file is opened for who has it already, nor for a HEAD request, after which nothing would close it.
    known = request.if_none_match.contains_weak(document["sha256"])
    silent = known or request.method == "HEAD"
    response = Response(None if silent else _intact(document), content_type="application/pdf")
    if not known:
        response.content_length = document["size"]
    response.headers["Content-Disposition"] = f'attachment; filename="{document["file_name"]}"'
    return response


def _intact(document: dict) -> bytes:
    """The kept PDF, whole before its first byte leaves. Raises Conflict("certs.record_damaged") for one that was altered."""
    content = b"".join(storage().read(document["storage_key"]))
    if hashlib.sha256(content).hexdigest() != document["sha256"]:
        log.error("document_damaged", storage_key=document["storage_key"])
        raise Conflict("certs.record_damaged")
    return content


@blueprint.post("/certificates/<uuid:certificate_id>/shares")
@blueprint.doc(operationId="share_certificate")
@blueprint.arguments(NewShare)
@blueprint.response(201, CreatedShare)
def share_certificate(body, certificate_id: uuid.UUID):
    """A link that shows this certificate, with your name in full and its PDF, until it expires or you take it back.

    The link is told once: only its hash is kept.
    """
    caching.allow(0)
    return tell("certs", "share_certificate", {"certificate_id": str(certificate_id), **body})


@blueprint.get("/certificates/<uuid:certificate_id>/shares")
@blueprint.doc(operationId="list_shares")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, Shares)
def list_shares(page, certificate_id: uuid.UUID):
    """The links to your certificate, newest first, and how often each was opened."""
    return ask_page("certs", "list_shares", {"certificate_id": str(certificate_id), **page})


@blueprint.delete("/certificate-shares/<uuid:share_id>")
@blueprint.doc(operationId="revoke_share")
@blueprint.response(200, Share)
def revoke_share(share_id: uuid.UUID):
    """Take a link back: it opens nothing from now on."""
    return tell("certs", "revoke_share", {"share_id": str(share_id)})


@blueprint.get("/shared-certificates/<string:token>")
@blueprint.doc(operationId="open_share", security=[])
@blueprint.response(200, SharedCertificate)
def open_share(token: str):
    """What a link shows: the certificate as it stands now, with the holder's name in full; each opening is on record."""
    caching.allow(0)
    return tell("certs", "open_share", {"token": token[:200]})


@blueprint.get("/shared-certificates/<string:token>/pdf")
@blueprint.doc(operationId="render_shared", security=[], responses=PDF_DOCUMENT)
def render_shared(token: str):
    """The PDF of a certificate that was shared; 409 once it was replaced or revoked."""
    extend_deadline(RENDER_SECONDS)
    return _stored_pdf(ask(contract.RENDER, "render_shared", {"token": token[:200]}))


@blueprint.get("/verifications/<string:number>")
@blueprint.doc(operationId="verify_certificate", security=[])
@blueprint.response(200, Verification)
def verify_certificate(number: str):
    """Whether a certificate number is genuine and still valid; for anybody, without sign-in."""
    typed = number[:200]
    ready = warm("verify_certificate", Verification, VERIFICATION_SECONDS)
    return ready.answer(typed, lambda: ask("certs", "verify_certificate", {"number": typed}))


@blueprint.post("/verifications")
@blueprint.doc(operationId="verify_certificates", security=[])
@blueprint.arguments(Numbers)
@blueprint.response(200, NumberAnswers)
def verify_certificates(body: dict):
    """Up to 200 certificate numbers at once, for provincial platforms; an answer for each, in the order asked."""
    reply = ask("certs", "verify_certificates", body)
    return {"items": explained(reply["items"])}


@blueprint.get("/certificate-keys")
@blueprint.doc(operationId="list_certificate_keys", security=[])
@blueprint.response(200, KeySet)
def list_certificate_keys():
    """The public keys of certificate signatures, as a JSON Web Key Set."""
    caching.allow(KEYS_SECONDS, public=True)
    return ask("certs", "list_certificate_keys")


@blueprint.get("/credentials/<string:number>/<int:edition>")
@blueprint.doc(operationId="get_credential", security=[])
@blueprint.response(200, VerifiableCredential)
def get_credential(number: str, edition: int):
    """An edition of a certificate as Open Badge 3.0, for any wallet or verifier; its status list says whether it still holds."""
    typed = number[:200]
    ready = warm("get_credential", VerifiableCredential, VERIFICATION_SECONDS)
    asked = {"number": typed, "edition": edition}
    return ready.answer(f"{typed}/{edition}", lambda: ask("certs", "get_credential", asked)["credential"])


@blueprint.get("/status-lists/<int:list_number>")
@blueprint.doc(operationId="get_status_list", security=[])
@blueprint.response(200, VerifiableCredential)
def get_status_list(list_number: int):
    """A W3C Bitstring Status List: a bit for each certificate, set where it was revoked or replaced."""
    ready = warm("get_status_list", VerifiableCredential, VERIFICATION_SECONDS)
    asked = {"list_number": list_number}
    return ready.answer(str(list_number), lambda: ask("certs", "get_status_list", asked)["credential"])


@blueprint.get("/issue-holds")
@blueprint.doc(operationId="list_issue_holds")
@blueprint.response(200, IssueHolds)
def list_issue_holds():
    """Programmes whose certificates wait, or waited, because the daily proof of their hours failed."""
    return ask("certs", "list_issue_holds")


@blueprint.post("/issue-holds/<uuid:programme_id>/lifting")
@blueprint.doc(operationId="lift_issue_hold")
@blueprint.arguments(HoldLifting)
@blueprint.response(200, IssueHold)
def lift_issue_hold(body, programme_id: uuid.UUID):
    """Let issuing go on, with the reason why the hours can be relied on; a proof that fails on a later day holds it again."""
    return tell("certs", "lift_issue_hold", {"programme_id": str(programme_id), **body})


@pages.get("/.well-known/did.json")
def show_did_document():
    """The issuer's keys where `did:web` looks for them."""
    caching.allow(KEYS_SECONDS, public=True)
    return ask("certs", "get_did_document")["document"]


@pages.get("/verify")
def enter_number():
    """The form for a number; a number sent from it leads on to the number's own address."""
    if number := request.args.get("number", "").strip():
        return redirect(url_for("certificate_pages.show_verification", number=number[:200]), 303)
    return _page("", None, "", 200)


@pages.get(contract.VERIFICATION_PATH + "<path:number>")
def show_verification(number: str):
    """The page behind the QR code: says in words whether the certificate is good."""
    call().actor = auth.authenticate(request)
    try:
        gateway().limiter.count("verify_certificate_page", request.method, call().actor)
        return _page(number, ask("certs", "verify_certificate", {"number": number[:200]}), "", 200)
    except ServiceError as error:
        problem = problem_of(error)
        response = _page(number, None, error.code, problem.status)
        if problem.retry_after is not None:
            response.headers["Retry-After"] = str(problem.retry_after)
        return response


@pages.get(contract.SHARED_PATH + "<string:token>")
def show_shared(token: str):
    """The page behind a holder's link: the verification with the name in full, and the PDF."""
    call().actor = auth.authenticate(request)
    try:
        gateway().limiter.count("open_share", request.method, call().actor)
        found = tell("certs", "open_share", {"token": token[:200]})
        response = _page(found["number"], found, "", 200, pdf=f"/api/v1/shared-certificates/{token[:200]}/pdf")
    except ServiceError as error:
        problem = problem_of(error)
        response = _page("", None, error.code, problem.status)
        if problem.retry_after is not None:
            response.headers["Retry-After"] = str(problem.retry_after)
    # The address is the key: no other site may learn it from a link that is followed, and nobody keeps what it showed.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(number: str, found: dict | None, problem: str, status: int, pdf: str = "") -> Response:
    language = call().language
    call().page_policy = (
        f"default-src 'none'; style-src 'nonce-{security.style_nonce()}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    call().problem_code = problem
    html = render_template(
        "verify.html",
        language=language,
        number=number,
        found=found,
        problem=problem,
        pdf=pdf,
        message=gateway().catalogue.text(problem, language) if problem else "",
        kind=contract.KINDS[found["kind"]][LANGUAGES.index(language)] if found else "",
        in_credits=found is not None and found["kind"] == "CREDIT" and found["programme_code"].endswith("/CREDIT"),
        issuer=_issuer(found, language),
        changes=[_change(change, LANGUAGES.index(language)) for change in found["history"]] if found else [],
    )
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return response


def _issuer(found: dict | None, language: str) -> str:
    """An institution's name stands as it gave it; ours is known in both languages."""
    ours = contract.ISSUER_ZH if language == "zh" else contract.ISSUER_EN
    return found["issuer"] if found and found["issuer"] != contract.ISSUER_ZH else ours


def _change(change: dict, language: int) -> dict[str, str]:
    """A step of a certificate's life in words, on its Beijing day."""
    name = CHANGES[change["state"]][language]
    return {
        "name": name if change["edition"] == 1 else f"{name} ({change['edition']})",
        "day": clock.parse_instant(change["at"]).astimezone(clock.BEIJING).date().isoformat(),
    }


def storage() -> Storage:
    """The store of finished documents, opened on first use."""
    extensions = current_app.extensions
    if "yanxiu.storage" not in extensions:
        extensions["yanxiu.storage"] = open_storage(gateway().settings)
    return extensions["yanxiu.storage"]
