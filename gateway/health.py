"""Is it alive, is it ready, and its figures. Outside /api/v1, not limited, not in the API document."""

from __future__ import annotations

import ipaddress
import os

from flask import Blueprint, Response, abort, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.context import gateway
from services.shared.errors import ServiceError

health = Blueprint("health", __name__)


@health.get("/live")
def live():
    """200 as long as this process answers at all; a supervisor restarts it when it does not."""
    return jsonify({"status": "live"})


@health.get("/ready")
def ready():
    """200 when a request would find its way: broker reachable, revocations known. 503 takes it out of the balance."""
    gateway().revocations.start()
    checks = {"bus": _bus_answers(), "revocations": gateway().revocations.in_touch()}
    status = 200 if all(checks.values()) else 503
    headers = {"Retry-After": "2"} if status == 503 else {}
    return jsonify({"status": "ready" if status == 200 else "not ready", "checks": checks}), status, headers


@health.get("/metrics")
def metrics():
    """Prometheus text, for the operator's own networks only; the public sees no such page."""
    if not _is_internal(request.remote_addr or "") or "X-Forwarded-For" in request.headers:
        abort(404)
    return Response(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _bus_answers() -> bool:
    try:
        gateway().bus.check()
    except ServiceError:
        return False
    return True


def _is_internal(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False


def _registry() -> CollectorRegistry:
    # gunicorn's workers share their figures through files; one process needs none.
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry
