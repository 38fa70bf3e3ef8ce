# SPDX-License-Identifier: GPL-2.0-or-later
"""The records that cross the control socket: one definition for daemon, CLI and diagnosis.

Times are Unix seconds, durations end in `_s` or `_ms`, unknown figures are None, never 0.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from vosd.wire.timers import TimerView

VERSION = 1

LegName: TypeAlias = Literal["a", "b"]


class Received(msgspec.Struct, kw_only=True):
    """What the switch received from one party (RFC 3550 figures of the current call)."""

    packets: int = 0
    octets: int = 0
    #: extended highest sequence - first + 1, summed over SSRCs
    expected: int | None = None
    #: expected - unique packets; never below 0
    lost: int | None = None
    loss_percent: float | None = None
    #: arrived after a later sequence number, by more than the reorder window
    late: int = 0
    duplicate: int = 0
    out_of_order: int = 0
    #: RFC 3550 A.8 interarrival jitter, arrival stamped by the kernel
    jitter_ms: float | None = None
    jitter_max_ms: float | None = None
    #: longest silence between two packets
    max_gap_ms: float | None = None
    ssrc: int | None = None
    ssrc_changes: int = 0
    #: packets per payload type seen, keys are decimal text
    payload_types: dict[str, int] = {}
    #: packets per inbound DSCP seen, keys are decimal text
    dscp: dict[str, int] = {}
    #: packets from an address that is not this party: counted and dropped
    wrong_source: int = 0
    #: "host:port" the last RTP of those came from
    wrong_from: str | None = None
    #: datagrams on the RTP port that are no RTP
    malformed: int = 0
    #: comfort noise packets (PT 13, RFC 3389) and telephone events (RFC 4733) among `packets`
    comfort_noise: int = 0
    telephone_events: int = 0
    rtcp_packets: int = 0
    first_at: float | None = None
    last_at: float | None = None
    #: latched source "host:port"
    source: str | None = None


class Sent(msgspec.Struct, kw_only=True):
    """What the switch sent to one party, and what that party's RTCP says of it."""

    packets: int = 0
    octets: int = 0
    #: packets that could not be sent (no destination yet, socket refused)
    dropped: int = 0
    #: DSCP value set on the socket
    dscp: int | None = None
    destination: str | None = None
    #: from the party's receiver reports; None until one arrived
    remote_lost: int | None = None
    remote_loss_percent: float | None = None
    remote_jitter_ms: float | None = None
    #: from LSR/DLSR of the party's reports (RFC 3550 6.4.1)
    rtt_ms: float | None = None
    last_at: float | None = None


class LegView(msgspec.Struct, kw_only=True):
    """One side of a call: a is the calling side, b the called side."""

    side: LegName
    #: gateway name or phone number
    party: str = ""
    kind: Literal["mapping", "routing", "phone"] = "mapping"
    #: signalling source or destination "host:port"
    signalling: str = ""
    call_id: str = ""
    user_agent: str = ""
    #: the party's last session description, as it wrote it
    sdp: str = ""
    #: RTP address the party's SDP names, "host:port"
    sdp_address: str | None = None
    #: the switch's RTP address for this party
    local_rtp: str | None = None
    #: the party's SDP address is private while its signalling is not the same address
    sdp_private: bool = False
    #: the party is behind NAT as signalling shows it
    nat: bool = False
    #: its source may be learned when it is behind NAT (SS_MEDIA_NAT_LEARN)
    nat_learn: bool = True
    #: a=sendrecv and kin as the party last said it
    direction: str = "sendrecv"
    on_hold: bool = False
    codecs_offered: list[str] = []
    codec: str | None = None
    ptime_ms: int | None = None
    #: SDP profile, for instance RTP/AVP or RTP/SAVP
    profile: str | None = None
    received: Received | None = None
    sent: Sent | None = None
    #: None until the call is answered
    timer: TimerView | None = None
    #: Contact of the party and of the switch in this leg's dialog, and where requests go
    contact: str = ""
    our_contact: str = ""
    target: str = ""
    #: how often the party repeated its 2xx although it was acknowledged
    answers_repeated: int = 0
    #: when a phone last registered
    registered_at: float | None = None


class Attempt(msgspec.Struct, kw_only=True):
    """One routing gateway or phone that was tried."""

    party: str
    code: int
    reason: str
    at: float
    took_ms: float


class CallView(msgspec.Struct, kw_only=True):
    """One call, live or finished, with its evidence."""

    id: str
    state: Literal["trying", "ringing", "early_media", "answering", "connected", "ended"]
    caller: str
    #: the caller's name as the called side is shown it
    display: str = ""
    callee: str
    mapping: str = ""
    routing: str = ""
    started_at: float
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    duration_s: float = 0.0
    #: the decided mode: off on auto must_on
    media_mode: str = ""
    media: Literal["relayed", "direct", "none"] = "none"
    relay: Literal["userspace", "kernel"] | None = None
    relay_reason: str = ""
    early_media: bool = False
    legs: list[LegView] = []
    attempts: list[Attempt] = []
    end_reason: str | None = None
    ended_by: Literal["caller", "callee", "switch", "operator"] | None = None
    sip_code: int | None = None
    #: Reason header of the BYE that ended it (RFC 3326)
    farewell: str = ""


class CallList(msgspec.Struct, kw_only=True):
    version: int = VERSION
    calls: list[CallView] = []
    total: int = 0


class Cdr(msgspec.Struct, kw_only=True):
    """One call record as stored and exported."""

    id: str
    node: str
    caller: str
    callee: str
    mapping: str = ""
    routing: str = ""
    started_at: float
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    #: answered time in seconds, from the monotonic clock
    duration_s: float = 0.0
    end_reason: str = ""
    ended_by: str = ""
    sip_code: int = 0
    q850: int = 0
    #: open: answered and not yet ended; closed: final; recovered: closed after a crash
    state: Literal["open", "closed", "recovered"] = "closed"
    #: last proof of life of an open row
    alive_at: float | None = None


class CdrList(msgspec.Struct, kw_only=True):
    version: int = VERSION
    records: list[Cdr] = []


class CdrDetail(msgspec.Struct, kw_only=True):
    version: int = VERSION
    record: Cdr
    #: the evidence kept with it; None when the node was lost
    call: CallView | None = None


class ParamView(msgspec.Struct, kw_only=True):
    """One parameter with everything an operator asks about it."""

    name: str
    group: str
    value: str
    default: str
    unit: str
    accepts: str
    takes_effect: str
    #: "default", "operator" or "preset NAME"
    source: str
    obeyed: bool
    overridable: bool
    #: gateway name to value
    overrides: dict[str, str] = {}
    summary: str = ""
    detail: str = ""
    #: section of the source's manual and requirement rows
    manual: str = ""
    rows: list[str] = []
    presets: list[str] = []
    corrected: str = ""


class ParamList(msgspec.Struct, kw_only=True):
    version: int = VERSION
    parameters: list[ParamView] = []


class ParamChange(msgspec.Struct, kw_only=True):
    """One changed value; what an audit row and the reply to `param set` hold."""

    name: str
    gateway: str | None = None
    old: str
    new: str
    takes_effect: str = ""


class ParamSet(msgspec.Struct, kw_only=True):
    """All or nothing: every value is checked before the first is set. None resets to default."""

    values: dict[str, str | None]
    gateway: str | None = None
    why: str = ""
    dry_run: bool = False
    #: set when a preset is applied, kept as the values' source
    preset: str | None = None


class ParamChanged(msgspec.Struct, kw_only=True):
    version: int = VERSION
    changes: list[ParamChange] = []
    warnings: list[str] = []
    dry_run: bool = False


class AuditRow(msgspec.Struct, kw_only=True):
    at: float
    uid: int
    user: str
    #: verb name, for instance "param.set"
    verb: str
    subject: str
    old: str = ""
    new: str = ""
    why: str = ""


class AuditList(msgspec.Struct, kw_only=True):
    version: int = VERSION
    rows: list[AuditRow] = []


class RegistrationView(msgspec.Struct, kw_only=True):
    """Our own registration with a vendor."""

    state: Literal["registered", "registering", "failed", "disabled"]
    #: where REGISTERs go to, and the domain we register for
    registrar: str
    domain: str
    #: why the last attempt failed, also while an earlier one still holds
    reason: str = ""
    #: Unix seconds: until when the vendor keeps us, and when we try again after a failure
    expires_at: float | None = None
    again_at: float | None = None


class GatewayView(msgspec.Struct, kw_only=True):
    """A gateway as shown: no secret, live figures beside the configuration."""

    name: str
    kind: Literal["mapping", "routing"]
    addresses: list[str]
    auth: str
    user: str = ""
    has_password: bool = False
    prefixes: list[str] = []
    priority: int = 0
    capacity: int = 0
    account: str = ""
    enabled: bool = True
    overrides: dict[str, str] = {}
    calls: int = 0
    #: None: never probed
    up: bool | None = None
    note: str = ""
    #: None: we do not register there
    registration: RegistrationView | None = None


class GatewayList(msgspec.Struct, kw_only=True):
    version: int = VERSION
    gateways: list[GatewayView] = []


class PhoneView(msgspec.Struct, kw_only=True):
    number: str
    #: the name the called side is shown
    display: str = ""
    account: str = ""
    enabled: bool = True
    has_password: bool = False
    registered: bool = False
    contact: str = ""
    #: where its REGISTER came from
    address: str = ""
    nat: bool = False
    expires_at: float | None = None
    registered_at: float | None = None
    user_agent: str = ""
    #: left several keep-alives in a row unanswered
    unreachable: bool = False
    #: the other contacts it has registered, called after this one: where each came from
    also: list[str] = []
    calls: int = 0


class PhoneList(msgspec.Struct, kw_only=True):
    version: int = VERSION
    phones: list[PhoneView] = []


class BlacklistRow(msgspec.Struct, kw_only=True):
    number: str
    prefix: bool = False
    side: Literal["caller", "callee", "both"] = "both"
    expires_at: float | None = None
    why: str = ""
    created_at: float = 0.0
    created_by: str = ""


class BlacklistList(msgspec.Struct, kw_only=True):
    version: int = VERSION
    rows: list[BlacklistRow] = []


class BlacklistCheck(msgspec.Struct, kw_only=True):
    version: int = VERSION
    number: str
    #: would a call from it, and a call to it, pass
    as_caller: bool
    as_callee: bool
    #: the rows that decide
    rows: list[BlacklistRow] = []


class Status(msgspec.Struct, kw_only=True):
    version: int = VERSION
    node: str
    software: str
    pid: int
    uptime_s: float
    #: running, draining
    state: str
    listens: list[str]
    calls: int
    calls_per_s: float
    attempts_total: int
    answered_total: int
    registrations: int
    gateways_up: int
    gateways_down: int
    gateways_unknown: int
    relay: Literal["userspace", "kernel"]
    relay_reason: str
    rtp_ports_used: int
    rtp_ports_total: int
    loop_lag_ms: float
    record_queue: int
    record_error: str = ""
    alarms: list[str] = []
    counters: dict[str, int] = {}


class Failure(msgspec.Struct, kw_only=True):
    """Body of every refusal: a kind for programs, a sentence beginning "cannot" for people.

    Kinds: bad_request, bad_value, not_found, exists, conflict, denied, unavailable, internal.
    """

    kind: str
    message: str
    #: the value that was refused and what would be accepted
    value: str = ""
    accepts: str = ""
