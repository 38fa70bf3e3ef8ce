# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom the switch takes at their word: by address and transport, and by which digest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.logins import PHONE, URI, ask, challenges, code, numbers, raw
from tests.engine.switchboard import ALICE, SWITCH, Switchboard
from vosd.sip import auth
from vosd.switch.tables import Gateway, GatewayAddress, Phone


@pytest.fixture
def board() -> Iterator[Switchboard]:
    board = Switchboard()
    board.phone("300", "secret")
    yield board
    board.world.advance(40)
    assert board.empty()


# what is known by its address


@pytest.mark.parametrize(
    ("written", "taken"),
    [("udp", ["udp", "tcp", "tls"]), ("tcp", ["tcp", "tls"]), ("tls", ["tls"])],
)
def test_a_gateway_of_connections_is_not_trusted_for_a_datagram(
    written: str, taken: list[str]
) -> None:
    """The source of a datagram is easily forged; udp is also what stands for nothing written."""
    board = Switchboard()
    place = GatewayAddress("10.7.7.7", 5061, written)
    board.gateway("customer", PHONE, kind="mapping", addresses=(place,))
    trusted = board.switch.configuration.trusted
    assert [way for way in ("udp", "tcp", "tls") if trusted(("10.7.7.7", 40000), way)] == taken


def test_a_forged_datagram_of_a_tls_gateway_is_challenged(board: Switchboard) -> None:
    place = GatewayAddress(*PHONE, "tls")
    board.gateway("customer", PHONE, kind="mapping", addresses=(place,))
    assert code(ask(board, raw("INVITE"))) == 401
    board.gateway("customer", PHONE, kind="mapping")
    assert code(ask(board, raw("INVITE"))) == 100
    board.world.advance(10)


def test_the_fence_is_asked_about_trusted_gateways_too(board: Switchboard) -> None:
    seen = []

    def fence(method: str, source: tuple[str, int], party: Gateway | Phone) -> bool:
        seen.append((method, source, getattr(party, "name", "")))
        return False

    board.switch._outside._admission.fence = fence
    alice = board.agent("alice", ALICE)
    leg = alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(1)
    assert (leg.code, seen) == (403, [("INVITE", ALICE, "carrier")])


# the log-in of small phones, and log-ins that are none


def small(*headers: str) -> bytes:
    """What a minimal client sends: nothing that need not be there."""
    lines = [
        "REGISTER sip:10.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {PHONE[0]}:{PHONE[1]};branch=z9hG4bK{next(numbers):06d};rport",
        "Max-Forwards: 70",
        "From: <sip:300@10.0.0.1>;tag=abcd",
        "To: <sip:300@10.0.0.1>",
        "Call-ID: abcdef@10.0.0.9",
        f"CSeq: {next(numbers)} REGISTER",
        f"Contact: <sip:300@{PHONE[0]}:{PHONE[1]}>",
        "Expires: 3600",
        *headers,
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_phone_that_says_little_can_register(board: Switchboard) -> None:
    """Row 12: two challenges would be more than 1.5 times its request, one is not."""
    request = small()
    assert 270 < len(request) < 300
    (answer,) = ask(board, request)
    (value,) = challenges([answer])
    assert "algorithm=MD5" in value
    assert b"\r\nServer:" not in answer.data
    assert len(answer.data) <= 1.5 * len(request)
    assert board.switch.endpoint.withheld == 0
    line = f"Authorization: {auth.answer([value], 'REGISTER', URI, '300', 'secret', 'c')}"
    assert code(ask(board, small(line))) == 200
    # with room for both, both are offered
    assert len(challenges(ask(board, small("User-Agent: " + "x" * 60)))) == 2


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_a_user_without_a_digest_cannot_log_in(algorithm: str) -> None:
    """Nor with the digest of nothing, whichever that is taken to be."""
    board = Switchboard()
    board.shelf.rows["phones"].append(Phone(number="400"))
    board._reload()
    width = 64 if algorithm == "SHA-256" else 32
    for secret in ("0" * width, "0" * 64, ""):
        nonce = auth._pairs(challenges(ask(board, raw("REGISTER", "400")))[0])["nonce"]
        response = auth._response(algorithm, secret, "REGISTER", URI, nonce, "00000001:c:auth")
        line = (
            f'Authorization: Digest username="400", realm="vos", nonce="{nonce}", uri="{URI}",'
            f' response="{response}", algorithm={algorithm}, qop=auth, nc=00000001, cnonce="c"'
        )
        assert code(ask(board, raw("REGISTER", "400", line))) == 403
    assert board.shelf.rows["bindings"] == []


@pytest.mark.parametrize(
    ("uri", "answered"),
    [
        ("sip:200@10.0.0.1", 100),
        ("sip:%32%30%30@10.0.0.1:5060;transport=udp", 100),
        ("sip:10.0.0.1", 100),  # some clients name the server in every digest
        ("sip:900@10.0.0.1", 400),
        ("sip:200@192.0.2.1", 100),  # a proxy on the way wrote another host
        ("200", 400),
    ],
)
def test_a_digest_is_for_the_uri_it_was_made_for(
    board: Switchboard, uri: str, answered: int
) -> None:
    """RFC 7616 3.4.6: the Request-URI is not part of the digest, so it has to be compared."""
    offered = challenges(ask(board, raw("INVITE", "300")))
    line = f"Authorization: {auth.answer(offered, 'INVITE', uri, '300', 'secret', 'c')}"
    codes = [int(entry.text.split()[0]) for entry in ask(board, raw("INVITE", "300", line))]
    assert codes == [answered]
    board.world.advance(10)
