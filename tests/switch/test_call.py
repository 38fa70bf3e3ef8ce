# SPDX-License-Identifier: GPL-2.0-or-later
"""The call machine: whole ladders of happenings and the actions they give."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vosd.switch.call import Call, Desk, Policy, step
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
)

A, B = Route("vendor-a"), Route("vendor-b")


class World:
    """One call and a clock that moves a second a happening."""

    def __init__(
        self,
        routes: Sequence[Route] | str = (A, B),
        policy: Policy | None = None,
        *,
        refusal: str | None = None,
        media: bool = False,
    ) -> None:
        self.now = 100.0
        self.call = Call(id="1", caller="100", callee="200", source="gw", source_kind="mapping",
                         started_at=1100.0)
        self.desk = Desk(lambda *_: refusal, lambda _: routes, lambda _: policy or Policy(),
                         lambda _: True, lambda _: media)

    def run(self, *happenings: Happening) -> list[Action]:
        done: list[Action] = []
        for happening in happenings:
            done = step(self.call, happening, self.desk, Clock(self.now, self.now + 1000))
            self.now += 1
        return done


def test_a_call_that_is_answered_and_hung_up_by_the_caller() -> None:
    world = World()
    assert world.run(Try()) == [Dial(A)]
    assert world.run(Proceeding()) == []
    assert world.run(Ring(180, False)) == [Alert(180, False)]
    assert world.call.state == "ringing"
    assert world.run(Answer()) == [Keep()]
    assert world.call.state == "answering"
    assert world.run(Stored(None)) == [Connect()]
    assert world.run(Hangup("a")) == [Clear("b", "caller_hangup"), Close("caller_hangup")]
    call = world.call
    # answered at second 103 of the clock, ended at 105
    assert (call.state, call.reason, call.ended_by) == ("ended", "caller_hangup", "caller")
    assert (call.answered_at, call.ended_at, call.duration) == (1103.0, 1105.0, 2.0)


def test_nobody_is_told_of_an_answer_that_could_not_be_recorded() -> None:
    world = World()
    world.run(Try(), Ring(180, False), Answer())
    assert world.run(Stored("disk full")) == [
        Abandon("record_unavailable"),
        Refuse(503, "record_unavailable"),
        Close("record_unavailable"),
    ]
    assert world.call.answered_at is None


@pytest.mark.parametrize("code", [404, 484, 486, 600, 603, 422])
def test_a_code_that_stops_the_hunt_goes_to_the_caller(code: int) -> None:
    world = World()
    world.run(Try())
    refuse, close = world.run(Fail(code, True))
    assert isinstance(refuse, Refuse)
    assert refuse.code == code
    assert isinstance(close, Close)


@pytest.mark.parametrize("code", [408, 500, 502, 503, 504])
def test_a_code_that_goes_on_takes_the_next_route(code: int) -> None:
    world = World()
    world.run(Try())
    assert world.run(Fail(code, True)) == [Dial(B)]
    assert [tried.party for tried in world.call.tried] == ["vendor-a"]


def test_the_last_route_failing_ends_the_call_with_its_code() -> None:
    world = World()
    world.run(Try(), Fail(503, True))
    assert world.run(Fail(500, True))[0].code == 500  # type: ignore[attr-defined]
    assert [(t.party, t.code) for t in world.call.tried] == [("vendor-a", 503), ("vendor-b", 500)]


@pytest.mark.parametrize(
    ("happenings", "wait", "deadline"),
    [
        ((Try(),), "invite", 100 + 10),
        ((Try(), Proceeding()), "trying", 101 + 20),
        ((Try(), Proceeding(), Ring(183, False)), "progress", 102 + 20),
        ((Try(), Ring(183, True)), "progress_sdp", 101 + 120),
        ((Try(), Ring(180, False)), "ringing", 101 + 120),
        # 183 after 180 is no new wait
        ((Try(), Ring(180, True), Ring(183, True)), "ringing", 101 + 120),
    ],
)
def test_each_wait_has_its_parameter(
    happenings: tuple[Happening, ...], wait: str, deadline: float
) -> None:
    """vos3000.md 2.1: INVITE 10 s, Trying 20 s, progress 20 s, with SDP 120 s, ringing 120 s."""
    world = World()
    world.run(*happenings)
    assert (world.call.wait, world.call.deadline) == (wait, deadline)


def test_a_wait_that_ran_out_cancels_and_takes_the_next_route() -> None:
    world = World()
    world.run(Try())
    assert world.run(Expired("invite")) == [Abandon("invite_timeout"), Dial(B)]


def test_ss_sip_user_agent_stop_switch_after_invite_timeout() -> None:
    world = World(policy=Policy(stop_after_invite_timeout=True))
    world.run(Try())
    actions = world.run(Expired("invite"))
    assert actions[0] == Abandon("invite_timeout")
    assert isinstance(actions[1], Refuse)


@pytest.mark.parametrize(("until_connect", "goes_on"), [(False, False), (True, True)])
def test_ss_gateway_switch_until_connect_hunts_on_after_ringing(
    until_connect: bool, goes_on: bool
) -> None:
    world = World(policy=Policy(until_connect=until_connect))
    world.run(Try(), Ring(180, False))
    assert (world.run(Fail(503, True)) == [Dial(B)]) is goes_on


@pytest.mark.parametrize(
    ("policy", "media", "goes_on"),
    [
        (Policy(), False, True),
        (Policy(), True, False),
        (Policy(stop_after_rtp=False), True, True),
        (Policy(stop_after_sdp=True), False, False),
    ],
)
def test_hunting_gates_after_early_media(policy: Policy, media: bool, goes_on: bool) -> None:
    """SS_SIP_STOP_SWITCH_AFTER_SDP and SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START."""
    world = World(policy=policy, media=media)
    world.run(Try(), Ring(183, True))
    assert (world.run(Fail(503, True)) == [Dial(B)]) is goes_on


def test_ss_gateway_switch_limit() -> None:
    world = World(policy=Policy(switch_limit=1))
    world.run(Try())
    assert isinstance(world.run(Fail(503, True))[0], Refuse)


@pytest.mark.parametrize(
    ("routes", "refusal", "code", "reason"),
    [
        ("route_not_found", None, 404, "route_not_found"),
        ("callee_not_registered", None, 480, "callee_not_registered"),
        ((A,), "blacklist", 403, "blacklist"),
        ((A,), "draining", 503, "draining"),
        ((A,), "record_unavailable", 503, "record_unavailable"),
    ],
)
def test_a_call_turned_away_before_any_route(
    routes: Sequence[Route] | str, refusal: str | None, code: int, reason: str
) -> None:
    world = World(routes, refusal=refusal)
    assert world.run(Try()) == [Refuse(code, reason), Close(reason)]


def test_giving_up_while_it_rings() -> None:
    world = World()
    world.run(Try(), Ring(180, False))
    assert world.run(GiveUp()) == [Abandon("cancelled"), Close("cancelled")]


def test_giving_up_while_the_record_is_written_ends_the_answered_leg() -> None:
    world = World()
    world.run(Try(), Answer())
    assert world.run(GiveUp()) == [Abandon("cancelled"), Close("cancelled")]
    assert world.run(Stored(None)) == []


@pytest.mark.parametrize(
    ("happening", "reason", "cleared"),
    [
        (Hangup("b"), "callee_hangup", ["a"]),
        (Unconfirmed(), "ack_timeout", ["a", "b"]),
        (MediaLost("b"), "media_timeout", ["a", "b"]),
        (LegLost("a"), "leg_lost", ["a", "b"]),
        (Order("forced"), "forced", ["a", "b"]),
        (Order("drained"), "drained", ["a", "b"]),
    ],
)
def test_each_end_of_a_connected_call(
    happening: Happening, reason: str, cleared: list[str]
) -> None:
    """D18: a lost ACK has its own reason, apart from the RTP time-out."""
    world = World()
    world.run(Try(), Answer(), Stored(None))
    actions = world.run(happening)
    assert [a.leg for a in actions if isinstance(a, Clear)] == cleared
    assert actions[-1] == Close(reason)
    assert world.run(Hangup("a")) == []
