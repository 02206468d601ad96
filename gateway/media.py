"""Video files, as browsers ask for them: by ranges. A proxy or an object store may answer `/media/` in the gateway's place.

The catalogue names a video's file; here is only the folder. Nothing in it is secret: what counts is the study report.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, abort, send_file
from werkzeug.security import safe_join
from werkzeug.wrappers import Response

from gateway.context import gateway

SUFFIXES = frozenset({".webm", ".mp4"})
ONE_HOUR = 3600

media = Blueprint("media", __name__)


@media.get("/media/<path:name>")
def video(name: str) -> Response:
    """A file of the installation's media folder; 206 for a range."""
    found = safe_join(str(gateway().settings.media_dir), name)
    if found is None or Path(found).suffix not in SUFFIXES or not Path(found).is_file():
        abort(404)
    response: Response = send_file(found, conditional=True, max_age=ONE_HOUR)
    response.headers["Cache-Control"] = f"public, max-age={ONE_HOUR}"
    return response
