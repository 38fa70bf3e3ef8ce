# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes to Message: strict where two readers could disagree, lazy where nobody looks yet.

A datagram is read in one pass: split into lines, name the headers, check what routes it to a
transaction (top Via, Call-ID, CSeq, From and To) and the addresses a dialog is built from. Usual
forms are checked by one pattern each; only unusual ones are taken apart at once. When anything
fails, a second and forgiving pass collects what a refusal has to copy.
"""

from __future__ import annotations

import re

from vosd.sip.errors import SipParseError
from vosd.sip.grammar import (
    MAX_CONTACTS,
    MAX_CSEQ,
    MAX_HEADERS,
    MAX_LINE,
    MAX_MESSAGE,
    MAX_VIAS,
    METHODS,
    PLAIN_URI,
    SINGLE,
    SPELLINGS,
    VALUE,
    long_name,
    other_uri,
    plain_sip_uri,
    token,
)
from vosd.sip.header import NameAddr, Via, split_list
from vosd.sip.message import Message

# Headers that hold addresses a dialog is built from -> most values taken.
_ADDRESSED = {"contact": MAX_CONTACTS, "route": MAX_VIAS, "record-route": MAX_VIAS}
_fold = re.compile(r"\r\n[ \t]++").sub
_status = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*+))?", re.I | re.S).fullmatch
_cseq = re.compile(r"(?=[0-9])0*+([0-9]{0,10})[ \t]++([!-~]++)").fullmatch
_version = re.compile(r"SIP/[0-9]+\.[0-9]+", re.I).fullmatch
_usual_request = re.compile(rf"([A-Z]++) (sip:{PLAIN_URI}) SIP/2\.0").fullmatch
# The usual From, To, Contact and Route: one bracketed SIP URI, at most a tag behind it.
_plain_address = re.compile(
    rf'(?:"[^"\\]*+"[ \t]*+|[^"<>:;,@]*+)<[sS][iI][pP][sS]?:{PLAIN_URI}>(?:;tag=({VALUE}))?'
).fullmatch


def parse(data: bytes) -> Message:
    """Read one datagram; octets behind the body are passed over (RFC 3261 18.3).

    Raises SipParseError, whose `message` can be answered unless it is None.
    """
    try:
        return _read(data)
    except SipParseError as error:
        error.message = remains(data)
        raise


def _read(data: bytes) -> Message:
    if len(data) > MAX_MESSAGE:
        raise SipParseError(513, f"cannot take {len(data)} octets: at most {MAX_MESSAGE}")
    if data[:1] == b"\r":
        data = data.lstrip(b"\r\n")  # keep-alives in front of a request (RFC 3261 7.5)
    end = data.find(b"\r\n\r\n")
    if end < 0:
        raise SipParseError(400, "cannot find the empty line that ends the headers")
    message = Message()
    message.size = len(data)
    text = _decoded(message, data[:end])
    lines = text.split("\r\n")
    count = len(lines)
    if text.count("\n") != count - 1 or text.count("\r") != count - 1:
        raise SipParseError(400, "cannot take CR or LF inside a header value")
    if count > MAX_HEADERS + 1:
        raise SipParseError(400, f"cannot take {count - 1} header lines: at most {MAX_HEADERS}")
    if end > MAX_LINE and max(map(len, lines)) > MAX_LINE:
        raise SipParseError(513, f"cannot take a line over {MAX_LINE} characters")
    _start_line(message, lines[0])
    message._headers = None
    first = _first_of_each(message, lines)
    vias = message._vias
    # Usually Via alone repeats.
    repeats = len(message._lines) - len(first) > len(vias)
    if repeats:
        _repeated(message.headers)
    _top_via(message, vias)
    _transaction(message, first)
    _addresses(message, first, repeats)
    message.body = _body(data[end + 4 :], first.get("content-length"))
    message._from = message._to = message._contacts = message._target = message._echo = None
    return message


def _decoded(message: Message, octets: bytes) -> str:
    try:
        text = octets.decode()
        message.charset = "utf-8"
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
        message.charset = "latin-1"
    return text


def _start_line(message: Message, line: str) -> None:
    request = _usual_request(line)
    if request:
        message.is_request = True
        message.method, message.uri = request.groups()
        message.code = 0
        message.reason = ""
    elif line[:4].upper() == "SIP/":
        _status_line(message, line)
    else:
        _request_line(message, line)


def _request_line(message: Message, line: str) -> None:
    parts = line.split(" ", 2)
    if len(parts) != 3 or not _version(parts[2]):
        raise SipParseError(400, f"cannot read request line {line[:64]!r}: want METHOD URI SIP/2.0")
    method, uri, version = parts
    if version.upper() != "SIP/2.0":
        raise SipParseError(505, f"cannot speak {version[:32]}: want SIP/2.0")
    if not token(method):
        raise SipParseError(400, f"cannot read method {method[:32]!r}")
    if not plain_sip_uri(uri):
        match = other_uri(uri)
        if not match or match[1].lower() in ("sip", "sips"):
            raise SipParseError(400, f"cannot read Request-URI {uri[:64]!r}")
    message.is_request = True
    message.method = method
    message.uri = uri
    message.code = 0
    message.reason = ""


def _status_line(message: Message, line: str) -> None:
    status = _status(line)
    if status is None:
        raise SipParseError(400, f"cannot read status line {line[:64]!r}: want SIP/2.0 100 to 699")
    message.is_request = False
    message.uri = ""
    message.code = int(status[1])
    message.reason = status[2] or ""


def _first_of_each(message: Message, lines: list[str]) -> dict[str, str]:
    """Name and check every header line; the first value of each name, and all of Via."""
    first: dict[str, str] = {}
    vias: list[str] = []
    known = SPELLINGS.get
    for line in lines[:0:-1]:
        name, colon, value = line.partition(":")
        long = known(name) or _unusual_name(name)
        if not colon or not long:
            return _first_of_each(message, _unfolded(lines))
        first[long] = value = value.strip(" \t")
        if long == "via":
            vias.append(value)
    vias.reverse()
    message._lines = lines
    message._vias = vias
    message._first = first
    return first


def _unusual_name(name: str) -> str:
    """The lower-case long form of a header name in an unusual spelling; "" when it is none."""
    name = long_name(name)
    return name if token(name) else ""


def _unfolded(lines: list[str]) -> list[str]:
    """Join continuation lines to the line before (7.3.1); refuse what is no header then."""
    joined = _fold(" ", "\r\n".join(lines)).split("\r\n")
    if joined[0] != lines[0]:
        raise SipParseError(400, f"cannot read request line {joined[0][:64]!r}: it is folded")
    for line in joined:
        if len(line) > MAX_LINE:
            raise SipParseError(513, f"cannot take a header over {MAX_LINE} characters")
    for line in joined[1:]:
        name, colon, _ = line.partition(":")
        if not colon or not _unusual_name(name):
            raise SipParseError(400, f"cannot read header line {line[:64]!r}: want Name: value")
    return joined


def _repeated(headers: list[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for name, value in headers:
        if name in SINGLE or name == "content-length":
            if name in seen and (name != "content-length" or seen[name] != value):
                raise SipParseError(400, f"cannot take two {name} headers")
            seen[name] = value


def _top_via(message: Message, vias: list[str]) -> None:
    for value in vias:
        if "," in value:
            vias[:] = [via for value in vias for via in split_list(value)]
            break
    if not vias:
        raise SipParseError(400, "cannot find Via")
    if len(vias) > MAX_VIAS:
        raise SipParseError(400, f"cannot take {len(vias)} Via values: at most {MAX_VIAS}")
    message.via = via = Via.parse(vias[0])
    # Only the cookie: every such request would share one transaction (RFC 4475 3.2.1).
    if via.branch == "z9hG4bK":
        raise SipParseError(400, "cannot match a branch that is only the magic cookie")


def _transaction(message: Message, first: dict[str, str]) -> None:
    call_id = first.get("call-id")
    if not call_id or not call_id.isascii() or not call_id.isprintable() or " " in call_id:
        raise SipParseError(400, f"cannot read Call-ID {(call_id or '')[:64]!r}")
    message.call_id = call_id
    counted = _cseq(first.get("cseq", ""))
    if counted is None:
        raise SipParseError(400, f"cannot read CSeq {first.get('cseq', '')[:64]!r}")
    digits, method = counted.groups()
    message.cseq = cseq = int(digits or 0)
    message.cseq_method = method
    if cseq > MAX_CSEQ:
        raise SipParseError(400, f"cannot count CSeq {cseq}: at most {MAX_CSEQ}")
    if not message.is_request:
        message.method = method
        if method not in METHODS and not token(method):
            raise SipParseError(400, f"cannot read CSeq method {method[:32]!r}")
    elif method != message.method:
        code = 400 if message.method in METHODS else 501
        raise SipParseError(code, f"cannot take CSeq method {method[:32]} in {message.method[:32]}")


def _addresses(message: Message, first: dict[str, str], repeats: bool) -> None:
    value = first.get("from", "")
    plain = _plain_address(value)
    message.from_tag = (plain[1] or "") if plain else _tag("From", value)
    value = first.get("to", "")
    plain = _plain_address(value)
    message.to_tag = (plain[1] or "") if plain else _tag("To", value)
    for name, most in _ADDRESSED.items():
        if name in first and (repeats or not _plain_address(first[name])):
            _list(message, name, most)


def _tag(name: str, value: str) -> str:
    """The tag of an unusual From or To value, which is checked."""
    if not value:
        raise SipParseError(400, f"cannot find {name}")
    address = NameAddr.parse(value)
    if address.star:
        raise SipParseError(400, f"cannot take * as {name}")
    return address.tag


def _list(message: Message, name: str, most: int) -> None:
    """Check every value of a header that lists addresses."""
    values = message.all(name)
    if len(values) > most:
        raise SipParseError(400, f"cannot take {len(values)} {name} values: at most {most}")
    for value in values:
        if not _plain_address(value):
            address = NameAddr.parse(value)
            if address.star and (name != "contact" or len(values) > 1):
                raise SipParseError(400, f"cannot take * in {name}")


def _body(rest: bytes, length: str | None) -> bytes:
    if length is None:
        return rest
    if not length.isascii() or not length.isdigit() or len(length.lstrip("0")) > 8:
        raise SipParseError(400, f"cannot read Content-Length {length[:32]!r}")
    size = int(length)
    if size == len(rest):
        return rest
    if size > len(rest):
        raise SipParseError(400, f"cannot find {size} octets of body: {len(rest)} came")
    return rest[:size]


_tag_in = re.compile(rf";[ \t]*+tag[ \t]*+=[ \t]*+({VALUE})", re.I).search
_COPIED = frozenset(("from", "to", "call-id", "cseq"))


def remains(data: bytes) -> Message | None:
    """What a refusal copies from bytes that are no proper request; None when none may be sent."""
    message = Message()
    message.size = len(data)
    octets = data[:MAX_MESSAGE].lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    lines = _fold(" ", _decoded(message, octets)).split("\r\n", MAX_HEADERS)
    words = lines[0].split()
    # Nothing answers an ACK or what may be a response.
    if len(words) < 3 or words[-1][:4].upper() != "SIP/" or words[0] in ("ACK", "SIP"):
        return None
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        long = long_name(name)
        value = value.strip(" \t")
        if colon and (long == "via" or (long in _COPIED and not _unfit(value))):
            headers.append((long, value))
    message._headers = headers
    message._lines = []
    message._first = first = dict(reversed(headers))
    if not _remaining_vias(message):
        return None
    _remaining_fields(message, words, first)
    return message


def _unfit(value: str) -> bool:
    return len(value) > MAX_LINE or "\r" in value or "\n" in value


def _remaining_vias(message: Message) -> bool:
    """Take the Via values that can be sent back; False when the top one cannot be read."""
    vias: list[str] = []
    for name, value in message.headers:
        if name == "via" and len(vias) <= MAX_VIAS:
            vias += split_list(value[:MAX_LINE])
    try:
        message.via = Via.salvage(vias[0] if vias else "")
    except SipParseError:
        return False
    if len(vias) > MAX_VIAS:
        del vias[1:]
    message._vias = [str(message.via), *(via for via in vias[1:] if _readable(via))]
    fields = [field for field in message.headers if field[0] != "via"]
    message._headers = [("via", via) for via in message._vias] + fields
    return not _unfit(vias[0])


def _readable(via: str) -> bool:
    try:
        Via.parse(via)
    except SipParseError:
        return False
    return not _unfit(via)


def _remaining_fields(message: Message, words: list[str], first: dict[str, str]) -> None:
    message.is_request = True
    message.method = words[0] if token(words[0]) else ""
    message.uri = words[1]
    message.code = 0
    message.reason = ""
    message.body = b""
    message.call_id = first.get("call-id", "")
    cseq = _cseq(first.get("cseq", ""))
    message.cseq = int(cseq[1] or 0) if cseq else 0
    message.cseq_method = cseq[2] if cseq else message.method
    message.from_tag, message.to_tag = _loose_tag(first.get("from")), _loose_tag(first.get("to"))
    message._from = message._to = message._contacts = message._target = message._echo = None


def _loose_tag(value: str | None) -> str:
    match = _tag_in(value) if value else None
    return match[1] if match else ""
