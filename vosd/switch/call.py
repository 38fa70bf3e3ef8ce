# SPDX-License-Identifier: GPL-2.0-or-later
"""One call as a machine: `step` takes what happened and answers what shall be done.

    trying -> ringing | early_media -> answering -> connected -> ended

`answering` lies between the callee's answer and its record on disk: neither side is told before,
so a call that anybody saw answered has a record. A failing leg b takes the next route unless the
code stops the hunt (`switch.reasons`) or a gate of the policy does (vos3000.md 2.4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Literal, TypeAlias

import msgspec

from vosd.switch import reasons
from vosd.switch.clock import Clock
from vosd.switch.events import (
    Abandon,
    Action,
    Alert,
    Answer,
    Clear,
    Close,
    Connect,
    Dial,
    Expired,
    Fail,
    GiveUp,
    Hangup,
    Happening,
    Keep,
    Leg,
    LegLost,
    MediaLost,
    Order,
    Proceeding,
    Refuse,
    Ring,
    Route,
    Stored,
    Try,
    Unconfirmed,
    Wait,
)

State: TypeAlias = Literal["trying", "ringing", "early_media", "answering", "connected", "ended"]
By: TypeAlias = Literal["caller", "callee", "switch", "operator"]
INFINITE = float("inf")

#: final codes that speak of our standing with the vendor, not of the call: the caller gets the
#: code of their reason instead (RFC 3261 16.7 step 7, 21)
_HIDDEN = frozenset((401, 402, 403, 407, 422, 423, 482, 483, 487, 494))


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the parameters say about one route; durations in seconds (vos3000.md 2.1, 2.4)."""

    invite_s: float = 10.0
    trying_s: float = 20.0
    progress_s: float = 20.0
    progress_sdp_s: float = 120.0
    ringing_s: float = 120.0
    stop_after_sdp: bool = False
    stop_after_invite_timeout: bool = False
    stop_after_rtp: bool = True
    until_connect: bool = False
    #: provisional answers of the route may be acknowledged (RFC 3262)
    reliable: bool = False
    #: gateways tried per call at most, 0 is no limit
    switch_limit: int = 0


class Tried(msgspec.Struct):
    """One finished attempt: `at` wall seconds, `took` seconds."""

    party: str
    code: int
    reason: str
    at: float
    took: float


class Call(msgspec.Struct, kw_only=True):
    """A call as plain data. `*_at` are Unix seconds, `answered dialled deadline` monotonic ones."""

    id: str
    caller: str
    callee: str
    #: gateway name or phone number the call came from
    source: str
    source_kind: Literal["mapping", "phone"]
    started_at: float
    state: State = "trying"
    route: Route | None = None
    waiting: list[Route] = []
    tried: list[Tried] = []
    policy: Policy = Policy()
    dialled: float = 0.0
    rang: bool = False
    ringing_at: float | None = None
    answered_at: float | None = None
    answered: float = 0.0
    ended_at: float | None = None
    duration: float = 0.0
    deadline: float = INFINITE
    wait: Wait = "invite"
    reason: str | None = None
    ended_by: By | None = None
    sip_code: int = 0


class Desk(msgspec.Struct):
    """What a call may ask: everything is a snapshot or a plain question."""

    #: the reason a call must not start, or None (limits, lists, drain, store)
    screen: Callable[[Call, Clock], str | None]
    #: ways to the callee, best first, or the reason there is none
    routes: Callable[[Call], Sequence[Route] | str]
    policy: Callable[[Route], Policy]
    #: the route is still enabled and has a line free
    usable: Callable[[Route], bool]
    #: audio already came from leg b
    media_flows: Callable[[Call], bool]


def step(call: Call, happening: Happening, desk: Desk, clock: Clock) -> list[Action]:
    """Advance `call`; the same inputs give the same actions."""
    if call.state == "ended":
        return []
    return _HANDLERS[type(happening)](call, happening, desk, clock)


def _try(call: Call, _: Try, desk: Desk, clock: Clock) -> list[Action]:
    if not call.callee:
        # RFC 3261 8.2.2.1: nobody here is called so
        return _refuse(call, "unallocated_number", "switch", clock)
    refusal = desk.screen(call, clock)
    if refusal is not None:
        return _refuse(call, refusal, "switch", clock)
    routes = desk.routes(call)
    if isinstance(routes, str):
        return _refuse(call, routes, "switch", clock)
    call.waiting = list(routes)
    return _dial(call, desk, clock)


def _dial(call: Call, desk: Desk, clock: Clock) -> list[Action]:
    route = call.waiting.pop(0)
    call.route = route
    call.policy = desk.policy(route)
    call.dialled = clock.mono
    call.rang = False
    call.state = "trying"
    _await(call, "invite", clock)
    return [Dial(route)]


_SECONDS: dict[Wait, Callable[[Policy], float]] = {
    "invite": attrgetter("invite_s"),
    "trying": attrgetter("trying_s"),
    "progress": attrgetter("progress_s"),
    "progress_sdp": attrgetter("progress_sdp_s"),
    "ringing": attrgetter("ringing_s"),
}


def _await(call: Call, wait: Wait, clock: Clock) -> None:
    call.wait = wait
    call.deadline = clock.mono + _SECONDS[wait](call.policy)


def _proceeding(call: Call, _: Proceeding, __: Desk, clock: Clock) -> list[Action]:
    if call.wait == "invite" and call.state == "trying":
        _await(call, "trying", clock)
    return []


def _ring(call: Call, ring: Ring, _: Desk, clock: Clock) -> list[Action]:
    if call.state not in ("trying", "ringing", "early_media"):
        return []
    if ring.code == 180:
        call.rang = True
        call.ringing_at = call.ringing_at or clock.wall
    if ring.media:
        call.state = "early_media"
    elif call.state == "trying" and ring.code == 180:
        call.state = "ringing"
    wait: Wait = "ringing" if call.rang else "progress_sdp" if ring.media else "progress"
    if wait != call.wait:
        _await(call, wait, clock)
    return [Alert(ring.code, ring.media)]


def _answer(call: Call, _: Answer, __: Desk, clock: Clock) -> list[Action]:
    call.state = "answering"
    call.deadline = INFINITE
    call.answered_at = clock.wall
    call.answered = clock.mono
    return [Keep()]


def _stored(call: Call, stored: Stored, _: Desk, clock: Clock) -> list[Action]:
    if call.state != "answering":
        return []
    if stored.error is None:
        call.state = "connected"
        return [Connect()]
    # B answered but the record cannot be kept: nobody is told of an answer we may lose
    return [Abandon("record_unavailable"), *_refuse(call, "record_unavailable", "switch", clock)]


def _fail(call: Call, fail: Fail, desk: Desk, clock: Clock) -> list[Action]:
    if call.state in ("answering", "connected"):
        return []
    if not fail.answered:
        return _next(call, fail.code, "gateway_unreachable", True, desk, clock)
    name = reasons.for_sip(fail.code).name
    return _next(call, fail.code, name, reasons.hunts_on(fail.code), desk, clock)


_WAIT_REASON: dict[Wait, str] = {
    "invite": "invite_timeout",
    "trying": "trying_timeout",
    "progress": "progress_timeout",
    "progress_sdp": "progress_timeout",
    "ringing": "no_answer",
}


def _expired(call: Call, expired: Expired, desk: Desk, clock: Clock) -> list[Action]:
    if call.state in ("answering", "connected"):
        return []
    name = _WAIT_REASON[expired.wait]
    go_on = not (expired.wait == "invite" and call.policy.stop_after_invite_timeout)
    return [Abandon(name), *_next(call, 408, name, go_on, desk, clock)]


#: reasons of our own finding: the caller gets their row's code
_UNTOLD = frozenset((*_WAIT_REASON.values(), "gateway_unreachable"))


def _next(
    call: Call, code: int, name: str, go_on: bool, desk: Desk, clock: Clock
) -> list[Action]:
    """Note the failed attempt; take the next route or turn the caller away."""
    party = call.route.party if call.route else ""
    took = clock.mono - call.dialled
    call.tried.append(Tried(party, code, name, clock.wall - took, took))
    call.waiting = [route for route in call.waiting if desk.usable(route)]
    if go_on and call.waiting and not _hunt_stopped(call, desk):
        return _dial(call, desk, clock)
    hidden = code < 400 or code in _HIDDEN or name in _UNTOLD
    return _refuse(call, name, "callee", clock, None if hidden else code)


def _hunt_stopped(call: Call, desk: Desk) -> bool:
    policy = call.policy
    if policy.switch_limit and len(call.tried) >= policy.switch_limit:
        return True
    if call.rang and not policy.until_connect:
        return True
    if call.state == "early_media":
        return policy.stop_after_sdp or (policy.stop_after_rtp and desk.media_flows(call))
    return False


def _give_up(call: Call, _: GiveUp, __: Desk, clock: Clock) -> list[Action]:
    _end(call, "cancelled", "caller", clock, 487)
    return [Abandon("cancelled"), Close("cancelled")]


def _hangup(call: Call, hangup: Hangup, _: Desk, clock: Clock) -> list[Action]:
    name = "caller_hangup" if hangup.leg == "a" else "callee_hangup"
    by: By = "caller" if hangup.leg == "a" else "callee"
    if call.state == "connected":
        return _clear(call, name, by, clock, spare=hangup.leg)
    if hangup.leg == "a":
        _end(call, "cancelled", by, clock, 487)
        return [Abandon("cancelled"), Close("cancelled")]
    return _refuse(call, name, by, clock, 480)


def _unconfirmed(call: Call, _: Unconfirmed, __: Desk, clock: Clock) -> list[Action]:
    if call.state == "connected":
        return _clear(call, "ack_timeout", "switch", clock)
    return [Abandon("ack_timeout"), *_refuse(call, "ack_timeout", "switch", clock, 504)]


def _media_lost(call: Call, _: MediaLost, __: Desk, clock: Clock) -> list[Action]:
    return _clear(call, "media_timeout", "switch", clock) if call.state == "connected" else []


def _leg_lost(call: Call, _: LegLost, __: Desk, clock: Clock) -> list[Action]:
    return _clear(call, "leg_lost", "switch", clock)


def _order(call: Call, order: Order, _: Desk, clock: Clock) -> list[Action]:
    by: By = "operator" if reasons.REASONS[order.reason].fault == "operator" else "switch"
    if call.state == "connected":
        return _clear(call, order.reason, by, clock)
    return [Abandon(order.reason), *_refuse(call, order.reason, by, clock)]


def _refuse(
    call: Call, name: str, by: By, clock: Clock, code: int | None = None
) -> list[Action]:
    if code is None:
        code = reasons.REASONS[name].sip
    _end(call, name, by, clock, code)
    return [Refuse(code, name), Close(name)]


def _clear(
    call: Call, name: str, by: By, clock: Clock, spare: Leg | None = None
) -> list[Action]:
    _end(call, name, by, clock, 200)
    legs: tuple[Leg, ...] = ("a", "b")
    return [*(Clear(leg, name) for leg in legs if leg != spare), Close(name)]


def _end(call: Call, name: str, by: By, clock: Clock, code: int) -> None:
    if call.state == "answering":
        # the caller never heard of the answer: there is nothing to charge
        call.answered_at = None
    call.state = "ended"
    call.deadline = INFINITE
    call.reason = name
    call.ended_by = by
    call.sip_code = code
    call.ended_at = clock.wall
    if call.answered_at is not None:
        call.duration = clock.mono - call.answered


_HANDLERS: dict[type[Happening], Callable[..., list[Action]]] = {
    Try: _try,
    Proceeding: _proceeding,
    Ring: _ring,
    Answer: _answer,
    Stored: _stored,
    Fail: _fail,
    Expired: _expired,
    GiveUp: _give_up,
    Hangup: _hangup,
    Unconfirmed: _unconfirmed,
    MediaLost: _media_lost,
    LegLost: _leg_lost,
    Order: _order,
}
