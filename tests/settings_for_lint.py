"""The settings with the migration linter's command; nothing else reads this."""

from loyalty.settings import *  # noqa: F403
from loyalty.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]
