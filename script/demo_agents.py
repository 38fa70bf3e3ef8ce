# SPDX-License-Identifier: GPL-2.0-or-later
"""Small SIP users for the demo: one socket, the product's own endpoint, a tone per party."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time

from script.demo_audio import Audio, Impairment
from vosd.sdp.session import Session
from vosd.sip import auth
from vosd.sip.core import Listen
from vosd.sip.dialog import Dialog, Invite
from vosd.sip.endpoint import Endpoint
from vosd.sip.events import Answered, Ended, Event, Failed, Invited, Reinvited, Response
from vosd.sip.message import Message

Address = tuple[str, int]
RING_S = 0.4
REGISTER_S = 600


class CallFailed(Exception):
    """The call was refused; the text holds code and reason."""


class Call:
    """One call of an agent: its dialog and its audio."""

    def __init__(self, dialog: Dialog, audio: Audio) -> None:
        self.dialog = dialog
        self.audio = audio
        self.ended = asyncio.Event()


class Agent:
    """A SIP user on `host` that speaks with a tone of `hertz` and answers every call."""

    def __init__(self, name: str, host: str, user: str, hertz: int, switch: Address) -> None:
        self.name, self.host, self.user, self.hertz, self.switch = name, host, user, hertz, switch
        self.calls: list[Call] = []
        self.impairment = Impairment()
        self._chance = random.Random(hertz)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        listen = Listen("udp", host, self.port)
        self._endpoint = Endpoint([listen], random.SystemRandom(), server="vosd demo agent")
        self._answers: dict[int, asyncio.Future[Call]] = {}
        self._timer: asyncio.TimerHandle | None = None
        asyncio.get_running_loop().add_reader(self._socket, self._on_datagrams)

    async def register(self, password: str) -> int:
        """Register with digest; the final code (200 when it worked)."""
        code, message = await self._register(())
        if code != 401 or message is None:
            return code
        challenges = [value for name, value in message.headers if name == "www-authenticate"]
        uri = self._uri()
        value = auth.answer(challenges, "REGISTER", uri, self.user, password, "0a4f113b")
        if value is None:
            return code
        return (await self._register((("Authorization", value),)))[0]

    async def call(self, number: str, impairment: Impairment = Impairment()) -> Call:  # noqa: B008
        """Place a call; returns once it is answered and audio runs, raises CallFailed."""
        audio = Audio(self.host, self.hertz, impairment, self._chance.getrandbits(32))
        dialog = self._endpoint.invite(
            Invite(
                uri=self._uri(number), destination=self.switch, local=0,
                from_=f"<{self._uri(self.user)}>", to=f"<{self._uri(number)}>",
                body=self._offer(audio), contact_user=self.user,
            ),
            time.monotonic(),
        )  # fmt: skip
        call = Call(dialog, audio)
        dialog.owner = call
        answered: asyncio.Future[Call] = asyncio.get_running_loop().create_future()
        self._answers[id(call)] = answered
        self._flush()
        return await answered

    def hang_up(self, call: Call) -> None:
        self._endpoint.bye(call.dialog, time.monotonic())
        self._forget(call)
        self._flush()

    def close(self) -> None:
        for call in list(self.calls):
            self.hang_up(call)
        asyncio.get_running_loop().remove_reader(self._socket)
        if self._timer is not None:
            self._timer.cancel()
        self._socket.close()

    async def _register(self, extra: tuple[tuple[str, str], ...]) -> tuple[int, Message | None]:
        done: asyncio.Future[tuple[int, Message | None]] = (
            asyncio.get_running_loop().create_future()
        )
        aor = f"<{self._uri(self.user)}>"
        self._endpoint.send(
            "REGISTER", self._uri(), self.switch, 0, time.monotonic(), from_=aor, to=aor,
            token=done, headers=(("Expires", str(REGISTER_S)), *extra),
        )  # fmt: skip
        self._flush()
        return await done

    def _uri(self, user: str = "") -> str:
        host, port = self.switch
        return f"sip:{user}@{host}:{port}" if user else f"sip:{host}:{port}"

    def _offer(self, audio: Audio) -> bytes:
        return (
            f"v=0\r\no={self.user} 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\n"
            f"t=0 0\r\nm=audio {audio.port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
        ).encode()

    def _on_datagrams(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                data, source = self._socket.recvfrom(65535)
                self._take(self._endpoint.receive(data, source, 0, time.monotonic()))

    def _on_timer(self) -> None:
        self._take(self._endpoint.due(time.monotonic()))

    def _take(self, events: list[Event]) -> None:
        for event in events:
            self._handle(event)
        self._flush()

    def _handle(self, event: Event) -> None:
        match event:
            case Invited():
                self._ring(event)
            case Answered():
                self._answered(event)
            case Failed():
                answer = self._answers.pop(id(event.dialog.owner), None)
                if answer is not None:
                    answer.set_exception(CallFailed(f"{self.name} was refused with {event.code}"))
                    event.dialog.owner.audio.close()
            case Reinvited():
                body = self._offer(event.dialog.owner.audio)
                self._endpoint.accept(event.dialog, time.monotonic(), body=body)
            case Ended():
                self._forget(event.dialog.owner)
            case Response() if isinstance(event.token, asyncio.Future):
                event.token.set_result((event.code, event.message))
            case _:
                pass

    def _ring(self, event: Invited) -> None:
        self._endpoint.ring(event.dialog, 180, time.monotonic())
        asyncio.get_running_loop().call_later(RING_S, self._answer, event)

    def _answer(self, event: Invited) -> None:
        audio = Audio(self.host, self.hertz, self.impairment, self._chance.getrandbits(32))
        call = Call(event.dialog, audio)
        event.dialog.owner = call
        self._endpoint.accept(event.dialog, time.monotonic(), body=self._offer(audio))
        self._start(call, event.message)
        self._flush()

    def _answered(self, event: Answered) -> None:
        call: Call = event.dialog.owner
        self._endpoint.acknowledge(event.dialog, time.monotonic())
        self._start(call, event.message)
        self._answers.pop(id(call)).set_result(call)

    def _start(self, call: Call, message: Message) -> None:
        media = Session.parse(message.body).audio
        if media is None or media.address is None:
            raise CallFailed(f"{self.name} got no audio in the SDP")
        call.audio.start((media.address, media.port))
        self.calls.append(call)

    def _forget(self, call: Call) -> None:
        call.audio.close()
        call.ended.set()
        if call in self.calls:
            self.calls.remove(call)

    def _flush(self) -> None:
        for data, remote, _ in self._endpoint.outgoing:
            with contextlib.suppress(OSError):
                self._socket.sendto(data, remote)
        self._endpoint.outgoing.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._endpoint.deadline()
        if deadline != float("inf"):
            # the event loop's clock is time.monotonic
            self._timer = asyncio.get_running_loop().call_at(deadline, self._on_timer)
