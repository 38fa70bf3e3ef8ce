# SPDX-License-Identifier: GPL-2.0-or-later
"""A scripted SIP user agent on an `Endpoint`, for worlds: what it does is set, not coded.

    alice = Agent(world, "alice", ("10.0.0.1", 5060))
    bob = Agent(world, "bob", ("10.0.0.2", 5060), ring_after=0.1, answer_after=2.0)
    leg = alice.call("sip:100@10.0.0.2", bob.address)
    world.advance(5); alice.bye(leg)
"""

from __future__ import annotations

import random
from typing import Any

import msgspec

from tests.sim.world import Address, World
from vosd.sip.dialog import Dialog
from vosd.sip.endpoint import Endpoint, Invite, Listen, Timing
from vosd.sip.events import (
    Acked,
    AckLost,
    Answered,
    Cancelled,
    DialogRequest,
    Ended,
    Event,
    Failed,
    Invited,
    Progress,
    ReinviteAnswered,
    Reinvited,
    ReinviteFailed,
    Request,
)


def sdp(address: Address, *, direction: str = "sendrecv", port: int = 4000) -> bytes:
    """A G.711 session description of an agent."""
    host = address[0]
    family = "IP6" if ":" in host else "IP4"
    return (
        f"v=0\r\no=- 1 1 IN {family} {host}\r\ns=-\r\nc=IN {family} {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
        f"a={direction}\r\n"
    ).encode()


class Script(msgspec.Struct):
    """What an agent does with a call to it; times in seconds from the INVITE, None: never."""

    ring_after: float | None = 0.0
    #: 183 with SDP
    progress_after: float | None = None
    answer_after: float | None = 0.0
    #: final refusal instead of an answer
    reject_with: int = 0
    reject_after: float = 0.0
    reject_headers: tuple[tuple[str, str], ...] = ()
    bye_after: float | None = None
    #: header fields of the answer to the INVITE
    answer_headers: tuple[tuple[str, str], ...] = ()
    #: answer to a re-INVITE; 0 leaves it open
    reinvite_code: int = 200
    #: answers to requests inside the call, by method; 0 leaves one open
    codes: dict[str, int] = {}
    #: header fields of every answer to a re-INVITE and to requests inside the call
    inner_headers: tuple[tuple[str, str], ...] = ()
    #: provisional answers are reliable (RFC 3262)
    reliable: bool = False
    #: never ACK a 2xx
    no_ack: bool = False
    #: hear nothing at all
    silent: bool = False
    sdp: bool = True


class Leg:
    """A call as an agent sees it. `end` names how it ended, "" while it stands."""

    def __init__(self, dialog: Dialog, called: bool) -> None:
        self.dialog = dialog
        self.called = called
        self.answered_at: float | None = None
        self.end = ""
        self.code = 0
        self.ended_at: float | None = None
        #: provisional codes seen
        self.heard: list[int] = []
        #: bodies of every 2xx and Reinvited
        self.bodies: list[bytes] = []

    def __repr__(self) -> str:
        return f"<Leg called={self.called} end={self.end!r} code={self.code}>"


class Agent:
    """A user agent; also the world's node of its endpoint."""

    def __init__(
        self,
        world: World,
        name: str,
        address: Address,
        *,
        timing: Timing | None = None,
        script: Script | None = None,
        endpoint: dict[str, Any] | None = None,
        **behaviour: Any,
    ) -> None:
        self.world = world
        self.name = name
        self.address = address
        self.script = script or Script(**behaviour)
        listen = Listen("udp", *address)
        self.endpoint = Endpoint(
            [listen], random.Random(name), timing or Timing(), server=name, **(endpoint or {})
        )
        self.outgoing = self.endpoint.outgoing
        self.legs: list[Leg] = []
        self.events: list[Event] = []
        world.add(name, self, [address])

    # the world's side

    def receive(self, data: bytes, source: Address, local: int, now: float) -> None:
        if not self.script.silent:
            for event in self.endpoint.receive(data, source, local, now):
                self.handle(event)

    def due(self, now: float) -> None:
        for event in self.endpoint.due(now):
            self.handle(event)

    def deadline(self) -> float:
        return self.endpoint.deadline()

    # the script's side

    def call(self, uri: str, destination: Address, *, body: bool = True, **fields: Any) -> Leg:
        """Start a call; `fields` go to Invite (credentials, routes, headers, from_, to)."""
        host = self.address[0]
        at = f"[{host}]" if ":" in host else host
        fields.setdefault("from_", f"<sip:{self.name}@{at}>")
        fields.setdefault("to", f"<{uri}>")
        invite = Invite(
            uri, destination, 0, contact_user=self.name,
            body=sdp(self.address) if body else b"", **fields,
        )  # fmt: skip
        leg = Leg(self.endpoint.invite(invite, self.world.now), False)
        leg.dialog.owner = leg
        self.legs.append(leg)
        self.world.flush()
        return leg

    def bye(self, leg: Leg) -> None:
        if not leg.end:
            self.endpoint.bye(leg.dialog, self.world.now)
            self._ended(leg, "bye sent", 200)
            self.world.flush()

    def cancel(self, leg: Leg) -> None:
        self.endpoint.cancel(leg.dialog, self.world.now)
        self.world.flush()

    def hold(self, leg: Leg) -> None:
        self.reinvite(leg, "sendonly")

    def resume(self, leg: Leg) -> None:
        self.reinvite(leg, "sendrecv")

    def reinvite(self, leg: Leg, direction: str, **fields: Any) -> None:
        body = sdp(self.address, direction=direction)
        self.endpoint.reinvite(leg.dialog, self.world.now, body=body, **fields)
        self.world.flush()

    def request(self, leg: Leg, method: str, **fields: Any) -> None:
        """A request inside the call, for instance UPDATE; a body is SDP."""
        if fields.get("body"):
            fields.setdefault("content_type", "application/sdp")
        self.endpoint.request(leg.dialog, method, self.world.now, token=leg, **fields)
        self.world.flush()

    def of(self, kind: type[Event]) -> list[Any]:
        """The events of one kind seen so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def handle(self, event: Event) -> None:
        self.events.append(event)
        now, endpoint = self.world.now, self.endpoint
        match event:
            case Invited(dialog=dialog):
                self._invited(dialog)
            case Progress(dialog=dialog, message=message):
                dialog.owner.heard.append(message.code)
            case Answered(dialog=dialog, message=message):
                dialog.owner.answered_at = now
                dialog.owner.bodies.append(message.body)
                if not self.script.no_ack:
                    endpoint.acknowledge(dialog, now)
                self._plan_bye(dialog.owner)
            case Failed(dialog=dialog, code=code, cause=cause):
                self._ended(dialog.owner, "failed" if cause == "response" else cause, code)
            case Cancelled(dialog=dialog) if dialog.state == "ended":
                self._ended(dialog.owner, "cancelled", 487)
            case Acked(dialog=dialog):
                dialog.owner.answered_at = dialog.owner.answered_at or now
            case AckLost(dialog=dialog):
                endpoint.bye(dialog, now)
                self._ended(dialog.owner, "ack lost", 0)
            case Ended(dialog=dialog):
                self._ended(dialog.owner, "bye received", 200)
            case Reinvited(dialog=dialog, message=message):
                dialog.owner.bodies.append(message.body)
                self._reinvited(dialog, message.body)
            case ReinviteAnswered(dialog=dialog, message=message):
                dialog.owner.bodies.append(message.body)
                endpoint.acknowledge(dialog, now)
            case ReinviteFailed(dialog=dialog, code=code) if code in (408, 481):
                self.bye(dialog.owner)
            case DialogRequest(transaction=transaction, message=message):
                code = self.script.codes.get(message.method, 200)
                if code:
                    endpoint.respond(transaction, code, now, headers=self.script.inner_headers)
            case Request(transaction=transaction):
                endpoint.respond(transaction, 200, now)
            case _:
                pass

    def _invited(self, dialog: Dialog) -> None:
        leg = Leg(dialog, True)
        dialog.owner = leg
        self.legs.append(leg)
        script, endpoint, after = self.script, self.endpoint, self.world.after
        body = sdp(self.address) if script.sdp else b""
        if script.ring_after is not None:
            after(script.ring_after,
                  lambda: endpoint.ring(dialog, 180, self.world.now, reliable=script.reliable))
        if script.progress_after is not None:
            after(script.progress_after,
                  lambda: endpoint.ring(
                      dialog, 183, self.world.now, body=body, reliable=script.reliable))
        if script.reject_with:
            after(script.reject_after, lambda: self._reject(leg))
        elif script.answer_after is not None:
            after(script.answer_after, lambda: self._answer(leg, body))

    def _reject(self, leg: Leg) -> None:
        if not leg.end:
            code, headers = self.script.reject_with, self.script.reject_headers
            self.endpoint.reject(leg.dialog, code, self.world.now, headers=headers)
            self._ended(leg, "rejected", code)

    def _answer(self, leg: Leg, body: bytes) -> None:
        if not leg.end:
            headers = self.script.answer_headers
            self.endpoint.accept(leg.dialog, self.world.now, body=body, headers=headers)
            self._plan_bye(leg)

    def _plan_bye(self, leg: Leg) -> None:
        if self.script.bye_after is not None:
            self.world.after(self.script.bye_after, lambda: self.bye(leg))

    def _reinvited(self, dialog: Dialog, offer: bytes) -> None:
        code, now = self.script.reinvite_code, self.world.now
        if code == 200:
            direction = "recvonly" if b"a=sendonly" in offer else "sendrecv"
            body = sdp(self.address, direction=direction)
            self.endpoint.accept(dialog, now, body=body, headers=self.script.inner_headers)
        elif code:
            self.endpoint.reject(dialog, code, now, headers=self.script.inner_headers)

    def _ended(self, leg: Leg | None, end: str, code: int) -> None:
        if leg is not None and not leg.end:
            leg.end, leg.code, leg.ended_at = end, code, self.world.now
