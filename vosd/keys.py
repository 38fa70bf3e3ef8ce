# SPDX-License-Identifier: GPL-2.0-or-later
"""The keys of `vosd.toml` and what each accepts."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl

from vosd.keyfile import LARGEST, Check, Keys, reason

#: default port of each transport (RFC 3261 19.1.2)
PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
#: octets in sun_path before its NUL (unix(7))
_SOCKET_PATH = 107
#: what OpenSSL calls a key of another certificate, the last of another kind as well
_OTHERS_KEY = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


def _node(text: str) -> str | None:
    good = 1 <= len(text) <= 64 and text.isprintable() and " " not in text
    return None if good else "1 to 64 printable characters without spaces"


def _absolute(text: str) -> bool:
    return text.startswith("/") and text.isprintable()


def _directory(text: str) -> str | None:
    if _absolute(text) and not (os.path.exists(text) and not os.path.isdir(text)):
        return None
    return "the absolute path of a directory, for instance /var/lib/vosd"


def _socket(text: str) -> str | None:
    if _absolute(text) and len(text.encode()) <= _SOCKET_PATH and not os.path.isdir(text):
        return None
    return (f"the absolute path of a socket, at most {_SOCKET_PATH} octets, for instance"
            " /run/vosd/control.sock")  # fmt: skip


def _database(text: str) -> str | None:
    if re.fullmatch(r"sqlite:///(/[^?\0]+)", text) and text.isprintable() and text[-1] != "/":
        return None
    yet = " (PostgreSQL is not supported yet)" if text.startswith("postgres") else ""
    return f"sqlite:/// and an absolute path, for instance sqlite:////var/lib/vosd/vosd.db{yet}"


def _media(text: str) -> str | None:
    host = _ip(text)
    good = host is not None and not host.is_unspecified
    return None if good else "an IP address others can send to, for instance 203.0.113.5"


def _listen(text: str) -> str | None:
    match = _ADDRESS.fullmatch(text)
    host = _ip(match["v6"] or match["v4"]) if match else None
    good = match and host and (host.version == 6) == bool(match["v6"])
    if match and good and 1 <= int(match["port"] or 1) <= 65535:
        return None
    return (
        "an IP address of this machine and a port from 1 to 65535, for instance "
        "203.0.113.5:5060 or [2001:db8::5]:5060"
    )


def _pem(label: str) -> Check:
    """A readable file that holds a PEM block of this label (RFC 7468)."""

    def check(text: str) -> str | None:
        accepted = f"the absolute path of a PEM file with a {label.lower()}"
        if not _absolute(text):
            return accepted
        try:
            with open(text, "rb") as file:
                return None if f"{label}-----".encode() in file.read(LARGEST) else accepted
        except OSError as error:
            return f"{accepted} ({reason(error)})"

    return check


def _one_of(*words: str) -> Check:
    return lambda text: None if text in words else ", ".join(words)


KEYS: Keys = {
    "": {
        "node": _node,
        "state_dir": _directory,
        "control_socket": _socket,
        "database_url": _database,
        "media_address": _media,
    },
    "listen": {"address": _listen, "transport": _one_of(*PORTS)},
    "tls": {
        "certificate": _pem("CERTIFICATE"),
        "private_key": _pem("PRIVATE KEY"),
        "authorities": _pem("CERTIFICATE"),
    },
    "log": {
        "level": _one_of("debug", "info", "warning", "error"),
        "format": _one_of("text", "json"),
    },
}


def split_address(address: str, transport: str) -> tuple[str, int]:
    """Host, as the system writes it, and port of an address that KEYS accepts."""
    match = _ADDRESS.fullmatch(address)
    assert match is not None, address
    host = str(ipaddress.ip_address(match["v6"] or match["v4"]))
    return host, int(match["port"] or PORTS[transport])


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """A host address another party can be told; None for a group, a mapped or a scoped one."""
    try:
        host = ipaddress.ip_address(text)
    except ValueError:
        return None
    told = not host.is_multicast and "%" not in text and str(host) != "255.255.255.255"
    return host if told and getattr(host, "ipv4_mapped", None) is None else None


def bad_pair(
    certificate: str, private_key: str, authorities: str | None = None
) -> tuple[str, str] | None:
    """The key of [tls] whose file cannot be used, and what would be accepted; None when all can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asked = False

    def password() -> str:
        # without an answer of ours the library asks on the terminal
        nonlocal asked
        asked = True
        return "none"

    try:
        context.load_cert_chain(certificate, private_key, password)
    except (OSError, ValueError) as error:
        if asked:
            return "private_key", "a key without a pass phrase"
        if getattr(error, "reason", None) in _OTHERS_KEY:
            return "private_key", f"the key of {certificate}, this one belongs to another"
        return "certificate", "a chain in PEM that TLS takes, this one is torn or too weak"
    try:
        if authorities is not None:
            context.load_verify_locations(authorities)
    except (OSError, ValueError):
        return "authorities", "certificates in PEM; this file cannot be read"
    return None
