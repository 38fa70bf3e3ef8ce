# SPDX-License-Identifier: GPL-2.0-or-later
"""Who asks on the control socket, as the kernel says, and what they may do."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from typing import Literal, Protocol, TypeAlias

import msgspec

from vosd.wire.verbs import Access

READERS = "vos"
WRITERS = "vos-admin"
#: Linux: supplementary groups of the peer; the socket module has no name for it
_SO_PEERGROUPS = 59
_UCRED = struct.Struct("3i")
#: what Python reads of an option at most: 256 groups; a process in more counts as in none
_LONGEST_OPTION = 1024


class Socket(Protocol):
    """What both a socket and asyncio's view of one offer."""

    def getsockopt(self, level: int, option: int, size: int) -> bytes: ...


class Peer(msgspec.Struct, frozen=True):
    """The process at the other end when it connected."""

    pid: int
    uid: int
    #: primary and supplementary
    groups: frozenset[int]

    @property
    def user(self) -> str:
        """Login name for the audit, the number where there is none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)


class Rule(msgspec.Struct, frozen=True):
    """A uid or a gid, and what it gives. `number` is None where the group does not exist."""

    what: Literal["uid", "gid"]
    number: int | None
    gives: Access

    def matches(self, peer: Peer) -> bool:
        return self.number == peer.uid if self.what == "uid" else self.number in peer.groups


Rules: TypeAlias = tuple[Rule, ...]


def rules(own_uid: int, readers: int | None, writers: int | None) -> Rules:
    """The access table; the first row that matches decides."""
    return (
        Rule("uid", 0, "write"),
        Rule("uid", own_uid, "write"),
        Rule("gid", writers, "write"),
        Rule("gid", readers, "read"),
    )


def system_rules() -> Rules:
    """The table with this system's groups."""
    return rules(os.geteuid(), group_id(READERS), group_id(WRITERS))


def group_id(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def right(peer: Peer, table: Rules) -> Access | None:
    """What the peer may do, None is nothing at all."""
    return next((rule.gives for rule in table if rule.matches(peer)), None)


def allows(held: Access | None, needed: Access) -> bool:
    return held == "write" or held == needed


def peer_of(sock: Socket) -> Peer:
    """Credentials of a connected Unix socket's peer. Raises OSError."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, gid = _UCRED.unpack(raw)
    return Peer(pid, uid, frozenset({gid, *_supplementary(sock)}))


def _supplementary(sock: Socket) -> list[int]:
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _LONGEST_OPTION)
    except OSError:
        return []
    return [group for (group,) in struct.iter_unpack("=I", raw)]
