# SPDX-License-Identifier: GPL-2.0-or-later
"""What an endpoint tells its owner: one small record per thing that happened on a dialog.

The endpoint answers by itself what RFC 3261 leaves no choice about (100, 481, 487, ACK for a
refusal, retransmissions); an event is left for everything that needs a decision.
"""

from __future__ import annotations

import typing
from typing import Literal, TypeAlias

import msgspec

if typing.TYPE_CHECKING:
    from vosd.sip.dialog import Dialog
    from vosd.sip.message import Message
    from vosd.sip.transaction import ServerTransaction

Address: TypeAlias = tuple[str, int]
Cause: TypeAlias = Literal["response", "timeout", "transport"]


class Event(msgspec.Struct):
    """Base of everything an endpoint reports."""


class Invited(Event):
    """A new INVITE opened `dialog` with us as the called side; 100 has been sent."""

    dialog: Dialog
    message: Message


class Cancelled(Event):
    """The caller gave up before an answer; 200 for the CANCEL and 487 have been sent."""

    dialog: Dialog
    message: Message | None


class Acked(Event):
    """The ACK for our 2xx arrived (its body is the answer to a delayed offer)."""

    dialog: Dialog
    message: Message


class AckLost(Event):
    """No ACK came for our 2xx within 64*T1 (RFC 3261 13.3.1.4); the dialog still stands."""

    dialog: Dialog


class Progress(Event):
    """A provisional response above 100 to our INVITE."""

    dialog: Dialog
    message: Message


class Trying(Event):
    """The first 100 to our INVITE."""

    dialog: Dialog


class Answered(Event):
    """The first 2xx to our INVITE; the owner sends the ACK with `Endpoint.acknowledge`."""

    dialog: Dialog
    message: Message


class Failed(Event):
    """Our INVITE ended without a dialog: a final response (already ACKed) or none at all."""

    dialog: Dialog
    code: int
    message: Message | None
    cause: Cause


class Reinvited(Event):
    """The peer sent a re-INVITE; answer with `accept` or `reject`."""

    dialog: Dialog
    message: Message


class ReinviteAnswered(Event):
    """A 2xx to our re-INVITE; the owner sends the ACK with `Endpoint.acknowledge`."""

    dialog: Dialog
    message: Message


class ReinviteFailed(Event):
    """Our re-INVITE was refused or timed out; the session goes on unchanged unless 481/408."""

    dialog: Dialog
    code: int
    message: Message | None
    cause: Cause


class Ended(Event):
    """The peer sent BYE; 200 has been sent and the dialog is gone."""

    dialog: Dialog
    message: Message


class Request(Event):
    """A request outside any dialog that needs an answer (OPTIONS, REGISTER, anything else)."""

    transaction: ServerTransaction
    message: Message


class DialogRequest(Event):
    """A request inside a dialog other than INVITE, ACK, BYE, CANCEL."""

    dialog: Dialog
    transaction: ServerTransaction
    message: Message


class Response(Event):
    """The outcome of a non-INVITE request of ours; `token` is what the owner gave when sending.

    `message` is None when nobody answered (code 408) or the transport failed (code 503).
    """

    token: object
    code: int
    message: Message | None
    cause: Cause


class Malformed(Event):
    """Bytes that were no usable SIP message; `answered` tells whether a refusal was sent."""

    source: Address
    code: int
    reason: str
    answered: bool
