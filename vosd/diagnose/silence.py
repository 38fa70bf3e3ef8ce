# SPDX-License-Identifier: GPL-2.0-or-later
"""Audio that is missing: which side, which direction, and what speaks for which cause.

Missing is told from silent on purpose first: hold and one-sided SDP (RFC 3264), early media,
comfort noise, encryption and T.38 are no NAT problem (D17, SYM-11 to SYM-13).
"""

from __future__ import annotations

from vosd.diagnose.trace import ENOUGH_PACKETS, Evidence, Leg, Trace, at, host
from vosd.switch.media_policy import is_private, same_network
from vosd.wire.records import Received

#: a side that had no such pause before is not suppressing silence
DTX_GAP_MS = 2000.0
STOPPED_S = 10.0
DEAD_S = 25.0
#: fewer packets from a foreign source are stragglers from before latching
FOREIGN_PACKETS = 50
NOTHING_ARRIVES_PERCENT = 90.0
LEARN = "vosctl param set SS_MEDIA_NAT_LEARN=auto"


def no_media(trace: Trace, _: Leg) -> Evidence | None:
    """Neither side's audio reached the switch."""
    if not _both_silent(trace) or trace.a.strays or trace.b.strays:
        return None
    found = Evidence(_both(trace))
    for leg in trace.legs:
        if _told_private(leg):
            _blame_own_address(found, leg)
            break
    return found


def wrong_source(trace: Trace, _: Leg) -> Evidence | None:
    """Nobody is heard, and audio did come: from elsewhere than the SDP names."""
    strays = [leg for leg in trace.legs if leg.strays]
    if not _both_silent(trace) or not strays:
        return None
    causes, changes = zip(*(_stray(leg) for leg in strays), strict=True)
    return Evidence(
        _both(trace),
        {"senders": " and ".join(leg.who for leg in strays)},
        cause=" ".join(causes),
        change=LEARN if LEARN in changes else " ".join(changes),
    )


def _both_silent(trace: Trace) -> bool:
    a, b = trace.legs
    return _judged(trace, a) and a.silent and b.silent and not (a.encrypted or b.encrypted)


def _both(trace: Trace) -> list[str]:
    return [trace.streams(), *_addresses(trace.a), *_addresses(trace.b), *_cut(trace)]


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
    rtcp = got.rtcp_packets if got is not None else 0
    if leg.strays:
        found.title = f"One-way audio: what {leg.who} sends is dropped"
        found.cause, found.change = _stray(leg)
        found.disproof = f"A capture on the switch shows RTP from {at(leg.view.sdp_address)}."
        found.confidence = "certain"
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


def _stray(leg: Leg) -> tuple[str, str]:
    """Cause and change for a leg whose audio comes from elsewhere than its SDP names."""
    view = leg.view
    if view.sdp_private and not view.nat_learn:
        return f"{leg.who} is behind NAT and its source may not be learned.", LEARN
    if view.sdp_private:
        return (
            f"{leg.who} is behind NAT and its audio began too late to learn its source.",
            f"Have {leg.party} send audio from the answer on: a source is learned within 3 s.",
        )
    seen = (leg.received and leg.received.wrong_from) or "the address it sends from"
    return (
        f"{leg.who} sends from another address than its SDP names.",
        f"Have {leg.party} name {seen} in its SDP, or send from "
        f"{view.sdp_address or 'the address it names'}.",
    )


def _told_private(leg: Leg) -> bool:
    """The switch named a private address of its own to a side that is not in that network."""
    told, seen = host(leg.view.local_rtp), host(leg.view.signalling)
    return bool(seen) and is_private(told) and not same_network(told, seen)


def _blame_own_address(found: Evidence, leg: Leg) -> None:
    told = leg.view.local_rtp
    found.lines.append(f"the switch tells {leg.letter} to send to {at(told)}, out of its reach")
    found.cause = f"The switch names an RTP address that {leg.who} cannot reach."
    found.change = "Set media_address in vosd.toml to the switch's public address."
    found.confidence = "certain"


def _addresses(leg: Leg) -> list[str]:
    view, sent = leg.view, leg.sent
    line = f"{leg.letter}'s SDP names {at(view.sdp_address)}, audio seen from {_seen(leg)}"
    if sent is not None and sent.destination:
        line += f", audio for it goes to {at(sent.destination)}"
    if view.local_rtp:
        line += f"; it was told to send to {view.local_rtp}"
    return [line]


def _seen(leg: Leg) -> str:
    got = leg.received
    if got is None or not leg.strays:
        return at(got.source if got is not None else None)
    return f"{_stranger(got)} and dropped for that ({leg.strays} packets)"


def _stranger(got: Received) -> str:
    return at(got.wrong_from) if got.wrong_from else "elsewhere"


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
        [f"{got.wrong_source} packets for {leg.who} came from {_stranger(got)}, not "
         f"{got.source or 'its source'}, and were dropped; {got.packets} came from there"]
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
            f"{leg.letter}'s SDP names {at(leg.view.sdp_address)}, "
            f"{leg.other.letter} is at {leg.other.view.sdp_address}",
        ]
    )
