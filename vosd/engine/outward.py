# SPDX-License-Identifier: GPL-2.0-or-later
"""Our own registrations with vendors (RFC 3261 10.2, vos3000.md 2.2 and 6, registerType 2).

One `Registration` for each enabled routing gateway with register=on. It is always in one of
three ways: a REGISTER is out (`due` is infinite), it waits for the next one (`due`), or it leaves
(Expires: 0, once). What the vendor granted holds until `until`, whatever happens to the refresh.
Calls of the vendor come from its addresses or its registrar's; which of several accounts there one
is for, the `line` parameter of our Contact tells, or the user where it gets lost. Alone it proves
nothing: it travels in clear.
"""

from __future__ import annotations

import math

from vosd.engine.configuration import Configuration, takes
from vosd.engine.counters import Counters
from vosd.engine.lines import Chance, Line, Lines
from vosd.engine.live import Caller
from vosd.engine.settings import Settings
from vosd.engine.vendor import Registration, State, said
from vosd.sip import events as sip
from vosd.sip.auth import answer
from vosd.sip.endpoint import Endpoint
from vosd.sip.message import Message
from vosd.switch.tables import Gateway

Address = tuple[str, int]
#: asked for when SS_SIP_USER_AGENT_EXPIRE is auto (RFC 3261 10.2.1.1: an hour is usual)
_AUTO_S = 3600
#: a name that leads nowhere yet is looked at again so soon
_UNKNOWN_S = 5.0
#: challenges answered in one attempt: one, and one more that says stale
_MOST_PROOFS = 2
#: a vendor's Retry-After is obeyed up to this
_LONGEST_WAIT_S = 3600.0


class Registrations:
    """Keeps us registered wherever the configuration says so."""

    def __init__(
        self,
        endpoint: Endpoint,
        configuration: Configuration,
        lines: Lines,
        settings: Settings,
        counters: Counters,
        chance: Chance,
        secret: bytes,
    ) -> None:
        """`secret` is kept across restarts."""
        self._secret = secret
        self._endpoint = endpoint
        self._configuration = configuration
        self._lines = lines
        self._settings = settings
        self._counters = counters
        self._chance = chance
        self._live: dict[str, Registration] = {}
        self._by_token: dict[str | None, Registration] = {}
        self._leaving: list[Registration] = []
        self._next = math.inf
        self._closing = False

    # who shall be registered

    def reload(self, now: float) -> None:
        """The gateways may have changed: leave where we shall not be, begin where we shall."""
        wanted = {
            name: gateway
            for name, gateway in self._configuration.gateways.items()
            if gateway.outward.active and gateway.enabled and not self._closing
        }
        for name, each in list(self._live.items()):
            new = wanted.get(name)
            if new is None or not each.same(new):
                self._leave(self._live.pop(name), now)
            elif new.password != each.gateway.password:
                each.gateway, each.due = new, now
            else:
                each.gateway = new
        fresh = [gateway for name, gateway in wanted.items() if name not in self._live]
        for place, gateway in enumerate(fresh):
            held = any(each.gateway.name == gateway.name for each in self._leaving)
            # not all in one moment; after an old registration of its own has gone
            due = math.inf if held else now + place * 0.01
            call_id = f"{self._chance.getrandbits(96):024x}"
            self._live[gateway.name] = Registration(gateway, call_id, self._secret, due)
        self._by_token = {each.token: each for each in self._live.values()}
        self._plan()

    def close(self, now: float) -> None:
        """The switch stops: leave everywhere, begin nothing any more."""
        self._closing = True
        self.reload(now)

    @property
    def leaving(self) -> int:
        """Registrations that are being taken back."""
        return len(self._leaving)

    def _leave(self, each: Registration, now: float) -> None:
        asked = each.due == math.inf and each.cseq > 0
        if each.until <= now and not asked:
            return
        each.leaving, each.proofs = True, 0
        self._leaving.append(each)
        self._send(each, now)

    def _left(self, each: Registration, now: float) -> None:
        self._leaving.remove(each)
        heir = self._live.get(each.gateway.name)
        if heir is not None and heir.cseq == 0:
            heir.due = now

    # time

    def deadline(self) -> float:
        """When `due` wants to run; infinite when nothing waits."""
        return self._next

    def _plan(self) -> None:
        """Something changed: the deadline is asked for far more often than that."""
        self._next = min((each.due for each in self._live.values()), default=math.inf)

    def due(self, now: float) -> None:
        """Send every REGISTER whose time has come."""
        if now < self._next:
            return
        for each in self._live.values():
            if each.due <= now:
                each.proofs = 0
                self._send(each, now)
        self._plan()

    # one REGISTER

    def _send(
        self, each: Registration, now: float, proof: tuple[tuple[str, str], ...] = ()
    ) -> None:
        line = self._line(each)
        if line is None:
            self._later(each, f"no address of {each.registrar.host} is known", now, _UNKNOWN_S)
            return
        each.cseq += 1
        each.due = math.inf
        each.asked = 0 if each.leaving else max(self._wish(each.gateway), each.least)
        cseq = each.cseq
        contact = self._endpoint.contact(each.gateway.user, line.local, line.destination)

        def answered(event: sip.Response, now: float) -> None:
            if cseq == each.cseq:
                self._answered(each, event, now)
                self._plan()

        self._endpoint.send(
            "REGISTER", each.uri, line.destination, line.local, now,
            from_=each.party, to=each.party, token=answered, call_id=each.call_id, cseq=cseq,
            contact=f"{contact[:-1]};line={each.token}>",
            headers=(("Expires", str(each.asked)), *proof),
        )  # fmt: skip
        self._counters.add("vendor_registers")

    def _line(self, each: Registration) -> Line | None:
        targets = self._configuration.registrars(each.gateway)
        if not targets:
            return None
        target = targets[each.way % len(targets)]
        return self._lines.towards((target.host, target.port), target.transport)

    def _wish(self, gateway: Gateway) -> int:
        get = self._settings.snapshot.get_for
        return int(get("SS_SIP_USER_AGENT_EXPIRE", gateway.overrides)) or _AUTO_S

    # its answer

    def _answered(self, each: Registration, event: sip.Response, now: float) -> None:
        message = event.message
        if message is None:
            each.way += 1
            self._refused(each, "no answer" if event.cause == "timeout" else "no way there", now)
        elif event.code < 300:
            self._accepted(each, message, now)
        elif event.code in (401, 407):
            self._challenged(each, message, now)
        elif event.code == 423 and not each.leaving:
            self._too_brief(each, message, now)
        else:
            each.way += event.code == 503  # its next address, if it has one (RFC 3263 4.3)
            wait = min(message.number("retry-after") or 0, _LONGEST_WAIT_S)
            self._refused(each, said(message), now, wait)

    def _accepted(self, each: Registration, message: Message, now: float) -> None:
        if each.leaving:
            self._left(each, now)
            return
        each.accept(message, now, self._chance.getrandbits(16) / 65536)

    def _challenged(self, each: Registration, message: Message, now: float) -> None:
        asked, name = _CHALLENGES[message.code]
        challenges = message.all(asked)
        stale = any("stale=true" in text.lower().replace('"', "") for text in challenges)
        value = None
        if each.proofs == 0 or (stale and each.proofs < _MOST_PROOFS):
            value = answer(
                challenges, "REGISTER", each.uri, each.gateway.user, each.gateway.password,
                f"{self._chance.getrandbits(64):016x}",
            )  # fmt: skip
        if value is not None:
            each.proofs += 1
            self._send(each, now, ((name, value),))
        elif each.proofs:
            self._refused(each, f"{said(message)}: user or password is wrong", now)
        else:
            self._refused(each, f"{said(message)}: asks for no digest we know", now)

    def _too_brief(self, each: Registration, message: Message, now: float) -> None:
        """RFC 3261 10.2.8: ask again, for as long as the vendor wants."""
        least = message.number("min-expires") or 0
        if least <= each.asked:
            self._refused(each, said(message), now)
            return
        each.least, each.proofs = least, 0
        self._send(each, now)

    def _refused(self, each: Registration, reason: str, now: float, wait: float = 0.0) -> None:
        self._counters.add("vendor_register_failures")
        get = self._settings.snapshot.get_for
        delay = float(get("SS_SIP_USER_AGENT_RETRY_DELAY", each.gateway.overrides))
        self._later(each, reason, now, each.wait(delay, wait, now))

    def _later(self, each: Registration, reason: str, now: float, seconds: float) -> None:
        if each.leaving:
            self._left(each, now)  # it runs out by itself
            return
        each.reason = reason
        each.due = now + seconds

    # what others ask

    def state(self, gateway: str, now: float) -> State | None:
        """Our registration with a gateway; None where we shall have none."""
        each = self._live.get(gateway)
        return each.state(now) if each is not None else None

    def caller(
        self, message: Message, source: Address, transport: str, now: float
    ) -> Caller | None:
        """The vendor whose call a request is, while we are registered there."""
        uri = message.target
        if not self._live or uri is None or source[0] not in self._configuration.known:
            return None
        fit = [
            row for row in self._live.values()
            if row.until > now and self._is_at(row, source[0], transport)
        ]  # fmt: skip
        if not fit:
            return None
        named = self._by_token.get(uri.params.get("line"))
        called = next((row for row in fit if row.gateway.user == uri.user), fit[0])
        found = named if named in fit else called
        gateway = found.gateway
        return Caller(gateway.name, gateway=gateway, account=gateway.user)

    def _is_at(self, each: Registration, host: str, transport: str) -> bool:
        """Whether the vendor may call from there, as `Configuration.trusted` has it."""
        targets = (*self._configuration.registrars(each.gateway),
                   *self._configuration.places(each.gateway))  # fmt: skip
        return any(row.host == host and takes(row.transport, transport) for row in targets)


#: status -> field of the challenge, field of the answer
_CHALLENGES = {401: ("www-authenticate", "Authorization"),
               407: ("proxy-authenticate", "Proxy-Authorization")}  # fmt: skip
