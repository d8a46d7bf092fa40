"""Keys as for a spread-out database: hot tables carry ``program_id``, and what is unique is unique in a program."""

import uuid

import pytest
from django.apps import apps
from django.db import connection

OURS = (
    "accounts",
    "history",
    "programs",
    "api",
    "ledger",
    "purchases",
    "rewards",
    "moving",
    "rehearsals",
    "webhooks",
    "engagement",
    "insights",
)
# What few rows stand in, and staff alone write: who, and what is promised.
COOL = {
    "accounts_business", "accounts_user", "accounts_user_groups", "accounts_user_user_permissions",
    "accounts_staffrole", "history_change", "accounts_customer", "programs_program", "programs_unit", "programs_store",
    "programs_apikey", "programs_programversion", "programs_unitterms", "programs_tier", "programs_tiercondition",
    "programs_tierexpiry", "programs_tierbenefit", "programs_eventtype", "programs_rulegroup", "programs_rule",
    "programs_tierrate", "programs_rulecap", "programs_ruleclause", "programs_rulelinerate", "programs_reward",
    "programs_rewardtier", "programs_rewardlimit", "programs_rewardclause",
}  # fmt: skip


def our_models():
    return [model for label in OURS for model in apps.get_app_config(label).get_models(include_auto_created=True)]


def hot_models():
    return [model for model in our_models() if model._meta.db_table not in COOL]


def named(model):
    return model._meta.db_table


def test_every_table_called_cool_exists():
    assert {named(model) for model in our_models()} >= COOL


@pytest.mark.django_db
@pytest.mark.parametrize("model", hot_models(), ids=named)
def test_hot_table_carries_its_program(model):
    with connection.cursor() as cursor:
        columns = {
            column.name: column for column in connection.introspection.get_table_description(cursor, named(model))
        }

    assert "program_id" in columns
    assert columns["program_id"].null_ok is False


@pytest.mark.django_db
@pytest.mark.parametrize("model", hot_models(), ids=named)
def test_every_unique_constraint_of_a_hot_table_but_its_primary_key_contains_the_program(model):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, named(model))

    breaking = {
        name: constraint["columns"]
        for name, constraint in found.items()
        if constraint["unique"] and not constraint["primary_key"] and "program_id" not in constraint["columns"]
    }

    assert breaking == {}


@pytest.mark.parametrize("model", hot_models(), ids=named)
def test_no_sequence_feeds_a_hot_key(model):
    key = model._meta.pk
    while key.remote_field:
        key = key.remote_field.model._meta.pk

    assert key.get_internal_type() == "UUIDField"
    assert isinstance(key.get_default(), uuid.UUID)
