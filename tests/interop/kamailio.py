# SPDX-License-Identifier: GPL-2.0-or-later
"""Kamailio as a record-routing proxy between callers, vosd and callees."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.interop.programs import path_of
from tests.interop.sipp import bound

TEMPLATE = Path(__file__).with_name("kamailio.cfg")


class Kamailio:
    """One Kamailio with `words` (@NAME@) filled into its configuration."""

    def __init__(
        self,
        directory: Path,
        host: str,
        port: int,
        words: Mapping[str, object],
        template: Path = TEMPLATE,
    ) -> None:
        directory.mkdir(parents=True)
        text = template.read_text("utf-8")
        for name, value in {"HOST": host, "PORT": port, "TRANSPORT": "udp", **words}.items():
            text = text.replace(f"@{name}@", str(value))
        (directory / "kamailio.cfg").write_text(text, "utf-8")
        program = path_of("kamailio")
        assert program is not None
        where = str(directory)
        self.log = directory / "log"
        self.process = subprocess.Popen(
            [program, "-DD", "-E", "-f", f"{where}/kamailio.cfg", "-m", "32", "-M", "4",
             "-Y", where, "-w", where],
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        deadline = time.monotonic() + 5
        while not bound(host, port, words.get("TRANSPORT") == "tcp"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"kamailio did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def close(self) -> None:
        """The main process ends its own children."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
