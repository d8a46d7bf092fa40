"""What staff change is written down: who, when, before and after, and shown."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import actions as staff_actions
from accounts.history.models import Change
from accounts.models import StaffRole
from programs import actions
from programs.keys import create_key, revoke_key
from tests.factories import admin_forms, make_business, make_member, make_shop, make_staff, make_user

pytestmark = pytest.mark.django_db
RATES = ("1\u00a0point for each $1.00", "2\u00a0points for each $1.00")
MOMENT = "1\u00a0Mar\u00a02026, 07:00"
NOTICE = ["Losses need a notice", "no", "yes, days before: 30"]
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def program():
    return make_shop(currency="USD", timezone="America/New_York", clock=CLOCK)


@pytest.fixture
def owner(client, program):
    person = make_staff(business=program.business, email="ellen@example.test")
    person.name = "Ellen Brook"
    person.save()
    client.force_login(person)
    return person


@pytest.fixture
def draft(program):
    return actions.start_draft(program=program, by=None)


def address(row, name="change"):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


def save(client, row, **changes):
    response = client.post(address(row), {**admin_forms.form_of(client.get(address(row))), **changes})
    assert response.status_code == 302, response.context["errors"]


def written(**asked):
    rows = Change.objects.filter(**asked).order_by("at", "id")
    return [(row.action, row.kind, row.code, row.what, row.lines) for row in rows]


def history(client, row, **query):
    return client.get(address(row, "history"), query).context["history"]


def test_saved_draft_writes_each_part_down_once_in_words(client, owner, draft, program):
    save(client, draft, **{"tiers-1-threshold": "300", "rules-0-rate": "2", "needs_notice": "on", "note": "Easier"})

    rows = Change.objects.filter(by=owner)
    assert {(row.business, row.program_id, row.version) for row in rows} == {(program.business, program.pk, 2)}
    assert sorted(written(by=owner)) == [
        (
            "changed",
            "rule",
            "base",
            "Rule Base",
            [["Rate", "1\u00a0point for each $1.00", "2\u00a0points for each $1.00"]],
        ),
        (
            "changed",
            "terms",
            "",
            "The version's own switches",
            [NOTICE],
        ),
        ("changed", "tier", "silver", "Tier Silver", [["Spend in a calendar year, at least", "$350.00", "$300.00"]]),
        ("changed", "version", "2", "Version 2", [["What changes", "", "Easier"]]),
    ]


def test_saved_page_of_a_rule_writes_its_rows_down(client, owner, draft):
    rule = draft.rules.get()
    data = admin_forms.form_of(client.get(address(rule)))

    client.post(address(rule), admin_forms.with_row(data, "clauses", kind="weekday", value="fri"))

    assert written(by=owner) == [
        ("changed", "rule", "base", "Rule Base", [["Only if day of the week", "", "Friday"]]),
    ]
    (shown,) = history(client, rule).rows
    assert (shown.by, shown.action, shown.version) == ("Ellen Brook", "Changed", 2)


def test_part_taken_out_is_written_down_with_all_it_said(client, owner, draft):
    save(client, draft, **{"tiers-2-DELETE": "on"})

    ((action, kind, code, _what, lines), (_action, rule, *_rest)) = sorted(
        written(by=owner), key=lambda row: row[1] != "tier"
    )
    assert (action, kind, code, rule) == ("removed", "tier", "gold", "rule")  # With it goes its rate.
    assert lines == [["", "Name: Gold; Place from below: 2; Spend in a calendar year, at least: $1,000.00", ""]]


def test_saving_what_stands_there_writes_nothing(client, owner, draft, program):
    for row in (draft, draft.rules.get(), draft.tiers.get(code="gold"), program):
        save(client, row)

    assert written(by=owner) == []


def test_refused_form_writes_nothing(client, owner, draft):
    data = admin_forms.form_of(client.get(address(draft)))

    client.post(address(draft), {**data, "tiers-1-rank": "2", "note": "else"})

    assert written(by=owner) == []


def test_life_of_a_draft_is_written_down_and_outlives_it(program):
    person = make_user()
    draft = actions.start_draft(program=program, by=person)
    actions.discard_draft(version=draft, by=person)
    actions.publish(version=actions.start_draft(program=program, by=person), note="Spring", by=person)

    assert [(action, what, lines) for action, _kind, _code, what, lines in written()] == [
        ("started", "Version 2", [["Started from", "", "Version 1"]]),
        ("discarded", "Version 2", []),
        ("started", "Version 2", [["Started from", "", "Version 1"]]),
        (
            "published",
            "Version 2",
            [["In force from", "", "1\u00a0Mar\u00a02026, 07:00"], ["What changes", "", "Spring"]],
        ),
    ]


def test_program_and_its_units_are_written_down(client, owner, program):
    data = admin_forms.with_row(
        admin_forms.form_of(client.get(address(program))),
        "units",
        code="stars",
        name="star",
        name_plural="stars",
        precision="0",
    )

    client.post(address(program), {**data, "name": "Harbour"})

    assert written(by=owner) == [
        ("changed", "program", program.slug, "Harbour", [["Name", program.name, "Harbour"]]),
        (
            "added",
            "unit",
            "stars",
            "Unit stars",
            [
                ["Name of one", "", "star"],
                ["Name of many", "", "stars"],
                ["Decimals", "", "0"],
                ["Is money", "", "no"],
                ["Can be spent", "", "no"],
            ],
        ),
    ]


def test_history_is_written_in_the_programs_language_whatever_the_reader_speaks(client, owner, program):
    program.language = "cs"
    program.save()

    save(client, program, name="Přístav")

    assert written(by=owner)[0][4] == [["Název", program.name, "Přístav"]]


def test_key_is_written_down_without_its_secret(program):
    key, secret = create_key(program=program, name="Till", scopes=["quotes"], by=None)
    revoke_key(key=key, by=None)

    added, revoked = written(kind="key")
    assert (added[0], added[4]) == ("added", [["Name", "", "Till"], ["May do", "", "quotes"]])
    assert (revoked[0], revoked[2]) == ("revoked", key.prefix)
    assert secret.rpartition("_")[2] not in str(added)


def test_roles_of_staff_are_written_down(program):
    boss = make_user()
    role = staff_actions.grant_role(business=program.business, email="new@example.test", role="cashier", by=boss)
    staff_actions.change_role(staff=role, role="cashier", by=boss)
    staff_actions.change_role(staff=role, role="owner", by=boss)
    make_staff(business=program.business)
    staff_actions.revoke_role(staff=role, by=boss)

    assert [(action, lines) for action, _kind, _code, _what, lines in written(kind="staff")] == [
        ("added", [["Role", "", "Cashier"]]),
        ("changed", [["Role", "Cashier", "Owner"]]),
        ("removed", [["Role", "Owner", ""]]),
    ]


def test_stores_segments_keys_and_the_business_are_written_down(client, owner, program):
    store = program.business.stores.create(code="7", name="")
    segment = program.segments.create(code="press", name="Press")
    member = make_member(program=program, external_id="ana")
    key, _secret = create_key(program=program, name="Till", by=None)
    save(client, store, name="Harbour")
    save(client, segment, add="ana")
    save(client, key, expires_at_0="2027-01-01", expires_at_1="00:00")
    save(client, program.business, name="Pine")

    assert [(kind, lines) for _action, kind, _code, _what, lines in written(by=owner)] == [
        ("store", [["Name", "", "Harbour"]]),
        ("segment", [["Members", "0", "1"]]),
        ("key", [["Expires", "", "31\u00a0Dec\u00a02026, 19:00"]]),
        ("business", [["Name", program.business.name, "Pine"]]),
    ]
    assert member.card not in str(written())
    for row, count in ((store, 1), (segment, 1), (key, 2), (program.business, 5)):
        assert len(history(client, row).rows) == count, row


def test_history_is_filtered_by_person_part_and_period(client, owner, draft, program):
    save(client, draft, **{"tiers-1-threshold": "300", "rules-0-rate": "2"})
    today = timezone.now().astimezone(program.zone).date()
    tomorrow = (today + timedelta(days=1)).isoformat()

    def what(**query):
        return [row.what for row in history(client, program, **query).rows]

    assert what(who=str(owner.pk), part="tier") == ["Tier Silver"]
    assert what(part="version") == ["Version 2"]
    assert what(since=tomorrow) == []
    assert len(what(until=today.isoformat(), since=today.isoformat())) == 3
    assert len(what(who="nobody", since="soon", before="nowhere")) == 3


def test_history_goes_on_where_the_screen_before_ended(client, owner, program):
    for number in range(45):
        Change.objects.create(
            business=program.business,
            program_id=program.pk,
            kind="program",
            what=f"Change {number}",
            action="changed",
            at=CLOCK + timedelta(minutes=number // 2),
        )

    first = history(client, program, part="program")
    rest = client.get(f"{address(program, 'history')}?{first.older}").context["history"]

    assert (len(first.rows), first.is_first, len(rest.rows), rest.older, rest.is_first) == (40, True, 5, "", False)
    assert len({row.what for row in (*first.rows, *rest.rows)}) == 45


@pytest.mark.parametrize("count", [1, 3])
def test_history_costs_the_same_for_few_and_for_many(client, owner, program, count, django_assert_num_queries):
    for _number in range(count):
        Change.objects.create(
            business=program.business, program_id=program.pk, kind="program", what="It", action="changed", by=owner
        )
    history(client, program)

    with django_assert_num_queries(17):
        history(client, program)


def test_history_of_nothing_says_so(client, owner, program):
    assert "Nothing was changed since the history is kept" in client.get(address(program, "history")).content.decode()


def test_history_is_for_those_who_may_see_the_program(client, program, draft):
    pages = [address(program, "history"), address(draft, "history"), address(draft.rules.get(), "history")]
    cashier = make_staff(business=program.business, role=StaffRole.Role.CASHIER)
    stranger = make_staff(business=make_business())

    assert [client.get(page).status_code for page in pages] == [302] * 3
    client.force_login(cashier)  # Whose role opens no admin.
    assert [client.get(page).status_code for page in pages] == [302] * 3
    client.force_login(stranger)
    assert [client.get(page).status_code for page in pages] == [404] * 3


def test_database_refuses_to_rewrite_the_history_but_forgets_a_person(program):
    person = make_user()
    actions.start_draft(program=program, by=person)
    row = Change.objects.get()

    for change in (
        lambda: Change.objects.update(what="Else"),
        lambda: Change.objects.update(by=make_user()),
        lambda: Change.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="history_change_refuses"), transaction.atomic():
            change()
    person.delete()

    row.refresh_from_db()
    assert row.by is None
