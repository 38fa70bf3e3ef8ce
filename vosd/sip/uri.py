# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP, SIPS and other URIs (RFC 3261 section 19.1, RFC 3966)."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

import msgspec

from vosd.sip.errors import SipParseError
from vosd.sip.grammar import other_uri, sip_uri

# What may stand unescaped in the user part: unreserved and user-unreserved of RFC 3261.
_USER_SAFE = "-_.!~*'()&=+$,;?/"


def escape_user(user: str) -> str:
    """`user` as a user part may be written (RFC 3261 19.1.2); plain numbers stay as they are."""
    return user if user.isalnum() and user.isascii() else quote(user, _USER_SAFE)


class Uri(msgspec.Struct):
    """A URI taken apart.

    `user` is unescaped exactly once, so that `%31` cannot hide a dialled 1 from screening;
    password, parameters and headers stay as received. Parameter names and the host are lower-case,
    an IPv6 host stands without its brackets. For a scheme other than sip and sips everything
    after the scheme and before ";" (tel) or to the end (others) is the user, and host is "".
    """

    scheme: str
    user: str = ""
    password: str | None = None
    host: str = ""
    port: int | None = None
    params: dict[str, str | None] = {}
    headers: str = ""

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Read a URI without angle brackets; raises SipParseError(400)."""
        match = sip_uri(text)
        if match is None:
            return cls._other(text)
        scheme, user, password, host, port, params, headers = match.groups()
        return cls(
            scheme.lower(),
            _unescape(user) if user else "",
            password,
            host.lower() if host[0] != "[" else host[1:-1].lower(),
            int(port) if port else None,
            _parameters(params) if params else {},
            headers[1:] if headers else "",
        )

    @classmethod
    def _other(cls, text: str) -> Uri:
        match = other_uri(text)
        scheme = match[1].lower() if match else ""
        if match is None or scheme in ("sip", "sips"):
            raise SipParseError(400, f"cannot read URI {text[:64]!r}: want sip:user@host:port")
        rest = match[2]
        if scheme != "tel":
            return cls(scheme, rest)
        number, semicolon, params = rest.partition(";")
        if not number:
            raise SipParseError(400, f"cannot read URI {text[:64]!r}: want tel:number")
        return cls(scheme, _unescape(number), params=_parameters(semicolon + params))

    def __str__(self) -> str:
        if self.scheme not in ("sip", "sips"):
            user = quote(self.user, _USER_SAFE) if self.scheme == "tel" else self.user
            return f"{self.scheme}:{user}{self._tail()}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port is not None:
            host = f"{host}:{self.port}"
        if self.user or self.password is not None:
            user = escape_user(self.user)
            secret = "" if self.password is None else f":{self.password}"
            host = f"{user}{secret}@{host}"
        return f"{self.scheme}:{host}{self._tail()}"

    def _tail(self) -> str:
        if not self.params and not self.headers:
            return ""
        tail = "".join(
            f";{name}" if value is None else f";{name}={value}"
            for name, value in self.params.items()
        )
        return f"{tail}?{self.headers}" if self.headers else tail

    @property
    def transport(self) -> str:
        """The transport parameter in lower case, "" when absent."""
        return (self.params.get("transport") or "").lower()

    @property
    def loose(self) -> bool:
        """Whether this is a loose router's URI (RFC 3261 16.12)."""
        return "lr" in self.params


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    octets = unquote_to_bytes(text)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _parameters(text: str) -> dict[str, str | None]:
    """Parameters of a URI; the first of equal names wins, empty ones are passed over."""
    params: dict[str, str | None] = {}
    for part in text.split(";"):
        if part:
            name, equals, value = part.partition("=")
            params.setdefault(name.lower(), value if equals else None)
    return params
