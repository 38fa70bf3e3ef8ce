# SPDX-License-Identifier: GPL-2.0-or-later
"""Media parameters: proxy, ports, jitter buffer, audio processing, DSCP marks."""

from __future__ import annotations

from vosd.catalog.kinds import Dscp, Duration, Integer, Pick, Port, Switch, Word
from vosd.catalog.param import Param

#: named by the source and by no other public list: the source alone defines them
SEED_ONLY = "No other public source names this parameter: the source alone defines it (D75)."
NO_PROCESSING = ("It needs decoded audio, so it will work on calls whose audio the switch"
                 " processes, never on calls it only relays.")

PROXY = (
    Param(
        name="SS_MEDIAPROXYMODE",
        kind=Word(words={"off": 0, "on": 1, "auto": 2, "must_on": 3}), default="must_on",
        group="media", takes_effect="next call", obeyed=True, overridable=True, audible=True,
        summary="whether RTP passes the switch",
        detail="The two legs and this value decide together: any must_on relays; else any off"
        " goes direct; else any on relays; else auto relays behind NAT and between different"
        " networks. Direct calls have no figures and no RTP time-out. A relay on the path costs"
        " 1 to 5 ms by the source.",
        manual="4.3.2", rows=("MP-01", "MP-03", "MP-04", "MP-05", "MP-06", "MP-07", "MP-12",
                              "MP-13", "D11", "D12"),
        corrected="Numbers are the source's; the vendor's web API writes 0 auto, 1 on, 2 off,"
        " 3 must_on for a gateway, so words are what is stored (D11). Of on the source says both"
        " always and not always; the order above decides (D12).",
    ),
    Param(
        name="SS_MEDIAPROXYPORT_START", kind=Port(parity=0), default="10000",
        group="media", takes_effect="next call", obeyed=True,
        summary="first UDP port for RTP",
        detail="Each leg takes an even port for RTP and the odd one above it for RTCP (RFC 3550"
        " 11): four ports a call. The default 10000-32767 carries 5692 calls and ends where the"
        " ephemeral ports of Linux begin (32768-60999), which any program may hold when a call"
        " needs one. A range that reaches into them is accepted; reserve it"
        " (net.ipv4.ip_local_reserved_ports).",
        manual="4.3.2", rows=("MP-08", "D56"), corrected=SEED_ONLY,
    ),
    Param(
        name="SS_MEDIAPROXYPORT_END", kind=Port(), default="32767",
        group="media", takes_effect="next call", obeyed=True,
        summary="last UDP port for RTP",
        detail="See SS_MEDIAPROXYPORT_START.",
        manual="4.3.2", rows=("MP-09", "D56"), seed="60000",
        corrected="The source's 10000-60000 overlaps the ephemeral range, so the default ends below"
        " it; the preset as-seed holds the source's value (D56). " + SEED_ONLY,
    ),
    Param(
        name="SS_RTP_TIMEOUT", kind=Duration(low=5, high=3600, words={"off": 0.0}),
        default="30", group="media", takes_effect="now", obeyed=True,
        summary="a relayed call is ended when a side that should send is silent this long",
        detail="Counted per direction; a side on hold is not expected to send. Calls that end"
        " after exactly this time have lost their audio, whatever their signalling says."
        " The range is our own.",
        manual="4.3.2", rows=("MP-10", "D18"),
        corrected="The source puts drops at 30 s down to NAT bindings although this is 30 s"
        " (D18). " + SEED_ONLY,
    ),
    Param(
        name="SS_MEDIA_NAT_LEARN", kind=Word(words={"auto": None, "off": None}), default="auto",
        group="media", takes_effect="next call", obeyed=True,
        summary="whether RTP may be taken from another address than the SDP names",
        detail="auto: only from a party behind NAT, within 3 s of a signalling event, locked"
        " after three packets in a row of one source. off: only from the SDP address. Our own"
        " parameter.",
    ),
)

JITTER = (
    Param(
        name="SS_JITTERBUFFER_MODE", kind=Word(words={"fixed": 0, "adaptive": 1}),
        default="adaptive", group="jitter", takes_effect="next call", audible=True,
        summary="whether the jitter buffer follows the jitter it measures",
        detail="adaptive starts at DEFAULT and moves between MIN and MAX; fixed stays at"
        " DEFAULT. " + NO_PROCESSING,
        manual="4.3.2", rows=("JB-02", "JB-03", "JB-04", "JB-05", "D09"),
        corrected="The source does not say which size counts in fixed mode: DEFAULT (D09). "
        + SEED_ONLY,
    ),
    Param(
        name="SS_JITTERBUFFER_MIN", kind=Duration(low=0, high=1000, unit="ms"), default="20",
        group="jitter", takes_effect="next call", audible=True,
        summary="smallest jitter buffer, adaptive mode",
        detail="Below 20 ms even moderate jitter is audible, except on a LAN.",
        manual="4.3.2", rows=("JB-06", "JB-10", "JB-11", "D08"), corrected=SEED_ONLY,
    ),
    Param(
        name="SS_JITTERBUFFER_MAX", kind=Duration(low=0, high=1000, unit="ms"), default="200",
        group="jitter", takes_effect="next call", audible=True,
        summary="largest jitter buffer, adaptive mode",
        detail="Every millisecond in it is a millisecond of delay. Raise it against gaps, lower"
        " it against delay.",
        manual="4.3.2", rows=("JB-07", "JB-10", "JB-12", "JB-17", "D08"),
        corrected="The source's own limits disagree (200, 300, 400 ms): the presets decide, and"
        " a value outside them is warned of, not refused (D08). " + SEED_ONLY,
    ),
    Param(
        name="SS_JITTERBUFFER_DEFAULT", kind=Duration(low=0, high=1000, unit="ms"),
        default="60", group="jitter", takes_effect="next call", audible=True,
        summary="jitter buffer a call starts with; the whole size in fixed mode",
        manual="4.3.2", rows=("JB-08", "JB-10", "JB-17", "D09"), corrected=SEED_ONLY,
    ),
)

AUDIO = (
    Param(
        name="SS_ECHOCANCEL", kind=Switch(), default="on",
        group="audio", takes_effect="next call", audible=True,
        summary="cancel the echo of the line",
        detail="Line echo arises at the far end's hybrid; an echo canceller (ITU-T G.168) sits"
        " near it. " + NO_PROCESSING,
        manual="4.3.5", rows=("AUD-01", "MIS-01", "D14"), corrected=SEED_ONLY,
    ),
    Param(
        name="SS_ECHOCANCELTAIL", kind=Pick(values=(64, 128, 256), unit="ms"), default="128",
        group="audio", takes_effect="next call", audible=True,
        summary="longest echo path the canceller covers",
        detail="It must exceed the delay of the echo as the switch sees it: 128 ms cannot cancel"
        " an echo of 300 ms. 256 ms for satellite, at more CPU.",
        manual="4.3.5", rows=("AUD-02", "ADV-05", "D14"),
        corrected="The source cures a 300-400 ms echo with 128 ms (D14). " + SEED_ONLY,
    ),
    Param(
        name="SS_VOICEGAIN", kind=Integer(low=-10, high=10, unit="dB"), default="0",
        group="audio", takes_effect="next call", audible=True,
        summary="gain applied to the voice",
        detail="Too much clips, and clipping sounds like echo. " + NO_PROCESSING,
        manual="4.3.5", rows=("AUD-03",), corrected=SEED_ONLY,
    ),
    Param(
        name="SS_COMFORTNOISE", kind=Switch(), default="on",
        group="audio", takes_effect="next call", audible=True,
        summary="fill silence with comfort noise (RFC 3389)",
        detail=NO_PROCESSING,
        manual="4.3.5", rows=("AUD-04",), corrected=SEED_ONLY,
    ),
)

QOS = (
    Param(
        name="SS_QOS_SIGNAL", kind=Dscp(), default="CS5",
        group="qos", takes_effect="now", obeyed=True, audible=True,
        summary="DSCP of the SIP packets the switch sends",
        detail="A bare decimal is the DSCP, a bare hex number the ToS byte (CS5 40 0xa0). A mark"
        " does nothing unless the routers on the way honour it: verify on the wire.",
        manual="4.1.4", rows=("QOS-01", "QOS-02", "QOS-06", "QOS-10", "D01", "D03", "D04"),
        corrected="The source recommends CS3 (24); RFC 4594 gives telephony signalling CS5 and"
        " CS3 to broadcast video (D04). The preset cs3 holds the source's value.", seed="CS3",
    ),
    Param(
        name="SS_QOS_RTP", kind=Dscp(), default="EF",
        group="qos", takes_effect="now", obeyed=True, audible=True,
        summary="DSCP of the RTP and RTCP packets the switch sends",
        detail="EF shows as ToS byte 0xb8 in a capture; filter with 'ip[1] & 0xfc == 0xb8'. A"
        " mark does nothing unless the routers on the way honour it: verify on the wire.",
        manual="4.1.4", rows=("QOS-01", "QOS-03", "QOS-04", "QOS-09", "QOS-10", "QOS-11",
                              "D01", "D03"),
        corrected="The source looks for tos 0x2e in a capture; that byte is DSCP 11 with an ECN"
        " bit (D01).",
    ),
)

ROWS = (*PROXY, *JITTER, *AUDIO, *QOS)
