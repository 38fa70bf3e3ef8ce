# SPDX-License-Identifier: GPL-2.0-or-later
"""URIs: what is read, what is refused, what is written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vosd.sip.errors import SipParseError
from vosd.sip.uri import Uri

READ = [
    ("sip:example.com", Uri("sip", host="example.com")),
    ("sip:alice@example.com", Uri("sip", "alice", host="example.com")),
    ("SIPS:alice:secret@Example.COM:5061", Uri("sips", "alice", "secret", "example.com", 5061)),
    (
        "sip:8613@10.0.0.1:5060;transport=UDP;lr",
        Uri("sip", "8613", None, "10.0.0.1", 5060, {"transport": "UDP", "lr": None}),
    ),
    ("sip:[2001:db8::10]:5070", Uri("sip", host="2001:db8::10", port=5070)),
    ("sip:a@[2001:DB8::10:5070]", Uri("sip", "a", host="2001:db8::10:5070")),
    (
        "sip:a@b;p=1?Route=%3Csip:c%3E&x=y",
        Uri("sip", "a", host="b", params={"p": "1"}, headers="Route=%3Csip:c%3E&x=y"),
    ),
    ("sip:user;par=u%40example.net@h", Uri("sip", "user;par=u@example.net", host="h")),
    ("sip:%2541@h", Uri("sip", "%41", host="h")),
    ("sip:@h", Uri("sip", "", host="h")),
    ("sip:h;;lr;", Uri("sip", host="h", params={"lr": None})),
    ("sip:h:65535", Uri("sip", host="h", port=65535)),
    ("sip:h:05060", Uri("sip", host="h", port=5060)),
    ("sip:a_b@host_1", Uri("sip", "a_b", host="host_1")),
    ("tel:+1-201-555-0123;ext=7", Uri("tel", "+1-201-555-0123", params={"ext": "7"})),
    ("urn:service:sos;x", Uri("urn", "service:sos;x")),
]

REFUSED = [
    "",
    "tel:",
    "tel:;ext=1",
    "sip:[.98]",
    "sip:[98]",
    "sip:",
    "sip",
    "alice@example.com",
    "sip:2001:db8::10",
    "sip:a@b@c",
    "sip:h:0",
    "sip:h:65536",
    "sip:h:99999",
    "sip:h:5060a",
    "sip:h:",
    "sip:[::1",
    "sip:[g::1]",
    "sip:a b@h",
    "sip:a@h h",
    "sip:<a@h>",
    "<sip:a@h>",
    'sip:"a"@h',
    "sip:a@h\r\nX: y",
    "sip:a@-h",
    "sip:a@",
    ":a@h",
    "1sip:a@h",
]


@pytest.mark.parametrize(("text", "uri"), READ)
def test_read(text: str, uri: Uri) -> None:
    assert Uri.parse(text) == uri


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(SipParseError) as refused:
        Uri.parse(text)
    assert refused.value.code == 400
    assert str(refused.value).startswith("cannot read URI")


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        (Uri("sip", "a", None, "2001:db8::1", 5060), "sip:a@[2001:db8::1]:5060"),
        (Uri("sip", "a@b %", None, "h"), "sip:a%40b%20%25@h"),
        (Uri("sip", "12#34", None, "h"), "sip:12%2334@h"),
        (Uri("sip", "é", None, "h"), "sip:%C3%A9@h"),
        (Uri("sip", "a", "b", "h", None, {"lr": None, "x": ""}, "k=v"), "sip:a:b@h;lr;x=?k=v"),
        (Uri("tel", "+1", params={"ext": "2"}), "tel:+1;ext=2"),
        (Uri("http", "//h/p"), "http://h/p"),
    ],
)
def test_written(uri: Uri, text: str) -> None:
    assert str(uri) == text


def test_transport_and_loose() -> None:
    uri = Uri.parse("sip:h;TRANSPORT=Tcp;lr")
    assert (uri.transport, uri.loose) == ("tcp", True)
    assert (Uri.parse("sip:h").transport, Uri.parse("sip:h;lrx").loose) == ("", False)


def test_parameters_of_one_uri_are_not_those_of_another() -> None:
    Uri.parse("sip:a").params["x"] = "y"
    assert Uri.parse("sip:b").params == {}


names = st.from_regex(r"[a-z][a-z0-9\-]{0,8}", fullmatch=True)
values = st.none() | st.from_regex(r"[A-Za-z0-9\-\[\]/:&+$.%=]{0,12}", fullmatch=True)
hosts = st.from_regex(r"[a-z0-9][a-z0-9.\-]{0,20}", fullmatch=True) | st.ip_addresses(v=6).map(str)
uris = st.builds(
    Uri,
    scheme=st.sampled_from(["sip", "sips"]),
    user=st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    password=st.none() | st.from_regex(r"[A-Za-z0-9&=+$,.:]{0,8}", fullmatch=True),
    host=hosts,
    port=st.none() | st.integers(1, 65535),
    params=st.dictionaries(names, values, max_size=3),
    headers=st.from_regex(r"([a-z]{1,5}=[A-Za-z0-9%]{0,8})?", fullmatch=True),
)


@settings(max_examples=150, deadline=None)
@given(uris)
def test_round_trip(uri: Uri) -> None:
    assert Uri.parse(str(uri)) == uri


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60) | st.text('sip:@;?<>[]%1a. \t"\\', max_size=40).map("sip:".__add__))
def test_only_parse_errors_leave(text: str) -> None:
    try:
        uri = Uri.parse(text)
    except SipParseError:
        return
    assert Uri.parse(str(uri)) == uri
