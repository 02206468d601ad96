"""Certificates: the teacher's wallet, the PDF, and verification by anybody, as API and as page."""

from __future__ import annotations

import uuid

from flask import Blueprint as Pages
from flask import Response, current_app, redirect, render_template, request, url_for

from gateway import auth, caching, security
from gateway.context import call, gateway
from gateway.errors import problem_of
from gateway.messages import LANGUAGES
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.people import explained
from gateway.rpc import ask, extend_deadline, tell
from gateway.schemas import Page
from gateway.schemas.certs import (
    Certificate,
    CertificatePage,
    CertificateStanding,
    HoldLifting,
    IssueHold,
    IssueHolds,
    KeySet,
    NumberAnswers,
    Numbers,
    Verification,
)
from gateway.warm import warm
from services.certs import contract
from services.shared import clock
from services.shared.errors import ServiceError
from services.shared.storage import Storage, open_storage

blueprint = Blueprint("certs", __name__, description="Certificates 证书")
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


@blueprint.get("/certificates/<uuid:certificate_id>")
@blueprint.doc(operationId="get_certificate")
@blueprint.response(200, Certificate)
def get_certificate(certificate_id: uuid.UUID):
    """One certificate, with its signed statement and its history."""
    caching.allow(0)
    return ask("certs", "get_certificate", {"certificate_id": str(certificate_id)})


@blueprint.get("/certificates/<uuid:certificate_id>/pdf")
@blueprint.doc(
    operationId="render_certificate",
    responses={200: {"description": "The PDF", "content": {"application/pdf": {"schema": {"type": "string"}}}}},
)
def render_certificate(certificate_id: uuid.UUID):
    """Download the certificate as PDF; it is made when first asked for."""
    extend_deadline(RENDER_SECONDS)
    document = ask(contract.RENDER, "render_certificate", {"certificate_id": str(certificate_id)})
    caching.allow(0, etag=document["sha256"])
    # No file is opened for who has it already, nor for a HEAD request, after which nothing would close it.
    known = request.if_none_match.contains_weak(document["sha256"])
    silent = known or request.method == "HEAD"
    response = Response(None if silent else storage().read(document["storage_key"]), content_type="application/pdf")
    if not known:
        response.content_length = document["size"]
    response.headers["Content-Disposition"] = f'attachment; filename="{document["file_name"]}"'
    return response


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


def _page(number: str, found: dict | None, problem: str, status: int) -> Response:
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
        message=gateway().catalogue.text(problem, language) if problem else "",
        issuer=contract.ISSUER_ZH if language == "zh" else contract.ISSUER_EN,
        changes=[_change(change, LANGUAGES.index(language)) for change in found["history"]] if found else [],
    )
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return response


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
