# SPDX-License-Identifier: GPL-2.0-or-later
"""The server against bad clients, and against a second daemon (attack row 23)."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.control.standin import Running, call_view, serving
from vosctl.client import Client
from vosctl.problems import Problem
from vosd.control.handlers import HANDLERS
from vosd.control.listener import ListenError, listening_socket, release
from vosd.control.server import HTTP_STATUS, ControlServer, Limits
from vosd.wire.requests import BlacklistAdd, GatewayAdd
from vosd.wire.verbs import VERBS

GOOD = '{"name": "acme", "kind": "mapping", "addresses": ["203.0.113.9"]}'


def raw(path: Path, data: bytes, timeout: float = 10.0) -> bytes:
    """Everything the server answers to these bytes until it closes or falls silent."""
    answer = b""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(timeout)
        sock.connect(str(path))
        sock.sendall(data)
        while chunk := sock.recv(65536):
            answer += chunk
    return answer


def ask(path: Path, method: str, target: str, body: bytes | str = b"") -> tuple[int, Any]:
    """Status and JSON of one request that closes its connection."""
    data = body.encode() if isinstance(body, str) else body
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    if data:
        head += f"Content-Length: {len(data)}\r\n"
    status, document = split(raw(path, head.encode() + b"\r\n" + data))
    return status, document


def split(answer: bytes) -> tuple[int, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_every_verb_has_a_handler_and_every_handler_a_verb() -> None:
    assert set(HANDLERS) == set(VERBS)


def test_no_literal_path_is_shadowed() -> None:
    """The first template that matches is served, so literals stand first."""
    seen: list[tuple[str, str]] = []
    for verb in VERBS.values():
        for method, path in seen:
            pattern = re.sub(r"{\w+}", "[^/]+", path)
            shadowed = method == verb.method and re.fullmatch(pattern, verb.path)
            assert not shadowed, f"{path} hides {verb.path}"
        seen.append((verb.method, verb.path))


@pytest.mark.parametrize("kind", sorted(HTTP_STATUS))
def test_every_kind_of_failure_has_a_status(kind: str) -> None:
    assert 400 <= HTTP_STATUS[kind] < 600


ROWS = [
    ("GET", "/", "", 404, "not_found", "cannot find a verb for GET /"),
    ("GET", "/v1/nothing", "", 404, "not_found", "cannot find a verb for GET /v1/nothing"),
    ("PUT", "/v1/status", "", 405, "not_found", "cannot find a verb for PUT /v1/status"),
    ("GET", "/v1/status?x=1", "", 400, "bad_request",
     "cannot accept a query: status takes none"),
    ("GET", "/v1/status", "{}", 400, "bad_request", "cannot accept a body: status takes none"),
    ("POST", "/v1/gateways", '{"name": "a', 400, "bad_request",
     "cannot read the body as JSON: Input data was truncated"),
    ("POST", "/v1/gateways", "[1]", 400, "bad_request",
     "cannot use the body: gateway.add takes a JSON object"),
    ("POST", "/v1/gateways", "null", 400, "bad_request",
     "cannot use the body: gateway.add takes a JSON object"),
    ("POST", "/v1/gateways", b"\xff\xfe", 400, "bad_request",
     "cannot read the body as JSON: JSON is malformed: invalid character (byte 0)"),
    ("POST", "/v1/gateways", "", 400, "bad_value",
     "cannot do gateway.add without name: text is accepted"),
    ("POST", "/v1/gateways", '{"name": 5}', 400, "bad_value",
     "cannot use 5 as name: text is accepted"),
    ("POST", "/v1/gateways", '{"name": "x", "kind": "foo"}', 400, "bad_value",
     'cannot use "foo" as kind: mapping or routing is accepted'),
    ("POST", "/v1/gateways", '{"name": "x", "kind": "routing", "addresses": ["a", 7]}', 400,
     "bad_value", 'cannot use ["a",7] as addresses: a list of text is accepted'),
    ("PATCH", "/v1/params", '{"values": {"SS_RTP_TIMEOUT": 30}}', 400, "bad_value",
     'cannot use {"SS_RTP_TIMEOUT":30} as values: an object whose values are text or null is '
     "accepted"),
    ("POST", "/v1/gateways", '{"name": "x", "colour": 1}', 400, "bad_request",
     "cannot accept field 'colour': gateway.add does not know it"),
    ("GET", "/v1/calls?limit=3", "", 400, "bad_request",
     "cannot accept field 'limit': call.list does not know it"),
    ("GET", "/v1/calls?gateway=a&gateway=b", "", 400, "bad_request",
     "cannot use the query: it names one field twice"),
    ("GET", "/v1/cdrs?limit=ten", "", 400, "bad_value",
     'cannot use "ten" as limit: a whole number is accepted'),
    ("GET", "/v1/cdrs?limit=0", "", 400, "bad_value",
     "cannot list 0 records: 1 to 10000 is accepted, cdr export gives any number"),
    ("GET", "/v1/gateways/none", "", 404, "not_found",
     "cannot find gateway 'none': none has that name"),
    ("GET", "/v1/calls/watch?gateway=none", "", 404, "not_found",
     "cannot find gateway 'none': none has that name"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "kind", "message"),
    ROWS,
    ids=[f"{row[0]} {row[1]} {row[2]!r}" for row in ROWS],
)
def test_refusal(
    running: Running,
    method: str,
    target: str,
    body: bytes | str,
    status: int,
    kind: str,
    message: str,
) -> None:
    got, failure = ask(running.path, method, target, body)
    assert (got, failure["kind"], failure["message"]) == (status, kind, message)
    assert set(failure) == {"kind", "message", "value", "accepts"}


def test_unknown_field_is_named_with_those_there_are(running: Running) -> None:
    _, failure = ask(running.path, "POST", "/v1/calls/hangup", '{"id": "x"}')
    assert failure["value"] == "id"
    assert failure["accepts"] == "ids, why, dry_run"


def test_body_over_one_mebibyte(running: Running) -> None:
    body = b'{"name": "' + b"x" * (1 << 20) + b'"}'
    status, failure = ask(running.path, "POST", "/v1/gateways", body)
    assert (status, failure["message"]) == (413, "cannot read a body over 1 MiB")
    assert ask(running.path, "GET", "/v1/status")[0] == 200


@pytest.mark.parametrize(
    "data",
    [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET /v1/status HTTP/9.9\r\n\r\n",
     b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_http_gets_400_and_the_server_stays(running: Running, data: bytes) -> None:
    assert raw(running.path, data).startswith(b"HTTP/1.0 400 ")
    assert ask(running.path, "GET", "/v1/status")[0] == 200


def test_a_client_that_never_asks_is_dropped(tmp_path: Path) -> None:
    with serving(tmp_path, limits=Limits(first_request_s=0.2)) as server:
        assert raw(server.path, b"") == b""
        assert raw(server.path, b"GET /v1/status HTTP/1.1\r\nHo") == b""
        assert ask(server.path, "GET", "/v1/status")[0] == 200


def test_half_a_body_is_given_up(tmp_path: Path) -> None:
    with serving(tmp_path, limits=Limits(body_s=0.2, linger_s=0.1)) as server:
        head = b"POST /v1/gateways HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        status, failure = split(raw(server.path, head + b"Content-Length: 50\r\n\r\n{"))
        assert (status, failure["message"]) == (400, "cannot wait longer for the rest of the body")


def test_connections_are_bounded(tmp_path: Path) -> None:
    with serving(tmp_path, limits=Limits(connections=5)) as server:
        held = [socket.socket(socket.AF_UNIX) for _ in range(5)]
        for sock in held:
            sock.connect(str(server.path))
        server.run(asyncio.sleep(0))
        status, failure = ask(server.path, "GET", "/v1/status")
        assert (status, failure["message"]) == (503, "cannot serve more than 5 clients at once")
        for sock in held:
            sock.close()
        while len(server.run(_connections(server))) > 0:
            pass
        assert ask(server.path, "GET", "/v1/status")[0] == 200


async def _connections(server: Running) -> list[Any]:
    """Server-side connections that are still open, by the kernel's list."""
    table = Path("/proc/net/unix").read_text()
    return [line for line in table.splitlines()
            if line.endswith(f" {server.path}") and line.split()[5] == "03"]  # fmt: skip


def test_answer_that_takes_too_long(tmp_path: Path) -> None:
    with serving(tmp_path, limits=Limits(answer_s=2)) as server:
        assert ask(server.path, "POST", "/v1/gateways", GOOD)[0] == 200
        server.node.gate = asyncio.Event()
        status, failure = ask(server.path, "POST", "/v1/gateways/acme/probe")
        assert (status, failure["kind"]) == (503, "unavailable")
        assert failure["message"] == (
            "cannot finish gateway.probe within 2 s: it goes on, look again later"
        )
        server.loop.call_soon_threadsafe(server.node.gate.set)


def test_a_fault_of_ours_is_an_envelope_and_a_log_line(
    running: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running.node, "status", fail)
    with caplog.at_level(logging.ERROR):
        status, failure = ask(running.path, "GET", "/v1/status")
    assert (status, failure["kind"]) == (500, "internal")
    assert failure["message"] == "cannot do GET /v1/status: internal error, see vosd's log"
    assert [record.message for record in caplog.records] == ["control: GET /v1/status failed"]


def test_two_changes_at_once_never_mix(running: Running) -> None:
    """Twenty clients add one gateway: one is told it is done, nineteen that it exists."""

    def add(i: int) -> str:
        request = GatewayAdd(
            name="acme", kind="mapping", addresses=[f"203.0.113.{i}"], account=f"a{i}"
        )
        try:
            return str(Client(running.path).call("gateway.add", request).gateway.account)
        except Problem as problem:
            return problem.message

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(add, range(1, 21)))
    done = [answer for answer in answers if answer.startswith("a")]
    assert len(done) == 1
    gateway = running.node.configuration.gateways["acme"]
    assert gateway.account == done[0]
    assert gateway.addresses[0].host == f"203.0.113.{done[0][1:]}"
    assert len(running.node.store.audit(100)) == 1


def test_watch_is_a_line_a_second_until_the_client_leaves(
    running: Running, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vosd.control.handlers.call.EVERY_S", 0.01)
    running.node.calls.live = [call_view()]
    stream = client.stream("call.watch")
    assert [next(stream).total for _ in range(5)] == [1, 1, 1, 1, 1]
    running.node.calls.live = []
    assert any(next(stream).total == 0 for _ in range(100))
    del stream
    assert ask(running.path, "GET", "/v1/status")[0] == 200


def test_stop_ends_streams(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        stream = Client(server.path).stream("call.watch")
        next(stream)
        rest: list[Any] = []

        def drain() -> None:
            try:
                rest.extend(stream)
            except Problem as problem:
                rest.append(problem)

        reader = threading.Thread(target=drain)
        reader.start()
    reader.join(10)
    assert not reader.is_alive()
    assert not server.path.exists()


# one daemon to a socket


def test_a_second_daemon_is_refused(running: Running) -> None:
    second = ControlServer(running.node, running.path)  # type: ignore[arg-type]
    with pytest.raises(ListenError) as refused:
        running.run(second.start())
    assert str(refused.value) == (
        f"cannot listen on {running.path}: another vosd (pid {os.getpid()}) answers there; stop "
        "it, or give this one its own control_socket and state_dir"
    )
    running.run(second.stop())
    assert ask(running.path, "GET", "/v1/status")[0] == 200


def test_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    sock, inode = listening_socket(path, None)
    with sock, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    release(path, inode)
    assert not path.exists()


def test_another_daemons_socket_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    sock, inode = listening_socket(path, None)
    sock.close()
    path.rename(tmp_path / "old.sock")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        release(path, inode)
        assert path.exists()


@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_only_a_socket_is_unlinked(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "control.sock", tmp_path / "precious"
    target.write_text("keep")
    if kind == "file":
        path.write_text("keep")
    elif kind == "link":
        path.symlink_to(target)
    else:
        path.mkdir()
    with pytest.raises(ListenError) as refused:
        listening_socket(path, None)
    what = "a symbolic link" if kind == "link" else "no socket"
    assert str(refused.value) == f"cannot listen on {path}: it is {what}; move it away"
    assert path.lstat()
    assert target.read_text() == "keep"


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match="AF_UNIX path too long"):
        listening_socket(tmp_path / ("x" * 120), None)


def test_prefix_of_expiry(client: Client, running: Running) -> None:
    """A change is in force when its reply has come."""
    client.call("blacklist.add", BlacklistAdd(numbers=["4690"], prefix=True))
    assert running.node.configuration.listed.find("46901234", "callee", 0.0) is not None
