"""What processes use: CPU time and memory, read from the kernel. Reads only; it touches no process."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

PROC = Path("/proc")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost", ""})
AMQP_PORT = 5672
LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp
TICKS = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """Bytes. A page that n processes share counts 1/n in `pss`; `private` is what would be free without the process."""

    pss: int
    private: int


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a process and of its ended threads; None when it is gone."""
    # The kernel's clock of another process (`man 3 clock_getcpuclockid`): nanoseconds, where /proc counts ticks of 10 ms.
    with contextlib.suppress(OSError, OverflowError):
        return time.clock_gettime((~pid << 3) | 2)
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else None


def cpu_by_process(pids: Iterable[int]) -> dict[int, float]:
    """CPU seconds so far of those that still run."""
    found = {pid: cpu_seconds(pid) for pid in pids}
    return {pid: seconds for pid, seconds in found.items() if seconds is not None}


def tree(root: int) -> set[int]:
    """The process and all that descend from it, whatever sessions they started."""
    return trees([root])


def trees(roots: Iterable[int]) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid in _pids():
        if fields := _stat(pid):
            children.setdefault(int(fields[1]), []).append(pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found and (PROC / str(pid)).exists():
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def memory(pid: int) -> Memory:
    """Zero for a process that is gone, or that we may not look into."""
    sizes: dict[str, int] = {}
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines()[1:]:
            name, _, value = line.partition(":")
            sizes[name] = int(value.split()[0]) * 1024
    return Memory(sizes.get("Pss", 0), sizes.get("Private_Clean", 0) + sizes.get("Private_Dirty", 0))


def title(pid: int) -> str:
    """The command line, in words; PostgreSQL's processes write there what they do."""
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return ""


def broker(amqp_uri: str) -> set[int]:
    """The Erlang machine that listens where `amqp_uri` points on this machine; empty where it runs elsewhere.

    Where we may not see whose a port is, all RabbitMQs of this machine.
    """
    parts = urlsplit(amqp_uri)
    if (parts.hostname or "") not in LOOPBACK:
        return set()
    found = {pid for pid in _pids() if "beam.smp" in (words := title(pid)) and " -s rabbit boot" in words}
    listening = _listening_sockets(parts.port or AMQP_PORT)
    return {pid for pid in found if _sockets(pid) & listening} or found


def _listening_sockets(port: int) -> set[str]:
    """What /proc/PID/fd calls the sockets that listen on a port."""
    found = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(f"socket:[{fields[9]}]")
    return found


def _sockets(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for entry in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(entry.readlink()))
    return found


def database(prefix: str) -> set[int]:
    """PostgreSQL's processes on this machine that serve databases of this prefix.

    Without the ones that all databases share (writers, checkpointer): other people's work would count as ours.
    """
    return {pid for pid in _pids() if (words := title(pid)).startswith("postgres:") and f" {prefix}_" in words}


def own_database() -> set[int]:
    """The whole embedded PostgreSQL that this process (or one below it) has started."""
    return trees(pid for pid in tree(os.getpid()) if title(pid).partition(" ")[0].endswith("/bin/postgres"))


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (number 3 of the manual is 0 here); [] when gone."""
    with contextlib.suppress(OSError):
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(") ")[2].split()
    return []


def peak_mb(*, reset: bool = False) -> float:
    """The most megabytes (MiB) that this process ever held, or since the last `reset`. Raises OSError where the kernel does
    not tell."""
    if reset:
        (PROC / "self" / "clear_refs").write_text("5")
    lines = (PROC / "self" / "status").read_text().splitlines()
    [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peak) / 1024
