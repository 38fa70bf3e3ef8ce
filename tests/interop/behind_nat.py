# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls phones behind a NAT after a silence: DIRECTORY HOME_NAMESPACE IDLE_S MESSAGE...

Runs in the namespace of the world, beside `test_nat`. For each MESSAGE a switch that keeps alive
with it, and a phone in the home's namespace; prints a JSON object by message.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from script.private_switch import PrivateSwitch, free_port
from tests.interop.sipp import Outcome, Sipp

WORLD, CUSTOMER, HOME = "203.0.113.1", "203.0.113.2", "192.168.1.100"
PASSWORD = "correct-horse-9"
NUMBER = "4670001"


class House:
    """One switch, and one phone registered with it from behind the NAT."""

    def __init__(self, directory: Path, home: str, message: str, place: int) -> None:
        self.directory = directory / str(place)
        self.switch = PrivateSwitch(self.directory, (WORLD,), port=5060 + 10 * place)
        self.switch.start()
        secret = self.directory / "password"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o600)
        vosctl = self.switch.vosctl
        vosctl("gateway", "add", "world", "--kind", "mapping", "--address", CUSTOMER)
        vosctl("phone", "add", NUMBER, "--password-file", str(secret))
        vosctl("param", "set", f"SS_SIP_NAT_KEEP_ALIVE_MESSAGE={message}",
               "SS_SIP_NAT_KEEP_ALIVE_PERIOD=10", "SS_SIP_TIMEOUT_INVITE=2")  # fmt: skip
        self.words = self.directory / "phone"
        with secret.open("rb") as password, self.words.open("wb") as said:
            self.phone = subprocess.Popen(
                ["ip", "netns", "exec", home, sys.executable, "-m", "tests.interop.homephone",
                 HOME, str(5060 + place), WORLD, str(self.switch.port), NUMBER],
                stdin=password, stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def said(self) -> list[str]:
        return self.words.read_text("utf-8").split("\n")[:-1]

    def registered(self) -> dict[str, Any]:
        """The phone as `vosctl phone show` has it, once it is registered."""
        deadline = time.monotonic() + 5
        while "registered" not in self.said():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the phone did not register: {self.said()}")
            time.sleep(0.05)
        shown: dict[str, Any] = self.switch.json("phone", "show", NUMBER)["phone"]
        return shown

    def call(self) -> Outcome:
        port = free_port(CUSTOMER)
        sipp = Sipp(self.directory, "uac", host=CUSTOMER, port=port, calls=1, hold_ms=200,
                    remote=self.switch.address, rows=[("4680001", NUMBER, 6000)])  # fmt: skip
        return sipp.wait(6)

    def walk(self, idle_s: float) -> dict[str, Any]:
        """Register, fall silent, be called; what is told of it."""
        shown = self.registered()
        time.sleep(idle_s)
        done = self.call()
        return {
            "address": shown["address"], "nat": shown["nat"],
            "successful": done.successful, "failed": done.failed, "phone": self.said(),
        }  # fmt: skip

    def close(self) -> None:
        self.phone.terminate()
        self.phone.wait()
        self.switch.close()


def main(directory: Path, home: str, idle_s: float, messages: list[str]) -> None:
    def one(place: int) -> dict[str, Any]:
        house = House(directory, home, messages[place], place)
        try:
            return house.walk(idle_s)
        finally:
            house.close()

    with ThreadPoolExecutor(len(messages)) as at_once:
        rows = at_once.map(one, range(len(messages)))
        print(json.dumps(dict(zip(messages, rows, strict=True))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4:])
