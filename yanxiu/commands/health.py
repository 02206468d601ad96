"""`yanxiu health`: what a container's health check asks of its own process."""

from __future__ import annotations

import http.client
import os
import sys

import click

GATEWAY_PORT = 8080
TIMEOUT_SECONDS = 4


@click.command
def command() -> None:
    """Exit 0 when the process in this container is ready, 1 when not.

    Asks /ready on YANXIU_HEALTH_PORT, or on the gateway's port where that is not set.
    """
    port = int(os.environ.get("YANXIU_HEALTH_PORT", GATEWAY_PORT))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/ready")
        ready = connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        ready = False
    finally:
        connection.close()
    sys.exit(0 if ready else 1)
