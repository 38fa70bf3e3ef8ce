# SPDX-License-Identifier: GPL-2.0-or-later
"""One call's media: what each side said in SDP, what the other side is told instead.

Relayed, each side is shown the switch's address in an otherwise unchanged body; direct, bodies
pass as they are. The media session itself (ports, latching, figures) belongs to `vosd.media`.
"""

from __future__ import annotations

from vosd.media.session import MediaSession
from vosd.media.side import Side
from vosd.sdp import offer
from vosd.sdp.session import Media, SdpError, Session, rewrite
from vosd.switch.events import Leg
from vosd.switch.media_policy import behind_nat


class LegMedia:
    """What one side last said, and the version of what it was last told."""

    __slots__ = ("_audio", "_read", "body", "learn", "nat", "told", "version")

    def __init__(self) -> None:
        #: its last SDP, untouched
        self.body = b""
        #: the other side's body and the port of ours it was last shown
        self.told: tuple[bytes, int] | None = None
        self.version = 0
        #: its source may be learned when it is behind NAT (SS_MEDIA_NAT_LEARN)
        self.learn = True
        self.nat = False
        self._audio: Media | None = None
        #: the body `_audio` was read from
        self._read = b""

    @property
    def audio(self) -> Media | None:
        """The audio stream of the last SDP; None when there is none that can be read."""
        if self._read is not self.body:
            self._read = self.body
            self._audio = audio_of(self.body)
        return self._audio


class Mediation:
    """Media of one call, relayed or direct."""

    __slots__ = ("a", "b", "mode", "session", "session_id", "why")

    def __init__(self) -> None:
        self.a = LegMedia()
        self.b = LegMedia()
        self.session: MediaSession | None = None
        self.session_id = ""
        self.mode = ""
        self.why = ""

    @property
    def relayed(self) -> bool:
        return self.session is not None

    def leg(self, leg: Leg) -> LegMedia:
        return self.a if leg == "a" else self.b

    def side(self, leg: Leg) -> Side | None:
        if self.session is None:
            return None
        return self.session.a if leg == "a" else self.session.b

    def heard(self, leg: Leg, body: bytes, signalling: str, learn: bool, now: float) -> None:
        """Take in the SDP a side sent; SdpError when it cannot be relayed."""
        if not body:
            return
        said = self.leg(leg)
        said.body = body
        if self.session is not None:
            said.learn = learn
            self._aim(leg, signalling, now)

    def restore(self, leg: Leg, body: bytes, signalling: str, now: float) -> None:
        """What `leg` said since came to nothing: `body` stands again."""
        self.leg(leg).body = body
        if body and self.session is not None:
            self._aim(leg, signalling, now)

    def _aim(self, leg: Leg, signalling: str, now: float) -> None:
        said, side = self.leg(leg), self.side(leg)
        media = said.audio
        if media is None or side is None or media.address is None:
            raise SdpError("cannot relay a session without an audio stream and its address")
        said.nat = said.learn and behind_nat(media.address, signalling)
        rtcp = (media.rtcp_address or media.address, media.rtcp_port or media.port + 1)
        try:
            side.aim(
                (media.address, media.port),
                rtcp,
                nat=said.nat,
                direction=media.direction,
                clock_rates=offer.clock_rates(media),
                telephone_events=offer.telephone_events(media),
                now=now,
            )
        except ValueError as error:
            raise SdpError(str(error)) from None

    def for_leg(self, leg: Leg, body: bytes, now: float) -> bytes:
        """The body to show `leg` in place of the one the other side sent."""
        side = self.side(leg)
        if side is None or not body:
            return body
        side.signalled(now)
        told = self.leg(leg)
        host, port = side.local
        if told.told != (body, port):
            told.version += told.told is not None
            told.told = (body, port)
        return rewrite(
            body,
            address=host,
            port=port,
            rtcp_port=side.local_rtcp[1],
            session_id=self.session_id,
            version=told.version,
        )

    def expect(self, now: float) -> None:
        """The call is answered: from now on silence counts (RTP timeout)."""
        if self.session is not None:
            self.session.a.expect_media(now)
            self.session.b.expect_media(now)

    def close(self, now: float) -> None:
        if self.session is not None:
            self.session.close(now)


def audio_of(body: bytes) -> Media | None:
    """The audio stream of a body; None when there is none that can be read."""
    if not body:
        return None
    try:
        return Session.parse(body).audio
    except SdpError:
        return None
