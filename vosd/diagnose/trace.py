# SPDX-License-Identifier: GPL-2.0-or-later
"""A call's evidence made ready for the rules: both legs, the four streams, what is expected.

The streams are A to the switch, the switch to B, B to the switch, the switch to A. Inward ones
are measured here; of outward ones only the party's RTCP knows. A relay changes no sequence
number, so a party's report covers both hops: what the first hop lost must be taken off (D16).
"""

from __future__ import annotations

import msgspec

from vosd.diagnose.bands import Profile
from vosd.switch.media_policy import is_private
from vosd.switch.reasons import REASONS, Reason
from vosd.wire.diagnosis import Confidence, Severity
from vosd.wire.records import CallView, LegView, Received, Sent

#: fewer packets than this (2 s of 20 ms packets) are too few to speak of percent
ENOUGH_PACKETS = 100
#: an answered call shorter than this is not judged for silence: latching takes up to 3 s
ENOUGH_SECONDS = 5.0


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """How the switch is set now, seconds, 0 for never; defaults are those of the parameters."""

    ttl: float = 600.0
    min_se: float = 90.0
    rtp_timeout: float = 30.0
    keepalive: str = "HELLO"
    keepalive_period: float = 30.0
    #: numbers of phones that leave keep-alives unanswered
    unreachable: frozenset[str] = frozenset()


class Evidence(msgspec.Struct):
    """What a rule found: its lines, and what the rule's row leaves open."""

    lines: list[str]
    #: values for the placeholders of the row's texts
    words: dict[str, str] = {}
    severity: Severity | None = None
    confidence: Confidence | None = None
    #: "a", "b", "both" where the row asks about the call
    side: str | None = None
    #: whole texts in place of the row's
    title: str | None = None
    cause: str | None = None
    change: str | None = None
    disproof: str | None = None
    #: for the worst call of a gateway: the larger the worse
    figure: float = 0.0


class Leg:
    """One side with the other one at hand."""

    __slots__ = ("other", "received", "sent", "side", "view")

    def __init__(self, view: LegView) -> None:
        self.view = view
        self.side = view.side
        self.received: Received | None = view.received
        self.sent: Sent | None = view.sent
        self.other: Leg = self

    @property
    def letter(self) -> str:
        return self.side.upper()

    @property
    def who(self) -> str:
        """`A (gateway acme)`, `B (phone 100)`, or the letter where nothing is known."""
        if not self.view.party:
            return self.letter
        kind = "phone" if self.view.kind == "phone" else "gateway"
        return f"{self.letter} ({kind} {self.view.party})"

    @property
    def party(self) -> str:
        return self.view.party or f"side {self.letter}"

    @property
    def scope(self) -> str:
        """The option that limits `vosctl param set` to this party, "" for a phone."""
        return f" --gateway {self.view.party}" if self.is_gateway else ""

    @property
    def is_gateway(self) -> bool:
        return bool(self.view.party) and self.view.kind != "phone"

    @property
    def encrypted(self) -> bool:
        return "SAVP" in (self.view.profile or "")

    @property
    def speaks_rtp(self) -> bool:
        """False for T.38 and whatever else is no RTP profile; unknown counts as RTP."""
        return (self.view.profile or "RTP/AVP").upper().startswith(("RTP/", "UDP/TLS/RTP"))

    @property
    def may_be_silent(self) -> str | None:
        """Why RFC 3264 lets this side send nothing, or None when it has to send."""
        if self.view.on_hold or self.other.view.on_hold:
            return "on hold"
        if self.view.direction in ("recvonly", "inactive"):
            return f"its SDP says a={self.view.direction}"
        if self.other is not self and self.other.view.direction in ("sendonly", "inactive"):
            return f"{self.other.letter}'s SDP says a={self.other.view.direction}"
        return None

    @property
    def silent(self) -> bool:
        """Not one RTP packet came from it although it is measured."""
        return self.received is not None and self.received.packets == 0

    @property
    def strays(self) -> int:
        """Packets for it that were dropped as coming from elsewhere, where nothing else came."""
        got = self.received
        return got.wrong_source if got is not None and self.silent else 0

    @property
    def flows(self) -> bool:
        return self.received is not None and self.received.packets >= ENOUGH_PACKETS

    @property
    def loss(self) -> float | None:
        """Percent lost between it and the switch; None while too little came."""
        got = self.received
        if got is None or got.expected is None or got.expected < ENOUGH_PACKETS:
            return None
        if got.loss_percent is not None:
            return max(0.0, got.loss_percent)
        return None if got.lost is None else max(0.0, 100 * got.lost / got.expected)

    @property
    def jitter(self) -> float | None:
        got = self.received
        return got.jitter_ms if got is not None and got.packets >= ENOUGH_PACKETS else None

    @property
    def loss_ahead(self) -> float | None:
        """Percent lost between the switch and it: its report less what the other leg lost."""
        sent, before = self.sent, self.other.loss
        if sent is None or sent.packets < ENOUGH_PACKETS or before is None:
            return None
        reported = sent.remote_loss_percent
        return None if reported is None else max(0.0, reported - before)

    @property
    def jitter_ahead(self) -> float | None:
        """Jitter added between the switch and it, at the least: its report less the other leg's."""
        sent, before = self.sent, self.other.jitter
        if sent is None or sent.packets < ENOUGH_PACKETS or before is None:
            return None
        reported = sent.remote_jitter_ms
        return None if reported is None else max(0.0, reported - before)

    @property
    def rtt(self) -> float | None:
        return self.sent.rtt_ms if self.sent is not None else None


class Trace:
    """One call as the rules see it."""

    __slots__ = ("a", "b", "bands", "here", "legs", "reason", "view")

    def __init__(self, view: CallView, bands: Profile, here: Here | None = None) -> None:
        self.view = view
        self.bands = bands
        self.here = here or Here()
        by_side = {leg.side: Leg(leg) for leg in view.legs}
        self.a = by_side.get("a") or Leg(LegView(side="a", party=view.mapping))
        self.b = by_side.get("b") or Leg(LegView(side="b", party=view.routing, kind="routing"))
        self.a.other, self.b.other = self.b, self.a
        self.legs = (self.a, self.b)
        self.reason: Reason | None = REASONS.get(view.end_reason or "")

    @property
    def answered(self) -> bool:
        return self.view.answered_at is not None

    @property
    def lives(self) -> bool:
        return self.view.state == "connected"

    @property
    def now(self) -> float | None:
        """The moment a live call was looked at, Unix seconds."""
        began = self.view.answered_at
        return began + self.view.duration_s if self.lives and began is not None else None

    @property
    def failed(self) -> bool:
        """Ended and never answered."""
        return self.view.state == "ended" and not self.answered

    @property
    def evidence_lost(self) -> bool:
        """Answered, and nothing but the record is left: evidence that was kept has a leg a."""
        return self.view.state == "ended" and self.answered and not self.view.legs

    @property
    def relayed(self) -> bool:
        """Answered with the audio going through the switch: there are figures to judge."""
        return self.answered and self.view.media == "relayed"

    @property
    def long_enough(self) -> bool:
        return self.view.duration_s >= ENOUGH_SECONDS

    @property
    def last_audio(self) -> float | None:
        """Unix time of the last packet from either side."""
        seen = [leg.received.last_at for leg in self.legs if leg.received is not None]
        return max((at for at in seen if at is not None), default=None)

    def streams(self) -> str:
        """The four counts side by side, `?` where nothing was measured."""
        a, b = self.a, self.b
        return (
            f"packets: A to switch {_got(a)}, switch to B {_out(b)}, "
            f"B to switch {_got(b)}, switch to A {_out(a)}"
        )


def _got(leg: Leg) -> str:
    return "?" if leg.received is None else str(leg.received.packets)


def _out(leg: Leg) -> str:
    return "?" if leg.sent is None else str(leg.sent.packets)


def at(address: str | None) -> str:
    """`10.0.0.7:4000 (private)`: the address, and what is special about where it leads."""
    if not address:
        return "nowhere"
    place = standing(address)
    return f"{address} ({place})" if place else address


def standing(address: str | None) -> str:
    """`this host` for loopback, `private` for what the Internet does not route to, else ""."""
    name = host(address)
    if not is_private(name):
        return ""
    return "this host" if name.startswith("127.") or name == "::1" else "private"


def host(address: str | None) -> str:
    """The host of `host:port`, "" for None."""
    return (address or "").rpartition(":")[0].strip("[]")
