"""Every setting, read from the environment (or `.env`); `.env.example` explains each.

Three ways to run: production (the default; refuses to start half-configured), demo
(`DEMO=1`, what `make run` starts: a made-up clinic and a stand-in phone on this machine)
and the tests (which set what they need in the environment).
"""

import os
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from aftercare import valkey
from aftercare.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent

# Each setting may stand in a file instead: SECRET_KEY_FILE names the file that holds SECRET_KEY.
env = Environment()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))
# What this machine keeps: the SQLite file, logs, collected static files, the private socket.
VAR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))

DEMO: bool = env.bool("DEMO", default=False)
DEBUG: bool = env.bool("DEBUG", default=False)
PORT: int = env.int("PORT", default=8000)


def secret(name: str) -> str:
    """A setting that production must name. Only the demo, bound to this machine, has a stand-in."""
    value: str = env.str(name, default=f"demo-only-{name.lower()}" if DEMO else "")
    return value


# The public address: every link we send starts with it, whatever host a request claims.
PUBLIC_BASE_URL: str = env.str(
    "PUBLIC_BASE_URL", default=f"http://localhost:{PORT}" if DEMO else ""
).rstrip("/")
_public = environ.urlparse(PUBLIC_BASE_URL)
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=[_public.hostname] if _public.hostname else []
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL] if PUBLIC_BASE_URL else []

SECRET_KEY = secret("SECRET_KEY")
# After SECRET_KEY was changed, the old one: it still opens sessions and second factors.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
# Personal links are derived from this key alone, so that it can outlive SECRET_KEY's rotation.
LINK_KEY = secret("LINK_KEY")

INSTALLED_APPS = [
    "aftercare.apps.AftercareConfig",
    "reminders.apps.RemindersConfig",
    "patients.apps.PatientsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "anymail",
    "csp",
    "django_htmx",
    "phonenumber_field",
]

MIDDLEWARE = [
    "aftercare.requests.RequestId",
    # Above whatever may answer by itself, so that no answer goes without them.
    "aftercare.headers.BrowserRules",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "aftercare.gate.Gate",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "aftercare.hurry.Hurry",
    # Every look at a record leaves a row, and a view that forgets to say so is found.
    "patients.audit.AuditTrail",
    # A provider's call turns off here: what follows is for people.
    "aftercare.short_way.ShortWay",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    # Deny by default: a view is closed unless it says `login_not_required`.
    "aftercare.closed.ClosedByDefault",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "aftercare.urls"
WSGI_APPLICATION = "aftercare.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "aftercare.context.site",
            ],
        },
    }
]

# How many proxies of ours stand before this site and add to X-Forwarded-For; 0: it is not believed.
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=0)
# How often one address (of IPv6 one /64) may open personal links, and try ones that open nothing.
# An opening is about five requests: a full waiting room on one Wi-Fi is far below this.
LINK_OPENINGS_A_MINUTE: int = env.int("LINK_OPENINGS_A_MINUTE", default=600)
LINK_MISSES_A_MINUTE: int = env.int("LINK_MISSES_A_MINUTE", default=30)
# The tests set this: a staff view that shows patients and leaves no audit row then fails.
AUDIT_STRICT = False

# --- Database: SQLite on one machine, PostgreSQL by DATABASE_URL -----------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR / 'aftercare.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        # Writers queue for the lock at BEGIN instead of failing half-way: the claim relies on it.
        "transaction_mode": "IMMEDIATE",
        # Seconds. A list of 20,000 rows is one write of some 6 s, and other saves wait for it.
        "timeout": 40,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;"
            "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=2000;"
        ),
    }
else:
    _database["ENGINE"] = "aftercare.postgresql"
    _database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=600)
    _database["CONN_HEALTH_CHECKS"] = True
    # A webhook must be kept elsewhere while its sender still waits for an answer (Twilio 15 s). A
    # server that vanishes without a word costs the kept connection's patience and a new one's.
    # The system's own would be a quarter of an hour. Over a unix socket all but the first are idle.
    _database["OPTIONS"] = {
        "connect_timeout": 5,  # seconds
        "tcp_user_timeout": 5000,  # milliseconds until what was sent must have arrived
        "keepalives_idle": 5,  # seconds; then it is asked every two, and twice in vain is the end
        "keepalives_interval": 2,
        "keepalives_count": 2,
    } | _database.get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The key file that backups are sealed with (`manage.py backup --new-key FILE` makes one), and the
# folder of pg_dump, pg_restore and psql where they are not on the PATH.
BACKUP_KEY_FILE: str = env.str("BACKUP_KEY_FILE", default="")
PG_BIN: str = env.str("PG_BIN", default="")

# --- Celery: a doorbell over a Redis-protocol server ------------------------------------------
# `manage.py up` starts a private server and sets REDIS_URL itself when none is given.
REDIS_URL: str = env.str("REDIS_URL", default=valkey.url(VAR))
CELERY_BROKER_URL = (
    "redis+socket://" + REDIS_URL.removeprefix("unix://")
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_SOFT_TIME_LIMIT = 45
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30.0
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # A publish while the server is away fails at once: the row waits and the tick finds it.
    "socket_connect_timeout": 1,
    "socket_timeout": 10,
    "retry_on_timeout": False,
    "max_retries": 1,
    "interval_start": 0.0,
    "interval_step": 0.0,
}
CELERY_TASK_PUBLISH_RETRY = False
# Celery closes the PostgreSQL connection around every task unless told otherwise.
CELERY_DB_REUSE_MAX = 1000
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "celerybeat-schedule")
# How many calls to a provider one worker process keeps in flight.
CALLS_IN_FLIGHT: int = env.int("CALLS_IN_FLIGHT", default=50)
# How long the provider is asked about a message of unknown fate before it counts as never sent.
SETTLE_SECONDS: float = env.float("SETTLE_SECONDS", default=600.0)
# Staff are told, and `/readyz` answers 503, when nothing has ticked for so long.
ALARM_SECONDS: float = env.float("ALARM_SECONDS", default=120.0)
# Whoever knows it may read `/metrics`; without one nobody may.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
TICK_SECONDS: float = env.float("TICK_SECONDS", default=2.0)
CELERY_BEAT_SCHEDULE = {
    "seal the audit trail": {
        "task": "reminders.tasks.seal_audit",
        "schedule": 30 * TICK_SECONDS,
        "options": {"expires": 60},
    },
    # Once an hour, so that a site which is restarted every day comes to it all the same.
    "forget": {
        "task": "reminders.tasks.forget",
        "schedule": 1800 * TICK_SECONDS,
        "options": {"expires": 600},
    },
    # A ring that nobody answered in time is stale: the next one does the same.
    "tick": {
        "task": "reminders.tasks.drain",
        "schedule": TICK_SECONDS,
        "options": {"expires": 60},
    },
    "hear": {
        "task": "reminders.tasks.hear",
        "schedule": TICK_SECONDS,
        "options": {"expires": 60},
    },
    "sum up": {
        "task": "reminders.tasks.sum_up",
        "schedule": 60 * TICK_SECONDS,
        "options": {"expires": 60},
    },
    "settle": {
        "task": "reminders.tasks.settle",
        "schedule": 2 * TICK_SECONDS,
        "options": {"expires": 60},
    },
    "take in lists": {
        "task": "reminders.tasks.take_in",
        "schedule": 12 * TICK_SECONDS,
        "options": {"expires": 60},
    },
}

CACHES = {
    "default": env.cache("CACHE_URL")
    if "CACHE_URL" in env
    else {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL + ("?db=1" if REDIS_URL.startswith("unix://") else ""),
        "KEY_PREFIX": "aftercare",
        # A page counts on it but never waits for it.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
}

# --- Text messages: Twilio ---------------------------------------------------------------------
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="AC" + "0" * 32 if DEMO else "")
TWILIO_AUTH_TOKEN = secret("TWILIO_AUTH_TOKEN")
# During a rotation Twilio signs with the old token until the new one is promoted.
TWILIO_AUTH_TOKEN_NEXT: str = env.str("TWILIO_AUTH_TOKEN_NEXT", default="")
TWILIO_API_BASE: str = env.str(
    "TWILIO_API_BASE",
    default=f"http://127.0.0.1:{PORT + 1}" if DEMO else "https://api.twilio.com",
).rstrip("/")
# Twilio answers STOP, START and HELP by itself unless its account says otherwise.
TWILIO_ANSWERS_KEYWORDS: bool = env.bool("TWILIO_ANSWERS_KEYWORDS", default=not DEMO)

# --- Email --------------------------------------------------------------------------------------
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="reminders.channels.smtp.EmailBackend")
# `anymail.backends.postmark.EmailBackend` and its sisters: `postmark`; empty for plain SMTP.
EMAIL_PROVIDER: str = (
    EMAIL_BACKEND.split(".")[2] if EMAIL_BACKEND.startswith("anymail.backends.") else ""
)
# Each ANYMAIL_… of the environment, such as ANYMAIL_POSTMARK_SERVER_TOKEN or
# ANYMAIL_WEBHOOK_SECRET ("user:password", which the provider sends with every webhook).
ANYMAIL: dict[str, object] = {
    name.removeprefix("ANYMAIL_").removesuffix("_FILE"): env.str(name.removesuffix("_FILE"))
    for name in list(os.environ)
    if name.startswith("ANYMAIL_")
}
# Seconds to connect, to be answered: less than a call's time, `reminders.dispatch.CALL_NEEDS`.
EMAIL_TIMEOUT = 10
ANYMAIL["REQUESTS_TIMEOUT"] = (3, EMAIL_TIMEOUT)
EMAIL_HOST = env.str("EMAIL_HOST", default="127.0.0.1" if DEMO else "")
EMAIL_PORT = env.int("EMAIL_PORT", default=PORT + 2 if DEMO else 587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=not DEMO)
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default="aftercare@lakeside.example" if DEMO else ""
)

# --- Staff sign-in ------------------------------------------------------------------------------
AUTH_USER_MODEL = "patients.StaffUser"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "patients.sign_in.StaffSignIn"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
# The sixth bad try for an account within five minutes waits; a colleague at the same address does
# not. All that come from one address together may fail once a second.
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key,60/m/ip", "login": "120/m/ip"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Only the demo lets somebody in by a password alone.
SECOND_FACTOR_REQUIRED = not DEMO
MFA_ADAPTER = "patients.factors.SealedFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # a finger, a face or a PIN: two factors in one
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}  # a shift begins at one address
MFA_TOTP_TOLERANCE = 1  # one step of 30 s: phones' clocks differ
MFA_FORMS = {
    "add_webauthn": "patients.passkey_forms.AddPasskey",
    "authenticate_webauthn": "patients.passkey_forms.EnterWithPasskey",
    "login_webauthn": "patients.passkey_forms.SignInWithPasskey",
    "reauthenticate_webauthn": "patients.passkey_forms.AgainWithPasskey",
}
# Minutes without a hand on a staff page until it shows only the board's counters.
SCREEN_LOCK_MINUTES: float = env.float("SCREEN_LOCK_MINUTES", default=5.0)
SESSION_IDLE_MINUTES = 15
SESSION_HOURS = 12
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "aftercare.not_the_demo.NotTheDemos"},
]

# --- The browser's rules ------------------------------------------------------------------------
HTTPS: bool = PUBLIC_BASE_URL.startswith("https://")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HTTPS)
# Asked by machines beside us, not through the proxy.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|readyz/web|metrics)$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
# Set this only behind a proxy that always overwrites the header.
if env.bool("TRUST_X_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# `no-referrer` would make browsers send `Origin: null`, which Django refuses on forms.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_AGE = SESSION_HOURS * 60 * 60
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# In a cookie of their own they would name people outside the session.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Language, time, files ----------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
PHONENUMBER_DB_FORMAT = "E164"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Logs: what happened and to which row, never to whom ---------------------------------------
# `json` for a log server, `line` for people.
LOG_FORMAT: str = env.str("LOG_FORMAT", default="line" if DEMO or DEBUG else "json")
if LOG_FORMAT not in ("json", "line"):
    raise ImproperlyConfigured(f"LOG_FORMAT must be json or line but is {LOG_FORMAT}")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "aftercare.logs.MaskingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
        "json": {"()": "aftercare.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    # Without Django's own handler, which mails errors with the request in them.
    "loggers": {"django": {"handlers": [], "level": "INFO"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
}
DEFAULT_EXCEPTION_REPORTER = "aftercare.errors.QuietReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "aftercare.errors.NobodysData"
