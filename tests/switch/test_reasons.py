# SPDX-License-Identifier: GPL-2.0-or-later
"""End reasons, what a vendor's code means, and which codes end the hunt (D20)."""

import pytest

from vosd.switch import reasons
from vosd.switch.reasons import HUNT, REASONS, cause_for_sip, for_sip, hunts_on, sip_for_cause


def test_numbers_and_names_are_unique_and_short() -> None:
    assert len({row.number for row in REASONS.values()}) == len(REASONS)
    assert all(len(row.text) <= 50 for row in REASONS.values())


def test_vendor_list_numbers_stand_where_the_case_is_the_same() -> None:
    """vos3000.md 10; 1 and 7-9 stay free for plain normal and for money."""
    numbered = {row.number: row.name for row in REASONS.values() if row.number < 100}
    assert numbered == {
        2: "busy",
        3: "no_answer",
        4: "unallocated_number",
        5: "congestion",
        6: "route_not_found",
        10: "caller_disabled",
        11: "caller_hangup",
        12: "callee_hangup",
        13: "forced",
        14: "session_timeout",
        15: "media_timeout",
        16: "authentication_failed",
    }


@pytest.mark.parametrize("row", REASONS.values(), ids=lambda row: row.name)
def test_every_row_is_usable_on_the_wire(row: reasons.Reason) -> None:
    assert row.sip == 200 or 400 <= row.sip <= 699
    assert 1 <= row.q850 <= 127
    assert row.text.isprintable()
    assert '"' not in row.text
    assert row.advice == "" or row.advice.endswith(".")
    assert row.sip not in (401, 407), "a caller must never be asked to log in for a vendor's sake"


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, row in REASONS.items()
        if row.fault not in ("none",) and name not in ("number_changed", "declined", "busy")
    ],
)
def test_whoever_is_at_fault_there_is_advice(name: str) -> None:
    if name not in ("forced", "draining"):
        assert REASONS[name].advice


def test_reason_header() -> None:
    assert REASONS["caller_hangup"].header() == 'Q.850;cause=16;text="caller hung up"'


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (302, "vendor_redirected"),
        (400, "vendor_refused"),
        (401, "vendor_authentication"),
        (403, "vendor_forbidden"),
        (404, "unallocated_number"),
        (407, "vendor_authentication"),
        (408, "vendor_timeout"),
        (415, "vendor_refused"),
        (422, "session_interval"),
        (480, "callee_unavailable"),
        (484, "address_incomplete"),
        (486, "busy"),
        (488, "codec_mismatch"),
        (500, "vendor_failure"),
        (503, "congestion"),
        (504, "vendor_timeout"),
        (580, "vendor_failure"),
        (600, "busy"),
        (603, "declined"),
        (604, "unallocated_number"),
        (606, "codec_mismatch"),
        (699, "declined"),
        (700, "vendor_failure"),
    ],
)
def test_reason_of_a_vendor_code(code: int, name: str) -> None:
    assert for_sip(code).name == name


def test_every_final_code_has_a_reason_and_a_hunt_rule() -> None:
    for code in range(300, 700):
        assert for_sip(code).name in REASONS
        assert hunts_on(code) in (True, False)


@pytest.mark.parametrize(
    ("codes", "goes_on"),
    [
        ((404, 410, 484, 485, 486, 600, 603, 604, 606, 607, 699), False),
        ((422,), False),
        ((482, 483), False),
        ((487,), False),
        ((408, 500, 502, 503, 504, 580), True),
        ((400, 401, 402, 403, 407, 415, 420, 480, 488), True),
        ((300, 301, 302, 305, 380), True),
        ((700, 0), False),
    ],
)
def test_hunting(codes: tuple[int, ...], goes_on: bool) -> None:
    assert {code: hunts_on(code) for code in codes} == dict.fromkeys(codes, goes_on)


def test_hunt_rows_of_the_issue_are_explicit() -> None:
    stops = {code for code, word in HUNT.items() if word == "stop"}
    assert {404, 484, 486, 600, 603, 422} <= stops
    assert HUNT[408] == "next"


@pytest.mark.parametrize(
    ("cause", "code"),
    [(1, 404), (3, 404), (17, 486), (18, 408), (19, 480), (21, 403), (22, 410), (27, 502),
     (28, 484), (31, 480), (34, 503), (41, 503), (65, 488), (79, 501), (102, 504), (127, 500),
     (99, 500)],
)  # fmt: skip
def test_cause_to_status(cause: int, code: int) -> None:
    """RFC 3398 7.2.4.1."""
    assert sip_for_cause(cause) == code


@pytest.mark.parametrize(
    ("code", "cause"),
    [(400, 41), (403, 21), (404, 1), (408, 102), (410, 22), (480, 18), (483, 25), (484, 28),
     (486, 17), (500, 41), (501, 79), (502, 38), (503, 41), (504, 102), (513, 127), (600, 17),
     (603, 21), (604, 1), (499, 127)],
)  # fmt: skip
def test_status_to_cause(code: int, cause: int) -> None:
    """RFC 3398 8.2.6.1."""
    assert cause_for_sip(code) == cause


def test_cause_of_a_row_agrees_with_its_status() -> None:
    """Either table of RFC 3398 joins the two; the rest is named with its ground here."""
    own = {
        "cancelled": "487 has no cause",
        "vendor_authentication": "the caller hears 503: the vendor's refusal is not about it",
        "vendor_forbidden": "as above",
        "vendor_credit": "as above",
        "vendor_failure": "500 and 502 share the row",
        "vendor_refused": "127 is interworking, the caller hears 502",
    }
    odd = {
        name
        for name, row in REASONS.items()
        if row.sip != 200
        and sip_for_cause(row.q850) != row.sip
        and cause_for_sip(row.sip) != row.q850
    }
    assert odd == set(own)
