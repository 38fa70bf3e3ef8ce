# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows the database did not take before the end, in a file until the next start writes them.

A full disk must not refuse that file, so its blocks are allocated beforehand, as the reserve.
Rows are written over the reserve, and only once they are on disk it takes the spool's name: a
spool is whole or not there. One row a line: CRC-32 of the rest in hex, a space, JSON with named
fields. A damaged line costs that line only. Every row has a key, so reading it twice is harmless.
"""

from __future__ import annotations

import logging
import os
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypeVar

import msgspec

from vosd.switch.tables import Binding
from vosd.wire.records import Cdr

log = logging.getLogger(__name__)

T = TypeVar("T", bound=msgspec.Struct)


class Opened(msgspec.Struct, tag="opened"):
    """The row of an answered call."""

    row: Cdr


class Closed(msgspec.Struct, tag="closed"):
    """A final row."""

    row: Cdr
    evidence: bytes | None


class Alive(msgspec.Struct, tag="alive"):
    """A proof of life, Unix seconds."""

    id: str
    at: float


class Withdrawn(msgspec.Struct, tag="withdrawn"):
    """An open row to forget."""

    id: str


class Bound(msgspec.Struct, tag="bound"):
    """A registration."""

    binding: Binding


class Unbound(msgspec.Struct, tag="unbound"):
    """The end of a registration."""

    number: str
    contact: str


Entry: TypeAlias = Opened | Closed | Alive | Withdrawn | Bound | Unbound

_DECODER: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)
_PRIVATE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Spool:
    """The file at `path`, and the reserve it is made of beside it. The state lock guards both."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reserve = path.with_name(path.name + ".reserve")

    def allocate(self, size: int) -> None:
        """See that a reserve of `size` bytes is there; without it a full disk may cost rows."""
        try:
            with open(os.open(self._reserve, _PRIVATE, 0o600), "r+b") as file:
                if os.fstat(file.fileno()).st_size < size:
                    os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            self._reserve.unlink(missing_ok=True)
            log.warning(
                "cannot set %d bytes aside in %s: %s; a stop while the disk is full may lose "
                "records, free the disk and restart",
                size,
                self._reserve,
                error.strerror,
            )

    def keep(self, entries: Iterable[Entry]) -> None:
        """Write `entries` for the next start. What cannot be kept goes to the log, whole.

        Final rows go first; evidence is left out when it does not fit.
        """
        ordered = sorted(entries, key=lambda entry: not isinstance(entry, Closed))
        try:
            kept = self._write(ordered)
        except OSError as error:
            log.critical("cannot write %s: %s", self._reserve, error.strerror)
            kept = 0
        if kept:
            log.warning("%d rows not stored: kept in %s for the next start", kept, self.path)
        for entry in ordered[kept:]:
            log.critical("cannot keep a row for the next start: %r", entry)

    def _write(self, entries: Sequence[Entry]) -> int:
        """Make the spool of the first so many of `entries`; how many found room."""
        with open(os.open(self._reserve, _PRIVATE, 0o600), "r+b", buffering=0) as file:
            kept = _fill(file, entries)
            if kept < len(entries):
                log.error("cannot keep the evidence of calls in %s: no room", self._reserve)
                kept = _fill(file, [_bare(entry) for entry in entries])
            file.truncate()
            os.fsync(file.fileno())
        os.replace(self._reserve, self.path)
        _sync(self.path.parent)
        return kept

    def read(self) -> tuple[list[Entry], int]:
        """What the last run left, and how many lines cannot be read."""
        try:
            with open(os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            log.error("cannot read %s: %s", self.path, error.strerror)
            return [], 1
        read = [_entry(line) for line in lines]
        entries = [entry for entry in read if entry is not None]
        return entries, len(read) - len(entries)

    def finish(self, durable: int, useless: int) -> None:
        """So many rows are in the database now: remove the file, or set it aside for people when
        some rows were of no use."""
        if durable:
            log.warning("%d rows the last run could not store: taken from %s", durable, self.path)
        try:
            if useless:
                self._set_aside(useless)
            else:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            log.error("cannot remove %s: %s; remove it by hand", self.path, error.strerror)

    def _set_aside(self, useless: int) -> None:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists():
            number += 1
        os.rename(self.path, aside)
        log.error(
            "cannot use %d rows of the spool: it is kept as %s, text with a row in each line; "
            "look there for records that are missing, then remove it",
            useless,
            aside,
        )


def struct_of(kind: type[T], row: Sequence[Any]) -> T:
    """The record again that `msgspec.structs.astuple` made a row of."""
    return kind(**dict(zip(kind.__struct_fields__, row, strict=True)))


def _fill(file: BinaryIO, entries: Sequence[Entry]) -> int:
    """Write whole lines from the start of `file`, and stand behind the last; how many fit."""
    file.seek(0)
    for number, entry in enumerate(entries):
        line, start = _line(entry), file.tell()
        try:
            written = file.write(line)
        except OSError:
            written = 0
        if written < len(line):
            file.seek(start)
            return number
    return len(entries)


def _bare(entry: Entry) -> Entry:
    return Closed(entry.row, None) if isinstance(entry, Closed) else entry


def _line(entry: Entry) -> bytes:
    body = msgspec.json.encode(entry)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _entry(line: bytes) -> Entry | None:
    """None for a line that is not what was written."""
    checksum, _, body = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(body):
        return None
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _sync(directory: Path) -> None:
    """Make names durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
