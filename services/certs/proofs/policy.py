"""Who asks for proofs: the teacher, for what is her own."""

from __future__ import annotations

from services.shared.policy import Policy, own

_ISSUES = "a certificate is written by the issuer, not by its holder, whose rights only read"

POLICIES: dict[str, Policy] = {
    "request_study_proof": own().seeing_everything(_ISSUES),
    "request_credit_certificate": own().seeing_everything(_ISSUES),
}
