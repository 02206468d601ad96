"""nameko's own RPC as it comes: an echo service, and the standalone proxy that a gateway would use.

`python -m yanxiu.bench.programs.stock` is the service, run as `nameko run` does.
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    import warnings

    from yanxiu.local import life_line

    life_line.watch()
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

    import eventlet

    eventlet.monkey_patch()

from typing import Any

from nameko.rpc import rpc

WAIT_SECONDS = 30


class StockEcho:
    name = "bench_stock"

    @rpc  # type: ignore[untyped-decorator]
    def echo(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return arguments


class StockAsker:
    """One standalone proxy."""

    def __init__(self, uri: str) -> None:
        from nameko.standalone.rpc import ServiceRpcProxy

        self._proxy = ServiceRpcProxy(StockEcho.name, {"AMQP_URI": uri}, timeout=WAIT_SECONDS)
        self._service = self._proxy.start()

    def ask(self) -> None:
        assert self._service.echo({}) == {}

    def close(self) -> None:
        self._proxy.stop()


if __name__ == "__main__":
    from nameko.cli.run import run

    run([StockEcho], {"AMQP_URI": os.environ["AMQP_URI"]})
