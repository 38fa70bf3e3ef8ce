# SPDX-License-Identifier: GPL-2.0-or-later
"""One request to the daemon over its Unix socket, and every way it can go wrong."""

from __future__ import annotations

import http.client
import os
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

import msgspec

from vosctl.problems import OF_KIND, Denied, Problem, TimedOut, Unreachable
from vosd.wire.records import Failure
from vosd.wire.verbs import VERBS, Verb

SYSTEM_SOCKET = Path("/run/vosd/control.sock")
#: seconds one request may take, `--timeout` changes it
TIMEOUT = 10.0

Query: TypeAlias = msgspec.Struct | Mapping[str, object] | None


class Refused(Problem):
    """The daemon answered no; `failure` is its answer."""

    def __init__(self, failure: Failure) -> None:
        accepts = failure.accepts
        said = re.search(rf"(?<!\w){re.escape(accepts)}(?!\w)", failure.message)
        tell = accepts and not said
        super().__init__(failure.message, f"accepted: {accepts}" if tell else "")
        self.failure = failure
        self.exit_code = OF_KIND.get(failure.kind, 1)


def default_sockets(
    environ: Mapping[str, str] = os.environ, uid: int | None = None
) -> tuple[Path, ...]:
    """Where to look, in this order: the system's socket for root, else the user's own first."""
    if (os.geteuid() if uid is None else uid) == 0:
        return (SYSTEM_SOCKET,)
    runtime = environ.get("XDG_RUNTIME_DIR")
    state = environ.get("XDG_STATE_HOME") or f"{environ.get('HOME', '/')}/.local/state"
    return Path(runtime or state) / "vosd/control.sock", SYSTEM_SOCKET


class _Connection(http.client.HTTPConnection):
    """HTTP/1.1 over AF_UNIX."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Client:
    """Speaks to the daemon at the first of `paths` that answers; opens nothing before a call."""

    def __init__(self, *paths: Path, timeout: float = TIMEOUT) -> None:
        self.path = paths[0]
        self.timeout = timeout
        self._paths = paths

    def call(
        self,
        verb: str,
        request: msgspec.Struct | None = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Query = None,
    ) -> Any:
        """The reply struct of `verb`. Raises a Problem."""
        row = VERBS[verb]
        connection, response = self._open(row, request, path or {}, query)
        try:
            body = self._read(response.read)
        finally:
            connection.close()
        return self._decode(body, row.reply)

    def stream(
        self,
        verb: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Query = None,
    ) -> Iterator[Any]:
        """The reply structs of a stream verb as they come. Raises a Problem."""
        row = VERBS[verb]
        connection, response = self._open(row, None, path or {}, query)
        try:
            while line := self._read(response.readline):
                yield self._decode(line, row.reply)
        finally:
            connection.close()

    def _open(
        self, row: Verb, request: msgspec.Struct | None, path: Mapping[str, str], query: Query
    ) -> tuple[_Connection, http.client.HTTPResponse]:
        target = _target(row.path, path, query)
        connection = self._connect()
        body = None if request is None else msgspec.json.encode(request)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            self._read(lambda: connection.request(row.method, target, body, headers))
            response = self._read(connection.getresponse)
            if response.status >= 300:
                raise self._refusal(response.status, self._read(response.read))
        except BaseException:
            connection.close()
            raise
        return connection, response

    def _connect(self) -> _Connection:
        errors: list[OSError] = []
        for path in self._paths:
            connection = _Connection(path, self.timeout)
            try:
                connection.connect()
            except OSError as error:
                connection.close()
                errors.append(error)
            else:
                self.path = path
                return connection
        raise self._cannot_connect(errors)

    def _read(self, step: Any) -> Any:
        try:
            return step()
        except TimeoutError:
            raise TimedOut(
                f"cannot wait longer than {self.timeout:g} s for vosd's answer",
                "what was asked for may still be done: look before you repeat it. A longer wait:"
                " --timeout S; is the machine overloaded or its disk stuck?",
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                f"cannot read vosd's answer from {self.path}: {str(error) or type(error).__name__}",
                "did vosd stop meanwhile? systemctl status vosd",
            ) from None

    def _cannot_connect(self, errors: list[OSError]) -> Problem:
        """What each socket said; one that is there and closed to us decides."""
        for path, error in zip(self._paths, errors, strict=True):
            if isinstance(error, PermissionError):
                return Denied(
                    f"cannot open {path}: not permitted",
                    "reading needs group vos, changes need root or group vos-admin",
                )
            if isinstance(error, TimeoutError):
                return TimedOut(f"cannot connect to {path} within {self.timeout:g} s")
        tried = zip(self._paths, map(_why, errors), strict=True)
        return Unreachable(
            f"cannot reach vosd at {', nor at '.join(f'{path}: {why}' for path, why in tried)}",
            "start it: systemctl start vosd, or vosd in a terminal; "
            "another socket: --socket PATH or VOSCTL_SOCKET",
        )

    def _refusal(self, status: int, body: bytes) -> Problem:
        try:
            failure = msgspec.json.decode(body, type=Failure)
        except msgspec.DecodeError:
            return Problem(
                f"cannot understand HTTP {status} from {self.path}", "is it vosd's socket?"
            )
        if failure.kind == "denied":
            return Denied(failure.message, failure.accepts)
        return Refused(failure)

    def _decode(self, body: bytes, reply: type[msgspec.Struct]) -> Any:
        try:
            return msgspec.json.decode(body, type=reply)
        except msgspec.DecodeError as error:
            raise Problem(
                f"cannot understand the answer from {self.path}: {error}",
                "vosd and vosctl must be of the same version",
            ) from None


def _why(error: OSError) -> str:
    known = {FileNotFoundError: "no such socket", ConnectionRefusedError: "nothing listens on it"}
    return known.get(type(error), error.strerror or str(error))


def _target(template: str, path: Mapping[str, str], query: Query) -> str:
    target = template.format_map({key: quote(value, safe="") for key, value in path.items()})
    values = msgspec.to_builtins(query) if query is not None else {}
    pairs = [(key, _word(value)) for key, value in values.items() if value is not None]
    return f"{target}?{urlencode(pairs)}" if pairs else target


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
