# SPDX-License-Identifier: GPL-2.0-or-later
"""Session descriptions read (RFC 8866) and readdressed without touching anything else.

A relay puts its own address where a description says "send to me here": o=, c=, the audio port and
a=rtcp. Attributes that offer another path to the peer (ICE, RTP and RTCP on one port) would lead
media around the relay and are dropped; the switch is no ICE agent. All else passes octet for octet.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address

import msgspec

MAX_SESSION = 65536
MAX_MEDIA = 8
MAX_LINES = 1000
_DIRECTIONS = frozenset(("sendrecv", "sendonly", "recvonly", "inactive"))

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_ipv4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}").fullmatch
_host = re.compile(r"(?![0-9.]+$)[A-Za-z0-9](?:[A-Za-z0-9\-_.]{0,253})").fullmatch
_media = re.compile(
    r"([A-Za-z0-9\-.+_]++) ([0-9]{1,5})(?:/[0-9]{1,5})? ([A-Za-z0-9/\-.]++)((?: ++[!-~]++)*) *+"
).fullmatch
_rtpmap = re.compile(
    r"([0-9]{1,3}) ++([^\x00-\x20\x7f/]++)/([0-9]{1,7})((?:/[0-9]{1,3})?) *+"
).fullmatch
_fmtp = re.compile(r"([0-9]{1,3}) ++(.++)").fullmatch
_rtcp = re.compile(r"([0-9]{1,5})(?: ++IN ++IP[46] ++([^\x00-\x20]++))? *+").fullmatch


class SdpError(Exception):
    """A description that cannot be used; says why in a sentence."""


class Media(msgspec.Struct):
    """One m= section; what the session says for all is filled in.

    `address` is a literal or, rarely, a name, which nobody resolves; `rtpmap` holds what the
    description spells out, like {"8": "PCMA/8000"}; `ptime` is in milliseconds.
    """

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str | None = None
    direction: str = "sendrecv"
    ptime: int | None = None
    rtpmap: dict[str, str] = {}
    fmtp: dict[str, str] = {}
    rtcp_port: int | None = None
    rtcp_address: str | None = None
    crypto: bool = False


class Session(msgspec.Struct):
    """A session description; `session_id` and `version` are the o= line's, as text."""

    user: str
    session_id: str
    version: str
    origin: str
    media: tuple[Media, ...]

    @classmethod
    def parse(cls, body: bytes) -> Session:
        """Read at most 64 KiB, 1000 lines and eight media; raises SdpError."""
        return _Reader().read(body)

    @property
    def audio(self) -> Media | None:
        """The first audio section in use."""
        for media in self.media:
            if media.kind == "audio" and media.port:
                return media
        return None


class _Reader:
    """The state of one pass over the lines: the section being filled, and the session's values."""

    __slots__ = ("address", "current", "direction", "media", "origin", "ptime")

    def __init__(self) -> None:
        self.address: str | None = None
        self.direction = "sendrecv"
        self.ptime: int | None = None
        self.origin: list[str] = []
        self.media: list[Media] = []
        self.current: Media | None = None

    def read(self, body: bytes) -> Session:
        for line in _lines(body):
            kind = line[:2]
            if kind == "a=":
                self.attribute(line)
            elif kind == "m=":
                self.section(line[2:])
            elif kind == "c=":
                self.connection(line[2:])
            elif kind == "o=":
                self.origin = _origin(line[2:])
            elif line[1:2] != "=" and line.strip():
                raise SdpError(f"cannot read SDP line {line[:64]!r}: want letter=value")
        if not self.origin:
            raise SdpError("cannot find the o= line")
        user, session_id, version, _, _, origin = self.origin
        return Session(user, session_id, version, origin, tuple(self.media))

    def section(self, value: str) -> None:
        match = _media(value)
        if match is None or int(match[2]) > 65535:
            raise SdpError(f"cannot read m={value[:64]!r}: want audio PORT RTP/AVP FORMATS")
        if len(self.media) == MAX_MEDIA:
            raise SdpError(f"cannot take more than {MAX_MEDIA} media")
        self.current = Media(
            match[1],
            int(match[2]),
            match[3],
            tuple(match[4].split()),
            self.address,
            self.direction,
            self.ptime,
            {},
            {},
            None,
            None,
            "SAVP" in match[3],
        )
        self.media.append(self.current)

    def connection(self, value: str) -> None:
        address = _connection(value)
        if self.current is None:
            self.address = address
        else:
            self.current.address = address

    def attribute(self, line: str) -> None:
        name, _, value = line[2:].partition(":")
        media = self.current
        if name == "rtpmap":
            if media is not None:
                _add_rtpmap(media, value)
        elif name == "fmtp":
            match = _fmtp(value)
            if media is not None and match:
                media.fmtp.setdefault(match[1], match[2])
        elif name in _DIRECTIONS:
            if media is None:
                self.direction = name
            else:
                media.direction = name
        elif name == "ptime":
            # 0 and noise are what some devices send for "no wish".
            ptime = int(value) if value.isascii() and value.isdigit() and len(value) < 5 else 0
            if media is None:
                self.ptime = ptime or None
            elif ptime:
                media.ptime = ptime
        elif name == "rtcp" and media is not None:
            _add_rtcp(media, value)
        elif name == "crypto" and media is not None:
            media.crypto = True


def _lines(body: bytes) -> list[str]:
    if len(body) > MAX_SESSION:
        raise SdpError(f"cannot take {len(body)} octets of SDP: at most {MAX_SESSION}")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    if not text.startswith("v=0"):
        raise SdpError(f"cannot read SDP that starts {text[:16]!r}: want v=0")
    # CRLF is the rule and LF is to be taken (RFC 8866 section 5).
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > MAX_LINES:
        raise SdpError(f"cannot take {len(lines)} lines of SDP: at most {MAX_LINES}")
    return lines


def _origin(value: str) -> list[str]:
    fields = value.split()
    if len(fields) != 6:
        raise SdpError(f"cannot read o={value[:64]!r}: want user id version IN IP4 address")
    return fields


def _connection(value: str) -> str:
    """The address of a c= value, without time to live or count."""
    fields = value.split()
    address = fields[2].partition("/")[0] if len(fields) == 3 else ""
    if fields[:2] == ["IN", "IP4"]:
        if _ipv4(address) or _host(address):
            return address
    elif fields[:2] == ["IN", "IP6"] and (family(address) == 6 or _host(address)):
        return address
    raise SdpError(f"cannot read c={value[:64]!r}: want IN IP4 or IP6 and an address")


def _add_rtpmap(media: Media, value: str) -> None:
    """Note a mapping; of two for one payload type the first counts.

    One that cannot be read matters in audio alone, the rest is refused anyhow: half of RFC 4475's
    messages say "a=rtpmap:31 LPC" of their video.
    """
    match = _rtpmap(value)
    if match is None or int(match[1]) > 127 or not int(match[3]):
        if media.kind != "audio":
            return
        raise SdpError(f"cannot read a=rtpmap:{value[:64]!r}: want TYPE NAME/RATE")
    channels = "" if match[4] in ("", "/1") else match[4]
    media.rtpmap.setdefault(match[1], f"{match[2]}/{match[3]}{channels}")


def _add_rtcp(media: Media, value: str) -> None:
    match = _rtcp(value)
    if match is None or int(match[1]) > 65535:
        raise SdpError(f"cannot read a=rtcp:{value[:64]!r}: want PORT [IN IP4 ADDRESS]")
    media.rtcp_port = int(match[1])
    media.rtcp_address = match[2]


def family(address: str) -> int | None:
    """4 or 6 for an address literal, None for a name."""
    if _ipv4(address):
        return 4
    if ":" not in address or "%" in address or len(address) > 45:
        return None
    try:
        IPv6Address(address)
    except ValueError:
        return None
    return 6


# Attributes that may say where else the peer can be reached; see above.
_SUSPECT = frozenset((b"a=can", b"a=ice", b"a=rem", b"a=end", b"a=rtc"))
_DROPPED = (
    b"a=candidate:",
    b"a=ice-",
    b"a=remote-candidates:",
    b"a=end-of-candidates",
    b"a=rtcp-mux",
)
# Where a line stands: before any m=, in the audio section we relay, in any other.
_SESSION, _OURS, _OTHER = 0, 1, 2


def rewrite(
    body: bytes,
    *,
    address: str,
    port: int,
    rtcp_port: int | None,
    session_id: str,
    version: int,
    user: str = "vosd",
) -> bytes:
    """A description as the other side shall see it: o= is ours, media come to `address`:`port`.

    Changed: o=; every c= but those of 0.0.0.0 and ::, which are a hold and stay one; the port of
    the first audio section in use; every other m= gets port 0. a=rtcp becomes `rtcp_port`, and is
    dropped when that is None or in a refused section; it is added where `rtcp_port` is not the
    port after `port`. ICE and rtcp-mux are dropped. Line ends and all else, including the profile
    (RTP/SAVP), stay. Raises SdpError when o= or the audio's c= is missing.
    """
    where = f"IN {'IP6' if ':' in address else 'IP4'} {address}".encode()
    origin = f"o={user} {session_id} {version} ".encode() + where
    rtcp = b"" if rtcp_port is None else b"a=rtcp:%d %b" % (rtcp_port, where)
    missing = b"" if rtcp_port == port + 1 else rtcp
    section, taken, owned, connected = _SESSION, False, False, False
    out: list[bytes] = []
    for line in body.split(b"\n"):
        head = line[:2]
        if head == b"a=":
            if line[:5] in _SUSPECT:
                if line.startswith(_DROPPED):
                    continue
                if line.startswith(b"a=rtcp:"):
                    if section != _OURS or not rtcp:
                        continue
                    line, missing = rtcp + _end(line), b""
        elif head == b"c=":
            connected = connected or section != _OTHER
            if not _held(line):
                line = b"c=" + where + _end(line)
        elif head == b"m=":
            if section == _OURS and missing:
                out.append(missing + _end(line))
                missing = b""
            section = _OTHER
            if not taken and line.startswith(b"m=audio ") and _active(line):
                section, taken = _OURS, True
            line = _with_port(line, port if section == _OURS else 0)
        elif head == b"o=":
            line, owned = origin + _end(line), True
        out.append(line)
    if not owned or (taken and not connected):
        raise SdpError(f"cannot readdress SDP without {'c=' if owned else 'o='}")
    if out[-1].endswith(b"\r"):
        out.append(b"")  # the line behind it was dropped, and had no end
    if section == _OURS and missing:
        _append(out, missing)
    return b"\n".join(out)


def _end(line: bytes) -> bytes:
    return b"\r" if line.endswith(b"\r") else b""


def _held(line: bytes) -> bool:
    return line.rstrip().endswith((b" 0.0.0.0", b" ::"))


def _active(line: bytes) -> bool:
    return line.split(b" ", 2)[1].partition(b"/")[0].strip(b"0 \r") != b""


def _with_port(line: bytes, port: int) -> bytes:
    fields = line.split(b" ", 2)
    if len(fields) < 3:
        raise SdpError(f"cannot read {line[:64]!r}: want m=audio PORT RTP/AVP FORMATS")
    return b"%b %d %b" % (fields[0], port, fields[2])


def _append(out: list[bytes], line: bytes) -> None:
    """Add a last line, before the empty piece behind the last line end or after a bare end."""
    end = _end(out[0])
    if out[-1]:
        out[-1] += end
        out.append(line)
    else:
        out.insert(-1, line + end)
