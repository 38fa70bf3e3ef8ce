# SPDX-License-Identifier: GPL-2.0-or-later
"""`vosd.toml`: only what must be known before the store opens. Every key has a default."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from vosd.keyfile import ConfigError, KeyFile, shown
from vosd.keys import KEYS, bad_pair, split_address

__all__ = ["Config", "ConfigError", "Listening", "Tls", "default_dirs", "load"]

#: more is no configuration but an accident
_SOCKETS = 256


class Listen(msgspec.Struct):
    address: str
    transport: str = "udp"


class Tls(msgspec.Struct, frozen=True):
    """Paths of PEM files; `authorities` None stands for the system's."""

    certificate: str
    private_key: str
    authorities: str | None = None


class Log(msgspec.Struct):
    level: str = "info"
    format: str = "text"


class Listening(msgspec.Struct, frozen=True):
    """One socket SIP is taken on: udp, tcp or tls, an IP literal, a port."""

    transport: str
    host: str
    port: int

    @classmethod
    def of(cls, address: str, transport: str = "udp") -> Listening:
        return cls(transport, *split_address(address, transport))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}/{self.transport}"

    def takes(self, other: Listening) -> bool:
        """Whether the system would refuse `other` beside this one."""
        hosts = {self.host, other.host}
        return (
            self.port == other.port
            and (self.transport == "udp") == (other.transport == "udp")
            and (":" in self.host) == (":" in other.host)
            and (len(hosts) == 1 or not hosts.isdisjoint({"0.0.0.0", "::"}))
        )


class Config(msgspec.Struct):
    """The file's keys (vosd.toml(5)); empty text stands for the default."""

    node: str = ""
    state_dir: str = ""
    control_socket: str = ""
    database_url: str = ""
    media_address: str = ""
    listen: list[Listen] = []
    tls: Tls | None = None
    log: Log = msgspec.field(default_factory=Log)

    def listens(self) -> list[Listening]:
        """Every listening socket, in the order of the file."""
        return [Listening.of(row.address, row.transport) for row in self.listen]

    def missing(self) -> list[str]:
        """What does not exist yet and is made at start, a sentence each."""
        paths = {
            "state_dir": Path(self.state_dir),
            "the database": Path(self.database_url.removeprefix("sqlite:///")),
            "the directory of control_socket": Path(self.control_socket).parent,
        }
        return [
            f"{what} {path} does not exist: vosd makes it when it starts"
            for what, path in paths.items() if not os.path.exists(path)
        ]  # fmt: skip

    def doubts(self) -> list[str]:
        """What can be meant but rarely is, a sentence each."""
        version = 6 if ":" in self.media_address else 4
        families = {6 if ":" in listen.host else 4 for listen in self.listens()}
        if not self.media_address or version in families:
            return []
        return [
            f"media_address = {shown(self.media_address)} is IPv{version} and every listen address"
            f" is IPv{10 - version}: IPv{10 - version} audio is told the listen address; give the"
            f" IPv{10 - version} address there, or a [[listen]] of IPv{version}"
        ]


def load(path: Path | None) -> Config:
    """Read and check the file, or take the defaults; ConfigError when it cannot be used.

    Nothing is created.
    """
    config = _checked(KeyFile(path, KEYS)) if path is not None else Config()
    return _with_defaults(config)


def _checked(file: KeyFile) -> Config:
    good: dict[str, Any] = dict(file.good("", _top(file.values), ""))
    good["log"] = file.good("log", file.table("log"), "log")
    good["tls"] = file.good("tls", file.table("tls"), "tls")
    good["listen"] = _listens(file)
    _check_tls(file, good["tls"])
    file.finish()
    return msgspec.convert(good | {"tls": good["tls"] or None}, Config)


def _top(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in KEYS}


def _listens(file: KeyFile) -> list[dict[str, str]]:
    rows = file.values.get("listen")
    if rows is None:
        return []
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        file.refuse("listen", f"listen = {shown(rows)}, accepted is a table [[listen]] per socket")
        return []
    if len(rows) > _SOCKETS:
        file.refuse("listen", f"{len(rows)} [[listen]] tables, accepted is at most {_SOCKETS}")
        return []
    good = []
    taken: dict[Listening, int] = {}
    for number, row in enumerate(rows):
        place = f"listen[{number}]"
        values = file.good("listen", row, place)
        if "address" not in row:
            file.refuse(place, "[[listen]] has no address, accepted is an IP address and port")
        if values.keys() >= row.keys() | {"address"}:
            _check_free(file, f"{place}.address", Listening.of(**values), taken)
            good.append(values)
    return good


def _check_free(
    file: KeyFile, place: str, listening: Listening, taken: dict[Listening, int]
) -> None:
    for other, line in taken.items():
        if other.takes(listening):
            file.refuse(place, f"address = \"{listening}\" is taken by {other} of line {line},"
                        " accepted is another port or address")  # fmt: skip
            return
    taken[listening] = file.line(place)


def _check_tls(file: KeyFile, good: Mapping[str, str]) -> None:
    given = file.values.get("tls")
    pair = ("certificate", "private_key")
    if given is None:
        listens = file.values.get("listen")
        for number, row in enumerate(listens if isinstance(listens, list) else ()):
            if isinstance(row, dict) and row.get("transport") == "tls":
                file.refuse(
                    f"listen[{number}].transport", 'transport = "tls" has no certificate, accepted'
                    " is a table [tls] with certificate and private_key")  # fmt: skip
    elif isinstance(given, dict):
        for key in pair:
            if key not in given:
                file.refuse("tls", f"[tls] has no {key}, accepted is a certificate and its"
                            " private_key")  # fmt: skip
        if good.keys() >= given.keys() | set(pair) and (wrong := bad_pair(**good)):
            key, accepted = wrong
            file.refuse(f"tls.{key}", f"{key} = {shown(good[key])}, accepted is {accepted}")


def _with_defaults(config: Config) -> Config:
    state, run = default_dirs()
    config.node = config.node or socket.gethostname()
    config.state_dir = config.state_dir or str(state)
    config.control_socket = config.control_socket or str(run / "control.sock")
    config.database_url = config.database_url or f"sqlite:///{config.state_dir}/vosd.db"
    config.listen = config.listen or [Listen(address="0.0.0.0:5060")]
    return config


def default_dirs() -> tuple[Path, Path]:
    """State and runtime directory: systemd.exec(5)'s, else the system's as root, else XDG's."""
    state, run = (os.environ.get(f"{name}_DIRECTORY") for name in ("STATE", "RUNTIME"))
    if state and run:
        return Path(state.partition(":")[0]), Path(run.partition(":")[0])
    if os.geteuid() == 0:
        return Path("/var/lib/vosd"), Path("/run/vosd")
    own = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "vosd"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return own, Path(runtime) / "vosd" if runtime else own
