# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the numbered migrations. Imported only when there is one to run: alembic takes 0.5 s."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def config() -> Config:
    """Alembic's configuration without a file; the scripts are found in the package."""
    made = Config()
    made.set_main_option("script_location", "vosd.store:migrations")
    made.set_main_option("path_separator", "os")
    return made


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Bring the schema to `revision` inside the caller's transaction."""
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, revision)
