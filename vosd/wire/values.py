# SPDX-License-Identifier: GPL-2.0-or-later
"""Values as people type them: addresses, names, numbers, lengths of time.

Each function raises ValueError with a sentence that names the value and what would be accepted.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

TRANSPORTS = ("udp", "tcp", "tls")
ADDRESS = "host[:port][/udp|tcp|tls], an IPv6 host in brackets when a port follows"
DURATION = "a length of time such as 90s 15m 2h 1d"
NAME = "1 to 64 printable characters without spaces"
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
    """`host[:port][/transport]`; port 5060, 5061 for tls, when none is given."""
    try:
        return Endpoint(_literal(ip_address(text)), 5060, "udp")
    except ValueError:
        pass
    match = _SPLIT.fullmatch(text)
    if not match or not (match[1] or match[2]):
        raise ValueError(f"cannot read the address {text!r}: {ADDRESS} is accepted")
    transport = match[4] or "udp"
    if transport not in TRANSPORTS:
        raise ValueError(f"cannot use transport {transport!r} of {text!r}: udp tcp tls are known")
    port = int(match[3]) if match[3] else 5061 if transport == "tls" else 5060
    if not 1 <= port <= 65535:
        raise ValueError(f"cannot use port {port} of {text!r}: 1 to 65535 is accepted")
    return Endpoint(_host(match[1] or match[2], text, bool(match[1])), port, transport)


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
    """The one spelling `parse_address` takes back: port always, transport when not udp."""
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return shown if transport == "udp" else f"{shown}/{transport}"


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `1.5h`, `2d`; more than nothing."""
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _IN_SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise ValueError(f"cannot read {text!r}: {DURATION} is accepted")
    return seconds


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
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"cannot use {text!r} as a number: 1 to 32 digits are accepted")
    return text.removeprefix("+")
