# SPDX-License-Identifier: GPL-2.0-or-later
"""Digest: the RFCs' own figures, both roles, nonces and replay (reliability rows 6 and 7)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vosd.sip.auth import (
    Credentials,
    Nonces,
    answer,
    challenge,
    ha1,
    parse_credentials,
    verify,
)
from vosd.sip.errors import SipParseError

# RFC 7616 3.9.1: two challenges, answered by Mufasa with "Circle of Life".
REALM_7616 = "http-auth@example.org"
NONCE_7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE_7616 = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
RESPONSES_7616 = {
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}
# RFC 2617 3.5, and the same without qop, whose figure is that of erratum 749 to RFC 2069.
REALM_2617 = "testrealm@host.com"
NONCE_2617 = "dcd98b7102dd2f0e8b11d0f600bfb0c093"


def challenge_7616(algorithm: str) -> str:
    return (
        f'Digest realm="{REALM_7616}", qop="auth, auth-int", algorithm={algorithm}, '
        f'nonce="{NONCE_7616}", opaque="{OPAQUE_7616}"'
    )


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_rfc7616_answer(algorithm: str) -> None:
    value = answer(
        [challenge_7616(algorithm)],
        "GET",
        "/dir/index.html",
        "Mufasa",
        "Circle of Life",
        CNONCE_7616,
    )
    assert value == (
        f'Digest username="Mufasa", realm="{REALM_7616}", nonce="{NONCE_7616}", '
        f'uri="/dir/index.html", response="{RESPONSES_7616[algorithm]}", '
        f'algorithm={algorithm}, qop=auth, nc=00000001, cnonce="{CNONCE_7616}", '
        f'opaque="{OPAQUE_7616}"'
    )


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_rfc7616_verify(algorithm: str) -> None:
    """The Authorization values as the RFC prints them."""
    credentials = parse_credentials(
        f'Digest username="Mufasa",\r\n realm="{REALM_7616}", uri="/dir/index.html", '
        f'algorithm={algorithm}, nonce="{NONCE_7616}", nc=00000001, cnonce="{CNONCE_7616}", '
        f'qop=auth, response="{RESPONSES_7616[algorithm]}", opaque="{OPAQUE_7616}"'.replace(
            "\r\n", ""
        )
    )
    secret = ha1("Mufasa", REALM_7616, "Circle of Life", algorithm)
    assert verify(credentials, "GET", secret)
    assert not verify(credentials, "PUT", secret)
    assert not verify(credentials, "GET", ha1("Mufasa", REALM_7616, "Circle of life", algorithm))


def test_rfc2617_verify() -> None:
    credentials = parse_credentials(
        f'Digest username="Mufasa", realm="{REALM_2617}", nonce="{NONCE_2617}", '
        'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", '
        'response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    secret = ha1("Mufasa", REALM_2617, "Circle Of Life", "MD5")
    assert secret == "939e7578ed9e3c518a452acee763bce9"
    assert verify(credentials, "GET", secret)


def test_rfc2069_answer() -> None:
    value = answer(
        [f'Digest realm="{REALM_2617}", nonce="{NONCE_2617}"'],
        "GET",
        "/dir/index.html",
        "Mufasa",
        "CircleOfLife",
        "unused",
    )
    assert value == (
        f'Digest username="Mufasa", realm="{REALM_2617}", nonce="{NONCE_2617}", '
        'uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea"'
    )
    # As a server we want qop.
    secret = ha1("Mufasa", REALM_2617, "CircleOfLife", "MD5")
    assert not verify(parse_credentials(value), "GET", secret)


def test_challenge() -> None:
    """RFC 8760: one header each, the best first."""
    assert challenge('a "b"', "n1") == [
        'Digest realm="a \\"b\\"", nonce="n1", algorithm=SHA-256, qop="auth"',
        'Digest realm="a \\"b\\"", nonce="n1", algorithm=MD5, qop="auth"',
    ]
    assert challenge("r", "n", stale=True, algorithms=("MD5",)) == [
        'Digest realm="r", nonce="n", algorithm=MD5, qop="auth", stale=true'
    ]


SHA, MD5 = challenge("r", "n")
CHOSEN = [
    ([SHA, MD5], "algorithm=SHA-256"),
    ([MD5, SHA], "algorithm=SHA-256"),
    ([MD5], "algorithm=MD5"),
    (["Basic realm=x", MD5], "algorithm=MD5"),
    (["noise", "", 'Digest realm="r'], None),
    ([SHA.replace("SHA-256", "sha-256")], "algorithm=SHA-256"),
    ([MD5.replace("MD5", "Md5")], "algorithm=MD5"),
    ([MD5.replace("MD5", "MD5-sess")], None),
    ([SHA.replace("SHA-256", "SHA-512-256")], None),
    ([SHA.replace('"auth"', '"auth-int"')], None),
    ([SHA.replace(', qop="auth"', "")], None),
    ([MD5.replace("algorithm=MD5, ", "")], "qop=auth"),
    ([MD5.replace('"auth"', '"auth-int,auth"')], "qop=auth"),
    (["digest  realm = r ,nonce= n"], 'realm="r"'),
    (['Digest nonce="n"'], None),
]


@pytest.mark.parametrize(("challenges", "part"), CHOSEN)
def test_answer_takes_the_best(challenges: list[str], part: str | None) -> None:
    value = answer(challenges, "INVITE", "sip:b@h", "u", "p", "c")
    assert (value is None) if part is None else (value is not None and part in value)


GOOD = 'Digest username="u", realm="r", nonce="n", uri="sip:h", response="0"'
ODD = [
    (GOOD, Credentials("u", "r", "n", "sip:h", "0")),
    (GOOD.replace("Digest", "dIGEST "), Credentials("u", "r", "n", "sip:h", "0")),
    (
        GOOD.replace('"u"', r'"a\"b\\c, d=\"e\""'),
        Credentials('a"b\\c, d="e"', "r", "n", "sip:h", "0"),
    ),
    (GOOD.replace('"n"', "n"), Credentials("u", "r", "n", "sip:h", "0")),
    (GOOD + ', algorithm="sha-256"', Credentials("u", "r", "n", "sip:h", "0", "SHA-256")),
    (GOOD + ", algorithm=MD5-Sess", Credentials("u", "r", "n", "sip:h", "0", "MD5-Sess")),
    (
        GOOD + ', qop="auth", nc=0000000A, cnonce=""',
        Credentials("u", "r", "n", "sip:h", "0", "MD5", "auth", 10, "0000000A", ""),
    ),
    (GOOD + " , x = y,", Credentials("u", "r", "n", "sip:h", "0")),
]
REFUSED = [
    ("", 400),
    ("Digest", 400),
    ("Digest username", 400),
    (GOOD.replace(', response="0"', ""), 400),
    (GOOD.replace('username="u", ', ""), 400),
    (GOOD + ', nonce="m"', 400),
    (GOOD + ' algorithm="MD5"', 400),
    (GOOD + ', x="y', 400),
    (GOOD + ", qop=auth", 400),
    (GOOD + ", qop=auth, cnonce=c, nc=1", 400),
    (GOOD + ", qop=auth, cnonce=c, nc=0000000g", 400),
    (GOOD + ", qop=auth, cnonce=c, nc=+0000001", 400),
    ("NoOneKnowsThisScheme opaque-data=here", 401),
    ("Basic dTpw", 401),
]


@pytest.mark.parametrize(("value", "credentials"), ODD)
def test_credentials(value: str, credentials: Credentials) -> None:
    assert parse_credentials(value) == credentials


@pytest.mark.parametrize(("value", "code"), REFUSED)
def test_credentials_refused(value: str, code: int) -> None:
    with pytest.raises(SipParseError) as refused:
        parse_credentials(value)
    assert refused.value.code == code
    assert refused.value.reason.startswith("cannot ")


def proven(**changed: object) -> bool:
    """Whether right credentials still verify after a change."""
    value = answer([SHA], "INVITE", "sip:b@h", 'a"b', "p", "c")
    assert value is not None
    credentials = msgspec.structs.replace(parse_credentials(value), **changed)
    return verify(credentials, "INVITE", ha1('a"b', "r", "p", "SHA-256"))


def test_nothing_not_offered_is_accepted() -> None:
    assert proven()
    assert proven(
        response=parse_credentials(
            str(answer([SHA], "INVITE", "sip:b@h", 'a"b', "p", "c"))
        ).response.upper()
    )
    for change in (
        {"algorithm": "SHA-512-256"},
        {"algorithm": "SHA-256-sess"},
        {"algorithm": "MD5"},
        {"algorithm": ""},
        {"qop": ""},
        {"qop": "auth-int"},
        {"nc": 2, "nc_text": "00000002"},
        {"nc": 0, "nc_text": "00000000"},
        {"nonce": "m"},
        {"uri": "sip:c@h"},
        {"cnonce": "d"},
        {"response": ""},
        {"response": "é" * 64},
    ):
        assert not proven(**change), change


def test_ha1_of_an_unknown_algorithm() -> None:
    with pytest.raises(ValueError, match="cannot compute 'SHA-1'"):
        ha1("u", "r", "p", "SHA-1")


HERE, NOW = "192.0.2.1", 1_800_000_000.5


def test_nonce_life() -> None:
    nonces = Nonces(b"secret", life_s=30)
    nonce = nonces.make(NOW, HERE)
    assert nonces.check(nonce, NOW, HERE) == "ok"
    assert nonces.check(nonce, NOW + 30, HERE) == "ok"
    assert nonces.check(nonce, NOW + 30.001, HERE) == "stale"
    assert nonces.check(nonce, NOW - 1, HERE) == "ok", "another node's clock"
    assert nonces.check(nonce, NOW - 1.001, HERE) == "stale"
    assert nonces.check(nonce, NOW, "192.0.2.2") == "bad"
    assert nonces.make(NOW, HERE) != nonce
    assert Nonces(b"secret").check(nonce, NOW, HERE) == "ok", "any node with the secret"
    assert Nonces(b"Secret").check(nonce, NOW, HERE) == "bad"


@pytest.mark.parametrize("spoil", ["", "x", "é" * 24, "A" * 24, "=" * 24, "upper", "cut", "flip"])
def test_nonce_of_others_is_bad(spoil: str) -> None:
    nonces = Nonces(b"secret")
    nonce = nonces.make(NOW, HERE)
    flipped = nonce[:-1] + ("A" if nonce[-1] != "A" else "B")
    spoilt = {"upper": nonce.upper(), "cut": nonce[:-2], "flip": flipped}.get(spoil, spoil)
    assert nonces.check(spoilt, NOW, HERE) == "bad"


def test_use_counts_are_taken_once() -> None:
    """Equal and lower counts are refused once used; a swapped pair of datagrams is not."""
    nonces = Nonces(b"secret")
    nonce, other = nonces.make(NOW, HERE), nonces.make(NOW, HERE)
    uses = [(1, True), (1, False), (3, True), (2, True), (2, False), (3, False), (0, False)]
    uses += [(70, True), (6, False), (7, True), (7, False), (70, False), (2**32, False)]
    uses += [(2**32 - 1, True), (2**32 - 1, False), (71, False)]
    assert [(nc, nonces.accept(nonce, nc)) for nc, _ in uses] == uses
    assert nonces.accept(other, 1)
    assert not nonces.accept("noise", 1)


def test_memory_is_bounded_and_the_forgotten_stay_refused() -> None:
    nonces = Nonces(b"secret", limit=100)
    made = [nonces.make(NOW + n / 1000, HERE) for n in range(1000)]
    assert all(nonces.accept(nonce, 1) for nonce in made)
    assert len(nonces) == 100
    assert not any(nonces.accept(nonce, 1) for nonce in made)
    assert nonces.check(made[0], NOW + 1, HERE) == "stale"
    assert not nonces.accept(made[0], 2)
    assert nonces.check(made[-1], NOW + 1, HERE) == "ok"
    assert nonces.accept(made[-1], 2)


def test_expired_nonces_are_forgotten() -> None:
    nonces = Nonces(b"secret", life_s=30)
    old = [nonces.make(NOW + n / 1000, HERE) for n in range(50)]
    assert all(nonces.accept(nonce, 1) for nonce in old)
    assert nonces.accept(nonces.make(NOW + 60, HERE), 1)
    assert len(nonces) == 1
    assert not nonces.accept(old[0], 1)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=150, deadline=None)
@given(texts, texts, texts, texts, st.sampled_from([[SHA, MD5], [MD5], [SHA]]))
def test_what_we_answer_we_verify(realm, user, password, cnonce, kinds) -> None:
    algorithm = "SHA-256" if SHA in kinds else "MD5"
    challenges = challenge(realm, "n", algorithms=(algorithm,))
    value = answer(challenges, "REGISTER", "sip:h", user, password, cnonce)
    assert value is not None
    credentials = parse_credentials(value)
    assert (credentials.username, credentials.realm) == (user, realm)
    assert verify(credentials, "REGISTER", ha1(user, realm, password, algorithm))
    assert not verify(credentials, "REGISTER", ha1(user, realm, password + "x", algorithm))


@settings(max_examples=400, deadline=None)
@given(st.text('Digest usernamrlop="\\, \t=1', max_size=80) | st.text(max_size=40), st.booleans())
def test_only_parse_errors_leave(text: str, good: bool) -> None:
    value = f"{GOOD}, {text}" if good else text
    try:
        verify(parse_credentials(value), "INVITE", "x")
    except SipParseError as error:
        code = error.code
    else:
        code = 401
    assert code in (400, 401)
    answer([value], "INVITE", "sip:h", "u", "p", "c")
    Nonces(b"s").check(text, NOW, HERE)
