# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses, durations, names and numbers as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vosd.wire.values import (
    parse_address,
    parse_caller,
    parse_duration,
    parse_name,
    parse_number,
    parse_pattern,
    parse_time,
    show_address,
    show_duration,
)


@pytest.mark.parametrize(
    ("text", "host", "port", "transport", "shown"),
    [
        ("203.0.113.9", "203.0.113.9", 5060, "udp", "203.0.113.9:5060"),
        ("203.0.113.9:5070", "203.0.113.9", 5070, "udp", "203.0.113.9:5070"),
        ("203.0.113.9/tcp", "203.0.113.9", 5060, "tcp", "203.0.113.9:5060/tcp"),
        ("sip.example.net/tls", "sip.example.net", 0, "tls", "sip.example.net/tls"),
        ("sip.example.net/udp", "sip.example.net", 0, "udp", "sip.example.net/udp"),
        ("sip.example.net:5061/tls", "sip.example.net", 5061, "tls", "sip.example.net:5061/tls"),
        ("SIP.Example.NET:5062/udp", "sip.example.net", 5062, "udp", "sip.example.net:5062"),
        ("localhost", "localhost", 0, "", "localhost"),
        ("localhost:5060", "localhost", 5060, "udp", "localhost:5060"),
        ("::1", "::1", 5060, "udp", "[::1]:5060"),
        ("[::1]", "::1", 5060, "udp", "[::1]:5060"),
        ("[2001:DB8:0:0::1]:5062/tcp", "2001:db8::1", 5062, "tcp", "[2001:db8::1]:5062/tcp"),
        ("2001:db8::5060", "2001:db8::5060", 5060, "udp", "[2001:db8::5060]:5060"),
    ],
)
def test_address(text: str, host: str, port: int, transport: str, shown: str) -> None:
    assert parse_address(text) == (host, port, transport)
    assert show_address(host, port, transport) == shown
    assert parse_address(shown) == (host, port, transport)


@pytest.mark.parametrize(
    "text",
    ["", ":5060", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4:0", "1.2.3.4:65536",
     "1.2.3.4:", "1.2.3.4/", "1.2.3.4/UDP", "1.2.3.4/sctp", "[1.2.3.4]", "[host]:5060", "[::1",
     "::1]:5060", "a b", "-a.net", "a-.net", "a..b", "x" * 64 + ".net", "sip:host", "u@host",
     "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "hö.net", "h\x00st", "a/b/c"],
)  # fmt: skip
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"^cannot (read|use) "):
        parse_address(text)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_sentence(text: str) -> None:
    problem = ""
    try:
        endpoint = parse_address(text)
    except ValueError as error:
        problem = str(error)
    if problem:
        assert problem.startswith("cannot ")
    else:
        assert parse_address(show_address(*endpoint)) == endpoint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("15min", 900), ("2h", 7200), ("1d", 86400), ("1w", 604800),
     ("1.5h", 5400), (" 2H ", 7200), ("0.5s", 0.5)],
)  # fmt: skip
def test_duration(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "90", "0s", "-1s", "1y", "h", "1h30m", "1e9s", "9" * 11 + "s"]
)
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="a number with its unit such as 90s 15m 2h 1d is acc"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (59.9, "59s"), (60, "1m 00s"), (3599, "59m 59s"), (3600, "1h 00m"),
     (86399, "23h 59m"), (86400, "1d 0h"), (93784, "1d 2h")],
)  # fmt: skip
def test_show_duration(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


@pytest.mark.parametrize("text", ["a", "Telia-1", "ä€", "[bold]", "x" * 64, "a/b"])
def test_name(text: str) -> None:
    assert parse_name(text) == text


@pytest.mark.parametrize(
    "text", ["", " ", "a b", "a\tb", "a\nb", "\x1b[2J", "\u202e", 65 * "x", "."]
)
def test_no_name(text: str) -> None:
    with pytest.raises(ValueError, match="1 to 64 printable characters without spaces"):
        parse_name(text)


@pytest.mark.parametrize(("text", "number"), [("46", "46"), ("+46", "46"), ("1" * 32, "1" * 32)])
def test_number(text: str, number: str) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "+", "4 6", "46-70", "1" * 33, "٤٦", "46\n", "anonymous"])
def test_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"digits, with or without a leading \+, are accepted"):
        parse_number(text)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("46", "46"), ("+46", "46"), ("46*", "46*"), ("+46*", "46*"), ("anonymous", "anonymous")],
)
def test_pattern(text: str, pattern: str) -> None:
    assert parse_pattern(text) == pattern


@pytest.mark.parametrize("text", ["", "*", "abc", "4*6", "46**", "anonymous*", "1" * 34])
def test_no_pattern(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot use .* as a number: 1 to 32 digits"):
        parse_pattern(text)


@pytest.mark.parametrize("text", ["abc", "46-70", "46*", "Anonymous", "1" * 34])
def test_no_caller(text: str) -> None:
    with pytest.raises(ValueError, match=r"leading \+, or anonymous are accepted"):
        parse_caller(text)


# 2026-11-22T15:00Z is 1795359600
@pytest.mark.parametrize(
    ("text", "at"),
    [("90s", 1795359510), ("2h", 1795352400), ("1d", 1795273200),
     ("2026-11-22T15:00Z", 1795359600), ("2026-11-22T16:00+01:00", 1795359600)],
)  # fmt: skip
def test_time(text: str, at: float) -> None:
    assert parse_time(text, 1795359600.0) == at


@pytest.mark.parametrize("text", ["", "yesterday", "garbage", "2026-13-01", "0001-01-01", "2 h"])
def test_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot use .* as a time: how long ago such as 2h or 1d"):
        parse_time(text, 1795359600.0)
