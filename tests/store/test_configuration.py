# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator configures: whole rows in, whole rows out, each with its audit."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.store.conftest import PATIENCE_S, url
from tests.store.rows import HOSTILE, entry
from vosd.store import ParameterChange, ParameterRow, Store, StoreError
from vosd.switch.tables import Binding, Gateway, GatewayAddress, Listed, Phone

FULL_GATEWAY = Gateway(
    name="vendor",
    kind="routing",
    addresses=(GatewayAddress("192.0.2.1"), GatewayAddress("2001:db8::1", 5080, "tcp")),
    auth="password",
    user="u",
    ha1_md5="a" * 32,
    ha1_sha256="b" * 64,
    password="secret",
    prefixes=("44", "1", ""),
    priority=-3,
    capacity=120,
    account="acme",
    enabled=False,
    overrides={"SS_MEDIAPROXYMODE": "off", "SS_RTP_TIMEOUT": "30"},
)
FULL_PHONE = Phone(
    number="1001",
    ha1_md5="c" * 32,
    ha1_sha256="d" * 64,
    account="acme",
    enabled=False,
    display="Ada",
    overrides={"SS_MEDIAPROXYMODE": "on"},
)
FULL_BINDING = Binding(
    number="1001",
    contact="sip:1001@10.0.0.7:5062",
    host="203.0.113.9",
    port=40001,
    transport="tcp",
    local=2,
    expires=1600.25,
    registered=1000.75,
    call_id="abc@phone",
    cseq=2**31 - 1,
    user_agent="baresip",
    nat=True,
)
FULL_LISTED = Listed(
    number="4930",
    prefix=True,
    side="caller",
    expires=2000.5,
    why="fraud",
    created=1000.5,
    created_by="ada",
)


@pytest.mark.parametrize("gateway", [FULL_GATEWAY, Gateway(name="customer", kind="mapping")])
def test_gateway_comes_back_whole(store: Store, gateway: Gateway) -> None:
    store.put_gateway(gateway, entry("gateway.add", gateway.name)).result(PATIENCE_S)
    assert store.gateways() == [gateway]
    assert store.audit() == [entry("gateway.add", gateway.name)]


def test_gateway_is_replaced_and_keeps_the_source_of_unchanged_overrides(store: Store) -> None:
    store.put_gateway(FULL_GATEWAY, ()).result(PATIENCE_S)
    preset = ParameterChange("SS_RTP_TIMEOUT", "vendor", "30", "preset wan")
    store.set_parameters([preset], ()).result(PATIENCE_S)
    changed = msgspec.structs.replace(
        FULL_GATEWAY, priority=9, overrides={"SS_RTP_TIMEOUT": "30", "SS_QOS_RTP": "CS3"}
    )
    store.put_gateway(changed, ()).result(PATIENCE_S)
    assert store.gateways() == [changed]
    assert store.parameters() == [
        ParameterRow("SS_QOS_RTP", "vendor", "CS3", "operator"),
        ParameterRow("SS_RTP_TIMEOUT", "vendor", "30", "preset wan"),
    ]


def test_gateway_removed_takes_its_overrides_along(store: Store) -> None:
    other = msgspec.structs.replace(FULL_GATEWAY, name="other")
    for gateway in (FULL_GATEWAY, other):
        store.put_gateway(gateway, ()).result(PATIENCE_S)
    assert store.remove_gateway("vendor", entry("gateway.remove")).result(PATIENCE_S) is True
    assert store.remove_gateway("vendor", ()).result(PATIENCE_S) is False
    assert store.gateways() == [other]
    assert {row.gateway for row in store.parameters()} == {"other"}


@pytest.mark.parametrize("phone", [FULL_PHONE, Phone(number="1002")])
def test_phone_comes_back_whole(store: Store, phone: Phone) -> None:
    store.put_phone(Phone(number=phone.number), ()).result(PATIENCE_S)
    store.put_phone(phone, entry("phone.set", phone.number)).result(PATIENCE_S)
    assert store.phones() == [phone]
    assert store.audit() == [entry("phone.set", phone.number)]


def test_phone_removed_takes_its_registrations_along(store: Store) -> None:
    other = msgspec.structs.replace(FULL_BINDING, number="1002")
    store.put_phone(FULL_PHONE, ()).result(PATIENCE_S)
    store.put_binding(FULL_BINDING)
    store.put_binding(other)
    store.writer.flush(PATIENCE_S)
    assert store.remove_phone("1001", ()).result(PATIENCE_S) is True
    assert store.remove_phone("1001", ()).result(PATIENCE_S) is False
    assert (store.phones(), store.bindings()) == ([], [other])


def test_bindings_survive_a_restart_and_the_last_word_counts(path: Path) -> None:
    second = msgspec.structs.replace(FULL_BINDING, contact="sip:1001@10.0.0.8", nat=False)
    renewed = msgspec.structs.replace(FULL_BINDING, expires=1700.0, cseq=8)
    first = Store.open(url(path), node="edge-1")
    first.put_binding(FULL_BINDING)
    first.put_binding(second)
    first.remove_binding("1001", second.contact)
    first.writer.flush(PATIENCE_S)
    first.remove_binding("1001", FULL_BINDING.contact)
    first.put_binding(renewed)
    first.close()
    again = Store.open(url(path), node="edge-1")
    assert again.bindings() == [renewed]
    again.close()


def test_blacklist_rows_differ_by_number_prefix_and_side(store: Store) -> None:
    exact = Listed(number="4930", side="caller", created=1.0)
    both = Listed(number="4930", prefix=True, created=1.0)
    other = Listed(number="55", created=1.0)
    longer = msgspec.structs.replace(FULL_LISTED, expires=None, why="still")
    audits = [entry("blacklist.add", "4930"), entry("blacklist.add", "55")]
    store.put_blacklist([exact, both, FULL_LISTED, other], audits).result(PATIENCE_S)
    store.put_blacklist([longer], ()).result(PATIENCE_S)
    assert store.blacklist() == [exact, both, longer, other]
    assert store.audit() == audits[::-1]
    assert store.remove_blacklist([longer], ()).result(PATIENCE_S) == 1
    assert store.blacklist() == [exact, both, other]
    assert store.remove_blacklist(["4930", "77"], ()).result(PATIENCE_S) == 2
    assert store.blacklist() == [other]


def test_parameters_with_source_and_override_reset_to_default(store: Store) -> None:
    changes = [
        ParameterChange("SS_RTP_TIMEOUT", None, "60"),
        ParameterChange("SS_RTP_TIMEOUT", "vendor", "20"),
        ParameterChange("SS_QOS_RTP", None, "EF", "preset rfc4594"),
    ]
    store.set_parameters(changes, [entry("param.set", c.name) for c in changes]).result(PATIENCE_S)
    assert store.parameters() == [
        ParameterRow("SS_QOS_RTP", None, "EF", "preset rfc4594"),
        ParameterRow("SS_RTP_TIMEOUT", None, "60", "operator"),
        ParameterRow("SS_RTP_TIMEOUT", "vendor", "20", "operator"),
    ]
    back = [ParameterChange("SS_RTP_TIMEOUT", None, None), ParameterChange("NEVER_SET", None, None)]
    store.set_parameters(back, ()).result(PATIENCE_S)
    assert [(row.name, row.gateway) for row in store.parameters()] == [
        ("SS_QOS_RTP", None),
        ("SS_RTP_TIMEOUT", "vendor"),
    ]


def test_a_refused_change_leaves_neither_row_nor_audit(store: Store) -> None:
    broken = ParameterChange("SS_QOS_RTP", None, "\ud800")
    changes = [ParameterChange("SS_RTP_TIMEOUT", None, "60"), broken]
    refused = store.set_parameters(changes, entry())
    fine = store.put_phone(FULL_PHONE, entry("phone.add"))
    with pytest.raises(StoreError, match=r"^cannot store the change: .*surrogates"):
        refused.result(PATIENCE_S)
    fine.result(PATIENCE_S)
    assert store.parameters() == []
    assert store.audit() == [entry("phone.add")]
    assert (store.writer.error, store.writer.accepting) == (None, True)


def test_audit_newest_first_by_verb_and_subject(store: Store) -> None:
    rows = [
        entry("param.set", "SS_QOS_RTP", 1.0, "tuning"),
        entry("param.reset", "SS_RTP_TIMEOUT", 2.0),
        entry("gateway.add", "SS_QOS_RTP", 3.0),
        entry("params", "other", 0.5),
    ]
    for row in rows:
        store.write_audit(row).result(PATIENCE_S)
    assert store.audit() == rows[::-1]
    assert store.audit(limit=1) == [rows[3]]
    assert store.audit(verb_prefix="param.") == [rows[1], rows[0]]
    assert store.audit(subject="SS_QOS_RTP") == [rows[2], rows[0]]
    assert store.audit(verb_prefix="param.", subject="SS_QOS_RTP") == [rows[0]]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_survives_in_every_field(store: Store, text: str) -> None:
    """Reliability row 22: bound parameters only."""
    gateway = msgspec.structs.replace(
        FULL_GATEWAY,
        name=text or "n",
        addresses=(GatewayAddress(text),),
        user=text,
        password=text,
        prefixes=(text,),
        account=text,
        overrides={"P" + text: text},
    )
    phone = msgspec.structs.replace(
        FULL_PHONE, number=text, account=text, display=text, overrides={text: text}
    )
    binding = msgspec.structs.replace(
        FULL_BINDING, number=text, contact=text, host=text, call_id=text, user_agent=text
    )
    listed = msgspec.structs.replace(FULL_LISTED, number=text, why=text, created_by=text)
    audit = entry(verb=text, subject=text, why=text)
    store.put_gateway(gateway, ())
    store.put_phone(phone, ())
    store.put_blacklist([listed], audit)
    store.put_binding(binding)
    store.writer.flush(PATIENCE_S)
    assert store.gateways() == [gateway]
    assert store.phones() == [phone]
    assert store.blacklist() == [listed]
    assert store.bindings() == [binding]
    assert store.audit(subject=text, verb_prefix=text) == [audit]
    assert store.remove_blacklist([text], ()).result(PATIENCE_S) == 1
    assert store.remove_gateway(gateway.name, ()).result(PATIENCE_S) is True
    store.remove_binding(text, text)
    store.writer.flush(PATIENCE_S)
    assert (store.parameters(), store.gateways(), store.bindings()) == ([], [], [])


def test_a_key_is_made_once_and_kept(path: Path) -> None:
    """Nodes with one database sign alike, and so does one that was started anew."""
    first = Store.open(url(path), node="edge-1")
    made, other = first.key("nonces"), first.key("other")
    assert (len(made), made == other, first.key("nonces") == made) == (32, False, True)
    first.close()
    again = Store.open(url(path), node="edge-1")
    assert again.key("nonces") == made
    again.close()
