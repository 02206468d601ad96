"""gunicorn's settings for the gateway: threads, not eventlet; nothing that holds a connection is made before the fork."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

bind = os.environ.get("YANXIU_GATEWAY_BIND", "0.0.0.0:8080")
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("YANXIU_GATEWAY_THREADS", "16"))
# Each worker makes its own bus connections after the fork; a connection shared by two processes is garbage on the wire.
preload_app = False

timeout = 30
graceful_timeout = 20
keepalive = 65  # longer than the 60 s of common load balancers, so that they and not we close idle connections
# Workers are renewed against slow leaks; the jitter keeps them from going all at once.
max_requests = 20_000
max_requests_jitter = 4_000

limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190

accesslog = None  # the gateway logs each request itself, pseudonymised
errorlog = "-"
loglevel = "warning"
# A memory folder: the heartbeat file must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
# No remote control through a file in the home folder.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """In the master, once: a fresh folder for the workers' figures, and the watch over our supervisor."""
    from yanxiu.local import life_line

    life_line.watch()
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        server.figures = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="yanxiu-figures-")


def on_exit(server: Any) -> None:
    if figures := getattr(server, "figures", ""):
        shutil.rmtree(figures, ignore_errors=True)


def child_exit(_server: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)
