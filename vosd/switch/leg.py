# SPDX-License-Identifier: GPL-2.0-or-later
"""Between SIP and the switch's words: numbers out of messages, call legs out of routes."""

from __future__ import annotations

from vosd.sip.endpoint import Invite
from vosd.sip.header import NameAddr
from vosd.sip.message import Message
from vosd.sip.uri import Uri
from vosd.switch.blacklist import canonical
from vosd.switch.events import Route
from vosd.switch.reasons import Reason

#: header fields a mapping gateway may hand on to leg b as it wrote them
PASSED = ("p-asserted-identity", "privacy", "diversion")
_WRITTEN = {"p-asserted-identity": "P-Asserted-Identity", "privacy": "Privacy",
            "diversion": "Diversion"}


def number(user: str) -> str:
    """Digits of a telephone number without plus and separators; any other user as it is."""
    return canonical(user.partition(";")[0])


def caller_of(message: Message) -> tuple[str, str]:
    """Number and display name of the calling party, from From."""
    party = message.from_
    if party is None or party.uri is None:
        return "", ""
    return number(party.uri.user or ""), party.display


def callee_of(message: Message) -> str:
    """Number asked for, from the Request-URI."""
    return number(Uri.parse(message.uri).user or "")


def passed(message: Message) -> tuple[tuple[str, str], ...]:
    """Identity header fields that a trusted caller's INVITE carries on to leg b."""
    return tuple(
        (_WRITTEN[name], value) for name, value in message.headers if name in PASSED
    )


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
) -> Invite:
    """The INVITE of leg b: a fresh dialog, nothing of leg a but numbers and passed headers."""
    gateway = route.gateway
    host = _host(destination[0])
    if route.contact is not None:
        target = NameAddr.parse(route.contact.contact).uri
        uri = str(target) if target is not None else f"sip:{callee}@{host}"
    else:
        uri = f"sip:{callee}@{host}:{destination[1]}"
    name = f'"{_quoted(display)}" ' if display else ""
    credentials = None
    if gateway is not None and gateway.password:
        credentials = (gateway.user or gateway.name, gateway.password)
    return Invite(
        uri=uri,
        destination=destination,
        local=local,
        from_=f"{name}<sip:{caller or 'anonymous'}@{_host(here)}>",
        to=f"<sip:{callee}@{host}>",
        headers=headers,
        body=body,
        credentials=credentials,
        max_forwards=max_forwards,
        contact_user=caller,
    )


def reason_header(reason: Reason) -> tuple[tuple[str, str], ...]:
    """Why we end or refuse a leg, for the other end's logs (RFC 3326)."""
    return (("Reason", reason.header()),)


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
