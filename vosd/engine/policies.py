# SPDX-License-Identifier: GPL-2.0-or-later
"""From parameters to the small records the layers below understand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from vosd.engine.settings import Snapshot
from vosd.media.session import MediaConfig
from vosd.net.addresses import SourceAddresses, is_wildcard
from vosd.sip import session_timer
from vosd.sip.endpoint import Listen
from vosd.sip.timing import Timing
from vosd.switch.call import Policy

_NONE: Mapping[str, str] = {}


def policy(snapshot: Snapshot, overrides: Mapping[str, str] = _NONE) -> Policy:
    """Waits and hunting gates of one route (vos3000.md 2.1, 2.4)."""

    def get(name: str) -> object:
        return snapshot.get_for(name, overrides) if overrides else snapshot.get(name)

    return Policy(
        invite_s=_number(get("SS_SIP_TIMEOUT_INVITE")),
        trying_s=_number(get("SS_SIP_TIMEOUT_TRYING")),
        progress_s=_number(get("SS_SIP_TIMEOUT_SESSION_PROGRESS")),
        progress_sdp_s=_number(get("SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP")),
        ringing_s=_number(get("SS_SIP_TIMEOUT_RINGING")),
        stop_after_sdp=bool(get("SS_SIP_STOP_SWITCH_AFTER_SDP")),
        stop_after_invite_timeout=bool(get("SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT")),
        stop_after_rtp=bool(get("SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START")),
        until_connect=bool(get("SS_GATEWAY_SWITCH_UNTIL_CONNECT")),
        reliable=bool(get("SS_SIP_100REL_OFFER")),
        switch_limit=int(_number(get("SS_GATEWAY_SWITCH_LIMIT"))),
    )


def timing(snapshot: Snapshot) -> Timing:
    """SIP timers; an explicit retransmission schedule replaces T1 doubling."""
    schedule = str(snapshot.get("SS_SIP_RESEND_INTERVAL") or "")
    steps = tuple(int(text) / 1000 for text in schedule.replace(",", " ").split())
    return Timing(resend=steps)


def session_terms(snapshot: Snapshot) -> session_timer.Terms:
    """What session timers are asked for, and what becomes of peers without (RFC 4028)."""
    early = _number(snapshot.get("SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP"))
    return session_timer.terms(
        ttl=int(_number(snapshot.get("SS_SIP_SESSION_TTL"))),
        min_se=int(_number(snapshot.get("SS_SIP_SESSION_MIN_SE"))),
        segment=int(_number(snapshot.get("SS_SIP_SESSION_UPDATE_SEGMENT"))),
        early=early if early >= 0 else None,
        probe=_number(snapshot.get("SS_SIP_NO_TIMER_PROBE_INTERVAL")) or math.inf,
        longest=_number(snapshot.get("SS_SIP_NO_TIMER_REINVITE_INTERVAL")) or math.inf,
    )


def media_config(
    snapshot: Snapshot,
    listens: Sequence[Listen],
    media_address: str | None,
    addresses: SourceAddresses,
) -> MediaConfig:
    """Where RTP is taken and how: the addresses of the listening sockets, per family."""
    v4, bind_v4 = _media_hosts(4, listens, media_address, addresses)
    v6, bind_v6 = _media_hosts(6, listens, media_address, addresses)
    return MediaConfig(
        advertise_v4=v4,
        advertise_v6=v6,
        bind_v4=bind_v4,
        bind_v6=bind_v6,
        port_start=int(_number(snapshot.get("SS_MEDIAPROXYPORT_START"))),
        port_end=int(_number(snapshot.get("SS_MEDIAPROXYPORT_END"))),
        rtp_timeout_s=_number(snapshot.get("SS_RTP_TIMEOUT")),
        dscp=int(_number(snapshot.get("SS_QOS_RTP"))),
    )


#: only to ask the routing table which address of ours leads out (RFC 5737, RFC 3849)
_ELSEWHERE = {4: "192.0.2.1", 6: "2001:db8::1"}


def _media_hosts(
    family: int, listens: Sequence[Listen], chosen: str | None, addresses: SourceAddresses
) -> tuple[str | None, str | None]:
    """Host to advertise and host to bind for a family; both None when we do not speak it."""
    ours = [row.host for row in listens if (":" in row.host) == (family == 6)]
    fixed = [host for host in ours if not is_wildcard(host)]
    bind = fixed[0] if fixed else ours[0] if ours else None
    if chosen is not None and (":" in chosen) == (family == 6):
        return chosen, bind or chosen
    if fixed or not ours:
        return bind, bind
    return addresses.towards(_ELSEWHERE[family]), bind


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
