# SPDX-License-Identifier: GPL-2.0-or-later
"""Structured header values: name-addr, Via, parameters, lists (RFC 3261 sections 7.3.1 and 20)."""

from __future__ import annotations

import re

import msgspec

from vosd.sip.errors import SipParseError
from vosd.sip.grammar import HOST, PORT, QUOTED, TOKEN, VALUE, token
from vosd.sip.uri import Uri

# An unterminated quote or bracket swallows the rest: one reading, linear time.
_items = re.compile(r'(?:[^,"<]++|"(?:[^"\\]++|\\.?)*"?|<[^>]*+>?)+', re.S).findall
_param = re.compile(rf"[ \t]*+;[ \t]*+({TOKEN})(?:[ \t]*+=[ \t]*+({QUOTED}|{VALUE}))?", re.S).match
_plain_params = re.compile(rf"(?:;{TOKEN}(?:={VALUE})?)+").fullmatch
_bracketed = re.compile(rf'[ \t]*+(?:({QUOTED})[ \t]*+|([^"<>]*+))<[ \t]*+([^<>]*+)>', re.S).match
_via = re.compile(
    rf"SIP[ \t]*+/[ \t]*+([0-9]++\.[0-9]++)[ \t]*+/[ \t]*+({TOKEN})[ \t]++({HOST})"
    rf"(?:[ \t]*+:[ \t]*+({PORT}))?",
    re.I,
).match
# What nearly everybody sends: single spaces, no IPv6, no quotes, one branch.
_OTHERS = rf"(?:;(?![bB][rR][aA]){TOKEN}(?:={VALUE})?)*"
_usual_via = re.compile(
    r"(SIP/2\.0/([A-Z]++) (([A-Za-z0-9_][A-Za-z0-9._\-]*+)"
    rf"(?::({PORT}))?))({_OTHERS};branch=(?=[^;])({VALUE}){_OTHERS})"
).fullmatch
_escape = re.compile(r"\\(.)", re.S).sub

Params = dict[str, str | None]


def split_list(value: str) -> list[str]:
    """The items of a comma-separated value; commas in quotes and angle brackets do not count."""
    if "," not in value:
        return [value] if value else []
    return [item for item in (part.strip(" \t") for part in _items(value)) if item]


def parse_params(text: str, start: int = 0) -> Params:
    """Read ";name=value" pairs from `start` to the end; quoted values keep their quotes.

    Raises SipParseError(400) for anything else, and for a name given twice (7.3.1).
    """
    tail = text[start:]
    if not tail or _plain_params(tail):
        params = _plainly(tail)
        count = tail.count(";")
    else:
        params, count = _spaced(tail)
    if len(params) != count:
        raise SipParseError(400, f"cannot take a parameter twice: {tail[:64]!r}")
    return params


def _spaced(tail: str) -> tuple[Params, int]:
    """Parameters with blanks or quotes, and how many there were."""
    params: Params = {}
    count, at, end = 0, 0, len(tail.rstrip(" \t"))
    while at < end:
        match = _param(tail, at)
        if match is None:
            raise SipParseError(400, f"cannot read parameters {tail[at : at + 64]!r}")
        params[match[1].lower()] = match[2]
        at = match.end()
        count += 1
    return params, count


def _plainly(tail: str) -> Params:
    """Parameters of a tail whose form is known to be plain, or ""."""
    params: Params = {}
    for part in tail.split(";")[1:]:
        name, equals, value = part.partition("=")
        params[name.lower()] = value if equals else None
    return params


def params_text(params: Params) -> str:
    """Parameters as they stand on the wire."""
    return "".join(
        f";{name}" if value is None else f";{name}={value}" for name, value in params.items()
    )


def unquote(value: str) -> str:
    """The content of a quoted-string, or the value itself when it is not quoted."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    inner = value[1:-1]
    return _escape(r"\1", inner) if "\\" in inner else inner


def quoted(text: str) -> str:
    """Text as a quoted-string (RFC 3261 25.1)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class NameAddr(msgspec.Struct):
    """A From, To, Contact or Route value: display name, URI and header parameters.

    `uri` is None and `star` True for the "*" of a REGISTER's Contact alone.
    """

    display: str
    uri: Uri | None
    params: Params = {}
    star: bool = False

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Read one value; raises SipParseError(400)."""
        match = _bracketed(text)
        if match:
            name, plain, address = match.groups()
            display = unquote(name) if name else plain.strip(" \t")
            return cls(display, Uri.parse(address.rstrip(" \t")), parse_params(text, match.end()))
        if text.strip(" \t") == "*":
            return cls("", None, {}, True)
        # Without brackets parameters belong to the header, and "?" or "," may not stand (20.10).
        address, semicolon, _ = text.partition(";")
        if "?" in address or "," in address:
            raise SipParseError(400, f"cannot read address {text[:64]!r}: it wants <> around it")
        params = parse_params(text, len(address)) if semicolon else {}
        return cls("", Uri.parse(address.strip(" \t")), params)

    @property
    def tag(self) -> str:
        """The tag parameter, "" when absent."""
        return self.params.get("tag") or ""

    def __str__(self) -> str:
        if self.star:
            return "*"
        name = self.display
        if name:
            name = f"{name} " if token(name) else f"{quoted(name)} "
        return f"{name}<{self.uri}>{params_text(self.params)}"


class Via(msgspec.Struct, eq=False):
    """One Via value (RFC 3261 20.42).

    `sent_by` is "host" or "host:port" in lower case, as a transaction key wants it (17.2.3);
    `head` and `tail` are the text before and from the first parameter on. The host stands without
    IPv6 brackets; a branch of "" means a client older than RFC 3261.
    """

    transport: str
    host: str
    port: int | None
    branch: str
    sent_by: str
    head: str
    tail: str
    _params: Params | None = None

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one value; raises SipParseError(400)."""
        usual = _usual_via(text)
        if usual is None:
            return cls._unusual(text, lenient=False)
        head, transport, sent_by, host, port, tail, branch = usual.groups()
        return cls(
            transport.lower(),
            host.lower(),
            int(port) if port else None,
            branch,
            sent_by.lower(),
            head,
            tail,
        )

    @classmethod
    def salvage(cls, text: str) -> Via:
        """Read one value for a refusal: of any version, without parameters that make no sense."""
        return cls._unusual(text, lenient=True)

    @classmethod
    def _unusual(cls, text: str, *, lenient: bool) -> Via:
        match = _via(text)
        if match is None or (match[1] != "2.0" and not lenient):
            raise SipParseError(400, f"cannot read Via {text[:64]!r}: want SIP/2.0/UDP host:port")
        _, transport, host, port = match.groups()
        try:
            params = parse_params(text, match.end())
        except SipParseError:
            if not lenient:
                raise
            params = {}
        host = host.lower()
        return cls(
            transport.lower(),
            host[1:-1] if host[0] == "[" else host,
            int(port) if port else None,
            params.get("branch") or "",
            f"{host}:{port}" if port else host,
            text[: match.end()],
            params_text(params),
            params,
        )

    @property
    def params(self) -> Params:
        """The parameters by lower-case name; quoted values keep their quotes."""
        if self._params is None:
            self._params = _plainly(self.tail)
        return self._params

    def __str__(self) -> str:
        return self.head + self.tail

    def answered_to(self, source: tuple[str, int]) -> str:
        """This value for a response to `source`: received and rport as seen, not as claimed.

        RFC 3261 18.2.1 wants received where the host differs; RFC 3581 section 4 wants both
        where the client asked for rport.
        """
        address, port = source
        tail = self.tail
        named = tail.lower()
        if "received" not in named:
            if named.endswith(";rport"):
                return f"{self.head}{tail}={port};received={address}"
            if "rport" not in named and self.host == address:
                return self.head + tail
        params = {name: value for name, value in self.params.items() if name != "received"}
        if "rport" in params:
            params["rport"] = str(port)
        if "rport" in params or self.host != address:
            params["received"] = address
        return self.head + params_text(params)
