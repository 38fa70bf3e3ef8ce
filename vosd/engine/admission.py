# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is asking: by source address, or by digest (RFC 3261 22, RFC 8760).

Real and unreal users get the same answers after the same work, so nobody learns who exists.
"""

from __future__ import annotations

import msgspec

from vosd.engine.configuration import Configuration
from vosd.engine.live import Caller
from vosd.engine.settings import Settings
from vosd.sip import auth
from vosd.sip.errors import SipError
from vosd.sip.message import Message
from vosd.switch.tables import Gateway, Phone

REALM = "vos"
#: what each word of SS_DIGEST_ALGORITHMS offers
_OFFERS = {"all": auth.ALGORITHMS, "sha_256": ("SHA-256",), "md5": ("MD5",)}


class Refused(msgspec.Struct, frozen=True):
    """Not let in: `code` with `headers`; `failed` when credentials were sent and wrong."""

    code: int
    headers: tuple[tuple[str, str], ...] = ()
    failed: bool = False
    user: str = ""


class Admission:
    """Identifies the sender of a request."""

    def __init__(self, configuration: Configuration, settings: Settings, secret: bytes) -> None:
        self._configuration = configuration
        self._settings = settings
        self._nonces = auth.Nonces(secret)

    def caller(self, message: Message, source: tuple[str, int], now: float) -> Caller | Refused:
        """Who an INVITE is from."""
        gateway = self._configuration.trusted(source)
        if gateway is not None:
            return Caller(gateway.name, gateway=gateway)
        proxy = self._settings.snapshot.get("SS_AUTHCHALLENGEMODE") == "407"
        who = self._proven(message, source, now, 407 if proxy else 401)
        if isinstance(who, Refused):
            return who
        if isinstance(who, Gateway):
            return Caller(who.name, gateway=who)
        nat = any(row.nat for row in self._configuration.bindings.get(who.number, ()))
        return Caller(who.number, phone=who, nat=nat)

    def phone(self, message: Message, source: tuple[str, int], now: float) -> Phone | Refused:
        """Which phone a REGISTER is from, by digest and by the address of record in To."""
        who = self._proven(message, source, now, 401)
        if isinstance(who, Refused):
            return who
        to = message.to
        user = to.uri.user if to is not None and to.uri is not None else None
        if isinstance(who, Phone) and who.number == user and who.enabled:
            return who
        return Refused(403, failed=True, user=user or "")

    def _proven(
        self, message: Message, source: tuple[str, int], now: float, code: int
    ) -> Gateway | Phone | Refused:
        field = "proxy-authorization" if code == 407 else "authorization"
        given = self._credentials(message, field)
        if given is None or given.algorithm not in self._offered():
            return self._challenge(code, source, now)
        user = self._configuration.user(given.username)
        right = auth.verify(given, message.method, self._ha1(user, given.algorithm))
        fresh = self._nonces.check(given.nonce, now, source[0])
        if fresh == "bad" or (fresh == "stale" and not right):
            return self._challenge(code, source, now)
        if fresh == "ok" and (user is None or not right):
            return Refused(403, failed=True, user=given.username)
        if user is None or fresh == "stale" or not self._nonces.accept(given.nonce, given.nc):
            return self._challenge(code, source, now, stale=True)
        return user

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

    def _ha1(self, user: Gateway | Phone | None, algorithm: str) -> str:
        kept = ""
        if user is not None:
            kept = user.ha1_md5 if algorithm == "MD5" else user.ha1_sha256
        # nobody's digest, so that an unknown user costs and answers the same
        return kept or "0" * (32 if algorithm == "MD5" else 64)

    def _challenge(
        self, code: int, source: tuple[str, int], now: float, *, stale: bool = False
    ) -> Refused:
        nonce = self._nonces.make(now, source[0])
        name = "Proxy-Authenticate" if code == 407 else "WWW-Authenticate"
        return Refused(
            code,
            tuple((name, value) for value in auth.challenge(REALM, nonce, stale, self._offered())),
        )
