# SPDX-License-Identifier: GPL-2.0-or-later
"""`vosd.toml`: every refusal names file, line, key, and what would be accepted (cli.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from vosd.config import ConfigError, load, split_address

WHOLE = """\
node = "edge-1"
state_dir = "/tmp/state"
control_socket = "/tmp/run/control.sock"
database_url = "sqlite:////tmp/state/vosd.db"
media_address = "203.0.113.5"

[[listen]]
address = "203.0.113.5:5060"
transport = "udp"

[[listen]]
address = "[2001:db8::5]:5070"

[log]
level = "debug"
format = "json"
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    path = tmp_path / "vosd.toml"
    path.write_text(WHOLE)
    config = load(path)
    assert (config.node, config.media_address) == ("edge-1", "203.0.113.5")
    assert config.listens() == [("203.0.113.5", 5060), ("2001:db8::5", 5070)]
    assert (config.log.level, config.log.format) == ("debug", "json")


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "vosd.toml"
    path.write_text("")
    config = load(path)
    assert config.listens() == [("0.0.0.0", 5060)]
    assert config.database_url == f"sqlite:///{config.state_dir}/vosd.db"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('node = "a"\nnodes = 3\n', " line 2: Object contains unknown field `nodes`"),
        ('state_dir = 7\n', " line 1: Expected `str`, got `int` - at `$.state_dir`"),
        ('node = "a"\nmedia_address = "999.1.1.1"\n',
         " line 2: media_address = '999.1.1.1' is no IP address, for instance 203.0.113.5"),
        ('[log]\nlevel = "loud"\n',
         " line 2: level = 'loud', accepted is debug, info, warning, error"),
        ('[[listen]]\naddress = "example.org:5060"\n',
         " line 2: cannot listen on 'example.org:5060': give an IP address and port, "
         "for instance 203.0.113.5:5060 or [2001:db8::5]:5060"),
        ('[[listen]]\naddress = "1.2.3.400:5060"\n',
         " line 2: cannot listen on '1.2.3.400:5060': '1.2.3.400' is no IP address"),
        ('[[listen]]\naddress = "1.2.3.4"\ntransport = "sctp"\n',
         " line 3: transport = 'sctp', accepted is udp"),
    ],
)
def test_a_bad_key_names_file_line_and_what_is_accepted(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "vosd.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == f"cannot use {path}{problem}"


def test_bad_toml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "vosd.toml"
    path.write_text('node = "a"\nnode\n')
    with pytest.raises(ConfigError, match=r"cannot read .*vosd\.toml: .*line 2"):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*nowhere\.toml"):
        load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("text", ["", "1.2.3.4:99999", "::1:5060", "host:1", "1.2.3.4:x"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="cannot listen on"):
        split_address(text)
