# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages out of a stream (RFC 3261 18.3), without input or output of its own.

A stream has no datagram borders: Content-Length alone tells where a message ends, so it is
mandatory here, and one that is missing or cannot be trusted ends the stream: nobody knows any more
where the next message begins. Between messages stand keep-alives: a double CRLF asks for a single
one (RFC 5626 4.4.1). Octets are looked at once, however few come at a time.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from vosd.sip.grammar import MAX_LINE, MAX_MESSAGE

_END: Final = b"\r\n\r\n"
_LINE: Final = b"\r\n"
PONG: Final = _LINE
#: the value with its continuation lines; two readers must not find two lengths
_lengths = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE
).findall


class Frame(NamedTuple):
    """A whole `message`, a `ping` that wants PONG, or what is `broken` and cannot go on.

    `code` and `reason` are the refusal of what is broken, whose head is `data`.
    """

    kind: Literal["message", "ping", "broken"]
    data: bytes = b""
    code: int = 0
    reason: str = ""


PING: Final = Frame("ping")


class Framer:
    """The receiving half of one connection."""

    __slots__ = ("_buffer", "_line", "_need", "_seen", "broken")

    def __init__(self) -> None:
        self._buffer = bytearray()
        #: how far the head was searched for its end, and where its last line began
        self._seen = self._line = 0
        #: octets of the message whose head is complete, 0 before
        self._need = 0
        #: nothing more can be read
        self.broken = False

    @property
    def begun(self) -> bool:
        """A message has begun and is not whole."""
        return bool(self._need or self._seen)

    def feed(self, data: bytes) -> list[Frame]:
        """Take octets; the frames they complete, in order. After a broken one nothing is read."""
        frames: list[Frame] = []
        if self.broken:
            return frames
        self._buffer += data
        while frame := self._next():
            frames.append(frame)
            if frame.kind == "broken":
                self.broken = True
                self._buffer.clear()
                break
        return frames

    def _next(self) -> Frame | None:
        if self._need:
            return self._whole()
        if self._buffer[:1] == b"\r":
            if self._buffer.startswith(_END):
                self._drop(len(_END))
                return PING
            if _END.startswith(self._buffer):
                return None
            if self._buffer.startswith(_LINE):
                self._drop(len(_LINE))  # 7.5: in front of a start line it means nothing
                return self._next()
        return self._head() if self._buffer else None

    def _head(self) -> Frame | None:
        buffer = self._buffer
        end = buffer.find(_END, max(self._seen - 3, 0))
        if end < 0:
            line = buffer.rfind(_LINE, max(self._seen - 1, 0))
            if line >= 0:
                self._line = line + 2
            self._seen = len(buffer)
            if self._seen - self._line > MAX_LINE:
                return Frame("broken", bytes(buffer[: self._line]), 513,
                             f"cannot take a line over {MAX_LINE} octets")  # fmt: skip
            if self._seen > MAX_MESSAGE:
                return self._too_large(self._line)
            return None
        head = end + len(_END)
        length = _length(bytes(buffer[:end]))
        if isinstance(length, str):
            return Frame("broken", bytes(buffer[:head]), 400, length)
        if head + length > MAX_MESSAGE:
            return self._too_large(head)
        self._need = head + length
        return self._whole()

    def _too_large(self, head: int) -> Frame:
        return Frame("broken", bytes(self._buffer[:head]), 513,
                     f"cannot take a message over {MAX_MESSAGE} octets")  # fmt: skip

    def _whole(self) -> Frame | None:
        if len(self._buffer) < self._need:
            return None
        message = bytes(self._buffer[: self._need])
        self._drop(self._need)
        return Frame("message", message)

    def _drop(self, octets: int) -> None:
        del self._buffer[:octets]
        self._seen = self._line = self._need = 0


def _length(head: bytes) -> int | str:
    """Content-Length of a head, or why it has none that can be trusted (RFC 3261 20.14)."""
    values = {value.strip() for value in _lengths(head)}
    if not values:
        return "cannot find Content-Length, which a stream needs"
    text = values.pop()
    if values or not text.isdigit() or len(text) > 64:
        return f"cannot read Content-Length {text[:32].decode('latin-1')!r}"
    return int(text)
