# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks on log-ins: rows 6 to 12 and 20 of reliability.md 3, and its section 4, in raw SIP."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.engine.logins import (
    OTHER,
    PHONE,
    URI,
    ask,
    challenges,
    code,
    guess,
    proof,
    raw,
)  # fmt: skip
from tests.engine.switchboard import ALICE, BOB, SWITCH, Switchboard
from tests.sim.world import Link, dropping
from vosd.engine.live import Caller
from vosd.sip import auth
from vosd.switch.suspension import MAX_SOURCES, Suspensions, network
from vosd.switch.tables import Gateway, Phone


@pytest.fixture
def board() -> Iterator[Switchboard]:
    board = Switchboard(SERVER_BILLING_RECORD_ILLEGAL_CALL="on")
    board.phone("300", "secret")
    board.phone("301", "other")
    yield board
    board.world.advance(40)
    assert board.empty()


# row 6: replay


def test_replayed_at_once_later_from_elsewhere_or_altered(board: Switchboard) -> None:
    line = proof(board)
    assert code(ask(board, raw("REGISTER", "300", line))) == 200
    again = [
        ask(board, raw("REGISTER", "300", line)),
        ask(board, raw("REGISTER", "300", line, "Contact: <sip:evil@10.0.0.66>")),
        ask(board, raw("REGISTER", "300", line, source=OTHER), OTHER),
    ]
    board.world.advance(31)
    again.append(ask(board, raw("REGISTER", "300", line)))
    assert [code(entries) for entries in again] == [401] * 4
    stale = [["stale=true" in value for value in challenges(entries)] for entries in again]
    # for another source the nonce is none of ours
    assert stale == [[True, True], [True, True], [False, False], [True, True]]
    assert [row.contact for row in board.shelf.rows["bindings"]] == ["sip:300@10.0.0.9:5060"]


def test_a_lower_use_count_is_a_replay_and_a_higher_one_is_not(board: Switchboard) -> None:
    offered = challenges(ask(board, raw("REGISTER")))
    made = auth.parse_credentials(
        str(auth.answer(offered, "REGISTER", URI, "300", "secret", "c"))
    )

    def counted(nc: int) -> str:
        counts = f"{nc:08x}:c:auth"
        secret = auth.ha1("300", "vos", "secret", "SHA-256")
        response = auth._response("SHA-256", secret, "REGISTER", URI, made.nonce, counts)
        return (
            f'Authorization: Digest username="300", realm="vos", nonce="{made.nonce}", uri="{URI}",'
            f' response="{response}", algorithm=SHA-256, qop=auth, nc={nc:08x}, cnonce="c"'
        )

    answers = [ask(board, raw("REGISTER", "300", counted(nc))) for nc in (2, 3, 2, 3, 1, 4)]
    # 1 never came yet: datagrams may overtake one another
    assert [code(entries) for entries in answers] == [200, 200, 401, 401, 200, 200]


def test_a_retransmission_is_absorbed_before_its_nonce_is_looked_at(board: Switchboard) -> None:
    request = raw("REGISTER", "300", proof(board))
    first, second = ask(board, request), ask(board, request)
    assert (code(first), code(second)) == (200, 200)
    assert first[0].data == second[0].data


def test_nonces_outlive_a_restart_as_stale(board: Switchboard) -> None:
    """Another node takes them, a restarted one asks anew, and no phone asks for a password."""
    line = proof(board)
    again = Switchboard()
    again.phone("300", "secret")
    again.world.advance(1)
    fresh = ask(again, raw("REGISTER", "300", line))
    assert code(fresh) == 200, "a node that ran already"
    late = Switchboard()
    late.phone("300", "secret")
    late.switch._outside = late.switch._build_outside()
    late.world.advance(board.world.now)
    late.switch._outside = late.switch._build_outside()
    restarted = ask(late, raw("REGISTER", "300", line))
    assert code(restarted) == 401
    assert all("stale=true" in value for value in challenges(restarted))


# row 7: downgrade and confusion


@pytest.mark.parametrize(
    ("old", "new", "answered"),
    [
        ("", "", 200),
        ("algorithm=SHA-256", "algorithm=sha-256", 200),
        ("algorithm=SHA-256", "algorithm=SHA-512-256", 401),
        ("algorithm=SHA-256", "algorithm=MD5-sess", 401),
        ("algorithm=SHA-256", "algorithm=none", 401),
        (", algorithm=SHA-256", "", 403),  # MD5 by default, and a digest that is none
        ("qop=auth", "qop=auth-int", 401),
        ("qop=auth, nc=00000001, cnonce=\"c\"", "x=y", 401),
        ("nc=00000001", "nc=1", 401),
        ('realm="vos"', 'realm="voss"', 401),
        ('username="300"', 'username="30\\"0"', 403),
        ("Digest ", "Basic ", 401),
        ("response=", "respond=", 401),
    ],
)
def test_only_what_was_offered_is_accepted(
    board: Switchboard, old: str, new: str, answered: int
) -> None:
    line = proof(board)
    assert old in line
    assert code(ask(board, raw("REGISTER", "300", line.replace(old, new)))) == answered


# row 8: enumeration

SHAPE = re.compile(rb'nonce="[^"]*"|tag=[0-9a-f]+|00\d{4}|30\d|999')


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS"])
@pytest.mark.parametrize("stage", ["bare", "guessed"])
def test_real_and_unreal_users_get_the_same_octets(
    board: Switchboard, method: str, stage: str
) -> None:
    """The same code, header fields in the same order, and the same text but for what is random."""
    seen = []
    for user in ("300", "301", "999"):
        lines = []
        if stage == "guessed" and method != "OPTIONS":
            lines = [proof(board, method, user, "guess")]
        answers = ask(board, raw(method, user, *lines))
        seen.append([SHAPE.sub(b"?", entry.data) for entry in answers])
    assert len(seen[0]) == 1
    assert seen[1] == seen[0]
    assert seen[2] == seen[0]


@pytest.mark.parametrize("user", ["300", "999"])
def test_an_unreal_user_costs_as_many_hashes(
    board: Switchboard, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    """Time is work: the digests computed for one guess are counted, not the milliseconds."""
    line = proof(board, user=user, password="guess")
    done: list[str] = []
    digest = auth._digest
    monkeypatch.setattr(
        auth, "_digest", lambda kind, text: done.append(kind) or digest(kind, text)
    )
    assert code(ask(board, raw("REGISTER", user, line))) == 403
    assert done == ["SHA-256", "SHA-256"]


# row 9 and section 4: guessing


def test_six_wrong_passwords_suspend_the_source(
    board: Switchboard, caplog: pytest.LogCaptureFixture
) -> None:
    """SS_AUTHENTICATION_MAX_RETRY and _FAILED_SUSPEND at their defaults, 6 and 180 s."""
    assert [guess(board) for _ in range(6)] == [403] * 6
    refused = ask(board, raw("REGISTER", "300"))
    assert code(refused) == 503
    assert re.search(rb"\r\nRetry-After: 18\d\r\n|\r\nRetry-After: 1[78]\d\r\n", refused[0].data)
    # not even the right password is looked at, and other sources do not notice
    line = proof(board, source=OTHER)
    assert code(ask(board, raw("REGISTER", "300", line, source=OTHER), OTHER)) == 200
    assert code(ask(board, raw("INVITE", "300"))) == 503
    told = [r.getMessage() for r in caplog.records if "suspended" in r.getMessage()]
    assert told == ["auth suspended src=10.0.0.9 for=180s"]
    assert board.switch.counters.values["auth_suspensions"] == 1
    board.world.advance(181)
    assert code(ask(board, raw("REGISTER", "300", proof(board)))) == 200


def test_retry_and_time_are_parameters() -> None:
    board = Switchboard(SS_AUTHENTICATION_MAX_RETRY="2", SS_AUTHENTICATION_FAILED_SUSPEND="60s")
    board.phone("300", "secret")
    assert [guess(board), guess(board)] == [403, 403]
    assert code(ask(board, raw("REGISTER"))) == 503
    board.world.advance(60)
    assert code(ask(board, raw("REGISTER"))) == 401
    never = Switchboard(SS_AUTHENTICATION_MAX_RETRY="0")
    never.phone("300", "secret")
    assert [guess(never) for _ in range(20)] == [403] * 20


def test_the_same_wrong_answer_counts_once(board: Switchboard) -> None:
    line = proof(board, password="guess")
    answers = [ask(board, raw("REGISTER", "300", line, branch="z9hG4bKsame")) for _ in range(20)]
    assert {code(entries) for entries in answers} == {403}
    assert board.switch.counters.values["auth_failures"] == 1


def test_forged_packets_suspend_nobody(board: Switchboard) -> None:
    """Section 4: 1000 packets that look like a scanner's, from the address of a phone."""
    assert code(ask(board, raw("REGISTER", "300", proof(board)))) == 200
    foreign = proof(board, source=OTHER, password="guess")
    for number in range(1000):
        invented = foreign.replace('nonce="', f'nonce="{number}')
        board.world.inject(raw("REGISTER", f"{number}", foreign, invented), PHONE, SWITCH)
    board.world.advance(1)
    assert code(ask(board, raw("REGISTER", "300", proof(board)))) == 200
    assert board.switch.counters.values["auth_failures"] == 0


def test_a_registered_phone_goes_on_while_its_neighbour_guesses(board: Switchboard) -> None:
    """Section 4: trusted peers, then registered phones, then suspensions."""
    assert code(ask(board, raw("REGISTER", "300", proof(board)))) == 200
    neighbour = (PHONE[0], 40000)
    assert {guess(board, "301", neighbour) for _ in range(6)} == {403}
    assert code(ask(board, raw("REGISTER", "301", source=neighbour), neighbour)) == 503
    assert code(ask(board, raw("REGISTER", "300", proof(board)))) == 200


def test_a_trusted_gateway_is_never_suspended(board: Switchboard) -> None:
    """A customer known by address whose network also holds somebody who guesses."""
    guesser = (ALICE[0], 40000)
    assert {guess(board, "300", guesser) for _ in range(6)} == {403}
    bob = board.agent("bob", BOB, answer_after=0.1)
    alice = board.agent("alice", ALICE)
    leg = alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(1)
    assert leg.answered_at is not None
    alice.bye(leg)
    assert len(bob.legs) == 1


def test_one_account_from_many_sources_stays_usable(board: Switchboard) -> None:
    """Row 9: no lock-out of the account itself."""
    for number in range(200):
        assert guess(board, "300", (f"10.1.0.{number}", 5060)) == 403
    assert code(ask(board, raw("REGISTER", "300", proof(board)))) == 200


def test_a_right_password_forgives_that_user_and_no_other() -> None:
    held = Suspensions()
    for number in range(5):
        held.failed("10.0.0.9", "300", f"r{number}", 0.0, 6, 180)
    held.proved("10.0.0.9", "301")
    assert held.failed("10.0.0.9", "301", "x", 1.0, 6, 180) == (True, True)
    held = Suspensions()
    for number in range(5):
        held.failed("10.0.0.9", "300", f"r{number}", 0.0, 6, 180)
    held.proved("10.0.0.9", "300")
    assert held.failed("10.0.0.9", "300", "x", 1.0, 6, 180) == (True, False)


def test_failures_far_apart_do_not_add_up() -> None:
    held = Suspensions()
    outcomes = [held.failed("h", "u", f"r{n}", 181.0 * n, 2, 180) for n in range(9)]
    assert outcomes == [(True, False)] * 9


def test_memory_of_failures_is_bounded() -> None:
    held = Suspensions()
    for number in range(MAX_SOURCES + 100):
        held.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "u", "r", 0.0, 1, 180)
    assert len(held) == MAX_SOURCES
    assert held.left("10.0.0.1", 1.0) == 0
    held.failed("192.0.2.1", "u", "r", 500.0, 1, 180)
    assert len(held) == 1


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "20010db800010002"),
        ("2001:db8:1:2::9", "20010db800010002"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80000000000000"),
    ],
)
def test_a_subscriber_is_an_address_or_a_64(host: str, expected: str) -> None:
    assert network(host) == expected


# row 10: a peer that asks us for credentials


def test_a_challenge_to_our_bye_learns_nothing(board: Switchboard) -> None:
    """A trunk without stored credentials gets no digest, whatever it answers our BYE with."""
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.1)
    leg = alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(1)
    wire = len(board.world.ladder)
    # bob's own answer is lost, so that the demand comes first
    board.world.between("bob", "switch", Link(drop=dropping("200 BYE")), board.world.link)
    assert board.switch.hangup(next(board.switch.calls.views()).id)
    board.world.advance(0.2)
    request = next(
        e.data for e in board.world.ladder[wire:] if e.target == "bob" and e.text == "BYE 2"
    )
    copied = b"".join(re.findall(rb"(?:Via|From|To|Call-ID|CSeq): [^\r]*\r\n", request))
    demand = auth.challenge("vos", "n")[1].encode()
    board.world.inject(
        b"SIP/2.0 407 Give\r\n" + copied + b"Proxy-Authenticate: " + demand + b"\r\n\r\n",
        BOB, SWITCH,
    )  # fmt: skip
    board.world.advance(1)
    assert not any(b"uthorization" in entry.data for entry in board.world.ladder[wire:])
    assert (leg.end, len(bob.legs)) == ("bye received", 1)


# row 11: every method from a stranger

METHODS = {
    "INVITE": 401, "REGISTER": 401, "OPTIONS": 200, "BYE": 481, "CANCEL": 481, "INFO": 405,
    "UPDATE": 405, "PRACK": 405, "MESSAGE": 405, "NOTIFY": 481, "SUBSCRIBE": 405, "REFER": 405,
    "PUBLISH": 405, "NONSENSE": 501,
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_a_stranger_gets_one_small_answer_and_leaves_nothing(
    board: Switchboard, method: str
) -> None:
    """Rows 11 and 12: the code, once, at most 1.5 times the octets, and no memory of it."""
    request = raw(method)
    answers = ask(board, request)
    assert code(answers) == METHODS[method]
    board.world.advance(40)
    assert sum(entry.source == "switch" for entry in board.world.ladder) == 1, "sent once"
    assert len(answers[0].data) <= 1.5 * len(request)
    again = ask(board, raw(method))
    assert code(again) == METHODS[method]
    assert (board.switch.endpoint.transactions, board.switch.endpoint.dialogs) == (0, 0)
    assert not board.shelf.records


def test_an_ack_of_a_stranger_is_passed_over(board: Switchboard) -> None:
    assert ask(board, raw("ACK")) == []


@pytest.mark.parametrize("tiny", [
    b"REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@a>;tag=1\r\n"
    b"To: <sip:a@a>\r\nCall-ID: a\r\nCSeq: 1 REGISTER\r\n\r\n",
    b"OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1\r\nf: <sip:a@a>;tag=1\r\n"
    b"t: <sip:a@a>\r\ni: a\r\nCSeq: 1 OPTIONS\r\n\r\n",
    b"INVITE sip:a SIP/2.0\r\nv: SIP/2.0/UDP a\r\n\r\n",
], ids=["register", "options", "broken"])  # fmt: skip
def test_a_request_smaller_than_any_phone_sends_gets_nothing(
    board: Switchboard, tiny: bytes
) -> None:
    """Row 12: what could not be answered within 1.5 times its size is not answered."""
    assert ask(board, tiny) == []
    assert board.switch.endpoint.withheld == 1
    # a gateway's own address is worth an answer of any size
    assert ask(board, tiny, BOB)


# D82


def test_the_fence_sees_every_log_in_and_can_refuse(board: Switchboard) -> None:
    """A geofence has one place to stand: after the proof, before anything is kept."""
    seen = []

    def fence(method: str, source: tuple[str, int], party: Gateway | Phone) -> bool:
        seen.append((method, source, getattr(party, "number", "")))
        return method != "INVITE"

    board.switch._outside._admission.fence = fence
    assert code(ask(board, raw("REGISTER", "300", proof(board)))) == 200
    line = proof(board, "INVITE")
    assert code(ask(board, raw("INVITE", "300", line))) == 403
    assert seen == [("REGISTER", PHONE, "300"), ("INVITE", PHONE, "300")]


# records


def records(board: Switchboard) -> list[tuple[str, str, str, int]]:
    return [(r.mapping, r.caller, r.end_reason, r.sip_code) for r in board.shelf.records]


def test_a_refused_call_of_a_proven_source_leaves_a_record(board: Switchboard) -> None:
    """SERVER_BILLING_RECORD_ILLEGAL_CALL; the caller himself sees no difference."""
    for user in ("300", "999"):
        line = proof(board, "INVITE", user, "guess")
        assert code(ask(board, raw("INVITE", user, line))) == 403
        board.world.advance(1)
    assert records(board) == [
        ("300", "300", "authentication_failed", 403), ("", "999", "caller_unknown", 403),
    ]  # fmt: skip
    assert len(board.switch.calls) == 0


def test_many_strangers_do_not_fill_the_disk(board: Switchboard) -> None:
    """One such record a second, whatever comes; what a stranger wrote is cut."""
    for number in range(50):
        source = (f"10.1.0.{number}", 5060)
        user = "9" * 400
        line = proof(board, "INVITE", user, "guess", source)
        assert code(ask(board, raw("INVITE", user, line, source=source), source)) == 403
    assert 5 <= len(board.shelf.records) <= 12
    assert {len(row.caller) for row in board.shelf.records} == {64}


def test_none_is_written_where_the_operator_wants_none() -> None:
    board = Switchboard(SERVER_BILLING_RECORD_ILLEGAL_CALL="off")
    board.phone("300", "secret")
    line = proof(board, "INVITE", "300", "guess")
    assert code(ask(board, raw("INVITE", "300", line))) == 403
    assert board.shelf.records == []


# row 20: what a stranger writes into the log


def test_a_user_name_stays_one_word_of_one_line(
    board: Switchboard, caplog: pytest.LogCaptureFixture
) -> None:
    offered = challenges(ask(board, raw("REGISTER")))
    line = proof(board, user="a b\x1b[2J\u202ec\x00\u2028=d", password="guess", offered=offered)
    assert code(ask(board, raw("REGISTER", "300", line))) == 403
    told = [r.getMessage() for r in caplog.records if "auth failure" in r.getMessage()]
    assert all(re.fullmatch(r"auth failure src=\S+ user=[!-~]+ proto=udp proven=yes", one)
               for one in told)  # fmt: skip
    assert len(told) == 1


def test_secrets_are_not_in_what_is_shown() -> None:
    """No repr, and so no traceback and no careless log line, holds a digest or a password."""
    secret = {"ha1_md5": "d" * 32, "ha1_sha256": "e" * 64}
    phone = Phone(number="300", **secret)
    gateway = Gateway(name="trunk", kind="routing", password="eeee", **secret)
    for text in (repr(phone), repr(gateway), repr(Caller("300", gateway, phone))):
        assert "dddd" not in text
        assert "eeee" not in text
