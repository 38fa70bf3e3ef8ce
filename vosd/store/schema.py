# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables, as SQLAlchemy metadata; `migrations/versions` leads to the same schema.

The columns of `calls` follow the fields of `wire.records.Cdr`, so a record becomes a row by
position. Its secondary indexes leave open rows out: a call is indexed once, when it is final.
Evidence lies apart, so that listing and exporting records does not read it.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

#: every revision in order; the last is what `metadata` describes
REVISIONS = ("0001", "0002", "0003")
HEAD = REVISIONS[-1]

metadata = MetaData()

gateways = Table(
    "gateways",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("addresses", JSON, nullable=False),
    Column("auth", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("ha1_md5", Text, nullable=False),
    Column("ha1_sha256", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("prefixes", JSON, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
)

#: gateways we register with; `registrar` is host, port, transport, or empty: the gateway itself
outward = Table(
    "outward",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("active", Boolean, nullable=False),
    Column("registrar", JSON, nullable=False),
    Column("domain", Text, nullable=False),
)

phones = Table(
    "phones",
    metadata,
    Column("number", Text, primary_key=True),
    Column("ha1_md5", Text, nullable=False),
    Column("ha1_sha256", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("display", Text, nullable=False),
    Column("overrides", JSON, nullable=False),
)

bindings = Table(
    "bindings",
    metadata,
    Column("number", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("transport", Text, nullable=False),
    Column("local", Integer, nullable=False),
    Column("expires", Double, nullable=False),
    Column("registered", Double, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("cseq", Integer, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("nat", Boolean, nullable=False),
    PrimaryKeyConstraint("number", "contact"),
)

blacklist = Table(
    "blacklist",
    metadata,
    Column("number", Text, nullable=False),
    Column("prefix", Boolean, nullable=False),
    Column("side", Text, nullable=False),
    Column("expires", Double),
    Column("why", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    PrimaryKeyConstraint("number", "prefix", "side"),
)

#: gateway "" is the global value
parameters = Table(
    "parameters",
    metadata,
    Column("name", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("source", Text, nullable=False),
    PrimaryKeyConstraint("name", "gateway"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("uid", Integer, nullable=False),
    Column("user", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("why", Text, nullable=False),
    Index("audit_subject", "subject", "id"),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("callee", Text, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("routing", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ringing_at", Double),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("duration_s", Double, nullable=False),
    Column("end_reason", Text, nullable=False),
    Column("ended_by", Text, nullable=False),
    Column("sip_code", Integer, nullable=False),
    Column("q850", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("alive_at", Double),
    PrimaryKeyConstraint("id", "node"),
)

OPEN = text("state = 'open'")
#: spelled as in the partial indexes, or SQLite does not use them
FINAL = text("state <> 'open'")

Index("calls_open", calls.c.node, sqlite_where=OPEN, postgresql_where=OPEN)
#: gateway and reason are looked for along the time: one index page a batch instead of one for
#: each gateway, and the answer needs no look at the rows that do not fit
for _name, _columns in (
    ("calls_time", ("started_at", "mapping", "routing", "end_reason")),
    ("calls_caller", ("caller", "started_at")),
    ("calls_callee", ("callee", "started_at")),
):
    Index(_name, *(calls.c[c] for c in _columns), sqlite_where=FINAL, postgresql_where=FINAL)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", "node"),
)

#: secrets of the switch itself, shared by the nodes of one database
keys = Table(
    "keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

#: alembic's own table, made here for a fresh database so that alembic is not imported
versions = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
