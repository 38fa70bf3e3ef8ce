# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl param against a stub daemon: what is asked, whole stdout and stderr, exit codes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from typer.testing import CliRunner

from vosctl.client import Client, Refused
from vosctl.main import app
from vosd.engine.settings import Settings
from vosd.wire import params, records
from vosd.wire.records import ParamChange, ParamChanged, ParamSet

OFF = ParamChange(
    name="SS_MEDIAPROXYMODE", gateway="vend1", old="", new="off", takes_effect="next call"
)


class Ran(NamedTuple):
    code: int
    out: str
    err: str
    #: verb, request, path, query
    asked: list[tuple[str, Any, Any, Any]]


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs vosctl; `answer` is what the daemon says, an exception is raised."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    def ran(line: list[str], answer: Any = None) -> Ran:
        asked: list[tuple[str, Any, Any, Any]] = []

        def call(self: Client, verb: str, request: Any = None, *, path: Any = None,
                 query: Any = None) -> Any:  # fmt: skip
            asked.append((verb, request, path, query))
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(Client, "call", call)
        result = CliRunner().invoke(app, ["param", *line])
        return Ran(result.exit_code, result.stdout, result.stderr, asked)

    yield ran
    monkeypatch.undo()
    time.tzset()


def listed(pattern: str, **gateway: str) -> records.ParamList:
    settings = Settings([])
    for name, value in gateway.items():
        settings.commit(settings.stage(ParamSet(values={"SS_MEDIAPROXYMODE": value}, gateway=name)))
    return records.ParamList(parameters=settings.views(pattern))


def test_list(run: Run) -> None:
    got = run(["list", "MEDIAPROXY", "--group", "media"], listed("MEDIAPROXY", vend1="off"))
    assert got.code == 0
    assert got.out == (
        "name                     value        default      takes effect  source\n"
        "SS_MEDIAPROXYMODE        must_on (3)  must_on (3)  next call     default\n"
        "  @vend1                 off (0)                                 gateway\n"
        "SS_MEDIAPROXYPORT_START  10000        10000        next call     default\n"
        "SS_MEDIAPROXYPORT_END    32767        32767        next call     default\n"
    )
    query = params.ParamQuery(pattern="MEDIAPROXY", group="media")
    assert got.asked == [("param.list", None, None, query)]


def test_list_of_nothing_says_so(run: Run) -> None:
    got = run(["list", "XYZ"], records.ParamList())
    assert (got.code, got.out, got.err) == (0, "", "no parameter matches\n")


def test_list_knows_its_groups(run: Run) -> None:
    got = run(["list", "--group", "sound"])
    assert (got.code, got.asked) == (2, [])
    assert got.err.startswith("cannot find a group 'sound' of parameters\n  accepted: timeouts, ")


def test_diff_asks_for_what_changed(run: Run) -> None:
    got = run(["diff"], records.ParamList())
    assert got.err == "every parameter has its default\n"
    assert got.asked[0][3] == params.ParamQuery(changed=True)


def test_diff_of_a_gateway(run: Run) -> None:
    got = run(["diff", "--gateway", "vend1"], records.ParamList())
    assert got.err == "vend1 has no value of its own\n"
    assert got.asked[0][3] == params.ParamQuery(changed=True, gateway="vend1")


def test_show(run: Run) -> None:
    view = Settings([]).view("SS_VOICEGAIN")
    got = run(["show", "ss_voicegain"], params.ParamDetail(parameter=view))
    assert got.asked == [("param.show", None, {"name": "SS_VOICEGAIN"}, None)]
    assert got.out == (
        "SS_VOICEGAIN\n"
        "gain applied to the voice\n"
        "\n"
        "value         0 dB\n"
        "default       0 dB\n"
        "accepts       -10 to 10 dB\n"
        "takes effect  never: nothing in this version obeys it yet\n"
        "gateways      one value for all\n"
        "source        default\n"
        "presets       audio/recommended\n"
        "group         audio\n"
        "\n"
        "advice\n"
        "  Too much clips, and clipping sounds like echo. It needs decoded audio, so it will work"
        " on calls\n"
        "  whose audio the switch processes, never on calls it only relays.\n"
        "\n"
        "corrected\n"
        "  No other public source names this parameter: the source alone defines it (D75).\n"
        "\n"
        "manual\n"
        "  4.3.5; System Management > System Parameter; Operation management > Softswitch"
        " management >\n"
        "  Additional settings > System parameter\n"
        "\n"
        "rows\n"
        "  AUD-03\n"
    )


def test_json_is_the_reply(run: Run) -> None:
    view = Settings([]).view("SS_QOS_RTP")
    got = run(["show", "SS_QOS_RTP", "--json"], params.ParamDetail(parameter=view))
    shown = json.loads(got.out)
    assert shown["version"] == 1
    assert shown["parameter"]["value"] == "EF 46 0xb8"
    assert shown["parameter"]["takes_effect"] == "now"


SETS = [
    (["SS_QOS_RTP=EF", "ss_qos_signal=24"], {"SS_QOS_RTP": "EF", "SS_QOS_SIGNAL": "24"}),
    (["SS_QOS_RTP", "tos:0xb8"], {"SS_QOS_RTP": "tos:0xb8"}),
    (["SS_QOS_RTP", "EF", "46", "0xb8"], {"SS_QOS_RTP": "EF 46 0xb8"}),
    (["SS_VOICEGAIN", "-3"], {"SS_VOICEGAIN": "-3"}),
    (["SS_VOICEGAIN=-3"], {"SS_VOICEGAIN": "-3"}),
    (["SS_SIP_NAT_KEEP_ALIVE_MESSAGE="], {"SS_SIP_NAT_KEEP_ALIVE_MESSAGE": ""}),
    (["SS_SIP_NAT_KEEP_ALIVE_MESSAGE=a=b"], {"SS_SIP_NAT_KEEP_ALIVE_MESSAGE": "a=b"}),
    (["SS_MEDIAPROXYMODE", "3"], {"SS_MEDIAPROXYMODE": "3"}),
]


@pytest.mark.parametrize(("words", "values"), SETS)
def test_set_asks(run: Run, words: list[str], values: dict[str, str]) -> None:
    got = run(["set", *words, "--why", "test", "--dry-run"], ParamChanged(dry_run=True))
    assert got.code == 0
    wanted = ParamSet(values=dict(values), why="test", dry_run=True)
    assert got.asked == [("param.set", wanted, None, None)]


def test_set_shows_old_new_and_effect(run: Run) -> None:
    reply = ParamChanged(
        changes=[
            ParamChange(name="SS_RTP_TIMEOUT", old="30", new="off", takes_effect="now"),
            ParamChange(name="SS_VOICEGAIN", old="0", new="-3", takes_effect="next call"),
        ],
        warnings=["MIS-05: two things"],
    )
    got = run(["set", "SS_RTP_TIMEOUT=0", "SS_VOICEGAIN=-3", "SS_QOS_RTP=EF"], reply)
    assert (got.code, got.err) == (0, "warning: MIS-05: two things\n")
    assert got.out == (
        "name            old   new    takes effect\n"
        "SS_RTP_TIMEOUT  30 s  off    now\n"
        "SS_VOICEGAIN    0 dB  -3 dB  not obeyed yet\n"
        "already so: SS_QOS_RTP\n"
    )


def test_mp12_set_for_a_gateway(run: Run) -> None:
    reply = ParamChanged(changes=[OFF])
    got = run(["set", "SS_MEDIAPROXYMODE", "off", "--gateway", "vend1"], reply)
    assert got.asked[0][1] == ParamSet(values={"SS_MEDIAPROXYMODE": "off"}, gateway="vend1")
    assert got.out == (
        "name                     old            new      takes effect\n"
        "SS_MEDIAPROXYMODE@vend1  value for all  off (0)  next call\n"
    )


def test_dry_run_says_so(run: Run) -> None:
    reply = ParamChanged(changes=[OFF], dry_run=True)
    got = run(["set", "SS_MEDIAPROXYMODE=off", "--gateway=vend1", "--dry-run"], reply)
    assert got.err == "dry run: nothing was changed\n"


BAD = [
    (["SS_RTP_TIMEOUT=4"],
     "cannot set SS_RTP_TIMEOUT to '4': off or 5 to 3600 s would be accepted"),
    (["SS_MEDIAPROXYMODE", "4"], "cannot set SS_MEDIAPROXYMODE to '4': off (0) on (1) auto (2)"
     " must_on (3) would be accepted"),
    (["SS_QOS_RTP=0x2e"], "for DSCP 46 write EF or tos:0xb8"),
    (["SS_SIP_SESSION_TTL=60"], "90 to 86400 s would be accepted"),
    (["SS_RTP_TIMEOUTS=30"], "cannot find a parameter 'SS_RTP_TIMEOUTS': did you mean"
     " SS_RTP_TIMEOUT"),
    (["SS_RTP_TIMEOUT"], "NAME=VALUE or NAME VALUE is accepted"),
    (["SS_RTP_TIMEOUT=60", "SS_MAX_CPS"], "cannot read 'SS_MAX_CPS': KEY=VALUE is accepted"),
    (["SS_RTP_TIMEOUT", "60", "SS_MAX_CPS=5"], "NAME=VALUE for each is accepted"),
    (["SS_RTP_TIMEOUT=60", "SS_RTP_TIMEOUT=70"], "cannot set SS_RTP_TIMEOUT twice"),
    (["SS_QOS_RTP=EF", "--gateway", "vend1"], "cannot set SS_QOS_RTP for vend1 alone"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message"), BAD)
def test_bad_values_end_with_2_before_the_daemon_is_asked(
    run: Run, words: list[str], message: str
) -> None:
    got = run(["set", *words])
    assert (got.code, got.out, got.asked) == (2, "", [])
    assert got.err.startswith("cannot ")
    assert message in got.err


# D21: what is good alone and bad together only the daemon knows
def test_d21_refused_by_the_daemon_ends_with_2(run: Run) -> None:
    failure = records.Failure(kind="bad_value", message="cannot have so", accepts="TTL >= MIN_SE")
    got = run(["set", "SS_SIP_SESSION_MIN_SE=700"], Refused(failure))
    assert (got.code, got.err) == (2, "cannot have so\n  accepted: TTL >= MIN_SE\n")


def test_reset(run: Run) -> None:
    got = run(["reset", "SS_RTP_TIMEOUT", "ss_max_cps", "--why", "again"], ParamChanged())
    assert got.asked[0][1] == ParamSet(
        values={"SS_RTP_TIMEOUT": None, "SS_MAX_CPS": None}, why="again"
    )
    assert got.out == "already so: SS_RTP_TIMEOUT, SS_MAX_CPS\n"
    assert run(["reset", "SS_NOTHING"]).code == 2


def test_history(run: Run) -> None:
    rows = [
        records.AuditRow(at=1_750_000_000.0, uid=0, user="root", verb="param.set",
                         subject="SS_RTP_TIMEOUT", old="30", new="60", why="long holds"),
        records.AuditRow(at=1_749_999_000.0, uid=0, user="root", verb="param.set",
                         subject="SS_MEDIAPROXYMODE@vend1", old="", new="off", why=""),
    ]  # fmt: skip
    got = run(["history", "--limit", "2"], records.AuditList(rows=rows))
    assert got.asked == [("param.history", None, None, params.HistoryQuery(limit=2))]
    assert got.out == (
        "when                 who   name                     old            new      why\n"
        "2025-06-15 15:06:40  root  SS_RTP_TIMEOUT           30 s           60 s     long holds\n"
        "2025-06-15 14:50:00  root  SS_MEDIAPROXYMODE@vend1  value for all  off (0)\n"
    )


WARNING = params.LintRow(
    code="MIS-01", severity="warning", sentence="the echo canceller is off",
    evidence=["SS_ECHOCANCEL is off (0)"], change="vosctl param set SS_ECHOCANCEL=on",
)  # fmt: skip
NOTE = params.LintRow(code="MIS-03", severity="note", sentence="verify", change="tcpdump")


@pytest.mark.parametrize(
    ("findings", "code", "tail"),
    [
        ([WARNING, NOTE], 5, "9 rules, 1 warning, 1 note\n"),
        ([NOTE], 0, "9 rules, 0 warnings, 1 note\n"),
        ([], 0, "9 rules, 0 warnings, 0 notes\n"),
    ],
)
def test_lint_exit_code(run: Run, findings: list[params.LintRow], code: int, tail: str) -> None:
    report = params.LintReport(findings=findings, checked=["r"] * 9)
    got = run(["lint"], report)
    assert got.code == code
    assert got.out.endswith(tail)
    as_json = run(["lint", "--json"], report)
    assert as_json.code == code
    assert json.loads(as_json.out) == msgspec.to_builtins(report)


def test_lint_whole(run: Run) -> None:
    got = run(["lint"], params.LintReport(findings=[WARNING], checked=["MIS-01"]))
    assert got.out == (
        "warning MIS-01: the echo canceller is off\n"
        "    SS_ECHOCANCEL is off (0)\n"
        "  change: vosctl param set SS_ECHOCANCEL=on\n"
        "\n"
        "1 rule, 1 warning, 0 notes\n"
    )


WAN = params.PresetView(
    name="cs3", group="qos", summary="as the source recommends",
    values={"SS_QOS_SIGNAL": "CS3 24 0x60"}, current={"SS_QOS_SIGNAL": "CS5 40 0xa0"},
)  # fmt: skip


def test_preset_list_and_show(run: Run) -> None:
    got = run(["preset", "list"], params.PresetList(presets=[WAN]))
    assert got.out == (
        "group  name  in force  for\nqos    cs3             as the source recommends\n"
    )
    got = run(["preset", "show", "qos/cs3"], params.PresetDetail(preset=WAN))
    assert got.asked == [("param.preset.show", None, {"name": "cs3"}, None)]
    assert got.out == (
        "qos/cs3: as the source recommends\n"
        "name           preset       now\n"
        "SS_QOS_SIGNAL  CS3 24 0x60  CS5 40 0xa0\n"
    )


def test_preset_apply(run: Run) -> None:
    got = run(["preset", "apply", "jitter/internet", "--why", "ADSL"], ParamChanged())
    assert got.asked == [
        ("param.preset.apply", params.PresetApply(why="ADSL"), {"name": "internet"}, None)
    ]
    assert got.out.startswith("already so: SS_JITTERBUFFER_MODE, SS_JITTERBUFFER_MIN")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["preset", "apply", "internt"], "did you mean internet?"),
        (["preset", "apply", "wan", "--gateway", "vend1"],
         "cannot set SS_JITTERBUFFER_MODE for vend1 alone"),
        (["show", "SS_QOS"], "cannot find a parameter 'SS_QOS': did you mean SS_QOS_RTP"),
        (["history", "SS_QOS_RPT"], "did you mean SS_QOS_RTP"),
    ],
)  # fmt: skip
def test_wrong_names_end_with_2(run: Run, line: list[str], message: str) -> None:
    got = run(line)
    assert (got.code, got.asked) == (2, [])
    assert message in got.err
