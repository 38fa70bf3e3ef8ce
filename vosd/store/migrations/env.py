# SPDX-License-Identifier: GPL-2.0-or-later
"""Alembic's entry: migrates the connection that `vosd.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from vosd.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
