# SPDX-License-Identifier: GPL-2.0-or-later
"""A SIP message, read lazily, and the templates that write requests and responses."""

from __future__ import annotations

from collections.abc import Iterable

from vosd.sip.errors import SipParseError
from vosd.sip.grammar import LISTS, REASONS, SPELLINGS, WRITTEN, long_name
from vosd.sip.header import NameAddr, Via, split_list
from vosd.sip.uri import Uri

__all__ = ["REASONS", "Message", "fields", "one_line", "request", "response", "unsupported"]

Address = tuple[str, int]
_IDENTITY = ("call-id", "cseq")


class Message:
    """A request or a response as received; `parse` fills it.

    Attributes are what a transaction is found by; the rest is read when asked for. Header names
    are long and lower-case, values unfolded. What `parse` returned is checked: the properties that
    read addresses do not raise, and are None only where the header is absent.
    """

    __slots__ = (
        "_contacts",
        "_echo",
        "_first",
        "_from",
        "_headers",
        "_lines",
        "_target",
        "_to",
        "_vias",
        "body",
        "call_id",
        "charset",
        "code",
        "cseq",
        "cseq_method",
        "from_tag",
        "is_request",
        "method",
        "reason",
        "size",
        "to_tag",
        "uri",
        "via",
    )

    method: str  # as received (methods are case-sensitive); the CSeq method for a response
    uri: str  # Request-URI text, "" for a response
    code: int  # 0 for a request
    reason: str
    body: bytes
    call_id: str
    cseq: int
    cseq_method: str
    from_tag: str
    to_tag: str
    via: Via
    is_request: bool
    size: int  # octets that came
    charset: str  # "utf-8", or "latin-1" for a head that is no UTF-8, so that echoes stay exact
    _lines: list[str]  # start line, then one unfolded line a header
    _headers: list[tuple[str, str]] | None
    _vias: list[str]
    _first: dict[str, str]
    _from: NameAddr | None
    _to: NameAddr | None
    _contacts: list[NameAddr] | None
    _target: Uri | None
    _echo: tuple[Address | None, str, str] | None

    def __repr__(self) -> str:
        line = f"{self.method} {self.uri}" if self.is_request else f"{self.code} {self.method}"
        return f"<Message {line} {self.call_id} cseq {self.cseq}>"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header in order as (lower-case long name, value); lists are not taken apart."""
        if self._headers is None:
            known = SPELLINGS.get
            parts = [line.partition(":") for line in self._lines[1:]]
            self._headers = [
                (known(name) or long_name(name), value.strip(" \t")) for name, _, value in parts
            ]
        return self._headers

    def get(self, name: str) -> str | None:
        """The first value of a header, or None; `name` in its lower-case long form."""
        return self._first.get(name)

    def all(self, name: str) -> list[str]:
        """Every value of a header in order, comma-separated lists taken apart."""
        if name not in self._first:
            return []
        values = [value for key, value in self.headers if key == name]
        if name not in LISTS:
            return values
        if len(values) == 1 and "," not in values[0]:
            return values if values[0] else []
        return [item for value in values for item in split_list(value)]

    def number(self, name: str) -> int | None:
        """A header's leading decimal number (Max-Forwards, Expires, Session-Expires), or None."""
        value = self._first.get(name)
        if value is None:
            return None
        digits = value.partition(";")[0].strip(" \t")
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 11 else None

    @property
    def from_(self) -> NameAddr | None:
        """The From value."""
        if self._from is None:
            self._from = _name_addr(self._first.get("from"))
        return self._from

    @property
    def to(self) -> NameAddr | None:
        """The To value."""
        if self._to is None:
            self._to = _name_addr(self._first.get("to"))
        return self._to

    @property
    def contacts(self) -> list[NameAddr]:
        """Every Contact value in order."""
        if self._contacts is None:
            values = [_name_addr(value) for value in self.all("contact")]
            self._contacts = [value for value in values if value is not None]
        return self._contacts

    @property
    def contact(self) -> NameAddr | None:
        """The first Contact value."""
        contacts = self.contacts
        return contacts[0] if contacts else None

    @property
    def target(self) -> Uri | None:
        """The Request-URI taken apart; None for a response."""
        if self._target is None and self.uri:
            try:
                self._target = Uri.parse(self.uri)
            except SipParseError:
                return None
        return self._target

    @property
    def content_type(self) -> str:
        """The media type of the body in lower case without parameters, "" when absent."""
        return self._first.get("content-type", "").partition(";")[0].strip(" \t").lower()

    def encode(self) -> bytes:
        """The message for the wire: long names, one header a line, Content-Length corrected."""
        if self.is_request:
            lines = [f"{self.method} {self.uri} SIP/2.0"]
        else:
            lines = [f"SIP/2.0 {self.code} {self.reason}"]
        lines += [
            f"{WRITTEN.get(name, name)}: {value}"
            for name, value in self.headers
            if name != "content-length"
        ]
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "\r\n".join(lines).encode(self.charset, "replace") + self.body


def _name_addr(value: str | None) -> NameAddr | None:
    if value is None:
        return None
    try:
        return NameAddr.parse(value)
    except SipParseError:
        return None


def _echoed(request: Message, source: Address | None) -> tuple[Address | None, str, str]:
    """What every response copies (RFC 3261 8.2.6.2): up to the To value, and after its tag."""
    vias = request._vias
    via = request.via
    before = f"\r\nVia: {via if source is None else via.answered_to(source)}"
    if len(vias) > 1:
        before += "".join([f"\r\nVia: {value}" for value in vias[1:]])
    first = request._first
    try:
        before = f"{before}\r\nFrom: {first['from']}\r\nTo: {first['to']}"
        after = f"\r\nCall-ID: {first['call-id']}\r\nCSeq: {first['cseq']}"
    except KeyError:
        before += "".join([f"\r\n{WRITTEN[n]}: {first[n]}" for n in ("from", "to") if n in first])
        after = "".join([f"\r\n{WRITTEN[n]}: {first[n]}" for n in _IDENTITY if n in first])
    request._echo = source, before, after
    return request._echo


def response(
    request: Message,
    code: int,
    reason: str = "",
    *,
    to_tag: str = "",
    received: Address | None = None,
    lines: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str = "application/sdp",
) -> bytes:
    """A response to `request` for the wire; `received` is the packet's source address and port.

    `lines` are header lines that `fields` wrote, `headers` more. `to_tag` is added where the
    request's To has none. Record-Route is copied into what may form a dialog (12.1.1), Timestamp
    into a 100 (8.2.6.1). Raises ValueError for CR or LF in a value.
    """
    echo = request._echo
    if echo is None or echo[0] != received:
        echo = _echoed(request, received)
    _, before, after = echo
    first = request._first
    tag = f";tag={to_tag}" if to_tag and not request.to_tag and "to" in first else ""
    one_line(reason + tag + content_type)
    more = ""
    if 100 < code < 300 and "record-route" in first and request.method in ("INVITE", "SUBSCRIBE"):
        routes = [value for name, value in request.headers if name == "record-route"]
        more = "".join([f"\r\nRecord-Route: {value}" for value in routes])
    elif code == 100 and "timestamp" in first:
        more = f"\r\nTimestamp: {first['timestamp']}"
    text = (
        f"SIP/2.0 {code} {reason or REASONS.get(code, 'Unknown')}{before}{tag}{after}{more}\r\n"
        f"{lines}{fields(headers)}{_tail(body, content_type)}"
    )
    return text.encode(request.charset, "replace") + body


def request(
    method: str,
    uri: str,
    headers: Iterable[tuple[str, str]],
    body: bytes = b"",
    content_type: str = "application/sdp",
) -> bytes:
    """A request for the wire; header names in lower case are written as the RFCs write them.

    Content-Length is added, and Content-Type where there is a body. Raises ValueError for CR or
    LF in a value.
    """
    one_line(method + uri + content_type)
    head = f"{method} {uri} SIP/2.0\r\n{fields(headers)}{_tail(body, content_type)}"
    return head.encode() + body


def _tail(body: bytes, content_type: str) -> str:
    """Content-Type for a body, Content-Length and the empty line."""
    kind = f"Content-Type: {content_type}\r\n" if body and content_type else ""
    return f"{kind}Content-Length: {len(body)}\r\n\r\n"


def fields(headers: Iterable[tuple[str, str]]) -> str:
    """Header lines from pairs; raises ValueError where one would forge another line."""
    lines, count = "", 0
    for name, value in headers:
        lines += f"{WRITTEN.get(name, name)}: {value}\r\n"
        count += 1
    if count and (lines.count("\r") != count or lines.count("\n") != count):
        raise ValueError("cannot write a header value with CR or LF in it")
    return lines


def one_line(text: str) -> None:
    """Refuse, by ValueError, what would not stay within one line."""
    if "\r" in text or "\n" in text:
        raise ValueError(f"cannot write {text[:64]!r} into one line")


def unsupported(message: Message, supported: Iterable[str] = (), *, proxy: bool = False) -> str:
    """The tags of Require (or Proxy-Require) nobody here knows, ready for an Unsupported header.

    "" when there is nothing to refuse; otherwise the answer is 420 (RFC 3261 8.2.2.3).
    """
    name = "proxy-require" if proxy else "require"
    if message.get(name) is None:
        return ""
    known = {tag.lower() for tag in supported}
    return ", ".join(tag for tag in message.all(name) if tag.lower() not in known)
