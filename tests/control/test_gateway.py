# SPDX-License-Identifier: GPL-2.0-or-later
"""gateway.*: what is accepted, what is refused and in which words, what is stored."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import msgspec
import pytest

from tests.control.standin import Running, call_view
from vosctl.client import Client, Refused
from vosd.switch.routing import routes
from vosd.switch.tables import GatewayAddress
from vosd.wire.records import GatewayView, ParamSet
from vosd.wire.requests import Change, GatewayAdd, GatewayChanged, GatewaySet

SECRET = "correct horse 9"


def add(client: Client, name: str = "acme", kind: Any = "mapping", **fields: Any) -> GatewayChanged:
    fields.setdefault("addresses", ["203.0.113.9"])
    reply: GatewayChanged = client.call("gateway.add", GatewayAdd(name=name, kind=kind, **fields))
    return reply


def test_transports_of_addresses(client: Client, running: Running) -> None:
    """Stored and shown as given; 5061 is the port of tls (RFC 3261 19.1.2)."""
    given = ["192.0.2.7/tcp", "192.0.2.7/tls", "192.0.2.7:5070/tls", "192.0.2.7/udp"]
    shown = ["192.0.2.7:5060/tcp", "192.0.2.7:5061/tls", "192.0.2.7:5070/tls", "192.0.2.7:5060"]
    assert add(client, "telia", "routing", addresses=given).gateway.addresses == shown
    kept = running.node.configuration.gateways["telia"].addresses
    assert [at.transport for at in kept] == ["tcp", "tls", "tls", "udp"]
    assert client.call("gateway.show", path={"name": "telia"}).gateway.addresses == shown


def put(client: Client, name: str, **fields: Any) -> GatewayChanged:
    reply: GatewayChanged = client.call("gateway.set", GatewaySet(**fields), path={"name": name})
    return reply


def refusal(work: Any, *args: Any, **kwargs: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        work(*args, **kwargs)
    return refused.value.failure.kind, refused.value.failure.message


def test_added_shown_and_in_force(client: Client, running: Running) -> None:
    add(client, addresses=["203.0.113.9:5080"], capacity=30, account="a1", why="new customer")
    shown = client.call("gateway.show", path={"name": "acme"}).gateway
    assert shown == GatewayView(
        name="acme",
        kind="mapping",
        addresses=["203.0.113.9:5080"],
        auth="ip",
        capacity=30,
        account="a1",
        note="not tried since start",
    )
    gateway = running.node.configuration.gateways["acme"]
    assert gateway.addresses == (GatewayAddress("203.0.113.9", 5080, "udp"),)
    assert running.node.configuration.trusted(("203.0.113.9", 40000), "udp") is gateway
    assert [view.name for view in client.call("gateway.list").gateways] == ["acme"]


def test_routing_gateway_takes_part_in_routing(client: Client, running: Running) -> None:
    add(client, "telia", "routing", addresses=["192.0.2.7", "[2001:DB8::7]:5070"],
        prefixes=["+46", "47", "46"], priority=2)  # fmt: skip
    shown = client.call("gateway.show", path={"name": "telia"}).gateway
    assert shown.addresses == ["192.0.2.7:5060", "[2001:db8::7]:5070"]
    assert (shown.prefixes, shown.priority) == (["46", "47"], 2)
    found = routes("4685551", running.node.configuration.routes, lambda name: 0)
    assert [gateway.name for gateway in found] == ["telia"]


def test_who_when_what_and_why_are_kept(client: Client, running: Running) -> None:
    add(client, capacity=5, why="contract 17")
    put(client, "acme", values={"capacity": "9"}, why="contract 18")
    client.call("gateway.disable", Change(why="unpaid"), path={"name": "acme"})
    client.call("gateway.enable", Change(), path={"name": "acme"})
    client.call("gateway.remove", Change(why="left"), path={"name": "acme"})
    whole = "kind=mapping address=203.0.113.9:5060 auth=ip"
    assert [
        (row.verb, row.subject, row.old, row.new, row.why)
        for row in reversed(running.node.store.audit(10))
    ] == [
        ("gateway.add", "acme", "", f"{whole} priority=0 capacity=5 enabled=on", "contract 17"),
        ("gateway.set", "acme", "capacity=5", "capacity=9", "contract 18"),
        ("gateway.disable", "acme", "enabled=on", "enabled=off", "unpaid"),
        ("gateway.enable", "acme", "enabled=off", "enabled=on", ""),
        ("gateway.remove", "acme", f"{whole} priority=0 capacity=9 enabled=on", "", "left"),
    ]
    row = running.node.store.audit(1)[0]
    assert row.uid == os.geteuid()
    assert row.user


def test_nothing_changed_is_no_audit_row(client: Client, running: Running) -> None:
    add(client)
    assert put(client, "acme", values={"capacity": "0"}).changes == []
    assert len(running.node.store.audit(10)) == 1


def test_dry_run_changes_nothing(client: Client, running: Running) -> None:
    assert add(client, dry_run=True).dry_run
    assert running.node.configuration.gateways == {}
    add(client)
    changes = put(client, "acme", values={"capacity": "7"}, dry_run=True).changes
    assert [(c.name, c.old, c.new) for c in changes] == [("capacity", "0", "7")]
    client.call("gateway.remove", Change(dry_run=True), path={"name": "acme"})
    assert running.node.configuration.gateways["acme"].capacity == 0
    assert len(running.node.store.audit(10)) == 1


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_customers_password_is_kept_as_digests_only(client: Client, running: Running) -> None:
    """RFC 7616 3.4.2: H(user:realm:password) with realm vos, for both algorithms."""
    add(client, auth="password", user="acme1", password=SECRET)
    gateway = running.node.configuration.gateways["acme"]
    assert gateway.ha1_md5 == md5(f"acme1:vos:{SECRET}")
    assert gateway.ha1_sha256 == sha(f"acme1:vos:{SECRET}")
    assert gateway.password == ""


def test_digest_user_is_the_name_by_default(client: Client, running: Running) -> None:
    add(client, auth="password", password=SECRET, addresses=[])
    assert running.node.configuration.gateways["acme"].ha1_md5 == md5(f"acme:vos:{SECRET}")
    assert running.node.configuration.user("acme") is running.node.configuration.gateways["acme"]


def test_vendors_password_is_kept_for_its_challenges(client: Client, running: Running) -> None:
    add(client, "telia", "routing", user="us", password="x")
    gateway = running.node.configuration.gateways["telia"]
    assert (gateway.user, gateway.password, gateway.ha1_md5) == ("us", "x", "")


def test_no_secret_ever_comes_back(client: Client, running: Running) -> None:
    replies: list[Any] = [
        add(client, auth="password", password=SECRET),
        add(client, "telia", "routing", user="us", password=SECRET),
        put(client, "acme", password=SECRET + "2"),
        put(client, "telia", password=SECRET + "2"),
        client.call("gateway.list"),
        client.call("gateway.show", path={"name": "acme"}),
        client.call("gateway.remove", Change(), path={"name": "acme"}),
        running.node.store.audit(20),
    ]
    text = b"".join(msgspec.json.encode(reply) for reply in replies).decode()
    digests = [kind(f"acme:vos:{SECRET}{more}") for kind in (md5, sha) for more in ("", "2")]
    for secret in (SECRET, *digests):
        assert secret not in text
    assert replies[2].changes == [
        msgspec.convert({"name": "password", "old": "set", "new": "set anew"}, type(c))
        for c in replies[2].changes
    ]


def test_a_new_user_needs_the_password_again(client: Client, running: Running) -> None:
    add(client, auth="password", password=SECRET)
    kind, message = refusal(put, client, "acme", values={"user": "other"})
    assert kind == "bad_value"
    assert message == (
        "cannot use auth password for acme: no password is set for user other; "
        "add --password-file FILE"
    )
    put(client, "acme", values={"user": "other"}, password=SECRET)
    assert running.node.configuration.gateways["acme"].ha1_md5 == md5(f"other:vos:{SECRET}")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "a b"}, "cannot use 'a b' as a name: 1 to 64 printable characters without "
         "spaces are accepted"),
        ({"name": ""}, "cannot use '' as a name: 1 to 64 printable characters without spaces "
         "are accepted"),
        ({"name": "a\x1b[2J"}, "cannot use 'a\\x1b[2J' as a name: 1 to 64 printable characters "
         "without spaces are accepted"),
        ({"addresses": []}, "cannot do without an address for acme: only a mapping gateway with "
         "auth password may have none"),
        ({"addresses": ["300.1.1.1"]}, "cannot read the host of '300.1.1.1': an IP address or a "
         "DNS name would do"),
        ({"addresses": ["10.0.0.1:99999"]}, "cannot use port 99999 of '10.0.0.1:99999': 1 to "
         "65535 is accepted"),
        ({"addresses": ["10.0.0.1/sctp"]}, "cannot use transport 'sctp' of '10.0.0.1/sctp': udp, "
         "tcp or tls is accepted"),
        ({"addresses": ["10.0.0.1", "10.0.0.1:5060"]}, "cannot use '10.0.0.1,10.0.0.1:5060': one "
         "address stands twice"),
        ({"addresses": ["224.0.0.1"]}, "cannot use 224.0.0.1 as a gateway's address: a unicast "
         "one is accepted"),
        ({"prefixes": ["46"]}, "cannot give mapping gateway acme a prefix: prefixes choose among "
         "routing gateways"),
        ({"kind": "routing", "prefixes": ["4a"]}, "cannot use '4a' as a prefix: 1 to 32 digits "
         "are accepted"),
        ({"capacity": -1}, "cannot use capacity '-1': 0 to 1000000 is accepted"),
        ({"priority": 10**30}, f"cannot use priority '{10**30}': 0 to 1000000 is accepted"),
        ({"auth": "password"}, "cannot use auth password for acme: no password is set for user "
         "acme; add --password-file FILE"),
        ({"password": "short"}, "cannot use a password of 5 characters: at least 8, log-ins are "
         "guessed at all day"),
        ({"kind": "routing", "password": "x"}, "cannot use a password for acme without a user: "
         "add --user, or user=U"),
        ({"kind": "routing", "auth": "password", "user": "u"}, "cannot use auth password for "
         "acme: no password is set; add --user and --password-file"),
        ({"account": "a b"}, "cannot use 'a b' as a name: 1 to 64 printable characters without "
         "spaces are accepted"),
    ],
)  # fmt: skip
def test_bad_value(client: Client, running: Running, fields: dict[str, Any], message: str) -> None:
    assert refusal(add, client, **fields) == ("bad_value", message)
    assert running.node.configuration.gateways == {}


def test_a_name_is_taken_once(client: Client) -> None:
    add(client)
    assert refusal(add, client, addresses=["10.0.0.1"]) == (
        "exists",
        "cannot add gateway acme: it exists already; vosctl gateway set acme KEY=VALUE changes it",
    )


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ({}, {}, "both are known by address 203.0.113.9"),
        ({}, {"addresses": ["203.0.113.9:5070"]}, "both are known by address 203.0.113.9"),
        ({"addresses": ["2001:db8::1"]}, {"addresses": ["[2001:DB8:0::1]:5070"]},
         "both are known by address 2001:db8::1"),
        ({"auth": "ip_port"}, {"auth": "ip_port"},
         "both are known by address 203.0.113.9:5060"),
        ({"auth": "password", "user": "u", "password": SECRET},
         {"auth": "password", "user": "u", "password": SECRET}, "both are known by user u"),
    ],
)  # fmt: skip
def test_customers_that_could_not_be_told_apart(
    client: Client, first: dict[str, Any], second: dict[str, Any], what: str
) -> None:
    add(client, "one", **first)
    assert refusal(add, client, "two", **second) == (
        "conflict",
        f"cannot tell two from gateway one: {what}",
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"addresses": ["203.0.113.10"]}),
        ({}, {"auth": "ip_port"}),
        ({"auth": "ip_port"}, {"auth": "ip_port", "addresses": ["203.0.113.9:5061"]}),
        ({}, {"kind": "routing"}),
        ({}, {"auth": "password", "password": SECRET}),
    ],
)
def test_customers_that_can(client: Client, first: dict[str, Any], second: dict[str, Any]) -> None:
    add(client, "one", **first)
    add(client, "two", **second)
    assert len(client.call("gateway.list").gateways) == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colour": "red"}, "cannot set 'colour': a gateway has address auth user prefix priority "
         "capacity account register registrar domain"),
        ({"SS_MEDIAPROXYMODE": "off"}, "cannot set SS_MEDIAPROXYMODE here: a gateway's own value "
         "of a parameter is set with vosctl param set SS_MEDIAPROXYMODE=VALUE --gateway acme"),
        ({"password": "x"}, "cannot set 'password': passwords come by --password-file only"),
        ({"enabled": "off"}, "cannot set 'enabled': vosctl gateway enable acme and disable do "
         "that"),
        ({"kind": "routing"}, "cannot set 'kind': remove the gateway and add it anew"),
        ({"auth": "trust"}, "cannot use auth 'trust': ip, ip_port, password are accepted"),
        ({"capacity": "many"}, "cannot use capacity 'many': 0 to 1000000 is accepted"),
        ({"capacity": "5", "address": "nowhere:0"}, "cannot use port 0 of 'nowhere:0': 1 to 65535 "
         "is accepted"),
    ],
)  # fmt: skip
def test_set_is_all_or_nothing(
    client: Client, running: Running, values: dict[str, str], message: str
) -> None:
    add(client)
    before = running.node.configuration.gateways["acme"]
    assert refusal(put, client, "acme", values=values) == ("bad_value", message)
    assert running.node.configuration.gateways["acme"] == before


def test_an_override_is_shown_and_outlives_a_change(client: Client) -> None:
    add(client)
    change = ParamSet(values={"SS_MEDIAPROXYMODE": "off"}, gateway="acme")
    client.call("param.set", change)
    put(client, "acme", values={"capacity": "3"})
    shown = client.call("gateway.show", path={"name": "acme"}).gateway
    assert shown.overrides == {"SS_MEDIAPROXYMODE": "off"}
    client.call("gateway.remove", Change(), path={"name": "acme"})
    add(client)
    assert client.call("gateway.show", path={"name": "acme"}).gateway.overrides == {}


def test_a_near_name_is_offered(client: Client) -> None:
    add(client, "telia-1")
    with pytest.raises(Refused) as refused:
        client.call("gateway.show", path={"name": "telia1"})
    assert refused.value.failure.accepts == "telia-1"


@pytest.mark.parametrize("name", ["a/b", "ä€", "50%", "q?x=1", "a#b", "a+b", "[bold]"])
def test_any_name_travels(client: Client, name: str) -> None:
    add(client, name)
    assert client.call("gateway.show", path={"name": name}).gateway.name == name


def test_health_and_calls_stand_beside(client: Client, running: Running) -> None:
    add(client)
    running.node.calls.live = [call_view()]
    running.node.up["acme"] = (False, "no answer (timeout)")
    shown = client.call("gateway.show", path={"name": "acme"}).gateway
    assert (shown.calls, shown.up, shown.note) == (1, False, "no answer (timeout)")


def test_probe(client: Client, running: Running) -> None:
    add(client)
    reply = client.call("gateway.probe", path={"name": "acme"})
    assert (reply.up, reply.answer, reply.took_ms) == (True, "answered 200", 1.2)


def test_probe_gives_up(client: Client, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr("vosd.control.handlers.gateway.PROBE_S", 0.05)
    add(client)
    running.node.gate = asyncio.Event()
    reply = client.call("gateway.probe", path={"name": "acme"})
    assert (reply.up, reply.answer) == (False, "no answer within 0.05 s")
    running.loop.call_soon_threadsafe(running.node.gate.set)


def test_a_name_without_an_address_is_warned_of(client: Client) -> None:
    reply = add(client, addresses=["sip.example.invalid"])
    assert reply.warnings == [
        "cannot find an address of sip.example.invalid yet; it is looked up again"
    ]
