# SPDX-License-Identifier: GPL-2.0-or-later
"""Offer and answer as a relaying switch sees them (RFC 3264), and the rewriting of both."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

from vosd.sdp.session import Media, SdpError, family

__all__ = ["agreed", "codec_names", "family", "is_private", "on_hold", "rewrite"]

# RFC 3551 tables 4 and 5: payload type -> encoding/clock rate. G.722 says 8000 (section 4.5.2).
STATIC = {
    "0": "PCMU/8000",
    "3": "GSM/8000",
    "4": "G723/8000",
    "5": "DVI4/8000",
    "6": "DVI4/16000",
    "7": "LPC/8000",
    "8": "PCMA/8000",
    "9": "G722/8000",
    "10": "L16/44100/2",
    "11": "L16/44100",
    "12": "QCELP/8000",
    "13": "CN/8000",
    "14": "MPA/90000",
    "15": "G728/8000",
    "16": "DVI4/11025",
    "17": "DVI4/22050",
    "18": "G729/8000",
    "25": "CelB/90000",
    "26": "JPEG/90000",
    "28": "nv/90000",
    "31": "H261/90000",
    "32": "MPV/90000",
    "33": "MP2T/90000",
    "34": "H263/90000",
}
# Formats that go along with a codec and are none.
_COMPANIONS = frozenset(("telephone-event", "cn", "red", "t38"))

# RFC 1918, RFC 6598, RFC 3927, loopback; ULA (RFC 4193), link-local, loopback.
_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
_private4 = re.compile(
    r"10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|169\.254\.|127\."
    r"|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\."
).match
