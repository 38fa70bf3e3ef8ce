# SPDX-License-Identifier: GPL-2.0-or-later
"""Presets: the source's tables of values that belong together.

A preset is named `group/name`; the name alone is enough, it is unique.
"""

from __future__ import annotations

from difflib import get_close_matches

import msgspec

from vosd import catalog


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """Values to set in one go, in the catalogue's own spelling."""

    name: str
    group: str
    summary: str
    values: dict[str, str]
    rows: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.group}/{self.name}"


class UnknownPreset(KeyError):
    """No preset of that name; `close` holds similar ones."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        self.close = get_close_matches(
            name.lower(), BY_PATH if "/" in name else PRESETS, n=2, cutoff=0.6)

    def __str__(self) -> str:
        hint = f"did you mean {' or '.join(self.close)}?" if self.close else (
            "vosctl param preset list shows all")
        return f"cannot find a preset {self.name!r}: {hint}"


def _jitter(name: str, summary: str, row: str, low: int, high: int, start: int) -> Preset:
    values = {
        "SS_JITTERBUFFER_MODE": "adaptive", "SS_JITTERBUFFER_MIN": str(low),
        "SS_JITTERBUFFER_MAX": str(high), "SS_JITTERBUFFER_DEFAULT": str(start),
    }
    return Preset(name=name, group="jitter", summary=summary, values=values, rows=(row,))


def _session(
    name: str, summary: str, row: str, ttl: int, segment: int, longest: str, nat: int
) -> Preset:
    values = {
        "SS_SIP_SESSION_TTL": str(ttl), "SS_SIP_SESSION_UPDATE_SEGMENT": str(segment),
        "SS_SIP_NO_TIMER_REINVITE_INTERVAL": longest, "SS_SIP_NAT_KEEP_ALIVE_PERIOD": str(nat),
    }
    return Preset(name=name, group="session", summary=summary, values=values, rows=(row,))


RECOMMENDED = {
    "SS_ECHOCANCEL": "on", "SS_ECHOCANCELTAIL": "128", "SS_VOICEGAIN": "0",
    "SS_COMFORTNOISE": "on", "SS_JITTERBUFFER_MODE": "adaptive", "SS_JITTERBUFFER_MIN": "20",
    "SS_JITTERBUFFER_MAX": "200", "SS_JITTERBUFFER_DEFAULT": "60", "SS_MEDIAPROXYMODE": "must_on",
    "SS_QOS_SIGNAL": "CS3", "SS_QOS_RTP": "EF", "SS_RTP_TIMEOUT": "30",
}

_ROWS = (
    _jitter("lan", "jitter below 10 ms; fixed serves as well", "JB-13", 10, 80, 20),
    _jitter("wan", "jitter of 10 to 30 ms", "JB-14", 20, 200, 60),
    _jitter("internet", "jitter of 30 to 80 ms", "JB-15", 40, 300, 100),
    _jitter("satellite", "jitter above 80 ms", "JB-16", 60, 400, 150),
    _session("wholesale", "carriers; calls without timer unlimited", "PRE-02", 600, 2, "off", 30),
    _session("call-center", "call centers", "PRE-03", 900, 3, "14400", 20),
    _session("mobile", "mobile and unstable networks", "PRE-04", 300, 2, "3600", 15),
    _session("enterprise", "company exchanges", "PRE-05", 1200, 2, "28800", 30),
    _session("high-security", "short sessions", "PRE-06", 180, 2, "1800", 10),
    Preset(
        name="recommended", group="audio", values=RECOMMENDED, rows=("AUD-06", "JB-10"),
        summary="the source's audio block: echo, jitter buffer, proxy, marks, RTP time-out",
    ),
    Preset(
        name="rfc4594", group="qos", rows=("D04",),
        summary="signalling CS5, media EF, as RFC 4594 assigns them",
        values={"SS_QOS_SIGNAL": "CS5", "SS_QOS_RTP": "EF"},
    ),
    Preset(
        name="cs3", group="qos", rows=("QOS-02", "QOS-03", "D04"),
        summary="signalling CS3, media EF, as the source recommends",
        values={"SS_QOS_SIGNAL": "CS3", "SS_QOS_RTP": "EF"},
    ),
    Preset(
        name="as-seed", group="source", rows=("D04", "D28", "D56"),
        summary="the source's values where the defaults here correct them",
        values={row.name: row.seed for row in catalog.ALL.values() if row.seed},
    ),
)
BY_PATH = {preset.path: preset for preset in _ROWS}
PRESETS = {preset.name: preset for preset in _ROWS}


def find(name: str) -> Preset:
    """`lan` or `jitter/lan`, upper or lower case, `_` for `-`; raises UnknownPreset."""
    wanted = name.strip().lower().replace("_", "-").replace(":", "/").replace(" ", "/")
    preset = BY_PATH.get(wanted) or PRESETS.get(wanted)
    if preset is None:
        raise UnknownPreset(name)
    return preset


def holding(name: str) -> list[str]:
    """Paths of the presets that set this parameter."""
    return [preset.path for preset in _ROWS if name in preset.values]


def same_as(values: dict[str, str], group: str) -> str | None:
    """The preset of `group` whose every value stands in `values`, shown texts compared."""
    for preset in _ROWS:
        if preset.group == group and all(
            values.get(name) == shown(name, text) for name, text in preset.values.items()
        ):
            return preset.name
    return None


def shown(name: str, text: str) -> str:
    """The one spelling of a value."""
    kind = catalog.ALL[name].kind
    return kind.show(kind.parse(text))
