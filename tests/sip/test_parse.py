# SPDX-License-Identifier: GPL-2.0-or-later
"""What is taken and refused, hostile datagrams, and the properties of the whole parser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sip.test_uri import uris
from vosd.sip.errors import SipParseError
from vosd.sip.message import Message, request, response
from vosd.sip.parse import parse

VIA = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa"
FROM = "From: <sip:a@h>;tag=1"
TO = "To: <sip:b@h>"
CALL = "Call-ID: c"
CSEQ = "CSeq: 1 INVITE"
LINE = "INVITE sip:b@h SIP/2.0"
USUAL = (LINE, VIA, FROM, TO, CALL, CSEQ)


def datagram(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join([*lines, "", ""]).encode() + body


def but(old: str, *new: str, body: bytes = b"") -> bytes:
    """The usual INVITE with one line replaced."""
    return datagram(
        *[line for usual in USUAL for line in (new if usual == old else (usual,))], body=body
    )


TAKEN = {
    "leading keep-alive": b"\r\n\r\n" + datagram(*USUAL),
    "lower-case version": but(LINE, "INVITE sip:b@h sip/2.0"),
    "unknown method": but(LINE, "invite sip:b@h SIP/2.0").replace(b"1 INVITE", b"1 invite"),
    "tel uri": but(LINE, "INVITE tel:+123 SIP/2.0"),
    "odd case and blanks": but(CALL, "cALL-iD \t: \t c \t"),
    "compact": but(CALL, "I:c"),
    "folded": but(CSEQ, "CSeq:", " 1", "\tINVITE"),
    "no length": datagram(*USUAL, body=b"x"),
    "one length": datagram(*USUAL, "Content-Length: 1", body=b"xyz"),
    "equal lengths": datagram(*USUAL, "l: 1", "Content-Length: 1", body=b"x"),
    "cseq 2**32-1": but(CSEQ, "CSeq: 4294967295 INVITE"),
    "star": but(LINE, "REGISTER sip:h SIP/2.0", "Contact: *").replace(b"1 INVITE", b"1 REGISTER"),
    "64 vias": but(VIA, VIA, *["Via: SIP/2.0/UDP h"] * 63),
    "256 headers": datagram(*USUAL, *["Z: y"] * 251),
    "8 KiB line": datagram(*USUAL, "Z: " + "y" * 8189),
    "32 contacts": datagram(*USUAL, "Contact: " + ",".join(["<sip:a>"] * 32)),
}


@pytest.mark.parametrize("name", TAKEN)
def test_taken(name: str) -> None:
    seen = parse(TAKEN[name])
    assert seen.call_id == "c"
    assert seen.body in (b"", b"x")


# Refused with the code, answerable or not.
REFUSED = {
    "empty": (b"", 400, False),
    "keep-alive": (b"\r\n\r\n", 400, False),
    "noise": (b"\x00\xff" * 40, 400, False),
    "no end": (datagram(*USUAL)[:-2], 400, True),
    "bare lf": (datagram(*USUAL).replace(b"\r\n", b"\n"), 400, False),
    "lf in a value": (datagram(*USUAL, "Subject: a\nRoute: <sip:x>"), 400, True),
    "cr in a value": (datagram(*USUAL, "Subject: a\rb"), 400, True),
    "response": (datagram("SIP/2.0 200 OK", FROM, TO, CALL, CSEQ), 400, False),
    "response of a later version": (datagram("SIP/2.1 200 OK", *USUAL[1:]), 400, False),
    "bad response": (datagram("SIP/2.0 99 OK", *USUAL[1:]), 400, False),
    "code 700": (datagram("SIP/2.0 700 OK", *USUAL[1:]), 400, False),
    "ack": (but(LINE, "ACK sip:b@h SIP/2.0"), 400, False),
    "http": (but(LINE, "GET / HTTP/1.1"), 400, False),
    "no version": (but(LINE, "INVITE sip:b@h"), 400, False),
    "method": (but(LINE, "IN(VITE sip:b@h SIP/2.0"), 400, True),
    "version": (but(LINE, "INVITE sip:b@h SIP/3.0"), 505, True),
    "uri": (but(LINE, "INVITE sip:b@@h SIP/2.0"), 400, True),
    "relative uri": (but(LINE, "INVITE b SIP/2.0"), 400, True),
    "no via": (but(VIA), 400, False),
    "empty via": (but(VIA, "Via:"), 400, False),
    "unreadable via": (but(VIA, "Via: UDP 10.0.0.1"), 400, False),
    "65 vias": (but(VIA, VIA, *["v: SIP/2.0/UDP h"] * 64), 400, True),
    "cookie alone": (but(VIA, "Via: SIP/2.0/UDP h;branch=z9hG4bK"), 400, True),
    "no from": (but(FROM), 400, True),
    "from *": (but(FROM, "From: *"), 400, True),
    "two from tags": (but(FROM, "From: <sip:a@h>;tag=1;tag=2"), 400, True),
    "from list": (but(FROM, "From: <sip:a@h>;tag=1, <sip:b@h>"), 400, True),
    "no to": (but(TO), 400, True),
    "two to": (but(TO, TO, TO), 400, True),
    "no call-id": (but(CALL), 400, True),
    "blank in call-id": (but(CALL, "Call-ID: a b"), 400, True),
    "control in call-id": (but(CALL, "Call-ID: a\x1b[2Jb"), 400, True),
    "wide call-id": (but(CALL, "Call-ID: é"), 400, True),
    "no cseq": (but(CSEQ), 400, True),
    "cseq 2**32": (but(CSEQ, "CSeq: 4294967296 INVITE"), 400, True),
    "cseq word": (but(CSEQ, "CSeq: x INVITE"), 400, True),
    "cseq of digits no number": (but(CSEQ, "CSeq: ² INVITE"), 400, True),
    "cseq alone": (but(CSEQ, "CSeq: 1"), 400, True),
    "cseq method": (but(CSEQ, "CSeq: 1 BYE"), 400, True),
    "cseq of an unknown method": (but(LINE, "NEW sip:b@h SIP/2.0"), 501, True),
    "no colon": (datagram(*USUAL, "Subject"), 400, True),
    "no name": (datagram(*USUAL, ": x"), 400, True),
    "bad name": (datagram(*USUAL, "A B: x"), 400, True),
    "fold first": (but(VIA, " x", VIA), 400, False),
    "two max-forwards": (datagram(*USUAL, "Max-Forwards: 1", "Max-Forwards: 1"), 400, True),
    "length": (datagram(*USUAL, "Content-Length: 2", body=b"x"), 400, True),
    "length -1": (datagram(*USUAL, "Content-Length: -1"), 400, True),
    "length +1": (datagram(*USUAL, "Content-Length: +1", body=b"x"), 400, True),
    "length 2**63": (datagram(*USUAL, "Content-Length: 9223372036854775808"), 400, True),
    "two lengths": (datagram(*USUAL, "Content-Length: 0", "l: 1", body=b"x"), 400, True),
    "length list": (datagram(*USUAL, "Content-Length: 1, 1", body=b"x"), 400, True),
    "contact": (datagram(*USUAL, "Contact: <sip:>"), 400, True),
    "second contact": (datagram(*USUAL, "m: <sip:a>", "m: <sip:b"), 400, True),
    "star and more": (datagram(*USUAL, "Contact: *, <sip:a>"), 400, True),
    "route": (datagram(*USUAL, "Route: <sip:a;lr>, b"), 400, True),
    "route *": (datagram(*USUAL, "Route: *"), 400, True),
    "257 headers": (datagram(*USUAL, *["Z: y"] * 252), 400, True),
    "33 contacts": (datagram(*USUAL, "Contact: " + ",".join(["<sip:a>"] * 33)), 400, True),
    "line over 8 KiB": (datagram(*USUAL, "Z: " + "y" * 8190), 513, True),
    "fold over 8 KiB": (datagram(*USUAL, *["Z: " + "y" * 4000, " " + "y" * 8000]), 513, True),
    "over 64 KiB": (datagram(*USUAL, body=b"x" * 65536), 513, True),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    data, code, answerable = REFUSED[name]
    with pytest.raises(SipParseError) as refused:
        parse(data)
    error = refused.value
    assert (error.code, error.message is not None) == (code, answerable)
    assert error.reason.startswith("cannot ")
    assert error.reason.isprintable()
    if error.message is not None:
        reply = response(error.message, code, to_tag="t", received=("192.0.2.1", 5060))
        assert len(reply) < len(data) + 200, "a refusal is no amplifier"
        assert reply.count(b"\r\n\r\n") == 1


def test_refusal_of_many_vias_copies_the_first_alone() -> None:
    data = but(VIA, "Via: " + ", ".join(["SIP/2.0/UDP h;branch=z9hG4bKa"] * 65))
    with pytest.raises(SipParseError) as refused:
        parse(data)
    assert refused.value.message is not None
    assert response(refused.value.message, 400).count(b"Via: ") == 1


def test_refusal_does_not_copy_what_is_too_long() -> None:
    with pytest.raises(SipParseError) as refused:
        parse(but(FROM, f"From: <sip:{'a' * 9000}@h>;tag=1"))
    assert refused.value.message is not None
    assert b"From" not in response(refused.value.message, 513)


def test_unreadable_via_parameters_do_not_prevent_an_answer() -> None:
    """RFC 4475 3.1.2.1: what is echoed is only what made sense."""
    with pytest.raises(SipParseError) as refused:
        parse(but(VIA, "Via: SIP/2.0/UDP 192.0.2.15;;,;,,"))
    assert refused.value.message is not None
    assert b"\r\nVia: SIP/2.0/UDP 192.0.2.15\r\nFrom" in response(refused.value.message, 400)


def lines(header: str, unit: str, *, lead: str = "", end: str = "", count: int = 7) -> str:
    """`count` header lines as full of `unit` as 8 KiB allow."""
    value = lead + unit * ((8000 - len(lead)) // len(unit)) + end
    return "\r\n".join([f"{header}: {value}"] * count)


HOSTILE = {
    "8000 vias": but(VIA, "Via: " + "SIP/2.0/UDP h," * 4500),
    "8000 short vias": but(VIA, "Via: " + "a," * 30000),
    "vias over lines": but(VIA, lines("Via", "SIP/2.0/UDP h,")),
    "30000 params": but(FROM, "From: <sip:a@h>" + ";a" * 30000),
    "params": but(FROM, "From: <sip:a@h>" + "".join(f";a{n}" for n in range(1300))),
    "spaced params": but(FROM, lines("From", " ; a", lead="<sip:a@h>", count=1)),
    "via params": but(VIA, lines("Via", ";branch=", lead="SIP/2.0/UDP h", count=1)),
    "60000 spaces": datagram(*USUAL, "Subject:" + " " * 60000 + "x"),
    "lines of spaces": datagram(*USUAL, lines("Z", " ", end="x")),
    "spaces in from": but(FROM, lines("From", " ", lead="a", end="<", count=1)),
    "spaces in via": but(VIA, lines("Via", " ", lead="SIP", count=1)),
    "tabs in cseq": but(CSEQ, lines("CSeq", "\t", lead="1", count=1)),
    "zeros in cseq": but(CSEQ, lines("CSeq", "0", end="x", count=1)),
    "10000 folds": datagram(*USUAL, "Z: a" + "\r\n a" * 10000),
    "240 long folds": datagram(*USUAL, "Z: a" + ("\r\n " + "a" * 250) * 240),
    "nested quotes": but(FROM, "From: " + '"\\"' * 20000),
    "quotes": but(FROM, lines("From", '"\\"', count=1)),
    "escapes": but(FROM, lines("From", '\\"', lead='"', count=1)),
    "brackets": but(FROM, lines("From", "<", count=1)),
    "contacts": datagram(*USUAL, lines("Contact", "<a:b>,")),
    "broken contacts": datagram(*USUAL, lines("Contact", '",<\\')),
    "routes": datagram(*USUAL, lines("Route", "<sip:a>;x,", end="<sip:a>")),
    "escapes in a uri": but(LINE, "INVITE sip:" + "%41" * 2600 + "@h SIP/2.0"),
    "colons in a uri": but(LINE, "INVITE sip:" + ":" * 8000 + " SIP/2.0"),
    "semicolons in a uri": but(LINE, "INVITE sip:h" + ";" * 8000 + "@ SIP/2.0"),
    "60000 line ends": b"\r\n" * 30000,
    "60000 octets": b"a" * 60000,
    "20000 headers": datagram(*USUAL, *["a: b"] * 9000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_datagrams_are_read_or_refused(name: str) -> None:
    """Reliability row 4. What they cost is bench/hostile's to say, which knows no bad day of a
    shared machine; beyond linear they would not end in time here."""
    try:
        look(parse(HOSTILE[name][:65536]))
    except SipParseError as error:
        if error.message is not None:
            response(error.message, error.code)


def look(seen: Message) -> None:
    """Ask for everything a message can tell."""
    assert seen.from_
    assert seen.to
    assert (seen.target is None) != seen.is_request
    assert isinstance(seen.contacts, list)
    assert isinstance(seen.via.params, dict)
    for name, _ in seen.headers:
        if name != "z":
            seen.all(name)


texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20
).map(lambda text: text.strip(" \t"))
extras = st.lists(
    st.tuples(st.sampled_from(["x-one", "subject", "user-agent", "x-two"]), texts), max_size=5
)


@settings(max_examples=60, deadline=None)
@given(uris, uris, uris, extras, st.binary(max_size=40), st.integers(0, 2**32 - 1))
def test_round_trip(target, from_, contact, extra, body, cseq) -> None:
    """parse(serialise(x)) is x, and a second serialising changes nothing."""
    headers = [
        ("via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx"),
        ("from", f"<{from_}>;tag=f"),
        ("to", f"<{target}>"),
        ("call-id", "c@h"),
        ("cseq", f"{cseq} INVITE"),
        ("contact", f"<{contact}>"),
        *extra,
    ]
    data = request("INVITE", str(target), headers, body, "")
    seen = parse(data)
    assert seen.headers == [*headers, ("content-length", str(len(body)))]
    assert (seen.method, seen.uri, seen.body, seen.cseq) == ("INVITE", str(target), body, cseq)
    assert (seen.target, seen.from_tag, seen.to_tag) == (target, "f", "")
    assert seen.from_ is not None
    assert seen.contact is not None
    assert (seen.from_.uri, seen.contact.uri) == (from_, contact)
    assert seen.encode() == data
    answer = parse(response(seen, 200, to_tag="t", received=("10.0.0.1", 5060), body=body))
    assert (answer.code, answer.method, answer.cseq, answer.to_tag) == (200, "INVITE", cseq, "t")
    assert (answer.call_id, answer.from_tag, answer.body) == ("c@h", "f", body)
    assert answer.via.branch == seen.via.branch


PIECES = [*USUAL, "SIP/2.0 200 OK", "v: SIP/2.0/UDP h, a", "f: x", "m:", 'm: "', " y", "\t"]
PIECES += ["é: ü", "l: 5", "l: -", "Route: <", "\r", "\n", ":", "", "X: \x00", "k: a,b"]
pieces = st.lists(st.sampled_from(PIECES), max_size=14)


@settings(max_examples=600, deadline=None)
@given(
    st.binary(max_size=200)
    | pieces.map(lambda parts: datagram(*parts))
    | pieces.map(lambda parts: datagram(*USUAL, *parts))
)
def test_only_parse_errors_leave(data: bytes) -> None:
    error = None
    try:
        seen = parse(data)
    except SipParseError as refused:
        error = refused
    if error is None:
        look(seen)
        again = parse(seen.encode())
        assert again.encode() == seen.encode()
        return
    assert 400 <= error.code < 600
    if error.message is not None:
        assert error.message.is_request
        response(error.message, error.code, to_tag="t", received=("1.2.3.4", 5060))
