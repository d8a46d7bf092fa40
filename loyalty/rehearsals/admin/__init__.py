"""Admin pages of back-tests and of corrections."""

from loyalty.rehearsals.admin.backtests import BackTestAdmin
from loyalty.rehearsals.admin.corrections import CorrectionAdmin

__all__ = ["BackTestAdmin", "CorrectionAdmin"]
