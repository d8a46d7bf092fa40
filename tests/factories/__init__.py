"""Rows for tests, each made by one typed function; what is not said gets a sensible value."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from accounts.models import Business, StaffRole, User
from programs.keys import DEFAULT_SCOPES, create_key
from programs.models import (
    ApiKey,
    Membership,
    Program,
    ProgramVersion,
    Rule,
    RuleCap,
    Tier,
    TierCondition,
    TierRate,
    Unit,
    UnitTerms,
)

EVER_SINCE = datetime(1990, 1, 1, tzinfo=UTC)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class TierSpec:
    """One rung: ``spend`` in the currency within a calendar year; None for the lowest."""

    code: str
    spend: str | None = None


@dataclass(frozen=True)
class RuleSpec:
    """One earning rule; ``tier_rates`` by code of the tier, ``caps`` by window in the currency."""

    code: str = "base"
    unit: str = "points"
    rate: str = "1"
    effect: str = Rule.Effect.PER_AMOUNT
    tier_rates: Mapping[str, str] = field(default_factory=dict)
    caps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UnitSpec:
    """How a unit lives under the version."""

    code: str = "points"
    precision: int = 0
    is_money: bool = False
    expiry: str = UnitTerms.Expiry.NONE
    expiry_months: int | None = None
    pending_days: int = 0


LADDER = (TierSpec("basic"), TierSpec("silver", "350"), TierSpec("gold", "1000"))
BASE_RULE = RuleSpec(tier_rates={"silver": "1.25", "gold": "1.5"})


def make_business(*, slug: str = "", name: str = "") -> Business:
    """Return a new business."""
    number = next(_numbers)
    return Business.objects.create(slug=slug or f"shop-{number}", name=name or f"Shop {number}")


def make_user(*, email: str = "", password: str | None = None, is_superuser: bool = False) -> User:
    """Return a new person who can sign in."""
    email = email or f"person{next(_numbers)}@example.test"
    return User.objects.create_user(email, password, is_staff=is_superuser, is_superuser=is_superuser)


def make_staff(*, business: Business, role: str = StaffRole.Role.OWNER, email: str = "", password: str = "") -> User:
    """Return a new person who may open the admin for the business with this role."""
    user = User.objects.create_user(email or f"staff{next(_numbers)}@example.test", password or None, is_staff=True)
    StaffRole.objects.create(business=business, user=user, role=role)
    return user


def make_program(
    *,
    business: Business | None = None,
    slug: str = "",
    currency: str = "EUR",
    timezone: str = "UTC",
    clock: datetime | None = None,
    is_sandbox: bool = False,
    language: str = "en",
) -> Program:
    """Return a new program without terms; one with a clock of its own is a sandbox."""
    slug = slug or f"program-{next(_numbers)}"
    return Program.objects.create(
        business=business or make_business(),
        slug=slug,
        name=slug.title(),
        currency=currency,
        timezone=timezone,
        language=language,
        clock=clock,
        is_sandbox=is_sandbox or clock is not None,
    )


def make_unit(*, program: Program, spec: UnitSpec = UnitSpec()) -> Unit:
    """Return the program's unit of that code, made if it is new."""
    found = Unit.objects.filter(program=program, code=spec.code).first()
    return found or Unit.objects.create(
        program=program,
        code=spec.code,
        name=spec.code.removesuffix("s"),
        name_plural=spec.code,
        precision=spec.precision,
        is_money=spec.is_money,
    )


def make_version(
    *,
    program: Program,
    units: Sequence[UnitSpec] = (UnitSpec(),),
    tiers: Sequence[TierSpec] = LADDER,
    rules: Sequence[RuleSpec] = (BASE_RULE,),
    in_force_from: datetime = EVER_SINCE,
    tax_earns: bool = False,
    is_published: bool = True,
) -> ProgramVersion:
    """Return a version with its terms: by default points at 1 / 1.25 / 1.5 for basic, silver and gold."""
    number = program.versions.count() + 1
    version = ProgramVersion.objects.create(program=program, number=number, tax_earns=tax_earns)
    made_units = {spec.code: make_unit(program=program, spec=spec) for spec in units}
    for spec in units:
        UnitTerms.objects.create(
            version=version,
            unit=made_units[spec.code],
            expiry=spec.expiry,
            expiry_months=spec.expiry_months,
            pending_days=spec.pending_days,
        )
    made_tiers = {spec.code: _make_tier(version=version, spec=spec, rank=rank) for rank, spec in enumerate(tiers)}
    for place, rule in enumerate(rules):
        _make_rule(version=version, spec=rule, place=place, units=made_units, tiers=made_tiers)
    if is_published:
        version.status = ProgramVersion.Status.PUBLISHED
        version.in_force_from = in_force_from
        version.published_at = datetime.now(UTC)
        version.save(update_fields=["status", "in_force_from", "published_at"])
    return version


def _make_tier(*, version: ProgramVersion, spec: TierSpec, rank: int) -> Tier:
    tier = Tier.objects.create(version=version, code=spec.code, name=spec.code.title(), rank=rank)
    if spec.spend is not None:
        TierCondition.objects.create(tier=tier, threshold=Decimal(spec.spend))
    return tier


def _make_rule(
    *, version: ProgramVersion, spec: RuleSpec, place: int, units: Mapping[str, Unit], tiers: Mapping[str, Tier]
) -> None:
    rule = Rule.objects.create(
        version=version,
        code=spec.code,
        name=spec.code.title(),
        position=place,
        unit=units[spec.unit],
        effect=spec.effect,
        rate=Decimal(spec.rate),
    )
    for code, rate in spec.tier_rates.items():
        if code in tiers:
            TierRate.objects.create(rule=rule, tier=tiers[code], rate=Decimal(rate))
    for window, amount in spec.caps.items():
        RuleCap.objects.create(rule=rule, window=window, amount=Decimal(amount))


def make_shop(
    *, currency: str = "EUR", timezone: str = "UTC", clock: datetime | None = None, business: Business | None = None
) -> Program:
    """Return a program with the default terms in force since 1990."""
    program = make_program(currency=currency, timezone=timezone, clock=clock, business=business)
    make_version(program=program)
    return program


def make_key(
    *,
    program: Program,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    stores: Sequence[str] = (),
    limit_per_minute: int | None = None,
    expires_at: datetime | None = None,
    revoked_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Return a till key and its secret."""
    key, secret = create_key(
        program=program,
        name=f"Till {next(_numbers)}",
        scopes=scopes,
        stores=stores,
        limit_per_minute=limit_per_minute,
        by=None,
    )
    key.expires_at, key.revoked_at = expires_at, revoked_at
    key.save(update_fields=["expires_at", "revoked_at"])
    return key, secret


def make_member(
    *,
    program: Program,
    external_id: str = "",
    email: str = "",
    first_name: str = "",
    last_name: str = "",
    language: str = "",
    joined_at: datetime | None = None,
    user: User | None = None,
) -> Membership:
    """Return an enrolled member, with books and the lowest tier."""
    from loyalty.ledger.members import MemberDetails, enrol

    details = MemberDetails(
        external_id=external_id,
        email=email,
        first_name=first_name,
        last_name=last_name,
        language=language,
        joined_at=joined_at,
    )
    membership = enrol(program=program, details=details, by=None).membership
    if user is not None:
        membership.customer.user = user
        membership.customer.save(update_fields=["user"])
    return membership
