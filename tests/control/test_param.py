# SPDX-License-Identifier: GPL-2.0-or-later
"""param.*: stored with its audit row, then in force; whole or nothing, one at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from vosd.control.access import Peer
from vosd.control.handler import Refusal
from vosd.control.handlers import param
from vosd.engine.settings import Settings, Snapshot
from vosd.store.store import Store
from vosd.switch.tables import Gateway, Listed, Phone
from vosd.wire import params, records
from vosd.wire.records import ParamSet

ROOT = Peer(1, 0, frozenset())


class FakeConfiguration:
    def __init__(self) -> None:
        self.gateways = {
            "cust1": Gateway(name="cust1", kind="mapping"),
            "vend1": Gateway(name="vend1", kind="routing"),
        }
        self.phones = {"1001": Phone(number="1001")}
        self.blacklist: list[Listed] = []
        self.reloads = 0

    def reload(self) -> None:
        self.reloads += 1


class FakeNode:
    """What the handlers touch of a node, over a real store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.settings = Settings(store.parameters())
        self.configuration = FakeConfiguration()
        self.lock = asyncio.Lock()

    def do(
        self, verb: str, request: Any = None, path: Mapping[str, str] | None = None,
        query: Any = None,
    ) -> Any:  # fmt: skip
        handler: Any = param.HANDLERS[verb]
        return asyncio.run(handler(self, ROOT, request, path or {}, query))

    def set(self, gateway: str | None = None, why: str = "", **values: str | None) -> Any:
        return self.do("param.set", ParamSet(values=dict(values), gateway=gateway, why=why))

    def history(self, name: str | None = None) -> list[records.AuditRow]:
        return list(self.do("param.history", query=params.HistoryQuery(name=name)).rows)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[FakeNode]:
    store = Store.open(f"sqlite:///{tmp_path}/vosd.db", node="n1", lock_path=None)
    yield FakeNode(store)
    store.close()


def again(node: FakeNode) -> Settings:
    """What a restarted daemon would hold."""
    return Settings(node.store.parameters())


def test_set_is_in_force_stored_and_audited(node: FakeNode) -> None:
    reply = node.set(why="two minutes of hold music", SS_RTP_TIMEOUT="2m")
    assert reply == records.ParamChanged(
        changes=[
            records.ParamChange(name="SS_RTP_TIMEOUT", old="30", new="120", takes_effect="now")
        ]
    )
    assert node.settings.snapshot.get("SS_RTP_TIMEOUT") == 120.0
    assert again(node).snapshot.get("SS_RTP_TIMEOUT") == 120.0
    row = node.history()[0]
    assert (row.uid, row.user, row.verb, row.subject, row.old, row.new, row.why) == (
        0, "root", "param.set", "SS_RTP_TIMEOUT", "30", "120", "two minutes of hold music",
    )  # fmt: skip
    assert row.at > 1e9


def test_nothing_of_a_bad_set_is_kept(node: FakeNode) -> None:
    with pytest.raises(Refusal) as caught:
        node.set(SS_RTP_TIMEOUT="60", SS_VOICEGAIN="11")
    failure = caught.value.failure
    assert (failure.kind, failure.value, failure.accepts) == ("bad_value", "11", "-10 to 10 dB")
    with pytest.raises(Refusal) as caught:
        node.set(SS_RTP_TIMEOUT="60", SS_RTP_TIME="60")
    assert caught.value.failure.kind == "bad_value"
    assert "SS_RTP_TIMEOUT" in caught.value.failure.message
    assert node.settings.snapshot.get("SS_RTP_TIMEOUT") == 30.0
    assert node.store.parameters() == []
    assert node.history() == []


def test_dry_run_keeps_nothing(node: FakeNode) -> None:
    reply = node.do("param.set", ParamSet(values={"SS_RTP_TIMEOUT": "60"}, dry_run=True))
    assert reply.dry_run
    assert [change.new for change in reply.changes] == ["60"]
    assert node.settings.snapshot.get("SS_RTP_TIMEOUT") == 30.0
    assert node.store.parameters() == []
    assert node.history() == []


def test_refused_by_a_group_the_store_is_put_back(node: FakeNode) -> None:
    node.set(SS_RTP_TIMEOUT="45")

    def refuse(snapshot: Snapshot) -> None:
        if snapshot.get("SS_RTP_TIMEOUT") == 60.0:
            raise OSError("no port free")

    node.settings.watch("media", refuse)
    with pytest.raises(Refusal) as caught:
        node.set(SS_RTP_TIMEOUT="60", SS_MAX_CPS="50")
    assert caught.value.failure.kind == "conflict"
    assert node.settings.snapshot.get("SS_RTP_TIMEOUT") == 45.0
    assert node.settings.snapshot.get("SS_MAX_CPS") == 0
    assert again(node).snapshot.values() == node.settings.snapshot.values()
    # the audit tells what happened: there and back
    assert [(row.old, row.new) for row in node.history("SS_RTP_TIMEOUT")] == [
        ("60", "45"), ("45", "60"), ("30", "45"),
    ]  # fmt: skip


def test_two_changes_at_once_never_mix(node: FakeNode) -> None:
    async def both() -> None:
        handler: Any = param.HANDLERS["param.set"]
        pairs = [{"SS_MEDIAPROXYPORT_START": str(start), "SS_MEDIAPROXYPORT_END": str(start + 99)}
                 for start in range(10000, 30000, 1000)]  # fmt: skip
        await asyncio.gather(
            *(handler(node, ROOT, ParamSet(values=dict(pair)), {}, None) for pair in pairs)
        )

    asyncio.run(both())
    for settings in (node.settings, again(node)):
        values = settings.snapshot
        start = values.get("SS_MEDIAPROXYPORT_START")
        assert values.get("SS_MEDIAPROXYPORT_END") == start + 99


# MP-12
def test_mp12_override_of_a_gateway(node: FakeNode) -> None:
    reply = node.set(gateway="vend1", SS_MEDIAPROXYMODE="0")
    assert (reply.changes[0].old, reply.changes[0].new) == ("", "off")
    assert node.configuration.reloads == 1
    shown = node.do("param.show", path={"name": "ss_mediaproxymode"}).parameter
    assert shown.overrides == {"vend1": "off"}
    assert again(node).overrides("vend1") == {"SS_MEDIAPROXYMODE": "off"}
    assert node.history("SS_MEDIAPROXYMODE")[0].subject == "SS_MEDIAPROXYMODE@vend1"
    with pytest.raises(Refusal) as caught:
        node.set(gateway="nobody", SS_MEDIAPROXYMODE="off")
    assert caught.value.failure.kind == "not_found"
    with pytest.raises(Refusal) as caught:
        node.set(gateway="vend1", SS_QOS_RTP="CS3")
    assert caught.value.failure.kind == "bad_value"


def test_mis05_second_audio_change_is_warned_of(node: FakeNode) -> None:
    assert not any("MIS-05" in text for text in node.set(SS_QOS_RTP="CS5").warnings)
    assert not any("MIS-05" in text for text in node.set(SS_ECHOCANCELTAIL="256").warnings)
    assert any("MIS-05" in text for text in node.set(SS_MEDIAPROXYMODE="on").warnings)
    assert node.set(SS_RTP_TIMEOUT="60").warnings == []


def test_mis05_is_silent_when_the_first_was_put_back(node: FakeNode) -> None:
    node.set(SS_QOS_RTP="CS5")
    node.set(SS_QOS_RTP=None)
    assert not any("MIS-05" in text for text in node.set(SS_MEDIAPROXYMODE="on").warnings)


IDLE = ("D12: SS_MEDIAPROXYMODE=off of gateway vend1 has no effect: the value for all, must_on, "
        "decides before it; it would have with: vosctl param set SS_MEDIAPROXYMODE=on")  # fmt: skip


def test_mp12_a_gateways_value_that_has_no_effect_is_warned_of(node: FakeNode) -> None:
    """D12: said when it is set, and when the value for all rises above it; of no other's."""
    assert IDLE in node.set(gateway="vend1", SS_MEDIAPROXYMODE="off").warnings
    other = node.set(gateway="cust1", SS_MEDIAPROXYMODE="must_on")
    assert not any("D12" in text for text in other.warnings)
    assert not any("D12" in text for text in node.set(SS_MEDIAPROXYMODE="on").warnings)
    assert IDLE in node.set(SS_MEDIAPROXYMODE="must_on").warnings
    assert IDLE not in node.set(SS_RTP_TIMEOUT="60").warnings
    found = [row.change for row in node.do("param.lint").findings if row.code == "D12"]
    assert found == ["vosctl param set SS_MEDIAPROXYMODE=on"]
    node.set(gateway="vend1", SS_MEDIAPROXYMODE=None)
    assert not any(row.code == "D12" for row in node.do("param.lint").findings)


def test_mp12_what_one_gateway_has_of_its_own(node: FakeNode) -> None:
    for name, value in (("vend1", "off"), ("cust1", "auto")):
        node.set(gateway=name, SS_MEDIAPROXYMODE=value)
    node.set(SS_RTP_TIMEOUT="60")
    query = params.ParamQuery(changed=True, gateway="vend1")
    rows = node.do("param.list", query=query).parameters
    assert [(row.name, row.overrides) for row in rows] == [
        ("SS_MEDIAPROXYMODE", {"vend1": "off"})
    ]
    with pytest.raises(Refusal) as caught:
        node.do("param.list", query=params.ParamQuery(gateway="vend2"))
    failure = caught.value.failure
    assert (failure.kind, failure.value, failure.accepts) == ("not_found", "vend2", "vend1")


def test_preset_is_one_act_with_its_name_as_source(node: FakeNode) -> None:
    reply = node.do(
        "param.preset.apply", params.PresetApply(why="ADSL"), {"name": "jitter/internet"}
    )
    assert [(row.name, row.new) for row in reply.changes] == [
        ("SS_JITTERBUFFER_MIN", "40"), ("SS_JITTERBUFFER_MAX", "300"),
        ("SS_JITTERBUFFER_DEFAULT", "100"),
    ]  # fmt: skip
    assert not any("MIS-05" in text for text in reply.warnings)
    assert again(node).view("SS_JITTERBUFFER_MAX").source == "preset jitter/internet"
    assert node.history()[0].verb == "param.preset.apply"
    assert node.do("param.preset.show", path={"name": "internet"}).preset.in_force
    in_force = {row.name: row.in_force for row in node.do("param.preset.list").presets}
    assert in_force["internet"]
    assert not in_force["wan"]


def test_preset_of_values_for_all_cannot_go_to_a_gateway(node: FakeNode) -> None:
    with pytest.raises(Refusal) as caught:
        node.do("param.preset.apply", params.PresetApply(gateway="vend1"), {"name": "wan"})
    assert caught.value.failure.kind == "bad_value"
    with pytest.raises(Refusal) as caught:
        node.do("param.preset.show", path={"name": "wam"})
    assert "did you mean wan" in caught.value.failure.message


@pytest.mark.parametrize(
    "request_", [ParamSet(values={}), ParamSet(values={"SS_MAX_CPS": "5"}, preset="wan")]
)
def test_a_set_that_says_nothing_or_poses_as_a_preset_is_refused(
    node: FakeNode, request_: ParamSet
) -> None:
    with pytest.raises(Refusal) as caught:
        node.do("param.set", request_)
    assert caught.value.failure.kind == "bad_request"


def test_list_and_its_filters(node: FakeNode) -> None:
    everything = node.do("param.list", query=params.ParamQuery()).parameters
    assert len(everything) >= 24
    qos = node.do("param.list", query=params.ParamQuery(group="qos")).parameters
    assert [(row.name, row.value) for row in qos] == [
        ("SS_QOS_SIGNAL", "CS5 40 0xa0"), ("SS_QOS_RTP", "EF 46 0xb8"),
    ]  # fmt: skip
    with pytest.raises(Refusal) as caught:
        node.do("param.list", query=params.ParamQuery(group="sound"))
    assert "jitter" in caught.value.failure.accepts


def codes(node: FakeNode) -> list[str]:
    return [row.code for row in node.do("param.lint").findings]


def test_lint_looks_at_this_configuration(
    node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(param, "ephemeral", lambda: (32768, 60999))
    monkeypatch.setattr(param, "reserved", list)
    assert codes(node) == ["MIS-03", "D78"]
    node.set(SS_MEDIAPROXYPORT_END="60000")
    assert codes(node) == ["MIS-03", "D56", "D78"]
    node.set(SS_MEDIAPROXYPORT_END="32767", SS_ECHOCANCEL="off")
    node.configuration.blacklist = [Listed(number="900", prefix=True, side="callee")]
    assert codes(node) == ["MIS-01", "MIS-03"]
    node.configuration.blacklist = [Listed(number="900", side="caller")]
    assert codes(node) == ["MIS-01", "MIS-03", "D78"]
    node.configuration.blacklist = [Listed(number="900", side="callee", expires=1.0)]
    assert codes(node) == ["MIS-01", "MIS-03", "D78"]


def test_mis04_calls_refused_for_their_codecs(node: FakeNode) -> None:
    kept = threading.Semaphore(0)
    for number, code in enumerate((488, 488, 486)):
        record = records.Cdr(
            id=f"c{number}", node="n1", caller="1", callee="2", mapping="cust1",
            routing="vend1", started_at=time.time() - 60, sip_code=code,
        )  # fmt: skip
        node.store.cdr.closed(record, None, lambda error: kept.release())
    assert all(kept.acquire(timeout=10) for _ in range(3))
    found = [row for row in node.do("param.lint").findings if row.code == "MIS-04"]
    assert [row.evidence[0] for row in found] == ["2 calls refused with 488 or 606"]
    assert "cust1 and vend1" in found[0].sentence


def test_d56_is_warned_of_when_the_ports_are_set(
    node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(param, "ephemeral", lambda: (32768, 60999))
    monkeypatch.setattr(param, "reserved", list)
    warnings = node.set(SS_MEDIAPROXYPORT_END="40001").warnings
    assert [text.split(":")[0] for text in warnings] == ["D56"]
    assert node.set(SS_MEDIAPROXYPORT_END="30001").warnings == []


@pytest.mark.parametrize(
    ("text", "ephemeral", "reserved"),
    [
        ("32768\t60999\n", (32768, 60999), [(32768, 32768), (60999, 60999)]),
        ("8080,10000-60000\n", None, [(8080, 8080), (10000, 60000)]),
        ("\n", None, []),
        (None, None, []),
    ],
)
def test_what_the_system_says_of_its_ports(
    tmp_path: Path, text: str | None, ephemeral: object, reserved: object
) -> None:
    file = tmp_path / "range"
    if text is not None:
        file.write_text(text)
    if text is None or "-" not in text:
        assert param.ephemeral(file) == ephemeral
    assert param.reserved(file) == reserved


def test_history_is_bounded(node: FakeNode) -> None:
    for limit in (0, -1, 10_001):
        with pytest.raises(Refusal) as caught:
            node.do("param.history", query=params.HistoryQuery(limit=limit))
        assert caught.value.failure.kind == "bad_value"
    with pytest.raises(Refusal):
        node.history("SS_NOTHING")


def test_every_verb_of_parameters_has_its_handler() -> None:
    from vosd.wire.verbs import VERBS

    assert set(param.HANDLERS) == {name for name in VERBS if name.startswith("param.")}
