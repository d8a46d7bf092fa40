from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from loyalty import given


@pytest.mark.parametrize(
    ("read", "text", "name"),
    [
        (given.port, "abc", "PORT"),
        (given.port, "", "PORT"),
        (given.port, "0", "PORT"),
        (given.port, "65536", "PORT"),
        (given.port, "-1", "PORT"),
        (given.database, "nonsense", "DATABASE_URL"),
        (given.broker, "nonsense", "REDIS_URL"),
        (given.broker, "http://redis.example.com", "REDIS_URL"),
        (given.broker, "redis:///0", "REDIS_URL"),
        (given.mail, "nonsense", "EMAIL_URL"),
    ],
)
def test_text_that_cannot_be_meant_is_refused_with_the_cure(read, text, name):
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} is .+ {name}="):
        read(text)


def test_password_of_a_refused_address_is_not_said():
    with pytest.raises(ImproperlyConfigured) as caught:
        given.database("//ann:secret@db.example.com/loyalty")

    assert str(caught.value).count("secret") == 0


def test_proper_addresses_are_read():
    assert given.port("8001") == 8001
    assert given.database("postgres://ann:x@db.example.com/loyalty")["NAME"] == "loyalty"
    assert given.broker("") == ""
    assert given.broker("rediss://redis.example.com:6379/0") == "rediss://redis.example.com:6379/0"
    assert given.mail("smtp+tls://ann:x@mail.example.com:587")["EMAIL_PORT"] == 587
