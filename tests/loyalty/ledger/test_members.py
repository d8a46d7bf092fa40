"""Enrolment: cards that collide, and names that find a member."""

from __future__ import annotations

import pytest

from loyalty.ledger import members
from loyalty.ledger.members import MemberDetails, UnknownMemberError, enrol, find_member
from loyalty.ledger.models import Account, Standing
from programs.cards import new_card
from programs.models import Membership
from tests.factories import make_member, make_shop


@pytest.fixture
def program(db):
    return make_shop()


def test_card_number_that_someone_has_is_drawn_again(program, monkeypatch):
    taken = make_member(program=program).card
    drawn = iter([taken, taken, new_card()])
    monkeypatch.setattr(members, "new_card", lambda: next(drawn))

    enrolment = enrol(program=program, details=MemberDetails(), by=None)

    assert enrolment.is_new is True
    assert enrolment.membership.card != taken
    assert (Membership.objects.count(), Standing.objects.count()) == (2, 2)
    assert Account.objects.filter(membership__isnull=False).count() == 6


def test_member_is_found_by_either_name_within_the_program_alone(program):
    member = make_member(program=program, external_id="42")
    other = make_shop()

    assert find_member(program=program, reference="external_id:42") == member
    assert find_member(program=program, reference=member.card) == member
    for reference in ("external_id:42", member.card):
        with pytest.raises(UnknownMemberError):
            find_member(program=other, reference=reference)


def test_external_id_that_looks_like_a_card_is_not_a_card(program):
    card = make_member(program=program).card

    with pytest.raises(UnknownMemberError):
        find_member(program=program, reference=f"external_id:{card}")
