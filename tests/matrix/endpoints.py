"""Every method that a person can reach: the rows of the table that give it, what it is about, and how it is called here."""

from __future__ import annotations

import dataclasses
from typing import Any

from services.catalog import season_file
from services.shared.actor import covers
from services.shared.ids import new_id
from tests.component.org.conftest import new_school
from tests.matrix.capabilities import Column
from tests.matrix.reach import About, Arguments, Ask, Endpoint, Target
from tests.matrix.world import COUNTY, DECLARED, DIVISION_OF, NATION, SERIES, Cast, Where
from yanxiu.journey.people import invent

PUBLIC = ("see public facts",)
ENTERING = ("register, sign in",)
OWN = ("keep the own account",)
STUDYING = ("study, and see the own study",)
TEACHING = ("be a teacher of a school",)

NO_ONE = str(new_id())
NEEDS_A_CODE = "it takes the code of a message, or a token, that nobody has here"
NEEDS_A_JOB = "it takes a job that got as far as that"
NEEDS_A_CERTIFICATE = "nobody has earned a certificate here"
PHONE = "19900000000"
NEWCOMER = invent(SERIES, 9000)


def nothing(_ask: Ask) -> dict[str, Any]:
    return {}


def the_teacher(ask: Ask) -> dict[str, Any]:
    return ask.teacher


def the_account(ask: Ask) -> dict[str, Any]:
    return {"account_id": ask.target.subject}


def the_school(ask: Ask) -> dict[str, Any]:
    return ask.school


def the_place(ask: Ask) -> dict[str, Any]:
    return {"place": ask.target.place}


def the_division(ask: Ask) -> dict[str, Any]:
    return {"division": ask.target.place.rpartition("/")[2]}


def the(name: str) -> Arguments:
    """The id of the thing that the endpoint is about."""
    return lambda ask: {name: ask.target.spot.things[ask.target.kind] if ask.target.spot else str(new_id())}


def always(**arguments: Any) -> Arguments:
    return lambda _ask: dict(arguments)


def plus(arguments: Arguments, **more: Any) -> Arguments:
    return lambda ask: {**arguments(ask), **more}


WHY = {"reason": "情况属实"}


def public(arguments: Arguments = nothing, **options: Any) -> Endpoint:
    return Endpoint(PUBLIC, About.NOTHING, arguments, **options)


def own(arguments: Arguments = nothing, **options: Any) -> Endpoint:
    return Endpoint(OWN, About.NOTHING, arguments, **options)


def entering(arguments: Arguments, **options: Any) -> Endpoint:
    return Endpoint(ENTERING, About.NOTHING, arguments, **options)


def studying(arguments: Arguments, *empty: str, **options: Any) -> Endpoint:
    return Endpoint(STUDYING, About.NOTHING, arguments, empty=frozenset(empty), **options)


def teaching(arguments: Arguments = nothing, *empty: str, **options: Any) -> Endpoint:
    return Endpoint(TEACHING, About.NOTHING, arguments, empty=frozenset(empty), **options)


# --- catalog, learning, credits, certs -----------------------------------------------------------------------------------

SEARCH = {
    f"{service}.search_audit": Endpoint(("search the audit trail",), About.REGION, the_place)
    for service in ("identity", "org", "catalog", "learning", "credits", "certs")
}


def programme(ask: Ask) -> dict[str, Any]:
    return {"programme_id": ask.world.programme_id}


CATALOG = {
    "catalog.list_programmes": public(),
    "catalog.get_programme": public(programme),
    # A season of the nation; packs of provinces and cities come later.
    "catalog.publish_programme": Endpoint(
        ("define rule pack / season",), About.NATION, lambda _ask: season_file.read_shipped_season("2023-winter")
    ),
}

LEARNING = {
    "learning.enrol": Endpoint(TEACHING, About.NOTHING, programme, unsure="the season is over"),
    "learning.list_enrolments": studying(nothing),
    "learning.get_progress": studying(programme, "learning.not_enrolled", unsure="nobody has enrolled"),
    "learning.open_study_session": teaching(
        lambda _ask: {"activity_id": str(new_id()), "client_id": "matrix-1"},
        "learning.activity_unknown",
        unsure="no video is open today",
    ),
    "learning.renew_play_token": studying(
        lambda _ask: {"study_session_id": str(new_id())}, "learning.session_unknown", unsure="nobody studies here"
    ),
    "learning.list_own_study_reviews": studying(nothing),
    "learning.appeal_study_review": studying(
        always(review_id=NO_ONE, **WHY), "learning.review_unknown", unsure="nothing of the cast's was found conspicuous"
    ),
    "learning.list_study_reviews": Endpoint(("review conspicuous study",), About.UNIT, the_place),
    "learning.decide_study_review": Endpoint(
        ("review conspicuous study",), About.THING, plus(the("review_id"), upheld=False, **WHY), kind="review"
    ),
    "learning.confirm_presence": studying(
        lambda _ask: {"study_session_id": str(new_id())}, "learning.session_unknown", unsure="nobody studies here"
    ),
    "learning.answer_quiz": studying(
        lambda _ask: {"study_session_id": str(new_id()), "quiz_id": str(new_id()), "answer": ["A"]},
        "learning.session_unknown",
        unsure="nobody studies here",
    ),
}

STATISTICS = ("training statistics",)
YEARS = (*STATISTICS, *STUDYING)
DECLARING = ("declare outside hours",)
FIRST, FINAL = ("first review of declared hours",), ("final review of declared hours",)
COMPLAINING, HANDLING = ("complaint about annual verification",), ("handle complaint",)
NO_DECLARATION = frozenset({"credits.declaration_unknown"})
NO_COMPLAINT = frozenset({"credits.complaint_unknown"})


def complaint(rights: tuple[str, ...], **more: Any) -> Endpoint:
    arguments = lambda _ask: {"complaint_id": NO_ONE, **more}  # noqa: E731
    return Endpoint(rights, About.NOTHING, arguments, empty=NO_COMPLAINT, unsure="nobody has complained")


def own_declaration(**more: Any) -> Endpoint:
    arguments = lambda _ask: {"declaration_id": NO_ONE, **more}  # noqa: E731
    return Endpoint(STUDYING, About.NOTHING, arguments, empty=NO_DECLARATION, unsure="the cast has declared nothing")


def declared(rights: tuple[str, ...], kind: str = "declaration", **more: Any) -> Endpoint:
    return Endpoint(rights, About.THING, plus(the("declaration_id"), **more), kind=kind)


CREDITS = {
    "credits.list_packs": public(),
    "credits.evaluate_rules": own(always(document={}), unsure="the document is empty"),
    # A teacher's own are asked for without a name.
    "credits.get_hours": Endpoint(
        YEARS,
        About.PERSON,
        lambda ask: {**ask.teacher, **programme(ask)},
        blind=frozenset({"credits.not_enrolled"}),
        unsure="nobody has studied",
    ),
    "credits.list_ledger": Endpoint(YEARS, About.PERSON, the_teacher),
    "credits.get_year_verification": Endpoint(
        YEARS, About.PERSON, plus(the_teacher, year=2026), blind=frozenset({"credits.no_scheme"})
    ),
    "credits.get_credit_matrix": Endpoint(
        YEARS, About.PERSON, plus(the_teacher, year=2026), blind=frozenset({"credits.no_scheme"})
    ),
    "credits.get_year_sheet": Endpoint(
        YEARS,
        About.PERSON,
        plus(the_teacher, year=2026),
        blind=frozenset({"credits.no_scheme"}),
        unsure="no year is frozen here",
    ),
    "credits.get_verification_summary": Endpoint(STATISTICS, About.UNIT, plus(the_place, year=2026)),
    "credits.count_complaints": Endpoint(STATISTICS, About.UNIT, plus(the_place, year=2026)),
    "credits.list_year_verifications": Endpoint(STATISTICS, About.UNIT, plus(the_place, year=2026)),
    "credits.get_statistics": Endpoint(STATISTICS, About.UNIT, the_place),
    "credits.list_statistics_below": Endpoint(STATISTICS, About.UNIT, the_place),
    "credits.list_statistics_by_day": Endpoint(
        STATISTICS, About.UNIT, plus(the_place, first="2026-01-01", last="2026-01-31")
    ),
    "credits.create_declaration": Endpoint((*DECLARING, *STUDYING), About.NOTHING, always(**DECLARED)),
    "credits.edit_declaration": own_declaration(**DECLARED),
    "credits.submit_declaration": own_declaration(),
    "credits.withdraw_declaration": own_declaration(),
    "credits.prepare_attachment": own_declaration(sha256="0" * 64, media_type="image/png", size=1),
    "credits.keep_attachment": own_declaration(attachment_id=NO_ONE, storage_key="attachments/00/0"),
    "credits.remove_attachment": own_declaration(attachment_id=NO_ONE),
    "credits.view_attachment": dataclasses.replace(
        declared((*FIRST, *FINAL), attachment_id=NO_ONE),
        empty=frozenset({"credits.attachment_unknown"}),
        unsure="nothing has been attached",
    ),
    "credits.list_own_declarations": studying(nothing),
    "credits.get_declaration": declared((*FIRST, *FINAL)),
    "credits.list_declarations": Endpoint((*FIRST, *FINAL), About.UNIT, the_place),
    "credits.list_handovers": Endpoint(FINAL, About.UNIT, the_place),
    "credits.settle_handovers": Endpoint(FINAL, About.UNIT, the_place),
    "credits.pass_declaration": declared(FIRST),
    "credits.return_declaration": declared(FIRST, reason="材料不全"),
    "credits.approve_declaration": declared(FINAL, kind="passed"),
    "credits.void_declaration": dataclasses.replace(
        declared(FINAL, kind="passed", reason="材料不实"), unsure="nothing has been approved that could be taken back"
    ),
    "credits.file_complaint": Endpoint(
        (*COMPLAINING, *STUDYING),
        About.NOTHING,
        always(year=2025, about="HOURS", text="学时有误"),
        unsure="nobody's year has been verified",
    ),
    "credits.close_complaint": complaint((*COMPLAINING, *STUDYING)),
    "credits.reopen_complaint": complaint((*COMPLAINING, *STUDYING), text="仍有误"),
    "credits.list_own_complaints": studying(nothing),
    "credits.list_complaints": Endpoint(HANDLING, About.UNIT, the_place),
    "credits.assign_complaint": complaint(HANDLING),
    "credits.answer_complaint": complaint(HANDLING, accepted=False, reply="无误"),
}

LIFTING = ("let a held issue of certificates go on",)
EXPORTING = ("export personal data",)
NO_CERTIFICATE = frozenset({"certs.certificate_not_found"})


def correcting(arguments: Arguments, **options: Any) -> Endpoint:
    return Endpoint(("revoke or re-issue certificates",), About.NATION, arguments, **options)


NO_CORRECTION: dict[str, Any] = {
    "empty": frozenset({"certs.correction_not_found", "certs.certificate_not_found"}),
    "unsure": NEEDS_A_CERTIFICATE,
}
CERTS = {
    "certs.list_corrections": correcting(nothing),
    "certs.propose_correction": correcting(always(act="REVOKE", certificate_ids=[NO_ONE], **WHY), **NO_CORRECTION),
    "certs.get_correction": correcting(always(correction_id=NO_ONE), **NO_CORRECTION),
    "certs.approve_correction": correcting(always(correction_id=NO_ONE), **NO_CORRECTION),
    "certs.reject_correction": correcting(always(correction_id=NO_ONE, **WHY), **NO_CORRECTION),
    "certs.withdraw_correction": correcting(always(correction_id=NO_ONE), **NO_CORRECTION),
    "certs.list_certificates": studying(nothing),
    "certs.get_standing": studying(programme, "certs.standing_unknown", "shared.not_found"),
    "certs.verify_certificate": public(
        always(number="YX-2023W-000000000000-0"),
        empty=frozenset({"certs.number_malformed"}),
        unsure=NEEDS_A_CERTIFICATE,
    ),
    "certs.verify_certificates": public(always(numbers=["YX-2023W-000000000000-0"])),
    "certs.list_certificate_keys": public(),
    "certs.list_issue_holds": Endpoint(LIFTING, About.NATION, nothing),
    "certs.lift_issue_hold": Endpoint(
        LIFTING,
        About.NATION,
        always(programme_id=NO_ONE, **WHY),
        empty=frozenset({"certs.hold_unknown"}),
        unsure="nothing is held here",
    ),
    "certs.get_certificate": Endpoint(
        (*STUDYING, "list the teachers of a school or region"),
        About.NOTHING,
        lambda _ask: {"certificate_id": NO_ONE},
        empty=NO_CERTIFICATE,
        unsure=NEEDS_A_CERTIFICATE,
    ),
    "certs-render.render_certificate": studying(
        lambda _ask: {"certificate_id": NO_ONE},
        *NO_CERTIFICATE,
        unsure=NEEDS_A_CERTIFICATE,
    ),
    "certs-render.render_year_sheet": studying(
        always(year=2026), "credits.year_open", "credits.no_scheme", unsure="no year is frozen here"
    ),
    "certs-render.render_teacher_sheet": Endpoint(
        EXPORTING, About.PERSON, plus(the_teacher, year=2026, **WHY), unsure="no year is frozen here"
    ),
    "certs-render.render_school_list": Endpoint(
        EXPORTING, About.UNIT, plus(the_place, year=2026, **WHY), unsure="no year is frozen here"
    ),
}

# --- org: units ------------------------------------------------------------------------------------------------------------

LOADING = ("load rosters of a territory",)
ADDING = ("add teacher, issue learner no. (学号)",)
CREATING = ("create / delete school or institution",)
EDITING = ("edit school information",)
LOOKING = ("look at the units of a region",)
ANSWERING = ("answer requests for a missing school",)
LISTING = ("list the teachers of a school or region",)


def school_and_version(ask: Ask) -> dict[str, Any]:
    return {**ask.school, "version": ask.target.spot.school["version"]}  # type: ignore[union-attr]


def division_of(ask: Ask) -> str:
    return DIVISION_OF[ask.target.spot.where]  # type: ignore[union-attr]


def is_region(cast: Cast, target: Target) -> bool:
    """Lists of a region are not for its schools."""
    return cast.column not in (Column.PRINCIPAL, Column.SCHOOL_ADMIN)


def keeps(cast: Cast, target: Target) -> bool:
    """Cities and provinces keep only the units attached directly to them (the table's D)."""
    return cast.column is Column.OPERATOR or target.parent == cast.home


MOVING_TO = "CN/440000/440100/440106"  # a third county of the city


def may_ask_for_move(cast: Cast, target: Target) -> bool:
    """§3.7: "requested by the lower admin": on either side, below the level that executes."""
    above = above_both(target.parent, MOVING_TO)
    if cast.column is Column.OPERATOR:
        return True
    reaches = covers(cast.home, target.parent) or covers(cast.home, MOVING_TO)
    return reaches and (cast.home in (target.parent, MOVING_TO) or cast.home.startswith(f"{above}/"))


def above_both(one: str, other: str) -> str:
    """The lowest place that covers both."""
    place = one
    while not covers(place, other):
        place = place.rpartition("/")[0]
    return place


def either_end(cast: Cast, target: Target) -> bool:
    """Both schools of a transfer see it, and everybody above either."""
    return any(place and covers(cast.home, place) for place in (target.place, target.before))


def executes(cast: Cast, target: Target) -> bool:
    """The level closest above both sides, or the nation."""
    return cast.home == target.place or cast.column is Column.OPERATOR


def sees_move(cast: Cast, target: Target) -> bool:
    """Either side (all want to come into the own county), and whoever stands above."""
    assert target.spot is not None
    return any(covers(cast.home, place) for place in (target.spot.parent, COUNTY))


UNITS = {
    "org.list_divisions": public(),
    "org.get_division": public(always(code="440104")),
    "org.list_schools": public(always(division="440104")),
    "org.get_school": Endpoint(PUBLIC, About.UNIT, the_school),
    "org.create_school": Endpoint(CREATING, About.UNIT, lambda ask: new_school(division_of(ask))),
    "org.edit_school": Endpoint(EDITING, About.UNIT, plus(school_and_version, town="另一街道")),
    "org.correct_school_code": Endpoint(
        CREATING, About.UNIT, plus(school_and_version, code=None, **WHY), unsure="the schools here have no code"
    ),
    "org.reveal_school_contact": Endpoint(("see a school's people in clear",), About.UNIT, plus(the_school, **WHY)),
    "org.suspend_school": Endpoint(CREATING, About.UNIT, plus(school_and_version, **WHY)),
    "org.resume_school": Endpoint(
        CREATING, About.UNIT, plus(school_and_version, **WHY), unsure="no school here is suspended"
    ),
    "org.merge_school": Endpoint(
        CREATING,
        About.UNIT,
        lambda ask: {**school_and_version(ask), "into": ask.target.spot.things["neighbour"], **WHY},  # type: ignore[union-attr]
    ),
    "org.close_school": Endpoint(
        CREATING, About.UNIT, plus(school_and_version, **WHY), unsure="every school here has teachers"
    ),
    "org.reopen_school": Endpoint(
        CREATING, About.UNIT, plus(school_and_version, **WHY), unsure="no school here has ended"
    ),
    "org.list_units": Endpoint(LOOKING, About.REGION, the_division, where=is_region),
    "org.count_units": Endpoint(LOOKING, About.REGION, the_division, where=is_region),
    "org.get_school_history": Endpoint(LOOKING, About.UNIT, the_school),
    "org.request_school_move": Endpoint(
        ("ask for the move of a school",),
        About.UNIT,
        plus(the_school, division_code=MOVING_TO.rpartition("/")[2], **WHY),
        instead=may_ask_for_move,
    ),
    "org.execute_school_move": Endpoint(
        ("transfer a school",), About.THING, plus(the("move_id"), **WHY), kind="move", where=executes
    ),
    "org.reject_school_move": Endpoint(
        ("transfer a school",), About.THING, plus(the("move_id"), **WHY), kind="move", where=executes
    ),
    "org.withdraw_school_move": Endpoint(
        ("ask for the move of a school",),
        About.THING,
        plus(the("move_id"), **WHY),
        kind="move",
        instead=lambda _cast, _target: False,
        unsure="only whoever asked takes it back, and nobody of the cast did",
    ),
    "org.get_school_move": Endpoint(
        ("ask for the move of a school",), About.THING, the("move_id"), kind="move", instead=sees_move
    ),
    "org.list_school_moves": Endpoint(("ask for the move of a school",), About.REGION, the_division),
    "org.request_school": teaching(
        always(name="新建小学", school_type="PRIMARY", town="某街道"), unsure="nobody of the cast waits in 其他"
    ),
    "org.withdraw_school_request": own(
        lambda _ask: {"request_id": str(new_id())},
        empty=frozenset({"org.request_unknown"}),
        unsure="nobody of the cast asked",
    ),
    "org.list_own_school_requests": own(),
    "org.create_requested_school": Endpoint(
        ANSWERING,
        About.THING,
        lambda ask: {**the("request_id")(ask), "school": new_school(division_of(ask))},
        kind="request",
        where=keeps,
    ),
    "org.answer_school_request": Endpoint(
        ANSWERING,
        About.THING,
        lambda ask: {**the("request_id")(ask), **ask.school},
        kind="request",
    ),
    "org.reject_school_request": Endpoint(ANSWERING, About.THING, plus(the("request_id"), **WHY), kind="request"),
    "org.list_school_requests": Endpoint(ANSWERING, About.REGION, the_division),
    "org.get_tenant_policy": own(always(place="CN/440000")),
    "org.list_tenant_policies": Endpoint(("see how a territory admits teachers",), About.REGION, the_place),
    "org.set_tenant_policy": Endpoint(
        ("say how a territory admits teachers",),
        About.REGION,
        plus(the_place, mode="GATED", max_school_admins=2, profile_review="NONE", **WHY),
    ),
    "org.withdraw_tenant_policy": Endpoint(
        ("say how a territory admits teachers",),
        About.REGION,
        plus(the_place, **WHY),
        empty=frozenset({"org.policy_unknown"}),
        unsure="nothing has been said yet",
    ),
}


# --- org: delegation --------------------------------------------------------------------------------------------------------

CODES = ("generate + hand out school admin code (权限码)",)
PROGRESS = ("see activation progress of admins below",)
WHO = ("see who administers",)

DELEGATION = {
    "org.list_grants": Endpoint(WHO, About.UNIT, the_place),
    "org.list_unit_administrators": Endpoint(("list the teachers of a school or region",), About.UNIT, the_place),
    "org.generate_authority_code": Endpoint(CODES, About.UNIT, plus(the_place, role="SCHOOL_ADMIN")),
    "org.list_authority_codes": Endpoint(PROGRESS, About.UNIT, the_place),
    "org.record_code_delivery": Endpoint(CODES, About.THING, plus(the("code_id"), channel="LETTER"), kind="code"),
    "org.revoke_authority_code": Endpoint(CODES, About.THING, plus(the("code_id"), **WHY), kind="code"),
    "org.list_grant_proposals": Endpoint(PROGRESS, About.REGION, the_place),
    "org.activate_authority_code": own(
        always(code="AAAA-AAAA"), empty=frozenset({"org.code_refused"}), unsure=NEEDS_A_CODE
    ),
    "org.get_activation_progress": Endpoint(PROGRESS, About.REGION, the_place),
    "org.list_activation_progress": Endpoint(PROGRESS, About.REGION, the_place),
    "org.list_admin_seats": Endpoint(
        PROGRESS, About.REGION, plus(the_place, role="SCHOOL_ADMIN", state="NOT_GENERATED")
    ),
}

# --- org: teachers ------------------------------------------------------------------------------------------------------------

VERIFYING = ("verify / reject teacher",)
ARCHIVING = ("archive / restore teacher",)
UNKNOWN_TEACHER = "org.membership_unknown"


def one(ask: Ask) -> dict[str, Any]:
    return {"teacher_ids": [ask.target.subject]}


STAFFING = {
    "org.choose_school": teaching(lambda ask: {"school_id": ask.world.spots[Where.NEIGHBOUR].school["school_id"]}),
    "org.get_own_membership": own(empty=frozenset({"org.no_membership"})),
    "org.list_own_periods": own(),
    "org.verify_membership": Endpoint(VERIFYING, About.PERSON, the_teacher, kind="pending", not_oneself=True),
    "org.reject_membership": Endpoint(
        VERIFYING, About.PERSON, plus(the_teacher, **WHY), kind="pending", not_oneself=True
    ),
    "org.verify_memberships": Endpoint(
        VERIFYING, About.PERSON, one, kind="pending", not_oneself=True, missing=UNKNOWN_TEACHER
    ),
    "org.reject_memberships": Endpoint(
        VERIFYING, About.PERSON, plus(one, **WHY), kind="pending", not_oneself=True, missing=UNKNOWN_TEACHER
    ),
    "org.list_reviews": Endpoint(VERIFYING, About.UNIT, the_school),
    "org.get_school_desk": Endpoint(VERIFYING, About.UNIT, the_school),
    "org.release_membership": Endpoint(
        ("remove teacher from school",), About.PERSON, plus(the_teacher, **WHY), not_oneself=True
    ),
    "org.list_memberships": Endpoint(LISTING, About.UNIT, the_school),
    "org.list_teachers": Endpoint(LISTING, About.UNIT, the_place),
    # Also whoever once belonged there: the stay is the school's history.
    "org.list_periods": Endpoint(
        LISTING,
        About.PERSON,
        the_teacher,
        instead=either_end,
    ),
    "org.archive_teacher": Endpoint(ARCHIVING, About.PERSON, plus(the_teacher, status="RETIRED"), not_oneself=True),
    "org.archive_teachers": Endpoint(
        ARCHIVING, About.PERSON, plus(one, status="RETIRED"), not_oneself=True, missing=UNKNOWN_TEACHER
    ),
    "org.restore_teacher": Endpoint(ARCHIVING, About.PERSON, the_teacher, kind="archived", not_oneself=True),
    "org.restore_teachers": Endpoint(
        ARCHIVING, About.PERSON, one, kind="archived", not_oneself=True, missing=UNKNOWN_TEACHER
    ),
    "org.import_memberships": Endpoint(
        (*LOADING, *ADDING),
        About.UNIT,
        lambda ask: {"rows": [{"row": 2, "account_id": ask.world.unplaced, **ask.school}]},
        missing="org.school_unknown",
    ),
    "org.get_staff_counts": Endpoint(("see how many teachers there are",), About.UNIT, the_place),
    "org.list_staff_counts": Endpoint(("see how many teachers there are",), About.UNIT, the_place),
}

# --- org: transfers and holds ---------------------------------------------------------------------------------------------------

SPECIAL = ("clear special user (特殊用户)",)
APPROVING = (
    "approve transfer in one district",
    "approve transfer across districts",
    "approve transfer across cities",
    "approve transfer across provinces",
)


def decides(cast: Cast, target: Target) -> bool:
    """The level of the lowest place above both schools, and no other (S3:164)."""
    return cast.home == target.place


def learner(ask: Ask) -> dict[str, Any]:
    return {**ask.school, "learner_no": ask.world.learner_no}


TRANSFERS = {
    "org.preview_transfer": Endpoint(("request inbound transfer",), About.UNIT, learner),
    "org.request_transfer": Endpoint(("request inbound transfer",), About.UNIT, learner),
    "org.withdraw_transfer": Endpoint(
        ("request inbound transfer",), About.THING, the("transfer_id"), kind="asked", unsure="others asked for these"
    ),
    "org.approve_transfer": Endpoint(APPROVING, About.THING, the("transfer_id"), kind="transfer", where=decides),
    "org.reject_transfer": Endpoint(
        APPROVING, About.THING, plus(the("transfer_id"), **WHY), kind="transfer", where=decides
    ),
    "org.get_transfer": Endpoint(
        ("see transfers of a school or region",),
        About.THING,
        the("transfer_id"),
        kind="asked",
        instead=either_end,
    ),
    "org.list_transfers": Endpoint(("see transfers of a school or region",), About.UNIT, the_place),
    "org.list_transfers_to_decide": Endpoint(APPROVING, About.NOTHING, nothing),
    "org.list_own_transfers": own(),
    "org.place_hold": Endpoint(SPECIAL, About.PERSON, plus(the_teacher, kind="SPECIAL_USER", **WHY), kind="second"),
    "org.lift_hold": Endpoint(SPECIAL, About.THING, plus(the("hold_id"), evidence=["ID_DOCUMENT"], **WHY), kind="hold"),
    "org.lift_holds": Endpoint(
        SPECIAL,
        About.THING,
        lambda ask: {
            "hold_ids": [the("hold_id")(ask)["hold_id"]],
            "evidence": ["STAFF_ID", "STAMPED_APPLICATION"],
            "period": "2023上",
            "course": "公需课",
            **WHY,
        },
        kind="hold",
        missing="org.hold_unknown",
    ),
    "org.list_holds": Endpoint(("see special users",), About.UNIT, the_place),
    "org.list_own_holds": own(),
}

# --- identity ------------------------------------------------------------------------------------------------------------------

# Reviews, people found, merges, erasure, consents, passes.

REVIEWING = ("review corrected profiles", "re-open profile (重新更新)")
MERGING = ("merge the records of one person",)
UNKNOWN_PERSON = "identity.person_unknown"
NO_MERGE = frozenset({"identity.merge_unknown", UNKNOWN_PERSON, "shared.not_found"})


def reviewed(arguments: Arguments) -> Endpoint:
    return Endpoint(
        REVIEWING, About.PERSON, arguments, missing=UNKNOWN_PERSON, not_oneself=True, unsure="no profile waits here"
    )


def decisions(ask: Ask) -> dict[str, Any]:
    return {"decisions": [{"account_id": ask.target.subject, "round": 1}]}


def merge(**arguments: Any) -> Endpoint:
    return Endpoint(MERGING, About.NATION, always(**arguments), empty=NO_MERGE, unsure="nobody has two records")


def finds(cast: Cast, target: Target) -> bool:
    """The nation's desks also find who is at no school."""
    return cast.home == NATION or bool(target.place and covers(cast.home, target.place))


PERSONS = {
    "identity.submit_profile": own(unsure="nobody may correct a profile at this moment"),
    # Of a region's queue only administrators: its rows are looked at by the component's tests.
    "identity.list_profile_reviews": Endpoint(("review who administers a school",), About.UNIT, the_place),
    "identity.confirm_profiles": reviewed(decisions),
    "identity.return_profiles": reviewed(plus(decisions, **WHY)),
    "identity.reopen_profile": Endpoint(
        REVIEWING, About.PERSON, plus(the_account, **WHY), not_oneself=True, unsure="reviews are not asked for here"
    ),
    "identity.reveal_profile_review": Endpoint(
        ("see corrected profiles in clear",),
        About.PERSON,
        plus(the_account, **WHY),
        not_oneself=True,
        unsure="no profile waits here",
    ),
    "identity.search_people": Endpoint(
        ("look for people",),
        About.PERSON,
        lambda ask: {"learner_no": ask.world.learner_nos[ask.target.subject]},
        shows="items",
        instead=finds,
    ),
    "identity.disclose_people": Endpoint(
        ("export personal data",),
        About.PERSON,
        lambda ask: {"account_ids": [ask.target.subject], "job_id": NO_ONE, **WHY},
        shows="people",
    ),
    "identity.add_teacher": Endpoint(
        ("add teacher, issue learner no. (学号)",),
        About.NOTHING,
        always(**dataclasses.asdict(NEWCOMER), segment="小学"),
    ),
    "identity.ask_for_own_account": own(
        always(name="王芳", id_no="11010519491231002X"), empty=frozenset({UNKNOWN_PERSON})
    ),
    "identity.list_possible_duplicates": Endpoint(
        MERGING, About.PERSON, the_account, instead=lambda _cast, _target: True
    ),
    "identity.show_identity_history": Endpoint(
        MERGING, About.PERSON, plus(the_account, **WHY), instead=lambda _cast, _target: True
    ),
    "identity.propose_merge": merge(
        kept_id=NO_ONE,
        merged_id=str(new_id()),
        document_of="KEPT",
        id_type="RESIDENT_ID",
        id_no="11010519491231002X",
        proof="ORIGINAL",
        **WHY,
    ),
    "identity.approve_merge": merge(merge_id=NO_ONE, id_type="RESIDENT_ID", id_no="11010519491231002X"),
    "identity.reject_merge": merge(merge_id=NO_ONE, **WHY),
    "identity.withdraw_merge": merge(merge_id=NO_ONE, **WHY),
    "identity.undo_merge": merge(merge_id=NO_ONE, **WHY),
    "identity.list_merges": Endpoint(MERGING, About.NATION, nothing),
    "identity.get_merge": merge(merge_id=NO_ONE),
    "identity.request_erasure_code": own(),
    "identity.request_erasure": own(
        always(sms_code="000000"), empty=frozenset({"identity.sms_code_refused"}), unsure=NEEDS_A_CODE
    ),
    "identity.cancel_erasure": own(empty=frozenset({"identity.no_erasure"}), unsure="nobody asked to be erased"),
    "identity.get_erasure": own(),
    "identity.list_consent_texts": public(),
    "identity.record_consent": own(
        always(kind="PRIVACY", version="2020-01", given=True), unsure="an older text cannot be agreed to any more"
    ),
    "identity.list_consents": own(),
}

NO_ISSUER = frozenset({"identity.pass_issuer_unknown", "identity.pass_unavailable"})
PASSES = {
    "identity.list_pass_issuers": public(),
    "identity.start_pass_sign_in": entering(
        always(issuer="none", redirect_uri="https://localhost/"), empty=NO_ISSUER, unsure="no issuer is set up"
    ),
    "identity.complete_pass_sign_in": entering(
        always(state="x", client_key="x", code="x"), empty=frozenset({"identity.pass_state"}), unsure=NEEDS_A_CODE
    ),
    "identity.list_passes": own(),
    "identity.start_pass_binding": own(
        always(issuer="none", redirect_uri="https://localhost/"), empty=NO_ISSUER, unsure="no issuer is set up"
    ),
    "identity.complete_pass_binding": own(
        always(state="x", client_key="x", code="x"), empty=frozenset({"identity.pass_state"}), unsure=NEEDS_A_CODE
    ),
    "identity.unbind_pass": own(
        lambda _ask: {"pass_id": NO_ONE}, empty=frozenset({"identity.pass_unknown"}), unsure="nobody has a pass"
    ),
}

UNLOCKING = ("unlock account", "unlock administrators and teachers in 其他")
RESETTING = ("reset teacher password", "reset the password of administrators and teachers in 其他")


def with_code(arguments: Arguments, *empty: str) -> Endpoint:
    """What visitors do with a code or token that they were sent."""
    return entering(arguments, empty=frozenset(empty), unsure=NEEDS_A_CODE)


def own_code(arguments: Arguments, *empty: str) -> Endpoint:
    return own(arguments, empty=frozenset(empty), unsure=NEEDS_A_CODE)


ACCOUNTS = {
    "identity.issue_captcha": entering(nothing),
    "identity.request_sms_code": entering(
        always(phone=PHONE, purpose="REGISTER"), unsure="a code for registering needs a solved captcha"
    ),
    "identity.register_account": with_code(
        always(phone=PHONE, sms_code="000000", identity="TEACHER"), "identity.sms_code_refused"
    ),
    "identity.sign_in": with_code(always(phone=PHONE, sms_code="000000"), "identity.sign_in_refused"),
    "identity.refresh_session": with_code(always(refresh_token="x" * 43), "identity.sign_in_again"),
    "identity.recover_password": with_code(
        always(phone=PHONE, sms_code="000000", password="Matrix-2026-x"), "identity.sms_code_refused"
    ),
    "identity.list_development_messages": entering(always(phone=PHONE, limit=1)),
    "identity.sign_out": own(),
    "identity.get_account": own(),
    "identity.get_profile": own(),
    "identity.update_profile": Endpoint(
        (*OWN, "edit own unverified profile"), About.NOTHING, always(segment="初中", subject="数学")
    ),
    "identity.set_password": own_code(always(password="Matrix-2026-x", sms_code="000000"), "identity.sms_code_refused"),
    "identity.switch_identity": own(always(identity="TEACHER")),
    "identity.list_sign_ins": own(),
    "identity.end_own_sign_in": own(
        lambda ask: {"session_id": str(ask.cast.actor.session_id)}, empty=frozenset({"identity.sign_in_unknown"})
    ),
    "identity.end_other_sign_ins": own(),
    "identity.get_administrator": own(empty=frozenset({"identity.no_desk"})),
    "identity.choose_desk": own(always(desk="TEACHER")),
    "identity.request_step_up_code": own(),
    "identity.step_up": own_code(always(sms_code="000000"), "identity.sms_code_refused"),
    "identity.list_notices": own(),
    "identity.get_notice_language": own(),
    "identity.choose_notice_language": own(always(language="en")),
    "identity.unlock_account": Endpoint(
        UNLOCKING, About.PERSON, the_account, not_oneself=True, unsure="nobody is locked"
    ),
    "identity.reset_password": Endpoint(RESETTING, About.PERSON, the_account, not_oneself=True),
    "identity.import_people": Endpoint(
        (*LOADING, *ADDING),
        About.NOTHING,
        always(rows=[{"row": 2}]),
    ),
    "identity.list_people": Endpoint(
        (*LISTING, "see transfers of a school or region"),
        About.PERSON,
        lambda ask: {"account_ids": [ask.target.subject]},
        shows="people",
    ),
}

SUPPORT = ("decide phone tickets",)
UNKNOWN_TICKET = frozenset({"identity.ticket_unknown"})


def ticket(arguments: Arguments, **options: Any) -> Endpoint:
    """Support's desk: what it says of a ticket that does not exist; everybody else is refused before."""
    return Endpoint(SUPPORT, About.NOTHING, arguments, empty=UNKNOWN_TICKET, unsure="no ticket is open", **options)


def keyed(**more: Any) -> Endpoint:
    """What the key of a ticket opens, without an account."""
    return with_code(always(ticket_id=NO_ONE, ticket_key="x" * 43, **more), *UNKNOWN_TICKET)


def own_change(**more: Any) -> Endpoint:
    return own(
        always(change_id=NO_ONE, **more),
        empty=frozenset({"identity.phone_change_unknown"}),
        unsure="nobody is changing the phone",
    )


PHONES = {
    "identity.start_phone_change": own(),
    "identity.prove_old_phone": own_change(sms_code="000000"),
    "identity.name_new_phone": own_change(new_phone=PHONE),
    "identity.complete_phone_change": own_change(sms_code="000000"),
    "identity.get_own_phone_ticket": own(empty=UNKNOWN_TICKET, unsure="no ticket is open"),
    "identity.stop_own_phone_ticket": own(empty=UNKNOWN_TICKET, unsure="no ticket is open"),
    "identity.request_ticket_code": entering(always(new_phone=PHONE), unsure="it needs a solved captcha"),
    "identity.open_phone_ticket": with_code(
        always(name="王芳", id_no="11010519491231002X", old_phone="13900000000", new_phone=PHONE, sms_code="000000"),
        "identity.sms_code_refused",
    ),
    "identity.prepare_evidence": keyed(sha256="0" * 64, media_type="image/png", size=100),
    "identity.keep_evidence": keyed(evidence_id=NO_ONE, storage_key="evidence/x"),
    "identity.submit_phone_ticket": keyed(),
    "identity.get_phone_ticket": keyed(),
    "identity.withdraw_phone_ticket": keyed(),
    "identity.find_ticket_to_stop": with_code(always(token="x" * 43), *UNKNOWN_TICKET),
    "identity.stop_phone_ticket": with_code(always(token="x" * 43), *UNKNOWN_TICKET),
    "identity.list_phone_tickets": Endpoint(SUPPORT, About.NOTHING, nothing),
    "identity.claim_phone_ticket": ticket(always(ticket_id=NO_ONE)),
    "identity.put_back_phone_ticket": ticket(always(ticket_id=NO_ONE)),
    "identity.view_phone_ticket": ticket(always(ticket_id=NO_ONE)),
    "identity.view_evidence": ticket(always(ticket_id=NO_ONE, evidence_id=NO_ONE)),
    "identity.approve_phone_ticket": ticket(always(ticket_id=NO_ONE)),
    "identity.reject_phone_ticket": ticket(always(ticket_id=NO_ONE, reason="UNREADABLE")),
}

# Jobs belong to whoever opened them; what a kind may do is the kind's (`test_jobs`).
NO_JOB = frozenset({"shared.job_unknown"})


def own_job(**more: Any) -> Endpoint:
    return own(always(job_id=NO_ONE, **more), empty=NO_JOB, unsure=NEEDS_A_JOB)


FILE = {"file_id": NO_ONE, "pieces": ["x"], "sha256": "0" * 64, "size": 1}


def jobs_of(process: str, **particular: Endpoint) -> dict[str, Endpoint]:
    """The methods of every process type that runs jobs, and what is its own of them."""
    methods = {
        "list_job_kinds": own(),
        "list_jobs": own(),
        "attach_file": own_job(file=FILE),
        "get_job": own_job(),
        "list_job_rows": own_job(),
        "start_job": own_job(),
        "cancel_job": own_job(),
        "rerun_job": own_job(),
        "make_report": own_job(),
        "open_download": own_job(),
        "redeem_download": own_job(token="x" * 43),
        **particular,
    }
    return {f"{process}.{name}": endpoint for name, endpoint in methods.items()}


NO_KIND = frozenset({"shared.job_kind_unknown"})
ONLY_EXPORTS = "credits has no kind of job that takes rows"
JOBS = {
    **jobs_of(
        "org-bulk",
        open_job=Endpoint(LOADING, About.NOTHING, always(kind="import_schools", sha256="0" * 64)),
        submit_rows=Endpoint(
            VERIFYING,
            About.NOTHING,
            always(kind="verify_memberships", rows=[{"teacher_id": NO_ONE}]),
        ),
        request_export=Endpoint(EXPORTING, About.UNIT, plus(the_place, kind="export_teachers", **WHY)),
    ),
    **jobs_of(
        "credits-bulk",
        open_job=own(always(kind="import_hours", sha256="0" * 64), empty=NO_KIND, unsure=ONLY_EXPORTS),
        submit_rows=own(always(kind="import_hours", rows=[{"x": "1"}]), empty=NO_KIND, unsure=ONLY_EXPORTS),
        request_export=Endpoint(EXPORTING, About.UNIT, plus(the_place, kind="export_declarations", **WHY)),
    ),
}

ENDPOINTS: dict[str, Endpoint] = {
    **SEARCH,
    **CATALOG,
    **LEARNING,
    **CREDITS,
    **CERTS,
    **UNITS,
    **DELEGATION,
    **STAFFING,
    **TRANSFERS,
    **ACCOUNTS,
    **PHONES,
    **PERSONS,
    **PASSES,
    **JOBS,
}

# Reached by services and the command line only; who exactly is written beside each.
SNAPSHOTS = {
    "identity": ("learning", "org", "certs", "cli"),
    "org": ("identity", "learning", "credits", "certs", "cli"),
    "catalog": ("learning", "credits", "certs", "cli"),
    "learning": ("credits", "cli"),
    "credits": ("certs", "cli"),
}
INTERNAL: dict[str, tuple[str, ...]] = {
    **{f"{owner}.{name}": callers for owner, callers in SNAPSHOTS.items() for name in ("read_snapshot", "get_digest")},
    "identity.check_enrolment_facts": ("learning",),
    "identity.find_known_people": ("org", "cli"),
    "identity.get_holders": ("certs",),
    "identity.list_revocations": ("gateway",),
    "org.get_placement_facts": ("learning",),
    "org.get_placement_at": ("learning", "credits", "certs"),
    "org.bootstrap_grant": ("cli",),
    "org.list_operators": ("cli",),
    "org.revoke_operator": ("cli",),
    "org.import_divisions": ("cli",),
    "org.reconcile_activation": ("cli",),
    "org.reconcile_staff_counts": ("cli",),
    "learning.reconcile_study": ("cli",),
    "credits.reconcile_ledger": ("cli",),
    "credits.reconcile_statistics": ("cli",),
    "credits.rehearse_pack": ("cli",),
}

# Capabilities whose endpoints are looked at by other tests of this folder.
TAKEN_UP_ELSEWHERE = {
    "create specialised admin, next-lower super",  # test_delegation
    "grant principal",  # the same
    "edit own verified profile",  # "via release": the profile's own tests
    "between services only",  # INTERNAL
}
ELSEWHERE = {
    "org.grant_role": "decided by role and place together: test_delegation",
    "org.revoke_grant": "the same",
    "org.propose_grant": "the same",
    "org.approve_grant": "the same",
    "org.reject_proposal": "the same",
    "org.withdraw_proposal": "the same",
    "org.approve_authority_code": "the same",
}
