# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket as a file: taken only from the dead, open to the group, gone at the end."""

from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path

_UCRED = struct.Struct("3i")
_BACKLOG = 64


class ListenError(Exception):
    """The socket cannot be had; a sentence."""


def listening_socket(path: Path, group: int | None) -> tuple[socket.socket, int]:
    """A bound socket at `path`, mode 0660 and of `group` where it may be, and its inode."""
    _make_directory(path.parent, group)
    _clear(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # nobody can connect between bind and chmod
    before = os.umask(0o177)
    try:
        sock.bind(str(path))
        _hand_to(path, group)
        path.chmod(0o660)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ListenError(f"cannot listen on {path}: {error.strerror or error}") from None
    finally:
        os.umask(before)
    sock.setblocking(False)
    return sock, path.stat().st_ino


def release(path: Path, inode: int) -> None:
    """Remove the socket unless somebody else's stands there by now."""
    try:
        if inode and path.lstat().st_ino == inode:
            path.unlink()
    except FileNotFoundError:
        pass


def _make_directory(directory: Path, group: int | None) -> None:
    if directory.is_dir():
        return
    try:
        directory.mkdir(mode=0o750, parents=True)
        _hand_to(directory, group)
    except OSError as error:
        raise ListenError(f"cannot make {directory}: {error.strerror or error}") from None


def _hand_to(path: Path, group: int | None) -> None:
    """Only root, or a member, may give a file to a group; others keep their own."""
    if group is None:
        return
    try:
        os.chown(path, -1, group)
    except PermissionError:
        return


def _clear(path: Path) -> None:
    """Unlink a socket nobody listens on. Raises ListenError for anything else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ListenError(f"cannot look at {path}: {error.strerror or error}") from None
    if not stat.S_ISSOCK(mode):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "no socket"
        raise ListenError(f"cannot listen on {path}: it is {kind}; move it away")
    owner = _listener(path)
    if owner is not None:
        raise ListenError(
            f"cannot listen on {path}: another vosd (pid {owner}) answers there; stop it, or "
            "give this one its own control_socket and state_dir"
        )
    path.unlink(missing_ok=True)


def _listener(path: Path) -> int | None:
    """Process id of who listens on `path`, None when nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        except OSError as error:
            raise ListenError(f"cannot ask who has {path}: {error.strerror or error}") from None
        raw = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(raw)[0])
