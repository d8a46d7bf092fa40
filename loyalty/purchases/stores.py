"""Which store a purchase is of: what the till says, within what its key may say."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import Fault, ProblemError
from programs.models import ApiKey, Program, Store


class StoreNotAllowedError(ProblemError):
    """The key speaks for other stores."""

    status, code = 403, "store-not-allowed"
    title = _("This key may not speak for that store")
    cure = _("Send a store that the key is bound to, or use a key of that store.")

    def __init__(self) -> None:
        super().__init__(errors=[Fault("/store", self.code, str(self.title))])


class StoreRequiredError(ProblemError):
    """The key speaks for several stores, and the body names none."""

    status, code = 400, "store-required"
    title = _("The key is bound to several stores, and none is named")
    cure = _("Send “store” with the one that it is of.")

    def __init__(self) -> None:
        super().__init__(errors=[Fault("/store", self.code, str(self.title))])


class UnknownStoreError(ProblemError):
    """The business has no such store."""

    status, code = 400, "unknown-store"
    title = _("The business has no such store")
    cure = _("Send the code of a store that purchases have named.")

    def __init__(self) -> None:
        super().__init__(errors=[Fault("/store", self.code, str(self.title))])


def known_store(*, program: Program, code: str) -> Store:
    """Return the business's store of this code; raise UnknownStoreError."""
    found = Store.objects.filter(business_id=program.business_id, code=code).first()
    if found is None:
        raise UnknownStoreError
    return found


def store_of(key: ApiKey, given: str) -> str:
    """Return the code of the store, empty for none: a key of a single store need not say it.

    Raises StoreNotAllowedError, StoreRequiredError.
    """
    bound_to: list[str] = key.stores
    if not bound_to or given in bound_to:
        return given
    if given:
        raise StoreNotAllowedError
    if len(bound_to) > 1:
        raise StoreRequiredError
    return bound_to[0]


def stores_by_code(program: Program, codes: set[str]) -> dict[str, UUID]:
    """Return the stores by code; a till's first word of a store makes it."""
    if not codes:
        return {}
    rows = Store.objects.filter(business_id=program.business_id, code__in=sorted(codes))
    known = dict(rows.values_list("code", "pk"))
    if missing := sorted(codes - known.keys()):
        fresh = [Store(business_id=program.business_id, code=code) for code in missing]
        Store.objects.bulk_create(fresh, ignore_conflicts=True)
        known = dict(rows.all().values_list("code", "pk"))
    return known
