# SPDX-License-Identifier: GPL-2.0-or-later
"""Session timer agreements, row by row; figures worked by hand from RFC 4028."""

from __future__ import annotations

import math

import pytest

from vosd.sip.message import Message
from vosd.sip.parse import parse
from vosd.sip.session_timer import (
    Session,
    Terms,
    glare_delay,
    lengthened,
    margin,
    supports,
    terms,
    too_small,
)

TERMS = terms(ttl=600, min_se=90, segment=2, early=None, probe=300.0, longest=7200.0)


def message(line: str, *headers: str) -> Message:
    start = f"INVITE sip:{line}@10.0.0.1 SIP/2.0" if " " not in line else f"SIP/2.0 {line}"
    return parse("\r\n".join((
        start, "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1", "From: <sip:a@b>;tag=1",
        "To: <sip:c@d>", "Call-ID: x", "CSeq: 1 INVITE", "Contact: <sip:a@10.0.0.2>",
        *headers, "Content-Length: 0\r\n\r\n",
    )).encode())  # fmt: skip


def invite(*headers: str) -> Message:
    return message("100", *headers)


def test_what_an_invite_asks_for() -> None:
    """FLW-01, RFC 4028 7.1: Session-Expires and Min-SE, the refresher left to the other side."""
    assert TERMS.asking == (("Session-Expires", "600"), ("Min-SE", "90"))
    raised = terms(ttl=120, min_se=300, segment=2, early=None, probe=1, longest=1)
    assert raised.asking == (("Session-Expires", "300"), ("Min-SE", "300"))


@pytest.mark.parametrize(
    ("headers", "interval", "ours", "answer"),
    [
        # table 2 of RFC 4028 9, from top to bottom
        ((), 0, False, ()),
        (("Session-Expires: 600",), 600, True, ("600;refresher=uas",)),
        (("Session-Expires: 600;refresher=uac",), 600, True, ("600;refresher=uas",)),
        (("Supported: timer",), 600, True, ("600;refresher=uas", "timer")),
        (("Supported: timer", "Session-Expires: 600"), 600, True, ("600;refresher=uas", "timer")),
        (("Supported: timer", "Session-Expires: 600;refresher=uac"), 600, False,
         ("600;refresher=uac", "timer")),
        (("k: 100rel, Timer", "x: 600 ; Refresher = UAS"), 600, True,
         ("600;refresher=uas", "timer")),
        (("Require: timer", "Session-Expires: 400;refresher=uac"), 400, False,
         ("400;refresher=uac", "timer")),
        # lowered to what we want, but not under the peer's Min-SE
        (("Supported: timer", "Session-Expires: 1800"), 600, True, ("600;refresher=uas", "timer")),
        (("Supported: timer", "Session-Expires: 1800", "Min-SE: 900"), 900, True,
         ("900;refresher=uas", "timer")),
        (("Supported: timer", "Min-SE: 1200"), 1200, True, ("1200;refresher=uas", "timer")),
        # a proxy's interval under the absolute minimum of 90 s is none
        (("Session-Expires: 20",), 0, False, ()),
    ],
)  # fmt: skip
def test_the_called_side_agrees(
    headers: tuple[str, ...], interval: int, ours: bool, answer: tuple[str, ...]
) -> None:
    session = Session()
    given = session.accept(invite(*headers), TERMS)
    assert tuple(value for _, value in given) == answer
    assert session.interval == interval
    assert session.ours == ours or not interval


def test_who_refreshes_goes_on_doing_so_where_the_request_leaves_it_open() -> None:
    """RFC 4028 7.4: the role stays unless somebody says otherwise."""
    session = Session()
    session.accept(invite("Supported: timer", "Session-Expires: 300;refresher=uac"), TERMS)
    assert not session.ours
    again = session.accept(invite("Supported: timer", "Session-Expires: 300"), TERMS)
    assert again == (("Session-Expires", "300;refresher=uac"), ("Require", "timer"))
    session.accept(invite("Supported: timer", "Session-Expires: 300;refresher=uas"), TERMS)
    assert session.ours


@pytest.mark.parametrize(
    ("headers", "interval", "ours"),
    [
        ((), 0, False),
        (("Session-Expires: 600;refresher=uas", "Require: timer"), 600, False),
        (("Session-Expires: 500;refresher=uac", "Require: timer"), 500, True),
        # against the RFC: no refresher named, an interval under 90 s
        (("Session-Expires: 600",), 600, True),
        (("Session-Expires: 60;refresher=uac",), 60, True),
        (("Session-Expires: 1;refresher=uac",), 30, True),
    ],
)
def test_the_calling_side_takes_the_answer(
    headers: tuple[str, ...], interval: int, ours: bool
) -> None:
    session = Session()
    session.agreed(message("200 OK", *headers))
    assert (session.interval, session.ours) == (interval, ours)


def test_a_peer_that_forgets_the_timer_is_refreshed_by_us() -> None:
    """RFC 4028 7.2 knows no session any more; D27: one side may refresh alone."""
    session = Session()
    session.agreed(message("200 OK", "Session-Expires: 600;refresher=uas", "Allow: ACK, UPDATE"))
    assert (session.ours, session.updates) == (False, True)
    session.agreed(message("200 OK"))
    assert (session.interval, session.ours, session.updates) == (600, True, True)


@pytest.mark.parametrize(
    ("interval", "early", "seconds"),
    [
        # D19, D28: min(32 s, SE/3); 600 - 32 = 568
        (600, None, 32.0), (96, None, 32.0), (90, None, 30.0),
        (600, 0.0, 0.0), (600, 10.0, 10.0), (600, 3600.0, 200.0),
    ],
)  # fmt: skip
def test_how_long_before_its_end_a_session_is_given_up(
    interval: int, early: float | None, seconds: float
) -> None:
    assert margin(interval, early) == seconds


@pytest.mark.parametrize(
    ("headers", "segment", "due", "ends"),
    [
        # STM-14: 600 / 2 = 300
        (("Session-Expires: 600;refresher=uac",), 2, 300.0, 600.0),
        (("Session-Expires: 90;refresher=uac",), 10, 9.0, 90.0),
        (("Session-Expires: 600;refresher=uas",), 2, math.inf, 568.0),
        (("Session-Expires: 90;refresher=uas",), 2, math.inf, 60.0),
        ((), 2, 300.0, math.inf),
    ],
)
def test_when_to_act(headers: tuple[str, ...], segment: int, due: float, ends: float) -> None:
    session = Session()
    session.agreed(message("200 OK", *headers))
    wanted = terms(ttl=600, min_se=90, segment=segment, early=None, probe=300.0, longest=7200.0)
    session.restart(wanted, 1000.0)
    assert (session.due - 1000.0, session.ends - 1000.0) == (due, ends)


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ((), False),
        (("Supported: timer",), False),
        (("Supported: timer", "Session-Expires: 90"), False),
        (("Supported: timer", "Session-Expires: 89"), True),
        # only who knows the timer can ask for more (RFC 4028 9)
        (("Session-Expires: 89",), False),
    ],
)
def test_422_is_for_who_can_do_better(headers: tuple[str, ...], refused: bool) -> None:
    """D20."""
    assert too_small(invite(*headers), 90) == refused


def test_a_refresh_says_who_refreshes_and_the_largest_min_se_met() -> None:
    """RFC 4028 7.4: `uac` is the sender of this request, whoever called."""
    session = Session()
    assert session.asking() == ()
    session.agreed(message("200 OK", "Session-Expires: 600;refresher=uac"))
    assert session.asking() == (("Session-Expires", "600;refresher=uac"),)
    assert session.refused(message("422 Too Small", "Min-SE: 900"))
    assert session.asking() == (("Session-Expires", "900;refresher=uac"), ("Min-SE", "900"))
    session.agreed(message("200 OK", "Session-Expires: 900;refresher=uas"))
    assert session.asking()[0] == ("Session-Expires", "900;refresher=uas")


@pytest.mark.parametrize("wanted", ["", "Min-SE: 600", "Min-SE: 86401", "Min-SE: x"])
def test_a_422_that_asks_for_nothing_more_is_not_obeyed(wanted: str) -> None:
    session = Session()
    session.agreed(message("200 OK", "Session-Expires: 600;refresher=uac"))
    assert not session.refused(message("422 Too Small", *([wanted] if wanted else [])))


def test_a_peer_that_asks_for_ever_more_is_left_after_three_rounds() -> None:
    session = Session()
    asked = [session.refused(message("422 Too Small", f"Min-SE: {n}")) for n in range(100, 105)]
    assert asked == [True, True, True, False, False]


def test_a_request_is_lengthened_and_nothing_else_of_it_changes() -> None:
    lines = "Diversion: <sip:1@2>\r\nSession-Expires: 600\r\nMin-SE: 90\r\nPrivacy: id\r\n"
    assert lengthened(lines, 900) == (
        "Diversion: <sip:1@2>\r\nSession-Expires: 900\r\nPrivacy: id\r\nMin-SE: 900\r\n"
    )
    assert lengthened("Session-Expires: 600;refresher=uac\r\n", 900) == (
        "Session-Expires: 900;refresher=uac\r\nMin-SE: 900\r\n"
    )
    assert lengthened(lines, 600) is None
    assert lengthened("Privacy: id\r\n", 900) is None


def test_glare_delays_stay_within_rfc_3261_14_1() -> None:
    """D25: 2.1 to 4 s in steps of 10 ms for the owner of the Call-ID, 0 to 2 s for the other."""
    owner = {glare_delay(True, bits) for bits in range(65536)}
    other = {glare_delay(False, bits) for bits in range(65536)}
    assert (min(owner), max(owner), len(owner)) == (2.1, 4.0, 191)
    assert (min(other), max(other), len(other)) == (0.0, 2.0, 201)


def test_terms_are_plain_values() -> None:
    assert Terms(ttl=600).min_se == 90
    assert supports(invite("Supported: 100rel", "Supported: timer"))
    assert not supports(invite("Supported: timers"))
