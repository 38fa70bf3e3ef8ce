# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 3263 against a DNS server of our own: what is asked, what comes out, how long it is kept."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.net.nameserver import NameServer
from vosd.net import resolver
from vosd.net.resolver import Names, Target, Wanted, order
from vosd.sip.endpoint import Listen

EVERYTHING = [Listen(transport, "0.0.0.0", 5060) for transport in ("udp", "tcp", "tls")]
A = {
    ("one.example", "A"): (300, ["192.0.2.1"]),
    ("two.example", "A"): (300, ["192.0.2.2", "192.0.2.3"]),
    ("two.example", "AAAA"): (300, ["2001:db8::2"]),
}
SRV = {
    ("_sip._udp.one.example", "SRV"): (60, ["10 0 5070 one.example."]),
    ("_sip._tcp.one.example", "SRV"): (
        60, ["20 5 5080 two.example.", "10 0 5081 one.example."]
    ),
    ("_sips._tcp.one.example", "SRV"): (60, ["0 0 5061 one.example."]),
}  # fmt: skip
NAPTR = {
    ("one.example", "NAPTR"): (60, [
        '50 50 "s" "SIP+D2U" "" _sip._udp.one.example.',
        '10 50 "s" "SIPS+D2T" "" _sips._tcp.one.example.',
        '5 50 "u" "E2U+sip" "!^.*$!sip:x@y!" .',
    ]),
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_hosts_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.9 here.example alias # not this\n::1 here.example\nbroken line\n")
    monkeypatch.setattr(resolver, "_HOSTS", hosts)


def served(
    zone: dict[Any, Any], work: Callable[[Names, NameServer, list[float]], Coroutine[Any, Any, Any]]
) -> Any:
    """Run `work` with names that are asked of `zone`, at the time in its one-element list."""

    async def run() -> Any:
        server, now = NameServer(zone), [1000.0]
        names = Names(await server.start(), lambda: now[0])
        names.speak(EVERYTHING)
        try:
            return await work(names, server, now)
        finally:
            server.stop()

    return asyncio.run(run())


def found(zone: dict[Any, Any], wanted: Wanted, listens: list[Listen] = EVERYTHING) -> list[str]:
    async def work(names: Names, server: NameServer, now: list[float]) -> list[str]:
        names.speak(listens)
        await names.refresh([wanted])
        # the server shuffles the records of one name
        ordered = sorted(names.targets(wanted), key=lambda t: (t.priority, ":" in t.host, t.host))
        assert [t.priority for t in ordered] == [t.priority for t in names.targets(wanted)]
        return [f"{t.transport} {t.host} {t.port} {t.priority}" for t in ordered]

    return served(zone, work)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("wanted", "targets"),
    [
        # 4.2: a port, or an address, asks no services
        (Wanted("one.example", 5090, ""), ["udp 192.0.2.1 5090 0"]),
        (Wanted("one.example", 5090, "tcp"), ["tcp 192.0.2.1 5090 0"]),
        (Wanted("192.0.2.7", 0, ""), ["udp 192.0.2.7 5060 0"]),
        (Wanted("192.0.2.7", 0, "tls"), ["tls 192.0.2.7 5061 0"]),
        (Wanted("2001:db8::7", 5070, "tcp"), ["tcp 2001:db8::7 5070 0"]),
        # 4.1: a transport that was said asks its own SRV only
        (Wanted("one.example", 0, "tcp"),
         ["tcp 192.0.2.1 5081 10", "tcp 192.0.2.2 5080 20", "tcp 192.0.2.3 5080 20"]),
        # nothing said: the zone's NAPTR order; what is not "s" or not spoken is passed over
        (Wanted("one.example", 0, ""), ["tls 192.0.2.1 5061 0", "udp 192.0.2.1 5070 65546"]),
        # neither NAPTR nor SRV: addresses at the default port
        (Wanted("two.example", 0, ""), ["udp 192.0.2.2 5060 0", "udp 192.0.2.3 5060 0"]),
        (Wanted("two.example", 0, "tls"), ["tls 192.0.2.2 5061 0", "tls 192.0.2.3 5061 0"]),
        (Wanted("none.example", 0, ""), []),
        # hosts(5) comes first
        (Wanted("here.example", 0, ""), ["udp 127.0.0.9 5060 0", "udp ::1 5060 0"]),
        (Wanted("alias", 5099, "tcp"), ["tcp 127.0.0.9 5099 0"]),
    ],
)  # fmt: skip
def test_where_a_name_leads(wanted: Wanted, targets: list[str]) -> None:
    assert found(A | SRV | NAPTR, wanted) == targets


def test_only_what_we_speak_is_asked_for() -> None:
    udp = [Listen("udp", "::", 5060)]
    assert found(A | SRV | NAPTR, Wanted("one.example", 0, ""), udp) == []
    assert found(A, Wanted("two.example", 5060, ""), udp) == ["udp 2001:db8::2 5060 0"]
    both = [Listen("udp", "::", 5060), Listen("udp", "0.0.0.0", 5060)]
    assert found(A, Wanted("two.example", 5060, ""), both) == [
        "udp 192.0.2.2 5060 0", "udp 192.0.2.3 5060 0", "udp 2001:db8::2 5060 0"
    ]  # fmt: skip


def test_without_naptr_the_first_transport_with_services_is_taken() -> None:
    assert found(A | SRV, Wanted("one.example", 0, "")) == ["udp 192.0.2.1 5070 10"]


def test_a_service_that_is_not_offered() -> None:
    """RFC 2782: the target "." means decidedly not available."""
    zone = A | {("_sip._tcp.one.example", "SRV"): (60, ["0 0 0 ."])}
    # no target is left; the address record is tried as for a name without services
    assert found(zone, Wanted("one.example", 0, "tcp")) == ["tcp 192.0.2.1 5060 0"]


def test_answers_are_kept_for_their_ttl_and_none_is_an_answer() -> None:
    async def work(names: Names, server: NameServer, now: list[float]) -> list[Any]:
        wanted = [Wanted("one.example", 5060, ""), Wanted("none.example", 5060, "")]
        seen = []
        for later in (0, 59, 2, 238, 2):
            now[0] += later
            await names.refresh(wanted)
            seen.append((server.asked["one.example", "A"], server.asked["none.example", "A"]))
        return seen

    # TTL 300; "none" is kept for 60 s
    assert served(A, work) == [(1, 1), (1, 1), (1, 2), (1, 3), (2, 3)]


def test_a_ttl_is_bounded_on_both_sides() -> None:
    zone = {("low.example", "A"): (0, ["192.0.2.1"]), ("high.example", "A"): (10**9, ["192.0.2.2"])}

    async def work(names: Names, server: NameServer, now: list[float]) -> list[int]:
        wanted = [Wanted("low.example", 1, ""), Wanted("high.example", 1, "")]
        for later in (0, 4, 2, 86400):
            now[0] += later
            await names.refresh(wanted)
        return [server.asked["low.example", "A"], server.asked["high.example", "A"]]

    assert served(zone, work) == [3, 2]


def test_a_server_that_fails_leaves_what_was_known_and_a_name_that_is_gone_goes() -> None:
    async def work(names: Names, server: NameServer, now: list[float]) -> list[Any]:
        wanted = Wanted("one.example", 5060, "")
        seen = []
        await names.refresh([wanted])
        now[0] += 301
        server.failing = True
        await names.refresh([wanted])
        seen.append(names.address("one.example"))
        now[0] += 11
        server.failing = False
        server.zone = {}
        await names.refresh([wanted])
        seen.append(names.address("one.example"))
        return seen

    assert served(dict(A), work) == ["192.0.2.1", None]


def test_memory_is_bounded_by_what_is_wanted() -> None:
    async def work(names: Names, server: NameServer, now: list[float]) -> bool:
        first = Wanted("one.example", 5060, "")
        await names.refresh([first])
        await names.refresh([Wanted("two.example", 5060, "")])
        return bool(names.targets(first))

    assert not served(A, work)


def test_order_honours_priority_and_weight() -> None:
    """RFC 2782: of weights 0, 10 and 30 at one priority the shares of the first place are 1/41,
    10/41 and 30/41; priorities never mix."""
    targets = [
        Target("udp", "192.0.2.4", 5060, 2, 100),
        Target("udp", "192.0.2.1", 5060, 1, 0),
        Target("udp", "192.0.2.2", 5060, 1, 10),
        Target("udp", "192.0.2.3", 5060, 1, 30),
    ]
    chance = random.Random(7)
    firsts: Counter[int] = Counter()
    for _ in range(4100):
        indices = order(targets, chance)
        assert sorted(indices) == [0, 1, 2, 3]
        assert indices[3] == 0
        firsts[indices[0]] += 1
    assert 60 <= firsts[1] <= 145
    assert 880 <= firsts[2] <= 1130
    assert 2850 <= firsts[3] <= 3150
