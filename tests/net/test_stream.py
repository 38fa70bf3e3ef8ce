# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections of a listening socket on loopback: reuse, limits, slow and silent peers
(reliability.md section 3 row 5). Time for idle and slow ones is an argument."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from vosd.net.addresses import SourceAddresses
from vosd.net.sockets import SocketError
from vosd.net.stream import Limits, StreamSocket
from vosd.sip.framing import Framer

Address = tuple[str, int]
HOSTS = ["127.0.0.1", "::1"]
MESSAGE = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"


class Doors:
    """Keeps what it is told; `next` waits for something of a kind."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.counts: Counter[str] = Counter()
        #: hosts of gateways and registered phones, and handshakes strangers have left
        self.known: set[str] = set()
        self.allowed = 100

    def datagrams(self, batch: Sequence[tuple[bytes, Address]], local: int) -> None:
        for each in batch:
            self.told.put_nowait(("message", each))

    def broken(self, data: bytes, code: int, reason: str, source: Address, local: int) -> None:
        self.told.put_nowait(("broken", code))

    def unreachable(self, destination: Address, local: int) -> None:
        self.told.put_nowait(("unreachable", destination))

    def lost(self, peer: Address, local: int) -> None:
        self.told.put_nowait(("lost", peer))

    def count(self, name: str) -> None:
        self.counts[name.removeprefix("connections_")] += 1

    def familiar(self, host: str) -> bool:
        return host in self.known

    def handshakes(self, host: str) -> bool:
        self.allowed -= 1
        return self.allowed >= 0

    async def next(self, kind: str) -> Any:
        async with asyncio.timeout(5):
            found, value = await self.told.get()
        assert found == kind, (found, value)
        return value


Work = Callable[[StreamSocket, Doors], Awaitable[None]]


def run(work: Work, host: str = "127.0.0.1", **limits: Any) -> None:
    async def all_of_it() -> None:
        doors = Doors()
        stream = StreamSocket("tcp", host, 0, 3, doors, Framer)
        stream.limits = Limits(**limits)
        stream.start(asyncio.get_running_loop())
        try:
            await work(stream, doors)
        finally:
            stream.close()

    asyncio.run(all_of_it())


async def connect(stream: StreamSocket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(stream.host, stream.port)


async def speak(
    stream: StreamSocket, doors: Doors, host: str, pushes: bool = False
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection from `host` that has said something; `pushes`: another one ends for it."""
    reader, writer = await asyncio.open_connection(
        stream.host, stream.port, local_addr=(host, 0)
    )
    if pushes:
        await doors.next("lost")
    writer.write(MESSAGE)
    await doors.next("message")
    return reader, writer


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether we closed; fails when nothing happens."""
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionResetError):
            return await reader.read() == b""
    return True


@pytest.mark.parametrize("host", HOSTS)
def test_an_answer_goes_back_on_the_connection_of_its_request(host: str) -> None:
    """RFC 3261 18.2.2; and a ping in between gets its pong (RFC 5626 4.4.1)."""

    async def work(stream: StreamSocket, doors: Doors) -> None:
        reader, writer = await connect(stream)
        writer.write(MESSAGE[:20])
        writer.write(MESSAGE[20:] + b"\r\n\r\n")
        data, source = await doors.next("message")
        assert data == MESSAGE
        assert source == writer.get_extra_info("sockname")[:2]
        assert await reader.readexactly(2) == b"\r\n"
        assert stream.connected(source)
        assert stream.send(b"answer", source)
        assert await reader.readexactly(6) == b"answer"
        assert (len(stream), doors.counts) == (1, {"accepted": 1})
        writer.close()
        assert await doors.next("lost") == source
        assert not stream.connected(source)

    run(work, host)


@pytest.mark.parametrize("host", HOSTS)
def test_requests_to_one_peer_share_one_connection(host: str) -> None:
    """What is sent while it is being made waits, in order; a new one when it is gone."""
    async def work(stream: StreamSocket, doors: Doors) -> None:
        accepted = asyncio.Queue()
        peer = await asyncio.start_server(lambda *two: accepted.put_nowait(two), host, 0)
        place = peer.sockets[0].getsockname()[:2]
        assert all(stream.send(b"%d" % n, place) for n in range(10))
        reader, writer = await accepted.get()
        assert await reader.readexactly(10) == b"0123456789"
        assert stream.send(b"more", place)
        assert await reader.readexactly(4) == b"more"
        writer.transport.abort()
        assert await doors.next("lost") == place
        assert stream.send(b"again", place)
        reader, writer = await accepted.get()
        assert await reader.readexactly(5) == b"again"
        assert doors.counts == {"opened": 2}
        writer.write(MESSAGE)
        assert await doors.next("message") == (MESSAGE, place)
        writer.close()
        peer.close()

    run(work, host)


def test_nobody_there_is_told_once_and_at_once() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            place = closed.getsockname()
        for _ in range(3):
            stream.send(MESSAGE, place)
        assert await doors.next("unreachable") == place
        assert doors.counts == {"failed": 1}
        assert doors.told.empty()
        assert not len(stream)

    run(work)


def test_a_connection_that_does_not_come_to_stand_is_given_up_in_time() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
            place = full.getsockname()
            # the system accepts for a server that does not: until its queue is full
            crowd = []
            for _ in range(4):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(place)
                crowd.append(one)
            stream.send(MESSAGE, place)
            now = asyncio.get_running_loop().time()
            stream.tick(now + 3.9)
            assert len(stream) == 1
            stream.tick(now + 4.1)
            assert await doors.next("unreachable") == place
            for one in crowd:
                one.close()

    run(work)


def test_a_peer_that_does_not_read_is_dropped_at_a_bound() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            place = deaf.getsockname()
            sent = 0
            while stream.send(b"x" * 65536, place) and sent < 1000:
                sent += 1
                await asyncio.sleep(0)
            assert 0 < sent < 1000
            assert await doors.next("lost") == place

    run(work)


def test_slow_and_silent_peers_are_closed_after_ten_seconds() -> None:
    """Row 5: no whole header within 10 s; nothing at all; but not one that pings after it spoke."""

    async def work(stream: StreamSocket, doors: Doors) -> None:
        silent, _silent = await connect(stream)
        slow, to_slow = await connect(stream)
        spoke, to_spoke = await connect(stream)
        to_spoke.write(MESSAGE)
        await doors.next("message")
        now = asyncio.get_running_loop().time()
        for _ in range(9):
            to_slow.write(b"O")
        to_spoke.write(b"\r\n\r\n")
        assert await spoke.readexactly(2) == b"\r\n"
        stream.tick(now + 9)
        assert len(stream) == 3
        stream.tick(now + 11)
        assert await ended(silent)
        assert await ended(slow)
        assert len(stream) == 1
        # its second message comes an octet at a time
        to_spoke.write(MESSAGE[:1])
        to_spoke.write(b"\r\n")
        while not stream._unfinished:
            await asyncio.sleep(0)
        stream.tick(asyncio.get_running_loop().time() + 11)
        assert await ended(spoke)
        assert doors.counts["idle"] == 3

    run(work)


def test_an_idle_connection_ends_after_its_time_and_not_while_it_is_used() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        readers = []
        for _ in range(2):
            reader, writer = await connect(stream)
            writer.write(MESSAGE)
            _, source = await doors.next("message")
            readers.append((reader, writer, source))
        now = asyncio.get_running_loop().time()
        stream.tick(now + 59)
        assert len(stream) == 2
        stream.tick(now + 61)
        assert await ended(readers[0][0])
        assert await ended(readers[1][0])

    run(work, idle_s=60.0)


def test_one_source_cannot_take_every_connection() -> None:
    """The AST-2016-005 class: idle ones of the source make room; ones in use are not closed."""

    async def work(stream: StreamSocket, doors: Doors) -> None:
        pairs = [await connect(stream) for _ in range(5)]
        assert await ended(pairs[0][0])
        await doors.next("lost")
        assert len(stream) == 4
        for _, writer in pairs[1:]:
            writer.write(MESSAGE)
            await doors.next("message")
        refused, _ = await connect(stream)
        assert await ended(refused)
        assert len(stream) == 4
        assert (doors.counts["evicted"], doors.counts["refused"]) == (1, 1)

    run(work, per_source=4)


def test_in_all_strangers_make_room_before_those_who_spoke() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        _spoke, writer = await connect(stream)
        writer.write(MESSAGE)
        _, source = await doors.next("message")
        stranger, _stranger = await connect(stream)
        _newer = await connect(stream)
        assert await ended(stranger)
        assert stream.connected(source)
        assert len(stream) == 2

    run(work, total=2)


def test_strangers_who_spoke_make_room_before_a_silent_phone_that_is_known() -> None:
    """A registered phone is reached by no other connection; nobody is pushed out for one more
    stranger when all are known."""

    async def work(stream: StreamSocket, doors: Doors) -> None:
        doors.known = {"127.0.0.2", "127.0.0.3"}
        phone, _phone = await speak(stream, doors, "127.0.0.2")
        first, _first = await speak(stream, doors, "127.0.0.10")
        second, _second = await speak(stream, doors, "127.0.0.11", pushes=True)
        assert await ended(first)
        other, _other = await speak(stream, doors, "127.0.0.3", pushes=True)
        assert await ended(second)
        refused, _ = await connect(stream)
        assert await ended(refused)
        assert not phone.at_eof()
        assert not other.at_eof()
        assert doors.counts == {"accepted": 4, "evicted": 2, "refused": 1}
        assert not stream.send(MESSAGE, ("127.0.0.9", 9))

    run(work, total=2)


def test_a_request_of_ours_takes_the_place_of_a_stranger() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        stranger, _ = await connect(stream)
        while not len(stream):
            await asyncio.sleep(0)
        with socket.create_server(("127.0.0.1", 0)) as gateway:
            assert stream.send(MESSAGE, gateway.getsockname())
            assert await ended(stranger)
            assert len(stream) == 1

    run(work, total=1)


def test_a_flood_of_pings_costs_one_write() -> None:
    """RFC 5626 4.4.1 asks for one pong a ping, from who sends one and waits for it."""

    async def work(stream: StreamSocket, doors: Doors) -> None:
        reader, writer = await connect(stream)
        while not len(stream):
            await asyncio.sleep(0)
        (connection,) = stream._all
        stream.framed(connection, connection.framer.feed(b"\r\n\r\n" * 16384))
        writer.write(MESSAGE)
        _, source = await doors.next("message")
        assert stream.send(b"end", source)
        assert await reader.readuntil(b"end") == b"\r\n" * 4 + b"end"

    run(work)


def test_a_message_that_is_not_read_ends_its_connection() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        reader, writer = await connect(stream)
        writer.write(MESSAGE)
        _, source = await doors.next("message")
        stream.unread(source)
        stream.unread(source)
        assert await ended(reader)
        assert await doors.next("lost") == source
        assert doors.counts == {"accepted": 1, "unread": 1}

    run(work)


def test_strangers_have_only_their_share_of_handshakes() -> None:
    class Contexts:
        """Counts the channels that are made; none of them is spoken on."""

        made = 0

        def serve(self) -> None:
            self.made += 1

    async def work(stream: StreamSocket, doors: Doors) -> None:
        stream.contexts = contexts = Contexts()  # type: ignore[assignment]
        doors.allowed = 1
        await connect(stream)
        refused, _ = await connect(stream)
        assert await ended(refused)
        assert (contexts.made, doors.counts) == (1, {"accepted": 1, "refused": 1})

    run(work)


@contextlib.contextmanager
def no_descriptor() -> Iterator[None]:
    """As if every file the process may have were open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = socket.socket()
    lowest = probe.fileno()
    probe.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_descriptor_the_listener_rests_until_the_next_tick(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        loop = asyncio.get_running_loop()
        caller = socket.socket()
        caller.connect((stream.host, stream.port))
        with no_descriptor():
            for turn in range(40):
                if turn == 20:
                    stream.tick(loop.time())
                await asyncio.sleep(0)
        # said once, however long it lasts
        assert [row.getMessage() for row in caplog.records] == [
            f"cannot accept on 127.0.0.1 port {stream.port}/tcp: Too many open files; "
            "new connections wait: raise LimitNOFILE= of the service"
        ]
        assert not len(stream)
        caller.sendall(MESSAGE)
        stream.tick(loop.time())
        assert (await doors.next("message"))[0] == MESSAGE
        caller.close()

    run(work)


def test_without_a_descriptor_nothing_is_sent_and_nothing_raised() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        addresses = SourceAddresses()
        with no_descriptor():
            assert not stream.send(MESSAGE, ("127.0.0.9", 9))
            assert addresses.towards("127.0.0.9") == "127.0.0.1"
            assert addresses.towards("::2") == "::1"
        assert doors.counts == {"failed": 1}

    run(work)


def test_what_could_not_be_asked_is_asked_again() -> None:
    addresses = SourceAddresses()
    with no_descriptor():
        addresses.towards("127.0.0.9")
    assert addresses._known == {}
    # the kernel answers from the destination itself within 127.0.0.0/8
    assert addresses.towards("127.0.0.9") == addresses._known["127.0.0.9"]


def test_what_cannot_be_framed_is_refused_and_the_connection_ends() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        reader, writer = await connect(stream)
        writer.write(MESSAGE + b"OPTIONS sip:a@b SIP/2.0\r\n\r\n" + MESSAGE)
        await doors.next("message")
        assert await doors.next("broken") == 400
        assert await ended(reader)

    run(work)


def test_two_hundred_requests_in_one_write() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        _, writer = await connect(stream)
        writer.write(MESSAGE * 200)
        for _ in range(200):
            await doors.next("message")

    run(work)


def test_an_idle_connection_takes_less_than_64_kib() -> None:
    """Row 5: resident memory of this process per connection, both ends counted here."""

    async def work(stream: StreamSocket, doors: Doors) -> None:
        def resident() -> int:
            pages = Path("/proc/self/statm").read_text().split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")

        ends = [socket.create_connection((stream.host, stream.port)) for _ in range(50)]
        before = resident()
        for _ in range(300):
            ends.append(socket.create_connection((stream.host, stream.port)))
            ends[-1].sendall(b"O")
            await asyncio.sleep(0)
        while len(stream) < 350:
            await asyncio.sleep(0)
        assert (resident() - before) / 300 < 65536
        for end in ends:
            end.close()

    run(work, per_source=1000)


def test_a_port_in_use_is_told_by_its_transport() -> None:
    async def work(stream: StreamSocket, doors: Doors) -> None:
        with pytest.raises(SocketError, match=rf"port {stream.port}/tcp: Address already in use"):
            StreamSocket("tcp", stream.host, stream.port, 4, doors, Framer)

    run(work)
