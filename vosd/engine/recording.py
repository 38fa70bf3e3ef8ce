# SPDX-License-Identifier: GPL-2.0-or-later
"""One trace: what it looks for, and the messages it has kept."""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from vosd.engine.live import LiveCall, endpoint_text
from vosd.sip.errors import SipParseError
from vosd.sip.message import Message
from vosd.sip.parse import parse
from vosd.switch.leg import callee_of, caller_of
from vosd.wire.traces import TraceMessage, TraceView

#: memory a kept message takes beside its octets, about
OVERHEAD = 400


class Seen:
    """A message on its way in or out; shared by the traces that keep it."""

    __slots__ = ("at", "call", "call_id", "data", "here", "inward", "leg", "there", "transport")

    def __init__(
        self,
        at: float,
        inward: bool,
        transport: str,
        here: tuple[str, int],
        there: tuple[str, int],
        data: bytes,
        call_id: str,
    ) -> None:
        self.at = at
        self.inward = inward
        self.transport = transport
        self.here = here
        self.there = there
        self.data = data
        self.call_id = call_id
        #: the switch's id of the call, and the leg; "" while not known
        self.call = ""
        self.leg: Literal["a", "b", ""] = ""

    @property
    def source(self) -> tuple[str, int]:
        return self.there if self.inward else self.here

    @property
    def destination(self) -> tuple[str, int]:
        return self.here if self.inward else self.there

    @property
    def cost(self) -> int:
        return len(self.data) + OVERHEAD

    def view(self) -> TraceMessage:
        shown = TraceMessage(
            at=self.at,
            direction="in" if self.inward else "out",
            transport=self.transport,
            source=endpoint_text(self.source),
            destination=endpoint_text(self.destination),
            call=self.call,
            leg=self.leg,
        )
        try:
            shown.text = self.data.decode()
        except UnicodeDecodeError:
            shown.data = self.data
        return shown


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What a trace looks for; all that is given must match, numbers from their start."""

    caller: str = ""
    callee: str = ""
    gateway: str = ""
    #: the switch's id of one call
    call: str = ""

    @property
    def everything(self) -> bool:
        return not (self.caller or self.callee or self.gateway or self.call)

    def wants_call(self, live: LiveCall) -> bool:
        call = live.call
        parties = {name for kind, name in (live.caller.party, live.route_party or ("", ""))
                   if kind == "gateway"}  # fmt: skip
        return (
            (not self.call or call.id == self.call)
            and call.caller.startswith(self.caller)
            and call.callee.startswith(self.callee)
            and (not self.gateway or self.gateway in parties)
        )

    def wants_stray(self, data: bytes, at_gateway: bool) -> bool:
        """A message of no call; `at_gateway`: it came from or goes to the gateway wanted."""
        if self.call or (self.gateway and not at_gateway):
            return False
        if not (self.caller or self.callee):
            return True
        try:
            message = parse(data)
        except SipParseError:
            return False
        callee = callee_of(message) if message.method == "INVITE" and message.uri else _to(message)
        return caller_of(message)[0].startswith(self.caller) and callee.startswith(self.callee)


def _to(message: Message) -> str:
    party = message.to
    user = party.uri.user if party is not None and party.uri is not None else None
    return (user or "").removeprefix("+")


class Recording:
    """A trace that runs or ran; it lives in memory and nowhere else."""

    def __init__(self, id_: str, filter_: Filter, started_at: float, until: float,
                 deadline: float) -> None:  # fmt: skip
        """`started_at` and `until` are Unix seconds, `deadline` a monotonic one."""
        self.id = id_
        self.filter = filter_
        self.started_at = started_at
        self.until = until
        self.deadline = deadline
        self.ended: Literal["", "time", "stopped"] = ""
        self.messages: deque[Seen] = deque()
        #: ids of the calls that matched
        self.calls: set[str] = set()
        self.octets = 0
        self.dropped = 0

    def keep(self, seen: Seen, limit: int) -> None:
        """Take a message in; the oldest go once `limit` octets are passed."""
        self.messages.append(seen)
        self.octets += seen.cost
        while self.octets > limit and len(self.messages) > 1:
            self.let_go()

    def let_go(self) -> None:
        """Forget the oldest message, and count it."""
        self.octets -= self.messages.popleft().cost
        self.dropped += 1

    def view(self) -> TraceView:
        return TraceView(
            id=self.id,
            state="ended" if self.ended else "running",
            caller=self.filter.caller,
            callee=self.filter.callee,
            gateway=self.filter.gateway,
            call=self.filter.call,
            started_at=self.started_at,
            until=self.until,
            ended=self.ended,
            calls=len(self.calls),
            messages=len(self.messages),
            octets=self.octets,
            dropped=self.dropped,
        )
