# SPDX-License-Identifier: GPL-2.0-or-later
"""`vosd.toml`: every refusal names file, line, key, value and what would be accepted (cli.md)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from vosd.config import ConfigError, Listening, Log, Tls, default_dirs, load
from vosd.keyfile import LARGEST, SHOWN

WHOLE = """\
node = "edge-1"
state_dir = "/tmp/state"
control_socket = "/tmp/run/control.sock"
database_url = "sqlite:////tmp/state/vosd.db"
media_address = "203.0.113.5"

[[listen]]
address = "203.0.113.5:5070"
transport = "udp"

[[listen]] # a comment
address = "[2001:DB8::0:5]"

[[listen]]
address = "203.0.113.5"
transport = "tcp"

[[listen]]
address = "203.0.113.5"
transport = "tls"

[tls]
certificate = "CERT"
private_key = "KEY"

[log]
level = "debug"
format = "json"
"""

NODE = "accepted is 1 to 64 printable characters without spaces"
PATH = "accepted is the absolute path of a directory, for instance /var/lib/vosd"
SOCKET = ("accepted is the absolute path of a socket, at most 107 octets, for instance"
          " /run/vosd/control.sock")  # fmt: skip
DATABASE = ("accepted is sqlite:/// and an absolute path, for instance"
            " sqlite:////var/lib/vosd/vosd.db")  # fmt: skip
ADDRESS = ("accepted is an IP address of this machine and a port from 1 to 65535, for instance"
           " 203.0.113.5:5060 or [2001:db8::5]:5060")  # fmt: skip
MEDIA = "accepted is an IP address others can send to, for instance 203.0.113.5"
TEXT = "accepted is text in double quotes"
TLS = "accepted is a table [tls] with certificate and private_key"
PEM = "accepted is the absolute path of a PEM file with a"
TOML = 'is not TOML, accepted is KEY = "VALUE", [TABLE], [[TABLE]] and # before a comment'


def listens(*rows: tuple[str, str]) -> str:
    """The tables of these addresses and transports: three lines each."""
    return "".join(f'[[listen]]\naddress = "{a}"\ntransport = "{t}"\n' for a, t in rows)


def written(directory: Path, text: str | bytes) -> Path:
    path = directory / "vosd.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusals(path: Path) -> list[str]:
    """What `load` says of the file, without the words every line begins with."""
    with pytest.raises(ConfigError) as caught:
        load(path)
    problems = str(caught.value).splitlines()
    begins = (f"cannot use {path}", f"cannot read {path}")
    assert all(problem.startswith(begins) for problem in problems)
    return [problem.partition(str(path))[2] for problem in problems]


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with cert.pem and its key.pem, another.pem that is no key of it, locked.pem."""
    directory = tmp_path_factory.mktemp("pem")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    for cert, key in (("cert.pem", "key.pem"), ("else.pem", "another.pem")):
        openssl("req", "-x509", *curve, "-nodes", "-subj", "/CN=edge-1",
                "-out", f"{directory}/{cert}", "-keyout", f"{directory}/{key}")  # fmt: skip
    openssl("genrsa", "-out", f"{directory}/rsa.pem", "1024")
    openssl("pkcs8", "-topk8", "-in", f"{directory}/key.pem", "-out", f"{directory}/locked.pem",
            "-passout", "pass:secret")  # fmt: skip
    (directory / "torn.pem").write_text("-----BEGIN CERTIFICATE-----\nMII\n")
    return directory


def test_every_key_is_read(tmp_path: Path, pem: Path) -> None:
    text = WHOLE.replace("CERT", f"{pem}/cert.pem").replace("KEY", f"{pem}/key.pem")
    config = load(written(tmp_path, text))
    assert (config.node, config.media_address) == ("edge-1", "203.0.113.5")
    assert (config.state_dir, config.control_socket) == ("/tmp/state", "/tmp/run/control.sock")
    # RFC 3261 19.1.2: 5060, and 5061 over TLS
    assert config.listens() == [
        Listening("udp", "203.0.113.5", 5070),
        Listening("udp", "2001:db8::5", 5060),
        Listening("tcp", "203.0.113.5", 5060),
        Listening("tls", "203.0.113.5", 5061),
    ]
    assert config.tls == Tls(certificate=f"{pem}/cert.pem", private_key=f"{pem}/key.pem")
    assert config.log == Log(level="debug", format="json")


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    config = load(written(tmp_path, ""))
    assert config == load(None)
    assert config.listens() == [Listening("udp", "0.0.0.0", 5060)]
    assert config.database_url == f"sqlite:///{config.state_dir}/vosd.db"
    assert config.tls is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # values
        ('node = ""\n', f' line 1: node = "", {NODE}'),
        ('node = "a b"\n', f' line 1: node = "a b", {NODE}'),
        ('node = "a\\nb"\n', f' line 1: node = "a\\nb", {NODE}'),
        (f'node = "{"n" * 65}"\n', f' line 1: node = "{"n" * 65}", {NODE}'),
        (f'node = "{"n" * 999}"\n', f' line 1: node = "{"n" * 75}...", {NODE}'),
        ('state_dir = "state"\n', f' line 1: state_dir = "state", {PATH}'),
        ('state_dir = "/etc/passwd"\n', f' line 1: state_dir = "/etc/passwd", {PATH}'),
        ('control_socket = ""\n', f' line 1: control_socket = "", {SOCKET}'),
        ('control_socket = "run/c.sock"\n', f' line 1: control_socket = "run/c.sock", {SOCKET}'),
        ('control_socket = "/tmp"\n', f' line 1: control_socket = "/tmp", {SOCKET}'),
        ('control_socket = "/a\\u0000b"\n', f' line 1: control_socket = "/a\\u0000b", {SOCKET}'),
        ('database_url = "mysql://u:secret@h/vos"\n',
         f' line 1: database_url = "mysql://***@h/vos", {DATABASE}'),
        ('database_url = "postgresql+psycopg://u:p@h/vos"\n',
         f' line 1: database_url = "postgresql+psycopg://***@h/vos", {DATABASE}'
         " (PostgreSQL is not supported yet)"),
        ('database_url = "sqlite:///vosd.db"\n',
         f' line 1: database_url = "sqlite:///vosd.db", {DATABASE}'),
        ('database_url = "sqlite://"\n', f' line 1: database_url = "sqlite://", {DATABASE}'),
        ('\nmedia_address = "999.1.1.1"\n', f' line 2: media_address = "999.1.1.1", {MEDIA}'),
        ('media_address = "0.0.0.0"\n', f' line 1: media_address = "0.0.0.0", {MEDIA}'),
        ('media_address = "224.0.0.1"\n', f' line 1: media_address = "224.0.0.1", {MEDIA}'),
        ('[log]\nlevel = "loud"\n',
         ' line 2: level = "loud", accepted is debug, info, warning, error'),
        ('[log]\n\nformat = "xml"\n', ' line 3: format = "xml", accepted is text, json'),
        # sockets
        ("listen = []\n", " line 1: listen = [], accepted is a table [[listen]] per socket"),
        ("[[listen]]\n",
         " line 1: [[listen]] has no address, accepted is an IP address and port"),
        (listens(("example.org:5060", "udp")), f' line 2: address = "example.org:5060", {ADDRESS}'),
        (listens(("1.2.3.400:5060", "udp")), f' line 2: address = "1.2.3.400:5060", {ADDRESS}'),
        (listens(("1.2.3.4:0", "udp")), f' line 2: address = "1.2.3.4:0", {ADDRESS}'),
        (listens(("1.2.3.4:65536", "udp")), f' line 2: address = "1.2.3.4:65536", {ADDRESS}'),
        (listens(("1.2.3.4:", "udp")), f' line 2: address = "1.2.3.4:", {ADDRESS}'),
        (listens(("::1:5060", "udp")), f' line 2: address = "::1:5060", {ADDRESS}'),
        (listens(("[1.2.3.4]:5060", "udp")), f' line 2: address = "[1.2.3.4]:5060", {ADDRESS}'),
        (listens(("[fe80::1%lo]", "udp")), f' line 2: address = "[fe80::1%lo]", {ADDRESS}'),
        (listens(("1.2.3.4", "sctp")), ' line 3: transport = "sctp", accepted is udp, tcp, tls'),
        (listens(("1.2.3.4", "udp"), ("1.2.3.4:5060", "udp")),
         ' line 5: address = "1.2.3.4:5060/udp" is taken by 1.2.3.4:5060/udp of line 2,'
         " accepted is another port or address"),
        (listens(("1.2.3.4", "udp"), ("0.0.0.0", "udp")),
         ' line 5: address = "0.0.0.0:5060/udp" is taken by 1.2.3.4:5060/udp of line 2,'
         " accepted is another port or address"),
        (listens(("[::]", "tcp"), ("[::1]", "tcp")),
         ' line 5: address = "[::1]:5060/tcp" is taken by [::]:5060/tcp of line 2,'
         " accepted is another port or address"),
        (listens(("1.2.3.4:5061", "tls")),
         f' line 3: transport = "tls" has no certificate, {TLS}'),
        # types
        ("state_dir = 7\n", f" line 1: state_dir = 7, {TEXT}"),
        ("node = true\n", f" line 1: node = true, {TEXT}"),
        ("node = 2026-01-01\n", f' line 1: node = "2026-01-01", {TEXT}'),
        ("[node]\na = 1\n", f" line 1: node = a table, {TEXT}"),
        ('log = "info"\n', ' line 1: log = "info", accepted is a table [log]'),
        ("tls = []\n", " line 1: tls = [], accepted is a table [tls]"),
        ("[[log]]\n", " line 1: log = a list, accepted is a table [log]"),
        ('[listen]\naddress = "1.2.3.4"\n',
         " line 1: listen = a table, accepted is a table [[listen]] per socket"),
        ("listen = 5060\n", " line 1: listen = 5060, accepted is a table [[listen]] per socket"),
        ('listen = [\n{address = "x"}]\n', f' line 1: address = "x", {ADDRESS}'),
        # keys
        ('node = "a"\nnodes = 3\n', ' line 2: there is no key "nodes", accepted is node'),
        ("[lgo]\n", ' line 1: there is no key "lgo", accepted is log'),
        ('[log]\nlevle = "info"\n',
         ' line 2: there is no key "levle" in [log], accepted is level'),
        ('[log]\nlevel = "info"\nnode = "a"\n',
         ' line 3: there is no key "node" in [log], accepted is node above the first [TABLE]'),
        ('certificate = "/x"\n',
         ' line 1: there is no key "certificate", accepted is certificate in [tls]'),
        ("[log]\nxyzzy = 1\n",
         ' line 2: there is no key "xyzzy" in [log], accepted is level, format'),
        # no TOML
        ('node = "a"\nnode = "b"\n',
         " line 2 column 11: node stands on line 1 already, accepted is once"),
        ("[log]\n[log]\n", " line 2 column 5: log stands on line 1 already, accepted is once"),
        (listens(("1.2.3.4", "udp")) + 'address = "x"\n',
         " line 4 column 14: listen[0].address stands on line 2 already, accepted is once"),
        ("listen = []\n[[listen]]\n",
         " line 2 column 9: listen stands on line 1 already, accepted is once"),
        ("node = edge\n", f' line 1 column 8: "node = edge" {TOML}'),
        (listens(("1.2.3.4", "udp")) + "[[listen]\n",
         f' line 4 column 9: "[[listen]" {TOML}'),
    ],
)  # fmt: skip
def test_a_mistake_is_told_whole(tmp_path: Path, text: str, problem: str) -> None:
    assert refusals(written(tmp_path, text)) == [problem]


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        # a socket is a protocol, an address and a port; IPv6 sockets take IPv6 only
        ([("0.0.0.0", "udp"), ("[::]", "udp"), ("0.0.0.0", "tcp")], 3),
        ([("1.2.3.4", "udp"), ("1.2.3.5", "udp"), ("1.2.3.4:5061", "udp")], 3),
    ],
)
def test_sockets_beside_each_other(
    tmp_path: Path, rows: list[tuple[str, str]], count: int
) -> None:
    assert len(load(written(tmp_path, listens(*rows))).listens()) == count


def test_tcp_and_tls_share_no_port(tmp_path: Path, pem: Path) -> None:
    text = listens(("1.2.3.4:5060", "tcp"), ("1.2.3.4:5060", "tls"))
    text += f'[tls]\ncertificate = "{pem}/cert.pem"\nprivate_key = "{pem}/key.pem"\n'
    assert refusals(written(tmp_path, text)) == [
        ' line 5: address = "1.2.3.4:5060/tls" is taken by 1.2.3.4:5060/tcp of line 2,'
        " accepted is another port or address"
    ]


def test_all_mistakes_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = '[log]\nlevel = "loud"\n' + listens(("1.2.3.4:0", "sctp")) + "[tls]\n"
    assert [problem.partition(":")[0] for problem in refusals(written(tmp_path, text))] == [
        " line 2", " line 4", " line 5", " line 6", " line 6",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "problems"),
    [
        ({"certificate": "cert.pem"},
         [" line 1: [tls] has no private_key, accepted is a certificate and its private_key"]),
        ({"certificate": "cert.pem", "private_key": "gone.pem"},
         [f' line 3: private_key = "DIR/gone.pem", {PEM} private key (there is no such file)']),
        ({"certificate": ".", "private_key": "key.pem"},
         [f' line 2: certificate = "DIR/.", {PEM} certificate (it is a directory)']),
        ({"certificate": "key.pem", "private_key": "cert.pem"},
         [f' line 2: certificate = "DIR/key.pem", {PEM} certificate',
          f' line 3: private_key = "DIR/cert.pem", {PEM} private key']),
        ({"certificate": "cert.pem", "private_key": "another.pem"},
         [' line 3: private_key = "DIR/another.pem", accepted is the key of DIR/cert.pem, this one'
          " belongs to another"]),
        ({"certificate": "cert.pem", "private_key": "rsa.pem"},
         [' line 3: private_key = "DIR/rsa.pem", accepted is the key of DIR/cert.pem, this one'
          " belongs to another"]),
        ({"certificate": "cert.pem", "private_key": "locked.pem"},
         [' line 3: private_key = "DIR/locked.pem", accepted is a key without a pass phrase']),
        ({"certificate": "torn.pem", "private_key": "key.pem"},
         [' line 2: certificate = "DIR/torn.pem", accepted is a chain in PEM that TLS takes, this'
          " one is torn or too weak"]),
        ({"certificate": "cert.pem", "private_key": "key.pem", "authorities": "torn.pem"},
         [' line 4: authorities = "DIR/torn.pem", accepted is certificates in PEM; this file'
          " cannot be read"]),
    ],
)  # fmt: skip
def test_certificate_and_key(
    tmp_path: Path, pem: Path, names: dict[str, str], problems: list[str]
) -> None:
    rows = [f'{key} = "{pem}/{name}"\n' for key, name in names.items()]
    found = refusals(written(tmp_path, "[tls]\n" + "".join(rows)))
    assert [problem.replace(str(pem), "DIR") for problem in found] == problems


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, ": there is no such file, accepted is the path of a file"),
        (b'# caf\xc3\xa9\nnode = "caf\xe9"\n',
         " line 2: octet 0xe9 is not UTF-8, accepted is text in UTF-8"),
        (b"#" * (LARGEST + 1),
         ": it is larger than 1048576 octets, accepted is a file of vosd.toml(5)"),
        (b"a = " + b"[" * 100_000,
         ": a value is nested too deeply or a number too long, accepted is text, [TABLE] and"
         " [[TABLE]]"),
        (b"a = " + b"9" * 100_000,
         ": a value is nested too deeply or a number too long, accepted is text, [TABLE] and"
         " [[TABLE]]"),
        (b"[[listen]]\n" * 90_000,
         " line 1: 90000 [[listen]] tables, accepted is at most 256"),
    ],
)  # fmt: skip
def test_files_that_are_none(tmp_path: Path, data: bytes | None, problem: str) -> None:
    """Reliability row 24: what is no configuration costs a sentence."""
    path = tmp_path / "vosd.toml" if data is None else written(tmp_path, data)
    assert refusals(path) == [problem]


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert refusals(tmp_path) == [": it is a directory, accepted is the path of a file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.chmod(0)
    assert refusals(path) == [": this user may not read it, accepted is the path of a file"]


def test_a_hundred_thousand_keys_are_told_as_twenty(tmp_path: Path) -> None:
    """Reliability row 24."""
    path = written(tmp_path, "".join(f"k{number}=1\n" for number in range(100_000)))
    found = refusals(path)
    assert found[0].startswith(' line 1: there is no key "k0", accepted is node, ')
    assert found[SHOWN:] == [": there are more problems than these 20"]


@pytest.mark.parametrize(
    ("media", "listen", "doubted"),
    [
        ("203.0.113.5", "10.0.0.1", False),
        ("2001:db8::5", "10.0.0.1", True),
        ("203.0.113.5", "[::]", True),
    ],
)
def test_media_of_a_family_nobody_calls_by(
    tmp_path: Path, media: str, listen: str, doubted: bool
) -> None:
    """Legal (SDP may name either family whatever carries SIP), but rarely meant: told, taken."""
    text = f'media_address = "{media}"\n{listens((listen, "udp"))}'
    doubts = load(written(tmp_path, text)).doubts()
    assert [doubt.partition(" is ")[0] for doubt in doubts] == (
        [f'media_address = "{media}"'] if doubted else []
    )


@pytest.mark.parametrize(
    ("environ", "uid", "state", "run"),
    [
        ({}, 0, "/var/lib/vosd", "/run/vosd"),
        ({"XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/r"}, 0, "/var/lib/vosd", "/run/vosd"),
        ({"HOME": "/h"}, 7, "/h/.local/state/vosd", "/h/.local/state/vosd"),
        ({"HOME": "/h", "XDG_RUNTIME_DIR": "/r"}, 7, "/h/.local/state/vosd", "/r/vosd"),
        ({"XDG_STATE_HOME": "/s"}, 7, "/s/vosd", "/s/vosd"),
        # the unit runs vosd as user vos with StateDirectory and RuntimeDirectory (systemd.exec(5))
        ({"HOME": "/h", "STATE_DIRECTORY": "/var/lib/vosd", "RUNTIME_DIRECTORY": "/run/vosd"}, 7,
         "/var/lib/vosd", "/run/vosd"),
    ],
)  # fmt: skip
def test_default_directories(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], uid: int, state: str, run: str
) -> None:
    for name in ("HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "STATE_DIRECTORY",
                 "RUNTIME_DIRECTORY"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    assert default_dirs() == (Path(state), Path(run))
