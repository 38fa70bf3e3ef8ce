# SPDX-License-Identifier: GPL-2.0-or-later
"""gateway.*: checked whole, stored with their audit row, then in force for the next call."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from vosd.control.access import Peer
from vosd.control.gateways import (
    addresses,
    changed,
    changes_of,
    check_together,
    digest_user,
    find_gateway,
    registrar,
    summary,
    with_password,
)
from vosd.control.handler import Handler, Path, Refusal, bad_value, entry, stored
from vosd.engine.health import ANSWER_S
from vosd.switch.tables import Gateway
from vosd.wire.records import GatewayList, GatewayView, RegistrationView
from vosd.wire.requests import (
    Change,
    GatewayAdd,
    GatewayChanged,
    GatewayDetail,
    GatewayProbe,
    GatewaySet,
)
from vosd.wire.values import parse_name

if TYPE_CHECKING:
    from vosd.engine.node import Node

#: seconds a client waits for names to be looked up, and for those and an OPTIONS
LOOK_UP_S = 3.0
PROBE_S = LOOK_UP_S + ANSWER_S


async def list_(node: Node, peer: Peer, request: None, path: Path, query: None) -> GatewayList:
    rows = node.configuration.gateways
    return GatewayList(gateways=[_view(node, rows[name]) for name in sorted(rows)])


async def show(node: Node, peer: Peer, request: None, path: Path, query: None) -> GatewayDetail:
    return GatewayDetail(gateway=_view(node, find_gateway(node.configuration, path["name"])))


async def add(
    node: Node, peer: Peer, request: GatewayAdd, path: Path, query: None
) -> GatewayChanged:
    fields = {
        "address": ",".join(request.addresses),
        "auth": request.auth,
        "user": request.user,
        "prefix": ",".join(request.prefixes),
        "priority": str(request.priority),
        "capacity": str(request.capacity),
        "account": request.account,
        "register": "on" if request.register else "off",
        "registrar": request.registrar,
        "domain": request.domain,
    }
    try:
        gateway = Gateway(name=parse_name(request.name), kind=request.kind)
    except ValueError as error:
        raise bad_value(error, request.name) from None
    gateway = with_password(changed(gateway, fields), request.password)
    async with node.lock:
        if gateway.name in node.configuration.gateways:
            raise Refusal("exists", f"cannot add gateway {gateway.name}: it exists already; "
                          f"vosctl gateway set {gateway.name} KEY=VALUE changes it",
                          value=gateway.name)  # fmt: skip
        check_together(gateway, node.configuration)
        reply = await _put(node, peer, "gateway.add", None, gateway, request.why, request.dry_run)
    return await _looked_up(node, gateway, reply)


async def set_(
    node: Node, peer: Peer, request: GatewaySet, path: Path, query: None
) -> GatewayChanged:
    async with node.lock:
        old = find_gateway(node.configuration, path["name"])
        new = with_password(changed(old, request.values), request.password)
        if new.ha1_md5 == old.ha1_md5 and digest_user(new) != digest_user(old):
            # the stored digest is bound to the user name (RFC 7616 3.4.2)
            new = msgspec.structs.replace(new, ha1_md5="", ha1_sha256="")
        check_together(new, node.configuration)
        reply = await _put(node, peer, "gateway.set", old, new, request.why, request.dry_run)
    return await _looked_up(node, new, reply)


async def enable(
    node: Node, peer: Peer, request: Change, path: Path, query: None
) -> GatewayChanged:
    return await _switch(node, peer, request, path["name"], True)


async def disable(
    node: Node, peer: Peer, request: Change, path: Path, query: None
) -> GatewayChanged:
    return await _switch(node, peer, request, path["name"], False)


async def remove(
    node: Node, peer: Peer, request: Change, path: Path, query: None
) -> GatewayChanged:
    async with node.lock:
        gateway = find_gateway(node.configuration, path["name"])
        reply = GatewayChanged(gateway=_view(node, gateway), dry_run=request.dry_run)
        if request.dry_run:
            return reply
        old = summary(gateway)
        audit = entry(peer, "gateway.remove", gateway.name, old, "", request.why)
        await stored(node.store.remove_gateway(gateway.name, audit))
        node.settings.forget(gateway.name)
        node.configuration.reload()
        return reply


async def probe(node: Node, peer: Peer, request: None, path: Path, query: None) -> GatewayProbe:
    gateway = find_gateway(node.configuration, path["name"])
    # looking up a name may take longer than anybody wants to look at
    asking = asyncio.ensure_future(node.probe(gateway.name))
    done, _ = await asyncio.wait({asking}, timeout=PROBE_S)
    if not done:
        answer = f"no answer within {PROBE_S:g} s"
        return GatewayProbe(name=gateway.name, up=False, answer=answer, took_ms=PROBE_S * 1000)
    up, answer, took_ms = asking.result()
    return GatewayProbe(name=gateway.name, up=up, answer=answer, took_ms=round(took_ms, 1))


async def _switch(
    node: Node, peer: Peer, request: Change, name: str, enabled: bool
) -> GatewayChanged:
    verb = "gateway.enable" if enabled else "gateway.disable"
    async with node.lock:
        old = find_gateway(node.configuration, name)
        new = msgspec.structs.replace(old, enabled=enabled)
        return await _put(node, peer, verb, old, new, request.why, request.dry_run)


async def _put(
    node: Node, peer: Peer, verb: str, old: Gateway | None, new: Gateway, why: str, dry_run: bool
) -> GatewayChanged:
    """Store, reload, and say what changed; nothing is written when nothing did."""
    changes = changes_of(old, new)
    if changes and not dry_run:
        before = summary(old, changes) if old else ""
        audit = entry(peer, verb, new.name, before, summary(new, changes), why)
        await stored(node.store.put_gateway(new, audit))
        node.configuration.reload()
    return GatewayChanged(gateway=_view(node, new), changes=changes, dry_run=dry_run)


async def _looked_up(node: Node, gateway: Gateway, reply: GatewayChanged) -> GatewayChanged:
    """Find the addresses of new names now, and warn of those that have none."""
    known = node.configuration.names.address
    places = (*gateway.addresses, gateway.outward.registrar)
    hosts = dict.fromkeys(at.host for at in places if at is not None)
    if reply.dry_run or all(known(host) for host in hosts):
        return reply
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_UP_S):
            await node.resolve()
    reply.warnings += [
        f"cannot find an address of {host} yet; it is looked up again"
        for host in hosts
        if known(host) is None
    ]
    return reply


def _view(node: Node, gateway: Gateway) -> GatewayView:
    up, note = node.health(gateway.name)
    return GatewayView(
        name=gateway.name,
        kind=gateway.kind,
        addresses=addresses(gateway),
        auth=gateway.auth,
        user=gateway.user,
        has_password=bool(gateway.password or gateway.ha1_md5),
        prefixes=[prefix for prefix in gateway.prefixes if prefix],
        priority=gateway.priority,
        capacity=gateway.capacity,
        account=gateway.account,
        enabled=gateway.enabled,
        overrides=gateway.overrides,
        calls=node.calls.gateway_calls(gateway.name),
        up=up,
        note=note,
        registration=_registration(node, gateway),
    )


def _registration(node: Node, gateway: Gateway) -> RegistrationView | None:
    if not gateway.outward.active:
        return None
    view = RegistrationView(
        state="registering" if gateway.enabled else "disabled",
        registrar=registrar(gateway) or addresses(gateway)[0],
        domain=gateway.outward.domain,
    )
    held, now = node.registration(gateway.name), time.time()
    if held is not None:
        view.state, view.reason = held.state, held.reason
        view.expires_at = now + held.until if held.until is not None else None
        view.again_at = now + held.again if held.again is not None else None
    return view


HANDLERS: dict[str, Handler] = {
    "gateway.list": list_,
    "gateway.add": add,
    "gateway.show": show,
    "gateway.set": set_,
    "gateway.enable": enable,
    "gateway.disable": disable,
    "gateway.remove": remove,
    "gateway.probe": probe,
}
