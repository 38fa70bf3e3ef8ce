# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU per relayed packet: vosd's userspace relay beside rtpengine in userspace.

    bench/relay [--streams 200 400] [--repeat 3] [--seconds 4]

Both relays run in turn (A B A B) on this machine's loopback under the same load: G.711, 20 ms,
half of the streams from each party. CPU is the relay process's own, all threads, from the
scheduler (schedstat), over the packets it forwarded; packets are counted at both ends. "no core"
is the time a relay's threads were ready to run and had to wait: with loss it tells a machine
that is too busy from a relay that is too slow. Needs rtpengine (Debian: rtpengine-daemon) and a
C compiler for the load generator.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
PARTY_A, PARTY_B = 9000, 9002
WARM_S = 1.0
#: rtpengine answers within this, or is not going to
START_S = 10.0


class Run(NamedTuple):
    relay: str
    streams: int
    #: while measured: CPU per packet forwarded, and the share of time the relay could have run
    #: and no core was free
    cpu_us: float
    waited: float
    #: over the whole run, from first to last packet
    sent: int
    received: int


class Relay(NamedTuple):
    pid: int
    #: ports of party A and party B for each call
    pairs: list[tuple[int, int]]


def serve(calls: int) -> None:
    """Be vosd's relay: print the ports of `calls` sessions, run until standard input ends."""
    from vosd.media.session import MediaConfig, MediaEngine
    from vosd.media.userspace import UserspaceRelay

    loop = asyncio.new_event_loop()
    relay = UserspaceRelay()
    relay.attach(loop)
    config = MediaConfig(advertise_v4=HOST, port_start=20000, port_end=29999)
    engine = MediaEngine(config, relay, time.time, time.monotonic, lambda *_: None, Random(1))
    now = time.monotonic()
    for number in range(calls):
        session = engine.open(str(number), 4, 4, now)
        for side, port in ((session.a, PARTY_A), (session.b, PARTY_B)):
            side.aim((HOST, port), None, nat=False, direction="sendrecv", clock_rates={}, now=now)
            side.expect_media(now)
        print(session.a.local[1], session.b.local[1])
    print("ready", flush=True)

    def tick() -> None:
        engine.tick(time.monotonic())
        loop.call_later(1.0, tick)

    tick()
    loop.add_reader(sys.stdin.fileno(), loop.stop)
    loop.run_forever()


@contextmanager
def vosd(calls: int) -> Iterator[Relay]:
    command = [sys.executable, "-m", "bench.relay_main", "--serve", str(calls)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        pairs = []
        while (line := process.stdout.readline()) and line != "ready\n":
            a, b = line.split()
            pairs.append((int(a), int(b)))
        try:
            yield Relay(process.pid, pairs)
        finally:
            process.stdin.close()
            process.wait(START_S)


@contextmanager
def rtpengine(calls: int) -> Iterator[Relay]:
    binary = shutil.which("rtpengine", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if binary is None:
        sys.exit("cannot compare: rtpengine is not installed (Debian: rtpengine-daemon)")
    with tempfile.TemporaryDirectory() as home:
        control = Control()
        command = [
            binary,
            "--config-file=none",
            "--table=-1",
            "--foreground",
            "--log-stderr",
            "--log-level=2",
            f"--interface={HOST}",
            f"--listen-ng={HOST}:{control.port}",
            "--port-min=20000",
            "--port-max=29999",
            f"--pidfile={home}/pid",
        ]
        with subprocess.Popen(
            command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                control.wait()
                yield Relay(process.pid, [control.call(number) for number in range(calls)])
            finally:
                process.terminate()
                process.wait(START_S)


class Control:
    """As much of rtpengine's ng protocol (a cookie and a bencoded dictionary) as a call needs."""

    def __init__(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.5)
        self._cookie = 0

    def wait(self) -> None:
        ends = time.monotonic() + START_S
        while time.monotonic() < ends:
            try:
                self._ask(command="ping")
                return
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(0.05)
        sys.exit(f"cannot compare: rtpengine does not answer within {START_S:.0f} s")

    def call(self, number: int) -> tuple[int, int]:
        names = {"call-id": f"c{number}", "from-tag": f"a{number}"}
        port_b = self._media("offer", PARTY_A, names)
        port_a = self._media("answer", PARTY_B, names | {"to-tag": f"b{number}"})
        return port_a, port_b

    def _media(self, command: str, port: int, names: dict[str, str]) -> int:
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\na=sendrecv\r\n"
        )
        reply = self._ask(command=command, sdp=sdp, ICE="remove", **names)
        return int(reply.split(b"m=audio ")[1].split()[0])

    def _ask(self, **fields: str) -> bytes:
        self._cookie += 1
        body = "".join(
            f"{len(text)}:{text}" for key in sorted(fields) for text in (key, fields[key])
        )
        self._socket.sendto(f"{self._cookie} d{body}e".encode(), (HOST, self.port))
        return self._socket.recv(65535)


def scheduled(pid: int) -> tuple[int, int]:
    """Nanoseconds the process ran and waited for a core, all its threads."""
    ran = waited = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "schedstat").read_text().split()
        ran, waited = ran + int(fields[0]), waited + int(fields[1])
    return ran, waited


def measure(name: str, streams: int, load: Path, seconds: float) -> Run:
    peer = {"vosd": vosd, "rtpengine": rtpengine}[name]
    with peer(streams // 2) as relay:
        command = [str(load), HOST, str(WARM_S), str(seconds), str(PARTY_A), str(PARTY_B)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as generator:
            assert generator.stdin
            assert generator.stdout
            generator.stdin.write("".join(f"{a} {b}\n" for a, b in relay.pairs))
            generator.stdin.close()
            _, warm = map(int, generator.stdout.readline().split())
            before = scheduled(relay.pid)
            sent, received = map(int, generator.stdout.readline().split())
            after = scheduled(relay.pid)
        cpu_us = (after[0] - before[0]) / 1000 / (received - warm)
        waited = (after[1] - before[1]) / 1e9 / seconds
        return Run(name, streams, cpu_us, waited, sent, received)


def build(directory: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("cannot measure: the load generator needs a C compiler (cc)")
    load = directory / "rtp_load"
    subprocess.run([compiler, "-O2", "-o", str(load), str(HERE / "rtp_load.c")], check=True)
    return load


def report(runs: list[Run], streams: int, seconds: float) -> None:
    print(f"\n{streams} streams, {streams * 50} packets/s, {seconds:g} s a run")
    print("relay      µs/packet  all runs                 sent  received   lost %  no core %")
    medians = {}
    for name in ("vosd", "rtpengine"):
        mine = [run for run in runs if (run.relay, run.streams) == (name, streams)]
        medians[name] = statistics.median(run.cpu_us for run in mine)
        sent, received = sum(run.sent for run in mine), sum(run.received for run in mine)
        each = " ".join(f"{run.cpu_us:.1f}" for run in mine)
        print(
            f"{name:<11}{medians[name]:>9.1f}  {each:<19}{sent:>10}{received:>10}"
            f"{100 * (sent - received) / sent:>9.3f}"
            f"{100 * statistics.median(run.waited for run in mine):>11.1f}"
        )
    print(f"vosd / rtpengine = {medians['vosd'] / medians['rtpengine']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU per relayed packet, beside rtpengine")
    parser.add_argument("--streams", type=int, nargs="+", default=[200, 400])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    runs = []
    with tempfile.TemporaryDirectory() as directory:
        load = build(Path(directory))
        for streams in options.streams:
            for _ in range(options.repeat):
                for name in ("vosd", "rtpengine"):
                    runs.append(measure(name, streams, load, options.seconds))
            report(runs, streams, options.seconds)


if __name__ == "__main__":
    main()
