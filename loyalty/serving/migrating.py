"""What ``serve`` asks about the database before it migrates."""

from __future__ import annotations

from pathlib import Path

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def database_file() -> Path | None:
    """Return the SQLite file, or None where the database is a server that its operator backs up."""
    return Path(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else None


def has_pending_migrations() -> bool:
    """Return whether the database is older than this code."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
