# SPDX-License-Identifier: GPL-2.0-or-later
"""Session descriptions: what is read and refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vosd.sdp.session import Media, SdpError, Session, family, rewrite

HEAD = "v=0\r\no=u 1 2 IN IP4 10.0.0.1\r\ns=-\r\n"
OUR = {"address": "192.0.2.1", "port": 10000, "rtcp_port": 10001, "session_id": "9", "version": 1}


def read(*lines: str) -> Session:
    return Session.parse((HEAD + "".join(f"{line}\r\n" for line in lines)).encode())


def audio(*lines: str) -> Media:
    media = read("c=IN IP4 10.0.0.1", "t=0 0", *lines).audio
    assert media is not None
    return media


def test_whole() -> None:
    seen = read(
        "c=IN IP4 10.0.0.1/127",
        "t=0 0",
        "a=recvonly",
        "a=ptime:30",
        "m=video 6000 RTP/AVP 31",
        "c=IN IP6 2001:db8::1",
        "m=audio 49170/2 RTP/SAVP 0 8 96 101",
        "a=rtpmap:96 opus/48000/2",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:0 PCMU/8000/1",
        "a=rtpmap:0 GSM/8000",
        "a=fmtp:101 0-16",
        "a=ptime:20",
        "a=sendonly",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x",
        "a=rtcp:53020 IN IP4 10.0.0.9",
    )
    assert seen == Session(
        "u",
        "1",
        "2",
        "10.0.0.1",
        (
            Media("video", 6000, "RTP/AVP", ("31",), "2001:db8::1", "recvonly", 30),
            Media(
                "audio",
                49170,
                "RTP/SAVP",
                ("0", "8", "96", "101"),
                "10.0.0.1",
                "sendonly",
                20,
                {"96": "opus/48000/2", "101": "telephone-event/8000", "0": "PCMU/8000"},
                {"101": "0-16"},
                53020,
                "10.0.0.9",
                True,
            ),
        ),
    )
    assert seen.audio is seen.media[1]


def test_line_ends_and_blank_lines() -> None:
    crlf = (HEAD + "c=IN IP4 10.0.0.1\r\nm=audio 5 RTP/AVP 0\r\n").encode()
    assert Session.parse(crlf) == Session.parse(crlf.replace(b"\r\n", b"\n"))
    assert Session.parse(crlf) == Session.parse(crlf + b"\r\n\r\n")
    assert Session.parse(crlf) == Session.parse(crlf[:-2])


def test_audio_is_the_first_in_use() -> None:
    seen = read("m=audio 0 RTP/AVP 0", "m=image 5 udptl t38", "m=audio 7 RTP/AVP 8")
    assert seen.audio is seen.media[2]
    assert read("m=audio 0 RTP/AVP 0").audio is None
    assert read().audio is None


def test_odd_but_taken() -> None:
    assert audio("m=audio 5 RTP/AVP  0  8 ").formats == ("0", "8")
    assert audio("m=audio 5 RTP/AVP").formats == ()
    assert audio("m=audio 5 RTP/AVP 0", "a=ptime:0").ptime is None
    assert audio("m=audio 5 RTP/AVP 0", "a=ptime:20.5").ptime is None
    assert audio("m=audio 5 UDP/TLS/RTP/SAVPF 0").crypto
    assert audio("m=audio 5 RTP/AVP 0", "a=rtcp:7").rtcp_address is None
    assert audio("m=audio 5 RTP/AVP 0", "c=IN IP4 media.example").address == "media.example"
    assert read("m=audio 5 RTP/AVP 0").media[0].address is None
    assert Session.parse(HEAD.encode() + b"i=M\xfcller\r\n").origin == "10.0.0.1"


# Reliability row 18.
REFUSED = [
    ("m=audio -1 RTP/AVP 0", "m="),
    ("m=audio 65536 RTP/AVP 0", "m="),
    ("m=audio x RTP/AVP 0", "m="),
    ("m=audio 5", "m="),
    ("m=", "m="),
    ("c=IN IP4 256.0.0.1", "c="),
    ("c=IN IP4 1.2.3", "c="),
    ("c=IN IP4 2001:db8::1", "c="),
    ("c=IN IP6 fe80::1%eth0", "c="),
    ("c=IN IP6 1.2.3.4", "c="),
    ("c=IN IP6 ::1::2", "c="),
    ("c=IN IP4", "c="),
    ("c=ATM NSAP 1", "c="),
    ("c=IN IP4 10.0.0.1 x", "c="),
    ("m=audio 5 RTP/AVP 0\r\na=rtpmap:0 PCMU/0", "a=rtpmap"),
    ("m=audio 5 RTP/AVP 0\r\na=rtpmap:0 PCMU", "a=rtpmap"),
    ("m=audio 5 RTP/AVP 0\r\na=rtpmap:128 PCMU/8000", "a=rtpmap"),
    ("m=audio 5 RTP/AVP 0\r\na=rtcp:70000", "a=rtcp"),
    ("m=audio 5 RTP/AVP 0\r\na=rtcp:x", "a=rtcp"),
    ("noise", "SDP line"),
    ("o=u 1 2 IN IP4", "o="),
    ("\r\n".join(["m=audio 5 RTP/AVP 0"] * 9), "more than 8 media"),
]


@pytest.mark.parametrize(("line", "named"), REFUSED)
def test_refused(line: str, named: str) -> None:
    with pytest.raises(SdpError, match=r"^cannot ") as refused:
        read(line)
    assert named in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"v=1\r\n",
        b"v=0\r\ns=-\r\n",
        b"\xff\xfe",
        b"v=0\r\n" + b"a=x\r\n" * 20000,
        (HEAD + "a=x\r\n" * 1000).encode(),
    ],
)
def test_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(SdpError, match=r"^cannot "):
        Session.parse(body)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.1", 4),
        ("0.0.0.0", 4),
        ("010.0.0.1", None),
        ("256.0.0.1", None),
        ("2001:db8::1", 6),
        ("::ffff:10.0.0.1", 6),
        ("fe80::1%eth0", None),
        ("h.example", None),
        ("", None),
        (":", None),
        ("1" * 4000 + ":", None),
    ],
)
def test_family(address: str, expected: int | None) -> None:
    assert family(address) == expected


#: lines that cost a careless reader much; bench/hostile measures them
HOSTILE = [
    "m=audio 5 RTP/AVP" + " 0" * 30000,
    "m=a" + " " * 60000,
    "a=fmtp:0 " + "x" * 60000,
    "a=rtpmap:0 " + " " * 60000,
    "\r\n".join(["a=rtpmap:0 P/1"] * 990),
    "a=rtcp:1 " + "IN " * 20000,
    "c=IN IP4 " + "1." * 30000,
    "\r\n".join(["c=IN IP6 ::1"] * 990),
]


@pytest.mark.parametrize("line", HOSTILE)
def test_hostile_bodies_are_read_or_refused(line: str) -> None:
    """What they cost is bench/hostile's to say; beyond linear they would not end in time here."""
    body = (HEAD + "m=audio 5 RTP/AVP 0\r\n" + line + "\r\n").encode()
    assert len(body) <= 65536
    for use in (Session.parse, lambda body: rewrite(body, **OUR)):
        with contextlib.suppress(SdpError):
            use(body)


PIECES = """
v=0|o=u 1 2 IN IP4 h|s=-|c=IN IP4 1.2.3.4|c=IN IP6 ::|c=x|t=0 0|m=audio 5 RTP/AVP 0|m=audio
|m=audio 0 x|m=video 5/2 y z|a=rtcp:9|a=rtcp:x|a=sendonly|a=rtpmap:0 a/1|a=ptime:|a=|a|=|\r
|a=ice-ufrag:x|m= 5 a b|m=audio /2 a b|a=fmtp:|a=crypto"""
pieces = st.lists(st.sampled_from(PIECES.replace("\n", "").split("|")), max_size=12)


@settings(max_examples=600, deadline=None)
@given(
    st.binary(max_size=100)
    | pieces.map(lambda lines: "\n".join(lines).encode())
    | pieces.map(lambda lines: (HEAD + "\r\n".join(lines)).encode())
)
def test_only_sdp_errors_leave(body: bytes) -> None:
    """And what we rewrote is readable, audio points at us, nothing else is in use."""
    try:
        seen = Session.parse(body)
        ours = Session.parse(rewrite(body, **OUR))
    except SdpError:
        return
    assert (ours.session_id, ours.version, ours.origin) == ("9", "1", "192.0.2.1")
    assert (ours.audio is None) == (seen.audio is None)
    assert [m.port for m in ours.media if m.port] == ([10000] if seen.audio else [])
    assert [m.formats for m in ours.media] == [m.formats for m in seen.media]
    again = rewrite(rewrite(body, **OUR), **OUR)
    assert again == rewrite(body, **OUR)
