"""The programs and the people of the demonstration."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from accounts.actions import grant_role
from accounts.models import Business, Customer, StaffRole, User
from loyalty.serving.home import write_privately
from programs import presets
from programs.models import Membership
from programs.presets.loading import load

PROGRAM = "beauty_insider"
PROGRAMS = (PROGRAM, "cashback")
# A household of the sample that shops nearly every day and stands between the two upper tiers.
HOUSEHOLD = "1289"
CUSTOMER = "ada@example.com"
CUSTOMER_NAME = ("Ada", "Lindqvist")


@dataclass(frozen=True)
class SignIn:
    """One line of what ``make run`` prints: who, where, and with what."""

    role: str
    address: str
    email: str
    password: str


@dataclass(frozen=True)
class Person:
    """Someone of the demonstration, and the page that is theirs."""

    role: str
    path: str
    email: str
    name: str


PEOPLE = (
    Person("customer", "/", CUSTOMER, " ".join(CUSTOMER_NAME)),
    Person("owner", "/staff/", "olga@example.com", "Olga Novak"),
    Person("cashier", "/staff/", "carl@example.com", "Carl Jensen"),
    Person("superuser", "/admin/", "otto@example.com", "Otto Berg"),
)


def prepare_demo(directory: Path) -> list[SignIn]:
    """Load the presets and make the people, once; return how each signs in, the same at every start."""
    passwords = _passwords(directory / "demo.json")
    with transaction.atomic():
        for name in PROGRAMS:
            load(preset=presets.get(name), slug=name, by=None)
        for person in PEOPLE:
            _make(person, passwords[person.email])
    link_customer()
    site = f"http://127.0.0.1:{settings.PORT}"
    return [SignIn(person.role, site + person.path, person.email, passwords[person.email]) for person in PEOPLE]


def link_customer() -> bool:
    """Give the demonstration's customer the household's membership; return whether it is there yet."""
    member = Membership.objects.filter(program__slug=PROGRAM, external_id=HOUSEHOLD).select_related("customer").first()
    if member is None:
        return False
    if member.customer.user_id is None:
        first_name, last_name = CUSTOMER_NAME
        user = User.objects.get_by_natural_key(CUSTOMER)
        Customer.objects.filter(pk=member.customer_id).update(
            user=user, email=CUSTOMER, first_name=first_name, last_name=last_name
        )
    return True


def _make(person: Person, password: str) -> None:
    user = User.objects.filter(email__iexact=person.email).first()
    if user is None:
        user = User.objects.create_user(person.email, password, name=person.name)
    elif not user.has_usable_password() or not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    if person.role == "superuser" and not user.is_superuser:
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
    if person.role in StaffRole.Role.values:
        for business in Business.objects.filter(slug__in=PROGRAMS).exclude(staff__user=user):
            grant_role(business=business, email=person.email, role=person.role, by=None)


def _passwords(file: Path) -> dict[str, str]:
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = {person.email: secrets.token_urlsafe(9) for person in PEOPLE if person.email not in known}
    if missing:
        known |= missing
        write_privately(file, json.dumps(known, indent=1) + "\n")
    return known
