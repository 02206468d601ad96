"""Operations of the API that are not named after the one method they lead to, each with the methods it uses."""

from __future__ import annotations

OPERATIONS: dict[str, tuple[str, ...]] = {
    "add_attachment": ("credits.prepare_attachment", "credits.keep_attachment"),
    "add_phone_ticket_photo": ("identity.prepare_evidence", "identity.keep_evidence"),
    "get_job_template": ("org-bulk.list_job_kinds", "credits-bulk.list_job_kinds"),
    "submit_job": ("org-bulk.submit_rows", "credits-bulk.submit_rows"),
    "upload_job": (
        "org-bulk.open_job",
        "org-bulk.attach_file",
        "credits-bulk.open_job",
        "credits-bulk.attach_file",
    ),
    # A signed play token and no method: `tests/gateway/test_learning.py`.
    "report_segments": (),
}
