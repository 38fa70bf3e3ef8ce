# SPDX-License-Identifier: GPL-2.0-or-later
"""Security parameters: digest authentication."""

from __future__ import annotations

from vosd.catalog.kinds import Duration, Integer, Word
from vosd.catalog.param import Param

ROWS = (
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
        " not offered is not accepted. A stranger whose request is so short that the answer would"
        " be more than 1.5 times as long is offered MD5 alone. The parameter is our own.",
    ),
    Param(
        name="SS_AUTHENTICATION_MAX_RETRY", kind=Integer(low=0, high=999), default="6",
        group="authentication", takes_effect="now", obeyed=True,
        summary="failed authentications before a terminal is suspended",
        detail="A failure is a wrong password or an unknown user, sent for a challenge of ours by"
        " the address that got it: what a forged address sends never counts, and the same answer"
        " sent again counts once. Failures count together while none comes later after the one"
        " before than SS_AUTHENTICATION_FAILED_SUSPEND. Gateways known by address are never"
        " suspended; a phone that is registered goes on while others behind its address are."
        " 0 suspends nobody.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_AUTHENTICATION_FAILED_SUSPEND", kind=Duration(low=1, high=86400), default="180",
        group="authentication", takes_effect="now", obeyed=True,
        summary="how long a terminal stays suspended",
        detail="Meanwhile its address, for IPv6 its /64, gets 503 with Retry-After before any"
        " password is looked at. The log says \"auth suspended\" once, and vosctl status counts"
        " it. The range is our own.", manual="4.3.5.2",
    ),
)
