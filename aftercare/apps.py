"""Registers the checks that refuse a half-configured site; makes the SQLite file's folder."""

from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class AftercareConfig(AppConfig):
    name = "aftercare"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from aftercare import checks, timestamps  # noqa: F401  (importing registers the checks)

        timestamps.listen()

        database = settings.DATABASES["default"]
        if database["ENGINE"].endswith("sqlite3"):
            # Whatever command comes first on a new machine opens the file.
            Path(database["NAME"]).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
