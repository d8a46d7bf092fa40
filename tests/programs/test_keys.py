import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError

from programs.keys import (
    DEFAULT_SCOPES,
    OVERLAP,
    SCOPES,
    BadStoreError,
    KeyClosedError,
    KeyRotatedError,
    UnknownScopeError,
    create_key,
    revoke_key,
    rotate_key,
)
from programs.models import ApiKey, Store
from tests.factories import make_key, make_program

pytestmark = pytest.mark.django_db


def test_create_key_keeps_only_the_digest_of_its_secret():
    key, secret = create_key(program=make_program(), name="Till 1", by=None)

    assert re.fullmatch(r"loy_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", secret)
    key.refresh_from_db()
    assert key.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert secret[4:12] == key.prefix
    assert not [value for value in vars(key).values() if secret in str(value)]


def test_create_key_twice_gives_two_secrets():
    program = make_program()
    secrets = {create_key(program=program, name="Till", by=None)[1] for _ in range(20)}

    assert len(secrets) == 20


def test_create_key_may_by_default_do_all_but_read_insights():
    key, _secret = create_key(program=make_program(), name="Till 1", by=None)

    assert key.scopes == list(DEFAULT_SCOPES)
    assert set(SCOPES) - set(DEFAULT_SCOPES) == {"insights:read"}


def test_create_key_with_an_unknown_scope_is_refused():
    with pytest.raises(UnknownScopeError) as refusal:
        create_key(program=make_program(), name="Till 1", scopes=["quotes", "everything"], by=None)

    assert refusal.value.scopes == ("everything",)
    assert ApiKey.objects.count() == 0


def test_revoke_key_closes_it_once_and_keeps_its_first_moment():
    key, _secret = make_key(program=make_program())

    assert revoke_key(key=key, by=None) is True
    first = ApiKey.objects.get().revoked_at
    assert revoke_key(key=key, by=None) is False

    assert ApiKey.objects.get().revoked_at == first
    assert list(ApiKey.objects.usable(at=datetime.now(UTC))) == []


# --- Stores and limits ---------------------------------------------------------------------------------------------


def test_create_key_for_stores_makes_those_that_are_new():
    program = make_program()
    Store.objects.create(business=program.business, code="s1")

    key, _secret = create_key(program=program, name="Till", stores=["s2", "s1", "s2"], by=None)

    assert key.stores == ["s1", "s2"]
    assert sorted(Store.objects.values_list("business", "code")) == [
        (program.business_id, "s1"),
        (program.business_id, "s2"),
    ]


@pytest.mark.parametrize("code", ["", "x" * 65, "a\x00b", "a\nb"])
def test_create_key_for_what_cannot_be_a_store_is_refused(code):
    with pytest.raises(BadStoreError):
        create_key(program=make_program(), name="Till", stores=["s1", code], by=None)

    assert (ApiKey.objects.count(), Store.objects.count()) == (0, 0)


def test_limit_of_a_key_is_positive():
    with pytest.raises(IntegrityError, match="programs_apikey_limit_positive"):
        create_key(program=make_program(), name="Till", limit_per_minute=0, by=None)


# --- Rotation ------------------------------------------------------------------------------------------------------


def test_rotate_key_gives_a_successor_that_may_do_the_same_and_closes_the_old_one_after_seven_days():
    program = make_program()
    old, old_secret = create_key(
        program=program, name="Till", scopes=["quotes"], stores=["s1"], limit_per_minute=50, by=None
    )
    before = datetime.now(UTC)

    new, secret = rotate_key(key=old, by=None)

    assert secret != old_secret
    assert (new.program, new.name, new.scopes, new.stores, new.limit_per_minute, new.expires_at, new.replaces) == (
        *(program, "Till", ["quotes"], ["s1"], 50, None, old),
    )
    old.refresh_from_db()
    assert before + OVERLAP <= old.expires_at <= datetime.now(UTC) + OVERLAP
    assert (old.is_usable, old.expires_soon, new.expires_soon) == (True, True, False)
    assert list(ApiKey.objects.usable(at=before + OVERLAP + timedelta(minutes=1))) == [new]


def test_rotate_key_without_overlap_closes_the_old_one_at_once():
    old, _secret = make_key(program=make_program())

    new, _secret = rotate_key(key=old, overlap=timedelta(0), by=None)

    assert list(ApiKey.objects.usable(at=datetime.now(UTC))) == [new]


def test_rotate_key_that_ends_earlier_by_itself_keeps_its_end_and_its_successor_lives_as_long():
    soon = datetime.now(UTC) + timedelta(days=2)
    old, _secret = make_key(program=make_program(), expires_at=soon)

    new, _secret = rotate_key(key=old, by=None)

    old.refresh_from_db()
    assert old.expires_at == soon
    assert abs(new.expires_at - soon) < timedelta(minutes=1)


def test_rotate_key_twice_is_refused_until_the_successor_is_revoked():
    old, _secret = make_key(program=make_program())
    lost, _secret = rotate_key(key=old, by=None)

    with pytest.raises(KeyRotatedError):
        rotate_key(key=old, by=None)

    revoke_key(key=lost, by=None)
    assert rotate_key(key=old, by=None)[0].replaces == old


@pytest.mark.parametrize("fate", ["revoked_at", "expires_at"])
def test_rotate_key_that_opens_nothing_is_refused(fate):
    old, _secret = make_key(program=make_program(), **{fate: datetime.now(UTC) - timedelta(seconds=1)})

    with pytest.raises(KeyClosedError):
        rotate_key(key=old, by=None)

    assert ApiKey.objects.count() == 1
