# SPDX-License-Identifier: GPL-2.0-or-later
"""Receiving one datagram with its source, arrival time and ToS octet for the price of one call.

socket.recvmsg_into builds a list, two tuples, two byte strings and an address per packet. Here
libc's recvmsg writes into buffers made once; the source is compared as the bytes of its
sockaddr, and arrival and ToS are read at their fixed places in the ancillary data. Where those
are not as expected, they are looked for the long way.
"""

from __future__ import annotations

import ctypes
import socket
import struct

from vosd.media.relay import Address

#: asm-generic/socket.h; x86, Arm and RISC-V use these numbers
SO_TIMESTAMPNS = 35
IP_RECVTOS = 13

_DATA_OCTETS = 65536
_CONTROL_OCTETS = 256
_WORD = struct.calcsize("@N")
_CONTROL_HEAD = struct.Struct("@Nii")
_TIMESPEC = struct.Struct("@ll")
_ANY = struct.Struct("@H")


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """struct msghdr (recvmsg(2))."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


# PyDLL keeps the interpreter lock: the call never blocks, and giving the lock away and taking
# it back for every packet costs more than the call under a busy second thread.
recvmsg = ctypes.PyDLL(None)["recvmsg"]


def _align(octets: int) -> int:
    return (octets + _WORD - 1) // _WORD * _WORD


class Inbox:
    """Buffers one family's sockets receive into, one datagram at a time."""

    def __init__(self, family: int) -> None:
        """`family` is 4 or 6."""
        self.data = bytearray(_DATA_OCTETS)
        #: the source as a sockaddr
        self.name = bytearray(16 if family == 4 else 28)
        self.control = bytearray(_CONTROL_OCTETS)
        self._vector = _Vector(_address(self.data), _DATA_OCTETS)
        self.message = _Message(
            _address(self.name),
            len(self.name),
            ctypes.addressof(self._vector),
            1,
            _address(self.control),
            _CONTROL_OCTETS,
            0,
        )
        self.reference = ctypes.byref(self.message)
        head = _align(_CONTROL_HEAD.size)
        stamp = head + _align(_TIMESPEC.size)
        tos = "B" if family == 4 else "i"
        #: seconds, nanoseconds and ToS out of `control` when it is `full` octets long
        self.annotations = struct.Struct(f"@{head}xll{head}x{tos}").unpack_from
        self.full = stamp + head + _align(4)
        self._tos = (socket.IPPROTO_IP, socket.IP_TOS)
        if family == 6:
            self._tos = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)

    def rearm(self) -> tuple[int | None, int]:
        """Arrival in ns and ToS (-1) as far as told; afterwards the buffers take everything."""
        arrival, tos = None, -1
        left, at = self.message.control_length, 0
        head = _align(_CONTROL_HEAD.size)
        while left - at >= head:
            length, level, kind = _CONTROL_HEAD.unpack_from(self.control, at)
            if length < head:
                break
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, nanoseconds = _TIMESPEC.unpack_from(self.control, at + head)
                arrival = seconds * 1_000_000_000 + nanoseconds
            elif (level, kind) == self._tos:
                value = self.control[at + head : at + length]
                tos = int.from_bytes(value, "little" if value[0] else "big") & 0xFF
            at += _align(length)
        self.message.name_length = len(self.name)
        self.message.control_length = _CONTROL_OCTETS
        return arrival, tos


def _address(buffer: bytearray) -> int:
    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))


def annotate(sock: socket.socket, family: int) -> None:
    """Have the kernel tell arrival time and ToS of every datagram."""
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    if family == 4:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)


def set_dscp(sock: socket.socket, family: int, dscp: int) -> None:
    """Mark what the socket sends; DSCP is the upper six bits of the octet (RFC 2474)."""
    if family == 4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)


def pack_address(family: int, address: Address) -> bytes:
    """The sockaddr of a numeric address; a link-local host carries its scope after "%"."""
    host, _, scope = address[0].partition("%")
    port = struct.pack("!H", address[1])
    if family == 4:
        return _ANY.pack(socket.AF_INET) + port + socket.inet_pton(socket.AF_INET, host) + bytes(8)
    number = 0
    if scope:
        number = int(scope) if scope.isdigit() else socket.if_nametoindex(scope)
    host_octets = socket.inet_pton(socket.AF_INET6, host)
    return _ANY.pack(socket.AF_INET6) + port + bytes(4) + host_octets + struct.pack("@I", number)


def unpack_address(family: int, name: bytes | bytearray) -> Address:
    """The address in a sockaddr."""
    (port,) = struct.unpack_from("!H", name, 2)
    if family == 4:
        return socket.inet_ntop(socket.AF_INET, bytes(name[4:8])), port
    host = socket.inet_ntop(socket.AF_INET6, bytes(name[8:24]))
    (scope,) = struct.unpack_from("@I", name, 24)
    return (f"{host}%{scope}" if scope else host), port
