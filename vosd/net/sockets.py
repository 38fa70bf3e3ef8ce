# SPDX-License-Identifier: GPL-2.0-or-later
"""What UDP and stream sockets for SIP share: how they are bound and marked."""

from __future__ import annotations

import socket

from vosd.net.addresses import family_of


class SocketError(Exception):
    """An address cannot be listened on; the text says which and why."""


def bound(
    transport: str, host: str, port: int, where: str = "under [[listen]] in vosd.toml"
) -> socket.socket:
    """A socket that does not block, on an address of ours; SocketError says why it cannot be."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    sock = socket.socket(family_of(host), kind)
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            # a restart must not wait for connections that linger in TIME_WAIT
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise SocketError(
            f"cannot listen on {host} port {port}/{transport}: {error.strerror}; stop what uses "
            f"it, or name another address {where}"
        ) from None
    return sock


def mark(sock: socket.socket, dscp: int) -> None:
    """DSCP (0-63) of everything the socket sends from now on (RFC 2474: ToS byte = DSCP << 2)."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
