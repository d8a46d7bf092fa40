"""What every page needs: icons, a business's colours, and days and numbers as people read them."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import formats
from accounts.brand import fingerprint
from accounts.models import Business

register = template.Library()
SPRITE = "vendor/lucide/sprite.svg"


@register.simple_tag
def icon(name: str, css_class: str = "") -> SafeString:
    """Return an icon of the sprite; it says nothing to screen readers."""
    return format_html(
        '<svg class="icon {}" width="24" height="24" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        css_class,
        static(SPRITE),
        name,
    )


@register.simple_tag
def brand_href(business: Business) -> str:
    """Return the address of a business's colours; it changes with them, so browsers may keep it for ever."""
    return f"{reverse('brand', args=[business.slug])}?v={fingerprint(business.brand)}"


@register.simple_tag
def house_business() -> Business | None:
    """Return the business whose site this is, where there is only one."""
    found = list(Business.objects.all()[:2])
    return found[0] if len(found) == 1 else None


@register.filter
def day(value: date) -> str:
    return formats.day(value)


@register.filter
def short_day(value: date) -> str:
    return formats.short_day(value)


@register.filter
def month(value: date) -> str:
    return formats.month(value)


@register.filter
def moment(value: datetime, zone: ZoneInfo) -> str:
    return formats.moment(value, zone=zone)


@register.filter
def number(value: int) -> str:
    return formats.number(value)


@register.simple_tag
def shows_mail() -> bool:
    """Return whether mails are shown on a page instead of being sent."""
    return bool(settings.SHOWS_MAIL)
