# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP over TCP and TLS against real peers: sipp, baresip, Kamailio, and ssl of the standard
library; IPv4 and IPv6 (RFC 3261 18, RFC 5923)."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from script.private_switch import ROOT, PrivateSwitch, endpoint, free_port
from script.tone import RATE, hears
from tests.interop.baresip import Baresip
from tests.interop.conftest import MD5_ONLY, PASSWORD, Field, eventually
from tests.interop.kamailio import Kamailio
from tests.interop.programs import has_ipv6, needs

V4, V6 = "127.0.0.1", "::1"
FAMILIES = [
    V4,
    pytest.param(
        V6, marks=pytest.mark.skipif(not has_ipv6(), reason="did not run: no IPv6 on loopback")
    ),
]
TCP = ("-t", "t1")


class Certificates:
    """An authority of our own and certificates it signs, made by the openssl program."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        self.authority = directory / "ca.pem"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-subj", "/CN=interop authority", "-keyout", directory / "ca.key",
                 "-out", self.authority)  # fmt: skip

    def issue(self, name: str, *alternatives: str) -> tuple[Path, Path]:
        """(chain, key) for `name`; alternatives such as IP:127.0.0.1 or DNS:sip.example."""
        key, chain = self.directory / f"{name}.key", self.directory / f"{name}.pem"
        request, extra = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", key, "-out", request)  # fmt: skip
        extra.write_text(f"subjectAltName={','.join(alternatives)}\n")
        _openssl("x509", "-req", "-in", request, "-CA", self.authority, "-CAkey",
                 self.directory / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", extra,
                 "-out", chain)  # fmt: skip
        return chain, key


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class EveryTransport(PrivateSwitch):
    """UDP and TCP on one port of the first host, TLS on `tls_port`."""

    def __init__(self, directory: Path, host: str, certificates: Certificates) -> None:
        self.tls_port = free_port(host)
        self.chain, self.key = certificates.issue("switch", f"IP:{host}", "DNS:switch.example")
        self.authority = certificates.authority
        super().__init__(directory, (host,), node="streams")

    def _toml(self) -> str:
        (host, port), *_ = self.listens
        rows = (("tcp", port), ("tls", self.tls_port))
        return super()._toml() + "".join(
            f'\n[[listen]]\naddress = "{endpoint(host, at)}"\ntransport = "{transport}"\n'
            for transport, at in rows
        ) + (
            f'\n[tls]\ncertificate = "{self.chain}"\nprivate_key = "{self.key}"\n'
            f'authorities = "{self.authority}"\n'
        )

    def counter(self, name: str) -> int:
        return int(self.json("status")["counters"][name])


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates") / "authority")


@pytest.fixture
def host() -> str:
    return V4


@pytest.fixture
def streams(host: str, tmp_path: Path, certificates: Certificates) -> Iterator[EveryTransport]:
    switch = EveryTransport(tmp_path / "switch", host, certificates)
    switch.start()
    yield switch
    switch.close()


@pytest.fixture
def around(host: str, streams: EveryTransport, tmp_path: Path) -> Iterator[Field]:
    """The customer is on another loopback address where there is one, else on the same."""
    field = Field(streams, tmp_path, customer="127.0.0.2" if host == V4 else V6)
    field.add_customer()
    yield field
    field.close()


def vendor_of(host: str) -> str:
    return "127.0.0.3" if host == V4 else V6


def add_stream_vendor(field: Field, prefix: str, host: str, port: int, transport: str) -> str:
    name = f"{transport}{prefix}"
    field.switch.vosctl(
        "gateway", "add", name, "--kind", "routing",
        "--address", f"{endpoint(host, port)}/{transport}", "--prefix", prefix,
    )  # fmt: skip
    return name


@needs("sipp")
@pytest.mark.parametrize("mode", ["t1", "tn"])
@pytest.mark.parametrize("host", FAMILIES)
def test_sipp_calls_over_tcp(around: Field, host: str, mode: str) -> None:
    """One connection for all calls, and one for each."""
    prefix, vendor = around.prefix(), vendor_of(host)
    port = free_port(vendor)
    add_stream_vendor(around, prefix, vendor, port, "tcp")
    uas = around.callee("uas", host=vendor, port=port, options=TCP)
    callers = around.callers(10)
    done = around.caller(
        "uac", callers, prefix + "1", hold_ms=300, options=("-t", mode, "-max_socket", "1000")
    ).wait(20)
    assert (done.code, done.successful, done.failed, done.retransmissions) == (0, 10, 0, 0), (
        done.errors
    )
    assert len(uas.end().answered()) == 10
    records = around.await_records(callers)
    assert {row["end_reason"] for row in records.values()} == {"caller_hangup"}


@needs("sipp")
@pytest.mark.parametrize(("inward", "outward"), [("udp", "tcp"), ("tcp", "udp")])
def test_the_legs_of_a_call_may_differ(around: Field, inward: str, outward: str) -> None:
    prefix, vendor = around.prefix(), vendor_of(V4)
    port = free_port(vendor)
    add_stream_vendor(around, prefix, vendor, port, outward)
    options = {"udp": (), "tcp": TCP}
    uas = around.callee("uas_bye", host=vendor, port=port, options=options[outward])
    callers = around.callers(5)
    done = around.caller(
        "uac_bye_from_callee", callers, prefix + "1", options=options[inward]
    ).wait(20)
    assert (done.successful, done.failed) == (5, 0), done.errors
    assert uas.end().successful == 5
    assert {row["end_reason"] for row in around.await_records(callers).values()} == {
        "callee_hangup"
    }


@needs("sipp")
def test_a_vendor_without_tcp_makes_way_at_once(around: Field, streams: EveryTransport) -> None:
    """Refused and silent: the next route is asked without waiting for a SIP timer."""
    prefix, vendor = around.prefix(), vendor_of(V4)
    nobody, port = free_port(vendor), free_port(vendor)
    add_stream_vendor(around, prefix, vendor, nobody, "tcp")
    around.add_vendor(prefix, port, "--priority", "5", host=vendor)
    around.callee("uas", host=vendor, port=port)
    callers = around.callers(1)
    began = time.monotonic()
    done = around.caller("uac", callers, prefix + "1", hold_ms=50).wait(10)
    assert (done.successful, done.failed) == (1, 0), done.errors
    assert time.monotonic() - began < 4
    assert streams.counter("connections_failed") == 1


class Peer:
    """A user agent of a few lines on one stream connection at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.connection.settimeout(8)
        self._rest = b""

    def read(self) -> str:
        """The next message; "" when the connection is gone."""
        while b"\r\n\r\n" not in self._rest:
            data = self.connection.recv(65536)
            if not data:
                return ""
            self._rest += data
        head, _, rest = self._rest.partition(b"\r\n\r\n")
        size = int(re.search(rb"Content-Length: *(\d+)", head)[1])  # type: ignore[index]
        while len(rest) < size:
            rest += self.connection.recv(65536)
        self._rest = rest[size:]
        return (head + b"\r\n\r\n" + rest[:size]).decode()

    def until(self, start: str) -> str:
        while message := self.read():
            if message.startswith(start):
                return message
        pytest.fail(f"the connection ended before {start}")

    def send(self, text: str) -> None:
        self.connection.sendall(text.encode())

    def kill(self) -> None:
        """Reset, as a peer that lost its mind does."""
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        )
        self.connection.close()


def sdp(host: str) -> str:
    family = "IP6" if ":" in host else "IP4"
    return (
        f"v=0\r\no=- 1 1 IN {family} {host}\r\ns=-\r\nc=IN {family} {host}\r\nt=0 0\r\n"
        "m=audio 6000 RTP/AVP 8\r\n"
    )


def request(
    method: str, number: str, here: str, cseq: int = 1, *, to: str = "", body: str = "",
    transport: str = "TCP", more: str = "",
) -> str:  # fmt: skip
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"{method} sip:{number}@switch.example SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} {here};branch=z9hG4bK{method}{number}{cseq};rport\r\n"
        f"From: <sip:700@{here}>;tag=from{number}\r\nTo: {to or f'<sip:{number}@switch.example>'}"
        f"\r\nCall-ID: call-{number}-{here}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:700@{here};transport={transport.lower()}>\r\n{more}{kind}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )


def reply(message: str, status: str, here: str, body: str = "") -> str:
    kept = [
        line for line in message.split("\r\n\r\n")[0].split("\r\n")
        if line.startswith(("Via:", "From:", "To:", "Call-ID:", "CSeq:"))
    ]  # fmt: skip
    lines = [f"{line};tag=callee" if line.startswith("To:") and ";tag=" not in line else line
             for line in kept]  # fmt: skip
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"SIP/2.0 {status}\r\n" + "".join(f"{line}\r\n" for line in lines)
        + f"Contact: <sip:{here};transport=tcp>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
    )


@pytest.mark.parametrize("host", FAMILIES)
def test_a_connection_killed_in_a_call_does_not_lose_the_bye(
    around: Field, streams: EveryTransport, host: str
) -> None:
    """Both sides' connections are reset in the middle: BYE comes on a new one to the caller
    (its Contact) and one to the callee (RFC 3261 18.1.1, 12.2.1)."""
    prefix, vendor, customer = around.prefix(), vendor_of(host), around.customer_host
    listening = {}
    for name, at in (("vendor", vendor), ("customer", customer)):
        listening[name] = socket.create_server((at, 0), family=_family(at))
        listening[name].settimeout(8)
    at_vendor, at_customer = (endpoint(*listening[name].getsockname()[:2]) for name in listening)
    add_stream_vendor(around, prefix, *listening["vendor"].getsockname()[:2], "tcp")
    a = Peer(socket.create_connection(streams.listens[0], source_address=(customer, 0)))
    a.send(request("INVITE", prefix + "1", at_customer, body=sdp(customer)))
    b = Peer(listening["vendor"].accept()[0])
    invite = b.until("INVITE")
    b.send(reply(invite, "200 OK", at_vendor, sdp(vendor)))
    answer = a.until("SIP/2.0 200")
    to = re.search(r"To: (.*)\r\n", answer)[1]  # type: ignore[index]
    a.send(request("ACK", prefix + "1", at_customer, to=to))
    b.until("ACK")
    eventually(lambda: around.live(["700"]) and around.live(["700"])[0]["state"] == "connected")
    a.kill()
    b.kill()
    time.sleep(0.3)
    around.switch.vosctl("call", "hangup", around.live(["700"])[0]["id"], "--yes")
    for name, address in (("customer", at_customer), ("vendor", at_vendor)):
        again = Peer(listening[name].accept()[0])
        bye = again.until("BYE")
        again.send(reply(bye, "200 OK", address))
    eventually(lambda: around.await_records(["700"])["700"]["end_reason"] == "forced")
    for each in listening.values():
        each.close()


def test_an_answer_finds_its_caller_after_the_connection_broke(
    around: Field, streams: EveryTransport
) -> None:
    """RFC 3261 18.2.2: to the source address, and the port of Via's sent-by."""
    prefix, vendor, customer = around.prefix(), vendor_of(V4), around.customer_host
    back = socket.create_server((customer, 0))
    back.settimeout(8)
    here = endpoint(*back.getsockname())
    at_vendor = socket.create_server((vendor, 0))
    at_vendor.settimeout(8)
    add_stream_vendor(around, prefix, *at_vendor.getsockname(), "tcp")
    a = Peer(socket.create_connection(streams.listens[0], source_address=(customer, 0)))
    a.send(request("INVITE", prefix + "1", here, body=sdp(customer)))
    b = Peer(at_vendor.accept()[0])
    invite = b.until("INVITE")
    a.kill()
    time.sleep(0.3)
    b.send(reply(invite, "486 Busy Here", here))
    assert Peer(back.accept()[0]).until("SIP/2.0 486")
    back.close()
    at_vendor.close()


@pytest.mark.parametrize("listens", [True, False])
def test_a_large_invite_goes_by_tcp_and_falls_back_to_udp(
    around: Field, streams: EveryTransport, listens: bool
) -> None:
    """RFC 3261 18.1.1: over 1300 octets, to a vendor that is reached by UDP."""
    prefix, vendor, customer = around.prefix(), vendor_of(V4), around.customer_host
    port = free_port(vendor)
    around.add_vendor(prefix, port, host=vendor)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((vendor, port))
    datagrams.settimeout(8)
    server = socket.create_server((vendor, port)) if listens else None
    large = sdp(customer) + "".join(f"a=x-filler-{n}:{'y' * 60}\r\n" for n in range(20))
    a = Peer(socket.create_connection(streams.listens[0], source_address=(customer, 0)))
    a.send(request("INVITE", prefix + "1", endpoint(customer, 9), body=large))
    if server is not None:
        server.settimeout(8)
        invite = Peer(server.accept()[0]).until("INVITE")
        assert "Via: SIP/2.0/TCP " in invite
        server.close()
    else:
        invite = datagrams.recv(65536).decode()
        assert "Via: SIP/2.0/UDP " in invite
    assert len(invite) > 1300
    assert ";transport=tcp" not in re.search(r"Contact: .*", invite)[0]  # type: ignore[index]
    datagrams.close()


# TLS


def _client(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificates.authority))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("host", FAMILIES)
def test_options_over_tls(
    streams: EveryTransport, host: str, certificates: Certificates
) -> None:
    """TLS 1.2 and 1.3, our certificate verified; 1.1 is refused (RFC 8996)."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = _client(certificates)
        context.maximum_version = context.minimum_version = version
        raw = socket.create_connection((host, streams.tls_port))
        peer = Peer(context.wrap_socket(raw, server_hostname=host))
        peer.send("\r\n\r\n" + request("OPTIONS", "1", endpoint(host, 9), transport="TLS"))
        assert peer.connection.recv(2) == b"\r\n"
        answer = peer.until("SIP/2.0 200")
        assert "Via: SIP/2.0/TLS " in answer
        peer.connection.close()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError), socket.create_connection((host, streams.tls_port)) as raw:
        context.wrap_socket(raw, server_hostname=host)


class TlsVendor:
    """A TLS server that answers OPTIONS; what its SNI saw lies in `names`."""

    def __init__(self, certificates: Certificates, *alternatives: str) -> None:
        chain, key = certificates.issue(f"vendor{time.monotonic_ns()}", *alternatives)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self.names: list[str | None] = []
        context.sni_callback = lambda _, name, __: self.names.append(name)
        self.server = context.wrap_socket(
            socket.create_server(("127.0.0.3", 0)), server_side=True
        )
        self.server.settimeout(8)
        self.port = self.server.getsockname()[1]

    def answer(self) -> None:
        peer = Peer(self.server.accept()[0])
        peer.send(reply(peer.until("OPTIONS"), "200 OK", "127.0.0.3"))


def test_a_vendors_certificate_is_verified_unless_told_not_to(
    around: Field, streams: EveryTransport, certificates: Certificates
) -> None:
    right, wrong = (
        TlsVendor(certificates, name) for name in ("IP:127.0.0.3", "DNS:other.example")
    )
    names = [add_stream_vendor(around, around.prefix(), "127.0.0.3", each.port, "tls")
             for each in (right, wrong)]  # fmt: skip
    probe = _probe(streams, names[0])
    right.answer()
    assert "OPTIONS with 200" in probe.communicate()[0]
    probe = _probe(streams, names[1])
    with pytest.raises(ssl.SSLError):
        wrong.answer()
    assert "no answer to OPTIONS (transport)" in probe.communicate()[0]
    assert "certificate verify failed" in streams.tail(50)
    streams.vosctl("param", "set", "SS_SIP_TLS_VERIFY=off", "--gateway", names[1])
    probe = _probe(streams, names[1])
    wrong.answer()
    assert "OPTIONS with 200" in probe.communicate()[0]


def _probe(switch: PrivateSwitch, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vosctl", "--socket", str(switch.socket), "gateway", "probe", name],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_caller_without_certificate_is_refused_when_one_is_required(
    streams: EveryTransport, certificates: Certificates
) -> None:
    streams.vosctl("param", "set", "SS_SIP_TLS_CLIENTS=require")
    context = _client(certificates)
    assert not _answers(streams, context)
    context.load_cert_chain(*certificates.issue("customer", "DNS:customer.example"))
    assert _answers(streams, context)


def _answers(switch: EveryTransport, context: ssl.SSLContext) -> bool:
    raw = socket.create_connection((V4, switch.tls_port))
    with contextlib.suppress(OSError), context.wrap_socket(raw, server_hostname=V4) as tls:
        peer = Peer(tls)
        peer.send(request("OPTIONS", "1", "127.0.0.1:9", transport="TLS"))
        return peer.read().startswith("SIP/2.0 200")
    return False


def test_sighup_takes_a_new_certificate(
    streams: EveryTransport, certificates: Certificates
) -> None:
    context = _client(certificates)

    def serial() -> Any:
        raw = socket.create_connection((V4, streams.tls_port))
        with context.wrap_socket(raw, server_hostname=V4) as tls:
            return (tls.getpeercert() or {})["serialNumber"]

    before = serial()
    certificates.issue("switch", "IP:127.0.0.1")
    assert streams.process is not None
    streams.process.send_signal(signal.SIGHUP)
    eventually(lambda: serial() != before, what="the new certificate")


# phones


@needs("baresip")
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_registered_phones_hear_each_other(
    streams: EveryTransport, around: Field, tmp_path: Path, transport: str
) -> None:
    """Registered by TCP or TLS, both legs of the call on those connections, audio both ways."""
    one, two = around.prefix(), around.prefix()
    around.add_phone(one)
    around.add_phone(two)
    streams.vosctl(*MD5_ONLY)
    port = streams.port if transport == "tcp" else streams.tls_port
    domain = f"127.0.0.1:{port};transport={transport}"

    def account(number: str, mode: str) -> str:
        return f'auth_user={number};auth_pass="{PASSWORD}";regint=60;answermode={mode}'

    a = Baresip(tmp_path / "a", V4, one, domain, account(one, "manual"), 440)
    b = Baresip(tmp_path / "b", V4, two, domain, account(two, "auto"), 1000)
    try:
        eventually(lambda: around.phone(one)["registered"] and around.phone(two)["registered"],
                   what="both registered")  # fmt: skip
        assert f"/{transport}" in around.phone(two)["address"]
        a.command("dial", f"sip:{two}@{domain}")
        a.wait_for("CALL_ESTABLISHED")
        time.sleep(4)
        a.command("hangup")
        b.wait_for("CALL_CLOSED")
        time.sleep(0.5)
    finally:
        a.close()
        b.close()
    assert hears(b.heard()[-2 * RATE :], 440, [1000])
    assert hears(a.heard()[-2 * RATE :], 1000, [440])
    assert around.await_records([one])[one]["end_reason"] == "caller_hangup"


@needs("sipp", "kamailio")
@pytest.mark.parametrize(("caller", "callee"), [("uac", "uas"), ("uac_bye_from_callee", "uas_bye")])
def test_calls_through_a_record_routing_proxy_on_tcp(
    streams: EveryTransport, around: Field, tmp_path: Path, caller: str, callee: str
) -> None:
    proxy_host, vendor = "127.0.0.4", vendor_of(V4)
    proxy_port, callee_port = free_port(proxy_host), free_port(vendor)
    streams.vosctl(
        "gateway", "add", "front", "--kind", "mapping",
        "--address", endpoint(proxy_host, proxy_port), "--auth", "ip",
    )  # fmt: skip
    add_stream_vendor(around, "44", proxy_host, proxy_port, "tcp")
    words = {
        "TRANSPORT": "tcp",
        "SWITCH": streams.address,
        "SWITCH_HOST": V4,
        "CALLEE": endpoint(vendor, callee_port),
    }
    proxy = Kamailio(tmp_path / "proxy", proxy_host, proxy_port, words)
    try:
        uas = around.callee(callee, host=vendor, port=callee_port, options=TCP)
        callers = around.callers(5)
        done = around.caller(
            caller, callers, "4420", remote=endpoint(proxy_host, proxy_port), hold_ms=500,
            options=TCP,
        ).wait(20)  # fmt: skip
        assert (done.successful, done.failed) == (5, 0), done.errors
        assert uas.end().successful == 5
    finally:
        proxy.close()


def _family(host: str) -> int:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
