# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever arrives in whatever order: nothing leaves `receive` but a list of events."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sip.wire import PEER, endpoint, reply, request
from vosd.sip.dialog import FORBIDDEN, Dialog, reach
from vosd.sip.endpoint import Endpoint, Invite
from vosd.sip.events import (
    AckLost,
    Answered,
    DialogRequest,
    Event,
    Invited,
    ReinviteAnswered,
    Reinvited,
    Request,
)

METHODS = ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "REGISTER", "PRACK"]
CODES = [100, 180, 183, 200, 202, 302, 401, 407, 408, 481, 486, 487, 491, 500, 503, 603, 699]
HEADERS = [
    (),
    ("Contact: <sip:peer@192.0.2.20>",),
    ("Contact: <sip:x@255.255.255.255>",),
    ("Contact: <tel:+1>",),
    ("Contact: <sip:x@host>", "Record-Route: <sip:p1>,<sip:p2;lr>"),
    ("Contact: <sip:x@host>", "Require: foo"),
    ('WWW-Authenticate: Digest realm="r", nonce="n"', "Contact: <sip:x@192.0.2.10>"),
    ('Proxy-Authenticate: Digest realm="r", nonce="m", stale=true',),
]
actions = st.tuples(
    st.sampled_from(["request", "reply", "owner", "time"]),
    st.integers(0, 2**32),
    st.sampled_from(METHODS),
    st.sampled_from(CODES),
    st.sampled_from(HEADERS),
)


class Owner:
    """Does something with every event, chosen by chance, and anything else at any time."""

    def __init__(self, end: Endpoint, chance: random.Random) -> None:
        self.end = end
        self.chance = chance
        self.now = 0.0
        self.dialogs: list[Dialog] = []
        self.seen: list[bytes] = []

    def invite(self) -> None:
        secret = ("u", "p") if self.chance.random() < 0.5 else None
        call = Invite(
            "sip:1@192.0.2.20", PEER, 0, "<sip:a@b>", "<sip:1@b>", credentials=secret
        )
        self.dialogs.append(self.end.invite(call, self.now))

    def take(self, events: list[Event]) -> None:
        assert type(events) is list
        for event in events:
            assert isinstance(event, Event)
            if isinstance(event, Invited | Reinvited):
                self.dialogs.append(event.dialog)
            if isinstance(event, Invited | Reinvited | Answered | ReinviteAnswered | AckLost):
                self.verb(event.dialog)
            if isinstance(event, Request | DialogRequest):
                code = self.chance.choice(CODES)
                self.end.respond(event.transaction, code, self.now)
        for data, remote, _ in self.end.outgoing:
            assert reach(remote[0]) > FORBIDDEN
            assert remote not in self.end.own
            self.seen.append(data)
        self.end.outgoing.clear()

    def verb(self, dialog: Dialog) -> None:
        end, now = self.end, self.now
        verbs = [
            lambda: end.ring(dialog, 183, now, body=b"x"),
            lambda: end.accept(dialog, now, body=b"x"),
            lambda: end.reject(dialog, 486, now),
            lambda: end.acknowledge(dialog, now),
            lambda: end.cancel(dialog, now),
            lambda: end.bye(dialog, now),
            lambda: end.reinvite(dialog, now, body=b"x"),
            lambda: end.request(dialog, "UPDATE", now, token=1),
            lambda: end.drop(dialog),
        ]
        self.chance.choice(verbs)()

    def act(self, kind: str, number: int, method: str, code: int, headers: tuple[str, ...]) -> None:
        pick = random.Random(number)
        if kind == "time":
            self.now += pick.choice([0.0, 0.1, 0.5, 5.0, 33.0])
            self.take(self.end.due(self.now))
        elif kind == "owner":
            if self.dialogs and pick.random() < 0.7:
                self.verb(pick.choice(self.dialogs))
            else:
                self.invite()
            self.take([])
        elif kind == "reply" and self.seen:
            data = reply(pick.choice(self.seen), code, tag=pick.choice("xyz"), headers=headers)
            self.take(self.end.receive(data, PEER, 0, self.now))
        else:
            dialog = pick.choice(self.dialogs) if self.dialogs and pick.random() < 0.7 else None
            data = request(
                method,
                branch=pick.choice(["z9hG4bK1", "z9hG4bK2", f"z9hG4bK{number}", ""]),
                cseq=pick.choice([1, 1, 2, 3, 2**32 - 1]),
                to_tag=dialog.local_tag if dialog else pick.choice(["", "", "x"]),
                from_tag=dialog.remote_tag or "x" if dialog else "p1",
                call_id=dialog.call_id if dialog else pick.choice(["c1", "c2"]),
                headers=headers,
            )
            self.take(self.end.receive(data, PEER, 0, self.now))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(actions, min_size=5, max_size=60), st.integers(0, 2**32))
def test_any_order_of_messages_verbs_and_time(
    steps: list[tuple[str, int, str, int, tuple[str, ...]]], seed: int
) -> None:
    owner = Owner(endpoint(), random.Random(seed))
    for step in steps:
        owner.act(*step)
    end = owner.end
    # Let go of what is left: with nobody to talk to everything ends within a few timeouts.
    for dialog in owner.dialogs:
        end.bye(dialog, owner.now)
    for _ in range(400):
        if end.deadline() == float("inf"):
            break
        owner.now = max(owner.now, end.deadline())
        for event in end.due(owner.now):
            if isinstance(event, AckLost | Answered):
                end.bye(event.dialog, owner.now)
        for dialog in owner.dialogs:
            if dialog.state != "ended":
                end.drop(dialog)
        end.outgoing.clear()
    stuck = [tx for tx in end.clients.values() if tx.state != "proceeding"]
    assert (stuck, end.servers, end.merges, end.dialogs_by_tag) == ([], {}, {}, {})


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600))
def test_bytes(data: bytes) -> None:
    end = endpoint()
    assert isinstance(end.receive(data, PEER, 0, 0.0), list)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(METHODS), st.lists(st.tuples(st.integers(0, 700), st.binary(max_size=6))))
def test_damaged_messages(method: str, wounds: list[tuple[int, bytes]]) -> None:
    end = endpoint()
    data = request(method, headers=HEADERS[4], body=b"v=0\r\n")
    for at, octets in wounds:
        data = data[:at] + octets + data[at + len(octets) :]
    assert isinstance(end.receive(data, PEER, 0, 0.0), list)
    for _, remote, _ in end.outgoing:
        assert remote == PEER
