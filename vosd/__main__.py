# SPDX-License-Identifier: GPL-2.0-or-later
"""`vosd [--config FILE] [--check]`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from vosd import __version__, journal
from vosd.config import Config, ConfigError, load

log = logging.getLogger("vosd")

_EPILOG = """\
defaults: database and lock in /var/lib/vosd, control socket /run/vosd/control.sock as root and
as the service; for other users $XDG_STATE_HOME/vosd (else ~/.local/state/vosd) and
$XDG_RUNTIME_DIR/vosd/control.sock (else beside the database).

Operators run it with vosctl(1), as members of group vos; the file is vosd.toml(5).
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the daemon; 0 when it ended as told, 1 when it cannot run, 2 for a bad file or option."""
    options = _parser().parse_args(arguments)
    try:
        config = load(options.config)
    except ConfigError as error:
        for problem in str(error).splitlines():
            print(f"vosd: {problem}", file=sys.stderr)
        return 2
    if options.check:
        return _told(config, options.config)
    journal.configure(config.log.level, config.log.format)
    for doubt in config.doubts():
        log.warning("%s", doubt)
    for missing in config.missing():
        log.info("%s", missing)
    return _run(config, options.config)


def _told(config: Config, path: Path | None) -> int:
    """What a good file says, on one line; remarks beside it."""
    listens = " ".join(map(str, config.listens()))
    print(
        f"{path or 'embedded defaults'}: good; node {config.node}, listens on {listens}, "
        f"control socket {config.control_socket}, database {config.database_url}"
    )
    for remark in config.doubts() + config.missing():
        print(f"vosd: {remark}", file=sys.stderr)
    return 0


def _run(config: Config, path: Path | None) -> int:
    # only now: `--check` and `--help` need none of this
    from vosd.control.listener import ListenError
    from vosd.daemon import Daemon
    from vosd.net.sockets import SocketError
    from vosd.net.tls import TlsError
    from vosd.store.errors import StoreError

    async def serve() -> int:
        return await Daemon(config, path).run()

    try:
        return asyncio.run(serve())
    except (StoreError, ListenError, SocketError, TlsError) as error:
        print(f"vosd: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vosd",
        description="A VOS-style class-4/5 SIP softswitch.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="read FILE; without it, embedded defaults"
    )
    parser.add_argument("--check", action="store_true", help="check the file and exit")
    parser.add_argument("--version", action="version", version=f"vosd {__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
