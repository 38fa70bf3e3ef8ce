# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: vosd, sippy's b2bua_simple, Kamailio, and nothing at all between two sipps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from script.private_switch import PrivateSwitch
from tests.interop.programs import path_of
from tests.interop.sipp import bound

HOST = "127.0.0.1"
CALLER, CALLEE = "127.0.0.2", "127.0.0.3"
#: below vosd's RTP range and the system's ephemeral one
PORT, CALLER_PORT, GUEST_PORT, CALLEE_PORT = 5960, 5970, 5972, 5980
SIPPY = "sippy==2.5.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vosd-bench"


class Peer:
    """A switch on HOST that sends every INVITE on to CALLEE:CALLEE_PORT."""

    name = "none (sipp to sipp)"
    #: calls a second the search for capacity begins with
    guess = 400
    address = f"{CALLEE}:{CALLEE_PORT}"

    def start(self, directory: Path) -> None:
        """Become ready to switch calls."""

    def stop(self) -> None:
        """End every process started."""

    def pids(self) -> list[int]:
        return []


class Process(Peer):
    """A peer that is one command and its children."""

    address = f"{HOST}:{PORT}"
    process: subprocess.Popen[bytes]

    def command(self, directory: Path) -> Sequence[str]:
        raise NotImplementedError

    def start(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        log = directory / "log"
        self.process = subprocess.Popen(
            self.command(directory),
            cwd=directory,
            env=os.environ | {"SIPLOG_BEND": "none"},
            stdin=subprocess.DEVNULL,
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 10
        while not bound(HOST, PORT):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        time.sleep(1)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]


class Sippy(Process):
    name = "sippy b2bua_simple"
    guess = 80

    def command(self, directory: Path) -> Sequence[str]:
        callee = f"{CALLEE}:{CALLEE_PORT}"
        program = str(_sippy_venv() / "bin" / "b2bua_simple")
        return [program, "-f", "-l", HOST, "-p", str(PORT), "-n", callee]


class Kamailio(Process):
    name = "kamailio tlsf (proxy)"
    guess = 900

    def command(self, directory: Path) -> Sequence[str]:
        text = Path(__file__).with_name("kamailio.cfg").read_text("utf-8")
        words = {"HOST": HOST, "PORT": PORT, "CALLEE": f"{CALLEE}:{CALLEE_PORT}"}
        for name, value in words.items():
            text = text.replace(f"@{name}@", str(value))
        (directory / "kamailio.cfg").write_text(text, "utf-8")
        program = path_of("kamailio") or "kamailio"
        where = str(directory)
        return [program, "-DD", "-E", "-x", "tlsf", "-X", "tlsf", "-m", "1024", "-M", "16",
                "-f", "kamailio.cfg", "-Y", where, "-w", where]  # fmt: skip


class Vosd(Peer):
    """Records written; `media` is SS_MEDIAPROXYMODE."""

    name = "vosd"
    guess = 200
    address = f"{HOST}:{PORT}"

    def __init__(self, media: str = "must_on") -> None:
        self._media = media
        if media != "must_on":
            self.name = f"vosd (media {media})"

    def start(self, directory: Path) -> None:
        self.switch = PrivateSwitch(directory, node="bench", port=PORT)
        self.switch.start()
        self.switch.vosctl("gateway", "add", "caller", "--kind", "mapping",
                           "--address", f"{CALLER}:{CALLER_PORT}", "--auth", "ip")  # fmt: skip
        self.switch.vosctl("gateway", "add", "callee", "--kind", "routing",
                           "--address", f"{CALLEE}:{CALLEE_PORT}", "--prefix", "44")  # fmt: skip
        self.switch.vosctl("param", "set", f"SS_MEDIAPROXYMODE={self._media}", "SS_RTP_TIMEOUT=off")

    def stop(self) -> None:
        self.switch.close()

    def pids(self) -> list[int]:
        return [self.switch.pid]

    def records(self) -> int:
        """How many records of answered calls stand in the store."""
        rows = self.switch.json("cdr", "list", "--limit", "1000000")["records"]
        return sum(row["answered_at"] is not None for row in rows)


def _sippy_venv() -> Path:
    """sippy in a virtual environment of its own, kept between runs."""
    where = CACHE / SIPPY.replace("==", "-")
    if not (where / "bin" / "b2bua_simple").exists():
        print(f"bench: installing {SIPPY} into {where}", file=sys.stderr)
        shutil.rmtree(where, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(where)], check=True)
        subprocess.run(
            [str(where / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", SIPPY],
            check=True,
        )
    return where


PEERS: dict[str, type[Peer]] = {"none": Peer, "vosd": Vosd, "sippy": Sippy, "kamailio": Kamailio}


def make(name: str) -> Peer:
    """A peer by name; `vosd-off` is vosd with the media proxy off, as the others run."""
    return Vosd("off") if name == "vosd-off" else PEERS[name]()
