"""Rendering ahead, inside the process that renders on request: one page at a time, and only while nobody asks."""

from __future__ import annotations

import time
from typing import Any, Final

import structlog

from services.certs import rendering
from services.certs.actions import documents
from services.certs.models import Certificate
from services.certs.prerender import actions
from services.certs.prerender.models import RenderStretch
from services.shared import clock
from services.shared.bus import continuous, offload
from services.shared.errors import Conflict

log = structlog.get_logger(__name__)

QUIET_SECONDS: Final = (
    1.0  # since somebody asked for a page; a season's end asks all the time, and then is served first
)


class Prerender:
    """Mixed into the process that renders."""

    database: Any
    settings: Any
    storage: Any
    cipher: Any
    verifier: Any
    _asked_at: float = float("-inf")

    def somebody_asks(self) -> None:
        self._asked_at = time.monotonic()

    def _is_quiet(self) -> bool:
        return time.monotonic() - self._asked_at >= QUIET_SECONDS

    @continuous(workers=1, pause_seconds=5.0)
    def render_ahead(self) -> bool:
        """Render the next stretch; whether there was one. A worker may die anywhere: another one takes what it had."""
        if not self._is_quiet():
            return False
        with self.database.work() as db:
            stretch = actions.claim(db, clock.now())
            waiting = actions.list_unrendered(db, stretch) if stretch else []
        if stretch is None:
            return False
        for certificate in waiting:
            if not self._is_quiet():
                self._leave(stretch)
                return False
            self._render_one(certificate)
        with self.database.work() as db:
            actions.finish(db, stretch)
        return True

    def _leave(self, stretch: RenderStretch) -> None:
        """Give the rest back: whoever is free takes it, and finds what is done."""
        with self.database.work() as db:
            actions.give_back(db, stretch, clock.now())

    def _render_one(self, certificate: Certificate) -> None:
        try:
            paper = documents.prepare_paper(self.cipher, self.verifier, certificate, self.settings.base_url)
            pdf = offload(rendering.render, paper)
        except Conflict as error:
            # Whoever asks for it is told the same; the others wait for nobody.
            log.warning("not_rendered_ahead", certificate_id=str(certificate.certificate_id), code=error.code)
            return
        file = self.storage.put(documents.AREA, pdf, "application/pdf")
        with self.database.work() as db:
            document = documents.keep_living(db, certificate.certificate_id, file, clock.now())
        if document is None or document.storage_key != file.key:
            self.storage.delete(file.key)
