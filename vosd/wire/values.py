# SPDX-License-Identifier: GPL-2.0-or-later
"""Values as people type them: addresses, names, numbers, times, lengths of time.

Each function raises ValueError with a sentence that names the value and what would be accepted.
"""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

TRANSPORTS = ("udp", "tcp", "tls")
ADDRESS = "host[:port][/udp|tcp|tls], an IPv6 host in brackets when a port follows"
DURATION = "a number with its unit such as 90s 15m 2h 1d"
TIME = "how long ago such as 2h or 1d, or a date such as 2026-11-22 or 2026-11-22T14:30,"
NUMBER = "1 to 32 digits, with or without a leading +,"
CALLER = f"{NUMBER} or anonymous"
PATTERN = f"{NUMBER} a * after them for all that begin so, or anonymous"
NAME = "1 to 64 printable characters without spaces"
#: of one gateway; more would be a typing error
MOST_CALLS = 1_000_000
MOST_PRIORITY = 1_000_000
_IN_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(s|m|min|h|d|w)")
_SPLIT = re.compile(r"(?:\[([^\]]*)\]|([^:/]*))(?::([0-9]{1,5}))?(?:/([a-z]{1,8}))?")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"\+?[0-9]{1,32}")


class Endpoint(NamedTuple):
    """Where a gateway is; an IP literal is in its canonical spelling (RFC 5952)."""

    host: str
    port: int
    transport: str


def parse_address(text: str) -> Endpoint:
    """`host[:port][/transport]`; an address without a port gets 5060, 5061 for tls.

    A name without one keeps port 0, and without a transport "": DNS says where it leads (RFC 3263).
    """
    try:
        return Endpoint(_literal(ip_address(text)), 5060, "udp")
    except ValueError:
        pass
    match = _SPLIT.fullmatch(text)
    if not match or not (match[1] or match[2]):
        raise ValueError(f"cannot read the address {text!r}: {ADDRESS} is accepted")
    host = _host(match[1] or match[2], text, bool(match[1]))
    named = not match[3] and not _is_literal(host)
    transport = match[4] or ("" if named else "udp")
    if transport and transport not in TRANSPORTS:
        raise ValueError(f"cannot use transport {transport!r} of {text!r}: udp, tcp or tls is "
                         "accepted")  # fmt: skip
    port = int(match[3]) if match[3] else 5061 if transport == "tls" else 5060
    if named:
        return Endpoint(host, 0, transport)
    if not 1 <= port <= 65535:
        raise ValueError(f"cannot use port {port} of {text!r}: 1 to 65535 is accepted")
    return Endpoint(host, port, transport)


def _is_literal(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].isdigit()


def parse_host(text: str) -> str:
    """An IP address or a DNS name, without a port."""
    return _host(text, text, False)


def _host(host: str, text: str, bracketed: bool) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return _name(host, text, bracketed)
    if bracketed and address.version == 4:
        raise ValueError(f"cannot read the address {text!r}: brackets are for IPv6 only")
    return _literal(address)


def _literal(address: IPv4Address | IPv6Address) -> str:
    broadcast = address == IPv4Address("255.255.255.255")
    if address.is_multicast or address.is_unspecified or broadcast:
        raise ValueError(f"cannot use {address} as a gateway's address: a unicast one is accepted")
    return str(address)


def _name(host: str, text: str, bracketed: bool) -> str:
    labels = host.removesuffix(".").split(".")
    # a name whose last label is a number is a mistyped IPv4 address (RFC 1123 2.1)
    if (
        bracketed
        or len(host) > 253
        or labels[-1].isdigit()
        or not all(_LABEL.fullmatch(label) for label in labels)
    ):
        raise ValueError(f"cannot read the host of {text!r}: an IP address or a DNS name would do")
    return host.lower()


def show_address(host: str, port: int, transport: str = "udp") -> str:
    """The one spelling `parse_address` takes back: port unless DNS says it, transport when it is
    not what none means."""
    if not port:
        return f"{host}/{transport}" if transport else host
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return shown if transport == "udp" else f"{shown}/{transport}"


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `1.5h`, `2d`; more than nothing."""
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _IN_SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise ValueError(f"cannot use {text!r} as a length of time: {DURATION} is accepted")
    return seconds


def parse_time(text: str, now: float) -> float:
    """Unix seconds of a time before `now` (`2h`) or of an ISO 8601 date, local without zone."""
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"cannot use {text!r} as a time: {TIME} is accepted") from None


def show_duration(seconds: float) -> str:
    """The two largest units: `1d 2h`, `3m 05s`, `12s`."""
    whole = int(seconds)
    days, hours, minutes, rest = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    if days:
        return f"{days}d {hours}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {rest:02}s" if minutes else f"{rest}s"


def parse_name(text: str) -> str:
    """A name of a gateway, account or group: free text without spaces."""
    good = 1 <= len(text) <= 64 and text.isprintable() and " " not in text
    if not good or text in (".", ".."):
        raise ValueError(f"cannot use {text!r} as a name: {NAME} are accepted")
    return text


def parse_number(text: str) -> str:
    """E.164 digits, a leading + taken off."""
    return _number(text, text, NUMBER)


def parse_caller(text: str) -> str:
    """A number, or `anonymous`: the user of a caller who withholds his (RFC 3323 4.1.1.3)."""
    return text if text == "anonymous" else _number(text, text, CALLER)


def parse_pattern(text: str) -> str:
    """What `parse_caller` takes, or the start of numbers with * after it."""
    if text == "anonymous":
        return text
    star = "*" if text.endswith("*") else ""
    return _number(text.removesuffix("*"), text, PATTERN) + star


def _number(digits: str, text: str, accepts: str) -> str:
    if not _NUMBER.fullmatch(digits):
        raise ValueError(f"cannot use {text!r} as a number: {accepts} are accepted")
    return digits.removeprefix("+")
