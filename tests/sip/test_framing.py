# SPDX-License-Identifier: GPL-2.0-or-later
"""The stream framer against cases worked by hand from RFC 3261 18.3, 7.5 and RFC 5626 4.4.1."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vosd.sip.framing import PING, Frame, Framer

OPTIONS = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\n"
BARE = OPTIONS + b"Content-Length: 0\r\n\r\n"
WITH_BODY = OPTIONS + b"l: 5\r\n\r\nv=0\r\n"


def message(data: bytes) -> Frame:
    return Frame("message", data)


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        (BARE, [message(BARE)]),
        (WITH_BODY, [message(WITH_BODY)]),
        (BARE + WITH_BODY + BARE, [message(BARE), message(WITH_BODY), message(BARE)]),
        (b"\r\n" + BARE, [message(BARE)]),
        (b"\r\n\r\n", [PING]),
        (b"\r\n\r\n\r\n\r\n", [PING, PING]),
        (b"\r\n\r\n\r\n" + BARE, [PING, message(BARE)]),
        (b"\r\n", []),
        (BARE[:-1], []),
        (WITH_BODY[:-1], []),
        # a body that looks like the end of a head is a body
        (
            OPTIONS + b"Content-Length: 4\r\n\r\n\r\n\r\n" + BARE,
            [message(OPTIONS + b"Content-Length: 4\r\n\r\n\r\n\r\n"), message(BARE)],
        ),
        # a folded value (7.3.1), white space before the colon, leading zeros; the same twice
        (OPTIONS + b"CONTENT-LENGTH :\r\n  002\r\n\r\nok", None),
        (OPTIONS + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", None),
    ],
)
def test_frames(stream: bytes, frames: list[Frame] | None) -> None:
    found = Framer().feed(stream)
    assert found == ([message(stream)] if frames is None else frames)


@pytest.mark.parametrize(
    ("fields", "code", "word"),
    [
        (b"", 400, "find Content-Length"),
        (b"X-Content-Length: 0\r\n", 400, "find Content-Length"),
        (b"Content-Length: -1\r\n", 400, "'-1'"),
        (b"Content-Length: 5 5\r\n", 400, "'5 5'"),
        (b"Content-Length:\r\n", 400, "''"),
        (b"Content-Length: \xb2\r\n", 400, "Content-Length"),
        (b"Content-Length: 1\r\nl: 2\r\n", 400, "Content-Length"),
        (b"Content-Length: 2147483648\r\n", 513, "65536"),
        (b"Content-Length: 65536\r\n", 513, "65536"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n", 400, "Content-Length"),
    ],
)
def test_a_length_that_cannot_be_trusted_ends_the_stream(
    fields: bytes, code: int, word: str
) -> None:
    """reliability.md section 3 row 5: clerr, ncl, Content-Length 2^31."""
    framer = Framer()
    (frame,) = framer.feed(OPTIONS + fields + b"\r\n" + BARE)
    assert (frame.kind, frame.code) == ("broken", code)
    assert word in frame.reason
    assert frame.data == OPTIONS + fields + b"\r\n"
    assert framer.broken
    assert framer.feed(BARE) == []


def test_an_endless_head_is_refused_at_its_limits() -> None:
    (frame,) = Framer().feed(OPTIONS + b"X: " + b"a" * 8190)
    assert (frame.kind, frame.code, frame.data) == ("broken", 513, OPTIONS)
    many = OPTIONS + b"X: y\r\n" * 10920
    assert len(many) > 65536
    (frame,) = Framer().feed(many)
    assert (frame.kind, frame.code, frame.data) == ("broken", 513, many)


def test_a_message_of_exactly_the_limit_passes() -> None:
    head = OPTIONS + b"Content-Length: %d\r\n\r\n"
    size = 65536 - len(head % 65000)
    whole = head % size + b"x" * size
    assert len(whole) == 65536
    assert Framer().feed(whole) == [message(whole)]


def test_begun_tells_a_started_message_from_keep_alives() -> None:
    """A slow sender is timed from its first octet; one that pings is not."""
    framer = Framer()
    told = []
    for octets in (b"\r\n", b"\r\n", b"O", BARE[1:], WITH_BODY[:-1], WITH_BODY[-1:]):
        framer.feed(octets)
        told.append(framer.begun)
    assert told == [False, False, True, False, True, False]


def test_octets_are_searched_once_however_they_come() -> None:
    """64 KiB an octet at a time: what is searched grows by a constant per octet, not by all."""

    class Counting(bytearray):
        searched = 0

        def find(self, what: bytes, start: int = 0) -> int:  # type: ignore[override]
            Counting.searched += len(self) - start
            return bytearray.find(self, what, start)

        def rfind(self, what: bytes, start: int = 0) -> int:  # type: ignore[override]
            Counting.searched += len(self) - start
            return bytearray.rfind(self, what, start)

    framer = Framer()
    framer._buffer = Counting()
    for _ in range(8):
        for octet in OPTIONS:
            framer.feed(bytes((octet,)))
    assert 0 < Counting.searched < 8 * 8 * len(OPTIONS)


PIECES = st.lists(
    st.one_of(
        st.sampled_from([b"\r\n\r\n", b"\r\n", BARE, WITH_BODY, OPTIONS + b"\r\n", b"\r", b"\n"]),
        st.binary(max_size=40).map(
            lambda body: OPTIONS + b"Content-Length: %d\r\n\r\n" % len(body) + body
        ),
    ),
    max_size=8,
).map(b"".join)


@given(stream=PIECES, cuts=st.lists(st.integers(0, 800), max_size=12))
def test_any_chunking_gives_the_same_frames(stream: bytes, cuts: list[int]) -> None:
    whole = Framer().feed(stream)
    framer, frames = Framer(), []
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    for start, end in itertools.pairwise(edges):
        frames += framer.feed(stream[start:end])
    assert frames == whole
    single, drops = Framer(), []
    for octet in stream:
        drops += single.feed(bytes((octet,)))
    assert drops == whole


@given(st.binary(max_size=300))
def test_no_octets_raise(stream: bytes) -> None:
    for frame in Framer().feed(stream):
        assert frame.kind in ("message", "ping", "broken")


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_bodies_come_out_as_they_went_in(bodies: list[bytes]) -> None:
    sent = [OPTIONS + b"l:%d\r\n\r\n" % len(body) + body for body in bodies]
    assert Framer().feed(b"".join(sent)) == [message(each) for each in sent]
