# SPDX-License-Identifier: GPL-2.0-or-later
"""Security parameters: registration and digest authentication."""

from __future__ import annotations

from vosd.catalog.kinds import Duration, Integer, Word
from vosd.catalog.param import Param

ROWS = (
    Param(
        name="SS_ENDPOINT_EXPIRE", kind=Duration(low=60, high=86400), default="3600",
        group="registration", takes_effect="new registrations", obeyed=True,
        summary="longest life of a phone's registration",
        detail="A phone that asks for less gets what it asks for. The range is our own.",
        manual="2.5.5; 4.3.5.2",
    ),
    Param(
        name="SS_ENDPOINTTIMETOLIVE", kind=Duration(low=10, high=3600), default="60",
        group="registration", takes_effect="new registrations",
        summary="interval of the light re-registration",
        detail="The range is our own.", manual="4.3.5.2",
    ),
    Param(
        name="SS_SIP_USER_AGENT_EXPIRE",
        kind=Duration(low=20, high=7200, words={"auto": 0.0}), default="auto",
        group="registration", takes_effect="new registrations",
        summary="expiry asked for when the switch registers with a vendor",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_SIP_USER_AGENT_RETRY_DELAY", kind=Duration(low=30, high=600), default="60",
        group="registration", takes_effect="new registrations",
        summary="wait after a failed registration with a vendor",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_AUTHCHALLENGEMODE", kind=Word(words={"401": None, "407": None}),
        default="401",
        group="authentication", takes_effect="now", obeyed=True,
        summary="status that challenges an INVITE",
        detail="401 comes from a user agent, 407 from a proxy (RFC 3261 22). A REGISTER is"
        " always challenged with 401. The default is our own.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_DIGEST_ALGORITHMS",
        kind=Word(words={"all": None, "sha_256": None, "md5": None}),
        default="all",
        group="authentication", takes_effect="now", obeyed=True,
        summary="digest algorithms a challenge offers",
        detail="all offers SHA-256 first and MD5 second, each in a header field of its own"
        " (RFC 8760). Some older phones give up at the first algorithm they do not know, for"
        " instance baresip 1.0: md5 lets them in, until they are renewed. An algorithm that is"
        " not offered is not accepted. The parameter is our own.",
    ),
    Param(
        name="SS_AUTHENTICATION_MAX_RETRY", kind=Integer(low=0, high=999), default="6",
        group="authentication", takes_effect="now",
        summary="failed authentications before a terminal is suspended",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_AUTHENTICATION_FAILED_SUSPEND", kind=Duration(low=1, high=86400), default="180",
        group="authentication", takes_effect="now",
        summary="how long a terminal stays suspended",
        detail="The range is our own.", manual="4.3.5.2",
    ),
)
