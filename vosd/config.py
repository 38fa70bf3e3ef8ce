# SPDX-License-Identifier: GPL-2.0-or-later
"""`vosd.toml`: only what must be known before the store opens. Every key has a default."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from pathlib import Path
from typing import Any

import msgspec
import tomli

TRANSPORTS = ("udp",)
LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")
_ADDRESS = re.compile(r"^(?:\[(?P<v6>[0-9a-fA-F:.%\w]+)\]|(?P<v4>[0-9.]+))(?::(?P<port>\d+))?$")
_DEFAULT_PORT = 5060


class ConfigError(Exception):
    """The file cannot be used; the text names file, key and line."""


class Listen(msgspec.Struct, forbid_unknown_fields=True):
    address: str
    transport: str = "udp"


class Log(msgspec.Struct, forbid_unknown_fields=True):
    level: str = "info"
    format: str = "text"


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """The file's keys (cli.md, vosd.toml); empty text stands for the default."""

    node: str = ""
    state_dir: str = ""
    control_socket: str = ""
    database_url: str = ""
    media_address: str = ""
    listen: list[Listen] = []
    log: Log = msgspec.field(default_factory=Log)

    def listens(self) -> list[tuple[str, int]]:
        """Host and port of every listening socket."""
        return [split_address(row.address) for row in self.listen]


def split_address(text: str) -> tuple[str, int]:
    """Host and port of "203.0.113.5:5060" or "[2001:db8::5]"; ValueError when it is neither."""
    match = _ADDRESS.match(text)
    port = int(match["port"] or _DEFAULT_PORT) if match else -1
    if match is None or not 0 <= port <= 65535:
        raise ValueError(
            f"cannot listen on {text!r}: give an IP address and port, for instance "
            "203.0.113.5:5060 or [2001:db8::5]:5060"
        )
    host = match["v6"] or match["v4"]
    family = socket.AF_INET6 if match["v6"] else socket.AF_INET
    try:
        socket.inet_pton(family, host.partition("%")[0])
    except OSError:
        raise ValueError(f"cannot listen on {text!r}: {host!r} is no IP address") from None
    return host, port


def load(path: Path | None) -> Config:
    """Read and check the file, or take the defaults; ConfigError when it cannot be used."""
    config = _read(path) if path is not None else Config()
    return _with_defaults(config)


def _read(path: Path) -> Config:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
    try:
        raw = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
    return _checked(path, text, raw)


def _checked(path: Path, text: str, raw: dict[str, Any]) -> Config:
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        key = _key_of(str(error))
        raise ConfigError(f"cannot use {path}{_line(text, key)}: {error}") from None
    for row in config.listen:
        _check_listen(path, text, row)
    if config.media_address and not _is_address(config.media_address):
        raise ConfigError(
            f"cannot use {path}{_line(text, 'media_address')}: media_address = "
            f"{config.media_address!r} is no IP address, for instance 203.0.113.5"
        )
    _one_of(path, text, "level", config.log.level, LEVELS)
    _one_of(path, text, "format", config.log.format, FORMATS)
    return config


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _check_listen(path: Path, text: str, row: Listen) -> None:
    try:
        split_address(row.address)
    except ValueError as error:
        raise ConfigError(f"cannot use {path}{_line(text, row.address)}: {error}") from None
    _one_of(path, text, "transport", row.transport, TRANSPORTS)


def _one_of(path: Path, text: str, key: str, value: str, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise ConfigError(
            f"cannot use {path}{_line(text, value)}: {key} = {value!r}, "
            f"accepted is {', '.join(accepted)}"
        )


def _key_of(message: str) -> str:
    """The key a validation message is about: an unknown field, or the last step of its path."""
    unknown = re.search(r"unknown field `([^`]+)`", message)
    if unknown:
        return unknown[1]
    at = re.search(r"at `\$\.?([^`]*)`", message)
    return at[1].split(".")[-1].rstrip("[].0123456789") if at else ""


def _line(text: str, word: str) -> str:
    """ " line N" where `word` first stands as a key or value, or nothing."""
    for number, line in enumerate(text.splitlines(), 1):
        if word and re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", line.partition("#")[0]):
            return f" line {number}"
    return ""


def _with_defaults(config: Config) -> Config:
    state, run = default_dirs()
    config.node = config.node or socket.gethostname()
    config.state_dir = config.state_dir or str(state)
    config.control_socket = config.control_socket or str(run / "control.sock")
    config.database_url = config.database_url or f"sqlite:///{config.state_dir}/vosd.db"
    config.listen = config.listen or [Listen(address="0.0.0.0:5060")]
    return config


def default_dirs() -> tuple[Path, Path]:
    """State and runtime directory: the system's as root, XDG's otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/vosd"), Path("/run/vosd")
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "vosd"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return state, Path(runtime) / "vosd" if runtime else state
