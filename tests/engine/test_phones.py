# SPDX-License-Identifier: GPL-2.0-or-later
"""Phones and password gateways: registration and calls by digest (RFC 3261 22, RFC 8760)."""

from __future__ import annotations

import pytest

from tests.engine.switchboard import ALICE, BOB, EPOCH, SWITCH, Switchboard
from tests.sim.agents import Agent
from vosd.sip import auth
from vosd.sip.events import Response
from vosd.sip.message import Message

PHONE = ("10.0.0.9", 5060)
URI = "sip:10.0.0.1"


def send_register(
    board: Switchboard, phone: Agent, *headers: tuple[str, str], number: str = "300"
) -> Message:
    who = f"<sip:{number}@10.0.0.1>"
    phone.endpoint.send(
        "REGISTER", URI, SWITCH, 0, board.world.now, from_=who, to=who, token="register",
        headers=headers,
    )
    board.world.advance(1)
    event = [e for e in phone.events if isinstance(e, Response)][-1]
    assert event.message is not None
    return event.message


def register(
    board: Switchboard, phone: Agent, password: str, *headers: tuple[str, str], number: str = "300"
) -> Message:
    challenged = send_register(board, phone, number=number)
    assert challenged.code == 401
    challenges = [value for name, value in challenged.headers if name == "www-authenticate"]
    answer = auth.answer(challenges, "REGISTER", URI, number, password, "abcdef")
    assert answer is not None
    return send_register(board, phone, ("Authorization", answer), *headers, number=number)


@pytest.fixture
def board() -> Switchboard:
    board = Switchboard()
    board.phone("300", "secret")
    return board


def test_the_challenge_offers_sha_256_first_and_md5_second(board: Switchboard) -> None:
    """RFC 8760 2.3: most preferred first, each in a header field of its own."""
    challenged = send_register(board, board.agent("phone", PHONE))
    offered = [value for name, value in challenged.headers if name == "www-authenticate"]
    assert ["SHA-256" in offered[0], "MD5" in offered[1], len(offered)] == [True, True, 2]


def test_a_phone_registers_and_is_called(board: Switchboard) -> None:
    phone = board.agent("phone", PHONE, answer_after=0.2)
    registered = register(board, phone, "secret")
    assert registered.code == 200
    assert "sip:10.0.0.9:5060" in (registered.get("contact") or "")
    assert [row.number for row in board.shelf.rows["bindings"]] == ["300"]
    alice = board.agent("alice", ALICE)
    leg = alice.call("sip:300@10.0.0.1", SWITCH)
    board.world.advance(2)
    assert leg.answered_at is not None
    assert [leg.end for leg in phone.legs] == [""]


def test_bindings_are_kept_across_a_restart(board: Switchboard) -> None:
    register(board, board.agent("phone", PHONE), "secret")
    kept = board.shelf.rows["bindings"]
    again = Switchboard()
    again.shelf.rows["bindings"] += kept
    again.phone("300", "secret")
    again.switch.configuration.bindings.clear()
    again.switch.configuration._read_bindings()
    found = again.switch.configuration.contacts("300", EPOCH)
    assert [row.host for row in found] == [PHONE[0]]


def test_a_binding_runs_out(board: Switchboard) -> None:
    register(board, board.agent("phone", PHONE), "secret", ("Expires", "90"))
    board.world.advance(80)
    assert board.switch.configuration.bindings
    board.world.advance(20)
    assert board.switch.configuration.bindings == {}
    assert board.shelf.rows["bindings"] == []


@pytest.mark.parametrize("number", ["300", "999"])
def test_wrong_password_and_unknown_user_get_the_same_answer(
    board: Switchboard, number: str
) -> None:
    phone = board.agent("phone", PHONE)
    refused = register(board, phone, "guess", number=number)
    assert refused.code == 403
    assert sorted(name for name, _ in refused.headers if name != "content-length") == [
        "call-id", "cseq", "from", "to", "via",
    ]
    assert board.switch.counters.values["auth_failures"] == 1


def test_a_phone_calls_out_with_its_password(board: Switchboard) -> None:
    phone = board.agent("phone", PHONE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    leg = phone.call(
        "sip:200@10.0.0.1", SWITCH, from_="<sip:300@10.0.0.1>", credentials=("300", "secret")
    )
    board.world.advance(2)
    assert leg.answered_at is not None
    assert len(bob.legs) == 1
    view = next(board.switch.calls.views())
    assert (view.caller, view.mapping, view.legs[0].kind) == ("300", "300", "phone")


def test_a_phone_with_a_wrong_password_is_turned_away(board: Switchboard) -> None:
    phone = board.agent("phone", PHONE)
    leg = phone.call(
        "sip:200@10.0.0.1", SWITCH, from_="<sip:300@10.0.0.1>", credentials=("300", "guess")
    )
    board.world.advance(2)
    assert (leg.end, leg.code) == ("failed", 403)


def test_a_listed_phone_cannot_hide_behind_another_number(board: Switchboard) -> None:
    """D77, D78: phones are an entry path of their own, and their From can say anything."""
    board.block("300")
    phone = board.agent("phone", PHONE)
    leg = phone.call(
        "sip:200@10.0.0.1", SWITCH, from_="<sip:555@10.0.0.1>", credentials=("300", "secret")
    )
    board.world.advance(2)
    assert leg.code == 403
    assert board.shelf.records[0].end_reason == "blacklist"


def test_a_phone_that_is_not_registered(board: Switchboard) -> None:
    alice = board.agent("alice", ALICE)
    leg = alice.call("sip:300@10.0.0.1", SWITCH)
    board.world.advance(2)
    assert (leg.code, board.shelf.records[0].end_reason) == (480, "callee_not_registered")


def test_a_mapping_gateway_known_by_password(board: Switchboard) -> None:
    board.gateway(
        "branch", ("10.9.9.9", 5060), kind="mapping", auth="password", user="branch",
        ha1_md5=auth.ha1("branch", "vos", "pw", "MD5"),
        ha1_sha256=auth.ha1("branch", "vos", "pw", "SHA-256"),
    )
    board.agent("bob", BOB, answer_after=0.0)
    branch = board.agent("branch", ("10.0.0.77", 5060))
    leg = branch.call("sip:200@10.0.0.1", SWITCH, credentials=("branch", "pw"))
    board.world.advance(2)
    assert leg.answered_at is not None
    assert next(board.switch.calls.views()).mapping == "branch"


def test_a_replayed_answer_is_challenged_anew(board: Switchboard) -> None:
    """reliability.md row 6: the same credentials a second time are stale, not good."""
    phone = board.agent("phone", PHONE)
    challenged = send_register(board, phone)
    challenges = [value for name, value in challenged.headers if name == "www-authenticate"]
    answer = auth.answer(challenges, "REGISTER", URI, "300", "secret", "abcdef") or ""
    assert send_register(board, phone, ("Authorization", answer)).code == 200
    replayed = send_register(board, phone, ("Authorization", answer))
    assert replayed.code == 401
    assert "stale=true" in (replayed.get("www-authenticate") or "").lower()


def test_the_vendor_asks_for_digest(board: Switchboard) -> None:
    """Outbound digest: the vendor's 407 is answered with the gateway's user and password."""
    board.gateway("vendor", SWITCH_TWO, user="us", password="pw")
    alice = board.agent("alice", ALICE)
    vendor = board.agent("vendor", SWITCH_TWO, ring_after=None, reject_with=407, reject_headers=(
        ("Proxy-Authenticate", auth.challenge("vendor.example", "n1")[1]),
    ))
    leg = alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(2)
    answers = [e.message.get("proxy-authorization") for e in vendor.events
               if hasattr(e, "message") and e.message is not None]
    assert answers[0] is None
    assert 'username="us"' in (answers[1] or "")
    # refused a second time: our standing with the vendor is not the caller's business
    assert leg.code == 503


SWITCH_TWO = ("10.0.0.50", 5060)


def test_ss_digest_algorithms_offers_md5_alone_and_takes_nothing_else() -> None:
    """A downgrade is the operator's choice, never the client's (reliability.md row 7)."""
    board = Switchboard(SS_DIGEST_ALGORITHMS="md5")
    board.phone("300", "secret")
    phone = board.agent("phone", PHONE)
    challenged = send_register(board, phone)
    offered = [value for name, value in challenged.headers if name == "www-authenticate"]
    assert ["MD5" in value for value in offered] == [True]
    stronger = offered[0].replace("MD5", "SHA-256")
    answer = auth.answer([stronger], "REGISTER", URI, "300", "secret", "abcdef") or ""
    assert send_register(board, phone, ("Authorization", answer)).code == 401
    assert register(board, phone, "secret").code == 200
