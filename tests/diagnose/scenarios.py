# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls as rows: what an operator might meet, and the finding codes it has to give, in order."""

from __future__ import annotations

from typing import Any

import msgspec

from vosd.wire.records import Attempt, CallView, LegView, Received, Sent

START = 1_000_000.0
PUBLIC_A, PUBLIC_B, SWITCH = "203.0.113.9", "198.51.100.7", "192.0.2.1"


def rx(packets: int = 3000, **more: Any) -> Received:
    """A clean minute of 20 ms packets, marked EF, or what `more` makes of it."""
    fields: dict[str, Any] = {
        "packets": packets, "octets": packets * 172, "expected": packets, "lost": 0,
        "loss_percent": 0.0, "jitter_ms": 2.0, "jitter_max_ms": 6.0, "max_gap_ms": 30.0,
        "payload_types": {"0": packets}, "dscp": {"46": packets}, "rtcp_packets": 12,
        "first_at": START + 5, "last_at": START + 65, "source": None,
    }  # fmt: skip
    if not packets:
        fields |= {"expected": None, "lost": None, "loss_percent": None, "jitter_ms": None,
                   "jitter_max_ms": None, "max_gap_ms": None, "payload_types": {}, "dscp": {},
                   "rtcp_packets": 0, "first_at": None, "last_at": None}  # fmt: skip
    return Received(**(fields | more))


def tx(packets: int = 3000, **more: Any) -> Sent:
    """A stream sent, with a clean receiver report coming back."""
    fields: dict[str, Any] = {
        "packets": packets, "octets": packets * 172, "dscp": 46, "remote_lost": 0,
        "remote_loss_percent": 0.0, "remote_jitter_ms": 3.0, "rtt_ms": 40.0,
    }  # fmt: skip
    return Sent(**(fields | more))


def quiet(**more: Any) -> Sent:
    """A stream sent to a party that reports nothing."""
    return tx(**({"remote_lost": None, "remote_loss_percent": None, "remote_jitter_ms": None,
                  "rtt_ms": None} | more))  # fmt: skip


def leg(side: str, **more: Any) -> LegView:
    host = PUBLIC_A if side == "a" else PUBLIC_B
    fields: dict[str, Any] = {
        "side": side,
        "party": "acme" if side == "a" else "carrier",
        "kind": "mapping" if side == "a" else "routing",
        "signalling": f"{host}:5060",
        "call_id": f"id-{side}@x",
        "sdp_address": f"{host}:4000",
        "local_rtp": f"{SWITCH}:{10000 if side == 'a' else 10002}",
        "codecs_offered": ["PCMU", "telephone-event"],
        "codec": "PCMU",
        "ptime_ms": 20,
        "profile": "RTP/AVP",
        "received": rx(source=f"{host}:4000"),
        "sent": tx(destination=f"{host}:4000"),
    }
    return LegView(**(fields | more))


def call(a: LegView | None = None, b: LegView | None = None, **more: Any) -> CallView:
    """A clean answered and relayed call of a minute."""
    assert a is None or a.side == "a"
    assert b is None or b.side == "b"
    fields: dict[str, Any] = {
        "id": "c0ffee", "state": "ended", "caller": "4420", "callee": "4930", "mapping": "acme",
        "routing": "carrier", "started_at": START, "ringing_at": START + 2,
        "answered_at": START + 5, "ended_at": START + 65, "duration_s": 60.0,
        "media_mode": "must_on", "media": "relayed", "relay": "userspace",
        "relay_reason": "must_on set for the system", "legs": [a or leg("a"), b or leg("b")],
        "end_reason": "caller_hangup", "ended_by": "caller", "sip_code": 200,
    }  # fmt: skip
    return CallView(**(fields | more))


def failed(reason: str, *attempts: Attempt, **more: Any) -> CallView:
    """A call that ended unanswered."""
    fields: dict[str, Any] = {
        "answered_at": None, "duration_s": 0.0, "end_reason": reason, "ended_by": "switch",
        "media": "none", "sip_code": 503, "attempts": list(attempts),
        "legs": [leg("a", received=None, sent=None)],
    }  # fmt: skip
    return call(**(fields | more))


def attempt(party: str, code: int, reason: str, took_ms: float = 200.0) -> Attempt:
    return Attempt(party=party, code=code, reason=reason, at=START, took_ms=took_ms)


def direct(**more: Any) -> CallView:
    bare = {"received": None, "sent": None, "local_rtp": None}
    legs = [leg("a", **(bare | more.pop("a", {}))), leg("b", **(bare | more.pop("b", {})))]
    fields = {"media": "direct", "relay": None, "media_mode": "off", "legs": legs,
              "relay_reason": "off set for the system"}  # fmt: skip
    return call(**(fields | more))


NAT_A = {"sdp_address": "192.168.1.10:4000", "sdp_private": True, "nat": True}
NOTHING = rx(0)
STRAY = rx(0, wrong_source=2900, wrong_from=f"{PUBLIC_A}:31337")

SCENARIOS: dict[str, tuple[CallView, list[str]]] = {
    # clean
    "clean": (call(), []),
    "clean, live": (call(state="connected", ended_at=None, end_reason=None, ended_by=None), []),
    "clean, behind NAT and latched": (
        call(leg("a", **NAT_A, received=rx(source=f"{PUBLIC_A}:31337"),
                 sent=tx(destination=f"{PUBLIC_A}:31337"))),
        [],
    ),
    "clean, all in one private network": (
        call(leg("a", signalling="10.0.1.5:5060", sdp_address="10.0.1.6:4000",
                 local_rtp="10.0.0.1:10000", sdp_private=True,
                 received=rx(source="10.0.1.6:4000"), sent=tx(destination="10.0.1.6:4000")),
             leg("b", signalling="10.0.2.5:5060", sdp_address="10.0.2.5:4000",
                 local_rtp="10.0.0.1:10002", received=rx(source="10.0.2.5:4000"),
                 sent=tx(destination="10.0.2.5:4000"))),
        [],
    ),
    "clean, comfort noise makes the counts unequal (D16)": (
        call(leg("a", received=rx(700, comfort_noise=60, max_gap_ms=9000.0,
                                  last_at=START + 40, payload_types={"0": 640, "13": 60}))),
        [],
    ),
    "clean, a pause without comfort noise at the end": (
        call(None, leg("b", received=rx(1200, max_gap_ms=4000.0, last_at=START + 50))),
        [],
    ),
    "clean, at the very edge of every band": (
        call(leg("a", received=rx(lost=15, loss_percent=0.5, jitter_ms=20.0),
                 sent=tx(rtt_ms=150.0)),
             leg("b", sent=tx(remote_loss_percent=0.5, rtt_ms=150.0))),
        [],
    ),
    "clean, no RTCP from anybody": (call(leg("a", sent=quiet()), leg("b", sent=quiet())), []),
    "clean, arrives unmarked": (call(leg("a", received=rx(dscp={"0": 3000}))), []),
    "clean, a few stragglers before latching": (
        call(leg("a", received=rx(wrong_source=12)), leg("b", sent=tx(dropped=9))), []
    ),
    "clean, no figures kept": (
        call(leg("a", received=None, sent=None), leg("b", received=None, sent=None)), []
    ),
    "clean, A offers more than B takes": (
        call(leg("a", codecs_offered=["PCMU", "PCMA", "G729"], codec="PCMU",
                 received=rx(payload_types={"8": 3000})),
             leg("b", codecs_offered=["PCMA"], codec="PCMA",
                 received=rx(payload_types={"8": 3000}))),
        [],
    ),
    "ringing": (call(state="ringing", answered_at=None, ended_at=None, duration_s=0.0,
                     end_reason=None), []),
    "early media one way is normal before the answer (D17)": (
        call(leg("a", received=NOTHING), state="early_media", answered_at=None, ended_at=None,
             duration_s=0.0, end_reason=None, early_media=True),
        [],
    ),
    # missing audio
    "one-way: nothing from B": (
        call(leg("a"), leg("b", received=NOTHING, sent=quiet())), ["one_way"]
    ),
    "one-way: nothing from A, which sends from elsewhere": (
        call(leg("a", received=rx(0, wrong_source=2900, wrong_from="203.0.113.77:7000"),
                 sent=quiet())),
        ["one_way"],
    ),
    "one-way: learning is off for a phone behind NAT": (
        call(leg("a", **NAT_A, nat_learn=False, received=STRAY,
                 sent=quiet(packets=0, dropped=3000, destination="192.168.1.10:4000"))),
        ["one_way"],
    ),
    "one-way: audio from behind NAT begins too late to learn": (
        call(leg("a", **NAT_A, received=STRAY, sent=quiet(packets=0, dropped=3000))), ["one_way"]
    ),
    "nobody is heard: learning is off and both are behind NAT": (
        call(leg("a", **NAT_A, nat_learn=False, received=STRAY, sent=quiet(packets=0)),
             leg("b", sdp_address="10.1.2.3:4000", sdp_private=True, nat_learn=False,
                 received=rx(0, wrong_source=2890, wrong_from=f"{PUBLIC_B}:4000"),
                 sent=quiet(packets=0))),
        ["wrong_source"],
    ),
    "nobody is heard: both send from elsewhere": (
        call(leg("a", received=rx(0, wrong_source=2900, wrong_from="203.0.113.77:7000"),
                 sent=quiet(packets=0, destination=f"{PUBLIC_A}:4000")),
             leg("b", sdp_address="127.0.0.3:4000", local_rtp="127.0.0.1:10002",
                 signalling="127.0.0.3:5060",
                 received=rx(0, wrong_source=2890, wrong_from="127.0.0.9:6000"),
                 sent=quiet(packets=0, destination="127.0.0.3:4000"))),
        ["wrong_source"],
    ),
    "nobody is heard: A from elsewhere, B not at all": (
        call(leg("a", received=rx(0, wrong_source=2900, wrong_from="203.0.113.77:7000"),
                 sent=quiet(packets=0)),
             leg("b", received=NOTHING, sent=quiet(packets=0))),
        ["wrong_source"],
    ),
    "hold: nothing can be sent to 0.0.0.0": (
        call(leg("a", on_hold=True, sdp_address="0.0.0.0:4000",
                 sent=quiet(packets=1500, dropped=1500, destination=None))),
        [],
    ),
    "one-way: RTCP comes, audio does not": (
        call(None, leg("b", received=rx(0, rtcp_packets=11), sent=tx())), ["one_way"]
    ),
    "one-way: NAT before A": (
        call(leg("a", **NAT_A, received=NOTHING, sent=quiet())), ["one_way"]
    ),
    "one-way: we name a private address": (
        call(leg("a", local_rtp="10.0.0.1:10000", received=NOTHING, sent=quiet())), ["one_way"]
    ),
    "one-way, cut by the RTP time-out": (
        call(None, leg("b", received=NOTHING, sent=quiet()), end_reason="media_timeout",
             ended_by="switch", duration_s=30.0),
        ["one_way"],
    ),
    "no media at all": (
        call(leg("a", received=NOTHING, sent=quiet(packets=0)),
             leg("b", received=NOTHING, sent=quiet(packets=0))),
        ["no_media"],
    ),
    "hold: B is silent because A said sendonly": (
        call(leg("a", direction="sendonly", on_hold=True), leg("b", received=NOTHING)),
        ["on_hold"],
    ),
    "hold: B says recvonly": (
        call(None, leg("b", direction="recvonly", received=NOTHING)), ["on_hold"]
    ),
    "T.38 has no RTP": (
        call(leg("a", profile="udptl", received=NOTHING), leg("b", profile="udptl")), []
    ),
    "encrypted and silent": (
        call(leg("a", profile="RTP/SAVP", received=NOTHING, sent=quiet()),
             leg("b", profile="RTP/SAVP")),
        ["encrypted_silence"],
    ),
    "one side encrypts": (
        call(leg("a", profile="RTP/SAVP"), leg("b")), ["encryption_mismatch"]
    ),
    "A hears nothing: sent to its private address (D17)": (
        call(leg("a", **NAT_A, received=rx(source=f"{PUBLIC_A}:31337"),
                 sent=quiet(destination="192.168.1.10:4000"))),
        ["audio_to_private_address"],
    ),
    "a private address that reports receiving is reached": (
        call(leg("a", **NAT_A, received=rx(source=f"{PUBLIC_A}:31337"),
                 sent=tx(destination="192.168.1.10:4000"))),
        [],
    ),
    "B reports that nothing arrives": (
        call(None, leg("b", sent=tx(remote_loss_percent=99.0, remote_lost=2970))),
        ["audio_not_arriving"],
    ),
    "B's audio stops half-way": (
        call(None, leg("b", received=rx(1500, last_at=START + 35))), ["audio_stopped"]
    ),
    "RTP time-out: both fell silent": (
        call(leg("a", received=rx(1000, last_at=START + 30)),
             leg("b", received=rx(1000, last_at=START + 29)),
             end_reason="media_timeout", ended_by="switch", duration_s=60.0),
        ["rtp_timeout"],
    ),
    "RTP time-out: a pause taken for a dead stream": (
        call(leg("a", received=rx(1500, comfort_noise=30, last_at=START + 35)),
             end_reason="media_timeout", ended_by="switch"),
        ["rtp_timeout"],
    ),
    "direct behind NAT": (direct(a=NAT_A), ["direct_behind_nat", "not_relayed"]),
    "direct": (direct(), ["not_relayed"]),
    "no audio agreed": (
        call(leg("a", received=None, sent=None), leg("b", received=None, sent=None), media="none",
             relay=None),
        ["no_audio_agreed"],
    ),
    # bad audio
    "loss from A, marked": (
        call(leg("a", received=rx(2940, expected=3000, lost=60, loss_percent=2.0))), ["loss"]
    ),
    "loss from A, critical and unmarked": (
        call(leg("a", received=rx(2850, expected=3000, lost=150, loss_percent=5.0,
                                  dscp={"0": 2850}, max_gap_ms=640.0))),
        ["loss", "unmarked"],
    ),
    "loss from A is in B's report and B's path is clean (D16)": (
        call(leg("a", received=rx(2850, expected=3000, lost=150, loss_percent=5.0)),
             leg("b", sent=tx(remote_loss_percent=5.1))),
        ["loss"],
    ),
    "loss on the way to B": (
        call(None, leg("b", sent=tx(remote_loss_percent=3.2, remote_lost=96))), ["loss_outward"]
    ),
    "loss on the way to B, we do not mark": (
        call(None, leg("b", sent=tx(remote_loss_percent=3.2, dscp=0))), ["loss_outward"]
    ),
    "a report alone proves nothing when A was not measured": (
        call(leg("a", received=None), leg("b", sent=tx(remote_loss_percent=8.0))), []
    ),
    "jitter from A": (call(leg("a", received=rx(jitter_ms=35.0))), ["jitter"]),
    "jitter from A, critical": (
        call(leg("a", received=rx(jitter_ms=85.0, jitter_max_ms=120.0, dscp={"46": 3000}))),
        ["jitter"],
    ),
    "jitter on the way to A": (
        call(leg("a", sent=tx(remote_jitter_ms=40.0))), ["jitter_outward"]
    ),
    "loss and jitter: loss first even if it is the lesser (CC-12)": (
        call(leg("a", received=rx(2970, expected=3000, lost=30, loss_percent=1.0,
                                  jitter_ms=70.0))),
        ["loss", "jitter"],
    ),
    "late": (call(None, leg("b", received=rx(late=60, out_of_order=60))), ["late", "reordered"]),
    "reordered": (call(None, leg("b", received=rx(out_of_order=90))), ["reordered"]),
    "duplicated": (call(None, leg("b", received=rx(duplicate=90))), ["duplicated"]),
    "long way to B": (call(None, leg("b", sent=tx(rtt_ms=420.0))), ["delay"]),
    "long way to B, critical": (call(None, leg("b", sent=tx(rtt_ms=620.0))), ["delay"]),
    "both ways together": (
        call(leg("a", sent=tx(rtt_ms=180.0)), leg("b", sent=tx(rtt_ms=200.0))), ["delay_sum"]
    ),
    "the switch drops": (
        call(None, leg("b", sent=tx(2800, dropped=200, destination=f"{PUBLIC_B}:4000"))),
        ["switch_drops"],
    ),
    "no address to send to": (
        call(None, leg("b", sdp_address=None, sent=quiet(packets=0, dropped=3000))),
        ["switch_drops"],
    ),
    "codecs without overlap": (
        call(None, leg("b", codecs_offered=["G729", "telephone-event"], codec="G729",
                       received=rx(payload_types={"18": 3000}))),
        ["codec_mismatch", "codec_unexpected", "codec_unexpected"],
    ),
    "B sends PCMA though A named PCMU": (
        call(None, leg("b", received=rx(payload_types={"8": 2900, "0": 100}))),
        ["codec_unexpected"],
    ),
    "two sources": (call(leg("a", received=rx(wrong_source=800))), ["foreign_source"]),
    "packet lengths differ": (call(None, leg("b", ptime_ms=30)), ["ptime_differs"]),
    "stream restarts": (call(leg("a", received=rx(ssrc_changes=5))), ["stream_restarts"]),
    "not RTP": (call(leg("a", received=rx(malformed=40))), ["not_rtp"]),
    "too short": (
        call(None, leg("b", received=NOTHING, sent=quiet()), duration_s=2.1), ["too_short"]
    ),
    # how it ended
    "lost ACK": (
        call(end_reason="ack_timeout", ended_by="switch", duration_s=32.0), ["lost_ack"]
    ),
    "session not refreshed": (
        call(end_reason="session_timeout", ended_by="switch"), ["signalling_lost"]
    ),
    "leg lost": (call(end_reason="leg_lost", ended_by="switch"), ["signalling_lost"]),
    "node lost": (
        call(media="none", relay=None, legs=[], end_reason="node_lost", ended_by=None),
        ["node_lost", "evidence_lost"],
    ),
    "the evidence is gone": (call(media="none", relay=None, legs=[]), ["evidence_lost"]),
    "forced": (call(end_reason="forced", ended_by="operator"), ["operator_ended"]),
    "drained": (call(end_reason="drained", ended_by="operator"), ["operator_ended"]),
    "draining": (failed("draining"), ["operator_ended"]),
    "second vendor answered": (
        call(attempts=[attempt("cheap", 503, "congestion")]), ["second_gateway"]
    ),
    "no route": (failed("route_not_found", routing=""), ["no_route"]),
    "all vendors full": (failed("route_capacity", routing=""), ["no_route"]),
    "blacklisted": (failed("blacklist", routing=""), ["blacklisted"]),
    "wrong password": (failed("authentication_failed", routing=""), ["caller_refused"]),
    "unknown caller": (failed("caller_unknown", routing="", mapping=""), ["caller_refused"]),
    "too many calls": (failed("limit_capacity", routing=""), ["limit_reached"]),
    "too many a second": (failed("limit_cps", routing=""), ["limit_reached"]),
    "every vendor refused": (
        failed("vendor_forbidden", attempt("cheap", 503, "congestion"),
               attempt("carrier", 403, "vendor_forbidden")),
        ["vendor_refused"],
    ),
    "422 (D20)": (
        failed("session_interval", attempt("carrier", 422, "session_interval")),
        ["interval_demanded"],
    ),
    "vendor silent": (
        failed("invite_timeout", attempt("carrier", 408, "invite_timeout", 10_000.0)),
        ["vendor_silent"],
    ),
    "busy": (failed("busy", attempt("carrier", 486, "busy", 1800.0)), ["callee_refused"]),
    "phone not registered": (failed("callee_not_registered", routing=""), ["callee_refused"]),
    "no answer": (failed("no_answer", attempt("carrier", 480, "no_answer")), ["not_answered"]),
    "caller gave up": (failed("cancelled", ended_by="caller"), ["not_answered"]),
    "number unknown": (
        failed("unallocated_number", attempt("carrier", 404, "unallocated_number")),
        ["wrong_number"],
    ),
    "no codec": (failed("codec_mismatch", attempt("carrier", 488, "codec_mismatch")),
                 ["codec_refused"]),
    "loop": (failed("loop_detected", routing=""), ["loop"]),
    "bad request": (failed("bad_request", routing=""), ["bad_request"]),
    "no RTP port": (failed("media_unavailable"), ["switch_refused"]),
    "disk full": (failed("record_unavailable"), ["switch_refused"]),
    "a reason of another version": (failed("moon_phase"), []),
}  # fmt: skip


def of(name: str) -> CallView:
    """A copy of a scenario's call."""
    return msgspec.convert(msgspec.to_builtins(SCENARIOS[name][0]), CallView)
