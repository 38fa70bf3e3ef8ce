# SPDX-License-Identifier: GPL-2.0-or-later
"""Reliable provisional answers (RFC 3262): numbers, and what waits for a PRACK.

The called side sends one reliable answer at a time and repeats it until its PRACK comes; whatever
would overtake it waits: further reliable answers, and a 2xx while a description is on its way.
The calling side takes them in their order and acknowledges each once.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vosd.sip.message import Message

TAG: Final = "100rel"
#: provisional answers that wait behind one without PRACK
_MOST_WAITING: Final = 8
_MOST: Final = 2**32 - 1

Fields = tuple[tuple[str, str], ...]


class Answer(NamedTuple):
    """An answer that waits; `code` 200 is the final one."""

    code: int
    reason: str
    body: bytes
    headers: Fields


class Reliable:
    """The called side of one INVITE."""

    __slots__ = ("cseq", "described", "number", "open", "waiting")

    def __init__(self, number: int, cseq: int) -> None:
        """`number` is the RSeq of the first reliable answer, 1 to 2**31 - 1 (3)."""
        self.number = number - 1
        #: of the INVITE
        self.cseq = cseq
        #: an answer was sent and has no PRACK yet; it holds a description
        self.open = self.described = False
        self.waiting: list[Answer] = []

    def next(self, described: bool) -> Fields:
        """Header fields of the next reliable answer."""
        self.number += 1
        self.open, self.described = True, described
        return (("Require", TAG), ("RSeq", str(self.number)))

    def hold(self, answer: Answer) -> bool:
        """Whether `answer` has to wait, which it then does."""
        if not self.open or (answer.code >= 200 and not self.described):
            return False
        if len(self.waiting) < _MOST_WAITING or answer.code >= 200:
            self.waiting.append(answer)
        return True

    def acknowledged(self, prack: Message) -> bool:
        """Whether a PRACK is for the answer that is open, which it then is no longer (3)."""
        if not self.open:
            return False
        if (prack.get("rack") or "").split() != [str(self.number), str(self.cseq), "INVITE"]:
            return False
        self.open = self.described = False
        return True


def asked(message: Message, name: str) -> bool:
    """Whether `name` (require or supported) lists 100rel."""
    return message.get(name) is not None and any(
        tag.lower() == TAG for tag in message.all(name)
    )


def sequence(message: Message) -> int | None:
    """The RSeq of a reliable provisional answer; None for one that is not reliable."""
    number = message.number("rseq")
    return number if number is not None and number <= _MOST and asked(message, "require") else None
