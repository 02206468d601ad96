"""Who may call what of certs."""

from __future__ import annotations

from services.certs.corrections import policy as corrections
from services.certs.overview import policy as overview
from services.certs.proofs import policy as proofs
from services.certs.registrations import policy as registrations
from services.certs.shares import policy as shares
from services.shared import audit_trail, policy
from services.shared.actor import REGION_ADMINS, Role

_CLAIM = "a number is a claim that anybody may check, whoever the holder is; the answer is masked"

POLICIES: dict[str, policy.Policy] = {
    **audit_trail.POLICIES,
    **corrections.POLICIES,
    **overview.POLICIES,
    **proofs.POLICIES,
    **registrations.POLICIES,
    **shares.POLICIES,
    "list_certificates": policy.own(),
    "get_standing": policy.own(),
    "get_certificate": policy.own() | overview.LISTERS,
    "verify_certificate": policy.anyone().seeing_everything(_CLAIM),
    "verify_certificates": policy.anyone().seeing_everything(_CLAIM),
    "list_certificate_keys": policy.anyone(),
    "get_credential": policy.anyone().seeing_everything(_CLAIM),
    "get_status_list": policy.anyone().seeing_everything("bits by number, which name nobody"),
    "get_did_document": policy.anyone(),
    # Seasons are the nation's, and so is the decision that their hours can be relied on.
    "list_issue_holds": policy.granted(Role.NATIONAL_OPERATOR),
    "lift_issue_hold": policy.granted(Role.NATIONAL_OPERATOR),
}

# Names on paper leave the house: `domain.md` §1.2, "export personal data".
EXPORTERS = policy.granted(
    Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE, Role.NATIONAL_OPERATOR
).with_step_up()

RENDER_POLICIES: dict[str, policy.Policy] = {
    **shares.RENDER_POLICIES,
    # The paper shows the holder's full name, so it is for the holder.
    "render_certificate": policy.own(),
    "render_year_sheet": policy.own(),
    "render_teacher_sheet": EXPORTERS,
    "render_school_list": EXPORTERS,
    # The owner of the figures has decided who may have them; the gateway hands on what the owner answered.
    "render_document": policy.service("gateway"),
}
