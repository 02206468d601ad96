"""gunicorn's entry: `gunicorn -k gthread gateway.wsgi:app`. Connections and threads are made after the fork, on first use."""

from __future__ import annotations

from gateway.app import create_app
from services.shared.settings import load_settings
from services.shared.startup import configure_process

settings = load_settings()
configure_process(settings, "gateway")
app = create_app(settings)
