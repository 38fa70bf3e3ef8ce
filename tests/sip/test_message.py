# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written: whole requests and responses, octet for octet."""

from __future__ import annotations

import pytest

from vosd.sip.errors import SipParseError
from vosd.sip.message import REASONS, Message, request, response, unsupported
from vosd.sip.parse import parse

SOURCE = ("192.0.2.200", 40000)


def message(*headers: str, line: str = "INVITE sip:b@h SIP/2.0", body: bytes = b"") -> Message:
    return parse("\r\n".join([line, *headers, "", ""]).encode() + body)


def invite(*more: str) -> Message:
    return message(
        "v: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;rport, SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb",
        "Via: SIP/2.0/TCP c.example;branch=z9hG4bKc",
        'f: "A" <sip:a@h>;tag=88',
        "t: <sip:b@h>",
        "i: c1@h",
        "cseq: 007  INVITE",
        *more,
    )


HEAD = (
    "Via: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;rport=40000;received=192.0.2.200\r\n"
    "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb\r\n"
    "Via: SIP/2.0/TCP c.example;branch=z9hG4bKc\r\n"
    'From: "A" <sip:a@h>;tag=88\r\n'
)


def test_response_copies_what_rfc3261_8_2_6_2_says() -> None:
    assert response(invite(), 404, to_tag="t1", received=SOURCE).decode() == (
        f"SIP/2.0 404 Not Found\r\n{HEAD}"
        "To: <sip:b@h>;tag=t1\r\nCall-ID: c1@h\r\nCSeq: 007  INVITE\r\nContent-Length: 0\r\n\r\n"
    )


def test_response_with_body_headers_and_route() -> None:
    asked = invite("Record-Route: <sip:p1;lr>, <sip:p2;lr>", "record-route: <sip:p3;lr>")
    sent = response(
        asked,
        200,
        "Fine",
        to_tag="t1",
        received=SOURCE,
        headers=[("contact", "<sip:b@x>"), ("X-Own", "1")],
        body=b"v=0\r\n",
    )
    assert sent.decode() == (
        f"SIP/2.0 200 Fine\r\n{HEAD}"
        "To: <sip:b@h>;tag=t1\r\nCall-ID: c1@h\r\nCSeq: 007  INVITE\r\n"
        "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n"
        "Contact: <sip:b@x>\r\nX-Own: 1\r\nContent-Type: application/sdp\r\n"
        "Content-Length: 5\r\n\r\nv=0\r\n"
    )
    assert b"Record-Route" not in response(asked, 486)
    assert b"Record-Route" not in response(asked, 100)


def test_response_keeps_a_to_tag_and_the_source_of_each_call() -> None:
    asked = message(
        "Via: SIP/2.0/UDP h;branch=z9hG4bKa",
        "From: sip:a@h;tag=1",
        "To: sip:b@h;tag=2",
        "Call-ID: c",
        "CSeq: 1 BYE",
        line="BYE sip:b@h SIP/2.0",
    )
    tail = "From: sip:a@h;tag=1\r\nTo: sip:b@h;tag=2\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n"
    for source, via in ((None, "h"), (SOURCE, "h"), (("192.0.2.9", 1), "h")):
        received = f";received={source[0]}" if source else ""
        assert response(asked, 200, to_tag="t9", received=source).decode() == (
            f"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKa{received}\r\n{tail}"
            "Content-Length: 0\r\n\r\n"
        )


def test_timestamp_goes_into_a_100_only() -> None:
    """RFC 3261 8.2.6.1."""
    asked = invite("Timestamp: 54.21")
    assert b"\r\nTimestamp: 54.21\r\n" in response(asked, 100)
    assert b"Timestamp" not in response(asked, 180)


def test_response_in_the_octets_of_the_request() -> None:
    """A head that is no UTF-8 is echoed as it came, not transcoded."""
    data = (
        b"OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\n"
        b'From: "M\xfcller" <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n'
        b"Call-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
    )
    asked = parse(data)
    assert asked.from_ is not None
    assert asked.from_.display == "Müller"
    assert b'\r\nFrom: "M\xfcller" <sip:a@h>;tag=1\r\n' in response(asked, 200, reason="Добро")


def test_refusal_of_a_request_without_anything() -> None:
    with pytest.raises(SipParseError) as refused:
        message("Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa", "CSeq: 5 INVITE")
    assert refused.value.message is not None
    assert response(refused.value.message, 400, to_tag="t", received=SOURCE).decode() == (
        "SIP/2.0 400 Bad Request\r\n"
        "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;received=192.0.2.200\r\n"
        "CSeq: 5 INVITE\r\nContent-Length: 0\r\n\r\n"
    )


def test_request() -> None:
    sent = request(
        "INVITE",
        "sip:b@h",
        [
            ("via", "SIP/2.0/UDP v;branch=z9hG4bKa"),
            ("max-forwards", "70"),
            ("from", "<sip:a@h>;tag=1"),
            ("to", "<sip:b@h>"),
            ("call-id", "é"),
            ("cseq", "1 INVITE"),
            ("p-asserted-identity", "<sip:a@h>"),
        ],
        b"v=0\r\n",
    )
    assert sent.decode() == (
        "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP v;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n"
        "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: é\r\nCSeq: 1 INVITE\r\n"
        "P-Asserted-Identity: <sip:a@h>\r\nContent-Type: application/sdp\r\n"
        "Content-Length: 5\r\n\r\nv=0\r\n"
    )


@pytest.mark.parametrize("bad", ["a\r\nX: y", "a\n", "\ra", "a\r"])
def test_no_value_forges_a_header(bad: str) -> None:
    """Reliability row 20: CR and LF never reach the wire."""
    asked = invite()
    for write in (
        lambda: request("INVITE", "sip:b@h", [("subject", bad)]),
        lambda: request("INVITE", "sip:b@h", [(bad, "x")]),
        lambda: request("INVITE", f"sip:{bad}", []),
        lambda: request(bad, "sip:b@h", []),
        lambda: request("INVITE", "sip:b@h", [], b"x", bad),
        lambda: response(asked, 200, bad),
        lambda: response(asked, 200, to_tag=bad),
        lambda: response(asked, 200, headers=[("contact", bad)]),
    ):
        with pytest.raises(ValueError, match="cannot write"):
            write()


def test_reading() -> None:
    seen = invite(
        "Supported: timer, 100rel",
        "k: path",
        "Subject: a, b",
        "Max-Forwards: 0069",
        "Session-Expires: 1800;refresher=uac",
        "Expires: -1",
        "c: Application/SDP;charset=x",
        "m: <sip:a@10.0.0.1:5070;transport=TCP>, <sip:z@h>;q=0.1",
    )
    assert seen.is_request
    assert (seen.method, seen.uri, seen.code, seen.reason) == ("INVITE", "sip:b@h", 0, "")
    assert (seen.call_id, seen.cseq, seen.cseq_method) == ("c1@h", 7, "INVITE")
    assert (seen.from_tag, seen.to_tag) == ("88", "")
    assert seen.all("supported") == ["timer", "100rel", "path"]
    assert seen.all("subject") == ["a, b"]
    assert seen.all("route") == []
    assert [seen.number(n) for n in ("max-forwards", "session-expires", "expires", "min-se")] == [
        69,
        1800,
        None,
        None,
    ]
    assert seen.content_type == "application/sdp"
    assert seen.from_ is not None
    assert (seen.from_.display, seen.from_.tag) == ("A", "88")
    assert seen.contact is not None
    assert seen.contact.uri is not None
    assert (seen.contact.uri.host, seen.contact.uri.transport) == ("10.0.0.1", "tcp")
    assert len(seen.contacts) == 2
    assert seen.target is not None
    assert seen.target.user == "b"
    assert len(seen.all("via")) == 3
    assert seen.headers[2:6] == [
        ("from", '"A" <sip:a@h>;tag=88'),
        ("to", "<sip:b@h>"),
        ("call-id", "c1@h"),
        ("cseq", "007  INVITE"),
    ]


@pytest.mark.parametrize(
    ("require", "known", "tags"),
    [
        ("", (), ""),
        ("timer", ("timer",), ""),
        ("100rel, Timer , foo,bar", ("timer", "100REL"), "foo, bar"),
    ],
)
def test_unsupported(require: str, known: tuple[str, ...], tags: str) -> None:
    assert unsupported(invite(f"Require: {require}"), known) == tags
    assert unsupported(invite(), known) == ""


def test_reasons_are_sip_codes() -> None:
    assert all(100 <= code < 700 and text.isascii() for code, text in REASONS.items())
