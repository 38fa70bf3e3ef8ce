# SPDX-License-Identifier: GPL-2.0-or-later
"""REGISTER by RFC 3261 10.3, as a question with one answer: bindings in, changes and reply out.

All or nothing: one bad contact leaves every binding as it was. Requests to a phone go to where
its REGISTER came from, so a binding keeps the packet source beside the Contact. Whoever asks has
authenticated the phone before.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable, Sequence

import msgspec

from vosd.sip.header import NameAddr
from vosd.sip.message import Message
from vosd.switch.tables import Binding


class Contact(msgspec.Struct, frozen=True):
    """One value of the Contact header; `expires` is the parameter's raw text, None if absent."""

    uri: str
    host: str
    port: int | None = None
    expires: str | None = None


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """What of a REGISTER counts. `expires` is the header's raw text, `star` is `Contact: *`."""

    number: str
    contacts: Sequence[Contact] = ()
    star: bool = False
    expires: str | None = None
    call_id: str
    cseq: int
    #: where the packet came from, and the index of our socket it came in on
    host: str
    port: int
    transport: str = "udp"
    local: int = 0
    user_agent: str = ""


class Limits(msgspec.Struct, frozen=True):
    """Seconds. `longest` (SS_ENDPOINT_EXPIRE) cuts a longer wish and is the default; `shortest`
    (SS_ENDPOINTTIMETOLIVE) refuses a shorter one. One contact above `contacts`
    (SS_ENDPOINT_CONTACTS) takes the place of the oldest."""

    longest: int = 3600
    shortest: int = 60
    contacts: int = 5


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The reply and what changes; `put` replaces a binding of the same `contact`."""

    code: int
    reason: str = ""
    put: tuple[Binding, ...] = ()
    removed: tuple[Binding, ...] = ()
    #: Contact fields of the 200, Min-Expires of the 423
    headers: tuple[tuple[str, str], ...] = ()


class _Refused(Exception):
    def __init__(self, code: int, reason: str, *headers: tuple[str, str]) -> None:
        super().__init__(reason)
        self.outcome = Outcome(code=code, reason=reason, headers=headers)


def register(
    *,
    number: str,
    existing: Iterable[Binding],
    message: Message,
    source: tuple[str, int],
    local: int,
    now: float,
    limits: Limits,
) -> Outcome:
    """Answer the REGISTER `message` of phone `number`, which came from `source`.

    `existing` are the phone's bindings, `now` Unix seconds.
    """
    return decide(read(number, message, source, local), existing, now, limits)


def read(number: str, message: Message, source: tuple[str, int], local: int) -> Register:
    """What of a REGISTER counts. `vosd.sip.parse` has refused Contacts that cannot be read."""
    values = [NameAddr.parse(text) for text in message.all("contact")]
    contacts = [
        Contact(str(value.uri), value.uri.host, value.uri.port, value.params.get("expires"))
        for value in values
        if value.uri is not None
    ]
    return Register(
        number=number,
        contacts=contacts,
        star=len(contacts) < len(values),
        expires=message.get("expires"),
        call_id=message.call_id,
        cseq=message.cseq,
        host=source[0],
        port=source[1],
        transport=message.via.transport,
        local=local,
        user_agent=message.get("user-agent") or "",
    )


def decide(request: Register, bindings: Iterable[Binding], now: float, limits: Limits) -> Outcome:
    """Answer `request` given the phone's `bindings`.

    Bindings that ran out count as absent and are removed with any outcome but a refusal.
    """
    held: dict[str, Binding] = {}
    stale = []
    for binding in bindings:
        if binding.expires > now:
            held[same_place(binding.contact)] = binding
        else:
            stale.append(binding)
    try:
        put, removed = _changes(request, held, now, limits)
    except _Refused as refused:
        return refused.outcome
    gone = {same_place(binding.contact) for binding in removed}
    kept = {key: binding for key, binding in held.items() if key not in gone}
    kept.update((same_place(binding.contact), binding) for binding in put)
    return Outcome(
        code=200,
        put=tuple(put),
        removed=(*stale, *removed),
        headers=tuple(("Contact", _contact_value(binding, now)) for binding in kept.values()),
    )


def _changes(
    request: Register, held: dict[str, Binding], now: float, limits: Limits
) -> tuple[list[Binding], list[Binding]]:
    if request.star:
        return [], _star(request, held)
    put: dict[str, Binding] = {}
    removed: list[Binding] = []
    for contact in request.contacts:
        key = same_place(contact.uri)
        old = held.get(key)
        if old is not None:
            _in_order(request, old)
        seconds = _seconds(contact, request, limits)
        if seconds:
            put[key] = _binding(contact, request, now, seconds)
            if old is not None and old.contact != contact.uri:
                removed.append(old)
        else:
            put.pop(key, None)
            if old is not None:
                removed.append(old)
    return list(put.values()), [*removed, *_outnumbered(put, removed, held, limits)]


def _outnumbered(
    put: dict[str, Binding], removed: list[Binding], held: dict[str, Binding], limits: Limits
) -> list[Binding]:
    """The oldest bindings, as many as there are too many now."""
    if len(put) > limits.contacts:
        raise _Refused(403, "Too Many Contacts")
    others = [row for key, row in held.items() if key not in put and row not in removed]
    others.sort(key=lambda row: row.registered)
    return others[: max(0, len(put) + len(others) - limits.contacts)] if put else []


def _star(request: Register, held: dict[str, Binding]) -> list[Binding]:
    """10.3 step 6: `*` stands alone and only with Expires: 0."""
    if request.contacts or _number(request.expires) != 0:
        raise _Refused(400, "Invalid Contact: * needs Expires: 0 and stands alone")
    for binding in held.values():
        _in_order(request, binding)
    return list(held.values())


def _in_order(request: Register, held: Binding) -> None:
    """10.3 step 7: within one Call-ID a lower or equal CSeq is late and changes nothing."""
    if request.call_id == held.call_id and request.cseq <= held.cseq:
        raise _Refused(500, "Out of Order CSeq")


def _seconds(contact: Contact, request: Register, limits: Limits) -> int:
    """Parameter before header before default; 0 removes (10.3 step 7, 20.10 for bad text)."""
    wish = contact.expires if contact.expires is not None else request.expires
    seconds = limits.longest if wish is None else _number(wish)
    if seconds is None:
        seconds = limits.longest
    least = min(limits.shortest, limits.longest)
    if 0 < seconds < least:
        raise _Refused(423, "Interval Too Brief", ("Min-Expires", str(least)))
    return min(seconds, limits.longest)


def _number(text: str | None) -> int | None:
    """Delta-seconds, or None when `text` is none; 2**32-1 is the grammar's ceiling."""
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    return min(int(text[:11]), 2**32 - 1)


def _binding(contact: Contact, request: Register, now: float, seconds: int) -> Binding:
    return Binding(
        number=request.number,
        contact=contact.uri,
        host=request.host,
        port=request.port,
        transport=request.transport,
        local=request.local,
        expires=now + seconds,
        registered=now,
        call_id=request.call_id,
        cseq=request.cseq,
        user_agent=request.user_agent,
        nat=not _is_source(contact, request),
    )


def _is_source(contact: Contact, request: Register) -> bool:
    port = contact.port or (5061 if request.transport == "tls" else 5060)
    # behind a stream the phone's listening port is never the connection's
    same_port = request.transport != "udp" or port == request.port
    return same_port and _address(contact.host) == _address(request.host)


def _address(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return host.lower()


def same_place(uri: str) -> str:
    """Key under which two Contact URIs are one binding: the parts of RFC 3261 19.1.4 that lead
    somewhere (scheme, user, host, port, transport); the user is compared with respect to case.
    """
    scheme, _, rest = uri.partition(":")
    rest, *params = rest.partition("?")[0].split(";")
    user, at, hostport = rest.rpartition("@")
    transport = ""
    for param in params:
        name, _, value = param.partition("=")
        if name.strip().lower() == "transport":
            transport = value.strip().lower()
    return f"{scheme.lower()}:{user}{at}{hostport.lower()};{transport}"


def _contact_value(binding: Binding, now: float) -> str:
    return f"<{binding.contact}>;expires={math.ceil(binding.expires - now)}"
