"""What is said of rewards: each of their values, what a draft changes, and the sentence on top of the form."""

from dataclasses import replace
from decimal import Decimal

import pytest

from programs import content
from programs.changes import compare
from programs.changes.reward_sentence import reward_sentence
from programs.changes.rewards import reward_lines
from programs.changes.sentence import plain
from programs.changes.words import words_for
from programs.reward_content import RewardClauseContent, RewardContent, RewardTierContent
from tests.factories import make_program, make_shop
from tests.factories.terms import EVERYTHING, make_draft_of

pytestmark = pytest.mark.django_db
REWARDS = {reward.code: reward for reward in EVERYTHING.rewards}


@pytest.fixture
def program():
    return make_draft_of(EVERYTHING, program=make_program(currency="USD", timezone="America/New_York")).program


@pytest.fixture
def words(program):
    return words_for(program, EVERYTHING)


def spaced(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_lines_say_every_value_of_a_reward(words):
    told = {name: spaced(value) for name, value in reward_lines(REWARDS["cash"], words).items()}

    assert told == {
        "Name": "Cash",
        "Order": "0",
        "In detail": "10.00 off",
        "Kind": "Money off",
        "Price": "500 points",
        "Worth": "$10.50",
        "Several at once": "yes",
        "Price for tier Gold": "400 points",
        "Worth for tier Gold": "$12.00",
        "At most of the basket": "99.5 %",
        "From a basket of": "$5.00",
        "Stock": "500",
        "From tier": "Silver",
        "Only if months since joining": "at least 3 months",
        "Only if category": "not Gift card",
        "At most, a day": "2 times",
        "At most, all time": "9 times",
        "Open from": "9 Apr 2026, 09:00",
        "Open for tier Gold from": "8 Apr 2026, 09:00",
        "Open until": "1 May 2026, 09:00",
        "On the days": "Tuesday or Thursday",
        "At the time": "from 09:00 to 17:30",
        "In the time of": "America/Los_Angeles",
    }


def test_lines_say_how_units_turn_into_it(words):
    told = {name: spaced(value) for name, value in reward_lines(REWARDS["ten"], words).items()}

    assert list(told.items())[5:] == [
        ("Units turn into it", "at set dates"),
        ("Counted at the end of", "31 May and 30 September"),
        ("Given on day of the month after", "15"),
        ("At most each time", "5"),
        ("At most in the program's year", "15"),
        ("After a return of too many units", "an unused one is withdrawn"),
        ("Its voucher lives", "11 months"),
    ]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("pay", "Members pay 10 points for each $1 off, any amount. It goes in steps of $1."),
        (
            "gift",
            (
                "Members get “Birthday gift” of up to $20 for nothing, but only if it is the month of the birthday. "
                "A member may have those of the choice “birthday” together at most once a calendar year."
            ),
        ),
        (
            "bonus",
            (
                "Members get 250 points for nothing. A member may have those of the choice “birthday” together at most "
                "once a calendar year."
            ),
        ),
        (
            "sale",
            "Switched off: nobody sees it. Members get 10 % off for nothing. In the tier Gold it is 12.5 % off.",
        ),
        ("cinema", "Members pay 100 points for a code out of the pool “cinema”. Its voucher lives 30 days."),
        (
            "ten",
            (
                "Each 100 points that are there at the end of 31 May and 30 September turn into $10 off, given "
                "on day 15 "
                "of the month after. At most 5 each time and 15 in the program's year. Its voucher lives 11 months. "
                "Where a return leaves too few units, an unused one is withdrawn."
            ),
        ),
        (
            "cash",
            (
                "Members from Silver on pay 500 points for $10.50 off, but only if the member has been here at least "
                "3 months and it is not for the category Gift card. In the tier Gold it costs 400 points, is "
                "worth $12, "
                "and opens on 8 Apr 2026, 09:00. It is open from 9 Apr 2026, 09:00 until 1 May 2026, 09:00 on "
                "Tuesday or "
                "Thursday from 09:00 to 17:30, Pacific Time. There are 500. Several can be had at once. A "
                "member may have "
                "it at most 2 times a day and 9 times in all. It pays at most 99.5 % of the basket. The basket "
                "must come "
                "to $5 or more."
            ),
        ),
    ],
)
def test_sentence_says_what_a_reward_is(words, code, sentence):
    assert spaced(plain(reward_sentence(REWARDS[code], words))) == sentence


def test_sentence_of_what_cannot_be_read_yet_leaves_gaps(words):
    bare = RewardContent("new", "", 0, "money_off", weekdays="tuu", zone="Mars/Base", conversion="dates", closes_on="x")
    odd = replace(bare, conversion="", clauses=(RewardClauseContent("age", "old"),), tiers=(RewardTierContent("vip"),))

    assert spaced(plain(reward_sentence(bare, words))) == (
        "Each nothing that are there at the end of x turn into … off, given on day … of the month after. It is open on "
        "tuu, Mars/Base."
    )
    assert spaced(plain(reward_sentence(odd, words))) == (
        "Members get … off for nothing, but only if the member has been here old. It is open on tuu, Mars/Base."
    )


def test_each_fact_of_the_sentence_names_its_field(words):
    facts = [(piece.field, spaced(piece.text)) for piece in reward_sentence(REWARDS["pay"], words) if piece.field]

    assert facts == [
        ("from_tier", "Members"),
        ("price", "10 points"),
        ("worth", "each $1 off, any amount"),
        ("worth", "$1"),
    ]


def test_draft_tells_rewards_that_are_new_go_and_differ():
    program = make_shop(currency="USD")
    terms = content.read(program.versions.get())
    cash = RewardContent("cash", "Cash", 0, "money_off", unit="points", price=Decimal(500), value=Decimal(10))
    dearer = replace(cash, price=Decimal(600), stock=20)
    with_cash, with_dearer = (replace(terms, rewards=(one,)) for one in (cash, dearer))

    def told(before, after):
        found = compare(before, after, program=program)
        return [(one.kind, one.what, one.detail, spaced(one.before), spaced(one.after)) for one in found]

    new = "Name: Cash; Order: 0; Kind: Money off; Price: 500 points; Worth: $10.00"
    assert told(terms, with_cash) == [("added", "Reward Cash", "", "", new)]
    assert told(with_cash, terms) == [("removed", "Reward Cash", "", new, "")]
    assert told(with_cash, with_dearer) == [
        ("changed", "Reward Cash", "Price", "500 points", "600 points"),
        ("added", "Reward Cash", "Stock", "", "20"),
    ]


def test_draft_tells_that_spent_units_stay_spent():
    program = make_shop()
    terms = content.read(program.versions.get())

    (change,) = compare(terms, replace(terms, redeemed_come_back=False), program=program)

    assert (change.what, change.before, change.after) == ("Units spent on what is returned", "come back", "stay spent")
