# SPDX-License-Identifier: GPL-2.0-or-later
"""Order of service under overload, and whom there is no time for (reliability.md section 5)."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from tests.engine.switchboard import ALICE, Switchboard
from vosd.engine.intake import ROOM, Allowance, Intake
from vosd.engine.signalling import TURN, Signalling

FRIEND, STRANGER = ("192.0.2.1", 5060), ("203.0.113.9", 5060)
INVITE = b"INVITE sip:1@h SIP/2.0\r\nTo: <sip:1@h>\r\n\r\n"
REINVITE = b"INVITE sip:1@h SIP/2.0\r\nTo: <sip:1@h>;tag=1\r\n\r\n"
CANCEL, BYE = b"CANCEL sip:1@h SIP/2.0\r\n\r\n", b"BYE sip:1@h SIP/2.0\r\n\r\n"
OK, REGISTER = b"SIP/2.0 200 OK\r\n\r\n", b"REGISTER sip:h SIP/2.0\r\n\r\n"
CALL = (
    b"INVITE sip:4400@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK%d\r\n"
    b"From: <sip:7@10.0.0.2>;tag=1\r\nTo: <sip:4400@10.0.0.1>\r\n"
    b"Call-ID: %d@a\r\nCSeq: 1 INVITE\r\n"
    b"Contact: <sip:7@10.0.0.2>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)
OPTIONS = b"OPTIONS sip:h SIP/2.0\r\n\r\n"


def intake(age_s: float = 0.25, strangers_per_s: float = 1000) -> Intake:
    return Intake(lambda host: host == FRIEND[0], age_s, strangers_per_s)


def drained(queue: Intake, now: float) -> list[tuple[bytes, str]]:
    return [(message[0], fate) for message, fate in (queue.take(now) for _ in range(len(queue)))]


def test_calls_that_are_carried_come_first_and_strangers_last() -> None:
    queue = intake()
    came = (OPTIONS, INVITE, CANCEL, REGISTER, BYE, OK, REINVITE)
    assert queue.put(BYE, STRANGER, 0, 1.0)
    assert all(queue.put(data, FRIEND, 0, 1.0) for data in came)
    served = [BYE, OK, REINVITE, REGISTER, INVITE, CANCEL, OPTIONS, BYE]
    assert drained(queue, 1.1) == [(data, "serve") for data in served]
    with pytest.raises(IndexError):
        queue.take(1.1)


def test_a_call_that_waited_too_long_is_refused_and_what_ends_one_is_not() -> None:
    queue = intake(age_s=0.25)
    for data in (INVITE, BYE, REGISTER, OPTIONS):
        queue.put(data, FRIEND, 0, 1.0)
    queue.put(INVITE, STRANGER, 0, 1.0)
    queue.put(INVITE, FRIEND, 0, 1.2)
    assert drained(queue, 1.3) == [
        (BYE, "serve"), (REGISTER, "serve"), (INVITE, "shed"), (INVITE, "serve"),
        (OPTIONS, "serve"), (INVITE, "drop"),
    ]  # fmt: skip


def test_a_full_lane_takes_no_more_and_leaves_the_others_alone() -> None:
    queue = intake()
    assert all(queue.put(INVITE, FRIEND, 0, 1.0) for _ in range(ROOM))
    assert not queue.put(INVITE, FRIEND, 0, 1.0)
    assert queue.put(BYE, FRIEND, 0, 1.0)
    assert sum(queue.put(BYE, STRANGER, 0, 1.0) for _ in range(1000)) == 256


def test_strangers_share_what_a_second_allows() -> None:
    allowance = Allowance(100)
    assert sum(allowance.take(50.0) for _ in range(500)) == 100
    assert sum(allowance.take(50.25) for _ in range(500)) == 25
    # what was not used is not saved up beyond a second
    assert sum(allowance.take(99.0) for _ in range(500)) == 100
    queue = intake(strangers_per_s=10)
    assert sum(queue.admits(STRANGER, 7.0) for _ in range(50)) == 10
    assert sum(queue.admits(FRIEND, 7.0) for _ in range(50)) == 50


def test_a_strangers_handshake_counts_as_ten_messages() -> None:
    queue = intake(strangers_per_s=100)
    assert sum(queue.handshakes(STRANGER[0], 7.0) for _ in range(50)) == 10
    assert not queue.admits(STRANGER, 7.0)
    assert sum(queue.handshakes(FRIEND[0], 7.0) for _ in range(50)) == 50
    # one that began with less than its cost left is paid back by those after it
    assert [queue.handshakes(STRANGER[0], at) for at in (7.02, 7.09, 7.12)] == [True, False, True]


class Wire:
    """A stream socket that notes whose message was left unread."""

    def __init__(self) -> None:
        self.left: list[tuple[str, int]] = []

    def send(self, data: bytes, destination: tuple[str, int]) -> bool:
        return True

    def unread(self, peer: tuple[str, int]) -> None:
        self.left.append(peer)


@pytest.mark.parametrize("beside", [0, TURN])
def test_a_stranger_whose_message_is_not_read_is_told(beside: int) -> None:
    """A datagram comes again; what came by a stream does not, so the stream ends."""

    async def few() -> None:
        wire = Wire()
        exchange = Recorder(Switchboard())
        signalling = Signalling(asyncio.get_running_loop(), (wire,))
        signalling.serve(exchange)  # type: ignore[arg-type]
        signalling._intake.strangers = Allowance(2)
        # no gateway and no phone is at `STRANGER`
        signalling.datagrams([(OPTIONS, ALICE)] * beside + [(OPTIONS, STRANGER)] * 3, 0)
        while signalling._busy:
            await asyncio.sleep(0)
        assert wire.left == [STRANGER]
        assert exchange.counters.values["overload_drops"] == 1

    asyncio.run(few())


class Recorder:
    """Takes the place of the exchange behind the pass, and writes down what it is given."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._exchange = switchboard.switch
        self.taken: list[bytes] = []

    def receive(self, data: bytes, *_: object) -> None:
        self.taken.append(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exchange, name)


def test_a_burst_is_served_in_turns_and_its_byes_first() -> None:
    async def burst() -> None:
        recorder = Recorder(Switchboard())
        signalling = Signalling(asyncio.get_running_loop(), ())
        signalling.serve(recorder)  # type: ignore[arg-type]
        batch = [(b"%b%d" % (INVITE, n), ALICE) for n in range(TURN * 2)]
        signalling.datagrams([*batch, (BYE, ALICE)], 0)
        assert recorder.taken == []
        await asyncio.sleep(0)
        assert recorder.taken == [BYE, *(data for data, _ in batch[: TURN - 1])]
        # what comes meanwhile waits for its turn behind what is older
        signalling.datagrams([(INVITE, ALICE), (BYE, ALICE)], 0)
        for _ in range(3):
            await asyncio.sleep(0)
        assert recorder.taken[TURN] == BYE
        assert recorder.taken[-1] == INVITE
        assert len(recorder.taken) == TURN * 2 + 3

    asyncio.run(burst())


def test_a_shed_call_gets_503_with_a_drawn_retry_after_and_leaves_nothing() -> None:
    exchange = Switchboard().switch
    waits = set()
    for number in range(200):
        exchange.shed(CALL % (number, number), ALICE, 0, 1.0)
        ((data, destination, _),) = exchange.departing()
        assert data.startswith(b"SIP/2.0 503 ")
        assert destination == ALICE
        waits.add(int(re.search(rb"Retry-After: (\d+)", data)[1]))  # type: ignore[index]
    assert (min(waits), max(waits)) == (5, 30)
    assert (exchange.endpoint.transactions, len(exchange.calls)) == (0, 0)
    assert exchange.counters.values["overload_rejects"] == 200


def test_a_call_already_taken_up_is_not_shed_with_its_retransmission() -> None:
    exchange = Switchboard().switch
    exchange.receive(CALL % (1, 1), ALICE, 0, 1.0)
    said = exchange.departing()
    exchange.shed(CALL % (1, 1), ALICE, 0, 1.3)
    assert [data for data, _, _ in exchange.departing()] == [said[0][0]]
    assert (len(exchange.calls), exchange.counters.values["overload_rejects"]) == (1, 0)


def test_a_mistake_of_ours_costs_its_message_and_not_the_pass(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = Switchboard().switch
    take = exchange._dialogue.take

    def fail_once(event: Any, now: float) -> bool:
        monkeypatch.setattr(exchange._dialogue, "take", take)
        raise ZeroDivisionError

    monkeypatch.setattr(exchange._dialogue, "take", fail_once)
    exchange.receive(CALL % (1, 1), ALICE, 0, 1.0)
    exchange.receive(CALL % (2, 2), ALICE, 0, 1.0)
    assert (len(exchange.calls), exchange.counters.values["internal_errors"]) == (1, 1)
    assert [record.message for record in caplog.records] == ["cannot act on Invited"]


def test_a_mistake_in_one_due_part_leaves_the_others_their_turn(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    board = Switchboard()

    def fail(now: float) -> None:
        raise ZeroDivisionError

    fired: list[float] = []
    monkeypatch.setattr(board.switch.calls, "due", fail)
    monkeypatch.setattr(board.switch.outward, "due", fired.append)
    board.switch.due(5.0)
    assert fired == [5.0]
    assert board.switch.counters.values["internal_errors"] == 1


def test_a_burst_goes_on_after_a_message_that_fails() -> None:
    class Failing(Recorder):
        def receive(self, data: bytes, *_: object) -> None:
            super().receive(data)
            if len(self.taken) == 3:
                raise ZeroDivisionError

    async def burst() -> None:
        recorder = Failing(Switchboard())
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        signalling = Signalling(loop, ())
        signalling.serve(recorder)  # type: ignore[arg-type]
        signalling.datagrams([(b"%b%d" % (INVITE, n), ALICE) for n in range(TURN * 3)], 0)
        for _ in range(9):
            await asyncio.sleep(0)
        signalling.datagrams([(BYE, ALICE)], 0)
        for _ in range(9):
            await asyncio.sleep(0)
        assert BYE in recorder.taken
        assert len(recorder.taken) > TURN * 2

    asyncio.run(burst())
