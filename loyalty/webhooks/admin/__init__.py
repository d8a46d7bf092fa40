"""Admin pages of webhooks: where news goes, and how each delivery went."""

from loyalty.webhooks.admin.deliveries import DeliveryAdmin
from loyalty.webhooks.admin.endpoints import EndpointAdmin

__all__ = ["DeliveryAdmin", "EndpointAdmin"]
