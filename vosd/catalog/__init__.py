# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameter table: ALL holds every row by name, in the order of its groups."""

from __future__ import annotations

from difflib import get_close_matches

from vosd.catalog import (
    billing,
    calls,
    media,
    observe,
    overload,
    registration,
    security,
    sip,
    system,
    transport,
)
from vosd.catalog.param import GROUPS, Param, check_all

SECTIONS = (
    sip, registration, transport, overload, calls, media, security, billing, observe, system,
)  # fmt: skip
ALL: dict[str, Param] = check_all(tuple(row for section in SECTIONS for row in section.ROWS))


class UnknownName(KeyError):
    """No parameter of that name; `close` holds similar ones, best first."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        self.close = close_to(name)

    def __str__(self) -> str:
        hint = f": did you mean {' or '.join(self.close)}?" if self.close else ""
        return f"cannot find a parameter {self.name!r}{hint or ': vosctl param list shows all'}"


class BadValue(ValueError):
    """A value the parameter does not accept, alone or together with the others."""

    def __init__(self, name: str, value: str, accepts: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name, self.value, self.accepts = name, value, accepts


def close_to(name: str) -> list[str]:
    """Names that look like it; a name typed without its prefix finds it too."""
    wanted = name.upper().replace("-", "_")
    part = [known for known in ALL if wanted and wanted in known]
    return get_close_matches(wanted, ALL, n=3, cutoff=0.6) or part[:3]


def find(name: str) -> Param:
    """The row of that name, upper or lower case; raises UnknownName."""
    row = ALL.get(name.upper())
    if row is None:
        raise UnknownName(name)
    return row


def parse(name: str, text: str) -> object:
    """The typed value; raises UnknownName, or BadValue naming value and what is accepted."""
    row = find(name)
    try:
        return row.kind.parse(text)
    except ValueError as error:
        sentence = str(error).replace("cannot accept", f"cannot set {row.name} to", 1)
        raise BadValue(row.name, text, row.kind.accepts(), sentence) from None


__all__ = ["ALL", "GROUPS", "BadValue", "Param", "UnknownName", "close_to", "find", "parse"]
