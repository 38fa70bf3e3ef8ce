# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces of whole calls in virtual time: what is kept, whose it is, and that memory is bounded."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.engine.switchboard import ALICE, BOB, CAROL, EPOCH, SWITCH, Switchboard
from tests.sim.agents import Agent, Leg
from tests.sim.world import summary
from vosd.engine.recording import OVERHEAD, Filter, Recording
from vosd.engine.traces import MOST
from vosd.wire.records import ParamSet

DAVE = ("10.0.0.9", 5060)


def call(alice: Agent, number: str = "200", caller: str = "100") -> Leg:
    return alice.call(f"sip:{number}@10.0.0.1", SWITCH, from_=f"<sip:{caller}@10.0.0.2>")


def trace(board: Switchboard, seconds: Any = None, **wanted: Any) -> Recording:
    planned = board.switch.traces.plan(Filter(**wanted), seconds)
    board.switch.traces.start(planned)
    return planned


def kept(recording: Recording) -> list[str]:
    """`a in INVITE 1 +` a message."""
    return [f"{seen.leg} {'in' if seen.inward else 'out'} {summary(seen.data)}".strip()
            for seen in sorted(recording.messages, key=lambda seen: seen.at)]  # fmt: skip


def parties() -> tuple[Switchboard, Agent]:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, ring_after=0.1, answer_after=1.0)
    return board, alice


WHOLE = [
    "a in INVITE 1 +", "a out 100 INVITE 1", "b out INVITE 1 +", "b in 100 INVITE 1",
    "b in 180 INVITE 1", "a out 180 INVITE 1", "b in 200 INVITE 1 +", "b out ACK 1",
    "a out 200 INVITE 1 +", "a in ACK 1", "a in BYE 2", "a out 200 BYE 2", "b out BYE 2",
    "b in 200 BYE 2",
]  # fmt: skip


@pytest.mark.parametrize(
    "wanted",
    [{}, {"caller": "100"}, {"caller": "1", "callee": "20"}, {"gateway": "carrier"},
     {"gateway": "vendor"}],
    ids=str,
)  # fmt: skip
def test_a_whole_call_is_kept_both_legs_in_the_order_of_the_wire(wanted: dict[str, str]) -> None:
    board, alice = parties()
    recording = trace(board, **wanted)
    leg = call(alice)
    board.world.advance(10)
    alice.bye(leg)
    board.world.advance(40)
    assert kept(recording) == WHOLE
    first = min(recording.messages, key=lambda seen: seen.at)
    assert (first.at, first.there, first.here, first.transport) == (EPOCH, ALICE, SWITCH, "udp")
    assert {seen.call for seen in recording.messages} == recording.calls
    assert recording.view().calls == 1


@pytest.mark.parametrize(
    "wanted", [{"caller": "101"}, {"callee": "00"}, {"caller": "100", "callee": "3"}], ids=str
)
def test_what_does_not_match_is_not_kept(wanted: dict[str, str]) -> None:
    board, alice = parties()
    recording = trace(board, **wanted)
    call(alice)
    board.world.advance(10)
    assert kept(recording) == []


def test_without_a_trace_nobody_is_told_and_nothing_is_remembered() -> None:
    board, alice = parties()
    traces = board.switch.traces
    assert traces.tap is None
    recording = trace(board)
    assert traces.tap is not None
    traces.stop(recording)
    assert traces.tap is None
    call(alice)
    board.world.advance(10)
    assert kept(recording) == []
    assert not traces._by_call_id
    assert not traces._waiting


def test_a_call_that_began_before_is_followed_from_the_start_of_the_trace() -> None:
    board, alice = parties()
    leg = call(alice)
    board.world.advance(10)
    (live,) = board.switch.calls
    by_id = trace(board, call=live.call.id[:6])
    by_sip = trace(board, call=live.b_call_id)
    call(alice, "201")
    alice.bye(leg)
    board.world.advance(5)
    end = ["a in BYE 2", "a out 200 BYE 2", "b out BYE 2", "b in 200 BYE 2"]
    assert kept(by_id) == kept(by_sip) == end


def test_a_call_id_nobody_has_is_refused() -> None:
    board, _ = parties()
    with pytest.raises(ValueError, match=r"^cannot trace call 'ff': no live call has this id"):
        trace(board, call="ff")


def test_hunting_leg_a_is_added_when_the_second_gateway_is_the_one_looked_for() -> None:
    board = Switchboard()
    board.gateway("second", CAROL, priority=9)
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, ring_after=None, reject_with=503)
    board.agent("carol", CAROL)
    recording = trace(board, gateway="second")
    call(alice)
    board.world.advance(5)
    assert kept(recording)[:3] == ["a in INVITE 1 +", "a out 100 INVITE 1", "b out INVITE 1 +"]
    assert "b in 503 INVITE 1" in kept(recording)
    assert "b in 200 INVITE 1 +" in kept(recording)


def test_the_challenge_before_a_call_belongs_to_it() -> None:
    board = Switchboard()
    board.phone("100", "secret")
    board.agent("bob", BOB)
    phone = board.agent("phone", DAVE)
    recording = trace(board, gateway="vendor")
    leg = phone.call("sip:200@10.0.0.1", SWITCH, from_="<sip:100@10.0.0.1>",
                     credentials=("100", "secret"))  # fmt: skip
    board.world.advance(5)
    assert leg.answered_at is not None
    assert kept(recording)[:4] == [
        "a in INVITE 1 +", "a out 401 INVITE 1", "a in ACK 1", "a in INVITE 2 +",
    ]  # fmt: skip


def test_outside_calls_register_options_and_what_is_no_sip() -> None:
    board, _ = parties()
    everything, at_bob = trace(board), trace(board, gateway="vendor")
    by_number, one_call = trace(board, caller="300"), trace(board, callee="77")
    options = (b"OPTIONS sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.3;branch=z9hG4bKx\r\n"
               b"From: <sip:300@x>;tag=1\r\nTo: <sip:x>\r\ni: o\r\nCSeq: 1 OPTIONS\r\n"
               b"User-Agent: " + b"x" * 300 + b"\r\n\r\n")  # fmt: skip
    board.world.inject(options, BOB, SWITCH)
    board.world.inject(b"\x00junk\x1b[2J\r\n\r\n", BOB, SWITCH)
    board.world.inject(b"\r\n\r\n", BOB, SWITCH)
    board.world.advance(1)
    assert kept(everything)[0::2] == ["in OPTIONS 1", "in \x00junk\x1b[2J ?"]
    assert kept(everything)[1] == "out 200 OPTIONS 1"
    assert kept(at_bob) == kept(everything)
    assert kept(by_number) == kept(everything)[:2]
    assert kept(one_call) == []


def test_a_trace_ends_by_itself_and_what_it_has_stays_dbg_01() -> None:
    board, alice = parties()
    usual, short = trace(board), trace(board, 5.0)
    call(alice)
    board.world.advance(6)
    assert short.view().state == "ended"
    assert short.view().ended == "time"
    assert short.view().messages == 10
    assert board.switch.traces.running == [usual]
    board.world.advance(595)  # ten minutes from the start and the tick after
    assert usual.view().ended == "time"
    assert usual.view().until - usual.started_at == pytest.approx(600, abs=1.01)
    assert board.switch.traces.tap is None


def test_memory_is_bounded_per_trace_and_over_all_and_what_went_is_counted() -> None:
    board, alice = parties()
    small = Recording("x", Filter(), 0.0, 1.0, 1.0)
    whole = trace(board)
    call(alice)
    board.world.advance(5)
    sizes = [seen.cost for seen in whole.messages]
    assert whole.octets == sum(sizes)
    for seen in whole.messages:
        small.keep(seen, sum(sizes[-3:]))
    assert (len(small.messages), small.dropped) == (3, len(sizes) - 3)
    assert small.octets == sum(sizes[-3:])

    # over all: the oldest message of any trace goes first
    board.switch.traces._all = whole.octets
    second = trace(board)
    call(alice, "201", "101")
    board.world.advance(0.05)
    assert whole.octets + second.octets <= board.switch.traces._all
    assert whole.dropped > 0
    assert second.dropped == 0
    assert sizes[0] == len(board.world.ladder[0].data) + OVERHEAD


def test_at_most_16_run_and_of_ended_ones_the_oldest_goes() -> None:
    board, _ = parties()
    traces = board.switch.traces
    running = [trace(board) for _ in range(MOST)]
    with pytest.raises(ValueError, match=r"^cannot run more than 16 traces at once"):
        trace(board)
    traces.stop(running[3])
    traces.stop(running[1])
    trace(board)
    assert traces.get("2") is None
    assert traces.get("4") is running[3]


def test_dialogs_of_ended_calls_are_forgotten_after_their_last_retransmissions() -> None:
    board, alice = parties()
    trace(board, 7000.0)
    leg = call(alice)
    board.world.advance(5)
    alice.bye(leg)
    board.world.advance(60)
    assert len(board.switch.traces._by_call_id) == 2
    board.world.advance(10)
    assert not board.switch.traces._by_call_id


def test_limits_are_parameters_and_hold_at_once() -> None:
    board, _ = parties()
    change = ParamSet(values={"SS_TRACE_TIME": "20m", "SS_TRACE_MEMORY": "1"})
    board.settings.commit(board.settings.stage(change))
    assert trace(board).view().until == EPOCH + 1200
    assert board.switch.traces._each == 1 << 20


def test_counters_of_messages_trunks_and_lengths() -> None:
    board, alice = parties()
    leg = call(alice)
    board.world.advance(10)
    alice.bye(leg)
    call(alice, "999999")
    board.world.advance(20)
    counters = board.switch.counters
    came, went = dict(counters.received.items()), dict(counters.sent.items())
    assert (came["INVITE"], came["ACK"], came["BYE"], came["1xx"], came["2xx"]) == (2, 2, 1, 4, 3)
    assert (went["INVITE"], went["ACK"], went["BYE"], went["2xx"]) == (2, 2, 1, 3)
    assert counters.trunks == {("carrier", "in"): [2, 2], ("vendor", "out"): [2, 2]}
    # the one that ended rang 0.1 s after its INVITE and lasted 9 s
    assert counters.post_dial.counts == [1, 0, 0, 0, 0, 0, 0, 0]
    assert counters.durations.counts == [1, 0, 0, 0, 0, 0, 0, 0]
    assert counters.durations.sum == pytest.approx(9.0)


@pytest.mark.parametrize(("messages", "callee", "copied"), [
    ("all", "", 10), ("traced", "", 10), ("traced", "2", 10), ("traced", "3", 0),
    ("all", "3", 10), ("traced", None, 0),
])  # fmt: skip
def test_the_collector_gets_all_or_what_is_traced(
    messages: str, callee: str | None, copied: int
) -> None:
    board, alice = parties()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.setblocking(False)
        values: dict[str, str | None] = {
            "SS_HEP_ADDRESS": f"127.0.0.1:{collector.getsockname()[1]}",
            "SS_HEP_MESSAGES": messages,
        }
        board.settings.commit(board.settings.stage(ParamSet(values=values)))
        if callee is not None:
            trace(board, callee=callee)
        call(alice)
        board.world.advance(5)
        got = [collector.recv(65535) for _ in range(copied)]
        with pytest.raises(BlockingIOError):
            collector.recv(65535)
    (live,) = board.switch.calls
    assert all(packet.endswith(live.call.id.encode()) for packet in got)
    assert board.switch.counters.values["hep_sent"] == copied
    off = ParamSet(values={"SS_HEP_ADDRESS": "off"})
    board.settings.commit(board.settings.stage(off))
    assert (board.switch.traces.tap is None) == (callee is None)


def test_what_a_collector_sends_back_is_not_copied_to_it_again() -> None:
    board, _ = parties()
    values: dict[str, str | None] = {"SS_HEP_ADDRESS": "127.0.0.1:9"}
    board.settings.commit(board.settings.stage(ParamSet(values=values)))
    board.world.inject(b"HEP3\x00\x10 whatever", DAVE, SWITCH)
    board.world.advance(1)
    assert board.switch.counters.values["sip_malformed"] == 1
    assert board.switch.counters.values["hep_sent"] == 0
