# SPDX-License-Identifier: GPL-2.0-or-later
"""Kinds: texts taken, the value they mean, the one spelling shown, and texts refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vosd.catalog.kinds import (
    Dscp,
    Duration,
    Durations,
    Integer,
    Kind,
    Pick,
    Port,
    SocketAddress,
    Switch,
    Text,
    Word,
)

SECONDS = Duration(low=5, high=3600, words={"off": 0.0})
MILLISECONDS = Duration(low=0, high=1000, unit="ms")
MODE = Word(words={"off": 0, "on": 1, "auto": 2, "must_on": 3})
LIMIT = Integer(low=1, high=100, zero="none", unit="gateways")

TAKEN = [
    (Integer(low=-10, high=10), "+3", 3, "3"),
    (Integer(low=-10, high=10), " -10 ", -10, "-10"),
    (LIMIT, "none", 0, "none"),
    (LIMIT, "0", 0, "none"),
    (LIMIT, "7", 7, "7"),
    (Port(parity=0), "10000", 10000, "10000"),
    (SocketAddress(), "127.0.0.1:9188", ("127.0.0.1", 9188), "127.0.0.1:9188"),
    (SocketAddress(), " [2001:DB8::0]:1 ", ("2001:db8::", 1), "[2001:db8::]:1"),
    (SocketAddress(), "", None, "off"),
    (SocketAddress(), "Off", None, "off"),
    (Pick(values=(64, 128), unit="ms"), "128ms", 128, "128"),
    (SECONDS, "90", 90.0, "90"),
    (SECONDS, "90s", 90.0, "90"),
    (SECONDS, "1.5m", 90.0, "90"),
    (SECONDS, "1h", 3600.0, "3600"),
    (SECONDS, "OFF", 0.0, "off"),
    (SECONDS, "0", 0.0, "off"),
    (MILLISECONDS, "60", 0.06, "60"),
    (MILLISECONDS, "0.5s", 0.5, "500"),
    (Durations(low=50, high=32000, longest=3), "500, 1s 2000", "500,1000,2000", "500,1000,2000"),
    (Durations(low=50, high=32000, longest=3), "", "", ""),
    (Switch(), "1", True, "on"),
    (Switch(), "No", False, "off"),
    (Text(longest=5), "HELLO", "HELLO", "HELLO"),
    (Text(longest=5), "", "", ""),
]


@pytest.mark.parametrize(("kind", "text", "value", "shown"), TAKEN)
def test_taken(kind: Kind, text: str, value: object, shown: str) -> None:
    assert kind.parse(text) == value
    assert kind.show(value) == shown


# D11: words, and the source's numbers; numbers of the vendor's API would read off as auto
@pytest.mark.parametrize(
    ("text", "word"),
    [("0", "off"), ("1", "on"), ("2", "auto"), ("3", "must_on"), ("Must On", "must_on"),
     ("must-on", "must_on"), ("AUTO", "auto")],
)  # fmt: skip
def test_d11_words_and_numbers(text: str, word: str) -> None:
    assert MODE.parse(text) == word


def test_d11_number_is_shown_beside_the_word() -> None:
    assert MODE.describe("must_on") == "must_on (3)"
    assert MODE.accepts() == "off (0) on (1) auto (2) must_on (3)"


# D01, D03: RFC 2474 shifts the DSCP by two bits into the ToS byte; 46 << 2 = 0xb8
@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("EF", 46, "EF 46 0xb8"),
        ("ef", 46, "EF 46 0xb8"),
        ("46", 46, "EF 46 0xb8"),
        ("dscp:46", 46, "EF 46 0xb8"),
        ("dscp:0x2e", 46, "EF 46 0xb8"),
        ("tos:0xb8", 46, "EF 46 0xb8"),
        ("tos:184", 46, "EF 46 0xb8"),
        ("0xb8", 46, "EF 46 0xb8"),
        ("EF 46 0xb8", 46, "EF 46 0xb8"),
        ("AF41", 34, "AF41 34 0x88"),
        ("CS5", 40, "CS5 40 0xa0"),
        ("0xa0", 40, "CS5 40 0xa0"),
        ("24", 24, "CS3 24 0x60"),
        ("0", 0, "CS0 0 0x00"),
        ("BE", 0, "CS0 0 0x00"),
        ("1", 1, "LE 1 0x04"),
        ("11", 11, "11 0x2c"),
        ("63", 63, "63 0xfc"),
    ],
)
def test_d03_dscp(text: str, value: int, shown: str) -> None:
    assert Dscp().parse(text) == value
    assert Dscp().show(value) == shown


# the classes of RFC 2597 6: AFcd = 8c + 2d
@pytest.mark.parametrize(
    ("name", "value"),
    [("AF11", 10), ("AF12", 12), ("AF13", 14), ("AF21", 18), ("AF31", 26), ("AF43", 38),
     ("CS1", 8), ("CS6", 48), ("CS7", 56), ("VA", 44)],
)  # fmt: skip
def test_dscp_names(name: str, value: int) -> None:
    assert Dscp().parse(name) == value


def test_d01_tos_byte_with_ecn_bits_is_refused_with_what_was_meant() -> None:
    with pytest.raises(ValueError) as caught:
        Dscp().parse("0x2e")
    assert str(caught.value) == (
        "cannot accept '0x2e': as a ToS byte its low two bits are ECN (RFC 3168); "
        "for DSCP 46 write EF or tos:0xb8"
    )


REFUSED = [
    (Integer(low=1, high=9), ["0", "10", "", "five", "1.5", "1e1", "٣", "0x1", "99999999999"]),
    (LIMIT, ["-1", "101", "unlimited"]),
    (Port(parity=0), ["10001", "1023", "65536"]),
    (Pick(values=(64, 128), unit="ms"), ["100", "ms", ""]),
    (SECONDS, ["4", "3601", "-5", "", "1.2345s", "90 parsecs", "inf", "2d", "99999999999"]),
    (MILLISECONDS, ["1001", "0.5", "2s"]),
    (Durations(low=50, high=32000, longest=3), ["49", "500;600", "500,600,700,800", "fast"]),
    (MODE, ["4", "-1", "must", "", "0x3"]),
    (Switch(), ["2", "", "maybe"]),
    (Text(longest=5), ["HELLO!", "a\nb", "\x00", "\u202e"]),
    (Dscp(), ["64", "-1", "", "EF 24", "tos:256", "tos:0x100", "dscp:64", "AF44", "0xzz", "300"]),
]


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in REFUSED for text in texts]
)
def test_refused_with_the_value_and_what_would_be_accepted(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        kind.parse(text)
    assert str(caught.value).startswith("cannot accept ")
    assert kind.accepts() in str(caught.value) or "ECN" in str(caught.value)


def test_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError) as caught:
        Switch().parse("9" * 5000)
    assert len(str(caught.value)) < 150


KINDS = [kind for kind, *_ in TAKEN] + [MODE, Dscp()]


@given(st.sampled_from(KINDS), st.text(max_size=40))
def test_any_text_is_a_value_or_a_sentence(kind: Kind, text: str) -> None:
    try:
        value = kind.parse(text)
    except ValueError as error:
        if not str(error).startswith("cannot accept "):
            raise
        return
    assert kind.parse(kind.show(value)) == value


@given(st.integers(0, 63))
def test_every_mark_is_read_back(value: int) -> None:
    assert Dscp().parse(Dscp().show(value)) == value
    assert Dscp().parse(f"tos:{value << 2}") == value


@given(st.integers(0, 1000))
def test_every_millisecond_is_read_back(count: int) -> None:
    assert MILLISECONDS.show(MILLISECONDS.parse(str(count))) == str(count)
