"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyalty.settings")

application = get_wsgi_application()

from loyalty.checks import refuse_unfit_settings  # noqa: E402 -- needs the settings
from loyalty.serving.orphans import end_with_parent  # noqa: E402

refuse_unfit_settings()
end_with_parent()
