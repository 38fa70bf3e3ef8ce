# SPDX-License-Identifier: GPL-2.0-or-later
"""What vosd(8) and vosd.toml(5) say; tests hold it against the program and its file's keys."""

from __future__ import annotations

import msgspec

#: option -> meaning
OPTIONS = {
    "--config FILE": "Read FILE, see vosd.toml(5). Without it the embedded defaults are used.",
    "--check": "Check the file and exit: 0 when it is good, 2 with file, key and line of every"
    " mistake"
    " when not. Nothing is created.",
    "--version": "Show the version.",
    "--help": "Show the options.",
}

ABOUT = (
    "vosd switches SIP calls between customers (mapping gateways and registered phones) and"
    " vendors (routing gateways), relays and measures their RTP, screens and limits them, and"
    " writes the call records. Everything an operator changes is set by vosctl(1) while it runs;"
    " nothing but the listening sockets needs a restart.",
    "Only one vosd can hold a state directory and a control socket; a second one refuses to start"
    " and says why.",
)

SIGNALS = {
    "SIGTERM, SIGINT": "Drain: new calls are answered 503 with Retry-After, live calls go on for"
    " SERVER_DRAIN_TIMEOUT at most. A second one ends them at once.",
    "SIGHUP": "Read the configuration file again; a bad file changes nothing. Keys that need a"
    " restart are named in the log.",
}

EXIT = {
    "0": "It ended as told.",
    "1": "It cannot run: the state is in use, a socket or the database cannot be opened.",
    "2": "A bad option or file.",
}

FILES = {
    "/etc/vos/vosd.toml": "The configuration file where the service unit looks for it.",
    "/var/lib/vosd/vosd.db": "Configuration, records and audit, where root or the service unit runs"
    " vosd; for other users $XDG_STATE_HOME/vosd/vosd.db, else ~/.local/state/vosd/vosd.db.",
    "/run/vosd/control.sock": "The control socket, where root or the service unit runs vosd; for"
    " other users $XDG_RUNTIME_DIR/vosd/control.sock, else beside the database.",
}


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key of the file; `table` "" is the top level."""

    table: str
    name: str
    default: str
    meaning: str


KEYS = (
    Key(table="", name="node", default="the host's name",
        meaning="Name of this node in records and status."),
    Key(table="", name="state_dir", default="/var/lib/vosd as root, and $STATE_DIRECTORY in the"
        " service; else $XDG_STATE_HOME/vosd or ~/.local/state/vosd",
        meaning="Where the database and the lock lie. Made at start when it is not there; every"
        " path in the file is absolute."),
    Key(table="", name="control_socket", default="/run/vosd/control.sock as root, and under"
        " $RUNTIME_DIRECTORY in the service; else $XDG_RUNTIME_DIR/vosd/control.sock or beside the"
        " database",
        meaning="Unix socket vosctl(1) speaks to. Group vos may read, root and group vos-admin may"
        " change."),
    Key(table="", name="database_url", default="sqlite:///STATE_DIR/vosd.db",
        meaning="The store. This version uses SQLite only."),
    Key(table="", name="media_address", default="the first listen address that is no wildcard,"
        " else the default route's",
        meaning="IP address written into SDP for audio the switch relays, for parties of its"
        " family; the other family is told its listen address."),
    Key(table="[[listen]]", name="address", default="0.0.0.0:5060",
        meaning="IP address and port to take SIP on; [2001:db8::5]:5060 for IPv6. Without a port"
        " 5060, for tls 5061. The table may stand several times."),
    Key(table="[[listen]]", name="transport", default="udp",
        meaning="udp, tcp or tls. tls needs [tls]."),
    Key(table="[tls]", name="certificate", default="none",
        meaning="PEM file of the certificate shown to peers, with its chain."),
    Key(table="[tls]", name="private_key", default="none",
        meaning="PEM file of the certificate's key, without pass phrase."),
    Key(table="[tls]", name="authorities", default="the system's",
        meaning="PEM file of the authorities peers are verified with."),
    Key(table="[log]", name="level", default="info", meaning="debug, info, warning or error."),
    Key(table="[log]", name="format", default="text", meaning="text or json, one line a record."),
)

EXAMPLE = """\
node = "edge-1"
media_address = "203.0.113.5"

[[listen]]
address = "203.0.113.5:5060"
transport = "udp"

[log]
level = "info"
format = "json"
"""
