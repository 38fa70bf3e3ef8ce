# SPDX-License-Identifier: GPL-2.0-or-later
"""Audio that is missing: which side, which direction, and what speaks for which cause.

Missing is told from silent on purpose first: hold and one-sided SDP (RFC 3264), early media,
comfort noise, encryption and T.38 are no NAT problem (D17, SYM-11 to SYM-13).
"""

from __future__ import annotations

from vosd.diagnose.trace import ENOUGH_PACKETS, Evidence, Leg, Trace, host
from vosd.switch.media_policy import is_private, same_network

#: a side that had no such pause before is not suppressing silence
DTX_GAP_MS = 2000.0
STOPPED_S = 10.0
DEAD_S = 25.0
#: fewer packets from a foreign source are stragglers from before latching
FOREIGN_PACKETS = 50
NOTHING_ARRIVES_PERCENT = 90.0


def no_media(trace: Trace, _: Leg) -> Evidence | None:
    """Neither side's audio reached the switch."""
    a, b = trace.legs
    if not _judged(trace, a) or not (a.silent and b.silent) or a.encrypted or b.encrypted:
        return None
    found = Evidence([trace.streams(), *_addresses(a), *_addresses(b), *_cut(trace)])
    for leg in trace.legs:
        if _told_private(leg):
            _blame_own_address(found, leg)
            break
    return found


def one_way(trace: Trace, leg: Leg) -> Evidence | None:
    """The other side's audio came, not one packet of this side's."""
    if not _judged(trace, leg) or not leg.silent or not leg.other.flows:
        return None
    if leg.encrypted or leg.other.encrypted:
        return None
    found = Evidence([trace.streams(), *_addresses(leg), *_cut(trace)])
    _find_cause(found, trace, leg)
    return found


def _judged(trace: Trace, leg: Leg) -> bool:
    return (
        trace.relayed
        and trace.long_enough
        and leg.may_be_silent is None
        and leg.speaks_rtp
        and leg.other.speaks_rtp
    )


def _find_cause(found: Evidence, trace: Trace, leg: Leg) -> None:
    """From the strongest proof to the weakest; the row's own text is the last resort."""
    got = leg.received
    foreign = got.wrong_source if got is not None else 0
    rtcp = got.rtcp_packets if got is not None else 0
    if foreign:
        found.lines.append(
            f"{foreign} packets came for {leg.letter} from an address its SDP does not name "
            "and were dropped"
        )
        _blame_source(found, leg)
    elif rtcp:
        found.lines.append(f"RTCP from {leg.letter} does arrive ({rtcp} packets)")
        found.cause = f"The way from {leg.who} is open, but it sends no audio."
        found.change = (
            f"Have {leg.party} check mute, codec and media server for Call-ID "
            f"{leg.view.call_id or trace.view.id}."
        )
    elif _told_private(leg):
        _blame_own_address(found, leg)
    elif leg.view.sdp_private or leg.view.nat:
        found.cause = f"{leg.who} is behind NAT and its RTP does not get out to the switch."
        found.change = (
            f"On {leg.party}'s router switch SIP ALG off and allow UDP out to "
            f"{leg.view.local_rtp or 'the RTP ports of the switch'}."
        )


def _blame_source(found: Evidence, leg: Leg) -> None:
    found.cause = f"{leg.who} sends from another address than its SDP names."
    if leg.view.sdp_private:
        found.change = "vosctl param set SS_MEDIA_NAT_LEARN=auto"
    else:
        found.change = f"Have {leg.party} name in its SDP the address it sends from."


def _told_private(leg: Leg) -> bool:
    """The switch named a private address of its own to a side that is not in that network."""
    told, seen = host(leg.view.local_rtp), host(leg.view.signalling)
    return bool(seen) and is_private(told) and not same_network(told, seen)


def _blame_own_address(found: Evidence, leg: Leg) -> None:
    told = leg.view.local_rtp
    found.lines.append(f"the switch tells {leg.letter} to send to the private address {told}")
    found.cause = f"The switch names an RTP address that {leg.who} cannot reach."
    found.change = "Set media_address in vosd.toml to the switch's public address."
    found.confidence = "certain"


def _addresses(leg: Leg) -> list[str]:
    view, got, sent = leg.view, leg.received, leg.sent
    private = " (private)" if is_private(host(view.sdp_address)) else ""
    line = f"{leg.letter}'s SDP names {view.sdp_address or 'nothing'}{private}"
    line += f", audio seen from {(got and got.source) or 'nowhere'}"
    if sent is not None and sent.destination:
        line += f", audio for it goes to {sent.destination}"
    if view.local_rtp:
        line += f"; it was told to send to {view.local_rtp}"
    return [line]


def _cut(trace: Trace) -> list[str]:
    if trace.reason is None or trace.reason.name != "media_timeout":
        return []
    return [f"the switch ended the call for it after {trace.view.duration_s:.0f} s (media_timeout)"]


def stopped(trace: Trace, leg: Leg) -> Evidence | None:
    """Audio came and then ended long before the other side's."""
    got, last = leg.received, trace.last_audio
    if got is None or got.last_at is None or last is None or not _judged(trace, leg):
        return None
    if last - got.last_at < STOPPED_S or _suppresses(leg):
        return None
    answered = trace.view.answered_at or got.last_at
    found = Evidence(
        [
            f"the last packet from {leg.who} came {got.last_at - answered:.0f} s after the answer; "
            f"{leg.other.letter} sent for {last - got.last_at:.0f} s more",
            trace.streams(),
            *_cut(trace),
        ]
    )
    if last - got.last_at < DEAD_S:
        # somebody who only listens may pause so long without comfort noise
        found.severity, found.confidence = "warning", "possible"
    return found


def _suppresses(leg: Leg) -> bool:
    """It pauses in silence (RFC 3389 noise, or long gaps without loss): pauses mean nothing."""
    got = leg.received
    return got is not None and (
        got.comfort_noise > 0 or (got.max_gap_ms is not None and got.max_gap_ms >= DTX_GAP_MS)
    )


def timeout(trace: Trace, _: Leg) -> Evidence | None:
    """The RTP time-out ended the call and no other row says whose audio was missing."""
    if trace.reason is None or trace.reason.name != "media_timeout":
        return None
    if no_media(trace, trace.a) or any(f(trace, x) for x in trace.legs for f in (one_way, stopped)):
        return None
    leg = _last_heard(trace)
    lines = [f"the switch ended the call after {trace.view.duration_s:.0f} s (media_timeout)"]
    if leg is None:
        return Evidence(lines)
    got, ended = leg.received, trace.view.ended_at
    if got is not None and got.last_at is not None and ended is not None:
        lines.append(f"the last packet from {leg.who} came {ended - got.last_at:.0f} s before")
    found = Evidence(lines, {"quiet": leg.who})
    if got is not None and _suppresses(leg):
        lines.append(
            f"{leg.letter} pauses in silence: {got.comfort_noise} comfort noise packets, "
            f"longest gap {got.max_gap_ms or 0:.0f} ms"
        )
        found.cause = f"{leg.who} suppresses silence; the time-out took a pause for a dead stream."
        found.change = "vosctl param set SS_RTP_TIMEOUT=120"
    return found


def _last_heard(trace: Trace) -> Leg | None:
    """The side whose audio ended first."""
    heard = [(leg.received.last_at or 0.0, leg) for leg in trace.legs if leg.received is not None]
    return min(heard, key=lambda row: row[0])[1] if heard else None


def private_destination(trace: Trace, leg: Leg) -> Evidence | None:
    """Audio is sent to a private address that this side is not seen from (D17)."""
    sent, got = leg.sent, leg.received
    if not trace.relayed or sent is None or got is None or sent.packets < ENOUGH_PACKETS:
        return None
    target, seen = host(sent.destination), host(got.source) or host(leg.view.signalling)
    if not got.packets or not is_private(target) or same_network(target, seen):
        return None
    reported = sent.remote_loss_percent
    if reported is not None and reported < NOTHING_ARRIVES_PERCENT:
        return None
    return Evidence([trace.streams(), *_addresses(leg)])


def not_arriving(trace: Trace, leg: Leg) -> Evidence | None:
    """This side's own report says that next to nothing reaches it."""
    ahead = leg.loss_ahead
    if not trace.relayed or ahead is None or ahead < NOTHING_ARRIVES_PERCENT:
        return None
    if private_destination(trace, leg) is not None:
        return None
    return Evidence(
        [
            f"{leg.letter} reports {leg.sent and leg.sent.remote_loss_percent:.0f} % lost by RTCP; "
            f"what {leg.other.letter} sends reaches the switch with {leg.other.loss:.1f} % lost",
            *_addresses(leg),
        ]
    )


def encrypted_silence(trace: Trace, leg: Leg) -> Evidence | None:
    """No audio from one side of an encrypted call: the keys, not only the path, may be wrong."""
    if not _judged(trace, leg) or not leg.silent or not (leg.encrypted or leg.other.encrypted):
        return None
    profiles = f"A offers {trace.a.view.profile}, B {trace.b.view.profile}"
    return Evidence([trace.streams(), profiles])


def mixed_encryption(trace: Trace, _: Leg) -> Evidence | None:
    """One side encrypts, the other does not; a relay does not translate."""
    a, b = trace.legs
    if not trace.relayed or a.view.profile is None or b.view.profile is None:
        return None
    if a.encrypted is b.encrypted:
        return None
    return Evidence([f"A's SDP says {a.view.profile}, B's {b.view.profile}"])


def held(trace: Trace, leg: Leg) -> Evidence | None:
    """Silent as its SDP says: named so that nobody takes it for a fault."""
    why = leg.may_be_silent
    if not trace.relayed or not trace.long_enough or not leg.silent or why is None:
        return None
    return Evidence([trace.streams(), f"{leg.who}: {why}"])


def foreign_source(trace: Trace, leg: Leg) -> Evidence | None:
    """Besides the party's own stream somebody else's arrived at its port."""
    got = leg.received
    if got is None or not leg.flows or got.wrong_source < FOREIGN_PACKETS:
        return None
    return Evidence(
        [f"{got.wrong_source} packets for {leg.who} came from elsewhere than "
         f"{got.source or 'its source'} and were dropped; {got.packets} came from there"]
    )  # fmt: skip


def direct_behind_nat(trace: Trace, leg: Leg) -> Evidence | None:
    """Audio goes direct although one side names an address the other cannot reach."""
    mine, theirs = host(leg.view.sdp_address), host(leg.other.view.sdp_address)
    if not trace.answered or trace.view.media != "direct" or not is_private(mine):
        return None
    if not theirs or same_network(mine, theirs):
        return None
    return Evidence(
        [
            f"audio goes direct: {trace.view.relay_reason or trace.view.media_mode or 'unknown'}",
            f"{leg.letter}'s SDP names the private address {leg.view.sdp_address}, "
            f"{leg.other.letter} is at {leg.other.view.sdp_address}",
        ]
    )
