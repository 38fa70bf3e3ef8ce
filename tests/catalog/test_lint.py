# SPDX-License-Identifier: GPL-2.0-or-later
"""Lint rows: what trips each, what must not, and the whole text of a finding."""

from __future__ import annotations

from typing import Any

import pytest

from vosd import catalog
from vosd.catalog import lint, presets
from vosd.catalog.lint import Change, CodecPath, Entry, Facts, LintFinding

DEFAULTS = {name: row.initial for name, row in catalog.ALL.items()}
LINUX = (32768, 60999)
GATEWAY = Entry(kind="gateway", name="cust1", callees_screened=True)
PHONE = Entry(kind="phone", name="1001", callees_screened=False)
PATH = CodecPath(mapping="cust1", routing="vend1", mapping_codecs=("PCMA", "PCMU"),
                 routing_codecs=("G729",))  # fmt: skip
EC = {"SS_ECHOCANCEL": ("on", "off")}
GAIN = {"SS_VOICEGAIN": ("0", "3")}
NOW = 10_000.0


def facts(*changes: str, **more: Any) -> Facts:
    """Facts of a configuration where `NAME=VALUE` differ from the defaults."""
    values = dict(DEFAULTS)
    for change in changes:
        name, _, text = change.partition("=")
        values[name] = catalog.parse(name, text)
    return Facts(values=values, now=NOW, **more)


def jitter(name: str) -> Facts:
    return facts(*(f"{key}={text}" for key, text in presets.find(name).values.items()))


def acts(*changes: Change, measured: tuple[float, ...] = ()) -> Facts:
    return facts(changes=changes, measured=measured)


TRIPPED = [
    ("MIS-01", facts("SS_ECHOCANCEL=0")),
    # the source's example, 300 ms, and the case's 500 ms (CAS-02)
    ("MIS-02", facts("SS_JITTERBUFFER_MAX=300")),
    ("MIS-02", facts("SS_JITTERBUFFER_MAX=500")),
    # D09: fixed mode holds DEFAULT
    ("MIS-02", facts("SS_JITTERBUFFER_MODE=fixed", "SS_JITTERBUFFER_DEFAULT=201")),
    ("MIS-03", facts()),
    ("MIS-04", facts(paths=[PATH])),
    ("MIS-04", facts(paths=[CodecPath(mapping="a", routing="b", refused=1)])),
    ("MIS-05", acts(Change(at=NOW - 60, values=EC), Change(at=NOW - 30, values=GAIN))),
    ("MIS-05", acts(Change(at=NOW - 60, values=EC | GAIN))),
    ("MIS-05", acts(Change(at=NOW - 60, values=EC, preset=True),
                    Change(at=NOW - 30, values=GAIN))),
    ("MIS-05", acts(Change(at=NOW - 60, values={"SS_MEDIAPROXYMODE@v1": ("", "off"),
                                                "SS_MEDIAPROXYMODE@v2": ("", "on")}))),
    ("D08", facts("SS_JITTERBUFFER_MIN=19")),
    ("D08", facts("SS_JITTERBUFFER_MAX=401")),
    ("D09", facts("SS_JITTERBUFFER_DEFAULT=19")),
    ("D09", facts("SS_JITTERBUFFER_DEFAULT=201")),
    ("D56", facts(ephemeral=LINUX)),
    ("D56", facts(ephemeral=LINUX, reserved=[(40000, 60000)])),
    ("D56", facts("SS_MEDIAPROXYPORT_END=32768", ephemeral=LINUX)),
    ("D78", facts(entries=[GATEWAY, PHONE])),
]  # fmt: skip

CLEAN = [
    ("MIS-01", facts()),
    ("MIS-02", facts("SS_JITTERBUFFER_MAX=200")),
    ("MIS-02", facts("SS_JITTERBUFFER_MODE=fixed", "SS_JITTERBUFFER_MAX=300")),
    # D08: what a preset says is right for its path
    ("MIS-02", jitter("satellite")),
    ("MIS-03", facts("SS_QOS_SIGNAL=0", "SS_QOS_RTP=0")),
    ("MIS-04", facts(paths=[CodecPath(mapping="a", routing="b", mapping_codecs=("PCMA", "G729"),
                                      routing_codecs=("G729",))])),
    ("MIS-04", facts(paths=[CodecPath(mapping="a", routing="b")])),
    ("MIS-04", facts(paths=[PATH], transcoding=30)),
    ("MIS-05", acts(Change(at=NOW - 60, values=EC))),
    ("MIS-05", acts(Change(at=NOW - 60, values=EC), Change(at=NOW - 30, values=GAIN),
                    measured=(NOW - 45,))),
    ("MIS-05", acts(Change(at=NOW - 3601, values=EC), Change(at=NOW - 30, values=GAIN))),
    # a preset is one act
    ("MIS-05", acts(Change(at=NOW - 60, values=EC | GAIN, preset=True))),
    # put back: one change is left
    ("MIS-05", acts(Change(at=NOW - 60, values=EC),
                    Change(at=NOW - 50, values={"SS_ECHOCANCEL": ("off", "on")}),
                    Change(at=NOW - 30, values=GAIN))),
    # not audible
    ("MIS-05", acts(Change(at=NOW - 60, values=EC),
                    Change(at=NOW - 30, values={"SS_MAX_CPS": ("unlimited", "50")}))),
    ("D08", jitter("lan")),
    ("D08", jitter("satellite")),
    ("D08", facts("SS_JITTERBUFFER_MODE=fixed", "SS_JITTERBUFFER_MIN=0")),
    ("D09", facts("SS_JITTERBUFFER_MODE=fixed", "SS_JITTERBUFFER_DEFAULT=19")),
    ("D56", facts("SS_MEDIAPROXYPORT_END=32767", ephemeral=LINUX)),
    ("D56", facts(ephemeral=LINUX, reserved=[(45001, 60000), (32768, 45000)])),
    ("D56", facts(ephemeral=None)),
    ("D78", facts(entries=[GATEWAY])),
    ("D78", facts()),
]  # fmt: skip


@pytest.mark.parametrize(("code", "given"), TRIPPED)
def test_tripped(code: str, given: Facts) -> None:
    found = [finding for finding in lint.lint(given) if finding.code == code]
    assert len(found) == 1
    assert found[0].evidence
    assert found[0].change
    assert found[0].severity == ("note" if code == "MIS-03" else "warning")


@pytest.mark.parametrize(("code", "given"), CLEAN)
def test_clean(code: str, given: Facts) -> None:
    assert [finding for finding in lint.lint(given) if finding.code == code] == []


@pytest.mark.parametrize("code", lint.ROWS)
def test_every_row_has_both_fixtures(code: str) -> None:
    assert code in {row[0] for row in TRIPPED}
    assert code in {row[0] for row in CLEAN}


def test_mis02_whole() -> None:
    assert list(lint.oversized_buffer(facts("SS_JITTERBUFFER_MAX=300"))) == [
        LintFinding(
            code="MIS-02", severity="warning",
            sentence="the jitter buffer may hold 300 ms: delay that callers hear as echo",
            evidence=["SS_JITTERBUFFER_MODE is adaptive (1)", "SS_JITTERBUFFER_MAX is 300 ms",
                      "at most 200 ms, or a preset made for the path's jitter"],
            change="vosctl param set SS_JITTERBUFFER_MAX=200",
            names=("SS_JITTERBUFFER_MAX", "SS_JITTERBUFFER_MODE"),
        )
    ]  # fmt: skip


# (32767 - 10000 + 1) / 4 ports a call = 5692 calls
def test_d56_whole() -> None:
    finding = next(lint.ports_ephemeral(facts(ephemeral=LINUX)))
    assert finding.evidence == [
        "RTP ports 10000-60000",
        "ephemeral ports 32768-60999",
        "ports 10000-32767 carry 5692 calls",
    ]
    assert finding.change == "vosctl param set SS_MEDIAPROXYPORT_END=32767"


def test_d56_reserves_where_no_ports_lie_below() -> None:
    given = facts("SS_MEDIAPROXYPORT_START=40000", ephemeral=LINUX)
    finding = next(lint.ports_ephemeral(given))
    assert finding.change == "sysctl -w net.ipv4.ip_local_reserved_ports=40000-60000"


def test_mis05_says_when_and_what() -> None:
    given = acts(Change(at=NOW - 720, values=EC), Change(at=NOW - 30, values=GAIN))
    finding = next(lint.changed_at_once(given))
    assert finding.evidence == [
        "SS_ECHOCANCEL on -> off 12 min ago",
        "SS_VOICEGAIN 0 -> 3 30 s ago",
    ]
    assert finding.names == ("SS_ECHOCANCEL", "SS_VOICEGAIN")


def test_d78_names_the_way_in() -> None:
    finding = next(lint.entry_unscreened(facts(entries=[GATEWAY, PHONE])))
    assert finding.evidence == ["phone 1001"]
    assert "1 of 2 ways in" in finding.sentence


# the change a finding of a value proposes must end it
@pytest.mark.parametrize(
    ("code", "given"),
    [row for row in TRIPPED if row[0] in ("MIS-01", "MIS-02", "D08", "D09", "D56")],
)
def test_the_change_ends_it(code: str, given: Facts) -> None:
    finding = next(f for f in lint.lint(given) if f.code == code)
    words = finding.change.split()
    if words[:3] == ["vosctl", "param", "set"]:
        changes = dict(word.split("=") for word in words[3:])
    else:
        assert words[:4] == ["vosctl", "param", "preset", "apply"]
        changes = presets.find(words[4]).values
    values = dict(given.values) | {n: catalog.parse(n, text) for n, text in changes.items()}
    after = Facts(values=values, ephemeral=given.ephemeral, reserved=given.reserved)
    assert code not in {f.code for f in lint.lint(after)}
