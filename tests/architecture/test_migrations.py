from io import StringIO

import pytest
from django.core.management import call_command
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

OURS = {"accounts", "history", "programs", "api", "ledger", "purchases", "rewards", "moving", "rehearsals", "webhooks"}
# Each takes the place of one over fewer columns, so that every row that was there fits it.
WIDENED = {
    "programs_rulecap_rule_unique", "programs_rulecap_group_unique",
    "programs_tiercondition_measure_unique", "programs_tiercondition_unit_unique",
}  # fmt: skip


def changes_of_standing_tables():
    """Return (migration, operation) for what later migrations do to tables that they do not make themselves."""
    found = []
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        if app in OURS and not migration.initial:
            made = {one.name_lower for one in migration.operations if isinstance(one, migrations.CreateModel)}
            found += [(name, one) for one in migration.operations if getattr(one, "model_name_lower", None) not in made]
    return found


def refuses_rows_of_older_code(field):
    return not field.null and not field.many_to_many and not field.has_db_default()


@pytest.mark.django_db
def test_no_migration_is_pending():
    said = StringIO()

    call_command("makemigrations", check_changes=True, dry_run=True, stdout=said)

    assert said.getvalue().strip() == "No changes detected"


def test_column_added_to_a_standing_table_is_null_or_has_a_default_in_the_database():
    breaking = [
        (name, one.model_name, one.name)
        for name, one in changes_of_standing_tables()
        if isinstance(one, migrations.AddField) and refuses_rows_of_older_code(one.field)
    ]

    assert breaking == []


def test_unique_constraint_added_to_a_standing_table_takes_the_place_of_a_narrower_one():
    added = {
        one.constraint.name
        for _name, one in changes_of_standing_tables()
        if isinstance(one, migrations.AddConstraint) and isinstance(one.constraint, models.UniqueConstraint)
    }

    assert added == WIDENED
