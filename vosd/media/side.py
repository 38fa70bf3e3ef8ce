# SPDX-License-Identifier: GPL-2.0-or-later
"""One party's media: its port pair, whom it is heard from, where it is sent, how it fares.

A party not behind NAT gets its media at the address its SDP names, always. A party behind NAT
gets it at the source its own media was learned from; until then at the SDP address if that is
public, and nowhere (counted as dropped) if it is private, for a private address seen from here
is somebody else's. RTCP follows: it must come from the RTP's host, and from one port of it.
"""

from __future__ import annotations

import typing
from collections.abc import Collection, Mapping

from vosd.media.latch import Held, Latch, sendable
from vosd.media.relay import UNCOUNTED, Address, Letter, Tap
from vosd.rtp import packet, rtcp
from vosd.rtp.quality import Counters, Figures, RemoteView, SentFigures
from vosd.switch.media_policy import is_private

if typing.TYPE_CHECKING:
    from vosd.media.session import MediaSession


class Side:
    """One party's media as the switch sees it."""

    __slots__ = (
        "_armed",
        "_final",
        "_heard_at",
        "_heard_packets",
        "_latch",
        "_named_rtcp",
        "_reported_foreign",
        "_rtcp",
        "_rtp",
        "_session",
        "_settled",
        "_timed_out",
        "direction",
        "family",
        "foreign",
        "letter",
        "local",
        "local_rtcp",
        "rtcp_source",
        "view",
    )

    def __init__(self, session: MediaSession, letter: Letter, family: int) -> None:
        self._session = session
        self.letter = letter
        self.direction = "sendrecv"
        self._latch = Latch()
        self._armed = False
        #: figures of an ended call; everything else is let go of then
        self._final: tuple[Figures, SentFigures] | None = None
        self._take(family)
        self._clear(0.0)

    def _take(self, family: int) -> None:
        self._rtp, self._rtcp, host = self._session.engine.take(family)
        #: 4 or 6
        self.family = family
        self._rtp.begin(self, Counters())
        self._rtcp.begin(self, UNCOUNTED)
        #: what the switch writes into SDP towards this party
        self.local: Address = (host, self._rtp.port)
        self.local_rtcp: Address = (host, self._rtcp.port)

    def _clear(self, now: float) -> None:
        self._named_rtcp: Address | None = None
        #: where the party's RTCP comes from, once known
        self.rtcp_source: Address | None = None
        #: where the last RTP came from that was not the party's
        self.foreign: Address | None = None
        #: what the party's RTCP says
        self.view = RemoteView()
        self._reported_foreign = self._timed_out = False
        self._heard_at, self._heard_packets, self._settled = now, 0, 0

    @property
    def closed(self) -> bool:
        """Whether the call is over; then signalling and time change nothing any more."""
        return self._final is not None

    @property
    def source(self) -> Address | None:
        """Where the party's RTP comes from, None until that is settled."""
        return self._latch.locked

    @property
    def destination(self) -> Address | None:
        """Where the party's RTP is sent now."""
        return None if self.closed else self._rtp.destination

    # What signalling says.

    def aim(
        self,
        remote: Address | None,
        rtcp: Address | None,
        *,
        nat: bool,
        direction: str,
        clock_rates: Mapping[int, int],
        now: float,
        telephone_events: Collection[int] = (),
        near: str | None = None,
    ) -> None:
        """Take the party's SDP: where it wants media, and which way it may flow.

        `rtcp` None means the port after `remote`'s. `clock_rates` and `telephone_events` name
        the dynamic payload types the party may send. `near`, a host, restricts whom a NATed
        party's media may be learned from to that host's /24 or /64. Port 0 and the unspecified
        address name no destination. Raises ValueError for a host that is no address of this
        side's family, or one of the session's own ports; an unfit `rtcp` counts as none.
        """
        if self.closed:
            return
        engine = self._session.engine
        remote = self._checked(remote)
        rtcp = self._checked_rtcp(rtcp or (remote and (remote[0], remote[1] + 1)))
        if remote is None:
            rtcp = None
        self.direction = direction
        self._latch.lock_after = engine.config.lock_after
        self._latch.aim(remote, nat=nat, near=near, window_ends=now + engine.config.learn_window_s)
        if rtcp != self._named_rtcp or self._latch.locked is None:
            self._named_rtcp, self.rtcp_source = rtcp, None
        self._rtp.counters.agree(clock_rates, telephone_events)
        self._reported_foreign = self._timed_out = False
        self._settled = self._rtp.counters.packets
        self._heard_at = now
        self._steer()

    def _checked(self, address: Address | None) -> Address | None:
        if address is None or address[1] == 0:
            return None
        host, port = address
        try:
            fine = sendable(host)
        except ValueError:
            raise ValueError(f"cannot send media to {host!r}: give a numeric address") from None
        if (6 if ":" in host else 4) != self.family:
            raise ValueError(f"cannot send media to {host}: this side is IPv{self.family}")
        if not 0 < port < 65536:
            raise ValueError(f"cannot send media to {host} port {port}: give 1-65535")
        if self._session.owns(address):
            raise ValueError(f"cannot send media to {host}:{port}: it is the call's own port")
        return address if fine else None

    def _checked_rtcp(self, address: Address | None) -> Address | None:
        """A call is not refused for want of a place to send RTCP."""
        try:
            return self._checked(address)
        except ValueError:
            return None

    def signalled(self, now: float) -> None:
        """Signalling went on (our SDP went out, an answer came): learn anew if not locked."""
        if not self.closed and self._latch.locked is None:
            self._latch.reopen(now + self._session.engine.config.learn_window_s)

    def expect_media(self, now: float) -> None:
        """The call is answered: from now on this side's silence is an event."""
        self._armed = True
        self._heard_at = now
        self.signalled(now)

    def reset(self, now: float) -> None:
        """Forget the party and its figures: the next route is tried on the same ports."""
        if self.closed:
            return
        self._latch = Latch()
        self._armed = False
        self._rtp.begin(self, Counters())
        self._clear(now)
        self._steer()

    def _steer(self) -> None:
        relay, latch = self._session.engine.relay, self._latch
        relay.steer(self._rtp, latch.locked, self._where())
        relay.steer(self._rtcp, None, self._where_rtcp())

    def _where(self) -> Address | None:
        latch = self._latch
        if not latch.nat:
            return latch.remote
        return latch.locked or _public(latch.remote)

    def _where_rtcp(self) -> Address | None:
        if not self._latch.nat:
            return self._named_rtcp
        return self.rtcp_source or _public(self._named_rtcp)

    # What comes in.

    def strange(self, tap: Tap, data: bytes, source: Address, arrival: int, tos: int) -> None:
        """A datagram the relay left to us."""
        if tap is self._rtcp:
            self._report(data, source, arrival, tap)
            return
        header = packet.parse(data)
        if source == self._latch.locked:
            self._odd(header, data, source, arrival, tos)
        elif header is None:
            if self._named(source):
                self._odd(None, data, source, arrival, tos)
            else:
                self._foreign(source)
        else:
            self._judge(header, Held(data, arrival, tos), source)

    def _named(self, source: Address) -> bool:
        return self._latch.remote is not None and source[0] == self._latch.remote[0]

    def _odd(
        self,
        header: packet.Packet | None,
        data: bytes,
        source: Address,
        arrival: int,
        tos: int,
    ) -> None:
        """From the party itself, and yet not forwarded: RTCP on the RTP port, or noise."""
        if header is not None:
            self._forward(Held(data, arrival, tos))
        elif len(data) >= 4 and packet.is_rtcp(data[1]):
            self._report(data, source, arrival, self._rtp)
        else:
            self._rtp.counters.malformed += 1

    def _judge(self, header: packet.Packet, held: Held, source: Address) -> None:
        latch, now = self._latch, self._session.engine.monotonic()
        if latch.locked and (
            now > latch.window_ends or self._rtp.counters.packets != self._settled
        ):
            self._foreign_audio(source)
            return
        was = latch.locked
        verdict, before = latch.judge(source, header.sequence, header.ssrc, held, now)
        if verdict == "foreign":
            self._foreign_audio(source)
            return
        if verdict == "hold":
            return
        if verdict == "lock":
            self.rtcp_source = None
            self._steer()
            detail = _text(source) if was is None else f"{_text(source)}, was {_text(was)}"
            self._session.tell("latched", self.letter, detail)
            if self.closed:
                return
        for each in (*before, held):
            self._forward(each)

    def _forward(self, held: Held) -> None:
        header = packet.parse(held.data)
        if header is None:
            return
        self._rtp.counters.fold(
            held.arrival,
            header.sequence,
            header.timestamp,
            header.ssrc,
            header.payload_type,
            len(held.data),
            held.tos,
        )
        if self._rtp.out:
            self._session.engine.relay.send(self._rtp.out, held.data, held.arrival)

    def _foreign_audio(self, source: Address) -> None:
        self.foreign = source
        self._foreign(source)

    def _foreign(self, source: Address) -> None:
        self._rtp.counters.wrong_source += 1
        if not self._reported_foreign:
            self._reported_foreign = True
            self._session.tell("foreign_source", self.letter, _text(source))

    def _report(self, data: bytes, source: Address, arrival: int, tap: Tap) -> None:
        """RTCP: must come from the RTP's host, and from one port of it once that is known."""
        if not self._may_report(source):
            self._foreign(source)
            return
        if len(data) < 8 or data[0] & 0xC0 != 0x80 or not packet.is_rtcp(data[1]):
            self._rtp.counters.malformed += 1
            return
        if tap is self._rtcp and self.rtcp_source is None and self._latch.locked:
            self.rtcp_source = source
            self._steer()
        self._rtp.counters.rtcp_packets += 1
        other = self._session.other(self)
        at = int(self._session.engine.wall() * 1e9)
        sent = tap.out is not None and self._session.engine.relay.send(tap.out, data, at)
        compound = rtcp.parse(data)
        if compound is None:
            return
        self.view.reported(compound, other._rtp.counters.sequence.run.ssrc, arrival)
        if sent:
            other.view.relayed(compound, at)

    def _may_report(self, source: Address) -> bool:
        if self.rtcp_source is not None:
            return source == self.rtcp_source or source == self._latch.locked
        if self._latch.locked is not None:
            return source[0] == self._latch.locked[0]
        return source == self._named_rtcp or source == self._latch.remote

    # What there is to show.

    def received(self) -> Figures:
        """The stream this party sends us."""
        if self._final:
            return self._final[0]
        counters = self._session.engine.relay.figures(self._rtp)
        source = self._latch.locked
        return counters.figures(_text(source) if source else None)

    def sent(self) -> SentFigures:
        """The stream we send this party."""
        if self._final:
            return self._final[1]
        relay, tap = self._session.engine.relay, self._rtp
        relay.figures(tap)
        figures = SentFigures(
            packets=tap.sent,
            octets=tap.sent_octets,
            dropped=tap.dropped,
            dscp=tap.dscp,
            destination=_text(tap.destination) if tap.destination else None,
            last_at=tap.sent_at / 1e9 if tap.sent_at else None,
        )
        self.view.describe(figures, relay.figures(self._session.other(self)._rtp))
        return figures

    # Time.

    def watch(self, now: float, timeout_s: float, stepped: bool) -> None:
        """Report silence of a party that should send (MP-10, D76), once per silence.

        `stepped`: the wall clock was set, which is no gap in the stream.
        """
        if self.closed:
            return
        if stepped:
            self._rtp.counters.resync()
        packets = self._session.engine.relay.figures(self._rtp).packets
        if packets != self._heard_packets:
            self._heard_packets, self._heard_at, self._timed_out = packets, now, False
        elif self._armed and not self._timed_out and self.direction in ("sendrecv", "sendonly"):
            silent = now - self._heard_at
            if 0 < timeout_s <= silent:
                self._timed_out = True
                self._session.tell("rtp_timeout", self.letter, f"no RTP for {silent:.0f} s")

    def taps(self) -> tuple[Tap, Tap]:
        """RTP and RTCP port."""
        return self._rtp, self._rtcp

    def rehome(self, family: int, now: float) -> None:
        """Change to ports of another address family, as a reset; raises NoPorts."""
        if self.closed:
            return
        old = self.taps()
        self._take(family)
        self._session.engine.release(old, now)
        self.reset(now)
        self._session.join()

    def settle(self) -> None:
        """Make the figures final."""
        self._final = self.received(), self.sent()

    def close(self, now: float) -> None:
        """Give the ports back and let go of the session, so that it is freed at once."""
        self._session.engine.release(self.taps(), now)
        del self._session, self._rtp, self._rtcp


def _public(address: Address | None) -> Address | None:
    return address if address and not is_private(address[0]) else None


def _text(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
