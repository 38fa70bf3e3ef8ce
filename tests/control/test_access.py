# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may do what: the table, the kernel's word for it, and strangers (attack row 23)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.standin import Running, serving
from vosd.control.access import Peer, allows, peer_of, right, rules
from vosd.wire.verbs import Access

OWN, READERS, WRITERS, NOBODY = 990, 5001, 5002, 65534
TABLE = rules(OWN, READERS, WRITERS)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


@pytest.mark.parametrize(
    ("uid", "groups", "held"),
    [
        (0, {0}, "write"),
        (0, set(), "write"),
        (OWN, {OWN}, "write"),
        (1000, {1000, WRITERS}, "write"),
        (1000, {READERS, WRITERS}, "write"),
        (1000, {1000, READERS}, "read"),
        (1000, {READERS}, "read"),
        (1000, {1000}, None),
        (1000, set(), None),
        (NOBODY, {NOBODY, 0}, None),
        (READERS, {1000}, None),
    ],
)
def test_right(uid: int, groups: set[int], held: Access | None) -> None:
    assert right(Peer(1, uid, frozenset(groups)), TABLE) == held


def test_missing_groups_give_nothing() -> None:
    assert right(Peer(1, 1000, frozenset({1000})), rules(OWN, None, None)) is None


@pytest.mark.parametrize(
    ("held", "needed", "allowed"),
    [
        ("write", "write", True),
        ("write", "read", True),
        ("read", "read", True),
        ("read", "write", False),
        (None, "read", False),
        (None, "write", False),
    ],
)
def test_allows(held: Access | None, needed: Access, allowed: bool) -> None:
    assert allows(held, needed) is allowed


def test_peer_is_this_process() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        peer = peer_of(ours)
    assert (peer.pid, peer.uid) == (os.getpid(), os.geteuid())
    assert peer.groups == {os.getegid(), *os.getgroups()}


@pytest.mark.parametrize(("uid", "name"), [(0, "root"), (3_999_999, "3999999")])
def test_user_is_a_name_where_there_is_one(uid: int, name: str) -> None:
    assert Peer(1, uid, frozenset()).user == name


@pytest.fixture
def open_door() -> Iterator[Running]:
    """A server whose file lets everybody connect, so that only the table decides."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name), rules=TABLE) as server:
        Path(name).chmod(0o755)
        server.path.parent.chmod(0o755)
        server.path.chmod(0o666)
        yield server


ASK = """
import http.client, os, socket, sys
path, uid, groups, method, target, body = sys.argv[1:]
os.setgroups([int(group) for group in groups.split()])
os.setgid(65534)
os.setuid(int(uid))
c = http.client.HTTPConnection("x")
c.sock = socket.socket(socket.AF_UNIX)
try:
    c.sock.connect(path)
except PermissionError:
    print("refused by the file"); sys.exit()
c.request(method, target, body.encode() or None)
r = c.getresponse()
print(r.status, r.read().decode())
"""


def ask(path: Path, uid: int, groups: list[int], method: str, target: str, body: str = "") -> str:
    """What a process of that uid and those groups gets."""
    return subprocess.run(
        [sys.executable, "-I", "-c", ASK, str(path), str(uid), " ".join(map(str, groups)),
         method, target, body],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    ).stdout  # fmt: skip


ADD = '{"numbers": ["4670"]}'


@as_root
@pytest.mark.parametrize(
    ("uid", "groups", "read", "write"),
    [
        (NOBODY, [], 403, 403),
        (1000, [1000], 403, 403),
        (1000, [READERS], 200, 403),
        (1000, [READERS, WRITERS], 200, 200),
        (1000, [WRITERS], 200, 200),
        (OWN, [], 200, 200),
    ],
)
def test_another_process(
    open_door: Running, uid: int, groups: list[int], read: int, write: int
) -> None:
    path = open_door.path
    assert int(ask(path, uid, groups, "GET", "/v1/status")[:3]) == read
    assert int(ask(path, uid, groups, "GET", "/v1/openapi.json")[:3]) == read
    assert int(ask(path, uid, groups, "POST", "/v1/blacklist", ADD)[:3]) == write


@as_root
def test_a_stranger_is_told_who_may(open_door: Running) -> None:
    status, _, body = ask(open_door.path, NOBODY, [], "POST", "/v1/blacklist", ADD).partition(" ")
    assert status == "403"
    assert json.loads(body) == {
        "kind": "denied",
        "message": "cannot do blacklist.add as nobody: write access is needed",
        "value": "nobody",
        "accepts": "root, vosd's own user, group vos-admin",
    }
    assert open_door.node.configuration.blacklist == []


@as_root
def test_the_file_keeps_strangers_out() -> None:
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as server:
        Path(name).chmod(0o755)
        server.path.parent.chmod(0o755)
        assert ask(server.path, NOBODY, [], "GET", "/v1/status") == "refused by the file\n"


def test_the_socket_is_closed_to_others(running: Running) -> None:
    assert oct(running.path.stat().st_mode & 0o777) == "0o660"
    assert oct(running.path.parent.stat().st_mode & 0o777) == "0o750"
