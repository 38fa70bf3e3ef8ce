# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4475 and RFC 5118 at parser level: one row a file, with what the parser alone decides.

"ok" parses, and any refusal (401 406 415 416 420 481 483 501) is the endpoint's or the owner's; a
number is refused with that code by a response that can be written; "drop" sends nothing.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.sip.test_parse import look
from vosd.sip.errors import SipParseError
from vosd.sip.message import response, unsupported
from vosd.sip.parse import parse

TORTURE = Path(__file__).parents[2] / ".." / "shared" / "torture"
absent = pytest.mark.skipif(
    not TORTURE.is_dir(), reason="../shared/torture is not there: the RFC 4475 files are not tested"
)

VERDICTS = {
    "rfc4475/wsinv.dat": "ok",
    "rfc4475/intmeth.dat": "ok",
    "rfc4475/esc01.dat": "ok",
    "rfc4475/escnull.dat": "ok",
    "rfc4475/esc02.dat": "ok",
    "rfc4475/lwsdisp.dat": "ok",
    "rfc4475/longreq.dat": "ok",
    "rfc4475/dblreq.dat": "ok",
    "rfc4475/semiuri.dat": "ok",
    "rfc4475/transports.dat": "ok",
    "rfc4475/mpart01.dat": "ok",
    "rfc4475/unreason.dat": "ok",
    "rfc4475/noreason.dat": "ok",
    "rfc4475/badinv01.dat": 400,
    "rfc4475/clerr.dat": 400,
    "rfc4475/ncl.dat": 400,
    "rfc4475/scalar02.dat": 400,
    "rfc4475/scalarlg.dat": "drop",
    "rfc4475/quotbal.dat": 400,
    "rfc4475/ltgtruri.dat": 400,
    "rfc4475/lwsruri.dat": 400,
    "rfc4475/lwsstart.dat": 400,
    "rfc4475/trws.dat": 400,
    "rfc4475/escruri.dat": "ok",
    "rfc4475/baddate.dat": "ok",
    "rfc4475/regbadct.dat": 400,
    "rfc4475/badaspec.dat": "ok",
    "rfc4475/baddn.dat": "ok",
    "rfc4475/badvers.dat": 505,
    "rfc4475/mismatch01.dat": 400,
    "rfc4475/mismatch02.dat": 501,
    "rfc4475/bigcode.dat": "drop",
    "rfc4475/badbranch.dat": 400,
    "rfc4475/insuf.dat": 400,
    "rfc4475/unkscm.dat": "ok",
    "rfc4475/novelsc.dat": "ok",
    "rfc4475/unksm2.dat": "ok",
    "rfc4475/bext01.dat": "ok",
    "rfc4475/invut.dat": "ok",
    "rfc4475/regaut01.dat": "ok",
    "rfc4475/multi01.dat": 400,
    "rfc4475/mcl01.dat": 400,
    "rfc4475/bcast.dat": "ok",
    "rfc4475/zeromf.dat": "ok",
    "rfc4475/cparam01.dat": "ok",
    "rfc4475/cparam02.dat": "ok",
    "rfc4475/regescrt.dat": "ok",
    "rfc4475/sdp01.dat": "ok",
    "rfc4475/inv2543.dat": "ok",
    "rfc5118/ipv6-good.dat": "ok",
    "rfc5118/ipv6-bad.dat": 400,
    "rfc5118/port-ambiguous.dat": "ok",
    "rfc5118/port-unambiguous.dat": "ok",
    "rfc5118/via-received-param-with-delim.dat": "ok",
    "rfc5118/via-received-param-no-delim.dat": "ok",
    "rfc5118/ipv6-in-sdp.asprinted.dat": 400,
    "rfc5118/ipv6-in-sdp.dat": "ok",
    "rfc5118/mult-ip-in-header.dat": "ok",
    "rfc5118/mult-ip-in-sdp.asprinted.dat": "ok",
    "rfc5118/mult-ip-in-sdp.dat": "ok",
    "rfc5118/ipv4-mapped-ipv6.asprinted.dat": "ok",
    "rfc5118/ipv4-mapped-ipv6.dat": "ok",
    "rfc5118/ipv6-bug-abnf-3-colons.dat": "ok",
    "rfc5118/ipv6-correct-abnf-2-colons.dat": "ok",
}

# What the RFCs ask a reader to have understood: file -> (how to look, what is seen).
FACTS = [
    ("rfc4475/wsinv.dat", lambda m: (m.cseq, m.number("max-forwards")), (9, 68)),
    ("rfc4475/wsinv.dat", lambda m: (m.to_tag, m.from_tag), ("1918181833n", "98asjd8")),
    ("rfc4475/wsinv.dat", lambda m: m.from_.display, 'J Rosenberg \\"'),
    ("rfc4475/wsinv.dat", lambda m: (m.via.sent_by, m.via.branch), ("192.0.2.2", "390skdjuw")),
    ("rfc4475/wsinv.dat", lambda m: len(m.all("via")), 3),
    ("rfc4475/wsinv.dat", lambda m: m.get("subject"), ""),
    ("rfc4475/wsinv.dat", lambda m: m.get("unknownheaderwithunusualvalue"), ";;,,;;,;"),
    ("rfc4475/wsinv.dat", lambda m: m.contact.params["newparam"], "newvalue"),
    (
        "rfc4475/intmeth.dat",
        lambda m: m.method,
        "!interesting-Method0123456789_*+`.%indeed'~",
    ),
    ("rfc4475/intmeth.dat", lambda m: m.to.display, "BEL:\x07 NUL:\x00 DEL:\x7f"),
    ("rfc4475/esc01.dat", lambda m: m.target.user, "sips:user@example.com"),
    ("rfc4475/esc01.dat", lambda m: m.to.uri.user, "user"),
    (
        "rfc4475/esc01.dat",
        lambda m: m.contact.uri.params,
        {"%6c%72": None, "n%61me": "v%61lue%25%34%31"},
    ),
    ("rfc4475/escnull.dat", lambda m: m.to.uri.user, "null-\x00-null"),
    ("rfc4475/escnull.dat", lambda m: [c.uri.user for c in m.contacts], ["\x00", "\x00\x00"]),
    ("rfc4475/esc02.dat", lambda m: (m.method, len(m.contacts)), ("RE%47IST%45R", 2)),
    ("rfc4475/lwsdisp.dat", lambda m: (m.from_.display, m.from_tag), ("caller", "323")),
    ("rfc4475/longreq.dat", lambda m: len(m.all("via")), 34),
    ("rfc4475/dblreq.dat", lambda m: (m.method, m.body), ("REGISTER", b"")),
    ("rfc4475/semiuri.dat", lambda m: m.target.user, "user;par=u@example.net"),
    ("rfc4475/transports.dat", lambda m: len(m.all("via")), 5),
    ("rfc4475/mpart01.dat", lambda m: (len(m.body), b"\0" in m.body), (553, True)),
    ("rfc4475/unreason.dat", lambda m: (m.code, "простое" in m.reason), (200, True)),
    ("rfc4475/noreason.dat", lambda m: (m.code, m.reason), (100, "")),
    ("rfc4475/escruri.dat", lambda m: m.target.headers, "Route=%3Csip:example.com%3E"),
    ("rfc4475/unkscm.dat", lambda m: m.target.scheme, "nobodyknowsthisscheme"),
    ("rfc4475/novelsc.dat", lambda m: m.target.scheme, "soap.beep"),
    ("rfc4475/bext01.dat", unsupported, "nothingSupportsThis, nothingSupportsThisEither"),
    (
        "rfc4475/bext01.dat",
        lambda m: unsupported(m, proxy=True),
        "noProxiesSupportThis, norDoAnyProxiesSupportThis",
    ),
    ("rfc4475/invut.dat", lambda m: m.content_type, "application/unknownformat"),
    ("rfc4475/sdp01.dat", lambda m: m.all("accept"), ["text/nobodyKnowsThis"]),
    ("rfc4475/zeromf.dat", lambda m: m.number("max-forwards"), 0),
    ("rfc4475/cparam01.dat", lambda m: m.contact.params, {"unknownparam": None}),
    ("rfc4475/cparam02.dat", lambda m: m.contact.uri.params, {"unknownparam": None}),
    ("rfc4475/inv2543.dat", lambda m: (m.via.branch, m.from_tag), ("", "")),
    ("rfc5118/ipv6-good.dat", lambda m: m.target.host, "2001:db8::10"),
    (
        "rfc5118/port-ambiguous.dat",
        lambda m: (m.target.host, m.target.port),
        ("2001:db8::10:5070", None),
    ),
    ("rfc5118/port-unambiguous.dat", lambda m: m.target.port, 5070),
    (
        "rfc5118/via-received-param-with-delim.dat",
        lambda m: m.via.params["received"],
        "[2001:db8::9:255]",
    ),
    ("rfc5118/mult-ip-in-header.dat", lambda m: len(m.all("via")), 3),
    ("rfc5118/ipv4-mapped-ipv6.dat", lambda m: m.via.host, "::ffff:192.0.2.10"),
]


def verdict(data: bytes) -> str | int:
    """Parse, look at everything, and write the response a refusal or an answer needs."""
    refused = None
    try:
        message = parse(data)
    except SipParseError as error:
        refused = error
    if refused is None:
        look(message)
        parse(message.encode())
        return "ok"
    if refused.message is None:
        return "drop"
    reply = response(refused.message, refused.code, to_tag="t", received=("192.0.2.200", 5062))
    assert reply.count(b"\r\n\r\n") == 1
    assert reply.startswith(b"SIP/2.0 %d " % refused.code)
    return refused.code


@absent
@pytest.mark.parametrize(("file", "expected"), VERDICTS.items())
def test_torture(file: str, expected: str | int) -> None:
    assert verdict((TORTURE / file).read_bytes()) == expected


@absent
@pytest.mark.parametrize(
    ("file", "look", "seen"), FACTS, ids=[f"{row[0]}-{n}" for n, row in enumerate(FACTS)]
)
def test_torture_is_understood(file, look, seen) -> None:
    assert look(parse((TORTURE / file).read_bytes())) == seen


@absent
def test_every_file_of_the_index_has_a_row() -> None:
    with (TORTURE / "index.csv").open(newline="") as index:
        assert sorted(row["file"] for row in csv.DictReader(index)) == sorted(VERDICTS)


@absent
@pytest.mark.parametrize("file", VERDICTS)
def test_torn_anywhere_only_parse_errors_leave(file: str) -> None:
    """Reliability row 1: any cut and any one octet changed gives a message or SipParseError."""
    data = (TORTURE / file).read_bytes()
    for at in range(0, len(data), 13):
        for torn in (data[:at], data[:at] + b"\xff" + data[at + 1 :], data[:at] + data[at + 7 :]):
            try:
                parse(torn)
            except SipParseError as error:
                if error.message is not None:
                    response(error.message, error.code)
