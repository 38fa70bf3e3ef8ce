# SPDX-License-Identifier: GPL-2.0-or-later
"""What offers and answers mean."""

from __future__ import annotations

import pytest

from vosd.sdp.offer import agreed, clock_rates, codec_names, on_hold, telephone_events
from vosd.sdp.session import Media


def media(
    formats: str, address: str = "10.0.0.1", direction: str = "sendrecv", **rtpmap: str
) -> Media:
    mapped = {name.lstrip("_"): value for name, value in rtpmap.items()}
    return Media("audio", 5, "RTP/AVP", tuple(formats.split()), address, direction, rtpmap=mapped)


def test_codec_names() -> None:
    """RFC 3551 table 4: G.722 has an RTP clock of 8000 though it samples at 16000."""
    offer = media("18 0 9 96 97 101", _96="opus/48000/2", _101="telephone-event/8000")
    assert codec_names(offer) == ["G729", "PCMU", "G722", "opus", "97", "telephone-event"]
    assert telephone_events(offer) == (101,)
    assert clock_rates(offer) == {18: 8000, 0: 8000, 9: 8000, 96: 48000, 101: 8000}


def test_what_the_offer_says_wins_over_the_table() -> None:
    assert codec_names(media("0 8", _0="AMR/8000")) == ["AMR", "PCMA"]


AGREED = [
    ("0 8 101", "8 101", "PCMA"),
    ("0 8 101", "8 0", "PCMA"),
    ("0 101", "8 101", None),
    ("0 101", "101", None),
    ("0 13", "13 0", "PCMU"),
    ("96", "96", "96"),
    ("0", "", None),
]


@pytest.mark.parametrize(("offered", "answered", "codec"), AGREED)
def test_agreed(offered: str, answered: str, codec: str | None) -> None:
    dtmf = {"_101": "telephone-event/8000"}
    assert agreed(media(offered, **dtmf), media(answered, **dtmf)) == codec


def test_agreed_by_name_where_numbers_differ() -> None:
    """RFC 3264 6.1: each side numbers dynamic types for itself."""
    assert agreed(media("96 0", _96="opus/48000/2"), media("111", _111="OPUS/48000/2")) == "OPUS"
    assert agreed(media("96", _96="opus/48000/2"), media("96", _96="speex/8000")) is None
    assert agreed(media("0"), media("97", _97="PCMU/8000")) == "PCMU"
    assert agreed(media("0"), media("97", _97="PCMU/16000")) is None


@pytest.mark.parametrize(
    ("address", "direction", "held"),
    [
        ("10.0.0.1", "sendrecv", False),
        ("10.0.0.1", "recvonly", False),
        ("10.0.0.1", "sendonly", True),
        ("10.0.0.1", "inactive", True),
        ("0.0.0.0", "sendrecv", True),
        ("::", "sendrecv", True),
    ],
)
def test_on_hold(address: str, direction: str, held: bool) -> None:
    assert on_hold(media("0", address, direction)) is held
