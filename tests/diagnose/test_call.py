# SPDX-License-Identifier: GPL-2.0-or-later
"""diagnose_call: every scenario gives exactly its findings, each with proof and one change."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest

from tests.diagnose.scenarios import SCENARIOS, START, call, leg, of, rx, tx
from tests.diagnose.session_calls import SESSIONS
from vosd import catalog
from vosd.diagnose import PROFILES, diagnose_call, diagnose_session
from vosd.diagnose.rules import BY_CODE, RULES
from vosd.diagnose.session import NOTES
from vosd.switch.reasons import REASONS
from vosd.wire.diagnosis import Diagnosis, Finding
from vosd.wire.records import CallView


@pytest.mark.parametrize("name", SCENARIOS)
def test_findings_of_a_scenario(name: str) -> None:
    """SYM-01, SYM-11..13, CC-04..12, D16, D17 and the rest: one row each."""
    view, codes = SCENARIOS[name]
    assert [row.code for row in diagnose_call(view).findings] == codes


def test_every_rule_is_reached() -> None:
    reached = {code for _, codes in SCENARIOS.values() for code in codes}
    of_sessions = {code for _, _, codes in SESSIONS.values() for code in codes}
    assert reached | of_sessions == set(BY_CODE)
    assert len(BY_CODE) == len(RULES) + len(NOTES)


def _findings() -> Iterator[Finding]:
    for view, _ in SCENARIOS.values():
        yield from diagnose_call(view).findings
    for view, here, _ in SESSIONS.values():
        yield from diagnose_session(view, here).findings


def test_no_finding_without_evidence_cause_and_change() -> None:
    for row in _findings():
        assert row.evidence, row.code
        assert all(line.strip() for line in row.evidence), row.code
        assert row.cause, row.code
        assert row.change, row.code
        assert row.disproof, row.code
        assert row.severity != "ok", row.code
        text = " ".join([row.title, *row.evidence, row.cause, row.change, row.disproof])
        assert "{" not in text, row.code
        assert "None" not in text, row.code


COMMANDS = {
    "status", "param set", "param show", "param preset show", "gateway list", "gateway set",
    "gateway add", "gateway show", "gateway probe", "gateway enable", "gateway disable",
    "phone show", "blacklist check", "blacklist list", "call list", "cdr list", "cdr show",
    "diagnose call", "diagnose gateway",
}  # fmt: skip


def _texts() -> Iterator[tuple[str, str]]:
    for row in _findings():
        yield row.code, row.change
    for rule in BY_CODE.values():
        yield rule.code, re.sub(r"\{\w+\}", "", rule.change)
    for reason in REASONS.values():
        yield reason.name, reason.advice


def test_every_command_named_exists() -> None:
    """Spelling as in cli.md."""
    for code, text in _texts():
        for found in re.finditer(r"vosctl ((?:param preset |[a-z]+ )?[a-z]+)", text):
            assert found[1] in COMMANDS, (code, found[1])


def test_every_parameter_named_exists_and_takes_the_value() -> None:
    named = 0
    for code, text in _texts():
        for found in re.finditer(r"\b(S(?:S|ERVER)_[A-Z_]+)(\*)?(?:=([^\s;,.]+))?", text):
            name, star, value = found.groups()
            if star:
                assert any(known.startswith(name) for known in catalog.ALL), (code, name)
                continue
            row = catalog.ALL[name]
            named += 1
            if value and value not in ("N", "PORT"):
                row.kind.parse(value)
        if "--gateway" in text and "param set" in text:
            name = re.search(r"param set ([A-Z_]+)", text)
            assert name is not None
            assert catalog.ALL[name[1]].overridable
    assert named > 10


def test_presets_named_exist() -> None:
    from vosd.catalog import presets

    shown = {
        found[1] for _, text in _texts() for found in re.finditer(r"preset show ([a-z]+)", text)
    }
    assert shown == {"internet", "satellite"}
    assert shown <= set(presets.PRESETS) | {path.rpartition("/")[2] for path in presets.BY_PATH}


def test_severity_is_the_gravest_and_ok_when_clean() -> None:
    """Info rows do not make a call bad (exit 5)."""
    assert diagnose_call(of("clean")).severity == "ok"
    assert diagnose_call(of("direct")).severity == "info"
    assert diagnose_call(of("loss from A, marked")).severity == "warning"
    assert diagnose_call(of("loss from A, critical and unmarked")).severity == "critical"
    assert diagnose_call(of("one-way: nothing from B")).severity == "critical"


def test_one_way_whole() -> None:
    """SYM-11: which leg, which direction, SDP address against seen source."""
    assert diagnose_call(of("one-way: nothing from B")).findings == [
        Finding(
            code="one_way",
            title="One-way audio: nothing comes from B (gateway carrier)",
            severity="critical",
            confidence="likely",
            side="b",
            evidence=[
                "packets: A to switch 3000, switch to B 3000, B to switch 0, switch to A 3000",
                "B's SDP names 198.51.100.7:4000, audio seen from nowhere; "
                "it was told to send to 192.0.2.1:10002",
            ],
            cause="A firewall or NAT between B (gateway carrier) and the switch drops its RTP, "
            "or it sends none.",
            change="Have carrier check that UDP leaves it for 192.0.2.1:10002.",
            disproof="A capture on the switch shows RTP from carrier, or carrier says it was "
            "muted with silence suppression on.",
            rows=["SYM-05", "SYM-11", "SYM-12", "SYM-13", "D16", "D17"],
        )
    ]


def test_both_sides_from_a_wrong_source_whole() -> None:
    """D17: per side what was seen, what its SDP names, and how much was dropped for it."""
    (found,) = diagnose_call(of("nobody is heard: both send from elsewhere")).findings
    assert found.title == (
        "No audio passes: that of A (gateway acme) and B (gateway carrier) comes from elsewhere "
        "than the SDP names"
    )
    assert (found.severity, found.confidence, found.side) == ("critical", "certain", "both")
    assert found.evidence == [
        "packets: A to switch 0, switch to B 0, B to switch 0, switch to A 0",
        "A's SDP names 203.0.113.9:4000, audio seen from 203.0.113.77:7000 and dropped for that "
        "(2900 packets), audio for it goes to 203.0.113.9:4000; "
        "it was told to send to 192.0.2.1:10000",
        "B's SDP names 127.0.0.3:4000 (this host), audio seen from 127.0.0.9:6000 (this host) "
        "and dropped for that (2890 packets), audio for it goes to 127.0.0.3:4000 (this host); "
        "it was told to send to 127.0.0.1:10002",
    ]
    assert found.cause == (
        "A (gateway acme) sends from another address than its SDP names. "
        "B (gateway carrier) sends from another address than its SDP names."
    )


def test_one_side_from_a_wrong_source() -> None:
    """Not "nothing comes": it comes and is dropped, and a capture that shows it proves nothing."""
    (found,) = diagnose_call(of("one-way: nothing from A, which sends from elsewhere")).findings
    assert (found.code, found.confidence) == ("one_way", "certain")
    assert found.title == "One-way audio: what A (gateway acme) sends is dropped"
    assert found.evidence[1].startswith(
        "A's SDP names 203.0.113.9:4000, audio seen from 203.0.113.77:7000 and dropped for that "
        "(2900 packets)"
    )
    assert found.disproof == "A capture on the switch shows RTP from 203.0.113.9:4000."


def test_what_follows_from_silence_is_no_finding_of_its_own() -> None:
    """To a side behind NAT nothing can be sent before it is heard: one fault, not two."""
    view = of("one-way: learning is off for a phone behind NAT")
    assert view.legs[0].sent is not None
    assert view.legs[0].sent.dropped == 3000
    assert [row.code for row in diagnose_call(view).findings] == ["one_way"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("one-way: nothing from A, which sends from elsewhere",
         "Have acme name 203.0.113.77:7000 in its SDP, or send from 203.0.113.9:4000."),
        ("one-way: audio from behind NAT begins too late to learn",
         "Have acme send audio from the answer on: a source is learned within 3 s."),
        ("nobody is heard: learning is off and both are behind NAT",
         "vosctl param set SS_MEDIA_NAT_LEARN=auto"),
        ("nobody is heard: both send from elsewhere",
         "Have acme name 203.0.113.77:7000 in its SDP, or send from 203.0.113.9:4000. "
         "Have carrier name 127.0.0.9:6000 in its SDP, or send from 127.0.0.3:4000."),
        ("the switch drops", "ip route get 198.51.100.7; iptables -nvL OUTPUT"),
        ("no address to send to", "Have carrier name a reachable address in its SDP."),
        ("one-way: learning is off for a phone behind NAT",
         "vosctl param set SS_MEDIA_NAT_LEARN=auto"),
        ("one-way: RTCP comes, audio does not",
         "Have carrier check mute, codec and media server for Call-ID id-b@x."),
        ("one-way: NAT before A",
         "On acme's router switch SIP ALG off and allow UDP out to 192.0.2.1:10000."),
        ("one-way: we name a private address",
         "Set media_address in vosd.toml to the switch's public address."),
        ("A hears nothing: sent to its private address (D17)",
         "vosctl param set SS_MEDIA_NAT_LEARN=auto"),
        ("direct behind NAT", "vosctl param set SS_MEDIAPROXYMODE=must_on --gateway acme"),
        ("loss from A, marked",
         "Have the network between acme and the switch honour the EF mark."),
        ("loss on the way to B",
         "Have the network between the switch and carrier honour the mark the switch sets "
         "(EF, ToS 0xb8)."),
        ("loss on the way to B, we do not mark", "vosctl param set SS_QOS_RTP=EF"),
        ("long way to B",
         "vosctl gateway set carrier priority=N (a higher N than a nearer vendor's)"),
        ("RTP time-out: a pause taken for a dead stream",
         "vosctl param set SS_RTP_TIMEOUT=120"),
        ("vendor silent", "Probe it: vosctl gateway probe carrier."),
        ("no codec", "Let both sides offer one codec in common: vosctl cdr show c0ffee."),
        ("too many calls",
         "Raise the customer's capacity: vosctl gateway set acme capacity=N."),
        ("phone not registered", "See when it last registered: vosctl phone show 4930."),
        ("blacklisted", "vosctl blacklist check 4420; vosctl blacklist check 4930"),
        ("422 (D20)", "vosctl param set SS_SIP_SESSION_TTL=1800"),
    ],
)  # fmt: skip
def test_the_one_change(name: str, change: str) -> None:
    assert diagnose_call(of(name)).findings[0].change == change


def test_jitter_advice_is_honest_about_the_relay() -> None:
    """D75: no buffer here; after the loss (CC-12); sized as the source's presets (JB-15)."""
    both = diagnose_call(of("loss and jitter: loss first even if it is the lesser (CC-12)"))
    assert both.severity == "critical"
    assert both.findings[1].change == (
        "Cure the loss first, then give carrier's own jitter buffer 40 to 300 ms, adaptive "
        "(vosctl param preset show internet has the set); SS_JITTERBUFFER_* does not act here, "
        "the switch relays without a buffer."
    )
    assert diagnose_call(of("jitter from A")).findings[0].change.startswith("Give carrier's own")


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("clean", "No fault found: both directions within the bands of profile source, at the "
                  "switch and by both sides' RTCP."),
        ("clean, no RTCP from anybody",
         "No fault found: both directions within the bands of profile source; what A (gateway "
         "acme) and B (gateway carrier) received is unknown (no RTCP report)."),
        ("node lost", "The switch stopped during the call; nothing is known of its audio."),
        ("the evidence is gone",
         "Only the record of the call is left, its evidence is lost: nothing can be said of its "
         "audio."),
        ("nobody is heard: A from elsewhere, B not at all",
         "No audio passes: that of A (gateway acme) comes from elsewhere than the SDP names."),
        ("clean, no figures kept",
         "No fault found, but no stream figures were kept: the audio is unknown."),
        ("ringing", "The call is in state ringing; there is nothing to judge yet."),
        ("direct", "The audio goes direct: there are no figures; no fault found."),
        ("loss and jitter: loss first even if it is the lesser (CC-12)",
         "Packets from A (gateway acme) are lost before the switch; 1 more below."),
        ("busy", "The callee did not take the call; no fault found."),
        ("a reason of another version", "Not answered: moon_phase."),
    ],
)  # fmt: skip
def test_verdicts(name: str, verdict: str) -> None:
    assert diagnose_call(of(name)).verdict == verdict


def test_attempts_are_told_without_codes_nobody_sent() -> None:
    """A time-out of ours is no 408 of the vendor's."""
    assert diagnose_call(of("vendor silent")).findings[0].evidence == [
        "end reason invite_timeout: gateway did not answer the INVITE at all",
        "tried carrier: gateway did not answer the INVITE at all after 10.0 s",
    ]
    assert diagnose_call(of("every vendor refused")).findings[0].evidence[1:] == [
        "tried cheap: 503 vendor has no free capacity after 0.2 s",
        "tried carrier: 403 vendor forbids the call after 0.2 s",
    ]


def test_outward_loss_takes_off_what_the_first_hop_lost() -> None:
    """D16: A's 1 % is in B's 4 %, so B's path has 3 %."""
    view = call(
        leg("a", received=rx(2970, expected=3000, lost=30, loss_percent=1.0)),
        leg("b", sent=tx(remote_loss_percent=4.0)),
    )
    inward, outward = diagnose_call(view).findings
    assert (inward.code, inward.side, inward.severity) == ("loss", "a", "warning")
    assert (outward.code, outward.side, outward.severity) == ("loss_outward", "b", "critical")
    assert outward.evidence[0] == (
        "B reports 4.00 % lost by RTCP, of which 1.00 % were lost before the switch: "
        "about 3.00 % on the way from the switch to B (gateway carrier)"
    )


@pytest.mark.parametrize(
    ("silent_s", "found"),
    [(9.9, []), (10.0, [("warning", "possible")]), (25.0, [("critical", "likely")])],
)
def test_how_long_a_stop_has_to_last(silent_s: float, found: list[tuple[str, str]]) -> None:
    """D17: a listener may pause; nobody pauses for half a minute without comfort noise."""
    view = call(None, leg("b", received=rx(1500, last_at=START + 65 - silent_s)))
    assert [(row.severity, row.confidence) for row in diagnose_call(view).findings] == found


def test_delay_is_labelled_as_an_estimate() -> None:
    """D73."""
    assert diagnose_call(of("long way to B")).findings[0].evidence == [
        "RTT between the switch and B (gateway carrier) is 420 ms by RTCP; one way about 210 ms "
        "(an estimate: half of it)",
        "the profile warns above 300 ms, critical above 500 ms",
    ]


@pytest.mark.parametrize(
    ("profile", "loss", "jitter", "rtt", "codes"),
    [
        ("source", 0.3, 25.0, 350.0, ["jitter", "delay"]),
        ("source-alert", 0.9, 25.0, 390.0, []),
        ("source-alert", 1.1, 31.0, 401.0, ["loss", "jitter", "delay"]),
        ("itu", 0.3, 25.0, 350.0, ["loss", "delay"]),
        ("itu", 0.1, 50.0, 300.0, []),
    ],
)
def test_profiles_differ(
    profile: str, loss: float, jitter: float, rtt: float, codes: list[str]
) -> None:
    """D05: each set of bands is a named profile."""
    view = call(
        leg("a", received=rx(loss_percent=loss, jitter_ms=jitter), sent=tx(rtt_ms=rtt)),
        leg("b", sent=tx(remote_loss_percent=loss, remote_jitter_ms=jitter, rtt_ms=None)),
    )
    diagnosis = diagnose_call(view, profile)
    assert [row.code for row in diagnosis.findings] == codes
    assert diagnosis.profile == profile


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"cannot judge by profile 'x': there are source, source-alert, itu"
    ):
        diagnose_call(call(), "x")


@pytest.mark.parametrize("field", ["loss", "jitter", "one_way", "rtt"])
@pytest.mark.parametrize("name", PROFILES)
def test_bands(name: str, field: str) -> None:
    """CC-07 to CC-10: a band's edge still belongs to the better side; unknown is no fault."""
    band = getattr(PROFILES[name], field)
    assert band.severity(None) == "ok"
    assert band.severity(band.warning) == "ok"
    assert band.severity(band.warning + 0.01) == "warning"
    if band.critical is not None:
        assert band.severity(band.critical) == "warning"
        assert band.severity(band.critical + 0.01) == "critical"


def test_the_answer_crosses_the_socket() -> None:
    for view, _ in SCENARIOS.values():
        diagnosis = diagnose_call(view)
        assert msgspec.json.decode(msgspec.json.encode(diagnosis), type=Diagnosis) == diagnosis


def test_views_with_nothing_in_them_do_no_harm() -> None:
    """Evidence may be lost; the doctor must not die of it."""
    bare = CallView(id="x", state="connected", caller="", callee="", started_at=0.0)
    for state in ("trying", "connected", "ended"):
        for answered in (None, 1.0):
            for media in ("relayed", "direct", "none"):
                for reason in (None, *REASONS):
                    view = msgspec.structs.replace(
                        bare, state=state, answered_at=answered, media=media, end_reason=reason,
                        duration_s=60.0,
                    )  # fmt: skip
                    for row in diagnose_call(view).findings:
                        assert row.evidence
                        assert row.change


def test_dropping_any_one_figure_never_adds_a_fault_about_it() -> None:
    """Unknown stays unknown: a clean call stays clean whatever was not measured."""
    for side in ("a", "b"):
        for part in ("received", "sent"):
            for field in getattr(leg(side), part).__struct_fields__:
                view = of("clean")
                target = getattr(view.legs[0 if side == "a" else 1], part)
                if getattr(target, field) is None or field in ("packets", "last_at"):
                    continue
                default = type(target)().__getattribute__(field)
                setattr(target, field, default)
                assert diagnose_call(view).findings == [], (side, part, field)
