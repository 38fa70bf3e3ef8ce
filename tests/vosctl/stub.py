# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon of literal answers on a real Unix socket, and the program run against it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from typer.testing import CliRunner

from vosctl.main import app
from vosd.wire.records import Failure


class Asked(NamedTuple):
    method: str
    path: str
    body: Any


class Stub:
    """Answers by "METHOD /path"; records what was asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[Asked] = []
        self._answers: dict[str, tuple[int, bytes]] = {}

    def answer(self, what: str, reply: Any, status: int = 200) -> None:
        """A struct, or a list of structs as one line each."""
        rows = reply if isinstance(reply, list) else [reply]
        body = b"".join(
            row if isinstance(row, bytes) else msgspec.json.encode(row) + b"\n" for row in rows
        )
        self._answers[what] = status, body

    def refuse(self, what: str, kind: str, message: str, **more: str) -> None:
        status = {"denied": 403, "not_found": 404}.get(kind, 400)
        self.answer(what, Failure(kind=kind, message=message, **more), status)

    def take(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        self.asked.append(Asked(method, path, msgspec.json.decode(body) if body else None))
        missing = 404, msgspec.json.encode(Failure(kind="not_found", message="cannot: no answer"))
        return self._answers.get(f"{method} {path.partition('?')[0]}", missing)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    stub: Stub


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self.server.stub.take(self.command, self.path, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def stub_daemon(path: Path) -> Iterator[Stub]:
    stub = Stub(path)
    with _Server(str(path), _Handler) as server:
        server.stub = stub
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()


class Ran(NamedTuple):
    code: int
    out: str
    err: str


def run(path: Path | None, *args: str, input: str | None = None, **env: str | None) -> Ran:
    """One run of vosctl; local time is UTC."""
    environment: dict[str, str | None] = {
        "VOSCTL_SOCKET": None if path is None else str(path),
        "TZ": "UTC",
        "NO_COLOR": None,
        **env,
    }
    result = CliRunner().invoke(app, list(args), input=input, env=environment, prog_name="vosctl")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)
