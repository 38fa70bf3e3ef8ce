# SPDX-License-Identifier: GPL-2.0-or-later
"""The system black list: exact and prefix rows, sides, expiry, and the same answer for `check`."""

import pytest

from vosd.switch.blacklist import canonical
from vosd.switch.screening import Blacklist, check, screen
from vosd.switch.tables import Listed

EXACT = Listed(number="4420", side="both")
CALLER = Listed(number="4930", side="caller")
CALLEE = Listed(number="900", prefix=True, side="callee")
SHORT = Listed(number="88", prefix=True)
LONG = Listed(number="8816", prefix=True)
BRIEF = Listed(number="331", expires=100.0)
RENEWED = Listed(number="332", expires=100.0)
RENEWAL = Listed(number="332", expires=200.0)
NAMED = Listed(number="anonymous", side="caller")
LIST = Blacklist([EXACT, CALLER, CALLEE, SHORT, LONG, BRIEF, RENEWED, RENEWAL, NAMED])


@pytest.mark.parametrize(
    ("caller", "callee", "now", "row"),
    [
        ("1", "2", 0.0, None),
        ("4420", "2", 0.0, EXACT),
        ("1", "4420", 0.0, EXACT),
        ("44201", "2", 0.0, None),
        ("4930", "2", 0.0, CALLER),
        ("1", "4930", 0.0, None),
        ("1", "9001234", 0.0, CALLEE),
        ("1", "900", 0.0, CALLEE),
        ("1", "90", 0.0, None),
        ("9001234", "2", 0.0, None),
        ("1", "88123", 0.0, SHORT),
        ("1", "881612", 0.0, LONG),
        ("331", "2", 99.9, BRIEF),
        ("331", "2", 100.0, None),
        ("332", "2", 150.0, RENEWAL),
        ("anonymous", "2", 0.0, NAMED),
        ("+44-20", "2", 0.0, EXACT),
        ("1", "+900 (12)", 0.0, CALLEE),
        # the caller's row is named first
        ("4420", "900", 0.0, EXACT),
    ],
)
def test_screen(caller: str, callee: str, now: float, row: Listed | None) -> None:
    assert screen(caller, callee, now, LIST) is row


@pytest.mark.parametrize("number", ["1", "4420", "4930", "9001", "88", "331", "anonymous"])
@pytest.mark.parametrize("now", [0.0, 100.0])
def test_check_answers_as_screen_decides(number: str, now: float) -> None:
    checked = check(number, now, LIST)
    assert checked.as_caller is screen(number, "555", now, LIST)
    assert checked.as_callee is screen("555", number, now, LIST)


def test_a_row_with_plus_blocks_the_bare_number() -> None:
    assert screen("1", "4420", 0.0, Blacklist([Listed(number="+4420")])) is not None


def test_an_empty_list_passes_everybody() -> None:
    assert screen("", "", 0.0, Blacklist([])) is None


def test_an_empty_prefix_blocks_everybody() -> None:
    row = Listed(number="", prefix=True, side="callee")
    assert check("", 0.0, Blacklist([row])).as_callee is row
    assert screen("1", "2", 0.0, Blacklist([row])) is row


@pytest.mark.parametrize(
    ("number", "bare"),
    [
        ("4420", "4420"),
        ("+44 (20)-1.2", "442012"),
        ("alice", "alice"),
        ("alice-1", "alice-1"),
        ("", ""),
        ("+", "+"),
        ("٣٣", "٣٣"),
        ("*21#", "*21#"),
    ],
)
def test_canonical(number: str, bare: str) -> None:
    assert canonical(number) == bare
