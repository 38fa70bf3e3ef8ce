# SPDX-License-Identifier: GPL-2.0-or-later
"""The foreign programs interop needs, and the sentence that says which one is missing."""

from __future__ import annotations

import os
import shutil
import socket

import pytest

#: program to Debian package
PACKAGES = {
    "sipp": "sip-tester",
    "baresip": "baresip-core",
    "kamailio": "kamailio",
    "tshark": "tshark",
    "systemd-analyze": "systemd",
    "nft": "nftables",
    "ip": "iproute2",
}


def path_of(program: str) -> str | None:
    """Where the program is; servers live in /usr/sbin, which a user's PATH may leave out."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip, naming every missing program and its Debian package."""
    missing = [name for name in programs if path_of(name) is None]
    named = ", ".join(f"{name} (Debian package {PACKAGES[name]})" for name in missing)
    return pytest.mark.skipif(bool(missing), reason=f"did not run, not installed: {named}")


def has_ipv6() -> bool:
    """Whether loopback speaks IPv6; some containers leave it out."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
