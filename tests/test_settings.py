"""A half-configured site does not start, and says in plain words what it lacks."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from aftercare.checks import REQUIRED, refuse_half_configured, the_proxy_is_counted
from aftercare.not_the_demo import PASSWORD as DEMO_PASSWORD
from tests.builders import make_clinic, make_staff

pytestmark = pytest.mark.thorough

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


def run_in_production(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own, with these settings in its environment as an operator has."""
    said = {name: str(value) for name, value in PRODUCTION.items() if value}
    bare = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATABASE_URL": "sqlite://:memory:"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT, env=bare | said | {"VAR_DIR": "/nonexistent"} | env,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def in_production(*names: str, **env: str) -> dict[str, object]:
    """What these settings are there."""
    show = (
        "import json; from aftercare import settings as s; "
        f"print(json.dumps([getattr(s, one, None) for one in {[*names]}]))"
    )
    ended = run_in_production("-c", show, **env)
    assert ended.returncode == 0, ended.stderr
    return dict(zip(names, json.loads(ended.stdout), strict=True))


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


def test_djangos_checks_for_a_deployment_find_nothing_and_would_find_something() -> None:
    check = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    ended = run_in_production(*check)
    assert ended.returncode == 0, ended.stderr
    assert "no issues (0 silenced)" in ended.stdout
    careless = run_in_production(*check, SECURE_SSL_REDIRECT="0")
    assert careless.returncode != 0
    assert "security.W008" in careless.stderr


def test_what_a_clinic_leaves_unsaid_keeps_the_door_as_narrow_as_the_documents_say() -> None:
    assert in_production(
        *("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "TRUSTED_PROXIES", "SECURE_PROXY_SSL_HEADER"),
        *("LINK_OPENINGS_A_MINUTE", "LINK_MISSES_A_MINUTE", "ACCOUNT_RATE_LIMITS"),
        *("SESSION_IDLE_MINUTES", "SESSION_HOURS", "SCREEN_LOCK_MINUTES", "AUDIT_STRICT"),
    ) == {
        "ALLOWED_HOSTS": ["care.example.com"],
        "CSRF_TRUSTED_ORIGINS": ["https://care.example.com"],
        "TRUSTED_PROXIES": 0,
        "SECURE_PROXY_SSL_HEADER": None,
        "LINK_OPENINGS_A_MINUTE": 600,
        "LINK_MISSES_A_MINUTE": 30,
        "ACCOUNT_RATE_LIMITS": {"login_failed": "5/5m/key,60/m/ip", "login": "120/m/ip"},
        "SESSION_IDLE_MINUTES": 15,
        "SESSION_HOURS": 12,
        "SCREEN_LOCK_MINUTES": 5.0,
        "AUDIT_STRICT": False,
    }


def test_a_database_server_that_vanishes_is_given_up_within_seconds() -> None:
    address = "postgres://aftercare@db.example/aftercare"
    (given,) = in_production("DATABASES", DATABASE_URL=address).values()
    assert isinstance(given, dict)
    assert given["default"]["OPTIONS"] == {
        "connect_timeout": 5,
        "tcp_user_timeout": 5000,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
    }
    more = f"{address}?tcp_user_timeout=9000&sslmode=require"
    (given,) = in_production("DATABASES", DATABASE_URL=more).values()
    assert isinstance(given, dict)
    options = given["default"]["OPTIONS"]
    assert (options["tcp_user_timeout"], options["sslmode"]) == (9000, "require")
    assert options["keepalives_idle"] == 5


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


def test_a_demo_at_a_public_address_is_refused(production: Settings) -> None:
    production.DEMO = True
    assert refusal().startswith("DEMO is on at https://care.example.com")


def test_production_does_not_start_on_the_demos_data(production: Settings) -> None:
    clinic = make_clinic()
    person = make_staff(clinic=clinic, email="somebody@elsewhere.example", password=DEMO_PASSWORD)
    refuse_half_configured()
    person.email = "admin@lakeside.example"
    person.save()
    said = refusal()
    assert "The database holds the demo’s clinic" in said
    assert "1 of its people still have the demo’s password" in said
    assert "Start production with a database of its own" in said
    production.DEMO, production.PUBLIC_BASE_URL = True, "http://localhost:8000"
    refuse_half_configured()


def test_production_does_not_start_without_second_factors(production: Settings) -> None:
    production.SECOND_FACTOR_REQUIRED = False
    assert refusal().startswith("SECOND_FACTOR_REQUIRED is off.")


def test_a_proxy_that_is_believed_but_not_counted_is_warned_of(production: Settings) -> None:
    assert list(the_proxy_is_counted(None)) == []
    production.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    (warning,) = the_proxy_is_counted(None)
    assert (warning.id, "usually 1" in str(warning.hint)) == ("aftercare.W051", True)
    production.TRUSTED_PROXIES = 1
    assert list(the_proxy_is_counted(None)) == []


# --- Secrets in files --------------------------------------------------------------------------


def read_settings(tmp_path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Some settings as a process of its own reads them."""
    bare = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "VAR_DIR": str(tmp_path)}
    show = (
        "from aftercare import settings as s; "
        "print([s.SECRET_KEY, s.LINK_KEY, s.TWILIO_AUTH_TOKEN, s.EMAIL_HOST_PASSWORD, "
        "s.DATABASES['default']['NAME'], s.ANYMAIL['WEBHOOK_SECRET']])"
    )
    return subprocess.run(
        [sys.executable, "-c", show],
        cwd=ROOT, env=bare | env, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_each_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    names = "SECRET_KEY LINK_KEY TWILIO_AUTH_TOKEN EMAIL_HOST_PASSWORD DATABASE_URL".split()
    env = {"SSL_CERT_FILE": "/nowhere"}  # somebody else's: never ours to open
    for name in [*names, "ANYMAIL_WEBHOOK_SECRET"]:
        file = tmp_path / name
        file.write_text(f"{'sqlite:////' if name == 'DATABASE_URL' else ''}of-{name.lower()}\n")
        env[f"{name}_FILE"] = str(file)
    read = read_settings(tmp_path, **env)
    assert read.stdout.strip() == str(
        [
            *("of-secret_key", "of-link_key", "of-twilio_auth_token", "of-email_host_password"),
            *("/of-database_url", "of-anymail_webhook_secret"),
        ]
    )


def test_a_file_that_cannot_be_read_stops_the_start_and_names_its_setting(tmp_path: Path) -> None:
    read = read_settings(tmp_path, LINK_KEY_FILE="/run/credentials/no-such-file")
    assert read.returncode != 0
    assert read.stderr.startswith("LINK_KEY cannot be read: LINK_KEY_FILE names /run/credentials/")
    assert "Put the path of a text file there, or set LINK_KEY itself." in read.stderr
    assert "Traceback" not in read.stderr


def test_an_empty_file_is_a_missing_setting(production: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    env = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "VAR_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", "import aftercare.wsgi"],
        cwd=ROOT, env=env | {"LINK_KEY": "x", "SECRET_KEY_FILE": str(tmp_path / "empty")},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode != 0
    assert "SECRET_KEY is not set." in ended.stderr


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
