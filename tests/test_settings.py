"""A half-configured site does not start, and says in plain words what it lacks."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from aftercare.checks import REQUIRED, refuse_half_configured

ROOT = Path(__file__).parents[1]
PRODUCTION = {
    "DEMO": False,
    "DEBUG": False,
    "SECOND_FACTOR_REQUIRED": True,
    "SECRET_KEY": "a-key-of-production-that-is-long-enough-for-everybody-0123456789",
    "LINK_KEY": "another-key",
    "PUBLIC_BASE_URL": "https://care.example.com",
    "TWILIO_ACCOUNT_SID": "AC" + "2" * 32,
    "TWILIO_AUTH_TOKEN": "a-token",
    "TWILIO_API_BASE": "https://api.twilio.com",
    "EMAIL_HOST": "smtp.example.com",
    "DEFAULT_FROM_EMAIL": "care@clinic.example",
}


@pytest.fixture
def production(settings: Settings, db: None) -> Settings:
    for name, value in PRODUCTION.items():
        setattr(settings, name, value)
    return settings


def refusal() -> str:
    with pytest.raises(ImproperlyConfigured) as raised:
        refuse_half_configured()
    return str(raised.value)


@pytest.mark.usefixtures("production")
def test_a_complete_production_is_accepted() -> None:
    refuse_half_configured()


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_setting_names_itself_and_what_to_put(production: Settings, name: str) -> None:
    setattr(production, name, "")
    assert refusal() == f"{name} is not set. {REQUIRED[name][1]}"


@pytest.mark.parametrize("name", REQUIRED)
def test_the_demo_needs_no_setting(production: Settings, name: str) -> None:
    production.DEMO, production.PUBLIC_BASE_URL = True, "http://localhost:8000"
    setattr(production, name, "")
    refuse_half_configured()


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("http://care.example.com", "PUBLIC_BASE_URL must begin with https://"),
        ("https://care.example.com/site", "PUBLIC_BASE_URL must be a bare address"),
        ("https://name@care.example.com", "PUBLIC_BASE_URL must be a bare address"),
        ("https://aftercare.a-clinic-with-a-name.example", "PUBLIC_BASE_URL has 46 characters; 35"),
    ],
)
def test_an_unfit_public_address_is_refused(
    production: Settings, address: str, complaint: str
) -> None:
    production.PUBLIC_BASE_URL = address
    assert refusal().startswith(complaint)


def test_the_longest_public_address_leaves_a_link_of_sixty_characters(
    production: Settings,
) -> None:
    production.PUBLIC_BASE_URL = "https://" + "a" * 19 + ".example"
    refuse_half_configured()
    assert len(production.PUBLIC_BASE_URL + "/r/" + "x" * 22) == 60


@pytest.mark.parametrize(
    "address",
    ["http://api.twilio.com", "https://twilio.com.example", "https://eviltwilio.com", "nonsense"],
)
def test_patients_numbers_go_to_twilio_only(production: Settings, address: str) -> None:
    production.TWILIO_API_BASE = address
    assert refusal().startswith("TWILIO_API_BASE must be an https address at twilio.com")


def test_a_twilio_region_is_accepted(production: Settings) -> None:
    production.TWILIO_API_BASE = "https://api.dublin.ie1.twilio.com"
    refuse_half_configured()


def test_debug_at_a_public_address_is_refused(production: Settings) -> None:
    production.DEBUG = True
    assert refusal().startswith("DEBUG is on at a public https address.")


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "up"],
        ["-c", "import aftercare.wsgi"],
        ["-m", "celery", "-A", "aftercare", "worker", "--pool", "solo"],
        ["-m", "celery", "-A", "aftercare", "beat", "--pidfile="],
    ],
    ids=["launcher", "web", "worker", "beat"],
)
def test_no_process_starts_without_its_keys(command: list[str], tmp_path: Path) -> None:
    bare = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "VAR_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT, env=bare, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode != 0
    assert "SECRET_KEY is not set." in ended.stderr
    assert "Put 50 random characters" in ended.stderr


def test_the_first_command_on_a_new_machine_needs_no_folder_of_data(tmp_path: Path) -> None:
    settings_ = {name: str(value) for name, value in PRODUCTION.items() if value}
    env = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **settings_}
    ended = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--plan"],
        cwd=ROOT, env=env | {"VAR_DIR": str(tmp_path / "new" / "var")},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def test_the_example_file_explains_every_setting() -> None:
    source = "".join(
        (ROOT / "aftercare" / name).read_text() for name in ("settings.py", "machine.py")
    )
    read = set(re.findall(r'(?:env\.\w+|secret|environ\.get)\(\s*"([A-Z_]+)"', source))
    explained = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read - explained == set()
    others = {"WEB_CONCURRENCY"}  # gunicorn's own
    assert {name for name in explained - read if not name.startswith("ANYMAIL_")} == others
