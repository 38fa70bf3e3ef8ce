# SPDX-License-Identifier: GPL-2.0-or-later
"""Every row of the catalogue is tested by existing; presets and rules of values together."""

from __future__ import annotations

import pytest

from vosd import catalog
from vosd.catalog import BadValue, Param, UnknownName, presets
from vosd.catalog.kinds import Word
from vosd.catalog.param import check_all
from vosd.catalog.rules import TOGETHER, broken

ROWS = list(catalog.ALL.values())
DEFAULTS = {name: row.initial for name, row in catalog.ALL.items()}

#: row -> default and both bounds of the source, or of the D row that corrects it
SOURCE = [
    ("JB-05", "SS_JITTERBUFFER_MODE", "adaptive", ["0", "1"]),
    ("JB-06", "SS_JITTERBUFFER_MIN", "20", ["10", "60"]),
    ("JB-07", "SS_JITTERBUFFER_MAX", "200", ["80", "400", "500"]),
    ("JB-08", "SS_JITTERBUFFER_DEFAULT", "60", ["20", "150"]),
    ("MP-01", "SS_MEDIAPROXYMODE", "must_on", ["0", "1", "2", "3"]),
    ("MP-08", "SS_MEDIAPROXYPORT_START", "10000", ["10000"]),
    ("MP-09 D56", "SS_MEDIAPROXYPORT_END", "32767", ["60000"]),
    ("MP-10", "SS_RTP_TIMEOUT", "30", ["30"]),
    ("QOS-02 D04", "SS_QOS_SIGNAL", "CS5 40 0xa0", ["24", "CS3"]),
    ("QOS-03", "SS_QOS_RTP", "EF 46 0xb8", ["46", "EF"]),
    ("AUD-01", "SS_ECHOCANCEL", "on", ["0", "1"]),
    ("AUD-02", "SS_ECHOCANCELTAIL", "128", ["64", "128", "256"]),
    ("AUD-03", "SS_VOICEGAIN", "0", ["-10", "10"]),
    ("AUD-04", "SS_COMFORTNOISE", "on", ["0", "1"]),
    ("STM-09 D21", "SS_SIP_SESSION_TTL", "600", ["90", "86400"]),
    ("STM-10", "SS_SIP_SESSION_UPDATE_SEGMENT", "2", ["2", "10"]),
    ("STM-11 D28", "SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP", "rfc", ["0", "3600"]),
    ("STM-12", "SS_SIP_NO_TIMER_REINVITE_INTERVAL", "7200", ["0", "86400"]),
    ("STM-13", "SS_SIP_SESSION_MIN_SE", "90", ["90", "3600"]),
    ("NAT-02", "SS_SIP_NAT_KEEP_ALIVE_MESSAGE", "HELLO", [""]),
    ("NAT-03", "SS_SIP_NAT_KEEP_ALIVE_PERIOD", "30", ["10", "86400"]),
    ("NAT-04", "SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL", "500", ["1", "10000"]),
    ("NAT-05", "SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME", "3000", ["1", "10000"]),
    ("SCN-02", "SERVER_VERIFY_CLEARING_CUSTOMER", "off", ["0", "1"]),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row: Param) -> None:
    value = row.initial
    assert row.kind.parse(row.kind.show(value)) == value
    assert row.name == row.name.upper()
    assert row.name.startswith(("SS_", "SERVER_"))
    assert row.summary
    assert not row.summary.endswith(".")
    assert len(row.summary) < 100
    assert row.kind.accepts()
    if row.seed:
        assert row.kind.parse(row.seed) != value


@pytest.mark.parametrize(
    ("row", "text"), [(row, text) for row in ROWS for text in row.kind.outside()],
    ids=lambda value: value.name if isinstance(value, Param) else value[:20],
)
def test_bounds_are_refused_just_outside(row: Param, text: str) -> None:
    with pytest.raises(BadValue) as caught:
        catalog.parse(row.name, text)
    assert row.name in str(caught.value)
    assert caught.value.value == text
    assert caught.value.accepts == row.kind.accepts()


def test_every_row_but_free_switches_has_a_bound_to_try() -> None:
    assert [row.name for row in ROWS if not row.kind.outside()] == []


@pytest.mark.parametrize(("rows", "name", "default", "accepted"), SOURCE)
def test_the_24_of_the_source(rows: str, name: str, default: str, accepted: list[str]) -> None:
    row = catalog.ALL[name]
    assert row.kind.show(row.initial) == default
    assert set(rows.split()) <= set(row.rows)
    for text in accepted:
        catalog.parse(name, text)


def test_the_source_names_24() -> None:
    assert len(SOURCE) == 24


# D21: RFC 4028 4 and 5 forbid less than 90 s, the source allows 60
@pytest.mark.parametrize("name", ["SS_SIP_SESSION_TTL", "SS_SIP_SESSION_MIN_SE"])
def test_d21_not_below_90(name: str) -> None:
    for text in ("60", "89"):
        with pytest.raises(BadValue):
            catalog.parse(name, text)
    assert catalog.parse(name, "90") == 90.0


def test_d21_ttl_not_below_min_se() -> None:
    rule = broken(DEFAULTS | {"SS_SIP_SESSION_TTL": 600.0, "SS_SIP_SESSION_MIN_SE": 601.0})
    assert rule is not None
    assert rule.names == ("SS_SIP_SESSION_TTL", "SS_SIP_SESSION_MIN_SE")
    assert broken(DEFAULTS | {"SS_SIP_SESSION_TTL": 90.0}) is None


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"SS_MEDIAPROXYPORT_START": 20000, "SS_MEDIAPROXYPORT_END": 20002},
         ("SS_MEDIAPROXYPORT_START", "SS_MEDIAPROXYPORT_END")),
        ({"SS_JITTERBUFFER_MIN": 0.201}, ("SS_JITTERBUFFER_MIN", "SS_JITTERBUFFER_MAX")),
    ],
)  # fmt: skip
def test_values_refused_together(values: dict[str, object], names: tuple[str, ...]) -> None:
    rule = broken(DEFAULTS | values)
    assert rule is not None
    assert rule.names == names


def test_defaults_hold_together() -> None:
    assert broken(DEFAULTS) is None
    assert {name for rule in TOGETHER for name in rule.names} <= set(catalog.ALL)


# JB-13..16, PRE-02..06, AUD-06, D04: the source's tables, number by number
JITTER = {"lan": (10, 80, 20), "wan": (20, 200, 60), "internet": (40, 300, 100),
          "satellite": (60, 400, 150)}  # fmt: skip
SESSION = {"wholesale": (600, 2, 0, 30), "call-center": (900, 3, 14400, 20),
           "mobile": (300, 2, 3600, 15), "enterprise": (1200, 2, 28800, 30),
           "high-security": (180, 2, 1800, 10)}  # fmt: skip


def typed(preset: str) -> dict[str, object]:
    return {name: catalog.parse(name, text) for name, text in presets.find(preset).values.items()}


@pytest.mark.parametrize("name", JITTER)
def test_jitter_presets(name: str) -> None:
    low, high, start = JITTER[name]
    assert typed(name) == {
        "SS_JITTERBUFFER_MODE": "adaptive", "SS_JITTERBUFFER_MIN": low / 1000,
        "SS_JITTERBUFFER_MAX": high / 1000, "SS_JITTERBUFFER_DEFAULT": start / 1000,
    }  # fmt: skip


@pytest.mark.parametrize("name", SESSION)
def test_session_presets(name: str) -> None:
    ttl, segment, longest, nat = SESSION[name]
    assert typed(name) == {
        "SS_SIP_SESSION_TTL": ttl, "SS_SIP_SESSION_UPDATE_SEGMENT": segment,
        "SS_SIP_NO_TIMER_REINVITE_INTERVAL": longest, "SS_SIP_NAT_KEEP_ALIVE_PERIOD": nat,
    }  # fmt: skip


def test_aud06_recommended() -> None:
    assert typed("recommended") == {
        "SS_ECHOCANCEL": True, "SS_ECHOCANCELTAIL": 128, "SS_VOICEGAIN": 0,
        "SS_COMFORTNOISE": True, "SS_JITTERBUFFER_MODE": "adaptive",
        "SS_JITTERBUFFER_MIN": 0.02, "SS_JITTERBUFFER_MAX": 0.2, "SS_JITTERBUFFER_DEFAULT": 0.06,
        "SS_MEDIAPROXYMODE": "must_on", "SS_QOS_SIGNAL": 24, "SS_QOS_RTP": 46,
        "SS_RTP_TIMEOUT": 30.0,
    }  # fmt: skip


def test_d04_qos_presets() -> None:
    assert typed("rfc4594") == {"SS_QOS_SIGNAL": 40, "SS_QOS_RTP": 46}
    assert typed("cs3") == {"SS_QOS_SIGNAL": 24, "SS_QOS_RTP": 46}


@pytest.mark.parametrize("preset", presets.PRESETS.values(), ids=lambda preset: preset.name)
def test_preset_holds_together(preset: presets.Preset) -> None:
    assert broken(DEFAULTS | typed(preset.name)) is None
    assert presets.find(preset.path) is preset
    assert presets.find(preset.name.upper().replace("-", "_")) is preset


def test_unknown_preset_names_a_close_one() -> None:
    with pytest.raises(presets.UnknownPreset) as caught:
        presets.find("satelite")
    assert str(caught.value) == "cannot find a preset 'satelite': did you mean satellite?"


@pytest.mark.parametrize(
    ("typed_name", "suggested"),
    [("SS_QOS_RPT", "SS_QOS_RTP"), ("qos_rtp", "SS_QOS_RTP"), ("ECHOCANCELTAIL",
     "SS_ECHOCANCELTAIL"), ("ss_mediaproxy_mode", "SS_MEDIAPROXYMODE")],
)  # fmt: skip
def test_unknown_name_is_answered_with_the_one_meant(typed_name: str, suggested: str) -> None:
    with pytest.raises(UnknownName) as caught:
        catalog.find(typed_name)
    assert caught.value.close[0] == suggested
    assert suggested in str(caught.value)


def test_names_are_found_in_any_case() -> None:
    assert catalog.find("ss_qos_rtp").name == "SS_QOS_RTP"


def test_bad_value_message() -> None:
    with pytest.raises(BadValue) as caught:
        catalog.parse("SS_RTP_TIMEOUT", "4")
    assert str(caught.value) == (
        "cannot set SS_RTP_TIMEOUT to '4': off or 5 to 3600 s would be accepted"
    )


def test_a_row_that_contradicts_itself_is_refused() -> None:
    bad = Param(name="SS_X", kind=Word(words={"a": None}), default="b", group="audio",
                takes_effect="now", summary="x")  # fmt: skip
    with pytest.raises(ValueError):
        check_all((bad,))
    with pytest.raises(ValueError, match="twice"):
        check_all((ROWS[0], ROWS[0]))
