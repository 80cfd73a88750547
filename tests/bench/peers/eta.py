"""One Celery task a reminder, published with `eta=`. Celery's own defaults."""

from __future__ import annotations

import os

import django
from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")
django.setup()

# A database of its own on the same server: neither sees the other's rings.
NUMBER = 5

app = Celery(
    "eta", broker=f"{settings.CELERY_BROKER_URL}?virtual_host={NUMBER}", set_as_current=False
)
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True


@app.task(name="eta.send_reminder")
def send_reminder(pk: int) -> None:
    from .usual import send_one

    send_one(pk)
