# SPDX-License-Identifier: GPL-2.0-or-later
"""Via, name-addr, parameters and lists."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sip.test_uri import uris
from vosd.sip.errors import SipParseError
from vosd.sip.header import NameAddr, Via, params_text, parse_params, quoted, split_list, unquote
from vosd.sip.uri import Uri

LISTS = [
    ("", []),
    ("a", ["a"]),
    ("a, b ,c", ["a", "b", "c"]),
    (",, a,,", ["a"]),
    ('"x,y" <sip:a,b@h>;p="1,2", <sip:c>', ['"x,y" <sip:a,b@h>;p="1,2"', "<sip:c>"]),
    (r'"a\",b", c', [r'"a\",b"', "c"]),
    ('"open, <a', ['"open, <a']),
    ("<open, b", ["<open, b"]),
]


@pytest.mark.parametrize(("value", "items"), LISTS)
def test_split_list(value: str, items: list[str]) -> None:
    assert split_list(value) == items


PARAMS = [
    ("", {}),
    (";a", {"a": None}),
    (";A=B;c=", {"a": "B", "c": ""}),
    (' ; a = "x;y" ;b', {"a": '"x;y"', "b": None}),
    (";received=[2001:db8::1]", {"received": "[2001:db8::1]"}),
    (";branch=z9hG4bK==", {"branch": "z9hG4bK=="}),
    (";x=!#$%&'()*+-./09:=?@AZ[]^_`az{|}~", {"x": "!#$%&'()*+-./09:=?@AZ[]^_`az{|}~"}),
]
BAD_PARAMS = [";", ";;a", ";a;", "a", ";a b", ";a=<b>", ';a="b', ";a=1;A=2", ";a=1,b", ";=1"]
BAD_PARAMS += [";a=é", ";é"]


@pytest.mark.parametrize(("text", "params"), PARAMS)
def test_params(text: str, params: dict[str, str | None]) -> None:
    assert parse_params(text) == params
    assert parse_params(params_text(params)) == params


@pytest.mark.parametrize("text", BAD_PARAMS)
def test_params_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        parse_params(text)


ADDRESSES = [
    ("<sip:a@h>;tag=1", NameAddr("", Uri.parse("sip:a@h"), {"tag": "1"})),
    ("sip:a@h;tag=1", NameAddr("", Uri.parse("sip:a@h"), {"tag": "1"})),
    ("<sip:a@h;x>;tag=1", NameAddr("", Uri.parse("sip:a@h;x"), {"tag": "1"})),
    ('"A \\"B\\" <C>" <sip:a@h>', NameAddr('A "B" <C>', Uri.parse("sip:a@h"))),
    ("Al Ice<sip:a@h>", NameAddr("Al Ice", Uri.parse("sip:a@h"))),
    ("Bell, Alex <sip:a@h>;tag=4", NameAddr("Bell, Alex", Uri.parse("sip:a@h"), {"tag": "4"})),
    ('"W" < sip:a@h >', NameAddr("W", Uri.parse("sip:a@h"))),
    ("tel:+1;tag=2", NameAddr("", Uri.parse("tel:+1"), {"tag": "2"})),
    ("<tel:+1;ext=3>", NameAddr("", Uri.parse("tel:+1;ext=3"))),
    (" * ", NameAddr("", None, {}, True)),
]
BAD_ADDRESSES = [
    "",
    "<>",
    "sip:a@h?Route=x",
    "sip:a,b@h",
    '"open <sip:a@h>',
    "<sip:a@h",
    "<sip:a@h>x",
    "<sip:a@h>;;",
    "<sip:a@h>, <sip:b@h>",
    "<sip:a@h>;tag=1;tag=2",
    "a <sip:a@h> b",
    "noscheme",
]


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_name_addr(text: str, address: NameAddr) -> None:
    assert NameAddr.parse(text) == address
    assert NameAddr.parse(str(address)) == address


@pytest.mark.parametrize("text", BAD_ADDRESSES)
def test_name_addr_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        NameAddr.parse(text)


VIAS = [
    (
        "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;rport",
        ("udp", "10.0.0.1", 5070, "z9hG4bKa", "10.0.0.1:5070", {"rport": None}),
    ),
    ("SIP/2.0/TCP Host.Example", ("tcp", "host.example", None, "", "host.example", {})),
    (
        "SIP / 2.0 / udp  h : 5060 ; BRANCH = x",
        ("udp", "h", 5060, "x", "h:5060", {}),
    ),
    (
        "SIP/2.0/UDP [2001:DB8::9]:1;branch=b;ttl=1",
        ("udp", "2001:db8::9", 1, "b", "[2001:db8::9]:1", {"ttl": "1"}),
    ),
    ('SIP/2.0/NEW h;Branch=b;x="a;b"', ("new", "h", None, "b", "h", {"x": '"a;b"'})),
]
BAD_VIAS = [
    "",
    "SIP/2.0/UDP",
    "SIP/2.0 h",
    "SIP/3.0/UDP h",
    "SIP/2.0/UDP h:0",
    "SIP/2.0/UDP h:65536",
    "SIP/2.0/UDP h h",
    "SIP/2.0/UDP h;;",
    "SIP/2.0/UDP h;branch=a;branch=b",
    "SIP/2.0/UDP h;branch=a;Branch=b",
    "SIP/2.0/UDP ::1",
    "SIP/2.0/UDP <h>",
]


@pytest.mark.parametrize(("text", "seen"), VIAS)
def test_via(text: str, seen: tuple[object, ...]) -> None:
    via = Via.parse(text)
    params = {name: value for name, value in via.params.items() if name != "branch"}
    assert (via.transport, via.host, via.port, via.branch, via.sent_by, params) == seen


@pytest.mark.parametrize("text", BAD_VIAS)
def test_via_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        Via.parse(text)


def test_usual_via_is_echoed_octet_for_octet() -> None:
    text = "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;Rport;x=Y"
    assert str(Via.parse(text)) == text


# RFC 3261 18.2.1 and RFC 3581 section 4: as seen, not as claimed.
ANSWERED = [
    ("1.2.3.4:5070;branch=b", "1.2.3.4:5070;branch=b"),
    ("9.9.9.9;branch=b", "9.9.9.9;branch=b;received=1.2.3.4"),
    ("pc33.example;branch=b", "pc33.example;branch=b;received=1.2.3.4"),
    ("1.2.3.4;branch=b;rport", "1.2.3.4;branch=b;rport=5060;received=1.2.3.4"),
    ("h;rport;branch=b", "h;rport=5060;branch=b;received=1.2.3.4"),
    ("h;branch=b;rport=1;received=6.6.6.6", "h;branch=b;rport=5060;received=1.2.3.4"),
    ("1.2.3.4;received=6.6.6.6;branch=b", "1.2.3.4;branch=b"),
    ("h;Received=6.6.6.6;branch=b;rport", "h;branch=b;rport=5060;received=1.2.3.4"),
]


@pytest.mark.parametrize(("sent", "answered"), ANSWERED)
def test_via_in_a_response(sent: str, answered: str) -> None:
    via = Via.parse(f"SIP/2.0/UDP {sent}")
    assert via.answered_to(("1.2.3.4", 5060)) == f"SIP/2.0/UDP {answered}"


def test_received_is_written_without_brackets() -> None:
    """RFC 5118 4.5."""
    via = Via.parse("SIP/2.0/UDP [2001:db8::9];branch=b")
    assert via.answered_to(("2001:db8::7", 5060)) == f"{via};received=2001:db8::7"
    assert via.answered_to(("2001:db8::9", 5060)) == str(via)


displays = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=12)
tokens = st.from_regex(r"[A-Za-z0-9.!%*_+`'~\-]{1,10}", fullmatch=True)
params = st.dictionaries(
    tokens.map(str.lower), st.none() | tokens | displays.map(quoted), max_size=4
)


@settings(max_examples=150, deadline=None)
@given(st.builds(NameAddr, display=displays.map(str.strip), uri=uris, params=params))
def test_name_addr_round_trip(address: NameAddr) -> None:
    assert NameAddr.parse(str(address)) == address


@settings(max_examples=150, deadline=None)
@given(tokens, st.ip_addresses(), st.none() | st.integers(1, 65535), params)
def test_via_round_trip(transport, host, port, extra) -> None:
    sent_by = f"[{host}]" if host.version == 6 else str(host)
    sent_by += f":{port}" if port else ""
    via = Via.parse(f"SIP/2.0/{transport} {sent_by}{params_text(extra)}")
    assert (via.transport, via.host, via.port) == (transport.lower(), str(host), port)
    assert (via.sent_by, via.params) == (sent_by, extra)
    assert Via.parse(str(via)).params == extra


@settings(max_examples=200, deadline=None)
@given(displays)
def test_quoting_round_trip(text: str) -> None:
    assert unquote(quoted(text)) == text


ODD = 'SIP/2.0/UDP h:1;a="\\,<>* \t@\x00é'


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40) | st.text(ODD, max_size=60) | st.text(ODD).map("SIP/2.0/UDP ".__add__))
def test_only_parse_errors_leave(text: str) -> None:
    split_list(text)
    for read in (Via.parse, Via.salvage, NameAddr.parse, parse_params):
        try:
            value = read(text)
        except SipParseError:
            continue
        if isinstance(value, Via):
            value.answered_to(("1.2.3.4", 5))
