# SPDX-License-Identifier: GPL-2.0-or-later
"""`vosd [--config FILE] [--check]`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from vosd import __version__, journal
from vosd.config import Config, ConfigError, load


def main(arguments: list[str] | None = None) -> int:
    """Run the daemon; 0 when it ended as told, 1 when it cannot run, 2 for a bad file or option."""
    options = _parser().parse_args(arguments)
    try:
        config = load(options.config)
    except ConfigError as error:
        print(f"vosd: {error}", file=sys.stderr)
        return 2
    if options.check:
        print(f"{options.config or 'embedded defaults'}: good")
        return 0
    journal.configure(config.log.level, config.log.format)
    return _run(config, options.config)


def _run(config: Config, path: Path | None) -> int:
    # only now: `--check` and `--help` need none of this
    from vosd.control.listener import ListenError
    from vosd.daemon import Daemon
    from vosd.net.udp import SocketError
    from vosd.store.errors import StoreError

    async def serve() -> int:
        return await Daemon(config, path).run()

    try:
        return asyncio.run(serve())
    except (StoreError, ListenError, SocketError) as error:
        print(f"vosd: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vosd",
        description="A VOS-style class-4/5 SIP softswitch.",
        epilog="Operators run it with vosctl(1); the file is vosd.toml(5).",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="read FILE; without it, embedded defaults"
    )
    parser.add_argument("--check", action="store_true", help="check the file and exit")
    parser.add_argument("--version", action="version", version=f"vosd {__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
