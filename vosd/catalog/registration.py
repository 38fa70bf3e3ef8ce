# SPDX-License-Identifier: GPL-2.0-or-later
"""Registration of phones with us and of us with vendors, and what keeps a phone's NAT open."""

from __future__ import annotations

from vosd.catalog.kinds import Duration, Integer, Text
from vosd.catalog.param import Param

NAT = (
    Param(
        name="SS_SIP_NAT_KEEP_ALIVE_MESSAGE", kind=Text(longest=64), default="HELLO",
        group="nat", takes_effect="now", obeyed=True,
        summary="payload of the UDP packet that keeps a phone's NAT binding; empty sends none",
        detail="On by default, to every contact registered over UDP, from the socket and to the"
        " address its REGISTER used. Phones need not support it. HELLO is no SIP and gets no"
        " answer. OPTIONS sends that request in its place: a phone that leaves three in a row"
        " unanswered is shown as unreachable, and stays registered. CRLF sends the empty lines"
        " of RFC 5626, which over UDP need no answer either. One-way packets need not refresh a"
        " binding: RFC 4787 REQ-6 asks that of outbound traffic only, which OPTIONS draws from"
        " the phone.",
        manual="4.1.2 p.212",
        rows=("NAT-01", "NAT-02", "NAT-06", "CMP-05", "CMP-08", "D30", "D63"),
        corrected="The source tells to enable it by setting HELLO, which is its default (D63),"
        " and trusts inbound packets to refresh the binding (D30).",
    ),
    Param(
        name="SS_SIP_NAT_KEEP_ALIVE_PERIOD", kind=Duration(low=10, high=86400), default="30",
        group="nat", takes_effect="now", obeyed=True,
        summary="time between two keep-alives to one phone",
        detail="Bindings of home routers live 30 to 300 s. A connected call that drops after"
        " exactly 30 s is a missing RTP stream, after 32 s a missing ACK: neither is cured here.",
        manual="4.1.2 p.212", rows=("NAT-03", "TRB-01", "TRB-04", "CMP-06", "FQS-02", "D18"),
        corrected="The source cures drops at 30 s with this (D18).",
    ),
    Param(
        name="SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL", kind=Duration(low=1, high=10000, unit="ms"),
        default="500", group="nat", takes_effect="now", obeyed=True,
        summary="pause between two batches of keep-alives",
        detail="A batch holds up to SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME packets.",
        manual="4.1.2 p.212", rows=("NAT-04", "D31"),
        corrected="The source pauses between packets: 3000 of them would take 1500 s of a 30 s"
        " period (D31).",
    ),
    Param(
        name="SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME", kind=Integer(low=1, high=10000,
                                                                 unit="packets"),
        default="3000", group="nat", takes_effect="now", obeyed=True,
        summary="keep-alives sent in one batch",
        detail="Inside a batch they leave a few at a time, 10 ms apart, so that calls do not wait"
        " for them. When all batches take longer than the period, vosctl status says so.",
        manual="4.1.2 p.212", rows=("NAT-05", "D31"),
    ),
)

PHONES = (
    Param(
        name="SS_ENDPOINT_EXPIRE", kind=Duration(low=60, high=86400), default="3600",
        group="registration", takes_effect="new registrations", obeyed=True,
        summary="longest life of a phone's registration",
        detail="A phone that asks for less gets what it asks for. The range is our own.",
        manual="2.5.5; 4.3.5.2",
    ),
    Param(
        name="SS_ENDPOINTTIMETOLIVE", kind=Duration(low=10, high=3600), default="60",
        group="registration", takes_effect="new registrations", obeyed=True,
        summary="shortest interval a phone may register again at",
        detail="A phone that asks for less gets 423 with this as Min-Expires (RFC 3261 10.3), or"
        " with SS_ENDPOINT_EXPIRE where that is shorter. The source calls it the interval of the"
        " light re-registration, a word of H.323, and gives no more; the range is our own.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_ENDPOINT_CONTACTS", kind=Integer(low=1, high=10), default="5",
        group="registration", takes_effect="new registrations", obeyed=True,
        summary="contacts a phone may have registered at the same time",
        detail="They are called one after the other, the newest first. One more takes the place"
        " of the oldest; with 1 each device that registers puts the one before out. The parameter"
        " is our own.",
    ),
)

VENDORS = (
    Param(
        name="SS_SIP_USER_AGENT_EXPIRE",
        kind=Duration(low=20, high=7200, words={"auto": 0.0}), default="auto",
        group="registration", takes_effect="new registrations", obeyed=True, overridable=True,
        summary="expiry asked for when the switch registers with a vendor",
        detail="auto asks for 3600 s. The vendor may grant less, which is obeyed, and may want"
        " more by 423, which is asked for then. Registered anew when a tenth, and 40 s at least,"
        " is left, but not before half of it is over.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_SIP_USER_AGENT_RETRY_DELAY", kind=Duration(low=30, high=600), default="60",
        group="registration", takes_effect="new registrations", obeyed=True, overridable=True,
        summary="wait after a failed registration with a vendor",
        detail="Longer when the vendor says so by Retry-After, up to an hour; shorter, down to 5 s,"
        " while an earlier registration still holds.",
        manual="4.3.5.2",
    ),
)

ROWS = (*NAT, *PHONES, *VENDORS)
