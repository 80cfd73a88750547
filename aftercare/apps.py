"""Registers the checks that refuse a half-configured site."""

from django.apps import AppConfig


class AftercareConfig(AppConfig):
    name = "aftercare"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from aftercare import checks  # noqa: F401  (importing registers them)
