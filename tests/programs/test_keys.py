import hashlib
import re
from datetime import UTC, datetime

import pytest

from programs.keys import DEFAULT_SCOPES, SCOPES, UnknownScopeError, create_key, revoke_key
from programs.models import ApiKey
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
