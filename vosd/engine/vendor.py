# SPDX-License-Identifier: GPL-2.0-or-later
"""One registration of ours with a vendor: what it is called, what it holds, what answers mean."""

from __future__ import annotations

import hmac
import math
from typing import Literal, NamedTuple

from vosd.sip.dialog import host_text
from vosd.sip.message import Message
from vosd.sip.uri import escape_user
from vosd.switch.tables import Gateway, GatewayAddress

#: time kept for a refresh that is lost once and sent anew: a transaction (32 s) and a little
_RESERVE_S = 40.0
#: the least wait between two attempts to renew what is about to run out
_SOON_S = 5.0


class State(NamedTuple):
    """What an operator sees of a registration; `until` and `again` are seconds from now."""

    state: Literal["registered", "registering", "failed"]
    reason: str = ""
    until: float | None = None
    again: float | None = None


class Registration:
    """What we know of ourselves at one vendor; times are monotonic seconds."""

    def __init__(self, gateway: Gateway, call_id: str, secret: bytes, due: float) -> None:
        self.gateway = gateway
        self.call_id = call_id
        self.due = due
        #: recognises calls to our Contact: not to be guessed without the `secret`, and the same
        #: after a restart, so that the vendor does not hold us twice
        named = f"{gateway.name} {gateway.user}".encode()
        self.token = hmac.digest(secret, named, "sha256")[:8].hex()
        self.cseq = 0
        self.until = -math.inf
        self.reason = ""
        #: seconds the vendor wants at least (423), and what we asked for last
        self.least = 0
        self.asked = 0
        #: which of the registrar's addresses, and challenges answered in this attempt
        self.way = 0
        self.proofs = 0
        self.leaving = False

    def state(self, now: float) -> State:
        again = max(self.due - now, 0.0) if self.due < math.inf and self.reason else None
        if self.until > now:
            return State("registered", self.reason, self.until - now, again)
        return State("failed" if self.reason else "registering", self.reason, None, again)

    # what it is called

    @property
    def registrar(self) -> GatewayAddress:
        """Where REGISTERs go, as it was written."""
        return self.gateway.outward.registrar or self.gateway.addresses[0]

    @property
    def domain(self) -> str:
        """Domain of our address of record."""
        host = self.gateway.outward.domain or self.registrar.host
        return f"[{host}]" if ":" in host else host

    @property
    def party(self) -> str:
        """From and To, without tag."""
        return f"<sip:{escape_user(self.gateway.user)}@{self.domain}>"

    @property
    def uri(self) -> str:
        """Request-URI: the domain, or the registrar as it was written."""
        at = self.registrar
        if self.gateway.outward.domain or at.port in (0, 5060):
            return f"sip:{self.domain}"
        return f"sip:{host_text((at.host, at.port))}"

    def same(self, gateway: Gateway) -> bool:
        """Whether the gateway, perhaps changed, still means this registration."""
        mine = self.gateway
        return (mine.user, mine.outward, mine.addresses) == (
            gateway.user, gateway.outward, gateway.addresses
        )  # fmt: skip

    # what answers mean

    def accept(self, message: Message, now: float, chance: float) -> None:
        """A 200: hold what it grants and renew it when a tenth is left, 40 s at least, but not
        before half of it is over. `chance` (0-1) takes up to a twentieth off: many do not stay
        together."""
        granted = self._granted(message)
        rest = max(granted / 2, granted - max(_RESERVE_S, granted / 10))
        self.reason = ""
        self.until = now + granted
        self.due = now + rest * (1 - chance / 20)

    def _granted(self, message: Message) -> int:
        """Seconds the vendor keeps us: our own Contact's, else the only one's, else the header's;
        never more than we asked for (RFC 3261 10.2.4)."""
        listed = [contact for contact in message.contacts if contact.uri is not None]
        ours = [c for c in listed if c.uri is not None and c.uri.params.get("line") == self.token]
        only = ours or (listed if len(listed) == 1 else [])
        for text in (contact.params.get("expires") or "" for contact in only):
            if text.isascii() and text.isdigit() and 0 < int(text[:10]) < self.asked:
                return int(text[:10])
        return min(message.number("expires") or self.asked, self.asked)

    def wait(self, delay: float, retry_after: float, now: float) -> float:
        """Seconds until the next attempt after a failed one: `delay`, less where what still holds
        would run out, and what the vendor wants."""
        if self.until > now and not retry_after:
            delay = min(delay, max((self.until - now) / 2, _SOON_S))
        return max(delay, retry_after)


def said(message: Message) -> str:
    """Code and phrase of an answer."""
    return f"{message.code} {message.reason}".strip()
