# SPDX-License-Identifier: GPL-2.0-or-later
"""What is counted: one row per counter, shown by `vosctl status` and on /metrics."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from vosd.rtp.quality import Figures, SentFigures
from vosd.switch.call import Call

#: (kind, name), as `engine.live.Caller.party`
Party: TypeAlias = tuple[str, str]


class Row(NamedTuple):
    """`metric`: its sample on /metrics where `vos_<name>_total` is not it; None: another
    family of /metrics tells the same in more detail."""

    help: str
    metric: str | None = ""


COUNTERS: dict[str, Row] = {
    "call_attempts": Row("INVITEs that were let in", None),
    "calls_answered": Row("calls whose answer was recorded and passed on", None),
    "calls_refused": Row("calls turned away before any route was tried", "vos_call_refused_total"),
    "calls_failed": Row("calls that ended unanswered after a route was tried", None),
    "auth_challenges": Row("requests answered 401 or 407"),
    "sip_withheld": Row("refusals not sent to strangers whose requests were too small for them"),
    "auth_suspensions": Row("sources suspended after too many wrong credentials"),
    "auth_failures": Row("wrong credentials for a nonce of ours"),
    "registers": Row("REGISTER requests"),
    "options": Row("OPTIONS requests outside calls"),
    "keepalives_sent": Row("packets that hold the NATs of phones open"),
    "keepalives_unanswered": Row("of these, questions no phone answered"),
    "vendor_registers": Row("REGISTER requests of ours to vendors"),
    "vendor_register_failures": Row("of these, refused or unanswered"),
    "sip_malformed": Row("datagrams that were no usable SIP", "vos_sip_parse_errors_total"),
    "sip_unsent": Row("SIP messages the system would not send"),
    "connections_accepted": Row("TCP and TLS connections taken from peers"),
    "connections_opened": Row("TCP and TLS connections made to peers"),
    "connections_failed": Row("TCP and TLS connections that never came to stand"),
    "connections_idle": Row("connections closed for silence or a message that never ended"),
    "connections_evicted": Row("connections closed to make room for newer ones"),
    "connections_refused": Row("connections refused: no room, or handshakes above the share"),
    "connections_unread": Row("connections closed because a stranger's message was not read"),
    "internal_errors": Row("mistakes of ours: each is in the log with its traceback"),
    "overload_rejects": Row("new calls refused because they waited too long to be read"),
    "overload_drops": Row("messages not read: of strangers above their share, or no room to wait"),
    "rtp_timeouts": Row("calls ended because one side fell silent"),
    "rtp_foreign": Row("sides on which packets of a stranger were dropped"),
    "rtp_packets_in": Row("RTP packets of calls that ended, taken and sent",
                          'vos_rtp_packets_total{dir="in"}'),
    "rtp_packets_out": Row("RTP packets of calls that ended, sent",
                           'vos_rtp_packets_total{dir="out"}'),
    "rtp_lost": Row("RTP packets that never came, of calls that ended"),
    "rtp_wrong_source": Row("RTP packets of strangers, of calls that ended"),
    "records_refused": Row("calls refused because no record could be written"),
    "hep_sent": Row("SIP messages copied to the HEP collector"),
    "hep_dropped": Row("SIP messages the HEP collector's socket would not take"),
}  # fmt: skip

#: first octets of a request -> the method it is counted as
_METHODS = {
    method.ljust(4)[:4].encode(): method
    for method in (
        "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "UPDATE", "PRACK", "INFO",
        "REFER", "MESSAGE", "NOTIFY", "SUBSCRIBE", "PUBLISH",
    )
}  # fmt: skip
_CLASSES = {str(n).encode(): f"{n}xx" for n in range(1, 7)}
_OTHER = b""


class MessageCounts:
    """SIP messages one way: requests by method, responses by class, the rest together."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts = dict.fromkeys((*_METHODS, *_CLASSES, _OTHER), 0)

    def add(self, data: bytes) -> None:
        key = data[:4]
        if key == b"SIP/":
            key = data[8:9]
        try:
            self._counts[key] += 1
        except KeyError:
            self._counts[_OTHER] += 1

    def items(self) -> list[tuple[str, int]]:
        names = _METHODS | _CLASSES | {_OTHER: "other"}
        return [(names[key], count) for key, count in self._counts.items()]


class Histogram:
    """Observations in buckets; `bounds` are upper ones, inclusive, infinity is implied."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Counters:
    """Plain integers, all of the table from the start, and what has labels of its own."""

    __slots__ = ("durations", "failed", "jitter", "post_dial", "received", "sent", "trunks",
                 "values")  # fmt: skip

    def __init__(self) -> None:
        self.values = dict.fromkeys(COUNTERS, 0)
        self.received = MessageCounts()
        self.sent = MessageCounts()
        #: (attempts, answered) by gateway name and direction; phones have the name ""
        self.trunks: dict[tuple[str, str], list[int]] = {}
        #: unanswered calls by the class of the code the caller got
        self.failed = dict.fromkeys(("3xx", "4xx", "5xx", "6xx"), 0)
        #: seconds; the bounds operators of telephone networks look at
        self.post_dial = Histogram((0.1, 0.2, 0.5, 1, 2, 5, 10))
        self.durations = Histogram((10, 30, 60, 180, 600, 1800, 3600))
        self.jitter = Histogram((0.005, 0.01, 0.02, 0.03, 0.05, 0.1))

    def add(self, name: str) -> None:
        self.values[name] += 1

    def attempt(self, party: Party, direction: str) -> None:
        """A call came from, or was sent to, a gateway or phone."""
        self._trunk(party, direction)[0] += 1

    def answered(self, caller: Party, callee: Party | None) -> None:
        """A call's answer was recorded and passed on."""
        self.add("calls_answered")
        self._trunk(caller, "in")[1] += 1
        if callee is not None:
            self._trunk(callee, "out")[1] += 1

    def _trunk(self, party: Party, direction: str) -> list[int]:
        kind, name = party
        key = (name if kind == "gateway" else ""), direction
        return self.trunks.setdefault(key, [0, 0])

    def ended(self, call: Call) -> None:
        """How long a call took to ring and how long it lasted, or what refused it."""
        heard = call.ringing_at or call.answered_at
        if heard is not None:
            self.post_dial.observe(max(0.0, heard - call.started_at))
        if call.answered_at is not None:
            self.durations.observe(call.duration)
            return
        code = f"{call.sip_code // 100}xx"
        if code in self.failed:
            self.failed[code] += 1

    def stream(self, received: Figures, sent: SentFigures) -> None:
        """The final figures of one side of a call."""
        values = self.values
        values["rtp_packets_in"] += received.packets
        values["rtp_packets_out"] += sent.packets
        values["rtp_lost"] += received.lost or 0
        values["rtp_wrong_source"] += received.wrong_source
        if received.jitter_ms is not None:
            self.jitter.observe(received.jitter_ms / 1000)
