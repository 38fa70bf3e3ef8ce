# SPDX-License-Identifier: GPL-2.0-or-later
"""The control API: HTTP/1.1 with JSON on a Unix socket, dispatched by the verb table.

Per request: who asks (kernel), may they (verb's access), decode (strict, unknown fields
refused), handle, answer. Every refusal is a Failure with the HTTP status of its kind. A change
once begun runs to its end, also when the client leaves or waits no longer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
from aiohttp import web

from vosd.control import access
from vosd.control.access import Peer, Rules
from vosd.control.decode import body_of, query_of
from vosd.control.handler import Refusal
from vosd.control.handlers import HANDLERS
from vosd.control.listener import listening_socket, release
from vosd.control.openapi import document
from vosd.store.errors import StoreError
from vosd.wire.records import Failure
from vosd.wire.verbs import VERBS, Access, Verb

if TYPE_CHECKING:
    from aiohttp.web_protocol import RequestHandler

    from vosd.engine.node import Node

log = logging.getLogger(__name__)

HTTP_STATUS = {
    "bad_request": 400,
    "bad_value": 400,
    "denied": 403,
    "not_found": 404,
    "exists": 409,
    "conflict": 409,
    "unavailable": 503,
    "internal": 500,
}
JSON = "application/json"
NDJSON = "application/x-ndjson"


class Limits(msgspec.Struct, frozen=True):
    """What one client may cost; times in seconds."""

    body: int = 1 << 20
    connections: int = 128
    #: from connect to a whole request head
    first_request_s: float = 10.0
    body_s: float = 5.0
    #: how long a client waits for an answer at most; the work itself goes on
    answer_s: float = 60.0
    keepalive_s: float = 15.0
    #: how long the rest of a refused body is read and thrown away
    linger_s: float = 1.0


class ControlServer:
    """Serves `node` on the socket at `path` from `start` to `stop`."""

    def __init__(
        self,
        node: Node,
        path: Path,
        *,
        rules: Rules | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._node = node
        self._path = path
        self._rules = access.system_rules() if rules is None else rules
        self._limits = limits or Limits()
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self._inode = 0
        #: connections that have not sent a whole request yet
        self._silent: dict[RequestHandler, asyncio.TimerHandle] = {}
        self._working: set[asyncio.Task[Any]] = set()
        self._streaming: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Listen. Raises ListenError when a live daemon has the socket or it cannot be made."""
        sock, self._inode = listening_socket(self._path, access.group_id(access.READERS))
        self._runner = web.AppRunner(
            self._application(),
            access_log=None,
            keepalive_timeout=self._limits.keepalive_s,
            shutdown_timeout=2.0,
            lingering_time=self._limits.linger_s,
            auto_decompress=False,
        )
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._connection, sock=sock)

    async def stop(self) -> None:
        """Answer what was asked, end the streams, take the socket away."""
        if self._server is not None:
            self._server.close()
        for stream in list(self._streaming):
            stream.cancel()
        if self._working:
            await asyncio.wait(self._working, timeout=self._limits.body_s)
        if self._runner is not None:
            await self._runner.cleanup()
        release(self._path, self._inode)

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=self._limits.body, middlewares=[_envelope])
        for verb in VERBS.values():
            app.router.add_route(verb.method, verb.path, partial(self._serve, verb))
        app.router.add_get("/v1/openapi.json", self._openapi)
        return app

    def _connection(self) -> asyncio.Protocol:
        assert self._runner is not None
        server = self._runner.server
        if server is None or len(server.connections) >= self._limits.connections:
            return _Busy(self._limits.connections)
        protocol = server()
        loop = asyncio.get_running_loop()
        self._silent[protocol] = loop.call_later(
            self._limits.first_request_s, self._drop_silent, protocol
        )
        return protocol

    def _drop_silent(self, protocol: RequestHandler) -> None:
        del self._silent[protocol]
        if protocol.transport is not None:
            protocol.transport.close()

    def _admit(self, request: web.Request, needed: Access, what: str) -> Peer:
        timer = self._silent.pop(request.protocol, None)
        if timer is not None:
            timer.cancel()
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        peer = access.peer_of(transport.get_extra_info("socket"))
        if not access.allows(access.right(peer, self._rules), needed):
            raise Refusal(
                "denied",
                f"cannot do {what} as {peer.user}: {needed} access is needed",
                value=peer.user,
                accepts=_WHO[needed],
            )
        return peer

    async def _openapi(self, request: web.Request) -> web.Response:
        self._admit(request, "read", "openapi")
        return _json(document())

    async def _serve(self, verb: Verb, request: web.Request) -> web.StreamResponse:
        peer = self._admit(request, verb.access, verb.name)
        try:
            async with asyncio.timeout(self._limits.body_s):
                body = body_of(verb, await request.read())
        except TimeoutError:
            raise Refusal("bad_request", "cannot wait longer for the rest of the body") from None
        query = query_of(verb, request.query)
        path = dict(request.match_info)
        answer = HANDLERS[verb.name](self._node, peer, body, path, query)
        if verb.stream:
            return await self._stream(request, cast("AsyncIterator[msgspec.Struct]", answer))
        return _json(await self._finish(verb, cast("Awaitable[msgspec.Struct]", answer)))

    async def _finish(self, verb: Verb, answer: Awaitable[msgspec.Struct]) -> msgspec.Struct:
        task = asyncio.ensure_future(answer)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        done, _ = await asyncio.wait({task}, timeout=self._limits.answer_s)
        if not done:
            raise Refusal(
                "unavailable",
                f"cannot finish {verb.name} within {self._limits.answer_s:g} s: it goes on, "
                "look again later",
            )
        return task.result()

    async def _stream(
        self, request: web.Request, rows: AsyncIterator[msgspec.Struct]
    ) -> web.StreamResponse:
        """One line a row; a refusal before the first row is still a proper Failure."""
        task = asyncio.current_task()
        assert task is not None
        self._streaming.add(task)
        try:
            first = await anext(rows, None)
            response = web.StreamResponse(headers={"Content-Type": NDJSON})
            await response.prepare(request)
            if first is not None:
                await response.write(_line(first))
                async for row in rows:
                    await response.write(_line(row))
        except ConnectionResetError:
            return response
        finally:
            self._streaming.discard(task)
            await cast("Any", rows).aclose()
        return response


class _Busy(asyncio.Protocol):
    """One connection too many: read the request, say so, close."""

    def __init__(self, most: int) -> None:
        self._body = msgspec.json.encode(
            Failure(kind="unavailable", message=f"cannot serve more than {most} clients at once")
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._timer = asyncio.get_running_loop().call_later(1.0, transport.close)

    def data_received(self, data: bytes) -> None:
        head = (
            "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
            f"Content-Type: {JSON}\r\nContent-Length: {len(self._body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + self._body)
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()


_WHO: dict[Access, str] = {
    "read": f"root, vosd's own user, group {access.WRITERS}, group {access.READERS}",
    "write": f"root, vosd's own user, group {access.WRITERS}",
}


@web.middleware
async def _envelope(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Whatever goes wrong leaves as a Failure."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return _failed(refusal.failure)
    except StoreError as error:
        return _failed(Failure(kind="unavailable", message=str(error)))
    except web.HTTPRequestEntityTooLarge:
        return _failed(Failure(kind="bad_request", message="cannot read a body over 1 MiB"), 413)
    except web.HTTPException as error:
        what = f"{request.method} {request.path}"
        return _failed(
            Failure(
                kind="not_found",
                message=f"cannot find a verb for {what}",
                value=what,
                accepts="what /v1/openapi.json lists",
            ),
            error.status,
        )
    except (ConnectionResetError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("control: %s %s failed", request.method, request.path)
        what = f"{request.method} {request.path}"
        return _failed(
            Failure(kind="internal", message=f"cannot do {what}: internal error, see vosd's log")
        )


def _json(reply: msgspec.Struct | dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(reply) + b"\n", status=status, content_type=JSON)


def _failed(failure: Failure, status: int | None = None) -> web.Response:
    return _json(failure, status or HTTP_STATUS[failure.kind])


def _line(row: msgspec.Struct) -> bytes:
    return msgspec.json.encode(row) + b"\n"
