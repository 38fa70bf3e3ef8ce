# SPDX-License-Identifier: GPL-2.0-or-later
"""The victim of test_kill: writes calls without end, prints each id once it is durable."""

from __future__ import annotations

import os
import sys
import threading

from tests.store.rows import answered, ended
from vosd.store import Store


def say(line: str) -> None:
    """One write per line: a pipe takes it whole or not at all."""
    os.write(1, line.encode() + b"\n")


def main(url: str, run: str) -> None:
    store = Store.open(url, node="edge-1")
    say(f"recovered {store.cdr.recover(1e6)}")
    window = threading.Semaphore(40)

    def stored(id: str, what: str) -> None:
        say(f"{what} {id}")
        window.release()

    number = 0
    while True:
        number += 1
        id = f"{run}-{number:06d}"
        window.acquire()
        store.cdr.opened(answered(id), lambda error, id=id: stored(id, error or "open"))
        if number > 20 and number % 3:
            old = f"{run}-{number - 20:06d}"
            window.acquire()
            store.cdr.closed(
                ended(old), old.encode(), lambda e, old=old: stored(old, e or "closed")
            )
        if number % 50 == 0:
            store.cdr.alive([f"{run}-{n:06d}" for n in range(number - 49, number)], 150.0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
