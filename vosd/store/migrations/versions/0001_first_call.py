# SPDX-License-Identifier: GPL-2.0-or-later
"""The first schema: configuration, registrations, call records, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_OPEN = sa.text("state = 'open'")
_FINAL = sa.text("state <> 'open'")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    _configuration()
    _registrations()
    _records()


def _configuration() -> None:
    op.create_table(
        "gateways",
        *_texts("name", "kind"),
        sa.Column("addresses", sa.JSON(), nullable=False),
        *_texts("auth", "user", "ha1_md5", "ha1_sha256", "password"),
        sa.Column("prefixes", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        *_texts("account"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "blacklist",
        *_texts("number"),
        sa.Column("prefix", sa.Boolean(), nullable=False),
        *_texts("side"),
        sa.Column("expires", sa.Double()),
        *_texts("why"),
        sa.Column("created", sa.Double(), nullable=False),
        *_texts("created_by"),
        sa.PrimaryKeyConstraint("number", "prefix", "side"),
    )
    op.create_table(
        "parameters",
        *_texts("name", "gateway", "value", "source"),
        sa.PrimaryKeyConstraint("name", "gateway"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("uid", sa.Integer(), nullable=False),
        *_texts("user", "verb", "subject", "old", "new", "why"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_subject", "audit", ["subject", "id"])


def _registrations() -> None:
    op.create_table(
        "phones",
        *_texts("number", "ha1_md5", "ha1_sha256", "account"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        *_texts("display"),
        sa.Column("overrides", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "bindings",
        *_texts("number", "contact", "host"),
        sa.Column("port", sa.Integer(), nullable=False),
        *_texts("transport"),
        sa.Column("local", sa.Integer(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("registered", sa.Double(), nullable=False),
        *_texts("call_id"),
        sa.Column("cseq", sa.Integer(), nullable=False),
        *_texts("user_agent"),
        sa.Column("nat", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", "contact"),
    )


def _records() -> None:
    op.create_table(
        "calls",
        *_texts("id", "node", "caller", "callee", "mapping", "routing"),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("ringing_at", sa.Double()),
        sa.Column("answered_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.Column("duration_s", sa.Double(), nullable=False),
        *_texts("end_reason", "ended_by"),
        sa.Column("sip_code", sa.Integer(), nullable=False),
        sa.Column("q850", sa.Integer(), nullable=False),
        *_texts("state"),
        sa.Column("alive_at", sa.Double()),
        sa.PrimaryKeyConstraint("id", "node"),
    )
    op.create_index("calls_open", "calls", ["node"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    for name, columns in (
        ("calls_time", ["started_at", "mapping", "routing", "end_reason"]),
        ("calls_caller", ["caller", "started_at"]),
        ("calls_callee", ["callee", "started_at"]),
    ):
        op.create_index(name, "calls", columns, sqlite_where=_FINAL, postgresql_where=_FINAL)
    op.create_table(
        "evidence",
        *_texts("id", "node"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", "node"),
    )
