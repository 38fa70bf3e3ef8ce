# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is asking: by source address, or by digest (RFC 3261 22, RFC 8760).

Real and unreal users get the same answers after the same work, so nobody learns who exists. A
gateway known by its address is trusted before anything else is looked at.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

from vosd.engine.configuration import Configuration
from vosd.engine.live import Caller
from vosd.engine.settings import Settings
from vosd.sip import auth
from vosd.sip.errors import SipError
from vosd.sip.header import NameAddr
from vosd.sip.message import Message
from vosd.sip.uri import Uri
from vosd.switch.clock import Clock
from vosd.switch.suspension import Suspensions
from vosd.switch.tables import Gateway, Phone

REALM = "vos"
#: what each word of SS_DIGEST_ALGORITHMS offers
_OFFERS = {"all": auth.ALGORITHMS, "sha_256": ("SHA-256",), "md5": ("MD5",)}

Address: TypeAlias = tuple[str, int]
Party: TypeAlias = Gateway | Phone
#: asked of every request that creates state, by method, source and whom it is from; False
#: refuses. Whom to exempt, such as gateways trusted by address, it decides itself.
Fence: TypeAlias = Callable[[str, Address, Party], bool]


class Refused(msgspec.Struct, frozen=True):
    """Not let in: `code` with `headers`, the same whoever asks.

    `failed` is the end reason when wrong credentials were sent for a nonce of ours, "" for a
    challenge, a suspension, and a failure that was counted before. `user` is the name that was
    sent, `claimed` who has that name. `suspends` is for how many seconds the source is suspended
    from now on.
    """

    code: int
    headers: tuple[tuple[str, str], ...] = ()
    failed: Literal["", "authentication_failed", "caller_unknown"] = ""
    user: str = ""
    claimed: Caller | None = None
    suspends: float = 0.0


class Admission:
    """Identifies the sender of a request."""

    def __init__(
        self, configuration: Configuration, settings: Settings, secret: bytes, since: float
    ) -> None:
        """`secret` is shared by nodes that accept each other's nonces; those made before `since`
        (Unix seconds, our start) are stale, since nobody knows how often they were used."""
        self._configuration = configuration
        self._settings = settings
        self._nonces = auth.Nonces(secret, since=since)
        self._suspensions = Suspensions()
        self.fence: Fence = lambda method, source, party: True
        #: the vendor that calls us where we registered with it
        self.vendor: Callable[[Message, Address, str, float], Caller | None] = lambda *_: None
        #: instead of the digest of a user who has none
        self._nobody = secrets.token_hex(32)

    def caller(
        self, message: Message, source: Address, transport: str, clock: Clock
    ) -> Caller | Refused:
        """Who an INVITE is from."""
        gateway = self._configuration.trusted(source, transport)
        if gateway is not None:
            return self._fenced(message, source, Caller(gateway.name, gateway=gateway))
        vendor = self.vendor(message, source, transport, clock.mono)
        if vendor is not None:
            return self._fenced(message, source, vendor)
        proxy = self._settings.snapshot.get("SS_AUTHCHALLENGEMODE") == "407"
        who = self._proven(message, source, message.from_, clock, 407 if proxy else 401)
        if isinstance(who, Refused):
            return who
        return self._as_caller(who)

    def _fenced(self, message: Message, source: Address, caller: Caller) -> Caller | Refused:
        gateway = caller.gateway
        if gateway is not None and not self.fence(message.method, source, gateway):
            return Refused(403)
        return caller

    def _as_caller(self, who: Party) -> Caller:
        if isinstance(who, Gateway):
            return Caller(who.name, gateway=who)
        nat = any(row.nat for row in self._configuration.bindings.get(who.number, ()))
        return Caller(who.number, phone=who, nat=nat)

    def phone(self, message: Message, source: Address, clock: Clock) -> Phone | Refused:
        """Which phone a REGISTER is from, by digest and by the address of record in To."""
        who = self._proven(message, source, message.to, clock, 401)
        if isinstance(who, Refused):
            return who
        if isinstance(who, Phone) and who.number == _user(message.to) and who.enabled:
            return who
        return Refused(403)

    def _proven(
        self, message: Message, source: Address, claimed: NameAddr | None, clock: Clock, code: int
    ) -> Party | Refused:
        suspended = self._suspensions.left(source[0], clock.mono)
        if suspended and not self._registered(_user(claimed), source, clock):
            # before any work; some phones give up for good at a 403
            return Refused(503, (("Retry-After", str(math.ceil(suspended))),))
        field = "proxy-authorization" if code == 407 else "authorization"
        given = self._credentials(message, field)
        if given is None or given.qop != "auth" or given.algorithm not in self._offered():
            return self._challenge(code, source, clock)
        if not _meant(given.uri, message.target):
            return Refused(400)
        user = self._configuration.user(given.username)
        kept = _ha1(user, given.algorithm)
        # without one, somebody's whom nobody knows: an unknown user costs and answers the same
        right = auth.verify(given, message.method, kept or self._nobody) and bool(kept)
        fresh = self._nonces.check(given.nonce, clock.wall, source[0])
        if fresh == "bad" or (fresh == "stale" and not right):
            return self._challenge(code, source, clock)
        if user is None or not right:
            return self._failed(given, user, source, clock)
        if fresh == "stale" or not self._nonces.accept(given.nonce, given.nc):
            return self._challenge(code, source, clock, stale=True)
        self._suspensions.proved(source[0], given.username)
        return user if self.fence(message.method, source, user) else Refused(403)

    def _registered(self, user: str, source: Address, clock: Clock) -> bool:
        """Whether a phone is registered from just there: it goes on while its neighbours behind
        the same address guess."""
        rows = self._configuration.contacts(user, clock.wall)
        return any((row.host, row.port) == source for row in rows)

    def _failed(
        self, given: auth.Credentials, user: Party | None, source: Address, clock: Clock
    ) -> Refused:
        seconds = self._number("SS_AUTHENTICATION_FAILED_SUSPEND")
        new, suspends = self._suspensions.failed(
            source[0], given.username, given.response, clock.mono,
            int(self._number("SS_AUTHENTICATION_MAX_RETRY")), seconds,
        )  # fmt: skip
        if not new:
            return Refused(403)
        claimed = self._as_caller(user) if user is not None else None
        return Refused(
            403, (), "caller_unknown" if claimed is None else "authentication_failed",
            given.username, claimed, seconds if suspends else 0.0,
        )  # fmt: skip

    def _number(self, name: str) -> float:
        value = self._settings.snapshot.get(name)
        return value if isinstance(value, int | float) else 0

    def _offered(self) -> tuple[str, ...]:
        return _OFFERS[self._settings.snapshot.get("SS_DIGEST_ALGORITHMS")]

    def _credentials(self, message: Message, field: str) -> auth.Credentials | None:
        """The digest meant for our realm, if one was sent that can be read."""
        for value in (text for name, text in message.headers if name == field):
            try:
                given = auth.parse_credentials(value)
            except SipError:
                continue
            if given.realm == REALM:
                return given
        return None

    def _challenge(
        self, code: int, source: Address, clock: Clock, *, stale: bool = False
    ) -> Refused:
        nonce = self._nonces.make(clock.wall, source[0])
        name = "Proxy-Authenticate" if code == 407 else "WWW-Authenticate"
        return Refused(
            code,
            tuple((name, value) for value in auth.challenge(REALM, nonce, stale, self._offered())),
        )


def _user(address: NameAddr | None) -> str:
    return address.uri.user if address is not None and address.uri is not None else ""


def _ha1(user: Party | None, algorithm: str) -> str:
    """The secret kept of a user; "" for nobody, and where none is kept."""
    if user is None:
        return ""
    return user.ha1_md5 if algorithm == "MD5" else user.ha1_sha256


def _meant(proven: str, target: Uri | None) -> bool:
    """Whether a digest's uri and the Request-URI name the same number (RFC 7616 3.4.6).

    A proxy on the way may rewrite the host. Some clients name only the server in every digest.
    """
    try:
        uri = Uri.parse(proven)
    except SipError:
        return False
    return target is not None and uri.user in ("", target.user)
