"""Review of conspicuous study: what was found, the decision, the teacher's appeal."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import tell
from gateway.schemas import Page
from gateway.schemas import study_reviews as schemas

blueprint = Blueprint("study_reviews", __name__, description="学习核查 (review of conspicuous study)")


@blueprint.get("/study-reviews/mine")
@blueprint.doc(operationId="list_own_study_reviews")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.StudyReviews)
def list_own_study_reviews(query: dict[str, Any]) -> dict[str, Any]:
    """What was found conspicuous in one's own study, and where its review stands."""
    return ask_page("learning", "list_own_study_reviews", query)


@blueprint.get("/study-reviews")
@blueprint.doc(operationId="list_study_reviews")
@blueprint.arguments(schemas.StudyReviewsQuery, location="query")
@blueprint.response(200, schemas.StudyReviews)
def list_study_reviews(query: dict[str, Any]) -> dict[str, Any]:
    """Reviews of the teachers of a place, for those who decide them."""
    return ask_page("learning", "list_study_reviews", query)


@blueprint.post("/study-reviews/<uuid:review_id>/decision")
@blueprint.doc(operationId="decide_study_review")
@blueprint.arguments(schemas.ReviewDecision)
@blueprint.response(200, schemas.StudyReview)
def decide_study_review(body: dict[str, Any], review_id: Any) -> dict[str, Any]:
    """Clear the study of doubt, or uphold the finding. An appeal is decided by somebody else, for good."""
    return tell("learning", "decide_study_review", {"review_id": str(review_id), **body})


@blueprint.post("/study-reviews/<uuid:review_id>/appeal")
@blueprint.doc(operationId="appeal_study_review")
@blueprint.arguments(schemas.ReviewAppeal)
@blueprint.response(200, schemas.StudyReview)
def appeal_study_review(body: dict[str, Any], review_id: Any) -> dict[str, Any]:
    """Say why the finding is wrong, once."""
    return tell("learning", "appeal_study_review", {"review_id": str(review_id), **body})
