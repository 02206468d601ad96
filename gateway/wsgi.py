"""gunicorn's entry: `gunicorn -k gthread gateway.wsgi:app`. Connections and threads are made after the fork, on first use."""

from __future__ import annotations

from gateway.app import create_app
from services.shared.settings import load_settings

app = create_app(load_settings())
