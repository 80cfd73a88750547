"""The WSGI door for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from aftercare.checks import refuse_half_configured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftercare.settings")

application = get_wsgi_application()
refuse_half_configured()

# Needs the apps to be ready, so not before.
from reminders import watch  # noqa: E402

watch.start()
