"""Operations of the API that are not named after the one method they lead to, each with the methods it uses."""

from __future__ import annotations

OPERATIONS: dict[str, tuple[str, ...]] = {
    "add_attachment": ("credits.prepare_attachment", "credits.keep_attachment"),
    "add_course_material": ("learning.prepare_course_material", "learning.keep_course_material"),
    "add_phone_ticket_photo": ("identity.prepare_evidence", "identity.keep_evidence"),
    "get_hours": ("learning.tell_progress", "credits.get_hours"),
    "get_job_template": (
        "org-bulk.list_job_kinds",
        "learning-bulk.list_job_kinds",
        "credits-bulk.list_job_kinds",
        "catalog-bulk.list_job_kinds",
        "billing-bulk.list_job_kinds",
    ),
    "submit_job": (
        "org-bulk.submit_rows",
        "learning-bulk.submit_rows",
        "credits-bulk.submit_rows",
        "catalog-bulk.submit_rows",
        "billing-bulk.submit_rows",
    ),
    "upload_job": (
        "org-bulk.open_job",
        "org-bulk.attach_file",
        "learning-bulk.open_job",
        "learning-bulk.attach_file",
        "credits-bulk.open_job",
        "credits-bulk.attach_file",
        "catalog-bulk.open_job",
        "catalog-bulk.attach_file",
        "billing-bulk.open_job",
        "billing-bulk.attach_file",
    ),
    # A signed play token and no method: `tests/gateway/test_learning.py`.
    "report_segments": (),
}
