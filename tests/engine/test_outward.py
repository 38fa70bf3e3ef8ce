# SPDX-License-Identifier: GPL-2.0-or-later
"""Our own registrations with vendors (RFC 3261 10.2; vos3000.md 2.2), in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.switchboard import BOB, SWITCH, Switchboard
from tests.sim.agents import Agent
from tests.sim.world import Link, World, dropping
from vosd.engine.vendor import State
from vosd.sip import auth
from vosd.sip.events import Event, Request
from vosd.sip.message import Message
from vosd.switch.tables import GatewayAddress, Outward

REGISTRAR = ("10.0.0.60", 5060)
SECRET = b"the registrar's own"


class Registrar(Agent):
    """A vendor: challenges each REGISTER, keeps contacts, and says what it was told to say."""

    def __init__(self, world: World, name: str, address: tuple[str, int], **users: str) -> None:
        super().__init__(world, name, address)
        self.users = users or {"us": "pw"}
        self.nonces = auth.Nonces(SECRET, life_s=3600)
        #: Contact URI -> seconds granted, by user
        self.held: dict[str, dict[str, int]] = {}
        self.most = 3600
        self.least = 0
        #: answered to every REGISTER while set
        self.says: tuple[int, tuple[tuple[str, str], ...]] | None = None
        #: the next good answers are called stale so many times
        self.stale = 0
        self.seen: list[Message] = []

    def handle(self, event: Event) -> None:
        if not isinstance(event, Request) or event.message.method != "REGISTER":
            super().handle(event)
            return
        self.seen.append(event.message)
        code, headers = self.says or self._decide(event.message)
        self.endpoint.respond(event.transaction, code, self.world.now, headers=headers)

    def _decide(self, message: Message) -> tuple[int, tuple[tuple[str, str], ...]]:
        given = auth.parse_credentials(message.get("authorization") or "Digest username=x, "
                                       "realm=x, nonce=x, uri=x, response=x")  # fmt: skip
        user = given.username
        secret = auth.ha1(user, "vendor", self.users.get(user, "-"), given.algorithm)
        fresh = self.nonces.check(given.nonce, self.world.now, SWITCH[0]) == "ok"
        right = fresh and auth.verify(given, "REGISTER", secret)
        stale = right and self.stale > 0
        if not right or stale:
            self.stale -= stale
            nonce = self.nonces.make(self.world.now, SWITCH[0])
            values = auth.challenge("vendor", nonce, stale)
            return 401, tuple(("WWW-Authenticate", value) for value in values)
        return self._bind(user, message)

    def _bind(self, user: str, message: Message) -> tuple[int, tuple[tuple[str, str], ...]]:
        contact, wish = message.contact, message.number("expires") or 0
        assert contact is not None
        if 0 < wish < self.least:
            return 423, (("Min-Expires", str(self.least)),)
        held = self.held.setdefault(user, {})
        held.pop(str(contact.uri), None)
        if wish:
            held[str(contact.uri)] = min(wish, self.most)
        return 200, tuple(("Contact", f"<{uri}>;expires={s}") for uri, s in held.items())


def registering(
    board: Switchboard | None = None, *, fields: dict[str, Any] | None = None, **parameters: Any
) -> tuple[Switchboard, Registrar]:
    """A switch that registers with `vendor` (bob) at a registrar, as us with pw."""
    board = board or Switchboard(**parameters)
    registrar = Registrar(board.world, "registrar", REGISTRAR)
    board.gateway("vendor", BOB, **ours(**(fields or {})))
    return board, registrar


def ours(**fields: Any) -> dict[str, Any]:
    outward = Outward(active=True, registrar=GatewayAddress(*REGISTRAR), domain="vendor.example")
    return {"user": "us", "password": "pw", "outward": outward} | fields


def state(board: Switchboard, name: str = "vendor") -> State:
    found = board.switch.outward.state(name, board.world.now)
    assert found is not None
    return found


def asked(registrar: Registrar) -> list[int | None]:
    """The Expires of each REGISTER that came with credentials."""
    return [m.number("expires") for m in registrar.seen if m.get("authorization")]


def test_the_ladder_of_a_first_registration() -> None:
    board, registrar = registering()
    board.world.advance(1)
    assert [e.text for e in board.world.ladder] == [
        "REGISTER 1", "401 REGISTER 1", "REGISTER 2", "200 REGISTER 2"
    ]
    first, second = registrar.seen
    assert first.uri == "sip:vendor.example"
    assert (first.get("from") or "").startswith("<sip:us@vendor.example>;tag=")
    assert first.get("to") == "<sip:us@vendor.example>"
    assert (first.call_id, first.get("contact")) == (second.call_id, second.get("contact"))
    assert state(board).state == "registered"
    assert state(board).until == pytest.approx(3600, abs=1)


def test_it_is_renewed_before_it_runs_out() -> None:
    """A tenth is left, and a twentieth of chance: between 0.855 and 0.9 of the hour."""
    board, registrar = registering()
    board.world.advance(3600 * 0.9 + 1)
    times = board.world.sent("switch", "REGISTER")
    assert len(times) == 4
    assert 3600 * 0.855 <= times[2] <= 3600 * 0.9
    assert [m.cseq for m in registrar.seen] == [1, 2, 3, 4]
    assert len({m.call_id for m in registrar.seen}) == 1


@pytest.mark.parametrize(
    ("granted", "earliest", "latest"),
    # rest = max(half, granted - max(40, a tenth)), up to a twentieth earlier
    [(20, 9.5, 10.0), (60, 28.5, 30.0), (120, 76.0, 80.0), (3600, 3078.0, 3240.0)],
)
def test_the_vendor_grants_less(granted: int, earliest: float, latest: float) -> None:
    board, registrar = registering()
    registrar.most = granted
    board.world.advance(0.5)
    again = board.switch.outward.deadline()
    assert earliest <= again <= latest + 0.1
    board.world.advance(granted * 3)
    assert state(board).state == "registered"
    assert state(board).reason == ""


@pytest.mark.parametrize(("value", "wish"), [("auto", 3600), ("120", 120), ("7200", 7200)])
def test_ss_sip_user_agent_expire(value: str, wish: int) -> None:
    board, registrar = registering(SS_SIP_USER_AGENT_EXPIRE=value)
    board.world.advance(1)
    assert asked(registrar) == [wish]


def test_a_gateway_has_its_own_expiry() -> None:
    board, registrar = registering(fields={"overrides": {"SS_SIP_USER_AGENT_EXPIRE": "300"}})
    board.world.advance(1)
    assert asked(registrar) == [300]


def test_423_is_obeyed_and_remembered() -> None:
    """RFC 3261 10.2.8."""
    board, registrar = registering(SS_SIP_USER_AGENT_EXPIRE="60")
    registrar.least = 900
    board.world.advance(1)
    assert asked(registrar) == [60, 900]
    assert state(board).until == pytest.approx(900, abs=1)
    board.world.advance(900)
    assert asked(registrar)[2:] == [900]


def test_a_423_that_wants_no_more_is_a_refusal() -> None:
    board, registrar = registering()
    registrar.says = (423, (("Min-Expires", "60"),))
    board.world.advance(1)
    assert state(board).reason == "423 Interval Too Brief"
    assert len(registrar.seen) == 1


def test_a_stale_nonce_is_answered_once_more() -> None:
    board, registrar = registering()
    registrar.stale = 1
    board.world.advance(1)
    assert [e.text for e in board.world.ladder][-2:] == ["REGISTER 3", "200 REGISTER 3"]


def test_stale_for_ever_is_no_endless_loop() -> None:
    board, registrar = registering()
    registrar.stale = 1000
    board.world.advance(59)
    assert len(registrar.seen) == 3
    assert state(board).state == "failed"


def test_a_wrong_password_waits_and_says_so() -> None:
    """SS_SIP_USER_AGENT_RETRY_DELAY: two REGISTERs each time, a minute apart."""
    board, registrar = registering(fields={"password": "guess"})
    board.world.advance(130)
    assert board.world.sent("switch", "REGISTER") == [0.0, 0.0, 60.0, 60.0, 120.0, 120.0]
    assert state(board) == State(
        "failed", "401 Unauthorized: user or password is wrong", None, pytest.approx(50)
    )
    assert registrar.held == {}
    board.gateway("vendor", BOB, **ours())
    board.world.advance(2)
    assert state(board).state == "registered"


@pytest.mark.parametrize(
    ("wait", "times"), [("", [0.0, 60.0, 120.0]), ("150", [0.0, 150.0]), ("5", [0.0, 60.0, 120.0])]
)
def test_a_refusal_is_tried_again_after_the_delay(wait: str, times: list[float]) -> None:
    board, registrar = registering()
    registrar.says = (503, (("Retry-After", wait),) if wait else ())
    board.world.advance(179)
    assert board.world.sent("switch", "REGISTER") == times
    assert state(board).reason == "503 Service Unavailable"


def test_nobody_answers() -> None:
    """A transaction ends after 32 s (64*T1), the next attempt is a minute later."""
    board = Switchboard()
    board.gateway("vendor", BOB, **ours())
    board.world.advance(100)
    starts = [e.at for e in board.world.ladder if e.text == "REGISTER 2"]
    assert starts[0] == pytest.approx(92)
    assert state(board).reason == "no answer"


def test_lost_messages_do_not_lose_the_registration() -> None:
    board, registrar = registering(SS_SIP_USER_AGENT_EXPIRE="120")
    lossy = Link(delay=0.05, loss=0.3)
    board.world.between("switch", "registrar", lossy)
    board.world.advance(10)
    board.switch.outward.state("vendor", board.world.now)
    gaps = 0
    for _ in range(3000):
        board.world.advance(1)
        gaps += state(board).state != "registered"
    assert gaps == 0
    assert len(registrar.held["us"]) == 1


def test_a_failed_renewal_leaves_what_was_granted() -> None:
    board, registrar = registering(SS_SIP_USER_AGENT_EXPIRE="600")
    board.world.advance(1)
    registrar.says = (500, ())
    board.world.advance(598)
    assert state(board).state == "registered"
    assert state(board).reason == "500 Server Internal Error"
    board.world.advance(2)
    assert state(board).state == "failed"


@pytest.mark.parametrize("how", ["disable", "remove", "register=off", "stop"])
def test_we_leave_when_we_are_told_to(how: str) -> None:
    board, registrar = registering()
    board.world.advance(1)
    assert len(registrar.held["us"]) == 1
    if how == "disable":
        board.gateway("vendor", BOB, **ours(enabled=False))
    elif how == "remove":
        board.shelf.rows["gateways"] = []
        board._reload()
    elif how == "register=off":
        board.gateway("vendor", BOB, **ours(outward=Outward()))
    else:
        board.switch.leave()
    board.world.advance(2)
    assert registrar.held["us"] == {}
    assert asked(registrar) == [3600, 0]
    assert board.switch.outward.leaving == 0
    board.world.advance(7200)
    assert len(registrar.seen) == 4


def test_a_silent_registrar_does_not_hold_the_stop() -> None:
    board, registrar = registering()
    board.world.advance(1)
    registrar.script.silent = True
    board.switch.leave()
    board.world.advance(33)
    assert board.switch.outward.leaving == 0


def test_another_user_leaves_as_the_old_one_first() -> None:
    board, registrar = registering()
    registrar.users["them"] = "pw2"
    board.world.advance(1)
    board.gateway("vendor", BOB, **ours(user="them", password="pw2"))
    board.world.advance(2)
    assert {user: len(held) for user, held in registrar.held.items()} == {"us": 0, "them": 1}


def test_the_contact_is_the_same_after_a_restart() -> None:
    """A switch that was killed cannot leave: the vendor must not call us twice afterwards."""
    board, registrar = registering()
    board.world.advance(1)
    again, other = registering(Switchboard(seed=2))
    again.world.advance(1)
    assert list(registrar.held["us"]) == list(other.held["us"])


def test_a_name_that_leads_nowhere_is_looked_at_again() -> None:
    where = Outward(active=True, registrar=GatewayAddress("sip.vendor.example"))
    board, _ = registering(fields={"outward": where})
    board.world.advance(1)
    assert state(board).reason == "no address of sip.vendor.example is known"
    assert board.world.sent("switch", "REGISTER") == []


def test_a_lost_refresh_is_sent_again_in_time() -> None:
    """Granted 240 s: renewed when 40 s are left; a transaction (32 s) lost whole is not the end."""
    board, _ = registering(
        SS_SIP_USER_AGENT_EXPIRE="240", SS_SIP_USER_AGENT_RETRY_DELAY="30"
    )
    board.world.advance(1)
    board.world.between("switch", "registrar", Link(drop=dropping("REGISTER 3", times=11)))
    for _ in range(300):
        board.world.advance(1)
        assert state(board).state == "registered"
