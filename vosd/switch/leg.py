# SPDX-License-Identifier: GPL-2.0-or-later
"""Between SIP and the switch's words: numbers out of messages, call legs out of routes."""

from __future__ import annotations

import msgspec

from vosd.sip.endpoint import Invite
from vosd.sip.message import Message
from vosd.sip.uri import Uri, escape_user
from vosd.switch.blacklist import canonical
from vosd.switch.events import Route
from vosd.switch.reasons import Reason

#: header fields a mapping gateway may hand on to leg b as it wrote them
PASSED = ("p-asserted-identity", "privacy", "diversion")
_WRITTEN = {"p-asserted-identity": "P-Asserted-Identity", "privacy": "Privacy",
            "diversion": "Diversion"}


#: what a number never holds: delimiters of a URI, which would read otherwise at the next hop
_UNFIT = frozenset('<>"@: \\')
#: most hops a request may have left (RFC 3261 20.22)
_MOST_HOPS = 255
#: what Max-Forwards starts from when the caller sent none (RFC 3261 8.1.1.6)
_HOPS = 70


def number(user: str) -> str:
    """Digits of a telephone number without plus and separators, or another plain user.

    "" for what no number is: control characters and delimiters that hide in escapes.
    """
    bare = user.partition(";")[0]
    if not bare.isprintable() or not _UNFIT.isdisjoint(bare):
        return ""
    return canonical(bare)


def hops(message: Message) -> int:
    """Max-Forwards as a number; nonsense counts as absent."""
    text = message.get("max-forwards") or ""
    return min(int(text), _MOST_HOPS) if text.isascii() and text.isdigit() else _HOPS


def caller_of(message: Message) -> tuple[str, str]:
    """Number and display name of the calling party, from From."""
    party = message.from_
    if party is None or party.uri is None:
        return "", ""
    return number(party.uri.user or ""), party.display


def callee_of(message: Message, account: str = "") -> str:
    """Number asked for, from the Request-URI; from To where that is only the contact of the
    `account` we registered as."""
    target = message.target
    user = target.user if target is not None else ""
    if account and user == account:
        to = message.to
        user = to.uri.user if to is not None and to.uri is not None and to.uri.user else user
    return number(user)


def passed(message: Message) -> tuple[tuple[str, str], ...]:
    """Identity header fields that a trusted caller's INVITE carries on to leg b."""
    if all(message.get(name) is None for name in PASSED):
        return ()
    return tuple((_WRITTEN[name], value) for name, value in message.headers if name in PASSED)


def dial(
    route: Route,
    *,
    caller: str,
    display: str,
    callee: str,
    here: str,
    destination: tuple[str, int],
    local: int,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    max_forwards: int,
    transport: str = "udp",
    flow: bool = False,
) -> Invite:
    """The INVITE of leg b: a fresh dialog, nothing of leg a but numbers and passed headers."""
    gateway = route.gateway
    host = _host(destination[0])
    called = escape_user(callee)
    if route.contact is not None:
        # with its parameters, by which many phones know themselves, and without header fields
        uri = str(msgspec.structs.replace(Uri.parse(route.contact.contact), headers=""))
    else:
        by = "" if transport == "udp" else f";transport={transport}"
        uri = f"sip:{called}@{host}:{destination[1]}{by}"
    name = f'"{_quoted(display)}" ' if display else ""
    credentials = None
    if gateway is not None and gateway.password:
        credentials = (gateway.user or gateway.name, gateway.password)
    return Invite(
        uri=uri,
        destination=destination,
        local=local,
        from_=f"{name}<sip:{escape_user(caller) or 'anonymous'}@{_host(here)}>",
        to=f"<sip:{called}@{host}>",
        headers=headers,
        body=body,
        credentials=credentials,
        max_forwards=max_forwards,
        flow=flow,
        pinned=route.contact is not None and route.contact.nat,
        contact_user=caller if caller.isalnum() and caller.isascii() else "",
    )


def reason_header(reason: Reason) -> tuple[tuple[str, str], ...]:
    """Why we end or refuse a leg, for the other end's logs (RFC 3326)."""
    return (("Reason", reason.header()),)


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _quoted(text: str) -> str:
    if not text.isprintable():
        text = "".join(each for each in text if each.isprintable())
    return text.replace("\\", "\\\\").replace('"', '\\"')
