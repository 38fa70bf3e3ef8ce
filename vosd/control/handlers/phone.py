# SPDX-License-Identifier: GPL-2.0-or-later
"""phone.*: who may register, and who has."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from vosd.control.access import Peer
from vosd.control.handler import Handler, Path, Refusal, bad_value, entry, stored
from vosd.engine.admission import REALM
from vosd.sip.auth import ha1
from vosd.switch.tables import Gateway, Phone
from vosd.wire.records import PhoneList, PhoneView
from vosd.wire.requests import (
    PHONE_KEYS,
    Change,
    FieldChange,
    PhoneAdd,
    PhoneChanged,
    PhoneDetail,
    PhoneSet,
)
from vosd.wire.values import parse_name, parse_number, show_address

if TYPE_CHECKING:
    from vosd.engine.node import Node


SHORTEST_PASSWORD = 8
LONGEST_DISPLAY = 64
_SWITCH = {"on": True, "off": False}


async def list_(node: Node, peer: Peer, request: None, path: Path, query: None) -> PhoneList:
    rows = node.configuration.phones
    return PhoneList(phones=[_view(node, rows[number]) for number in sorted(rows)])


async def show(node: Node, peer: Peer, request: None, path: Path, query: None) -> PhoneDetail:
    return PhoneDetail(phone=_view(node, _find(node, path["number"])))


async def add(node: Node, peer: Peer, request: PhoneAdd, path: Path, query: None) -> PhoneChanged:
    try:
        phone = Phone(number=parse_number(request.number))
    except ValueError as error:
        raise bad_value(error, request.number) from None
    phone = _changed(phone, {"account": request.account, "display": request.display})
    phone = _with_password(phone, request.password)
    async with node.lock:
        if phone.number in node.configuration.phones:
            raise Refusal("exists", f"cannot add phone {phone.number}: it exists already",
                          value=phone.number)  # fmt: skip
        _check_user(node.configuration.gateways, phone.number)
        return await _put(node, peer, "phone.add", None, phone, request.why, request.dry_run)


async def set_(node: Node, peer: Peer, request: PhoneSet, path: Path, query: None) -> PhoneChanged:
    async with node.lock:
        old = _find(node, path["number"])
        new = _with_password(_changed(old, request.values), request.password)
        return await _put(node, peer, "phone.set", old, new, request.why, request.dry_run)


async def remove(node: Node, peer: Peer, request: Change, path: Path, query: None) -> PhoneChanged:
    async with node.lock:
        phone = _find(node, path["number"])
        reply = PhoneChanged(phone=_view(node, phone), dry_run=request.dry_run)
        if request.dry_run:
            return reply
        audit = entry(peer, "phone.remove", phone.number, _summary(phone), "", request.why)
        await stored(node.store.remove_phone(phone.number, audit))
        node.configuration.bind((), list(node.configuration.bindings.get(phone.number, ())))
        node.configuration.reload()
        return reply


async def _put(
    node: Node, peer: Peer, verb: str, old: Phone | None, new: Phone, why: str, dry_run: bool
) -> PhoneChanged:
    changes = _changes(old, new)
    if changes and not dry_run:
        keys = [change.name for change in changes]
        before = _summary(old, keys) if old else ""
        audit = entry(peer, verb, new.number, before, _summary(new, keys), why)
        await stored(node.store.put_phone(new, audit))
        node.configuration.reload()
    return PhoneChanged(phone=_view(node, new), changes=changes, dry_run=dry_run)


def _find(node: Node, number: str) -> Phone:
    phone = node.configuration.phones.get(number.removeprefix("+"))
    if phone is None:
        raise Refusal("not_found", f"cannot find phone {number!r}: none has that number",
                      value=number, accepts="what vosctl phone list shows")  # fmt: skip
    return phone


def _view(node: Node, phone: Phone) -> PhoneView:
    view = PhoneView(
        number=phone.number,
        display=phone.display,
        account=phone.account,
        enabled=phone.enabled,
        has_password=bool(phone.ha1_md5),
        calls=node.calls.phone_calls(phone.number),
    )
    contacts = node.configuration.contacts(phone.number, time.time())
    if contacts:
        newest = contacts[0]
        view.registered = True
        view.contact = newest.contact
        view.address = show_address(newest.host, newest.port, newest.transport)
        view.nat = newest.nat
        view.expires_at = newest.expires
        view.registered_at = newest.registered
        view.user_agent = newest.user_agent
        view.unreachable = node.unreachable(newest)
        view.also = [show_address(row.host, row.port, row.transport) for row in contacts[1:]]
    return view


#: how each field shows in changes and in the audit; never a secret
_SHOW: Mapping[str, Callable[[Phone], str]] = {
    "number": lambda phone: phone.number,
    "password": lambda phone: "set" if phone.ha1_md5 else "",
    "account": lambda phone: phone.account,
    "display": lambda phone: phone.display,
    "enabled": lambda phone: "on" if phone.enabled else "off",
}


def _changes(old: Phone | None, new: Phone) -> list[FieldChange]:
    before = {key: show(old) if old else "" for key, show in _SHOW.items()}
    changes = [
        FieldChange(name=key, old=before[key], new=show(new))
        for key, show in _SHOW.items()
        if before[key] != show(new)
    ]
    if old and old.ha1_md5 and old.ha1_md5 != new.ha1_md5:
        changes.append(FieldChange(name="password", old="set", new="set anew"))
    return changes


def _summary(phone: Phone, keys: list[str] | None = None) -> str:
    """KEY=VALUE words for the audit."""
    shown = {key: _SHOW[key](phone) for key in (keys or _SHOW)}
    return " ".join(f"{key}={value}" for key, value in shown.items() if value)


def _changed(phone: Phone, values: Mapping[str, str]) -> Phone:
    """The phone with fields set from text, all or none. Raises Refusal."""
    fields: dict[str, object] = {}
    for key, given in values.items():
        text = given.strip()
        if key not in PHONE_KEYS:
            hint = ": passwords come by --password-file only" if key == "password" else ""
            raise Refusal("bad_value", f"cannot set {key!r} of a phone{hint}",
                          value=key, accepts=" ".join(PHONE_KEYS))  # fmt: skip
        try:
            fields[key] = _parse(key, text)
        except ValueError as error:
            raise bad_value(error, given) from None
    return msgspec.structs.replace(phone, **fields)


def _parse(key: str, text: str) -> object:
    if key == "enabled":
        if text not in _SWITCH:
            raise ValueError(f"cannot use enabled {text!r}: on and off are accepted")
        return _SWITCH[text]
    if key == "display":
        if len(text) > LONGEST_DISPLAY or not text.isprintable():
            raise ValueError(
                f"cannot use display {text!r}: at most {LONGEST_DISPLAY} printable characters"
            )
        return text
    return parse_name(text) if text else ""


def _with_password(phone: Phone, password: str | None) -> Phone:
    """HA1 of both digest algorithms; the password itself is not kept."""
    if password is None:
        return phone
    if len(password) < SHORTEST_PASSWORD:
        raise Refusal("bad_value", f"cannot use a password of {len(password)} characters: "
                      f"at least {SHORTEST_PASSWORD}, phones are guessed at all day",
                      accepts="--generate-password makes a good one")  # fmt: skip
    digests = [ha1(phone.number, REALM, password, name) for name in ("MD5", "SHA-256")]
    return msgspec.structs.replace(phone, ha1_md5=digests[0], ha1_sha256=digests[1])


def _check_user(gateways: Mapping[str, Gateway], number: str) -> None:
    """A mapping gateway that logs in must not have the phone's number as its user."""
    for gateway in gateways.values():
        logs_in = gateway.kind == "mapping" and gateway.auth == "password"
        if logs_in and (gateway.user or gateway.name) == number:
            raise Refusal("conflict", f"cannot tell phone {number} from gateway {gateway.name}: "
                          f"both prove themselves as user {number}", value=number)  # fmt: skip


HANDLERS: dict[str, Handler] = {
    "phone.list": list_,
    "phone.add": add,
    "phone.show": show,
    "phone.set": set_,
    "phone.remove": remove,
}
