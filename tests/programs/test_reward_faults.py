"""One test for each fault of a reward; what is sound stands at the top, and each case spoils one thing of it."""

from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal

import pytest

from programs import actions, content
from programs.admin.places import addresses_of, placed
from programs.content import Content
from programs.faults import Known, faults_of, find
from programs.models import Reward
from programs.reward_content import RewardClauseContent, RewardContent, RewardLimitContent, RewardTierContent
from tests.factories import make_shop
from tests.programs.test_faults import KNOWN, SOUND

YEARLY = (RewardLimitContent("year", 1),)
CASH = RewardContent("cash", "Cash", 0, "money_off", unit="points", price=Decimal(500), value=Decimal(10))
PAY = replace(CASH, code="pay", name="Pay", by_amount=True, price=Decimal(10), value=Decimal(1))
SALE = RewardContent("sale", "Sale", 1, "percent_off", percent=Decimal(10))
GIFT = RewardContent("gift", "Gift", 2, "product", choice="birthday", limits=YEARLY)
BONUS = RewardContent("bonus", "Bonus", 3, "units", gives_unit="points", gives=Decimal(250))
CINEMA = RewardContent("cinema", "Cinema", 4, "pool", pool="cinema")
AT_ONCE = replace(CASH, conversion="at_once")
DATED = replace(CASH, conversion="dates", closes_on="05-31, 09-30", issue_day=15, most_a_year=15, is_withdrawn=True)
MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 20, tzinfo=UTC)
TOP_LINE = RewardTierContent("top", value=Decimal(12))


def found(*rewards: RewardContent, terms: Content = SOUND, known: Known = KNOWN) -> list[tuple[str, str]]:
    """Return what is wrong, and where."""
    return [(fault.message, fault.where) for fault in find(replace(terms, rewards=rewards), known)]


@pytest.mark.parametrize("reward", [CASH, PAY, SALE, GIFT, BONUS, CINEMA, AT_ONCE, DATED], ids=lambda one: one.code)
def test_sound_reward_has_no_fault(reward):
    assert found(reward) == []


@pytest.mark.parametrize(
    ("reward", "message"),
    [
        # What it costs.
        (replace(CASH, unit=""), "Reward “Cash” has a price, but not in which unit: choose the unit it is paid in."),
        (replace(CASH, unit="miles"), "Reward “Cash” is paid in “miles”, a unit without terms in this version."),
        (
            replace(CASH, price=Decimal("1.5")),
            "Reward “Cash” costs 1.5 “points”, which are not counted so finely.",
        ),
        (
            replace(CASH, tiers=(RewardTierContent("top", price=Decimal("0.5")),)),
            "Reward “Cash” costs 0.5 “points”, which are not counted so finely.",
        ),
        (replace(CASH, price=Decimal(-1)), "Reward “Cash” has a price below 0: nobody is paid for taking it."),
        # What it gives.
        (
            replace(CASH, value=None),
            "Reward “Cash” takes money off, but not said how much: fill in what it is worth.",
        ),
        (
            replace(CASH, tiers=(RewardTierContent("top", value=Decimal(0)),)),
            "Reward “Cash” takes nothing off in some tier: fill in what it is worth there.",
        ),
        (replace(CASH, value=Decimal("0.005")), "Reward “Cash”: 0.005 is finer than the smallest coin."),
        (
            replace(CASH, percent=Decimal(5)),
            "Reward “Cash” has a percentage, but takes no percentage off: empty it, or change the kind.",
        ),
        (
            replace(CASH, step=Decimal(1)),
            ("Reward “Cash” has steps, which only any amount goes in: empty them, or allow any amount."),
        ),
        (
            replace(CASH, pool="x"),
            ("Reward “Cash” names a pool of codes, but hands out none: empty the pool, or change the kind."),
        ),
        (
            replace(CASH, gives=Decimal(5), gives_unit="points"),
            ("Reward “Cash” says which units it gives, but gives none: empty them, or change the kind."),
        ),
        (replace(SALE, percent=None), "Reward “Sale” takes a percentage off, but not said which: fill in the percent."),
        (
            replace(SALE, percent=Decimal(101)),
            "Reward “Sale” takes off no percentage above 0 and up to 100: change it.",
        ),
        (
            replace(SALE, value=Decimal(5)),
            "Reward “Sale” takes off a percentage and an amount: empty what it is worth.",
        ),
        (replace(CINEMA, pool=""), "Reward “Cinema” hands out codes of a pool, but not said of which: name the pool."),
        (replace(BONUS, gives=None), "Reward “Bonus” gives units, but not said how many of which: fill in both."),
        (replace(BONUS, gives_unit="miles"), "Reward “Bonus” gives “miles”, a unit without terms in this version."),
        (
            replace(BONUS, gives=Decimal("0.5")),
            "Reward “Bonus” gives 0.5 “points”, which are not counted so finely.",
        ),
        # Any amount.
        (replace(PAY, price=Decimal(0)), "Reward “Pay” gives any amount for nothing: say what so much of it costs."),
        (
            replace(PAY, several=True),
            ("Reward “Pay” goes by amount, so there are not several of it: switch one of both off."),
        ),
        (replace(PAY, stock=5), "Reward “Pay” goes by amount, so there are no pieces to count: empty its stock."),
        (replace(PAY, step=Decimal(0)), "Reward “Pay” goes in steps of 0: empty them, or say more."),
        (
            replace(PAY, price=Decimal(3), value=Decimal(1), step=Decimal("0.5")),
            (
                "Reward “Pay”: a step of 0.5 does not cost whole units, so members would pay a little more "
                "than the rate. "
                "Choose steps that divide what it is worth."
            ),
        ),
        (
            replace(GIFT, by_amount=True, price=Decimal(1), unit="points"),
            ("Reward “Gift” can be had for any amount, which only money off can: change the kind."),
        ),
        # Bounds.
        (
            replace(CASH, most_share=Decimal(0)),
            ("Reward “Cash” may pay no share of a basket above 0 and up to 100 percent: change it."),
        ),
        # For whom.
        (
            replace(CASH, from_tier="vip"),
            ("Reward “Cash” is for members from tier “vip” on, which this version does not have."),
        ),
        (
            replace(CASH, tiers=(RewardTierContent("vip", value=Decimal(1)),)),
            "Reward “Cash” differs for tier “vip”, which this version does not have.",
        ),
        (
            replace(CASH, from_tier="top", tiers=(RewardTierContent("mid", value=Decimal(1)),)),
            "Reward “Cash” differs for tier “Mid”, but only members from “Top” on may have it: take that line out.",
        ),
        (
            replace(CASH, tiers=(RewardTierContent("top"),)),
            "Reward “Cash” has a line for tier “Top” that says nothing: take it out.",
        ),
        (
            replace(CASH, limits=(RewardLimitContent("year", 0),)),
            "Limit of reward “Cash”: it lets nothing through. Say at least 1, or switch the reward off.",
        ),
        (
            replace(CASH, limits=(RewardLimitContent("purchase", 1),)),
            (
                "Limit of reward “Cash”: “purchase” is unknown. Choose one of day, week, month, quarter, year, "
                "program_year, lifetime."
            ),
        ),
        (
            replace(GIFT, limits=()),
            (
                "Reward “Gift” is one of the choice “birthday”, but has no limit to share: add the limit, for "
                "example once "
                "a calendar year."
            ),
        ),
        (
            replace(CASH, clauses=(RewardClauseContent("segment", "friends"),)),
            "Reward “Cash”, condition “Segment”: there is no segment “friends”.",
        ),
        (
            replace(CASH, clauses=(RewardClauseContent("age", "9..3"),)),
            "Reward “Cash”, condition “Months since joining”: the least is more than the most.",
        ),
        (
            replace(CASH, clauses=(RewardClauseContent("weekday", "fri"),)),
            "Reward “Cash”, condition “Day of the week”: rewards do not look at this.",
        ),
        (
            replace(CASH, clauses=(RewardClauseContent("brand", "A"), RewardClauseContent("brand", "A", negated=True))),
            "Reward “Cash” can never be had: its conditions on “Brand” exclude each other.",
        ),
        # When.
        (
            replace(CASH, weekdays="tuu"),
            "Reward “Cash”, days of the week: “tuu” cannot be read. Write days of the week: mon, wed, or mon-fri.",
        ),
        (replace(CASH, zone="Mars/Base"), "Reward “Cash”: “Mars/Base” is no time zone. Choose one of the list."),
        (
            replace(CASH, opens_from=time(9), opens_until=time(9)),
            "Reward “Cash” closes in the minute in which it opens: change a time, or empty both.",
        ),
        (
            replace(CASH, opens_at=JUNE, closes_at=JUNE),
            "Reward “Cash” closes before it opens: change one of both moments.",
        ),
        (
            replace(CASH, closes_at=JUNE, tiers=(RewardTierContent("top", opens_at=JUNE),)),
            "Reward “Cash” closes before it opens for tier “Top”.",
        ),
        (
            replace(CASH, closes_at=MAY),
            "Reward “Cash” is over before this version can take effect: change its end, or switch it off.",
        ),
        (
            replace(CINEMA, lives_months=1, lives_days=1),
            ("Reward “Cinema”: its voucher lives months or days, not both. Empty one of them."),
        ),
        # By itself.
        (
            replace(AT_ONCE, price=Decimal(0), unit=""),
            "Units turn into reward “Cash”, but not said how many of which: fill in its price.",
        ),
        (
            replace(AT_ONCE, stock=5),
            ("Units turn into reward “Cash” by themselves, so it cannot run out: empty its stock."),
        ),
        (
            replace(AT_ONCE, several=True),
            "Reward “Cash” comes by itself, one for each full price: switch off any amount and several.",
        ),
        (
            replace(AT_ONCE, from_tier="top"),
            (
                "Units turn into reward “Cash” for everyone who has them: take out from which tier, and "
                "conditions on the "
                "member."
            ),
        ),
        (replace(AT_ONCE, weekdays="mon"), "Reward “Cash” comes by itself, so it has no opening times: empty them."),
        (
            replace(AT_ONCE, limits=YEARLY),
            (
                "Reward “Cash” comes by itself: limit it each time and in the program's year in place of how "
                "often members "
                "choose it."
            ),
        ),
        (
            replace(AT_ONCE, tiers=(RewardTierContent("top", price=Decimal(400)),)),
            (
                "Reward “Cash” comes by itself, so it costs the same and comes at the same time in every tier: "
                "only what "
                "it is worth can differ."
            ),
        ),
        (replace(AT_ONCE, issue_day=3), "Units turn into reward “Cash” at once, so it has no dates: empty them."),
        (
            replace(CINEMA, conversion="at_once", unit="points", price=Decimal(5)),
            "Units cannot turn into reward “Cinema”: codes of a pool are only for members who choose.",
        ),
        (
            replace(BONUS, conversion="at_once", unit="points", price=Decimal(5)),
            "Reward “Bonus”: units turn into a voucher, and a voucher cannot give units.",
        ),
        (
            replace(DATED, closes_on=""),
            "Units turn into reward “Cash” at set dates, but none is given: write for example 05-31.",
        ),
        (
            replace(DATED, closes_on="05-32"),
            "Reward “Cash”: “05-32” is no day of the year. Write month and day, for example 05-31.",
        ),
        (
            replace(DATED, closes_on="05-31, 05-31"),
            "Reward “Cash” counts units twice at the end of one day: write each day once.",
        ),
        (
            replace(DATED, issue_day=None),
            "Reward “Cash”: say on which day of the month after it is given, from 1 to 28.",
        ),
        (replace(DATED, most_a_year=0), "Reward “Cash” is limited to 0: say at least 1, or switch it off."),
        (
            replace(CASH, is_withdrawn=True),
            (
                "Reward “Cash” has what only one has that units turn into by themselves: say when they do, or "
                "take out its "
                "limits each time and a year, and that it is withdrawn after a return."
            ),
        ),
        (
            replace(CASH, kind="magic"),
            (
                "Reward “Cash”: “magic” is unknown. Choose one of money_off, percent_off, product, entitlement, "
                "event_seat, pool, units."
            ),
        ),
    ],
)
def test_reward_with_a_fault_says_what_to_mend(reward, message):
    assert found(reward) == [(message, f"reward:{reward.code}")]


def test_price_in_a_unit_that_nobody_can_spend_is_a_fault():
    assert found(replace(CASH, unit="nights"), known=replace(KNOWN, unspendable=frozenset({"nights"}))) == [
        ("Reward “Cash” is paid in “nights”, which cannot be spent: choose another unit.", "reward:cash")
    ]


def test_same_units_cannot_turn_into_two_rewards():
    other = replace(AT_ONCE, code="mug", name="Mug")
    message = (
        "The same units turn into “Cash” and “Mug”: which of them wins is not said. Switch one off, or let members "
        "choose it."
    )

    assert found(AT_ONCE, other) == [(message, "reward:mug")]
    assert found(AT_ONCE, replace(other, is_on=False)) == []


def test_rewards_of_one_choice_have_the_same_limits():
    other = replace(GIFT, code="cake", name="Cake", limits=(RewardLimitContent("year", 2),))

    assert found(GIFT, other) == [
        (
            "“Gift” and “Cake” are one choice “birthday”, but their limits differ: give both the same ones.",
            "reward:cake",
        )
    ]
    assert found(GIFT, replace(other, limits=YEARLY)) == []


@pytest.mark.django_db
def test_fault_of_a_reward_stops_publishing_and_leads_to_its_page():
    program = make_shop()
    draft = actions.start_draft(program=program, by=None)
    reward = Reward.objects.create(version=draft, code="cash", name="Cash", kind="money_off")
    said = content.read(draft)

    (fault,) = placed(faults_of(draft, said), addresses_of(draft))

    assert fault.address == f"/admin/programs/reward/{reward.pk}/change/"
    with pytest.raises(actions.CannotPublishError):
        actions.publish(version=draft, by=None)
