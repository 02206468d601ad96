"""Bare Flask that says hello, and reads a JSON body, under the very servers that run the gateway.

gunicorn loads `app`; `python -m yanxiu.bench.programs.hello LISTENING_FD` serves it as the embedded mode does.
"""

from __future__ import annotations

if __name__ == "__main__":
    import socket
    import sys

    from yanxiu.local.stack import serve

from typing import Any

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def hello() -> dict[str, str]:
    return {"hello": "world"}


@app.post("/")
def hear() -> tuple[dict[str, Any], int]:
    return {"heard": len(request.get_json()["segments"])}, 202


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), app)
