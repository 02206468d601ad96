"""A process on eventlet that redeems several passes at once: prints how long that took and how late its clock ran.

`python parallel_passes.py ISSUER_URL CODES` — run by test_passes.py.
"""

# ruff: noqa: E402  the patching has to come between the imports
from __future__ import annotations

import warnings

warnings.filterwarnings("ignore")
import eventlet

eventlet.monkey_patch()

import json
import sys
import time

from services.identity.passes.issuers import Issuer, Issuers, Proof
from tests.component.identity.issuer import CLIENT_ID, CLIENT_SECRET, REDIRECT


def main(url: str, proofs: list[list[str]]) -> None:
    issuer = Issuer("smartedu", url, CLIENT_ID, CLIENT_SECRET, "", "", (REDIRECT,), ("openid",))
    issuers = Issuers({"smartedu": issuer}, development=True)
    latest, ending = 0.0, False

    def tick() -> None:
        nonlocal latest
        while not ending:
            started = time.monotonic()
            eventlet.sleep(0.01)
            latest = max(latest, time.monotonic() - started - 0.01)

    ticking = eventlet.spawn(tick)
    started = time.monotonic()
    redeeming = [
        eventlet.spawn(issuers.redeem, issuer, Proof(code, verifier, nonce, REDIRECT))
        for code, verifier, nonce in proofs
    ]
    subjects = [each.wait() for each in redeeming]
    took, ending = time.monotonic() - started, True
    ticking.wait()
    sys.stdout.write(json.dumps({"subjects": subjects, "took": took, "late": latest}))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
