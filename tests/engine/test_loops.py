# SPDX-License-Identifier: GPL-2.0-or-later
"""Loops, hops and requests nobody serves (reliability.md 3 row 14, RFC 5393, RFC 3261 8.2)."""

from __future__ import annotations

import pytest

from tests.engine.switchboard import ALICE, BOB, CAROL, SWITCH, Switchboard
from tests.engine.timers import field, sent
from tests.sim.agents import Agent
from vosd.sip.events import Response

OTHER = ("10.0.0.9", 5060)


def test_two_switches_that_route_to_each_other_end_the_call_in_two_hops() -> None:
    """alice -> switch -> other -> switch: 482, not seventy hops; no other gateway is tried."""
    board = Switchboard()
    board.gateway("vendor", OTHER)
    board.gateway("spare", CAROL, priority=5)
    board.gateway("peer", OTHER, kind="mapping")
    other = Switchboard(seed=2, world=board.world, at=OTHER, name="other")
    other.gateway("carrier", SWITCH, kind="mapping")
    other.gateway("vendor", SWITCH)
    carol = board.agent("carol", CAROL)
    alice = board.agent("alice", ALICE)
    leg = alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(40)
    assert len(sent(board, "switch", "other", "INVITE")) == 1
    assert len(sent(board, "other", "switch", "INVITE")) == 1
    (loop,) = sent(board, "switch", "other", "482")
    assert field(loop.data, "Reason") is not None
    assert (leg.end, leg.code, carol.legs) == ("failed", 482, [])
    assert {row.end_reason for row in board.shelf.records} <= {"loop_detected"}
    assert board.empty()
    assert other.empty()


def test_a_switch_that_routes_to_itself_through_a_proxy_ends_the_call() -> None:
    """What a proxy sends back carries our own mark."""
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=None)
    alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(1)
    (out,) = sent(board, "switch", "bob", "INVITE")
    mark = field(out.data, "X-VOS-Node")
    assert mark is not None
    back = alice.call("sip:200@10.0.0.1", SWITCH, headers=(("X-VOS-Node", mark),))
    forwarded = alice.call("sip:201@10.0.0.1", SWITCH, headers=(("X-VOS-Node", mark),))
    board.world.advance(1)
    # the same number is a loop, another number a call that was forwarded
    assert (back.code, forwarded.code, len(bob.legs)) == (482, 0, 2)
    trail = field(sent(board, "switch", "bob", "INVITE")[-1].data, "X-VOS-Node")
    assert trail is not None
    assert trail.startswith(f"{mark}, {mark[:8]}.")


def test_a_call_that_is_forwarded_for_ever_is_ended() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=None)
    trail: str | None = None
    codes = []
    for number in range(300, 306):
        headers = (("X-VOS-Node", trail),) if trail else ()
        leg = alice.call(f"sip:{number}@10.0.0.1", SWITCH, headers=headers)
        board.world.advance(1)
        codes.append(leg.code)
        trail = field(sent(board, "switch", "bob", "INVITE")[-1].data, "X-VOS-Node")
    assert codes == [0, 0, 0, 0, 482, 482]


@pytest.mark.parametrize("text", ["x", "00000000.0000000g", "0" * 500, "a, b"])
def test_a_trail_that_is_none_does_not_go_on(text: str) -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB)
    alice.call("sip:200@10.0.0.1", SWITCH, headers=(("X-VOS-Node", text),))
    board.world.advance(1)
    (out,) = sent(board, "switch", "bob", "INVITE")
    mark = field(out.data, "X-VOS-Node")
    assert mark is not None
    assert len(mark) == 17


@pytest.mark.parametrize(("given", "out"), [(70, "69"), (1, "0"), (255, "254")])
def test_max_forwards_goes_down_by_one(given: int, out: str) -> None:
    """RFC 7332: a B2BUA counts down as a proxy does."""
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB)
    alice.call("sip:200@10.0.0.1", SWITCH, max_forwards=given)
    board.world.advance(1)
    (invite,) = sent(board, "switch", "bob", "INVITE")
    assert field(invite.data, "Max-Forwards") == out


def test_max_forwards_0_is_refused() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    leg = alice.call("sip:200@10.0.0.1", SWITCH, max_forwards=0)
    board.world.advance(1)
    assert (leg.end, leg.code) == ("failed", 483)


def answered(agent: Agent) -> list[tuple[int, bool]]:
    return [
        (event.code, event.message is not None and bool(event.message.get("allow")))
        for event in agent.of(Response)
    ]


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("MESSAGE", 405), ("SUBSCRIBE", 405), ("PUBLISH", 405), ("REGISTER", 405),
        ("NOTIFY", 481), ("FROBNICATE", 501), ("REFER", 405),
    ],
)  # fmt: skip
def test_requests_inside_a_call_that_nobody_serves(method: str, code: int) -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB)
    leg = alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(1)
    alice.request(leg, method)
    board.world.advance(1)
    assert answered(alice) == [(code, True)]
    assert len(board.switch.calls) == 1
    assert not bob.of(Response)


def test_a_transfer_may_be_declined() -> None:
    board = Switchboard(SS_SIP_REFER="decline")
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB)
    leg = alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(1)
    alice.request(leg, "REFER", headers=(("Refer-To", "<sip:300@10.0.0.4>"),))
    board.world.advance(1)
    assert [code for code, _ in answered(alice)] == [603]


@pytest.mark.parametrize("require", ["100rel-next", "foo, timer"])
def test_an_extension_nobody_knows_is_named(require: str) -> None:
    """RFC 3261 8.2.2.3: 420 with Unsupported; `timer` is known."""
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    leg = alice.call("sip:200@10.0.0.1", SWITCH, headers=(("Require", require),))
    board.world.advance(1)
    assert (leg.end, leg.code) == ("failed", 420)
    (refusal,) = sent(board, "switch", "alice", "420")
    assert field(refusal.data, "Unsupported") == require.partition(",")[0]
