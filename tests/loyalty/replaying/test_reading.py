from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from loyalty.replaying.reading import Reading, Refusal, UnreadableFileError, read

HEADER = "external_id,member,occurred_at,total,currency,store,sku,category,brand,quantity,amount\n"
SAMPLE = Path(__file__).parents[3] / "data" / "complete_journey_sample.csv.gz"


@pytest.fixture
def reading_of(tmp_path):
    """Read a generic file with these rows."""

    def read_rows(*rows: str, currency: str = "USD", header: str = HEADER) -> Reading:
        file = tmp_path / "purchases.csv"
        file.write_text(header + "".join(row + "\n" for row in rows), encoding="utf-8")
        return read(file, currency=currency)

    return read_rows


def unreadable(row: int, external_id: str, detail: str) -> Refusal:
    return Refusal(row=row, external_id=external_id, code="unreadable", detail=detail)


def test_sample_is_read_whole_and_in_order():
    reading = read(SAMPLE, currency="USD")

    purchases = reading.purchases
    assert reading.refusals == []
    assert len(purchases) == 15_973
    assert sum(len(purchase.lines) for purchase in purchases) == 144_648
    assert sum(Decimal(purchase.total) for purchase in purchases) == Decimal("444071.08")
    assert sum(Decimal(purchase.total) == 0 for purchase in purchases) == 49
    assert len({purchase.member for purchase in purchases}) == 240
    assert purchases == sorted(purchases, key=lambda purchase: (purchase.occurred_at, purchase.row))


def test_sample_columns_become_the_api_s_fields(reading_of):
    reading = reading_of(
        "311,2017-01-01T15:36:24Z,1204,443,874972,MEAT,BEEF,National,2,9.6,3.86,0.0,0.0",
        header="basket_id,timestamp_utc,household_id,store_id,product_id,department,product_category,brand,quantity,"
        "sales_value,retail_disc,coupon_disc,coupon_match_disc\n",
    )

    assert reading.purchases[0].body(shift=timedelta(days=1)) == {
        "external_id": "311",
        "member": "external_id:1204",
        "occurred_at": "2017-01-02T15:36:24+00:00",
        "currency": "USD",
        "total": "9.60",
        "store": "443",
        "lines": [
            {
                "sku": "874972",
                "name": "BEEF",
                "category": "MEAT",
                "brand": "National",
                "quantity": "2",
                "amount": "9.60",
            }
        ],
    }


def test_purchase_gathers_its_rows_wherever_they_stand(reading_of):
    reading = reading_of(
        "b,2,2026-01-02T10:00:00+01:00,,,,,,,,1",
        "a,1,2026-01-02T10:00:00Z,,,,x,,,,1.50",
        "b,2,2026-01-02T10:00:00+01:00,,,,,,,,-0.25",
    )

    assert [(purchase.external_id, purchase.row, purchase.total) for purchase in reading.purchases] == [
        ("b", 2, "0.75"),
        ("a", 3, "1.50"),
    ]
    assert [line.amount for line in reading.purchases[0].lines] == ["1.00", "-0.25"]


def test_equal_moments_keep_the_order_of_the_file(reading_of):
    rows = [f"{name},1,2026-01-02T10:00:00Z,,,,,,,,1" for name in "cab"]

    assert [purchase.external_id for purchase in reading_of(*rows).purchases] == ["c", "a", "b"]


def test_guest_currency_and_total_are_taken_as_given(reading_of):
    purchase = reading_of("a,,2026-01-02T10:00:00Z,7,JPY,,,,,,7").purchases[0]

    body = purchase.body(shift=timedelta(0))
    assert (body["member"], body["currency"], body["total"]) == (None, "JPY", "7")
    assert "store" not in body


def test_total_alone_is_a_purchase_without_lines(reading_of):
    body = reading_of("a,1,2026-01-02T10:00:00Z,12.5,,,,,,,").purchases[0].body(shift=timedelta(0))

    assert body["total"] == "12.50"
    assert "lines" not in body


def test_total_of_a_lone_line_is_its_amount(reading_of):
    purchase = reading_of("a,1,2026-01-02T10:00:00Z,12.5,,,,coffee,,,").purchases[0]

    assert [line.body() for line in purchase.lines] == [{"category": "coffee", "amount": "12.50"}]


def test_noise_of_floating_point_is_taken_off(reading_of):
    assert reading_of("a,1,2026-01-02T10:00:00Z,,,,,,,,13.790000000000001").purchases[0].total == "13.79"


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ("a,1,2026-01-02T10:00:00Z,,,,,,,,9;99", "amount “9;99” is not a number"),
        ("a,1,2026-01-02T10:00:00Z,,,,,,,,NaN", "amount “NaN” is not a number"),
        ("a,1,2026-01-02T10:00:00Z,,,,,,,,1_0", "amount “1_0” is not a number"),
        ("a,1,2026-01-02T10:00:00Z,,,,,,,,1e99", "amount “1e99” is too large"),
        ("a,1,2026-01-02T10:00:00Z,,,,,,,,9.995", "amount “9.995” has more digits than the currency"),
        ("a,1,2026-01-02T10:00:00Z,x,,,,,,,9", "total “x” is not a number"),
        ("a,1,2026-01-02T10:00:00Z,,,,,,,many,9", "quantity “many” is not a number"),
        ("a,1,2026-01-02T10:00:00Z,,,,,,,,", "amount is missing"),
        ("a,1,,,,,,,,,9", "occurred_at is missing"),
        ("a,1,2026-01-02T10:00:00,,,,,,,,9", "occurred_at “2026-01-02T10:00:00” has no offset"),
        ("a,1,2026-01-02,,,,,,,,9", "occurred_at “2026-01-02” has no offset"),
        ("a,1,yesterday,,,,,,,,9", "occurred_at “yesterday” is not a time"),
    ],
)
def test_bad_row_is_named_and_the_others_are_read(reading_of, row, detail):
    reading = reading_of("good,1,2026-01-01T10:00:00Z,,,,,,,,1", row)

    assert [purchase.external_id for purchase in reading.purchases] == ["good"]
    assert reading.refusals == [unreadable(3, "a", detail)]


def test_bad_row_takes_its_whole_purchase_with_it(reading_of):
    reading = reading_of(
        "a,1,2026-01-02T10:00:00Z,,,,,,,,1",
        "a,1,2026-01-02T10:00:00Z,,,,,,,,oops",
        "a,1,2026-01-02T10:00:00Z,,,,,,,,2",
    )

    assert reading.purchases == []
    assert reading.refusals == [unreadable(3, "a", "amount “oops” is not a number")]


def test_row_without_an_id_is_named(reading_of):
    assert reading_of(",1,2026-01-02T10:00:00Z,,,,,,,,1").refusals == [unreadable(2, "", "external_id is missing")]


def test_rows_that_disagree_are_named(reading_of):
    reading = reading_of("a,1,2026-01-02T10:00:00Z,,,,,,,,1", "a,2,2026-01-02T10:00:00Z,,,,,,,,1")

    assert reading.refusals == [unreadable(3, "a", "member differs from the purchase's other rows")]


def test_bytes_that_are_not_text_cost_their_row_alone(tmp_path):
    file = tmp_path / "purchases.csv"
    file.write_bytes(
        HEADER.encode()
        + b"a,1,2026-01-02T10:00:00Z,,,\xff\xfe,,,,,1\n"
        + b"b,1,2026-01-02T10:00:00Z,,,Jos\xc3\xa9,,,,,1\n"
    )

    reading = read(file, currency="USD")

    assert reading.refusals == [unreadable(2, "a", "the row holds bytes that are not text")]
    assert [purchase.store for purchase in reading.purchases] == ["José"]


def test_compressed_file_with_a_byte_order_mark_reads_alike(tmp_path):
    file = tmp_path / "purchases.csv.gz"
    file.write_bytes(gzip.compress(("\ufeff" + HEADER + "a,1,2026-01-02T10:00:00Z,,,,,,,,1\n").encode()))

    assert read(file, currency="USD").purchases[0].occurred_at == datetime(2026, 1, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("absent.csv", None, "No such file or directory"),
        ("empty.csv", b"", "The file lacks the columns: external_id, occurred_at, amount."),
        ("other.csv", b"id,when\n1,2\n", "The file lacks the columns: external_id, occurred_at, amount."),
        ("plain.csv.gz", b"external_id\n", "Not a gzipped file (b'ex')"),
    ],
)
def test_file_that_cannot_be_read_says_why(tmp_path, name, content, why):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path / name, currency="USD")

    assert str(caught.value) == why
