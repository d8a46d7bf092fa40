import pytest
from django.db import DatabaseError

from loyalty import health
from loyalty.purchases.models import Activity


def test_healthz_answers_without_a_query(client, django_assert_num_queries):
    response = client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_readyz_with_all_parts_up_is_200_with_the_backlog(client, broker, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = client.get("/readyz")

    assert (response.status_code, response.json()) == (200, {"database": "ok", "broker": "ok", "backlog": 0})


@pytest.mark.django_db
def test_readyz_without_broker_is_503_and_names_it(client, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock?db=0"

    response = client.get("/readyz")

    assert (response.status_code, response.json()) == (503, {"database": "ok", "broker": "down", "backlog": 0})


def test_readyz_with_the_broker_killed_recovers_when_it_is_back(house):
    house.kill("broker")
    assert house.request("GET", "/readyz").json["broker"] == "down"

    house.start("broker")

    assert house.request("GET", "/readyz").status == 200


@pytest.fixture
def _database_is_away(monkeypatch):
    def refuse(self, *, at):
        raise DatabaseError

    monkeypatch.setattr(type(Activity.objects.all()), "awaiting_accrual", refuse)
    monkeypatch.setattr(health.connection, "close", lambda: None)


@pytest.mark.usefixtures("_database_is_away")
@pytest.mark.django_db
def test_readyz_without_database_is_503_and_names_it(client, broker):
    response = client.get("/readyz")

    assert (response.status_code, response.json()) == (503, {"database": "down", "broker": "ok", "backlog": None})


@pytest.mark.django_db
def test_metrics_read_from_this_machine_are_those_of_prometheus(client, broker):
    lines = client.get("/metrics").content.decode().splitlines()

    assert [line for line in lines if not line.startswith("#")] == [
        "loyalty_database_up 1",
        "loyalty_broker_up 1",
        "loyalty_backlog 0",
        "loyalty_failed 0",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"REMOTE_ADDR": "192.0.2.7"}, 403),
        ({"HTTP_X_FORWARDED_FOR": "192.0.2.7"}, 403),
        ({"REMOTE_ADDR": "192.0.2.7", "HTTP_AUTHORIZATION": "Bearer wrong"}, 403),
        ({"REMOTE_ADDR": "192.0.2.7", "HTTP_AUTHORIZATION": "Bearer the-token"}, 200),
    ],
)
def test_metrics_from_elsewhere_need_the_token(client, broker, settings, given, status):
    settings.METRICS_TOKEN = "the-token"

    assert client.get("/metrics", **given).status_code == status
