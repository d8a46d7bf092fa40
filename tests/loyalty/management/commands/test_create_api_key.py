import pytest
from django.core.management import CommandError, call_command

from programs.keys import DEFAULT_SCOPES, digest_of
from programs.models import ApiKey
from tests.factories import make_program

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_program(slug="shop")


def test_create_api_key_prints_the_secret_alone(program, capsys):
    call_command("create_api_key", "--program", "shop", "--name", "Till 1")

    printed = capsys.readouterr()
    key = ApiKey.objects.get()
    assert (key.program, key.name, key.scopes) == (program, "Till 1", list(DEFAULT_SCOPES))
    assert digest_of(printed.out.rstrip("\n")) == key.digest
    assert printed.out.count("\n") == 1


def test_create_api_key_with_scopes_gives_only_these(program):
    call_command("create_api_key", "--program", "shop", "--name", "Till 1", "--scopes", "quotes, insights:read")

    assert ApiKey.objects.get().scopes == ["quotes", "insights:read"]


def test_create_api_key_for_stores_with_a_limit_is_bound_to_them(program):
    call_command(
        "create_api_key", "--program", "shop", "--name", "Till", "--stores", "s2, s1", "--limit-per-minute", "50"
    )

    key = ApiKey.objects.get()
    assert (key.stores, key.limit_per_minute) == (["s1", "s2"], 50)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--program", "none", "--name", "Till"], "There is no program “none”"),
        (["--program", "shop", "--name", "Till", "--scopes", "all"], "Unknown scopes: all"),
        (["--program", "shop", "--name", "Till", "--scopes", ","], "without any scope"),
        (["--program", "shop", "--name", " "], "needs a name"),
        (["--program", "shop", "--name", "Till", "--limit-per-minute", "0"], "from 1 to 10000000"),
        (["--program", "shop", "--name", "Till", "--stores", "s" * 65], "cannot be codes of stores"),
        (["--program", "shop", "--name", "n" * 121], "needs a name"),
    ],
)
def test_create_api_key_that_makes_no_sense_is_refused(program, arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("create_api_key", *arguments)

    assert ApiKey.objects.count() == 0
