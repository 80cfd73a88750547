"""Wiring only: settings, urls, Celery, and the command that starts one machine."""

from aftercare.celery import app as celery_app

__all__ = ["celery_app"]
