# SPDX-License-Identifier: GPL-2.0-or-later
"""What is fuzzed: octets in, and nothing may come out but the parser's own error.

Each target also holds what it read to its own word: written and read again it is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vosd.sdp import offer
from vosd.sdp.session import SdpError, Session, rewrite
from vosd.sip import auth
from vosd.sip.errors import SipParseError
from vosd.sip.framing import Framer
from vosd.sip.grammar import MAX_MESSAGE
from vosd.sip.header import NameAddr, Via
from vosd.sip.message import Message, response
from vosd.sip.parse import parse
from vosd.sip.uri import Uri
from vosd.switch import leg

SEEDS = Path(__file__).parents[1] / "data" / "fuzz"
SOURCE = ("192.0.2.1", 5060)


def message(data: bytes) -> None:
    """A datagram: read, asked for everything, answered, written and read again."""
    try:
        seen = parse(data)
    except SipParseError as error:
        _refusal(error, range(400, 600))
        if error.message is not None:
            _answered(error.message, error.code)
        return
    for name, _ in seen.headers:
        seen.all(name)
    assert isinstance(seen.contacts, list)
    assert (seen.from_ is None, seen.to is None) == (False, False)
    assert (seen.target is None) != seen.is_request
    leg.caller_of(seen)
    leg.hops(seen)
    if seen.is_request:
        leg.callee_of(seen)
        _answered(seen, 200)
    again = parse(seen.encode())
    assert again.encode() == seen.encode()
    assert (again.call_id, again.cseq, again.body) == (seen.call_id, seen.cseq, seen.body)


def _refusal(error: SipParseError, codes: range) -> None:
    assert error.code in codes
    assert error.reason.startswith("cannot ")


def _answered(request: Message, code: int) -> None:
    try:
        reply = response(request, code, to_tag="t", received=SOURCE)
    except ValueError:
        return  # what would be copied does not stay in its line: the endpoint says nothing
    assert reply.count(b"\r\n\r\n") == 1
    lines = reply.split(b"\r\n")
    assert all(b"\r" not in line and b"\n" not in line for line in lines)


def uri(data: bytes) -> None:
    """A URI: what is written reads as the same URI."""
    try:
        seen = Uri.parse(data.decode("utf-8", "replace"))
    except SipParseError:
        return
    text = str(seen)
    again = Uri.parse(text)
    assert str(again) == text
    assert (again.scheme, again.host, again.port) == (seen.scheme, seen.host, seen.port)


def via(data: bytes) -> None:
    """A Via value, and the same answered to a source."""
    text = data.decode("utf-8", "replace")
    for read in (Via.parse, Via.salvage, NameAddr.parse):
        try:
            seen = read(text)
        except SipParseError:
            continue
        if isinstance(seen, NameAddr):
            str(seen)
            continue
        again = Via.salvage(seen.answered_to(SOURCE))
        assert (again.branch, again.sent_by) == (seen.branch, seen.sent_by)


def credentials(data: bytes) -> None:
    """Authorization and challenge parameters; no noise is ever a valid digest."""
    text = data.decode("utf-8", "replace")
    try:
        seen = auth.parse_credentials(text)
    except SipParseError as error:
        _refusal(error, range(400, 402))
    else:
        assert not auth.verify(seen, "REGISTER", "0" * 64)
    auth.answer([text], "INVITE", "sip:h", "u", "p", "c")
    assert auth.Nonces(b"s").check(text, 1_800_000_000.0, SOURCE[0]) == "bad"


def description(data: bytes) -> None:
    """SDP: read, judged, readdressed; what is readdressed reads again."""
    try:
        seen = Session.parse(data)
    except SdpError:
        seen = None
    else:
        for media in seen.media:
            offer.codec_names(media)
            offer.clock_rates(media)
            offer.telephone_events(media)
            offer.agreed(media, media)
    try:
        written = rewrite(
            data, address="192.0.2.9", port=10000, rtcp_port=10001, session_id="7", version=1
        )
    except SdpError:
        return
    assert len(written) <= len(data) + 64 * (data.count(b"\n") + 1)
    if seen is not None and (audio := seen.audio) is not None:
        again = Session.parse(written).audio
        assert again is not None
        assert (again.port, again.formats) == (10000, audio.formats)


def framer(data: bytes) -> None:
    """A stream, in one piece and in pieces of the size its first octet says: the same frames."""
    step = data[0] % 16 + 1 if data else 1
    whole, torn = Framer(), Framer()
    at_once = whole.feed(data)
    bit_by_bit = [
        frame for at in range(0, len(data), step) for frame in torn.feed(data[at : at + step])
    ]
    assert [f.kind for f in at_once] == [f.kind for f in bit_by_bit]
    assert [f.data for f in at_once if f.kind == "message"] == [
        f.data for f in bit_by_bit if f.kind == "message"
    ]
    assert sum(len(frame.data) for frame in at_once) <= len(data) + MAX_MESSAGE


TARGETS: dict[str, Callable[[bytes], None]] = {
    "message": message,
    "uri": uri,
    "via": via,
    "credentials": credentials,
    "description": description,
    "framer": framer,
}


def seeds(target: str) -> list[bytes]:
    """Our own small corpus: blocks of a text file, divided by lines of four dashes."""
    text = (SEEDS / f"{target}.txt").read_text("utf-8")
    blocks = [block.strip("\n") for block in text.split("\n----\n")]
    if target in ("message", "framer"):
        heads = [block.replace("\n", "\r\n") for block in blocks]
        return [(h if "\r\n\r\n" in h else h + "\r\n\r\n").encode() for h in heads]
    if target == "description":
        return [(block.replace("\n", "\r\n") + "\r\n").encode() for block in blocks]
    return [block.encode() for block in blocks]
