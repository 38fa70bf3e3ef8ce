# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a call's media runs through the switch, and the session it then runs on."""

from __future__ import annotations

from vosd.engine.lines import Line
from vosd.engine.live import LiveCall
from vosd.engine.mediation import LegMedia
from vosd.engine.settings import Settings
from vosd.media.ports import NoPorts
from vosd.media.session import MediaEngine
from vosd.switch import media_policy
from vosd.switch.events import Leg, Route


class Relaying:
    """Opens, steers and closes the media of calls as the parameters decide."""

    def __init__(self, media: MediaEngine, settings: Settings) -> None:
        self._media = media
        self._settings = settings

    def prepare(self, live: LiveCall, route: Route, line: Line, now: float) -> str | None:
        """Make media ready for a new leg b; the end reason when that cannot be."""
        live.media.a.body = live.invite.body if live.invite is not None else b""
        live.media.b = LegMedia()
        decision = self._decide(live, route, line)
        live.media.mode, live.media.why = decision.mode, decision.why
        if not decision.relay:
            live.media.close(now)
            live.media.session = None
        elif not self._opened(live, line, now):
            return "media_unavailable"
        self._hear(live, "a", live.media.a.body, now)
        return None

    def _decide(self, live: LiveCall, route: Route, line: Line) -> media_policy.Decision:
        snapshot = self._settings.snapshot
        b_overrides = route.gateway.overrides if route.gateway is not None else {}
        return media_policy.decide(
            str(snapshot.get("SS_MEDIAPROXYMODE")),
            live.caller.overrides.get("SS_MEDIAPROXYMODE"),
            b_overrides.get("SS_MEDIAPROXYMODE"),
            lambda: media_policy.Network(
                nat_a=live.caller.nat or self._looks_nat(live),
                nat_b=route.contact is not None and route.contact.nat,
                same=live.a is not None
                and media_policy.same_network(live.a.remote[0], line.destination[0]),
            ),
        )

    def _looks_nat(self, live: LiveCall) -> bool:
        media = live.media.a.audio
        if media is None or media.address is None or live.a is None:
            return False
        return media_policy.behind_nat(media.address, live.a.remote[0])

    def _opened(self, live: LiveCall, line: Line, now: float) -> bool:
        """Ports for the call; the next route is tried on the same ones where they fit."""
        b = 6 if ":" in line.destination[0] else 4
        session = live.media.session
        try:
            if session is None:
                a = 6 if live.a is not None and ":" in live.a.remote[0] else 4
                live.media.session = self._media.open(live.call.id, a, b, now)
                live.media.session_id = str(int(live.call.started_at))
            elif session.b.family != b:
                session.b.rehome(b, now)
            else:
                session.b.reset(now)
        except NoPorts:
            return False
        return True

    def pass_on(self, live: LiveCall, leg: Leg, body: bytes, now: float) -> bytes:
        """Take in what `leg` said and give the body to show the other side; may raise SdpError."""
        if not body:
            return b""
        self._hear(live, leg, body, now)
        return live.media.for_leg("b" if leg == "a" else "a", body, now)

    def _hear(self, live: LiveCall, leg: Leg, body: bytes, now: float) -> None:
        dialog = live.dialog(leg)
        signalling = dialog.remote[0] if dialog is not None else ""
        learn = self._settings.snapshot.get("SS_MEDIA_NAT_LEARN") == "auto"
        live.media.heard(leg, body, signalling, learn, now)
