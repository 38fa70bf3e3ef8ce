# SPDX-License-Identifier: GPL-2.0-or-later
"""Phones behind NAT: where they are called, and what holds their bindings open (NAT-01..12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.switchboard import ALICE, EPOCH, SWITCH, Switchboard
from tests.sim.agents import Agent, Leg
from tests.sim.nat import Nat, behind
from tests.sim.world import Link, dropping
from vosd.engine.keepalive import Plan
from vosd.sip import auth
from vosd.sip.events import Response
from vosd.sip.message import Message
from vosd.switch.tables import Binding
from vosd.wire.records import ParamSet

INSIDE = ("192.168.1.100", 5060)
OUTSIDE = "203.0.113.9"
URI = "sip:10.0.0.1"
WHO = "<sip:300@10.0.0.1>"


def ask(board: Switchboard, phone: Agent, *headers: tuple[str, str]) -> Message:
    phone.endpoint.send(
        "REGISTER", URI, SWITCH, 0, board.world.now, from_=WHO, to=WHO, token="r", headers=headers
    )
    board.world.advance(0.5)
    event = [e for e in phone.events if isinstance(e, Response)][-1]
    assert event.message is not None
    return event.message


def register(board: Switchboard, phone: Agent, *headers: tuple[str, str]) -> Message:
    challenges = ask(board, phone).all("www-authenticate")
    answer = auth.answer(challenges, "REGISTER", URI, "300", "secret", "abcdef") or ""
    return ask(board, phone, ("Authorization", answer), *headers)


def natted(life: float = 60.0, *, parameters: dict[str, Any] | None = None, **nat: Any
           ) -> tuple[Switchboard, Nat, Agent]:
    """A switch with phone 300 registered from behind a NAT."""
    board = Switchboard(**(parameters or {}))
    board.phone("300", "secret")
    box = Nat(board.world, OUTSIDE, life=life, **nat)
    phone = behind(box, "phone", INSIDE, answer_after=0.2)
    assert register(board, phone).code == 200
    return board, box, phone


def ring(board: Switchboard) -> Leg:
    """Alice calls the phone; her leg after three seconds."""
    leg = board.agent("alice", ALICE).call("sip:300@10.0.0.1", SWITCH)
    board.world.advance(3)
    return leg


def hellos(board: Switchboard) -> list[float]:
    return [round(e.at, 2) for e in board.world.ladder if e.data == b"HELLO"]


def test_the_six_steps_of_the_source() -> None:
    """NAT-07..12: private Via, stored source, binding, HELLO each 30 s, refreshed, INVITE."""
    board, nat, phone = natted(life=60.0)
    registers = [e for e in board.world.ladder if e.text.startswith("REGISTER")]
    assert b"Via: SIP/2.0/UDP 192.168.1.100:5060;" in registers[0].data
    assert b"Contact: <sip:192.168.1.100:5060>" in registers[0].data
    held = board.switch.configuration.bindings["300"][0]
    assert (held.host, held.port, held.contact) == (OUTSIDE, 45678, "sip:192.168.1.100:5060")
    assert held.nat
    assert nat.public(phone) == (OUTSIDE, 45678)
    board.world.advance(600)
    assert hellos(board) == [30.0 * n for n in range(1, 21)]
    assert nat.public(phone) == (OUTSIDE, 45678)
    assert nat.dropped == []
    leg = ring(board)
    assert leg.answered_at is not None
    assert [each.end for each in phone.legs] == [""]


def test_without_a_message_the_binding_dies_and_the_call_with_it() -> None:
    """NAT-06: empty is disabled; NAT-01, CMP-07: then no call gets in, and the record says so."""
    board, nat, phone = natted(parameters={"SS_SIP_NAT_KEEP_ALIVE_MESSAGE": ""})
    board.world.advance(61)
    leg = ring(board)
    board.world.advance(60)
    assert leg.answered_at is None
    assert phone.legs == []
    assert nat.dropped
    assert board.shelf.records[-1].end_reason == "invite_timeout"
    assert hellos(board) == []


def test_one_way_packets_need_not_refresh_a_binding() -> None:
    """D30, CMP-05: RFC 4787 REQ-6 asks it of outbound traffic only; OPTIONS draws that."""
    board, nat, phone = natted(life=45.0, refreshed_inward=False)
    board.world.advance(60)
    assert ring(board).answered_at is None
    asks = {"SS_SIP_NAT_KEEP_ALIVE_MESSAGE": "options"}
    board, nat, phone = natted(life=45.0, refreshed_inward=False, parameters=asks)
    board.world.advance(60)
    assert nat.public(phone) == (OUTSIDE, 45678)
    assert ring(board).answered_at is not None
    assert hellos(board) == []


def test_it_lasts_as_long_as_the_registration() -> None:
    """CMP-04, CMP-06: while registered, each 30 s; CMP-03: UDP. CMP-08: the phone knows nothing
    of it."""
    board = Switchboard()
    board.phone("300", "secret")
    phone = board.agent("phone", ("10.0.0.9", 5060))
    register(board, phone, ("Expires", "100"))
    board.world.advance(300)
    assert hellos(board) == [30.0, 60.0, 90.0]


def test_crlf_is_passed_over_and_holds_the_binding() -> None:
    """RFC 5626 3.5.1 spelling; no answer, no error."""
    board, _, phone = natted(parameters={"SS_SIP_NAT_KEEP_ALIVE_MESSAGE": "CRLF"})
    board.world.advance(100)
    assert [e.at for e in board.world.ladder if e.data == b"\r\n\r\n"] == [30.0, 60.0, 90.0]
    assert ring(board).answered_at is not None
    assert phone.endpoint.stray == 0


def test_requests_in_the_call_go_where_the_phone_was_heard_from() -> None:
    """A Contact no narrower than its source: only the registration shows that NAT is between."""
    board = Switchboard()
    board.phone("300", "secret")
    nat = Nat(board.world, "192.168.77.1", life=90.0)
    phone = behind(nat, "phone", INSIDE, answer_after=0.2)
    register(board, phone)
    alice = board.agent("alice", ALICE)
    leg = alice.call("sip:300@10.0.0.1", SWITCH)
    board.world.advance(3)
    assert leg.answered_at is not None
    alice.bye(leg)
    board.world.advance(2)
    assert [each.end for each in phone.legs] == ["bye received"]
    assert not [e for e in board.world.ladder if e.fate == "nobody"]


def test_a_call_from_behind_the_nat_is_ended_through_it() -> None:
    board = Switchboard()
    board.phone("300", "secret")
    nat = Nat(board.world, "192.168.77.1", life=90.0)
    phone = behind(nat, "phone", INSIDE)
    register(board, phone)
    bob = board.agent("bob", ("10.0.0.3", 5060), bye_after=5.0)
    leg = phone.call("sip:200@10.0.0.1", SWITCH, from_=WHO, credentials=("300", "secret"))
    board.world.advance(10)
    assert (len(bob.legs), leg.end) == (1, "bye received")
    assert not [e for e in board.world.ladder if e.fate == "nobody"]


def test_nobody_but_udp_contacts_gets_one_from_the_socket_they_used() -> None:
    board, _, _ = natted()
    row = board.switch.configuration.bindings["300"][0]
    stream = binding("301", transport="tcp")
    elsewhere = binding("302", local=7)
    board.switch.configuration.bind((stream, elsewhere), ())
    board.world.advance(65)
    sent = [e.target for e in board.world.ladder if e.data == b"HELLO"]
    assert sent == ["nat 203.0.113.9"] * 2
    assert row.local == 0


def hold(board: Switchboard, count: int) -> list[Binding]:
    """So many phones, registered after the first round."""
    board.world.advance(1)
    rows = [binding(f"{n}", 2000 + n) for n in range(count)]
    board.switch.configuration.bind(rows, ())
    return rows


def binding(number: str, port: int = 5060, **fields: Any) -> Binding:
    return Binding(
        number=number, contact=f"sip:{number}@10.1.0.1:{port}", host="10.1.0.1", port=port,
        expires=EPOCH + 86400, registered=EPOCH, call_id=number, cseq=1, **fields,
    )


def test_batches_pause_between_and_are_spread_within() -> None:
    """D31, NAT-04, NAT-05: 10 packets at most, 2 s between batches, and 30 s between rounds."""
    board = Switchboard(
        SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME="10", SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL="2000"
    )
    hold(board, 25)
    board.world.advance(54)
    times = hellos(board)
    assert [times.count(at) for at in (30.0, 32.0, 34.0)] == [10, 10, 5]
    assert len(times) == 25


def test_ten_thousand_contacts_leave_a_few_at_a_time() -> None:
    """At the defaults: slices of 20 each 10 ms, half a second after each 3000, done in 6.5 s."""
    board = Switchboard()
    hold(board, 10_000)
    board.world.advance(40)
    times = hellos(board)
    assert len(times) == 10_000
    most = max(times.count(at) for at in set(times))
    assert (most, times[0]) == (20, 30.0)
    assert times[-1] == pytest.approx(36.5, abs=0.05)
    assert len({e.target for e in board.world.ladder if e.data == b"HELLO"}) == 10_000


def test_parameters_hold_at_once() -> None:
    board, _, _ = natted()
    board.settings.commit(board.settings.stage(ParamSet(values={
        "SS_SIP_NAT_KEEP_ALIVE_PERIOD": "10", "SS_SIP_NAT_KEEP_ALIVE_MESSAGE": "PING",
    })))
    board.world.advance(38)
    assert [e.at for e in board.world.ladder if e.data == b"PING"] == [10.0, 20.0, 30.0]
    board.settings.commit(board.settings.stage(ParamSet(values={
        "SS_SIP_NAT_KEEP_ALIVE_MESSAGE": "",
    })))
    before = len(board.world.ladder)
    board.world.advance(60)
    assert len(board.world.ladder) == before


def test_a_phone_that_stops_answering_is_unreachable_and_stays_registered() -> None:
    board, _, phone = natted(parameters={
        "SS_SIP_NAT_KEEP_ALIVE_MESSAGE": "OPTIONS", "SS_SIP_NAT_KEEP_ALIVE_PERIOD": "40",
    })
    row = board.switch.configuration.bindings["300"][0]
    phone.script.silent = True
    seen = []
    for _ in range(4):
        seen.append(board.switch.keepalive.unreachable(row))
        board.world.advance(40)
    board.world.advance(33)
    assert seen == [False, False, False, False]
    assert board.switch.keepalive.unreachable(row)
    assert board.switch.configuration.contacts("300", EPOCH + board.world.now) == [row]
    phone.script.silent = False
    board.world.advance(40)
    assert not board.switch.keepalive.unreachable(row)


def test_one_lost_question_is_sent_again_and_counts_for_nothing() -> None:
    board, _, _ = natted(parameters={"SS_SIP_NAT_KEEP_ALIVE_MESSAGE": "OPTIONS"})
    board.world.between("switch", "nat 203.0.113.9", Link(drop=dropping("OPTIONS", times=3)))
    board.world.advance(58)
    assert board.switch.counters.values["keepalives_unanswered"] == 0
    assert len(board.world.sent("switch", "OPTIONS")) == 4


def test_a_binding_that_goes_during_a_round_gets_none() -> None:
    board = Switchboard(
        SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME="1", SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL="5000"
    )
    rows = hold(board, 2)
    board.world.advance(31)
    board.switch.configuration.bind((), rows[1:])
    board.world.advance(10)
    assert hellos(board) == [30.0]


@pytest.mark.parametrize(
    ("batch", "pause", "contacts", "seconds"),
    [
        # 10,000 at the defaults: 3 pauses of 0.5 s and 500 slices of 10 ms
        (3000, 0.5, 10_000, 6.5),
        # 100,000: slices of 67, so that all of them take half of the period
        (10_000, 0.5, 100_000, 9 * 0.5 + 1493 * 0.01),
        # the source's reading of D31, a pause after each packet
        (1, 0.5, 3000, 2999 * 0.5 + 1.5),
    ],
)
def test_what_a_round_takes(batch: int, pause: float, contacts: int, seconds: float) -> None:
    assert Plan(batch=batch, pause=pause).takes(contacts) == pytest.approx(seconds)


def test_a_round_longer_than_the_period_is_said() -> None:
    board = Switchboard(SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME="1")
    assert board.switch.keepalive.trouble() == ""
    hold(board, 3000)
    assert board.switch.keepalive.trouble() == (
        "keep-alives to 3000 phones take 1501 s, longer than their period of 30 s: raise "
        "SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME or lower SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL"
    )


def test_a_second_contact_is_called_after_the_first_fails() -> None:
    """SS_ENDPOINT_CONTACTS: one after the other, the newest first."""
    board = Switchboard()
    board.phone("300", "secret")
    desk = board.agent("desk", ("10.0.0.21", 5060), answer_after=0.2)
    soft = board.agent("soft", ("10.0.0.22", 5060), ring_after=None, reject_with=480)
    register(board, desk)
    board.world.advance(1)
    register(board, soft)
    assert ring(board).answered_at is not None
    assert (len(soft.legs), len(desk.legs)) == (1, 1)


def test_with_one_contact_the_newest_alone_is_left() -> None:
    board = Switchboard(SS_ENDPOINT_CONTACTS="1")
    board.phone("300", "secret")
    desk, soft = (board.agent(n, (f"10.0.0.2{i}", 5060)) for i, n in enumerate(("desk", "soft")))
    register(board, desk)
    board.world.advance(1)
    answer = register(board, soft)
    assert [row.host for row in board.switch.configuration.bindings["300"]] == ["10.0.0.21"]
    assert [row.host for row in board.shelf.rows["bindings"]] == ["10.0.0.21"]
    assert (answer.get("contact") or "").startswith("<sip:10.0.0.21:5060>")


def test_ss_endpointtimetolive_is_the_shortest_registration() -> None:
    board = Switchboard(SS_ENDPOINTTIMETOLIVE="120")
    board.phone("300", "secret")
    phone = board.agent("phone", ("10.0.0.9", 5060))
    refused = register(board, phone, ("Expires", "119"))
    assert (refused.code, refused.get("min-expires")) == (423, "120")
    assert register(board, phone, ("Expires", "120")).code == 200


def test_rport_and_received_as_the_called_side() -> None:
    """RFC 3581 4: a request that asks for rport is told both; RFC 3261 18.2.1: one that does not
    is told the address when it differs."""
    board, _, _ = natted()
    answers = [e.data for e in board.world.ladder if e.text.startswith("200 REGISTER")]
    assert b"Via: SIP/2.0/UDP 192.168.1.100:5060;" in answers[0]
    assert b";rport=45678" in answers[0]
    assert b";received=203.0.113.9" in answers[0]


def test_rport_as_the_calling_side() -> None:
    """RFC 3581 3: each request of ours asks for it."""
    board, _, _ = natted(parameters={"SS_SIP_NAT_KEEP_ALIVE_MESSAGE": "OPTIONS"})
    board.world.advance(31)
    asked = [e.data for e in board.world.ladder if e.text.startswith("OPTIONS")]
    assert b";rport\r\n" in asked[0].split(b"\r\nMax-Forwards")[0] + b"\r\n"
