"""Who uses the study tools (`domain.md` §2.3 Tools, S3 app).

A course's tutor is whoever may define programmes at the place that owns its programme (`domain.md` §1.2, "define rule pack /
season"; S2:150 "谁组织、谁负责"). No manual names a right of its own for tutors; institutions (A11) and lecturers have no grants
yet, so they answer through their programme's owner.
"""

from __future__ import annotations

from services.shared.actor import Role
from services.shared.policy import Policy, granted, own

TUTORS = granted(Role.CITY_ADMIN, Role.PROVINCE_ADMIN, Role.SUPER_ADMIN, Role.CITY_CENTRE, Role.NATIONAL_OPERATOR)

POLICIES: dict[str, Policy] = {
    "add_bookmark": own(),
    "list_bookmarks": own(),
    "remove_bookmark": own(),
    "write_note": own(),
    "edit_note": own(),
    "delete_note": own(),
    "list_notes": own() | TUTORS,
    "ask_tutor": own(),
    "list_course_questions": own() | TUTORS,
    "get_course_question": own() | TUTORS,
    "answer_course_question": own() | TUTORS,
    "publish_course_notice": TUTORS,
    "list_course_notices": own() | TUTORS,
    "read_course_notice": own(),
    "report_course_text": own().seeing_everything("a report is counted on a text that somebody else wrote"),
    "list_reported_texts": TUTORS,
    "hide_course_text": TUTORS,
    "prepare_course_material": TUTORS,
    "keep_course_material": TUTORS,
    "remove_course_material": TUTORS,
    "list_course_materials": own() | TUTORS,
    "view_course_material": own() | TUTORS,
    "search_course": (own() | TUTORS).seeing_everything(
        "row security would keep the index on tokens from being used; tokens are bound to course and author instead"
    ),
}
