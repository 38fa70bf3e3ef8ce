# SPDX-License-Identifier: GPL-2.0-or-later
"""Call parameters: how a routing gateway is hunted for and how many calls may come."""

from __future__ import annotations

from vosd.catalog.kinds import Integer, Switch, Word
from vosd.catalog.param import Param

ROWS = (
    Param(
        name="SS_SIP_STOP_SWITCH_AFTER_SDP", kind=Switch(), default="off",
        group="routing", takes_effect="next call", obeyed=True,
        summary="once a gateway sent SDP, try no other",
        detail="Off leaves it to SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START: a gateway that sent SDP"
        " and no audio may be left again. The default is our own.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT", kind=Switch(), default="off",
        group="routing", takes_effect="next call", obeyed=True,
        summary="once a gateway left an INVITE unanswered, try no other",
        detail="The default is our own.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_GATEWAY_SWITCH_LIMIT",
        kind=Integer(low=1, high=100, zero="none", unit="gateways"), default="none",
        group="routing", takes_effect="next call", obeyed=True, overridable=True,
        summary="most routing gateways tried for one call; none is no limit",
        detail="Each attempt adds to the post-dial delay. The range is our own.",
        manual="4.3.5.2 p.236",
    ),
    Param(
        name="SS_GATEWAY_SWITCH_UNTIL_CONNECT", kind=Switch(), default="off",
        group="routing", takes_effect="next call", obeyed=True, overridable=True,
        summary="try further gateways also after one of them rang",
        detail="Off: once the called party rang, its gateway is the last. In either case the codes"
        " that speak of the called number (404 484 486 600 603) and 422 end the hunt.",
        manual="4.3.5.2 p.236", rows=("D20",),
    ),
    Param(
        name="SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START", kind=Switch(), default="on",
        group="routing", takes_effect="next call", obeyed=True, overridable=True,
        summary="once a gateway sent RTP, try no other",
        detail="Known for relayed calls only: direct media never passes the switch.",
        manual="4.3.5.2 p.236",
    ),
    Param(
        name="SS_SIP_100REL_ACCEPT", kind=Word(words={"required": None, "media": None}),
        default="required", group="routing", takes_effect="now", obeyed=True,
        summary="which callers have to acknowledge ringing and progress (PRACK, RFC 3262)",
        detail="required: those that demand it themselves. media: also those that merely can, where"
        " the answer holds SDP, so that early media is not lost with a packet. The parameter is"
        " our own.",
    ),
    Param(
        name="SS_SIP_100REL_OFFER", kind=Switch(), default="off",
        group="routing", takes_effect="now", obeyed=True, overridable=True,
        summary="offer gateways to acknowledge their ringing and progress (PRACK, RFC 3262)",
        detail="What a gateway sends reliably without being offered is acknowledged too. The"
        " parameter is our own.",
    ),
    Param(
        name="SS_SIP_REFER", kind=Word(words={"not_allowed": 405, "decline": 603}),
        default="not_allowed", group="routing", takes_effect="now", obeyed=True,
        summary="how a party's request to transfer a call (REFER) is refused",
        detail="Transfers are not followed: a party that could send calls anywhere could run up"
        " somebody else's bill. 405 says so once for all, 603 of this transfer alone. The"
        " parameter is our own.",
    ),
    Param(
        name="SS_MAX_CPS", kind=Integer(low=1, high=100000, zero="unlimited", unit="calls/s"),
        default="unlimited", group="routing", takes_effect="now", obeyed=True,
        summary="new calls taken per second; more are refused with 503",
        detail="The default is our own.", manual="4.3.5.2",
    ),
    Param(
        name="SS_GATEWAY_ASR_CALCULATE", kind=Switch(), default="off",
        group="routing", takes_effect="now",
        summary="keep answer-seizure ratio and average call duration per gateway",
        manual="4.3.5.2 p.235",
    ),
)
