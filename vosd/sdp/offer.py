# SPDX-License-Identifier: GPL-2.0-or-later
"""What an offer and an answer mean: codecs, hold (RFC 3264, RFC 3551)."""

from __future__ import annotations

from vosd.sdp.session import Media

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

# RFC 1918, RFC 6598 (carrier NAT), RFC 3927 (link-local).


def on_hold(media: Media) -> bool:
    """Whether the sender of this description wants no media (RFC 3264 8.4, and RFC 2543's way)."""
    return media.address in ("0.0.0.0", "::") or media.direction in ("sendonly", "inactive")


def _encoding(media: Media, payload_type: str) -> str:
    return media.rtpmap.get(payload_type) or STATIC.get(payload_type, payload_type)


def codec_names(media: Media) -> list[str]:
    """Encoding names in the order of preference; a number where nobody says what it is."""
    return [_encoding(media, payload_type).partition("/")[0] for payload_type in media.formats]


def clock_rates(media: Media) -> dict[int, int]:
    """Payload type -> RTP clock rate in Hz, for what is known."""
    rates: dict[int, int] = {}
    for payload_type in media.formats:
        rate = _encoding(media, payload_type).split("/")[1:2]
        if rate and payload_type.isdigit():
            rates[int(payload_type)] = int(rate[0])
    return rates


def telephone_events(media: Media) -> tuple[int, ...]:
    """Payload types of telephone events (RFC 4733)."""
    return tuple(
        int(payload_type)
        for payload_type in media.formats
        if payload_type.isdigit()
        and _encoding(media, payload_type).lower().startswith("telephone-event/")
    )


def agreed(offer: Media, answer: Media) -> str | None:
    """The codec both sides will use first: the answer's first that was offered, None if none."""
    offered = {_encoding(offer, payload_type).lower() for payload_type in offer.formats}
    for payload_type in answer.formats:
        encoding = _encoding(answer, payload_type)
        name = encoding.partition("/")[0]
        if encoding.lower() in offered and name.lower() not in _COMPANIONS:
            return name
    return None
