"""Empties the tables between tests that commit, past the triggers that refuse it."""

from __future__ import annotations

from django.db import connection

from accounts.history import triggers as history_triggers
from loyalty.ledger import triggers as ledger_triggers
from programs import triggers as terms_triggers

MODULES = (ledger_triggers, terms_triggers, history_triggers)
KEPT = {"django_migrations", "django_content_type", "auth_permission"}


def empty_all_tables() -> None:
    """Delete every row but those that migrations made; the triggers are dropped for that moment only."""
    for triggers in MODULES:
        triggers.remove(connection)
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name not in KEPT]
        quoted = [connection.ops.quote_name(name) for name in tables]
        if connection.vendor == "postgresql":
            cursor.execute("SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM {name})" for name in quoted))
            filled = [name for name, is_filled in zip(quoted, cursor.fetchone(), strict=True) if is_filled]
            if filled:
                cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
        else:
            cursor.execute("PRAGMA foreign_keys = OFF")
            for name in quoted:
                cursor.execute(f"DELETE FROM {name}")
            cursor.execute("PRAGMA foreign_keys = ON")
    for triggers in MODULES:
        triggers.install(connection)
