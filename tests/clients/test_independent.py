"""Fetching the independent verifier: once, although the files that ask for it run side by side."""

from __future__ import annotations

import threading

from tests.clients import independent
from yanxiu.local import portal


def test_it_is_fetched_by_one_at_a_time(monkeypatch, tmp_path):
    # Seen on a clean clone: npm emptied the folder under the nose of a verifier that another process had started.
    inside, most = [], []

    def install(folder, _node, _report):
        assert folder == independent.FOLDER
        inside.append(1)
        most.append(len(inside))
        entered.set()
        leave.wait(10)
        inside.pop()

    entered, leave = threading.Event(), threading.Event()
    monkeypatch.setattr(independent, "TURN", tmp_path / "turn.lock")
    monkeypatch.setattr(portal, "find_node", object)
    monkeypatch.setattr(portal, "install_packages", install)
    both = [threading.Thread(target=independent.prepare) for _ in range(2)]
    for each in both:
        each.start()
    assert entered.wait(10)
    # Whoever did not wait its turn would be inside by now.
    both[1].join(0.2)
    leave.set()
    for each in both:
        each.join(10)
    assert most == [1, 1]
