# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace as ladders: time, side A, the switch, side B, and what is to be seen of session timers.

Plain ASCII lines of a given width. Everything taken from messages is escaped here, before widths
are counted.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from vosctl.console import Cell, Text, escape, shorten
from vosctl.figures import count
from vosctl.timersigns import Parsed, marks, verdict
from vosd.sip.errors import SipParseError
from vosd.sip.message import Message
from vosd.sip.parse import parse
from vosd.wire.traces import TraceMessage

_STAMP = 12
#: an arrow needs this much to say anything
_LEAST = 16


class Read(NamedTuple):
    """A message of the trace; `sip` None when it cannot be read, `problem` says why."""

    message: TraceMessage
    sip: Message | None
    problem: str = ""


def ladders(messages: Iterable[TraceMessage], width: int) -> Iterator[Text]:
    """A ladder for each call, and for each exchange of messages outside calls, oldest first."""
    groups: dict[str, list[Read]] = {}
    for message in messages:
        read = _read(message)
        key = message.call or (read.sip.call_id if read.sip else "") or _remote(message)
        groups.setdefault(key, []).append(read)
    for index, (key, group) in enumerate(groups.items()):
        if index:
            yield ""
        yield from _ladder(key, group, width)


def _read(message: TraceMessage) -> Read:
    try:
        return Read(message, parse(message.octets))
    except SipParseError as error:
        return Read(message, None, error.reason)


def _ladder(key: str, group: Sequence[Read], width: int) -> Iterator[Text]:
    call = group[0].message.call
    days = time.strftime("%Y-%m-%d", time.localtime(group[0].message.at))
    head = f"call {call}" if call else f"outside calls, {escape(key)}"
    yield Cell(f"{head}{_parties(group[0])}, {days}, {count(len(group), 'message')}", "head")
    span = max(_LEAST, (width - _STAMP - 4) // 2)
    lanes = _Lanes(group, span)
    yield from lanes.heads()
    seen: dict[tuple[str, str, bytes], int] = {}
    for read in group:
        message = read.message
        same = message.source, message.destination, message.octets
        seen[same] = seen.get(same, 0) + 1
        yield from lanes.rows(read, seen[same])
    for leg in ("a", "b"):
        parsed = [Parsed(message, sip) for message, sip, _ in group if message.leg == leg and sip]
        for line in verdict(parsed):
            text = escape(f"leg {leg}: {line}")
            yield from textwrap.wrap(text, max(40, width), subsequent_indent="  ")


class _Lanes:
    """Left the calling side, right the called one; a lane's far end may change (hunting)."""

    def __init__(self, group: Sequence[Read], span: int) -> None:
        self._span = span
        self._blank = " " * span
        first: dict[bool, TraceMessage] = {}
        for each in group:
            first.setdefault(_right(each.message), each.message)
        self._ends = {right: _remote(message) for right, message in first.items()}
        self._ours = _here(group[0].message)

    def heads(self) -> Iterator[str]:
        """Who stands at the top of each line."""
        a, b = (f"{letter} {end}" if end else "" for letter, end in
                (("A", self._ends.get(False)), ("B", self._ends.get(True))))  # fmt: skip
        ours, indent, room = f"vosd {self._ours}", " " * (_STAMP + 1), 2 * self._span + 3
        middle = f"{ours:^{room - 2 * max(len(a), len(b))}}"
        if len(a) + len(middle) + len(b) <= room and len(middle) > len(ours) + 1:
            both = max(len(a), len(b))
            yield f"{indent}{a:<{both}}{middle}{b:>{both}}".rstrip()
        else:
            yield from (f"{indent}{name}" for name in (a, ours, b) if name)

    def rows(self, read: Read, times: int) -> Iterator[Text]:
        """The arrow of a message and the lines beneath it."""
        message = read.message
        right = _right(message)
        end = _remote(message)
        if end != self._ends[right]:
            self._ends[right] = end
            yield self._line("", f"{'B' if right else 'A'} is now {end}".center(self._span), right)
        whole, micros = divmod(round(message.at * 1_000_000), 1_000_000)
        stamp = f"{time.strftime('%H:%M:%S', time.localtime(whole))}.{micros // 1000:03}"
        text = _label(read) + (f" (again {times - 1})" if times > 1 else "")
        arrow = self._arrow(text, right == (message.direction == "out"))
        bad = read.sip is None or read.sip.code >= 400
        yield Cell(self._line(stamp, arrow, right), "bad" if bad else "dim" if times > 1 else "")
        notes = [read.problem] if read.sip is None else marks(read.sip) if times == 1 else []
        for note in notes:
            for line in _cut(escape(note), self._span - 2):
                text = self._line("", f" {line}".ljust(self._span), right)
                yield Cell(text, "good" if read.sip else "warn")

    def _arrow(self, text: str, rightward: bool) -> str:
        text = shorten(text, self._span - 4)
        body = f" {text} ".center(self._span - 1, "-")
        return f"{body}>" if rightward else f"<{body}"

    def _line(self, stamp: str, text: str, right: bool) -> str:
        lanes = (self._blank, text) if right else (text, self._blank)
        return f"{stamp:<{_STAMP}} |{lanes[0]}|{lanes[1]}|"


def _parties(read: Read) -> str:
    sip = read.sip
    caller = sip.from_.uri if sip and sip.from_ else None
    callee = sip.to.uri if sip and sip.to else None
    if caller is None or callee is None:
        return ""
    return escape(f", {caller.user or caller.host} to {callee.user or callee.host}")


def _label(read: Read) -> str:
    sip = read.sip
    if sip is None:
        first = read.message.octets.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
        return f"unreadable: {escape(first)}"
    sdp = " SDP" if sip.content_type == "application/sdp" and sip.body else ""
    if sip.is_request:
        return escape(sip.method) + sdp
    of = f" {sip.method}" if sip.method != "INVITE" else ""
    return escape(f"{sip.code} {sip.reason}{of}") + sdp


def _right(message: TraceMessage) -> bool:
    """The lane: leg b, and what the switch asks outside calls, is on the right."""
    return message.leg == "b"


def _remote(message: TraceMessage) -> str:
    return escape(message.source if message.direction == "in" else message.destination)


def _here(message: TraceMessage) -> str:
    return message.destination if message.direction == "in" else message.source


def _cut(text: str, room: int) -> Iterator[str]:
    """Lines of at most `room`, broken behind a semicolon or space where there is one."""
    while len(text) > room:
        at = max(text.rfind(";", 0, room), text.rfind(" ", 0, room)) + 1 or room
        yield text[:at].rstrip()
        text = f"  {text[at:]}"
    yield text
