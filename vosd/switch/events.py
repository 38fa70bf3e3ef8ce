# SPDX-License-Identifier: GPL-2.0-or-later
"""The neutral words of call control: what happens to a call, and what shall be done about it.

Leg a is the calling side, leg b the called side. No word here knows SIP; `switch.leg` turns SIP
into these and `engine.perform` carries the actions out.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from vosd.switch.tables import Binding, Gateway

Leg: TypeAlias = Literal["a", "b"]
Wait: TypeAlias = Literal["invite", "trying", "progress", "progress_sdp", "ringing"]


class Route(msgspec.Struct, frozen=True):
    """One way to the called party: a routing gateway, or one contact of a phone."""

    party: str
    gateway: Gateway | None = None
    contact: Binding | None = None
    #: which of the gateway's addresses
    address: int = 0


class Happening(msgspec.Struct):
    """Base of what can happen to a call."""


class Try(Happening):
    """A caller who is known asks for a number."""


class Proceeding(Happening):
    """Leg b is there and works on it."""


class Ring(Happening):
    """Leg b reports progress; `media` tells that it named where its audio goes."""

    code: int
    media: bool


class Answer(Happening):
    """Leg b answered."""


class Stored(Happening):
    """The record of the answer is on disk, or cannot be (`error`)."""

    error: str | None


class Fail(Happening):
    """Leg b refused (`answered` by a response) or was not reached."""

    code: int
    answered: bool


class GiveUp(Happening):
    """The caller cancelled before the answer."""


class Hangup(Happening):
    """One side ended the call."""

    leg: Leg


class Unconfirmed(Happening):
    """Leg a never confirmed the answer or a reliable ringing (lost ACK or PRACK, 32 s)."""


class Expired(Happening):
    """The wait for leg b's next word ran out."""

    wait: Wait


class MediaLost(Happening):
    """No audio came from one side for the RTP timeout."""

    leg: Leg


class LegLost(Happening):
    """One side no longer knows the call (481, 408 to a request inside it)."""

    leg: Leg


class Order(Happening):
    """The operator or the switch itself ends the call, for a row of `switch.reasons`."""

    reason: str


class Action(msgspec.Struct):
    """Base of what shall be done."""


class Dial(Action):
    """Call `route` on a new leg b."""

    route: Route


class Abandon(Action):
    """Give up the present leg b: cancel it, or end it if it just answered."""

    reason: str


class Alert(Action):
    """Tell leg a of progress."""

    code: int
    media: bool


class Keep(Action):
    """Write the answered call to disk; `Stored` comes back."""


class Connect(Action):
    """Confirm leg b and answer leg a."""


class Refuse(Action):
    """Turn leg a away with a final code."""

    code: int
    reason: str


class Clear(Action):
    """End one connected leg."""

    leg: Leg
    reason: str


class Close(Action):
    """The call is over: free what it holds, write its final record."""

    reason: str
