# SPDX-License-Identifier: GPL-2.0-or-later
"""Kinds of parameter values: text in, typed value out, and the same text back.

`parse` accepts everything an operator may type and raises ValueError with a sentence beginning
"cannot"; `show` gives the one spelling that is stored, shown and accepted again. Ranges are
inclusive. Durations are float seconds whatever the unit they are written in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import ip_address
from typing import Any, Protocol

import msgspec

LONGEST = 1000
INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(ms|s|min|m|h|d)?")
IN_SECONDS = {
    "ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "min": Decimal(60),
    "h": Decimal(3600), "d": Decimal(86400),
}
TRUE = frozenset({"on", "1", "yes", "true", "enabled"})
FALSE = frozenset({"off", "0", "no", "false", "disabled"})

#: DSCP by the name operators use (RFC 2474, 2597, 3246, 5865, 8622)
DSCP = {f"CS{n}": 8 * n for n in range(8)}
DSCP |= {f"AF{c}{d}": 8 * c + 2 * d for c in (1, 2, 3, 4) for d in (1, 2, 3)}
DSCP |= {"EF": 46, "VA": 44, "LE": 1}
DSCP_NAMES = {value: name for name, value in DSCP.items()}
DSCP_ALIASES = {"BE": 0, "DF": 0, "DEFAULT": 0, "VOICE-ADMIT": 44}


class Kind(Protocol):
    """What every kind answers; `unit` is "" where the values have none."""

    @property
    def unit(self) -> str: ...
    def parse(self, text: str) -> Any: ...
    def show(self, value: Any) -> str: ...
    def describe(self, value: Any) -> str: ...
    def accepts(self) -> str: ...
    def outside(self) -> list[str]: ...


class _Base(msgspec.Struct, frozen=True, kw_only=True):
    unit: str = ""

    def describe(self, value: Any) -> str:
        """`show` for people: a word with its number beside it where it has one."""
        return self.show(value)

    def show(self, value: Any) -> str:
        return str(value)

    def accepts(self) -> str:
        raise NotImplementedError

    def outside(self) -> list[str]:
        """Texts just outside what is accepted; the tests try each."""
        return []

    def refuse(self, text: str) -> ValueError:
        shown = text if len(text) <= 60 else text[:57] + "..."
        return ValueError(f"cannot accept {shown!r}: {self.accepts()} would be accepted")


class Integer(_Base, frozen=True, kw_only=True):
    """A whole number; `zero` is a word for 0 that lies outside the range ("unlimited")."""

    low: int
    high: int
    zero: str = ""

    def parse(self, text: str) -> int:
        text = text.strip()
        if self.zero and text.lower() in (self.zero, "0"):
            return 0
        if not INTEGER.fullmatch(text) or not self.low <= int(text) <= self.high:
            raise self.refuse(text)
        return int(text)

    def show(self, value: Any) -> str:
        return self.zero if self.zero and value == 0 else str(value)

    def describe(self, value: Any) -> str:
        return f"{self.zero} (0)" if self.zero and value == 0 else str(value)

    def accepts(self) -> str:
        span = f"{self.low} to {self.high}{' ' if self.unit else ''}{self.unit}"
        return f"{self.zero} (0) or {span}" if self.zero else span

    def outside(self) -> list[str]:
        return [str(self.low - 1 if not self.zero or self.low > 1 else -1), str(self.high + 1)]


class Port(Integer, frozen=True, kw_only=True):
    """A UDP port an unprivileged daemon may take; `parity` 0 wants even, 1 odd, None either."""

    low: int = 1024
    high: int = 65535
    parity: int | None = None

    def parse(self, text: str) -> int:
        value = super().parse(text)
        if self.parity is not None and value % 2 != self.parity:
            raise self.refuse(text)
        return value

    def accepts(self) -> str:
        wanted = {None: "a", 0: "an even", 1: "an odd"}[self.parity]
        return f"{wanted} port from {self.low} to {self.high}"


class Pick(_Base, frozen=True, kw_only=True):
    """One of a few numbers."""

    values: tuple[int, ...]

    def parse(self, text: str) -> int:
        wanted = text.strip().removesuffix(self.unit).strip() if self.unit else text.strip()
        for value in self.values:
            if wanted == str(value):
                return value
        raise self.refuse(text)

    def accepts(self) -> str:
        return " ".join(map(str, self.values)) + (f" {self.unit}" if self.unit else "")

    def outside(self) -> list[str]:
        return [str(min(self.values) - 1), str(max(self.values) + 1)]


class Duration(_Base, frozen=True, kw_only=True):
    """A time in whole `unit`s, s or ms; the value is float seconds.

    A bare number counts in `unit`; 90s 2m 1h 1d 500ms are taken too. `words` are spellings
    outside the range, for instance {"off": 0.0}; a bare 0 is taken where a word means 0.
    """

    low: int
    high: int
    unit: str = "s"
    words: Mapping[str, float] = {}

    def parse(self, text: str) -> float:
        wanted = text.strip().lower()
        if wanted in self.words:
            return self.words[wanted]
        match = DURATION.fullmatch(wanted)
        if not match:
            raise self.refuse(text)
        count = Decimal(match[1]) * IN_SECONDS[match[2] or self.unit] / IN_SECONDS[self.unit]
        named_zero = count == 0 and 0.0 in self.words.values()
        if count != int(count) or not (self.low <= count <= self.high or named_zero):
            raise self.refuse(text)
        return float(count * IN_SECONDS[self.unit])

    def show(self, value: Any) -> str:
        for word, meaning in self.words.items():
            if value == meaning:
                return word
        return str(round(Decimal(str(value)) / IN_SECONDS[self.unit]))

    def accepts(self) -> str:
        span = f"{self.low} to {self.high} {self.unit}"
        return " or ".join([*self.words, span])

    def outside(self) -> list[str]:
        return [str(self.low - 1 if self.low > 1 or not self.words else -1), str(self.high + 1)]


class Durations(_Base, frozen=True, kw_only=True):
    """A list of times, empty allowed; the value is its text in `unit`s, "500,1000,2000"."""

    low: int
    high: int
    longest: int
    unit: str = "ms"

    def parse(self, text: str) -> str:
        items = [item for item in re.split(r"[,\s]+", text.strip()) if item]
        one = Duration(low=self.low, high=self.high, unit=self.unit)
        if len(items) > self.longest:
            raise self.refuse(text)
        try:
            return ",".join(one.show(one.parse(item)) for item in items)
        except ValueError:
            raise self.refuse(text) from None

    def accepts(self) -> str:
        return (f"nothing, or up to {self.longest} comma-separated times "
                f"of {self.low} to {self.high} {self.unit}")

    def outside(self) -> list[str]:
        return [str(self.low - 1), str(self.high + 1), ",".join(["500"] * (self.longest + 1))]


class Word(_Base, frozen=True, kw_only=True):
    """One word of a list; the source's number for it is accepted and shown beside it."""

    words: Mapping[str, int | None]

    def parse(self, text: str) -> str:
        wanted = text.strip().lower().replace("-", "_").replace(" ", "_")
        for word, number in self.words.items():
            if wanted == word or (number is not None and wanted == str(number)):
                return word
        raise self.refuse(text)

    def describe(self, value: Any) -> str:
        number = self.words[value]
        return str(value) if number is None else f"{value} ({number})"

    def accepts(self) -> str:
        return " ".join(self.describe(word) for word in self.words)

    def outside(self) -> list[str]:
        numbers = [number for number in self.words.values() if number is not None]
        return ["", *([str(min(numbers) - 1), str(max(numbers) + 1)] if numbers else [])]


class Switch(_Base, frozen=True, kw_only=True):
    """On or off."""

    def parse(self, text: str) -> bool:
        word = text.strip().lower()
        if word in TRUE or word in FALSE:
            return word in TRUE
        raise self.refuse(text)

    def show(self, value: Any) -> str:
        return "on" if value else "off"

    def describe(self, value: Any) -> str:
        return f"{self.show(value)} ({int(value)})"

    def accepts(self) -> str:
        return "on (1) off (0)"

    def outside(self) -> list[str]:
        return ["-1", "2", ""]


class Text(_Base, frozen=True, kw_only=True):
    """Printable text of at most `longest` UTF-8 bytes, empty allowed."""

    longest: int

    def parse(self, text: str) -> str:
        if not text.isprintable() or len(text.encode("utf-8", "replace")) > self.longest:
            raise self.refuse(text)
        return text

    def accepts(self) -> str:
        return f"printable text of at most {self.longest} bytes"

    def outside(self) -> list[str]:
        return ["x" * (self.longest + 1), "two\nlines", "\x1b[31m"]


class SocketAddress(_Base, frozen=True, kw_only=True):
    """An IP address and port, or off; the value is (host, port) or None. No names: nothing that
    reads it may wait for DNS."""

    def parse(self, text: str) -> tuple[str, int] | None:
        wanted = text.strip()
        if wanted.lower() in ("", "off", "none"):
            return None
        host, _, port = wanted.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        try:
            address = ip_address(bare)
        except ValueError:
            raise self.refuse(text) from None
        if (address.version == 6) == (bare == host) or not re.fullmatch("[0-9]{1,5}", port):
            raise self.refuse(text)
        if not 1 <= int(port) <= 65535:
            raise self.refuse(text)
        return str(address), int(port)

    def show(self, value: Any) -> str:
        if value is None:
            return "off"
        host, port = value
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def accepts(self) -> str:
        return "off, or an IP address and port such as 127.0.0.1:9188 or [::1]:9188"

    def outside(self) -> list[str]:
        return ["localhost:9188", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:9188",
                "[127.0.0.1]:9188"]  # fmt: skip


class Dscp(_Base, frozen=True, kw_only=True):
    """A DiffServ code point 0-63, shown as name, decimal and whole ToS byte: `EF 46 0xb8`.

    A bare decimal is the DSCP, a bare hex number the ToS byte a capture prints; `dscp:` and
    `tos:` make either explicit. A ToS byte with ECN bits set is refused: 0x2e is the usual
    slip for EF, whose byte is 0xb8 (RFC 2474, 3168, 3246).
    """

    def parse(self, text: str) -> int:
        marks = {self._mark(token, text) for token in text.upper().split()}
        if len(marks) != 1:
            raise self.refuse(text)
        return marks.pop()

    def _mark(self, token: str, text: str) -> int:
        named = DSCP.get(token, DSCP_ALIASES.get(token))
        if named is not None:
            return named
        match = re.fullmatch(r"(DSCP:|TOS:)?(0X[0-9A-F]{1,2}|[0-9]{1,3})", token)
        if not match:
            raise self.refuse(text)
        number = int(match[2], 0) if match[2].startswith("0X") else int(match[2])
        byte = match[1] == "TOS:" or (match[1] is None and match[2].startswith("0X"))
        if byte and number <= 255 and number & 3:
            raise ValueError(
                f"cannot accept {text!r}: as a ToS byte its low two bits are ECN (RFC 3168); "
                f"for DSCP {number & 63} write {self._usual(number & 63)}"
            )
        if number > (255 if byte else 63):
            raise self.refuse(text)
        return number >> 2 if byte else number

    def _usual(self, value: int) -> str:
        return f"{DSCP_NAMES.get(value, f'dscp:{value}')} or tos:{value << 2:#04x}"

    def show(self, value: Any) -> str:
        name = DSCP_NAMES.get(value)
        return f"{name + ' ' if name else ''}{value} {value << 2:#04x}"

    def accepts(self) -> str:
        return "a name (EF AF41 CS5 ...), 0 to 63, dscp:46, or the ToS byte as tos:0xb8 or 0xb8"

    def outside(self) -> list[str]:
        return ["-1", "64", "tos:256", "0x2e", "dscp:64", "EF 24", ""]
