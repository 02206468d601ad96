"""Every method that a person can reach: the rows of the table that give it, what it is about, and how it is called here."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from services.catalog import season_file
from services.catalog.rules import stable_id
from services.shared import clock
from services.shared.actor import covers
from services.shared.ids import new_id
from tests.component.org.conftest import new_school
from tests.matrix.capabilities import CAPABILITIES, Column, Scope
from tests.matrix.reach import About, Arguments, Ask, Endpoint, Target
from tests.matrix.world import (
    COMING_MATERIAL,
    COUNTY,
    DECLARED,
    DIVISION_OF,
    FOREIGN,
    MATERIAL,
    NATION,
    QUESTION,
    SERIES,
    Cast,
    GrantState,
    Where,
    course_of,
    period_at,
    project_of,
    question_bank,
)
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
    for service in ("identity", "org", "catalog", "learning", "billing", "credits", "certs")
}


def programme(ask: Ask) -> dict[str, Any]:
    return {"programme_id": ask.world.programme_id}


DEFINING = ("define rule pack / season",)
COURSES = ("keep the courses of a city, district or institution",)
PERIODS = ("keep a city's periods", "keep a district's periods")


def at_home(cast: Cast, target: Target) -> bool:
    """A city centre opens its city's periods and keeps its courses; no district's below it."""
    return cast.home == target.place


def own_course(ask: Ask) -> dict[str, Any]:
    return course_of(ask.world.spots[Where.OWN])


def course(**more: Any) -> Endpoint:
    return Endpoint(COURSES, About.THING, plus(the("course_id"), **more), kind="course")


def period(kind: str = "period", **more: Any) -> Endpoint:
    return Endpoint(PERIODS, About.THING, plus(the("period_id"), **more), kind=kind, instead=at_home)


def offering(**more: Any) -> Endpoint:
    arguments = plus(the("offering_id"), **more)
    return Endpoint(PERIODS, About.THING, arguments, kind="offering of period", instead=at_home)


SEEN = {"version": 1}
REVISED = {name: value for name, value in period_at("").items() if name != "place"}

KEEPING_COURSES = {
    "catalog.create_course": Endpoint(
        COURSES, About.REGION, lambda ask: {**the_place(ask), **own_course(ask)}, instead=at_home
    ),
    "catalog.change_course": Endpoint(
        COURSES,
        About.THING,
        lambda ask: {**the("course_id")(ask), **(course_of(ask.target.spot) if ask.target.spot else {}), **SEEN},
        kind="course",
    ),
    "catalog.withdraw_course": course(**SEEN, **WHY),
    "catalog.get_course": course(),
    "catalog.list_course_versions": course(),
    "catalog.list_courses": Endpoint(COURSES, About.UNIT, the_place),
    "catalog.plan_period": Endpoint(
        PERIODS, About.REGION, lambda ask: {**period_at(""), **the_place(ask)}, instead=at_home
    ),
    "catalog.revise_period": period(**SEEN, **REVISED),
    "catalog.publish_period": period(**SEEN),
    "catalog.begin_teaching": period("billed", **SEEN),
    "catalog.finish_grading": period("teaching", **SEEN),
    "catalog.archive_period": period("graded", **SEEN),
    "catalog.add_offerings": Endpoint(
        PERIODS,
        About.THING,
        lambda ask: {**the("period_id")(ask), "offerings": [{"course_id": ask.thing("course to offer")}]},
        kind="period",
        instead=at_home,
    ),
    "catalog.change_offering": offering(**SEEN, capacity=5, audience={}),
    "catalog.withdraw_offering": offering(**SEEN, **WHY),
    "catalog.list_offering_versions": offering(),
    "catalog.get_kept_period": period(),
    "catalog.list_kept_offerings": period(),
    "catalog.list_kept_periods": Endpoint(PERIODS, About.REGION, the_place),
    "catalog.list_course_periods": public(always(place=COUNTY)),
    "catalog.get_course_period": public(lambda ask: {"period_id": ask.world.spots[Where.OWN].things["shown"]}),
}

NOBODY_PASSED = "nobody has passed a course here"


def on_shelf(ask: Ask) -> dict[str, Any]:
    """Of the city's published period."""
    return {"offering_id": ask.world.spots[Where.OWN].things["offering of shown"]}


SHELF = {
    "catalog.list_offerings": public(always(place=COUNTY)),
    "catalog.list_series": public(always(place=COUNTY)),
    "catalog.get_offering": public(on_shelf),
    "catalog.recommend_offerings": studying(nothing),
    "catalog.get_own_rating": studying(on_shelf),
    "catalog.rate_offering": studying(plus(on_shelf, stars=5), "catalog.not_passed", unsure=NOBODY_PASSED),
}

STUDY_OFFER = {
    "kind": "DEGREE",
    "title": "教育硕士",
    "institution": "某师范大学",
    "applies_from": "2020-01-01T00:00:00+08:00",
    "applies_until": "2050-01-01T00:00:00+08:00",
}


def study_offer(**more: Any) -> Endpoint:
    return Endpoint(COURSES, About.THING, plus(the("offer_id"), **more), kind="study offer")


def application(**more: Any) -> Endpoint:
    return Endpoint(COURSES, About.THING, plus(the("application_id"), **more), kind="application")


FURTHER_STUDY = {
    "catalog.create_study_offer": Endpoint(
        COURSES, About.REGION, lambda ask: {**the_place(ask), **STUDY_OFFER}, instead=at_home
    ),
    "catalog.change_study_offer": study_offer(**STUDY_OFFER, **SEEN),
    "catalog.withdraw_study_offer": study_offer(**SEEN, **WHY),
    "catalog.list_kept_study_offers": Endpoint(COURSES, About.UNIT, the_place),
    "catalog.list_study_offers": public(always(place=COUNTY)),
    "catalog.get_study_offer": public(lambda ask: {"offer_id": ask.world.spots[Where.OWN].things["study offer"]}),
    "catalog.apply_for_study": studying(
        lambda ask: {"offer_id": ask.world.spots[Where.OWN].things["study offer"]}, "catalog.offer_unknown"
    ),
    "catalog.take_back_study_application": studying(
        always(application_id=NO_ONE), "catalog.application_unknown", unsure="the cast has applied for nothing"
    ),
    "catalog.list_own_study_applications": studying(nothing),
    "catalog.list_study_applications": study_offer(),
    "catalog.accept_study_application": application(),
    "catalog.reject_study_application": application(**WHY),
}


def kept_project(**more: Any) -> Endpoint:
    return Endpoint(COURSES, About.THING, plus(the("project_id"), **more), kind="kept project")


def project_content(ask: Ask) -> dict[str, Any]:
    return project_of(ask.target.spot or ask.world.spots[Where.OWN])


PROJECTS = {
    "catalog.create_training_project": Endpoint(
        COURSES, About.REGION, lambda ask: {**the_place(ask), **project_content(ask)}, instead=at_home
    ),
    "catalog.change_training_project": Endpoint(
        COURSES,
        About.THING,
        lambda ask: {**the("project_id")(ask), **project_content(ask), "title": "名师专项培训", **SEEN},
        kind="kept project",
    ),
    "catalog.publish_training_project": kept_project(**SEEN),
    "catalog.withdraw_training_project": kept_project(**SEEN, **WHY),
    "catalog.get_kept_training_project": kept_project(),
    "catalog.list_kept_training_projects": Endpoint(COURSES, About.UNIT, the_place),
    "catalog.list_training_projects": public(always(place=COUNTY)),
    "catalog.get_training_project": public(
        lambda ask: {"project_id": ask.world.spots[Where.OWN].things["shown project"]}
    ),
}

CATALOG = {
    **KEEPING_COURSES,
    **FURTHER_STUDY,
    **PROJECTS,
    **SHELF,
    "catalog.list_programmes": public(),
    "catalog.get_programme": public(programme),
    # A season of the nation; packs of provinces and cities come later.
    "catalog.publish_programme": Endpoint(
        ("define rule pack / season",), About.NATION, lambda _ask: season_file.read_shipped_season("2023-winter")
    ),
    # Banks are kept by whoever may define a programme there.
    "catalog.import_question_bank": Endpoint(
        DEFINING,
        About.REGION,
        lambda ask: question_bank(f"region-{ask.target.place.lower().replace('/', '-')}", ask.target.place),
    ),
    "catalog.list_question_banks": Endpoint(DEFINING, About.REGION, the_place),
    "catalog.get_question_bank": Endpoint(DEFINING, About.THING, the("bank_id"), kind="bank"),
    "catalog.publish_question_bank": Endpoint(DEFINING, About.THING, the("bank_id"), kind="bank"),
}

COURSE = str(stable_id("2023-winter", "party20"))


def in_course(**more: Any) -> Arguments:
    return always(course_id=COURSE, **more)


def tutoring(arguments: Arguments, **options: Any) -> Endpoint:
    """For whoever organises the programme: here the nation."""
    return Endpoint(DEFINING, About.NATION, arguments, **options)


def in_class(arguments: Arguments, *empty: str) -> Endpoint:
    """Whoever is enrolled: nobody is, the season is over."""
    return studying(arguments, "learning.course_unknown", *empty, unsure="nobody has enrolled")


def shared_room(arguments: Arguments) -> Endpoint:
    """Whoever is enrolled, and the tutor."""
    return Endpoint((*DEFINING, *STUDYING), About.NATION, arguments)


WRITTEN = {"text": "怎样设计分层作业？"}
STUDY_TOOLS = {
    "learning.add_bookmark": in_class(always(activity_id=NO_ONE, at_seconds=1), "learning.activity_unknown"),
    "learning.list_bookmarks": in_class(in_course()),
    "learning.remove_bookmark": in_class(always(bookmark_id=NO_ONE), "learning.bookmark_unknown"),
    "learning.write_note": in_class(in_course(**WRITTEN)),
    "learning.edit_note": in_class(always(text_id=NO_ONE, shared=True, **WRITTEN), "learning.text_unknown"),
    "learning.delete_note": in_class(always(text_id=NO_ONE), "learning.text_unknown"),
    "learning.list_notes": shared_room(in_course(whose="SHARED")),
    "learning.ask_tutor": in_class(in_course(**WRITTEN)),
    "learning.list_course_questions": shared_room(in_course(which="UNANSWERED")),
    "learning.get_course_question": shared_room(always(text_id=QUESTION)),
    "learning.answer_course_question": shared_room(always(text_id=QUESTION, **WRITTEN)),
    "learning.publish_course_notice": tutoring(in_course(title="通知", **WRITTEN)),
    "learning.list_course_notices": shared_room(in_course()),
    "learning.read_course_notice": in_class(always(text_id=NO_ONE), "learning.text_unknown"),
    "learning.report_course_text": in_class(always(text_id=NO_ONE, **WHY), "learning.text_unknown"),
    "learning.list_reported_texts": tutoring(in_course()),
    "learning.hide_course_text": tutoring(always(text_id=QUESTION, hidden=True, **WHY)),
    "learning.prepare_course_material": tutoring(
        in_course(title="课件", sha256="0" * 64, media_type="application/pdf", size=1)
    ),
    "learning.keep_course_material": tutoring(
        in_course(material_id=COMING_MATERIAL, storage_key="materials/aa/" + "0" * 30)
    ),
    "learning.list_course_materials": shared_room(in_course()),
    "learning.view_course_material": shared_room(in_course(material_id=MATERIAL)),
    "learning.remove_course_material": tutoring(in_course(material_id=MATERIAL)),
    "learning.search_course": shared_room(in_course(words="分层")),
}

LEARNING = {
    "learning.enrol": Endpoint(TEACHING, About.NOTHING, programme, unsure="the season is over"),
    "learning.list_enrolments": studying(nothing),
    "learning.get_progress": studying(programme, "learning.not_enrolled", unsure="nobody has enrolled"),
    "learning.tell_progress": studying(programme),
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
    **STUDY_TOOLS,
    "learning.list_exams": studying(programme, "learning.not_enrolled", unsure="nobody has enrolled"),
    "learning.start_exam_attempt": teaching(
        always(exam_id=NO_ONE, client_id="matrix-1"), "learning.exam_unknown", unsure="no exam is open today"
    ),
    "learning.list_exam_attempts": studying(always(exam_id=NO_ONE), "learning.exam_unknown", unsure="no exam here"),
    "learning.get_exam_attempt": studying(
        always(attempt_id=NO_ONE), "learning.attempt_unknown", unsure="nobody sits an exam here"
    ),
    "learning.save_exam_answers": studying(
        always(attempt_id=NO_ONE, fence=1, answers=[{"question_id": NO_ONE, "given": []}]),
        "learning.attempt_unknown",
        unsure="nobody sits an exam here",
    ),
    "learning.submit_exam_attempt": studying(
        always(attempt_id=NO_ONE, fence=1), "learning.attempt_unknown", unsure="nobody sits an exam here"
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


def own_or_of_the_school(cast: Cast, target: Target) -> bool:
    """The choice belongs to the spot's verified teacher."""
    mine = target.spot is not None and str(cast.actor.account_id) == target.spot.people["verified"]
    at_school = cast.column is Column.SCHOOL_ADMIN and cast.state is GrantState.ACTIVE
    return mine or (at_school and cast.home == target.place)


def own_or_of_viewers(cast: Cast, target: Target) -> bool:
    mine = target.spot is not None and str(cast.actor.account_id) == target.spot.people["verified"]
    seen = cast.state is GrantState.ACTIVE and CAPABILITIES["see who chose what"][cast.column].scope is not Scope.NONE
    return mine or (seen and covers(cast.home, target.place))


def of_the_institution(cast: Cast, target: Target) -> bool:
    """A district's course: of its institution alone, and of nobody above it."""
    return cast.column is Column.DISTRICT_INSTITUTION and cast.state is GrantState.ACTIVE and cast.home == target.place


def offered(ask: Ask) -> dict[str, Any]:
    return {"offering_id": ask.world.spots[Where.OWN].things["offered"]}


STATISTICS = ("training statistics",)
CHOICES = ("see who chose what",)
NO_OFFERING = "learning.offering_unknown"
SELECTION = {
    "learning.get_basket": studying(nothing),
    "learning.put_in_basket": teaching(offered, NO_OFFERING),
    "learning.take_from_basket": teaching(offered),
    "learning.submit_basket": teaching(
        lambda ask: {"offering_ids": [offered(ask)["offering_id"]]}, unsure="the basket is empty"
    ),
    "learning.choose_course": teaching(offered, NO_OFFERING),
    "learning.choose_course_for": Endpoint(
        ("choose courses for others",), About.PERSON, lambda ask: {**ask.teacher, **offered(ask)}
    ),
    "learning.cancel_choice": Endpoint(
        ("cancel own choice inside window",),
        About.THING,
        the("choice_id"),
        kind="choice",
        instead=own_or_of_the_school,
    ),
    "learning.void_choice": Endpoint(
        ("cancel choice after window",),
        About.THING,
        plus(the("choice_id"), **WHY),
        kind="choice of the district",
        instead=of_the_institution,
    ),
    "learning.grade_choices": Endpoint(
        ("enter grades of a period's courses",),
        About.THING,
        lambda ask: {"grades": [{**the("choice_id")(ask), "passed": True}]},
        kind="admitted to the district's",
        instead=of_the_institution,
    ),
    "learning.get_grade_history": Endpoint(
        (*CHOICES, *STUDYING), About.THING, the("choice_id"), kind="choice", instead=own_or_of_viewers
    ),
    "learning.list_own_choices": studying(nothing),
    "learning.list_seats": own(always(period_id=NO_ONE)),
    "learning.list_choices": Endpoint(CHOICES, About.UNIT, the_place),
    "learning.list_choice_statistics": Endpoint(STATISTICS, About.UNIT, plus(the_place, period_id=NO_ONE)),
    "learning.list_choice_statistics_below": Endpoint(STATISTICS, About.UNIT, plus(the_place, period_id=NO_ONE)),
}
APPLYING, REVIEWING = ("apply for special training (专项培训)",), ("review special-training applicant",)
HOLDING, ENTERING_HOURS = ("hold the class of a special-training project",), ("enter special-training hours",)


def own_training(cast: Cast, target: Target) -> bool:
    """The application is the spot's verified teacher's."""
    return target.spot is not None and str(cast.actor.account_id) == target.spot.people["verified"]


def of_the_principal(cast: Cast, target: Target) -> bool:
    """An application waits for the principal of the teacher's school."""
    return cast.column is Column.PRINCIPAL and cast.state is GrantState.ACTIVE and cast.home == target.place


def of_the_holder(cast: Cast, target: Target) -> bool:
    """A project is held by the institution at the spot: its alone, and nobody's above it."""
    holds = cast.column is Column.TRAINING_INSTITUTION and cast.state is GrantState.ACTIVE
    return holds and cast.home == target.place


def own_or_of_reviewers(cast: Cast, target: Target) -> bool:
    """Its teacher, its principal, its district, its institution."""
    district = cast.column in (Column.COUNTY_ADMIN, Column.DISTRICT_INSTITUTION) and cast.state is GrantState.ACTIVE
    near = own_training(cast, target) or of_the_principal(cast, target) or of_the_holder(cast, target)
    return near or (district and covers(cast.home, target.place))


def to_review(**more: Any) -> Endpoint:
    arguments = plus(the("application_id"), stage="SCHOOL_REVIEW", **more)
    return Endpoint(REVIEWING, About.THING, arguments, kind="training to review", instead=of_the_principal)


def class_of(rights: tuple[str, ...] = HOLDING, kind: str = "class of project", **more: Any) -> Endpoint:
    return Endpoint(rights, About.THING, plus(the("project_id"), **more), kind=kind, instead=of_the_holder)


def class_session(kind: str = "session of project", **more: Any) -> Endpoint:
    return Endpoint(HOLDING, About.THING, plus(the("session_id"), **more), kind=kind, instead=of_the_holder)


def lesson(ask: Ask) -> dict[str, Any]:
    now = clock.now()
    times = {"starts_at": (now - dt.timedelta(days=1)).isoformat(), "ends_at": now.isoformat()}
    return {**the("project_id")(ask), "sessions": [{"title": "第二讲", **times}]}


SPECIAL_TRAINING = {
    "learning.list_suitable_projects": Endpoint(APPLYING, About.NOTHING, nothing),
    "learning.apply_for_training": Endpoint(
        APPLYING,
        About.NOTHING,
        lambda ask: {"project_id": ask.world.spots[Where.OWN].things["class of project"]},
        empty=frozenset({"learning.project_unknown", "learning.application_needs_school"}),
    ),
    "learning.take_back_training_application": studying(
        always(application_id=NO_ONE), "learning.application_unknown", unsure="the cast has applied for nothing"
    ),
    "learning.list_own_trainings": studying(nothing),
    "learning.get_training": Endpoint(
        (*APPLYING, *REVIEWING),
        About.THING,
        the("application_id"),
        kind="training to review",
        instead=own_or_of_reviewers,
    ),
    "learning.check_in": Endpoint(
        APPLYING,
        About.NOTHING,
        always(session_id=NO_ONE, code="000000"),
        empty=frozenset({"learning.class_session_unknown"}),
        unsure="the cast is in no class",
    ),
    "learning.list_training_applications": Endpoint(REVIEWING, About.UNIT, the_place),
    "learning.pass_training_application": to_review(),
    "learning.reject_training_application": to_review(**WHY),
    "learning.list_project_applications": class_of(REVIEWING),
    "learning.get_training_class": class_of(),
    "learning.publish_class_notice": class_of(title="开班通知", text="请按时参加。"),
    "learning.add_class_sessions": Endpoint(
        HOLDING, About.THING, lesson, kind="class of project", instead=of_the_holder
    ),
    "learning.remove_class_session": class_session(),
    "learning.get_check_in_code": class_session(),
    "learning.check_in_by_hand": Endpoint(
        HOLDING,
        About.THING,
        lambda ask: {
            **the("session_id")(ask),
            "application_ids": [ask.thing("training to grade")],
            "reason": "没有手机",
        },
        kind="session of training to grade",
        instead=of_the_holder,
    ),
    "learning.grade_trainings": Endpoint(
        ENTERING_HOURS,
        About.THING,
        lambda ask: {"results": [{**the("application_id")(ask), "passed": True}]},
        kind="training to grade",
        instead=of_the_holder,
    ),
}
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


def converting(kind: str) -> Endpoint:
    """About an amount of a teacher's that was earned in another unit."""
    return Endpoint(
        FINAL, About.THING, lambda ask: {"teacher_id": ask.thing(kind), "source_ref": FOREIGN, **WHY}, kind=kind
    )


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
    "credits.list_teacher_statistics": Endpoint(STATISTICS, About.UNIT, plus(the_place, programme_id=NO_ONE)),
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
    "credits.list_held_grades": Endpoint(FINAL, About.UNIT, the_place),
    "credits.list_handovers": Endpoint(FINAL, About.UNIT, the_place),
    "credits.settle_handovers": Endpoint(FINAL, About.UNIT, the_place),
    # Whoever finally recognises declared hours recognises converted ones (§2.4, §3.16).
    "credits.list_conversions": Endpoint(
        (*FINAL, *STUDYING),
        About.PERSON,
        plus(the_teacher, year=2026),
        blind=frozenset({"credits.no_scheme"}),
    ),
    "credits.convert_amount": converting("foreign"),
    "credits.undo_conversion": converting("converted"),
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
REGISTERING = ("register completion certificates",)
COMPLETED = {
    "institution": "某市教师培训中心",
    "issued_number": "2025-0012",
    "title_zh": "骨干教师提升培训",
    "started_on": "2025-07-01",
    "ended_on": "2025-07-10",
    "issued_on": "2025-07-12",
    "hours": "40.00",
}
CERTS = {
    "certs.list_corrections": correcting(nothing),
    "certs.propose_correction": correcting(always(act="REVOKE", certificate_ids=[NO_ONE], **WHY), **NO_CORRECTION),
    "certs.get_correction": correcting(always(correction_id=NO_ONE), **NO_CORRECTION),
    "certs.approve_correction": correcting(always(correction_id=NO_ONE), **NO_CORRECTION),
    "certs.reject_correction": correcting(always(correction_id=NO_ONE, **WHY), **NO_CORRECTION),
    "certs.withdraw_correction": correcting(always(correction_id=NO_ONE), **NO_CORRECTION),
    "certs.list_certificates": studying(nothing),
    "certs.list_issued_certificates": Endpoint(("list the teachers of a school or region",), About.UNIT, the_place),
    "certs.get_certificate_statistics": Endpoint(STATISTICS, About.UNIT, the_place),
    "certs.list_certificate_statistics_below": Endpoint(STATISTICS, About.UNIT, the_place),
    "certs.get_standing": studying(programme, "certs.standing_unknown", "shared.not_found"),
    "certs.verify_certificate": public(
        always(number="YX-2023W-000000000000-0"),
        empty=frozenset({"certs.number_malformed"}),
        unsure=NEEDS_A_CERTIFICATE,
    ),
    "certs.verify_certificates": public(always(numbers=["YX-2023W-000000000000-0"])),
    "certs.list_certificate_keys": public(),
    "certs.get_credential": public(
        always(number="YX-2023W-000000000000-0", edition=1),
        empty=frozenset({"certs.number_malformed"}),
        unsure=NEEDS_A_CERTIFICATE,
    ),
    "certs.get_status_list": public(
        always(list_number=0), empty=frozenset({"certs.status_list_unknown"}), unsure=NEEDS_A_CERTIFICATE
    ),
    "certs.get_did_document": public(),
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
    "certs.share_certificate": studying(
        always(certificate_id=NO_ONE, days=7), *NO_CERTIFICATE, unsure=NEEDS_A_CERTIFICATE
    ),
    "certs.list_shares": studying(always(certificate_id=NO_ONE), *NO_CERTIFICATE, unsure=NEEDS_A_CERTIFICATE),
    "certs.revoke_share": studying(always(share_id=NO_ONE), "certs.share_unknown", unsure=NEEDS_A_CERTIFICATE),
    "certs.open_share": public(always(token="x"), empty=frozenset({"certs.share_unknown"}), unsure=NEEDS_A_CERTIFICATE),
    "certs-render.render_shared": public(
        always(token="x"), empty=frozenset({"certs.share_unknown"}), unsure=NEEDS_A_CERTIFICATE
    ),
    "certs.request_study_proof": studying(
        programme, "certs.programme_not_found", unsure="nothing was recognised of the cast's study"
    ),
    "certs.request_credit_certificate": studying(
        always(year=2026), "credits.year_open", "credits.no_scheme", unsure="no year is frozen here"
    ),
    "certs.register_completion": Endpoint(REGISTERING, About.PERSON, plus(the_teacher, **COMPLETED)),
    "certs.list_registrations": Endpoint(REGISTERING, About.NOTHING, nothing),
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

# --- org: transfers ---------------------------------------------------------------------------------------------------

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
}

# --- billing --------------------------------------------------------------------------------------------------------------------

BILLS = ("view bills, print payment notice",)
BOOKS = ("register payments and set special users of a city", "register payments of a district")
BANK_ROW = {"bill_no": "202300000018", "amount": "50.00", "receipt_no": "M-0002", "paid_on": "2023-01-05"}
PAID = {"amount": "50.00", "receipt_no": "M-0001", "paid_on": "2023-01-05"}


def billed_choice(ask: Ask) -> str:
    return ask.target.spot.things["billed choice"] if ask.target.spot else NO_ONE


def overdue_teacher(ask: Ask) -> str:
    return ask.target.spot.people["second"] if ask.target.spot else NO_ONE


def stray_payment(ask: Ask) -> str:
    return ask.target.spot.things["stray payment"] if ask.target.spot else NO_ONE


BILLING = {
    "billing.place_hold": Endpoint(SPECIAL, About.PERSON, plus(the_teacher, kind="SPECIAL_USER", **WHY), kind="second"),
    "billing.lift_hold": Endpoint(
        SPECIAL, About.THING, plus(the("hold_id"), evidence=["ID_DOCUMENT"], **WHY), kind="hold"
    ),
    "billing.lift_holds": Endpoint(
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
        missing="billing.hold_unknown",
    ),
    "billing.list_holds": Endpoint(("see special users",), About.UNIT, the_place),
    "billing.list_own_holds": own(),
    "billing.list_bills": Endpoint(BILLS, About.UNIT, the_place),
    "billing.list_bill_lines": Endpoint(BILLS, About.UNIT, the_place),
    "billing.list_payments": Endpoint(BILLS, About.UNIT, the_place),
    "billing.get_bill": Endpoint(BILLS, About.THING, the("bill_id"), kind="bill"),
    "billing.print_notice": Endpoint(BILLS, About.THING, the("bill_id"), kind="bill"),
    "billing.get_declaration_form": Endpoint(BILLS, About.THING, the("bill_id"), kind="bill"),
    "billing.register_payment": Endpoint(BOOKS, About.THING, plus(the("bill_id"), **PAID), kind="kept bill"),
    "billing.register_refund": Endpoint(BOOKS, About.THING, plus(the("bill_id"), **PAID, **WHY), kind="kept bill"),
    "billing.settle_lines": Endpoint(
        BOOKS, About.THING, lambda ask: {**the("bill_id")(ask), "choice_ids": [billed_choice(ask)]}, kind="kept bill"
    ),
    "billing.assign_payment": Endpoint(
        BOOKS, About.THING, lambda ask: {**the("bill_id")(ask), "payment_id": stray_payment(ask)}, kind="kept bill"
    ),
    "billing.list_overdue": Endpoint(BOOKS[:1], About.UNIT, the_place),
    "billing.confirm_special_users": Endpoint(
        BOOKS[:1],
        About.THING,
        lambda ask: {**the("period_id")(ask), "teacher_ids": [overdue_teacher(ask)]},
        kind="kept period",
        missing="billing.period_unknown",
    ),
    "billing.list_own_orders": own(),
    "billing.get_own_dues": own(),
    # As the desk that shows the number.
    "billing.count_special_users": Endpoint(VERIFYING, About.UNIT, the_place),
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
    "identity.request_email_code": own(unsure="nobody has an e-mail address here"),
    "identity.confirm_email": own(
        always(code="000000"), empty=frozenset({"identity.email_code_refused"}), unsure=NEEDS_A_CODE
    ),
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
    "identity.prepare_evidence": keyed(sha256="0" * 64, media_type="image/png", size=100, consent_version="2022-12-01"),
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


COURSE_ROW = {
    "course_no": "ZY1",
    "title": "教育心理学",
    "hour_type": "PROFESSIONAL",
    "course_type": "REMOTE",
    "hours": "18",
    "applicant": "某学院",
    "charging": "某学院",
}
NO_KIND = frozenset({"shared.job_kind_unknown"})
ONLY_EXPORTS = "the service has no kind of job that takes rows"
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
        "billing-bulk",
        open_job=Endpoint(BOOKS, About.NOTHING, always(kind="import_payments", sha256="0" * 64)),
        submit_rows=Endpoint(BOOKS, About.NOTHING, always(kind="import_payments", rows=[BANK_ROW])),
        request_export=Endpoint(EXPORTING, About.UNIT, plus(the_place, kind="export_bill_lines", **WHY)),
    ),
    **jobs_of(
        "catalog-bulk",
        open_job=Endpoint(COURSES, About.NOTHING, always(kind="import_courses", sha256="0" * 64)),
        submit_rows=Endpoint(COURSES, About.NOTHING, lambda ask: {"kind": "import_courses", "rows": [COURSE_ROW]}),
        request_export=own(
            always(kind="export_courses", place=COUNTY, **WHY), empty=NO_KIND, unsure="the catalogue exports nothing"
        ),
    ),
    **jobs_of(
        "learning-bulk",
        open_job=Endpoint(
            ("choose courses for others",), About.NOTHING, always(kind="choose_courses", sha256="0" * 64)
        ),
        submit_rows=Endpoint(
            ("choose courses for others",),
            About.NOTHING,
            always(kind="choose_courses", rows=[{"teacher_id": NO_ONE, "offering_id": NO_ONE}]),
        ),
        request_export=Endpoint(
            EXPORTING, About.UNIT, plus(the_place, kind="export_choices", filters={"period_id": NO_ONE}, **WHY)
        ),
    ),
    **jobs_of(
        "credits-bulk",
        open_job=own(always(kind="import_hours", sha256="0" * 64), empty=NO_KIND, unsure=ONLY_EXPORTS),
        submit_rows=own(always(kind="import_hours", rows=[{"x": "1"}]), empty=NO_KIND, unsure=ONLY_EXPORTS),
        request_export=Endpoint(EXPORTING, About.UNIT, plus(the_place, kind="export_declarations", **WHY)),
    ),
    **jobs_of(
        "certs-bulk",
        open_job=own(always(kind="import_hours", sha256="0" * 64), empty=NO_KIND, unsure=ONLY_EXPORTS),
        submit_rows=own(always(kind="import_hours", rows=[{"x": "1"}]), empty=NO_KIND, unsure=ONLY_EXPORTS),
        request_export=Endpoint(EXPORTING, About.UNIT, plus(the_place, kind="export_certificates", **WHY)),
    ),
}

ENDPOINTS: dict[str, Endpoint] = {
    **SEARCH,
    **CATALOG,
    **LEARNING,
    **SELECTION,
    **SPECIAL_TRAINING,
    **CREDITS,
    **CERTS,
    **UNITS,
    **DELEGATION,
    **STAFFING,
    **TRANSFERS,
    **BILLING,
    **ACCOUNTS,
    **PHONES,
    **PERSONS,
    **PASSES,
    **JOBS,
}

# Reached by services and the command line only; who exactly is written beside each.
SNAPSHOTS = {
    "identity": ("catalog", "learning", "org", "billing", "certs", "cli"),
    "org": ("identity", "catalog", "learning", "billing", "credits", "certs", "cli"),
    "catalog": ("learning", "billing", "credits", "certs", "cli"),
    "learning": ("catalog", "credits", "billing", "cli"),
    "billing": ("learning", "catalog", "cli"),
    "credits": ("certs", "cli"),
}
INTERNAL: dict[str, tuple[str, ...]] = {
    **{f"{owner}.{name}": callers for owner, callers in SNAPSHOTS.items() for name in ("read_snapshot", "get_digest")},
    "identity.check_enrolment_facts": ("learning",),
    "identity.find_known_people": ("org", "cli"),
    "identity.get_holders": ("certs",),
    "identity.list_revocations": ("gateway",),
    "certs-render.render_document": ("gateway",),
    "org.get_placement_facts": ("learning",),
    "org.get_placement_at": ("learning", "credits", "certs"),
    "org.bootstrap_grant": ("cli",),
    "org.list_operators": ("cli",),
    "org.revoke_operator": ("cli",),
    "org.import_divisions": ("cli",),
    "org.reconcile_activation": ("cli",),
    "org.reconcile_staff_counts": ("cli",),
    "learning.reconcile_study": ("cli",),
    "learning.reconcile_choices": ("cli",),
    "billing.find_holds": ("org", "learning"),
    "credits.reconcile_ledger": ("cli",),
    "credits.reconcile_statistics": ("cli",),
    "certs.reconcile_certificate_statistics": ("cli",),
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

# Of what no cell takes to success, whatever no story does either (`telling.py`), and why.
OF_ROWS = "the service runs exports only, and an export has neither rows nor a file of its owner's; org-bulk runs the same code to the end"
OF_JOBS = "the methods of jobs are the same code in every process (`services/shared/bulk`); org-bulk's run to the end in a story"
JOB_STEPS = (
    "attach_file",
    "get_job",
    "list_job_rows",
    "start_job",
    "cancel_job",
    "rerun_job",
    "make_report",
    "open_download",
    "redeem_download",
)
NO_STORY = {
    **{
        f"{process}.{name}": OF_ROWS
        for process in ("credits-bulk", "certs-bulk")
        for name in ("open_job", "submit_rows", "attach_file", "start_job", "rerun_job", "list_job_rows", "make_report")
    },
    **{
        f"{process}.{name}": OF_JOBS
        for process in ("billing-bulk", "catalog-bulk", "learning-bulk")
        for name in JOB_STEPS
    },
    **{f"certs-bulk.{name}": OF_JOBS for name in ("get_job", "cancel_job", "open_download", "redeem_download")},
    "catalog-bulk.request_export": "the catalogue has no kind of export",
}
