"""Why a reward, a redemption or a voucher is refused; each says what the cashier and the customer can do."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import Fault, ProblemError, Text, field_code

AMOUNT_STEP = field_code(
    "amount-step",
    title=_("The amount is not a whole number of steps"),
    cure=_("Send an amount that the reward's step or value divides."),
)
NO_AMOUNT = field_code(
    "no-amount", title=_("This reward is not money off"), cure=_("Leave “amount” out; send “quantity” for several.")
)
ONE_AT_A_TIME = field_code(
    "one-at-a-time", title=_("This reward is given one at a time"), cure=_("Send a quantity of 1, or none.")
)
NOT_POSITIVE = field_code("not-positive", title=_("The number is not positive"), cure=_("Send more than 0."))
QUANTITY_AND_AMOUNT = field_code(
    "quantity-and-amount",
    title=_("A redemption names a quantity or an amount, not both"),
    cure=_("Send “amount” for money off, or “quantity” for how many."),
)


class UnknownRewardError(ProblemError):
    """The terms in force have no such reward."""

    status, code = 404, "unknown-reward"
    title = _("The program has no such reward")
    cure = _("Send the code of one of the member's rewards.")

    def __init__(self) -> None:
        super().__init__(errors=[Fault("/reward", self.code, str(self.title))])


class UnknownRedemptionError(ProblemError):
    """A redemption that this program does not have."""

    status, code = 404, "unknown-redemption"
    title = _("There is no such redemption in this program")
    cure = _("Send the id that the redemption was answered with.")


class UnknownVoucherError(ProblemError):
    """A voucher that this program does not have."""

    status, code = 404, "unknown-voucher"
    title = _("There is no such voucher in this program")
    cure = _("Check the code.")


class RewardRefusedError(ProblemError):
    """A reward cannot be had now; ``detail`` says it for this member."""

    status = 409


class NotEnoughUnitsError(RewardRefusedError):
    """The member lacks units."""

    code = "not-enough-units"
    title = _("There are not enough units for this")
    cure = _("Choose something smaller, or wait until more units can be spent.")


class SoldOutError(RewardRefusedError):
    """Nothing is left."""

    code = "sold-out"
    title = _("This reward is gone")
    cure = _("Choose another one. Staff can add to the stock.")


class NotOpenError(RewardRefusedError):
    """It is not to be had at this time, or not by this member."""

    code = "not-open"
    title = _("This reward is not open now")
    cure = _("Come back when it opens; “opens_at” in the member's rewards says when.")


class LimitReachedError(RewardRefusedError):
    """The member has had it as often as the terms allow."""

    code = "limit-reached"
    title = _("The member has had this as often as it is given")
    cure = _("It can be had again in the next period.")


class BasketShareError(RewardRefusedError):
    """The basket is too small for it."""

    code = "basket-share"
    title = _("The basket is too small for this")
    cure = _("Redeem less, or put more into the basket.")


class TierTooLowError(RewardRefusedError):
    """It is for higher tiers."""

    code = "tier-too-low"
    title = _("This reward is for a higher tier")
    cure = _("Choose another reward until the tier is reached.")


class ConvertsError(RewardRefusedError):
    """Units turn into it by themselves."""

    code = "comes-by-itself"
    title = _("Units turn into this reward by themselves")
    cure = _("Nothing has to be redeemed: the voucher appears among the member's vouchers.")


class HoldExpiredError(ProblemError):
    """Its time was up, and the units were given free."""

    status, code = 409, "hold-expired"
    title = _("The time to redeem this is up")
    cure = _("The units are free again. Redeem anew.")


class RedemptionReleasedError(ProblemError):
    """It was released before."""

    status, code = 409, "redemption-released"
    title = _("This redemption was released")
    cure = _("The units are free again. Redeem anew.")


class RedemptionCapturedError(ProblemError):
    """It was captured before."""

    status, code = 409, "redemption-captured"
    title = _("This redemption was captured")
    cure = _("Its units are spent. A return that names it can give them back.")


class RedemptionReturnedError(ProblemError):
    """A return has named it before."""

    status, code = 409, "redemption-returned"
    title = _("This redemption was given back with a return")
    cure = _("Nothing more has to be done.")


class RedemptionNotSpentError(ProblemError):
    """Its units were never spent, so there is nothing to give back."""

    status, code = 409, "redemption-not-spent"
    title = _("The units of this redemption are not spent")
    cure = _("Release the redemption instead of naming it in a return.")


class NotTheirsError(ProblemError):
    """A redemption or a voucher belongs to somebody else than the purchase."""

    status, code = 409, "not-the-members"
    title = _("This belongs to another member")
    cure = _("Send the purchase with the member whose redemption or voucher it is.")


class NotThePurchasesError(ProblemError):
    """A return names a redemption that paid for another purchase."""

    status, code = 409, "not-the-purchases"
    title = _("This redemption did not pay for that purchase")
    cure = _("Name the redemption in a return of the purchase that it paid for.")


class NothingToPayError(ProblemError):
    """Nothing in the basket is what the reward is good for."""

    status, code = 409, "nothing-to-pay"
    title = _("Nothing in this basket is left for it to pay")
    cure = _("Name it with a purchase that has a line which it is good for, or leave it out: it stays as it is.")


class AlreadyPaidError(ProblemError):
    """It has paid for another purchase."""

    status, code = 409, "redemption-used"
    title = _("This redemption has paid for another purchase")
    cure = _("A redemption pays for one purchase. Redeem anew.")


class VoucherUsedError(ProblemError):
    """It was redeemed before, for something else."""

    status, code = 409, "voucher-used"
    title = _("This voucher has been used")
    cure = _("A voucher is good once. Ask the member for another one.")


class VoucherExpiredError(ProblemError):
    """Its last day has passed."""

    status, code = 409, "voucher-expired"
    title = _("This voucher has expired")
    cure = _("Ask the member for another one.")


class VoucherWithdrawnError(ProblemError):
    """A return withdrew it."""

    status, code = 409, "voucher-withdrawn"
    title = _("This voucher was withdrawn")
    cure = _("A return took back the units that it was made of.")


REFUSED: dict[str, type[RewardRefusedError]] = {
    one.code: one
    for one in (
        NotEnoughUnitsError,
        NotOpenError,
        LimitReachedError,
        BasketShareError,
        TierTooLowError,
        SoldOutError,
        ConvertsError,
    )
}


def refused(code: str, detail: Text) -> RewardRefusedError:
    """Return the problem of an engine's refusal, with its sentence."""
    return REFUSED[code](detail)
