# SPDX-License-Identifier: GPL-2.0-or-later
"""A live call: the switch's plain call beside the dialogs and media it runs on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from vosd.engine.mediation import Mediation
from vosd.sip.dialog import Dialog
from vosd.sip.events import DialogRequest, Reinvited
from vosd.sip.message import Message
from vosd.sip.session_timer import Terms
from vosd.switch.call import INFINITE, Call
from vosd.switch.events import Leg
from vosd.switch.tables import Gateway, Phone


class Caller(msgspec.Struct, frozen=True):
    """Who was let in: exactly one of `gateway` and `phone`."""

    name: str
    gateway: Gateway | None = None
    phone: Phone | None = None
    #: behind NAT as the registration showed
    nat: bool = False
    #: the user a vendor knows us by, whose calls come to our registered Contact
    account: str = ""

    @property
    def party(self) -> tuple[str, str]:
        """(kind, name), by which calls are counted."""
        return ("phone" if self.phone is not None else "gateway"), self.name

    @property
    def kind(self) -> Literal["mapping", "phone"]:
        return "phone" if self.phone is not None else "mapping"

    @property
    def enabled(self) -> bool:
        party = self.gateway or self.phone
        return party is not None and party.enabled

    @property
    def overrides(self) -> dict[str, str]:
        if self.gateway is not None:
            return self.gateway.overrides
        return self.phone.overrides if self.phone is not None else {}


class Renegotiation:
    """A re-INVITE or UPDATE that passes through: who asked, and the bodies that stand if it fails.

    `request` is what the asker sent; without one it is the switch itself that asks.
    """

    __slots__ = ("asker", "offered", "request", "restoring", "standing")

    def __init__(
        self,
        asker: Leg | None,
        offered: bool,
        standing: dict[Leg, bytes],
        restoring: bool = False,
        request: Reinvited | DialogRequest | None = None,
    ) -> None:
        #: None once the asker took it back
        self.asker = asker
        self.request = request
        #: the re-INVITE carried the offer
        self.offered = offered
        self.standing = standing
        #: the switch puts a side back to what stood before
        self.restoring = restoring


class LiveCall:
    """What `engine.calls` owns per call. `a` and `b` are gone once their side has ended."""

    __slots__ = (
        "a",
        "a_agent",
        "a_call_id",
        "a_dialog",
        "a_signalling",
        "acked",
        "armed",
        "b",
        "b_agent",
        "b_call_id",
        "b_dialog",
        "b_signalling",
        "call",
        "caller",
        "confirming",
        "cut_at",
        "deferred",
        "display",
        "farewell",
        "invite",
        "media",
        "pending",
        "renegotiation",
        "route_party",
        "shown",
        "stored",
        "terms",
        "wakes_at",
    )

    def __init__(
        self, call: Call, caller: Caller, a: Dialog, invite: Message, terms: Terms
    ) -> None:
        self.call = call
        self.caller = caller
        self.a: Dialog | None = a
        self.b: Dialog | None = None
        #: the same as they were last, for the evidence
        self.a_dialog: Dialog | None = a
        self.b_dialog: Dialog | None = None
        #: the Reason header of the BYE that ended the call
        self.farewell = ""
        #: the caller's INVITE, dropped once the call is connected
        self.invite: Message | None = invite
        self.media = Mediation()
        #: the message of leg b that the next action hands on
        self.pending: Message | None = None
        #: an open record is on disk or on its way there
        self.stored = False
        #: the caller confirmed the answer
        self.acked = False
        #: leg b waits for the ACK whose body leg a's ACK brings (the offer came in the answer)
        self.confirming = False
        self.renegotiation: Renegotiation | None = None
        #: an offer of one side that waits until the refresh of the other side is answered
        self.deferred: Reinvited | DialogRequest | None = None
        self.terms = terms
        #: when the call is cut whatever it does, and when its session timers are looked at next
        self.cut_at = self.wakes_at = INFINITE
        #: the routing party the call counts at now
        self.route_party: tuple[str, str] | None = None
        #: the answer's body as leg a shall see it
        self.shown = b""
        #: its earliest deadline on the heap
        self.armed = INFINITE
        self.display = ""
        self.a_call_id = invite.call_id
        self.a_signalling = endpoint_text(a.remote)
        self.a_agent = invite.get("user-agent") or ""
        self.b_call_id = ""
        self.b_signalling = ""
        self.b_agent = ""

    def leg(self, dialog: Dialog) -> Leg | None:
        """Which side a dialog is; None for one that was given up."""
        if dialog is self.a:
            return "a"
        if dialog is self.b:
            return "b"
        return None

    def dialog(self, leg: Leg) -> Dialog | None:
        return self.a if leg == "a" else self.b

    def other(self, leg: Leg) -> Dialog | None:
        return self.b if leg == "a" else self.a

    def legs(self) -> Iterator[tuple[Leg, Dialog]]:
        """The sides that still stand."""
        if self.a is not None:
            yield "a", self.a
        if self.b is not None:
            yield "b", self.b

    @property
    def busy(self) -> bool:
        """An offer is between the two sides, or waits to be."""
        return (
            self.confirming or self.renegotiation is not None or self.deferred is not None
        )

    def standing(self) -> dict[Leg, bytes]:
        """What both sides last said."""
        return {"a": self.media.a.body, "b": self.media.b.body}


def endpoint_text(address: tuple[str, int]) -> str:
    """ "host:port", an IPv6 host in brackets."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
