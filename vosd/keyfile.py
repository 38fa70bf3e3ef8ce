# SPDX-License-Identifier: GPL-2.0-or-later
"""A TOML file whose mistakes are told by file, line and key, in our own words."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import tomli

#: what would be accepted instead of a text; None when the text is
Check: TypeAlias = Callable[[str], str | None]
#: table -> key -> check; "" is the top level
Keys: TypeAlias = Mapping[str, Mapping[str, Check]]

#: octets; a hundred times what a file with every key holds
LARGEST = 1 << 20
#: problems told at once
SHOWN = 20
_HEADER = re.compile(r"\[\[([\w.\-\"' ]+)\]\]|\[([\w.\-\"' ]+)\]")


class ConfigError(Exception):
    """The file cannot be used; one sentence a line, each naming file, line and key."""


class KeyFile:
    """The values of the file, where each stands, and what was found wrong with them.

    A place is a key's path: "node", "log.level", "listen[1].address".
    """

    def __init__(self, path: Path, keys: Keys) -> None:
        """Read `path`; ConfigError when it is not to be read or no TOML."""
        self._path = path
        self._keys = keys
        text = _text(path)
        self._lines: dict[str, int] = {}
        for number, place in _places(text):
            self._lines.setdefault(place, number)
        self.values = self._parsed(text)
        self._problems: list[tuple[int, str]] = []

    def table(self, name: str) -> dict[str, Any]:
        """The table called `name`, empty when there is none or it is none."""
        value = self.values.get(name, {})
        if isinstance(value, dict):
            return value
        self.refuse(name, f"{name} = {shown(value)}, accepted is a table [{name}]")
        return {}

    def good(self, table: str, given: Mapping[str, Any], place: str) -> dict[str, str]:
        """Those of the `given` values of a table that its checks accept; others are refused."""
        good = {}
        for key, value in given.items():
            if len(self._problems) > SHOWN:
                break
            at = f"{place}.{key}" if place else key
            check = self._keys[table].get(key)
            if check is None:
                self.refuse(at, self._unknown(table, key))
            elif not isinstance(value, str):
                self.refuse(at, f"{key} = {shown(value)}, accepted is text in double quotes")
            elif accepted := check(value):
                self.refuse(at, f"{key} = {shown(value)}, accepted is {accepted}")
            else:
                good[key] = value
        return good

    def _unknown(self, table: str, key: str) -> str:
        what = f"there is no key {shown(key)}" + (f" in [{table}]" if table else "")
        for home in self._keys:
            if key in self._keys[home]:
                place = f"in [{home}]" if home else "above the first [TABLE]"
                return f"{what}, accepted is {key} {place}"
        known = [*self._keys[table], *([] if table else filter(None, self._keys))]
        near = difflib.get_close_matches(key[:80], known, 1)
        return f"{what}, accepted is {near[0] if near else ', '.join(known)}"

    def line(self, place: str) -> int:
        """The line of the key, or of the table that holds it; 0 when it is nowhere."""
        while place and place not in self._lines:
            place = place[: max(place.rfind("."), place.rfind("["), 0)]
        return self._lines.get(place, 0)

    def refuse(self, place: str, problem: str) -> None:
        """Keep a problem of the key at `place` for `finish`."""
        line = self.line(place)
        where = f" line {line}" if line else ""
        self._problems.append((line, f"cannot use {self._path}{where}: {problem}"))

    def finish(self) -> None:
        """ConfigError with every problem, in the order of the file; nothing when there is none."""
        if not self._problems:
            return
        told = [text for _, text in sorted(self._problems, key=lambda row: row[0])]
        if len(told) > SHOWN:
            told[SHOWN:] = [f"cannot use {self._path}: there are more problems than these {SHOWN}"]
        raise ConfigError("\n".join(told))

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            return tomli.loads(text)
        except tomli.TOMLDecodeError as error:
            raise ConfigError(self._syntax(text, error.lineno, error.colno)) from None
        except (RecursionError, ValueError):
            raise ConfigError(
                f"cannot read {self._path}: a value is nested too deeply or a number too long, "
                "accepted is text, [TABLE] and [[TABLE]]"
            ) from None

    def _syntax(self, text: str, line: int, column: int) -> str:
        where = f"cannot read {self._path} line {line} column {column}"
        for number, place in _places(text):
            first = self._lines[place]
            if first < number == line:
                return f"{where}: {place} stands on line {first} already, accepted is once"
        source = shown(text.split("\n")[line - 1].strip())
        return (
            f"{where}: {source} is not TOML, accepted is KEY = \"VALUE\", [TABLE], [[TABLE]] and "
            "# before a comment"
        )


def shown(value: object) -> str:
    """A value as the file writes it, short enough for a sentence, without a password."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list" if value else "[]"
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = re.sub(r"(?<=://)[^/]*@", "***@", text)
    return text if len(text) <= 80 else f"{text[:76]}...\""


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {reason(error)}, accepted is the path of a file"
        ) from None
    if len(data) > LARGEST:
        raise ConfigError(
            f"cannot read {path}: it is larger than {LARGEST} octets, accepted is a file of "
            "vosd.toml(5)"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"cannot read {path} line {line}: octet {data[error.start]:#04x} is not UTF-8, "
            "accepted is text in UTF-8"
        ) from None


def reason(error: OSError) -> str:
    """Why a file cannot be read, for a sentence."""
    return {
        FileNotFoundError: "there is no such file",
        IsADirectoryError: "it is a directory",
        PermissionError: "this user may not read it",
    }.get(type(error), error.strerror or "it cannot be opened")


def _places(text: str) -> Iterator[tuple[int, str]]:
    """Line and place of every table and key.

    Keys inside a value (an inline table, an array) are not seen: `line` then finds their holder.
    """
    count: Counter[str] = Counter()
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        head = line.partition("#")[0].strip()
        if header := _HEADER.fullmatch(head):
            name = _bare(header[1] or header[2])
            yield number, name
            if header[1]:
                count[name] += 1
                name = f"{name}[{count[name] - 1}]"
                yield number, name
            table = f"{name}."
        elif "=" in head:
            yield number, table + _bare(head.partition("=")[0])


def _bare(key: str) -> str:
    return re.sub(r"[\s\"']", "", key)
