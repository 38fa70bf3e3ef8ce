# SPDX-License-Identifier: GPL-2.0-or-later
"""Digest authentication, both sides (RFC 2617, 7616, 8760), without a clock or chance of its own.

A server offers SHA-256 and MD5, always with qop=auth, and takes nothing else. Its nonce is its own
proof: time and number under an HMAC that also covers the source host, so any node with the secret
can check it, and only the use counts of nonces that verified are remembered.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from typing import Literal

import msgspec

from vosd.sip.errors import SipParseError
from vosd.sip.grammar import QUOTED, TOKEN
from vosd.sip.header import quoted, unquote

ALGORITHMS = ("SHA-256", "MD5")
# Use counts a nonce may arrive out of order by, since UDP may swap requests.
WINDOW = 64
# Nonces whose use is remembered: at two requests per nonce and 30 s this is 4000 requests/s.
MAX_NONCES = 65536

_pair = re.compile(rf'[ \t,]*+({TOKEN})[ \t]*+=[ \t]*+({QUOTED}|[^\x00-\x20\x7f,"]*+)', re.S).match
_scheme = re.compile(r"[ \t]*+([A-Za-z0-9\-]++)[ \t]++(?=[^ \t])").match
_hex8 = re.compile(r"[0-9a-fA-F]{8}").fullmatch


def _digest(algorithm: str, text: str) -> str:
    octets = text.encode("utf-8", "replace")
    if algorithm == "SHA-256":
        return hashlib.sha256(octets).hexdigest()
    if algorithm == "MD5":
        return hashlib.md5(octets, usedforsecurity=False).hexdigest()
    raise ValueError(f"cannot compute {algorithm!r}: want {' or '.join(ALGORITHMS)}")


def ha1(user: str, realm: str, password: str, algorithm: str) -> str:
    """The stored secret H(user:realm:password); raises ValueError for an unknown algorithm."""
    return _digest(algorithm, f"{user}:{realm}:{password}")


def _response(
    algorithm: str, secret: str, method: str, uri: str, nonce: str, counted: str = ""
) -> str:
    """RFC 7616 3.4.1; `counted` is "nc:cnonce:qop", or "" for RFC 2069."""
    ha2 = _digest(algorithm, f"{method}:{uri}")
    middle = f"{nonce}:{counted}" if counted else nonce
    return _digest(algorithm, f"{secret}:{middle}:{ha2}")


def challenge(
    realm: str, nonce: str, stale: bool = False, algorithms: tuple[str, ...] = ALGORITHMS
) -> list[str]:
    """Values for WWW-Authenticate or Proxy-Authenticate, one header each, best first (RFC 8760).

    Fewer `algorithms` are for old clients that give up at the first one they do not know.
    """
    tail = ", stale=true" if stale else ""
    return [
        f'Digest realm={quoted(realm)}, nonce="{nonce}", algorithm={algorithm}, qop="auth"{tail}'
        for algorithm in algorithms
    ]


class Credentials(msgspec.Struct, frozen=True):
    """An Authorization or Proxy-Authorization value.

    `algorithm` is in the spelling of ALGORITHMS where it is one of them; `nc` counts, `nc_text` is
    what was hashed. A client without qop leaves qop, cnonce and nc_text "" and nc 0.
    """

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str = ""
    nc: int = 0
    nc_text: str = ""
    cnonce: str = ""


def _pairs(value: str) -> dict[str, str]:
    """The parameters of a Digest value; SipParseError(401) for another scheme, 400 for noise."""
    scheme = _scheme(value)
    if scheme is None:
        raise SipParseError(400, f"cannot read credentials {value[:32]!r}: want Digest name=value")
    if scheme[1].lower() != "digest":
        raise SipParseError(401, f"cannot use scheme {scheme[1][:32]!r}: want Digest")
    pairs: dict[str, str] = {}
    at, end = scheme.end(), len(value.rstrip(" \t,"))
    while at < end:
        match = _pair(value, at)
        name = match[1].lower() if match else ""
        if match is None or name in pairs or (pairs and value[at] != ","):
            raise SipParseError(400, f"cannot read credentials {value[at : at + 32]!r}")
        pairs[name] = unquote(match[2])
        at = match.end()
        while at < end and value[at] in " \t":
            at += 1
    return pairs


def _algorithm(name: str) -> str:
    """An algorithm token in our spelling; tokens compare without case."""
    upper = name.upper()
    return upper if upper in ALGORITHMS else name


def parse_credentials(value: str) -> Credentials:
    """Read an Authorization value.

    Raises SipParseError: 401 for a scheme other than Digest (challenge anew, RFC 4475 3.3.7), 400
    for anything unreadable or incomplete.
    """
    pairs = _pairs(value)
    missing = [n for n in ("username", "realm", "nonce", "uri", "response") if n not in pairs]
    if missing:
        raise SipParseError(400, f"cannot find {missing[0]} in the credentials")
    qop, nc = pairs.get("qop", "").lower(), pairs.get("nc", "")
    if nc and not _hex8(nc):
        raise SipParseError(400, f"cannot read nc {nc[:32]!r}: want eight hexadecimal digits")
    if qop and (not nc or "cnonce" not in pairs):
        raise SipParseError(400, "cannot use qop without nc and cnonce")
    return Credentials(
        pairs["username"],
        pairs["realm"],
        pairs["nonce"],
        pairs["uri"],
        pairs["response"],
        _algorithm(pairs.get("algorithm", "MD5")),
        qop,
        int(nc, 16) if nc else 0,
        nc,
        pairs.get("cnonce", ""),
    )


def verify(credentials: Credentials, method: str, ha1: str) -> bool:
    """Whether the response proves `ha1`, the secret for the algorithm the credentials name.

    Only what `challenge` offers is accepted: its algorithms, and qop=auth. The nonce is checked
    by `Nonces`.
    """
    c = credentials
    if c.algorithm not in ALGORITHMS or c.qop != "auth" or c.nc < 1:
        return False
    counted = f"{c.nc_text}:{c.cnonce}:auth"
    expected = _response(c.algorithm, ha1, method, c.uri, c.nonce, counted)
    return hmac.compare_digest(expected.encode(), c.response.lower().encode("utf-8", "replace"))


def answer(
    challenges: list[str], method: str, uri: str, user: str, password: str, cnonce: str
) -> str | None:
    """The Authorization value for the best of `challenges`, None when none can be answered.

    SHA-256 before MD5, each with qop=auth; MD5 without qop for servers of RFC 2069. `cnonce` is
    the caller's chance; the use count is always 1, so every answer wants a fresh challenge.
    """
    best: dict[str, dict[str, str]] = {}
    for value in challenges:
        try:
            pairs = _pairs(value)
        except SipParseError:
            continue
        algorithm = _algorithm(pairs.get("algorithm", "MD5"))
        qops = [word.strip(" \t").lower() for word in pairs.get("qop", "").split(",")]
        usable = "auth" in qops or (algorithm == "MD5" and "qop" not in pairs)
        if usable and algorithm in ALGORITHMS and "realm" in pairs and "nonce" in pairs:
            best.setdefault(algorithm, pairs)
    for algorithm in ALGORITHMS:
        if algorithm in best:
            return _authorization(algorithm, best[algorithm], method, uri, user, password, cnonce)
    return None


def _authorization(
    algorithm: str,
    pairs: dict[str, str],
    method: str,
    uri: str,
    user: str,
    password: str,
    cnonce: str,
) -> str:
    realm, nonce = pairs["realm"], pairs["nonce"]
    secret = ha1(user, realm, password, algorithm)
    counted = f"00000001:{cnonce}:auth" if "qop" in pairs else ""
    fields = [
        f"username={quoted(user)}",
        f"realm={quoted(realm)}",
        f"nonce={quoted(nonce)}",
        f"uri={quoted(uri)}",
        f'response="{_response(algorithm, secret, method, uri, nonce, counted)}"',
    ]
    if "algorithm" in pairs:
        fields.append(f"algorithm={algorithm}")
    if counted:
        fields.append(f"qop=auth, nc=00000001, cnonce={quoted(cnonce)}")
    if "opaque" in pairs:
        fields.append(f"opaque={quoted(pairs['opaque'])}")
    return f"Digest {', '.join(fields)}"


class Nonces:
    """Makes and checks server nonces, and refuses a use count seen before.

    Nodes that share `secret` accept each other's nonces, but remember use counts each for
    itself: a challenge and its answer belong to one node where replay matters.
    """

    __slots__ = ("_floor", "_life", "_made", "_newest", "_secret", "_used", "limit")

    def __init__(
        self, secret: bytes, life_s: float = 30, limit: int = MAX_NONCES, since: float = 0
    ) -> None:
        """Nonces made before `since` (Unix seconds) are stale: their use is not known."""
        self._secret = secret
        self._life = int(life_s * 1000)
        self._made = 0
        self._newest = 0
        self._floor = int(since * 1000) - 1  # nonces made up to here (ms) count as stale
        self._used: dict[str, tuple[int, int]] = {}
        self.limit = limit

    def __len__(self) -> int:
        return len(self._used)

    def make(self, now: float, source_host: str) -> str:
        """A nonce for `source_host`; `now` is wall time in seconds, shared by the nodes."""
        self._made = (self._made + 1) & 0xFFFF
        stamp = int(now * 1000).to_bytes(6, "big") + self._made.to_bytes(2, "big")
        return _text(stamp + self._seal(stamp, source_host))

    def _seal(self, stamp: bytes, source_host: str) -> bytes:
        return hmac.digest(self._secret, stamp + source_host.encode(), "sha256")[:10]

    def check(self, nonce: str, now: float, source_host: str) -> Literal["ok", "stale", "bad"]:
        """ "bad" was not made by us for this host; "stale" wants a new one with stale=true."""
        octets = _octets(nonce)
        if octets is None:
            return "bad"
        if not hmac.compare_digest(octets[8:], self._seal(octets[:8], source_host)):
            return "bad"
        made = _made(octets)
        age = int(now * 1000) - made
        # A second of grace for the clocks of other nodes.
        return "ok" if -1000 <= age <= self._life and made > self._floor else "stale"

    def accept(self, nonce: str, nc: int) -> bool:
        """Note a use of a nonce that `check` called ok and whose digest verified.

        False for a count used before or too far behind, and for a nonce no longer remembered:
        challenge anew with stale=true.
        """
        octets = _octets(nonce)
        if octets is None or not 0 < nc <= 0xFFFFFFFF:
            return False
        made = _made(octets)
        if made <= self._floor:
            return False
        highest, seen = self._used.get(nonce, (0, 0))
        ahead = nc - highest
        if ahead > 0:
            seen = ((seen << ahead) | 1) if ahead < WINDOW else 1
            highest = nc
        elif -ahead >= WINDOW or seen >> -ahead & 1:
            return False
        else:
            seen |= 1 << -ahead
        self._used[nonce] = highest, seen & ((1 << WINDOW) - 1)
        self._forget(made)
        return True

    def _forget(self, made: int) -> None:
        """Drop what has expired, and the oldest beyond the limit; both can never be used again."""
        self._newest = max(self._newest, made)
        expired = self._newest - self._life - 1000
        while self._used:
            oldest = next(iter(self._used))
            stamp = _made(binascii.a2b_base64(oldest))
            if stamp > expired and len(self._used) <= self.limit:
                return
            self._floor = max(self._floor, stamp)
            del self._used[oldest]


def _text(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode()


def _octets(nonce: str) -> bytes | None:
    """The 18 octets of a nonce: short, since a challenge may not be much larger than its cause.

    18 octets are 24 characters of base64 without padding, so there is one spelling.
    """
    if len(nonce) != 24:
        return None
    try:
        octets = binascii.a2b_base64(nonce, strict_mode=True)
    except ValueError:
        return None
    return octets if len(octets) == 18 else None


def _made(octets: bytes) -> int:
    """When a nonce was made, in ms."""
    return int.from_bytes(octets[:6], "big")
