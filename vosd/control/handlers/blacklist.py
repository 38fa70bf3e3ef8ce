# SPDX-License-Identifier: GPL-2.0-or-later
"""blacklist.*: the system list, enforced on every path in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from vosd.control.access import Peer
from vosd.control.gateways import find_gateway
from vosd.control.handler import Handler, Path, Refusal, bad_value, entry, stored
from vosd.switch.blacklist import canonical
from vosd.switch.screening import check as screened
from vosd.switch.tables import Listed
from vosd.wire.records import BlacklistCheck, BlacklistList, BlacklistRow
from vosd.wire.requests import (
    BlacklistAdd,
    BlacklistChanged,
    BlacklistCheckQuery,
    BlacklistRemove,
)
from vosd.wire.values import parse_caller

if TYPE_CHECKING:
    from vosd.engine.node import Node

#: in one request; a longer list comes in several
MOST_NUMBERS = 10_000
LONGEST_YEARS_S = 100 * 365 * 86400.0


async def list_(node: Node, peer: Peer, request: None, path: Path, query: None) -> BlacklistList:
    now = time.time()
    rows = [row for row in node.configuration.blacklist if not row.expires or row.expires > now]
    rows.sort(key=lambda row: (row.number, row.prefix, row.side))
    return BlacklistList(rows=[_view(row) for row in rows])


async def add(
    node: Node, peer: Peer, request: BlacklistAdd, path: Path, query: None
) -> BlacklistChanged:
    numbers = _each(request.numbers, _number)
    expires_s = request.expires_s
    if expires_s is not None and not 0 < expires_s <= LONGEST_YEARS_S:
        raise Refusal("bad_value", f"cannot let a row expire in {expires_s:g} s: more than 0 and "
                      "at most 100 years is accepted", value=f"{expires_s:g}")  # fmt: skip
    now = time.time()
    rows = [
        Listed(
            number=number,
            prefix=request.prefix,
            side=request.side,
            expires=None if expires_s is None else now + expires_s,
            why=request.why,
            created=now,
            created_by=peer.user,
        )
        for number in numbers
    ]
    if not request.dry_run:
        how = f"{'prefix ' if request.prefix else ''}side={request.side}"
        new = how if expires_s is None else f"{how} expires_s={expires_s:g}"
        audit = entry(peer, "blacklist.add", " ".join(numbers), "", new, request.why)
        async with node.lock:
            await stored(node.store.put_blacklist(rows, audit))
            node.configuration.reload()
    return BlacklistChanged(added=[_view(row) for row in rows], dry_run=request.dry_run)


async def remove(
    node: Node, peer: Peer, request: BlacklistRemove, path: Path, query: None
) -> BlacklistChanged:
    # what an older version listed may have another form
    numbers = _each(request.numbers, canonical)
    async with node.lock:
        listed = node.configuration.blacklist
        known = {row.number for row in listed}
        for number in numbers:
            if number not in known:
                raise Refusal("not_found", f"cannot remove {number}: it is not on the list; "
                              f"vosctl blacklist check {number} shows what decides about it",
                              value=number)  # fmt: skip
        gone = [row for row in listed if row.number in set(numbers)]
        if not request.dry_run:
            subject, old = " ".join(numbers), f"{len(gone)} rows"
            audit = entry(peer, "blacklist.remove", subject, old, "", request.why)
            await stored(node.store.remove_blacklist(numbers, audit))
            node.configuration.reload()
    return BlacklistChanged(removed=[_view(row) for row in gone], dry_run=request.dry_run)


async def check(
    node: Node, peer: Peer, request: None, path: Path, query: BlacklistCheckQuery
) -> BlacklistCheck:
    if query.gateway is not None:
        find_gateway(node.configuration, query.gateway)
    number = _number(query.number)
    found = screened(number, time.time(), node.configuration.listed)
    deciding = [row for row in (found.as_caller, found.as_callee) if row is not None]
    return BlacklistCheck(
        number=number,
        as_caller=found.as_caller is None,
        as_callee=found.as_callee is None,
        rows=[_view(row) for row in dict.fromkeys(deciding)],
    )


def _each(given: list[str], spelled: Callable[[str], str]) -> list[str]:
    """Each number in the spelling the list compares, once. Raises Refusal."""
    if not 1 <= len(given) <= MOST_NUMBERS:
        raise Refusal("bad_value", f"cannot take {len(given)} numbers: 1 to {MOST_NUMBERS} in one "
                      "request is accepted", value=str(len(given)))  # fmt: skip
    return list(dict.fromkeys(map(spelled, given)))


def _number(text: str) -> str:
    try:
        return parse_caller(text)
    except ValueError as error:
        raise bad_value(error, text) from None


def _view(row: Listed) -> BlacklistRow:
    return BlacklistRow(
        number=row.number,
        prefix=row.prefix,
        side=row.side,
        expires_at=row.expires,
        why=row.why,
        created_at=row.created,
        created_by=row.created_by,
    )


HANDLERS: dict[str, Handler] = {
    "blacklist.list": list_,
    "blacklist.add": add,
    "blacklist.remove": remove,
    "blacklist.check": check,
}
