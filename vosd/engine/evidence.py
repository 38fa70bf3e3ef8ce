# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a call, written down: the view operators see and the record that stays."""

from __future__ import annotations

import math

import msgspec

from vosd.engine.live import LiveCall, endpoint_text
from vosd.engine.mediation import audio_of
from vosd.media.side import Side
from vosd.sdp import offer
from vosd.sdp.session import Media
from vosd.sip.dialog import Dialog
from vosd.sip.session_timer import Session
from vosd.switch.clock import Clock
from vosd.switch.events import Leg
from vosd.switch.media_policy import behind_nat
from vosd.switch.reasons import REASONS
from vosd.wire.records import Attempt, CallView, Cdr, LegView, Received, Sent
from vosd.wire.timers import RefreshTrouble, TimerView

#: characters kept of what a party wrote
_SHOWN = 120


def view(live: LiveCall, clock: Clock) -> CallView:
    """The whole call with both legs and their streams."""
    return _read_sdp(_bare(live, clock))


def keep(live: LiveCall, clock: Clock) -> bytes:
    """The same as it is stored; SDP is read when somebody asks, which most calls are spared."""
    return msgspec.json.encode(_bare(live, clock))


def read(stored: bytes) -> CallView:
    """What `keep` wrote."""
    return _read_sdp(msgspec.json.decode(stored, type=CallView))


def _bare(live: LiveCall, clock: Clock) -> CallView:
    call = live.call
    media = live.media
    # ports are opened with the INVITE; only with both descriptions is there a way for audio
    agreed = bool(media.a.body and media.b.body)
    relayed = agreed and media.relayed
    legs = [_leg(live, "a", clock)]
    if live.b_signalling:
        legs.append(_leg(live, "b", clock))
    return CallView(
        id=call.id,
        state=call.state,
        caller=call.caller,
        display=live.display,
        callee=call.callee,
        mapping=call.source,
        routing=call.route.party if call.route else "",
        started_at=call.started_at,
        ringing_at=call.ringing_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        duration_s=round(_duration(live, clock), 3),
        media_mode=media.mode,
        media="none" if not agreed else "relayed" if relayed else "direct",
        relay="userspace" if relayed else None,
        relay_reason=media.why,
        early_media=call.state == "early_media",
        legs=legs,
        attempts=[
            Attempt(
                party=t.party,
                code=t.code,
                reason=t.reason,
                at=t.at,
                took_ms=round(t.took * 1000, 1),
            )
            for t in call.tried
        ],
        end_reason=call.reason,
        ended_by=call.ended_by,
        sip_code=call.sip_code or None,
        farewell=live.farewell,
    )


def record(live: LiveCall, node: str, clock: Clock) -> Cdr:
    """The row of the store; open while the call lasts."""
    call = live.call
    ended = call.ended_at is not None
    return Cdr(
        id=call.id,
        node=node,
        caller=call.caller,
        callee=call.callee,
        mapping=call.source,
        routing=call.route.party if call.route else "",
        started_at=call.started_at,
        ringing_at=call.ringing_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        duration_s=call.duration,
        end_reason=call.reason or "",
        ended_by=call.ended_by or "",
        sip_code=call.sip_code,
        q850=REASONS[call.reason].q850 if call.reason else 0,
        state="closed" if ended else "open",
        alive_at=None if ended else clock.wall,
    )


def _duration(live: LiveCall, clock: Clock) -> float:
    call = live.call
    if call.ended_at is not None:
        return call.duration
    return clock.mono - call.answered if call.answered_at is not None else 0.0


def _leg(live: LiveCall, leg: Leg, clock: Clock) -> LegView:
    said = live.media.leg(leg)
    side = live.media.side(leg)
    view = LegView(side=leg)
    if leg == "a":
        view.party, view.kind = live.caller.name, live.call.source_kind
        view.signalling, view.call_id = live.a_signalling, live.a_call_id
        view.user_agent, view.nat = live.a_agent, live.caller.nat or said.nat
    else:
        route = live.call.route
        view.party = route.party if route else ""
        view.kind = "phone" if route and route.contact else "routing"
        view.signalling, view.call_id = live.b_signalling, live.b_call_id
        contact = route.contact if route else None
        view.user_agent, view.nat = live.b_agent, said.nat or bool(contact and contact.nat)
        view.registered_at = contact.registered if contact else None
    view.nat_learn = said.learn
    view.sdp = said.body.decode("utf-8", "replace")
    if side is not None:
        _streams(view, side)
    dialog = live.a_dialog if leg == "a" else live.b_dialog
    if dialog is not None:
        _signalling(view, dialog)
        session = dialog.session
        if session is not None and (live.call.answered_at is not None or session.troubles
                                    or session.refusals):  # fmt: skip
            view.timer = _timer(live, session, clock)
    return view


def _signalling(view: LegView, dialog: Dialog) -> None:
    view.contact = (dialog.contact or "")[:_SHOWN]
    view.our_contact = dialog.local_contact
    view.target = endpoint_text(dialog.way.remote) if dialog.way is not None else ""
    view.answers_repeated = dialog.again


def _timer(live: LiveCall, session: Session, clock: Clock) -> TimerView:
    """The agreement and what became of its refreshes, in wall time."""
    def wall(mono: float) -> float | None:
        return None if mono == math.inf else round(clock.wall + mono - clock.mono, 3)

    terms, lasts = live.terms, live.call.ended_at is None
    view = TimerView(
        interval_s=session.interval,
        granted=session.granted,
        last_at=wall(session.last),
        next_at=wall(session.due) if lasts else None,
        ends_at=wall(session.ends) if lasts else None,
        refusals=session.refusals,
        min_se=session.wanted,
        trouble=[
            RefreshTrouble(at=wall(row.at) or 0.0, by="switch" if row.ours else "party",
                           method=row.method, code=row.code, note=row.note)
            for row in session.trouble
        ],
        troubles=session.troubles,
    )  # fmt: skip
    if not session.interval:
        view.method = "OPTIONS"
        view.every_s = None if terms.probe == math.inf else terms.probe
        view.cap_s = None if terms.longest == math.inf else terms.longest
        return view
    view.refresher = "switch" if session.ours else "party"
    view.method = session.method
    if session.ours:
        view.method = "UPDATE" if session.updates else "re-INVITE"
        view.every_s = session.interval / terms.segment
    return view


def _read_sdp(view: CallView) -> CallView:
    """Fill in what the legs' SDP says."""
    media = [audio_of(leg.sdp.encode()) for leg in view.legs]
    for leg, said in zip(view.legs, media, strict=True):
        if said is not None:
            _describe(leg, said)
    a, b = media if len(media) == 2 else (None, None)
    if a is not None and b is not None:
        view.legs[0].codec = view.legs[1].codec = offer.agreed(a, b)
    return view


def _describe(leg: LegView, media: Media) -> None:
    if media.address is not None:
        leg.sdp_address = endpoint_text((media.address, media.port))
        signalling = leg.signalling.rpartition(":")[0].strip("[]")
        leg.sdp_private = behind_nat(media.address, signalling)
    leg.direction = media.direction
    leg.on_hold = offer.on_hold(media)
    leg.codecs_offered = offer.codec_names(media)
    leg.ptime_ms = media.ptime
    leg.profile = media.protocol


def _streams(view: LegView, side: Side) -> None:
    view.local_rtp = endpoint_text(side.local)
    view.received = msgspec.convert(side.received(), Received, from_attributes=True)
    if side.foreign is not None:
        view.received.wrong_from = endpoint_text(side.foreign)
    view.sent = msgspec.convert(side.sent(), Sent, from_attributes=True)
