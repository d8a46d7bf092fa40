"""What members of the presets read: what counts, what is missing by when, and what is theirs."""

from dataclasses import replace
from datetime import date

import pytest

from loyalty.engagement import history
from loyalty.engagement.home import Fact, ticket, tier_panel
from loyalty.engagement.members import visit
from programs.models import Membership
from tests.factories import make_user
from tests.loyalty.presets.stage import Stage, rule, together, unit

pytestmark = pytest.mark.django_db
NB = "\u00a0"


def seen(stage, when):
    """Return Ana's visit at a moment."""
    stage.at(when)
    ana = Membership.objects.select_related("customer").get(program=stage.program, external_id="ana")
    ana.customer.user = make_user()
    ana.customer.save(update_fields=["user"])
    found = visit(ana.customer.user, chosen=None)
    assert found is not None
    return found


def stay(nights, amount="200.00"):
    return {"category": "stay", "brand": "Grand Atlas", "quantity": str(nights), "amount": amount}


def told(found):
    """Return the facts under the balance: their kind, amount and day."""
    return [(fact.kind, fact.amount, fact.day) for fact in ticket(found).facts]


def rungs(panel):
    return [(rung.name, rung.figure, rung.is_mine) for rung in panel.rungs]


# --- Nights beside points --------------------------------------------------------------------------------------------


def test_nights_are_what_counts_and_never_what_can_be_spent():
    stage = Stage("hotel_nights")
    stage.buy_all([("2025-05-01", None, stay(12)), ("2026-02-10", None, stay(3))])

    found = seen(stage, "2026-06-01")

    shown, panel = ticket(found), tier_panel(found)
    assert (shown.label, shown.balance, shown.rate) == ("Points to spend", "4,200", None)
    assert told(found) == [
        ("stays", "points", f"10{NB}February{NB}2028"),
        ("counts", f"3{NB}nights", f"31{NB}December"),
    ]
    assert panel.action == f"Earn 22 more nights by 31{NB}December to reach Gold Elite"
    assert panel.keep == f"Earn 7 more nights by 31{NB}December to keep Silver Elite"
    assert rungs(panel) == [("Member", "0", False), ("Silver Elite", "10", True), ("Gold Elite", "3 of 25", False)]


def test_tier_of_two_conditions_asks_for_both_and_has_a_bar_for_each():
    stage = Stage("hotel_nights")
    stage.buy("2025-05-01", None, stay(78, "14040.00"))

    panel = tier_panel(seen(stage, "2025-06-01"))

    asked = f"Spend $8,960 more and earn 22 more nights by 31{NB}December to reach Ambassador Elite"
    assert (panel.action, panel.pieces, panel.rungs) == (asked, [], [])
    assert [(one.label, one.figure, one.done, one.whole) for one in panel.tracks] == [
        ("Spend", "$14,040 of $23,000", 1_404_000, 2_300_000),
        ("Nights", "78 of 100", 78, 100),
    ]


def test_condition_that_is_fulfilled_is_not_asked_for():
    stage = Stage("hotel_nights")
    stage.buy("2025-05-01", None, stay(78, "23000.00"))

    assert tier_panel(seen(stage, "2025-06-01")).action == (
        f"Earn 22 more nights by 31{NB}December to reach Ambassador Elite"
    )


def test_highest_tier_of_two_conditions_says_what_keeps_it_after_the_next_year():
    stage = Stage("hotel_nights")
    stage.buy("2025-05-01", None, stay(100, "23000.00"))

    panel = tier_panel(seen(stage, "2025-06-01"))

    assert panel.action == "Spend $23,000 and earn 100 nights in 2026 to keep Ambassador Elite after that"
    assert panel.until == f"until 28{NB}February{NB}2027"


def test_trial_says_until_when_it_is_and_what_keeps_it():
    stage = Stage("hotel_nights")
    stage.give_tier("platinum", "trial", "2025-03-01", "2025-05-31")
    stage.buy("2025-03-10", None, stay(3))

    panel = tier_panel(seen(stage, "2025-04-01"))

    assert (panel.name, panel.until) == ("Platinum Elite", f"on trial until 31{NB}May{NB}2025")
    assert (panel.keep, panel.keep_warns) == (f"Earn 12 more nights by 31{NB}May to keep Platinum Elite", False)


def test_history_names_the_units_of_a_program_that_has_several():
    stage = Stage("hotel_nights")
    stage.buy_all([("2025-05-01", None, stay(12)), ("2026-02-10", None, stay(3))])
    found = seen(stage, "2026-06-01")

    stayed, anew, _first = history.page(membership=found.membership, units=found.units).rows

    assert [(one.written, one.after) for one in stayed.sums] == [
        (f"+2,200{NB}points", f"4,200{NB}points"),
        (f"+3{NB}nights", ""),
    ]
    assert stayed.question == f"2,200{NB}points and 3{NB}nights"
    assert (stayed.together, stayed.towards) == ([f"+2,200{NB}points"], f"$200.00 and 3{NB}nights")
    assert (anew.title, [one.written for one in anew.sums]) == ("The count starts again", [f"−12{NB}nights"])


# --- Tiers of rolling months -----------------------------------------------------------------------------------------


def test_first_purchase_is_asked_for_without_a_bar():
    panel = tier_panel(seen(Stage("vipeak"), "2025-01-10"))

    assert (panel.action, panel.keep, panel.until) == ("Make a purchase to reach Blazer", "", "always yours")
    assert (panel.pieces, panel.tracks) == ([], [])


def test_bar_to_a_tier_of_spend_begins_at_a_tier_of_visits_and_leaves_out_invitations():
    stage = Stage("vipeak")
    stage.buy("2025-03-10", "700.00")

    panel = tier_panel(seen(stage, "2025-06-01"))

    assert panel.action == f"Spend HK$2,800 more by 9{NB}March{NB}2026 to reach Adventurer"
    assert panel.keep == f"Make a purchase by 9{NB}March{NB}2026 to keep Blazer"
    assert rungs(panel) == [
        ("Blazer", "", True),
        ("Adventurer", "HK$700 of HK$3,500", False),
        ("Pioneer", "HK$7,000", False),
    ]
    assert [(piece.done, piece.whole) for piece in panel.pieces] == [(70_000, 350_000), (0, 350_000)]


def test_highest_tier_that_can_be_reached_says_what_keeps_it_and_then_that_it_is_kept():
    stage = Stage("vipeak")
    stage.buy("2025-03-10", "7000.00")
    before = tier_panel(seen(stage, "2025-06-01")).action
    stage.buy("2025-07-01", "7000.00")

    assert before == f"Spend HK$7,000 by 9{NB}March{NB}2026 to keep Pioneer"
    assert tier_panel(seen(stage, "2025-08-01")).action == f"Pioneer stays yours after 9{NB}March{NB}2026"


def test_tier_by_invitation_says_so_and_has_no_bar():
    stage = Stage("vipeak")
    stage.give_tier("summit", "invitation", "2025-03-01", "2026-02-28")

    panel = tier_panel(seen(stage, "2025-04-01"))

    assert (panel.until, panel.pieces) == (f"by invitation, until 28{NB}February{NB}2026", [])
    assert panel.action == "Team Summit is the highest level, and it is yours"


def test_tier_past_its_end_that_waits_for_its_notice_names_no_day():
    stage = Stage("vipeak")
    stage.buy("2025-03-10", "700.00")
    found = seen(stage, "2025-06-01")
    late = replace(found, view=replace(found.view, tier=replace(found.view.tier, until=date(2025, 5, 31))))

    assert tier_panel(late).until == ""


# --- Units that count, last and are owed -----------------------------------------------------------------------------


def test_stars_are_asked_for_in_their_own_name():
    stage = Stage("coffee_stars")
    stage.buy("2025-03-14", "379.00")

    found = seen(stage, "2025-06-01")

    assert tier_panel(found).action == f"Earn 121 more Stars by 13{NB}March{NB}2026 to reach Gold"
    assert told(found) == [("stays", "Stars", f"30{NB}September")]
    (row,) = history.page(membership=found.membership, units=found.units).rows
    assert row.towards == f"379{NB}Stars"


def test_stars_that_do_not_expire_at_a_level_say_so():
    stage = Stage("coffee_stars")
    stage.buy("2025-03-14", "500.00")

    assert ticket(seen(stage, "2025-06-01")).facts == [Fact("lasts", "Stars", why="Gold")]


@pytest.mark.parametrize(("day", "given"), [("2025-05-01", None), ("2025-05-02", f"1{NB}Star")])
def test_rate_is_left_out_on_days_on_which_another_rule_adds_to_it(day, given):
    stage = Stage("coffee_stars")
    stage.revise(rule("double_star_day", is_on=True, conditions={"dates": "2025-05-01..2025-05-01"}))

    shown = ticket(seen(stage, day)).rate

    assert (shown and shown.given) == given


def test_program_without_tiers_says_its_rate_whatever_its_events_give():
    found = seen(Stage("xplr_pass"), "2025-06-01")

    assert (tier_panel(found), ticket(found).rate.given, told(found)) == (None, f"1{NB}point", [])


def test_event_on_its_way_is_not_called_a_purchase():
    stage = Stage("xplr_pass")
    found = seen(stage, "2025-06-01")
    before = history.being_counted(membership=found.membership)
    body = {"external_id": "e", "member": "external_id:ana", "type": "app_download", "attributes": {}}
    stage.till.post("events/", body | {"occurred_at": "2025-06-01T12:00:00Z"})

    counting = history.being_counted(membership=found.membership)

    assert (bool(before), counting.number, counting.are_purchases) == (False, 1, False)


@pytest.mark.parametrize(("available", "owed"), [(-3, 0), (0, 3)])
def test_debt_is_what_the_next_units_make_up_for(available, owed):
    found = seen(Stage("punch_card"), "2025-06-01")
    balances = {"stamps": replace(found.view.balances["stamps"], available=available, owed=owed)}

    assert told(replace(found, view=replace(found.view, balances=balances))) == [("owes", f"3{NB}stamps", "")]


def test_units_told_of_late_name_no_day_that_is_past():
    stage = Stage("coffee_stars")
    stage.revise(together(unit("stars", expiry="rolling", kept_alive_by="")))
    stage.buy("2025-03-14", "100.00")
    found = seen(stage, "2025-06-01")
    ends = (100, stage.moment("2025-05-31"))
    balances = {"stars": replace(found.view.balances["stars"], next_expiry=ends)}

    assert told(replace(found, view=replace(found.view, balances=balances))) == []
