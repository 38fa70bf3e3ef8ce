# SPDX-License-Identifier: GPL-2.0-or-later
"""A phone that never speaks first after it registered: HOST PORT SWITCH_HOST SWITCH_PORT NUMBER.

Prints what happens to it, a word a line: registered, called, ended. It sends nothing by itself,
so that whatever holds its NAT open is the switch's doing. The password comes on standard input.
"""

from __future__ import annotations

import random
import socket
import sys
import time

from tests.sim.agents import sdp
from vosd.sip.auth import answer
from vosd.sip.endpoint import Endpoint, Listen
from vosd.sip.events import Acked, Ended, Event, Invited, Request, Response


class HomePhone:
    """One socket, one registration, every call answered."""

    def __init__(self, here: tuple[str, int], switch: tuple[str, int], number: str, secret: str):
        self.switch, self.number, self.secret = switch, number, secret
        self.host = here[0]
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(here)
        self.endpoint = Endpoint([Listen("udp", *here)], random.SystemRandom())

    def register(self, *headers: tuple[str, str]) -> None:
        who = f"<sip:{self.number}@{self.switch[0]}>"
        self.endpoint.send(
            "REGISTER", f"sip:{self.switch[0]}", self.switch, 0, time.monotonic(),
            from_=who, to=who, token="register", headers=headers,
        )  # fmt: skip

    def run(self) -> None:
        self.register()
        while True:
            self._flush()
            self.socket.settimeout(0.1)
            now = time.monotonic
            try:
                data, source = self.socket.recvfrom(65535)
                events = self.endpoint.receive(data, source, 0, now())
            except TimeoutError:
                events = self.endpoint.due(now())
            for event in events:
                self._take(event, now())

    def _flush(self) -> None:
        for data, remote, _ in self.endpoint.outgoing:
            self.socket.sendto(data, remote)
        self.endpoint.outgoing.clear()

    def _take(self, event: Event, now: float) -> None:
        match event:
            case Response(code=401, message=message) if message is not None:
                uri = f"sip:{self.switch[0]}"
                challenges = message.all("www-authenticate")
                value = answer(challenges, "REGISTER", uri, self.number, self.secret, "c0ffee")
                self.register(("Authorization", value or ""))
            case Response(code=200):
                say("registered")
            case Invited(dialog=dialog):
                say("called")
                self.endpoint.accept(dialog, now, body=sdp((self.host, 5060)))
            case Request(transaction=transaction):
                self.endpoint.respond(transaction, 200, now)
            case Ended():
                say("ended")
            case Acked():
                say("acknowledged")


def say(word: str) -> None:
    print(word, flush=True)


if __name__ == "__main__":
    host, port, switch_host, switch_port, own_number = sys.argv[1:]
    password = sys.stdin.readline().strip()
    place = (switch_host, int(switch_port))
    HomePhone((host, int(port)), place, own_number, password).run()
