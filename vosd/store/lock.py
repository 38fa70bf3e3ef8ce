# SPDX-License-Identifier: GPL-2.0-or-later
"""The state lock: one daemon on one state, told apart by flock, which dies with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from vosd.store.errors import StoreError


class StateLock:
    """Held from construction until `release`; the file keeps the holder's process id.

    Raises StoreError naming the holder and the file when another process, or this one, has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StoreError(f"cannot open the state lock {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise StoreError(
                f"cannot use the state of {path}: vosd with process id {holder} holds it"
            ) from None
        except OSError as error:
            os.close(self._fd)
            raise StoreError(f"cannot lock {path}: {error.strerror}") from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        """Let the next one in. The file stays: removing it would race with its next holder."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
