# SPDX-License-Identifier: GPL-2.0-or-later
"""Rewriting, compared whole: what is named changes, all else stays octet for octet."""

from __future__ import annotations

import pytest

from vosd.sdp.session import SdpError, Session, rewrite


def rewritten(body: str, address: str = "192.0.2.1", rtcp: int | None = 10001) -> str:
    return rewrite(
        body.encode("latin-1"),
        address=address,
        port=10000,
        rtcp_port=rtcp,
        session_id="77",
        version=3,
    ).decode("latin-1")


SIMPLE = """v=0
o=alice 2890844526 2890844526 IN IP4 10.1.3.33
s=Sm\xf8rrebr\xf8d \x01
c=IN IP4 10.1.3.33
b=AS:80
t=0 0
m=audio 49172 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=x-odd: o=1 c=IN IP4 10.1.3.33
a=sendrecv
"""
SIMPLE_OURS = """v=0
o=vosd 77 3 IN IP4 192.0.2.1
s=Sm\xf8rrebr\xf8d \x01
c=IN IP4 192.0.2.1
b=AS:80
t=0 0
m=audio 10000 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=x-odd: o=1 c=IN IP4 10.1.3.33
a=sendrecv
"""


def test_simple() -> None:
    assert rewritten(SIMPLE) == SIMPLE_OURS


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("last", ["", "end"])
def test_line_ends_stay(end: str, last: str) -> None:
    body, ours = SIMPLE.replace("\n", end), SIMPLE_OURS.replace("\n", end)
    if not last:
        body, ours = body.removesuffix(end), ours.removesuffix(end)
    assert rewritten(body) == ours


def test_ipv6() -> None:
    assert rewritten(SIMPLE, "2001:db8::7") == SIMPLE_OURS.replace(
        "IN IP4 192.0.2.1", "IN IP6 2001:db8::7"
    )


FULL = """v=0
o=- 1 1 IN IP6 2001:db8::1
s=-
t=0 0
a=group:BUNDLE 0 1
a=ice-lite
m=video 5000 RTP/AVP 31
c=IN IP6 2001:db8::1
a=rtcp:5001
a=candidate:1 1 UDP 1 10.0.0.1 5000 typ host
m=audio 49170/2 RTP/SAVP 0
c=IN IP6 2001:db8::2
a=rtcp:53020 IN IP6 2001:db8::3
a=rtcp-mux
a=rtcp-fb:0 nack
a=ice-ufrag:x
a=ice-pwd:y
a=candidate:1 1 UDP 1 2001:db8::1 49170 typ host
a=remote-candidates:1 10.0.0.1 5
a=end-of-candidates
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x
m=audio 6000 RTP/AVP 8
c=IN IP4 10.0.0.2
m=application 7 UDP/BFCP *
"""
FULL_OURS = """v=0
o=vosd 77 3 IN IP4 192.0.2.1
s=-
t=0 0
a=group:BUNDLE 0 1
m=video 0 RTP/AVP 31
c=IN IP4 192.0.2.1
m=audio 10000 RTP/SAVP 0
c=IN IP4 192.0.2.1
a=rtcp:10001 IN IP4 192.0.2.1
a=rtcp-fb:0 nack
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x
m=audio 0 RTP/AVP 8
c=IN IP4 192.0.2.1
m=application 0 UDP/BFCP *
"""


def test_many_media_rtcp_and_ice() -> None:
    assert rewritten(FULL) == FULL_OURS


def test_rtcp_is_dropped_where_we_have_none() -> None:
    without = FULL_OURS.replace("a=rtcp:10001 IN IP4 192.0.2.1\n", "")
    assert rewritten(FULL, rtcp=None) == without


def test_rtcp_is_added_where_it_is_not_the_next_port() -> None:
    """RFC 3605: the other side would guess 10001."""
    line = "a=rtcp:12000 IN IP4 192.0.2.1"
    assert rewritten(SIMPLE, rtcp=12000) == f"{SIMPLE_OURS}{line}\n"
    assert rewritten(SIMPLE.rstrip("\n"), rtcp=12000) == f"{SIMPLE_OURS}{line}"
    assert rewritten(SIMPLE.replace("\n", "\r\n"), rtcp=12000) == (
        f"{SIMPLE_OURS}{line}\n".replace("\n", "\r\n")
    )
    video = "m=video 9 RTP/AVP 31\n"
    assert rewritten(SIMPLE + video, rtcp=12000) == (
        f"{SIMPLE_OURS}{line}\n{video.replace('9', '0', 1)}"
    )


def test_first_audio_in_use_is_taken() -> None:
    body = "v=0\no=- 1 1 IN IP4 h\nc=IN IP4 10.0.0.1\nm=audio 0 RTP/AVP 0\nm=audio 5 RTP/AVP 8\n"
    assert rewritten(body) == (
        "v=0\no=vosd 77 3 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\n"
        "m=audio 0 RTP/AVP 0\nm=audio 10000 RTP/AVP 8\n"
    )


def test_a_refusal_stays_one() -> None:
    body = "v=0\no=- 1 1 IN IP4 h\nm=audio 0 RTP/AVP 0\n"
    assert rewritten(body) == "v=0\no=vosd 77 3 IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0\n"


@pytest.mark.parametrize("hold", ["c=IN IP4 0.0.0.0", "c=IN IP6 ::", "c=IN IP4 0.0.0.0\r"])
def test_the_old_way_of_holding_stays(hold: str) -> None:
    """RFC 3264 8.4: with our address in its place the call would leave hold."""
    body = f"v=0\no=- 1 1 IN IP4 h\n{hold}\nm=audio 5 RTP/AVP 0\n"
    assert rewritten(body) == (
        f"v=0\no=vosd 77 3 IN IP4 192.0.2.1\n{hold}\nm=audio 10000 RTP/AVP 0\n"
    )


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ("v=0\nc=IN IP4 10.0.0.1\nm=audio 5 RTP/AVP 0\n", "o="),
        ("v=0\no=- 1 1 IN IP4 h\nm=audio 5 RTP/AVP 0\n", "c="),
        ("v=0\no=- 1 1 IN IP4 h\nm=audio 5 RTP/AVP 0\nm=video 5 RTP/AVP 0\nc=IN IP4 h\n", "c="),
        ("v=0\no=- 1 1 IN IP4 h\nm=audio 5\n", "m="),
    ],
)
def test_what_cannot_be_readdressed(body: str, missing: str) -> None:
    with pytest.raises(SdpError, match=rf"cannot .*{missing}"):
        rewritten(body)


def test_a_dropped_last_line_without_an_end_leaves_no_bare_cr() -> None:
    """Found by fuzzing: a reader would take the CR for a part of the line before."""
    body = b"v=0\r\no=u 1 2 IN IP4 h\r\nc=IN IP4 h\r\nm=audio 0 RTP/AVP 0\r\na=rtcp-mux"
    written = rewrite(
        body, address="192.0.2.1", port=10000, rtcp_port=10001, session_id="9", version=1
    )
    assert written.endswith(b"m=audio 0 RTP/AVP 0\r\n")


def test_an_odd_mapping_of_media_we_refuse_is_passed_over() -> None:
    """Half of RFC 4475 says a=rtpmap:31 LPC of its video; in audio it is refused."""
    head = b"v=0\r\no=u 1 2 IN IP4 h\r\nc=IN IP4 h\r\nm=audio 5 RTP/AVP 0\r\n"
    assert Session.parse(head + b"m=video 7 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n").audio
    with pytest.raises(SdpError, match="cannot read a=rtpmap:"):
        Session.parse(head + b"a=rtpmap:31 LPC\r\n")
