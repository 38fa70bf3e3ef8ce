# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends the torture files to a vosd of its own and prints what came back: DIRECTORY TORTURE ROUNDS.

Runs in a network namespace, beside `test_torture`. Replies without rport go to the port of the top
Via, so the sender binds that. A reply that is due ends the wait; silence takes a fifth of a second.
"""

from __future__ import annotations

import csv
import re
import socket
import sys
import time
from pathlib import Path

from script.private_switch import PrivateSwitch

SENDER, VENDOR = "127.0.0.2", "127.0.0.3"
SILENCE_S, PATIENCE_S = 0.2, 2.0
#: longer than 64 T1 and the wait for a vendor who does not answer (RFC 3261 timers F, H, J)
FORGOTTEN_S = 45.0
#: rounds that may be remembered at a time, and those after which every cache is full
BURST, WARM = 100, 600
_port = re.compile(rb"/[ \t]*\w+[ \t\r\n]+(?:\[[^\]]*\]|[^\s:;,]+)[ \t]*:[ \t]*(\d+)").search
_via = re.compile(rb"^(?:via|v)[ \t]*:((?:.|\r\n[ \t])*)", re.I | re.M).search
_call_id = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*(\S+)", re.I | re.M).search
_call_id_name = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*", re.I | re.M)
PING = (
    b"OPTIONS sip:ping@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bKp%d;rport\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:ping@127.0.0.2>;tag=1\r\nTo: <sip:ping@127.0.0.1>\r\n"
    b"Call-ID: ping%d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


class Sender:
    """Asks the switch, one message at a time."""

    def __init__(self, switch: tuple[str, int]) -> None:
        self.switch = switch
        self.pings = 0

    def ask(self, data: bytes, wait_s: float) -> list[str]:
        """Codes of the replies that belong to `data`, up to a final one."""
        via = _via(data)
        port = _port(via[1]) if via and not data.startswith(b"SIP/") else None
        mine = _call_id(data)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((SENDER, int(port[1]) if port else 5060))
            sender.sendto(data, self.switch)
            return self._listen(sender, mine[1] if mine else b"", wait_s)

    def _listen(self, sender: socket.socket, mine: bytes, wait_s: float) -> list[str]:
        codes: list[str] = []
        end = time.monotonic() + wait_s
        while (left := end - time.monotonic()) > 0:
            sender.settimeout(left)
            try:
                reply = sender.recv(65535)
            except TimeoutError:
                break
            if mine in reply and reply.startswith(b"SIP/2.0 "):
                codes.append(reply[8:11].decode())
                if codes[-1][0] != "1":
                    break
        return codes

    def alive(self) -> str:
        """The code of an OPTIONS, "" for none: once answered, all before it was taken."""
        self.pings += 1
        return " ".join(self.ask(PING % (self.pings, self.pings), PATIENCE_S))


def resident_kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", text)[0])


def main(directory: Path, torture: Path, rounds: int) -> None:
    with (torture / "index.csv").open(newline="") as index:
        files = [row["file"] for row in csv.DictReader(index)]
    switch = PrivateSwitch(directory, port=5070)
    switch.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as vendor:
        vendor.bind((VENDOR, 5080))
        try:
            switch.vosctl("gateway", "add", "sender", "--kind", "mapping",
                          "--address", f"{SENDER}:5060", "--auth", "ip")  # fmt: skip
            switch.vosctl("gateway", "add", "hole", "--kind", "routing",
                          "--address", f"{VENDOR}:5080", "--prefix", "")  # fmt: skip
            _replay(switch, {file: (torture / file).read_bytes() for file in files}, rounds)
        finally:
            switch.close()
    print("astray", Path("/sys/class/net/dead/statistics/tx_packets").read_text().strip(), sep="\t")
    print("log", switch.tail(1000).replace("\n", " | ").replace("\t", " "), sep="\t")


def _replay(switch: PrivateSwitch, messages: dict[str, bytes], rounds: int) -> None:
    sender = Sender(switch.listens[0])
    for file, data in messages.items():
        print(file, " ".join(sender.ask(data, SILENCE_S)), sep="\t")
    warm = min(rounds, WARM)
    _again(sender, messages, range(2, warm + 1))
    before = resident_kib(switch.pid)
    _again(sender, messages, range(warm + 1, rounds + 1))
    print("alive", sender.alive(), sep="\t")
    print("grown_kib", resident_kib(switch.pid) - before, sep="\t")


def _again(sender: Sender, messages: dict[str, bytes], rounds: range) -> None:
    """Each message as new; each BURST, wait until what the switch remembers of it is gone."""
    for done in rounds:
        if done % BURST == 0:
            time.sleep(FORGOTTEN_S)
        for data in messages.values():
            tail = b"%d." % done
            data = data.replace(b"branch=z9hG4bK", b"branch=z9hG4bK" + tail)
            sender.ask(_call_id_name.sub(rb"\g<0>" + tail, data), 0.0)
        sender.alive()
    if rounds:
        time.sleep(FORGOTTEN_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
