# SPDX-License-Identifier: GPL-2.0-or-later
"""What a session asks of a relay, whichever carries the packets.

A relay has taps. A tap is one UDP port of a call; two taps joined carry a stream each way. The
relay forwards what comes from a tap's steered source by itself and folds it into the tap's
counters; everything else (an unknown source, RTCP, what is no RTP) it hands to the tap's owner,
who alone decides who may be heard and where to send.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypeAlias

from vosd.rtp.quality import Counters

Address: TypeAlias = tuple[str, int]
#: a is the calling side, b the called side
Letter: TypeAlias = Literal["a", "b"]
#: of ports whose packets no relay folds (RTCP, or in no call)
UNCOUNTED = Counters()


class Receiver(Protocol):
    """Owner of a tap."""

    def strange(self, tap: Tap, data: bytes, source: Address, arrival: int, tos: int) -> None:
        """A datagram the relay does not forward by itself; arrival in ns of the wall clock."""


class Tap:
    """One UDP port of a call; written by its session through the relay's verbs."""

    __slots__ = (
        "counters",
        "destination",
        "dropped",
        "dscp",
        "expected",
        "family",
        "handle",
        "host",
        "inbox",
        "out",
        "owner",
        "port",
        "sent",
        "sent_at",
        "sent_octets",
        "transmit",
    )

    def __init__(self, family: int, host: str, port: int) -> None:
        #: 4 or 6
        self.family = family
        self.host = host
        self.port = port
        self.owner: Receiver | None = None
        #: what came in from the steered source
        self.counters = UNCOUNTED
        #: the tap whose port forwards what comes in here
        self.out: Tap | None = None
        #: where what leaves here goes; None: nowhere yet
        self.destination: Address | None = None
        self.sent = self.sent_octets = self.dropped = 0
        #: wall clock in ns, 0 when nothing was sent
        self.sent_at = 0
        self.dscp = 0
        #: the relay's own: socket, steered source as it compares it, send call, buffers
        self.handle: Any = None
        self.expected: Any = None
        self.transmit: Any = None
        self.inbox: Any = None

    def begin(self, owner: Receiver, counters: Counters) -> None:
        """Count from nothing for a new owner."""
        self.owner, self.counters = owner, counters
        self.sent = self.sent_octets = self.dropped = self.sent_at = 0


class Relay(Protocol):
    """The verbs."""

    #: "userspace" or "kernel"
    name: str

    def open(self, family: int, host: str, port: int, dscp: int) -> Tap:
        """Bind host:port (family 4 or 6); raises OSError."""

    def close(self, tap: Tap) -> None:
        """Give the port back to the system."""

    def join(self, one: Tap, other: Tap) -> None:
        """What comes in at either leaves through the other."""

    def part(self, tap: Tap) -> None:
        """Forget everything of the call; the port stays open and hands all to its owner."""

    def steer(self, tap: Tap, source: Address | None, destination: Address | None) -> None:
        """Forward what `source` sends to `tap`; send what leaves `tap` to `destination`."""

    def send(self, tap: Tap, data: bytes, at: int) -> bool:
        """Send one datagram out of `tap` to its destination and count it; False when dropped."""

    def mark(self, tap: Tap, dscp: int) -> None:
        """Set the DSCP (0-63) of what leaves `tap`."""

    def figures(self, tap: Tap) -> Counters:
        """The tap's counters, brought up to date."""
