# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS without sockets: contexts from files, and a channel that turns octets into octets.

asyncio's own TLS keeps a 256 KiB buffer for every connection; two memory BIOs keep what waits.
"""

from __future__ import annotations

import ssl
from typing import Literal, TypeAlias

Clients: TypeAlias = Literal["off", "request", "require"]
_READ = 65536
_CLIENTS = {"off": ssl.CERT_NONE, "request": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}


class TlsError(Exception):
    """A certificate or key cannot be used; the text says which and why."""


class Contexts:
    """How we serve and how we call: TLS 1.2 at least (RFC 8996)."""

    def __init__(
        self, certificate: str, private_key: str, authorities: str | None, clients: Clients
    ) -> None:
        """Read the PEM files; `clients` says whether a caller must show a certificate.

        `authorities` None trusts the system's. TlsError when a file cannot be used.
        """
        try:
            self.serving = self._context(ssl.PROTOCOL_TLS_SERVER, certificate, private_key)
            self.verifying = self._context(ssl.PROTOCOL_TLS_CLIENT, certificate, private_key)
            self.trusting = self._context(ssl.PROTOCOL_TLS_CLIENT, certificate, private_key)
            for context in (self.serving, self.verifying):
                if authorities is None:
                    context.load_default_certs()
                else:
                    context.load_verify_locations(authorities)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise TlsError(
                f"cannot use the certificate {certificate} with {private_key}: {error}; "
                "a PEM chain and its key without pass phrase are accepted"
            ) from None
        self.serving.verify_mode = _CLIENTS[clients]
        self.trusting.check_hostname = False
        self.trusting.verify_mode = ssl.CERT_NONE

    @staticmethod
    def _context(side: int, certificate: str, private_key: str) -> ssl.SSLContext:
        context = ssl.SSLContext(side)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # a password would be asked for on the terminal
        context.load_cert_chain(certificate, private_key, lambda: "none")
        return context

    def serve(self) -> Channel:
        """The accepting side of one connection."""
        return Channel(self.serving, None)

    def call(self, name: str, verify: bool) -> Channel:
        """The calling side: SNI and, with `verify`, the certificate carry `name` (RFC 5922 7.1)."""
        return Channel(self.verifying if verify else self.trusting, name)


class Channel:
    """One connection's TLS; what has to be sent lies in `sealed`."""

    __slots__ = ("_in", "_object", "_out", "ended", "ready")

    def __init__(self, context: ssl.SSLContext, name: str | None) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._in, self._out, server_side=name is None, server_hostname=name
        )
        #: the handshake is done: `seal` may be used
        self.ready = False
        #: the peer said good-bye
        self.ended = False

    def open(self, data: bytes) -> bytes:
        """Take octets from the network, give what they hold; raises ssl.SSLError."""
        self._in.write(data)
        plain = b""
        try:
            if not self.ready:
                self._object.do_handshake()
                self.ready = True
            while chunk := self._object.read(_READ):
                plain += chunk
        except ssl.SSLWantReadError:
            return plain
        except ssl.SSLZeroReturnError:
            pass
        self.ended = True
        return plain

    def seal(self, data: bytes) -> None:
        self._object.write(data)

    def sealed(self) -> bytes:
        """What to send now."""
        return self._out.read()
