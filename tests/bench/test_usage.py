"""What the kernel tells of processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

from yanxiu.bench import usage

BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint(time.process_time(), flush=True)\ninput()"


def test_the_time_of_another_process_is_what_it_says_itself() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = float(child.stdout.readline())
        seen = usage.cpu_seconds(child.pid)
        assert child.pid in usage.tree(os.getpid())
        assert usage.memory(child.pid).pss > 0
        child.communicate(b"\n")
    assert seen is not None
    assert said <= seen < said + 0.2
    assert usage.cpu_by_process([child.pid]) == {}


def test_a_grandchild_belongs_to_the_tree() -> None:
    nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE) as child:
        deadline = time.monotonic() + 30
        while len(usage.tree(child.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(usage.tree(child.pid)) == 2
        child.communicate(b"\n")


def test_no_broker_of_another_machine_is_taken_for_ours() -> None:
    assert usage.broker("amqp://guest:guest@broker.example.org:5672//") == set()


def test_a_listening_socket_is_found_with_its_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listening = usage._listening_sockets(listener.getsockname()[1])
        assert len(listening) == 1
        assert listening <= usage._sockets(os.getpid())
