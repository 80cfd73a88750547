"""Refuses to run a site whose settings are missing or unsafe, and says which and what to put.

The demo and DEBUG have stand-ins for most of these, so only production is held to all of them.
`manage.py` runs the checks by itself; the web server and the Celery processes call
`refuse_half_configured`, because they would otherwise start and fail at the first patient.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from aftercare.not_the_demo import HINT, traces

# A text holds 160 characters and the link may take 60: address, "/r/" and 22 of the token.
LINK_BUDGET = 60
LONGEST_BASE_URL = LINK_BUDGET - len("/r/") - 22
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

RANDOM = (
    "Put 50 random characters, for example from: "
    "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
)
REQUIRED = {
    "SECRET_KEY": ("aftercare.E001", f"It signs sessions. {RANDOM}"),
    "LINK_KEY": (
        "aftercare.E002",
        f"Every patient's link is derived from it; never change it afterwards. {RANDOM}",
    ),
    "PUBLIC_BASE_URL": (
        "aftercare.E003",
        "Put the https address patients reach this site at, for example https://care.example.com",
    ),
    "TWILIO_ACCOUNT_SID": (
        "aftercare.E004",
        "Put the Account SID from the Twilio console; it begins with AC.",
    ),
    "TWILIO_AUTH_TOKEN": (
        "aftercare.E005",
        "Put the Auth Token from the Twilio console; receipts and texts are verified with it.",
    ),
    "EMAIL_HOST": (
        "aftercare.E006",
        "Put the name of the SMTP server that sends your mail, for example smtp.example.com",
    ),
    "DEFAULT_FROM_EMAIL": (
        "aftercare.E007",
        "Put the address your mail comes from, for example care@clinic.example",
    ),
}


def is_production() -> bool:
    return not settings.DEMO and not settings.DEBUG


def configured(name: str) -> bool:
    try:
        return bool(getattr(settings, name))
    except ImproperlyConfigured:  # Django's own refusal of an empty SECRET_KEY
        return False


@register()
def required_settings_are_set(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    if not is_production():
        return []
    return [
        Error(f"{name} is not set.", hint=hint, id=check_id)
        for name, (check_id, hint) in REQUIRED.items()
        if not configured(name)
    ]


@register()
def public_address_fits(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> Iterator[CheckMessage]:
    address = settings.PUBLIC_BASE_URL
    if not address or not is_production():
        return
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        yield Error(
            f"PUBLIC_BASE_URL must begin with https:// but is {address}",
            hint="Patients' links carry a secret; put the https address of the site.",
            id="aftercare.E011",
        )
    if parts.path or parts.query or parts.fragment or parts.username:
        yield Error(
            f"PUBLIC_BASE_URL must be a bare address but is {address}",
            hint="Leave out everything after the host name, for example https://care.example.com",
            id="aftercare.E012",
        )
    if len(address) > LONGEST_BASE_URL:
        yield Error(
            f"PUBLIC_BASE_URL has {len(address)} characters; {LONGEST_BASE_URL} fit in one text.",
            hint="Point a shorter host name at this site and put that.",
            id="aftercare.E013",
        )


@register()
def texts_go_to_twilio(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    if not is_production():
        return []
    parts = urlsplit(settings.TWILIO_API_BASE)
    if parts.scheme == "https" and (parts.hostname or "").endswith(".twilio.com"):
        return []
    return [
        Error(
            "TWILIO_API_BASE must be an https address at twilio.com "
            f"but is {settings.TWILIO_API_BASE}",
            hint="It receives patients' numbers. Remove the setting to use https://api.twilio.com",
            id="aftercare.E021",
        )
    ]


@register()
def debug_stays_private(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    if not (settings.DEBUG and settings.PUBLIC_BASE_URL.startswith("https://")):
        return []
    return [
        Error(
            "DEBUG is on at a public https address.",
            hint="Error pages would show patients' data and keys. Remove the DEBUG setting.",
            id="aftercare.E031",
        )
    ]


@register()
def demo_stays_private(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Refused at a public address; warned of on any other machine's."""
    parts = urlsplit(settings.PUBLIC_BASE_URL)
    if not settings.DEMO or parts.hostname in LOOPBACK:
        return []
    kind = Error if parts.scheme == "https" else Warning
    return [
        kind(
            f"DEMO is on at {settings.PUBLIC_BASE_URL}",
            hint="Its keys and passwords are printed in the source. Remove the DEMO setting.",
            id="aftercare.E041" if kind is Error else "aftercare.W041",
        )
    ]


@register()
def demo_data_stays_out(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = (), **kwargs: Any
) -> list[CheckMessage]:
    """Asks the database: only where it is to be asked (`check --database`, and every start)."""
    if not is_production() or not databases:
        return []
    return [
        Error(f"This is production, but: {trace}", hint=HINT, id="aftercare.E042")
        for trace in traces()
    ]


@register()
def staff_show_a_second_factor(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    if settings.DEMO or settings.SECOND_FACTOR_REQUIRED:
        return []
    return [
        Error(
            "SECOND_FACTOR_REQUIRED is off.",
            hint="Staff pages hold patients' names: only the demo opens them by a password alone.",
            id="aftercare.E043",
        )
    ]


@register(deploy=True)
def the_proxy_is_counted(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    trusted = bool(settings.SECURE_PROXY_SSL_HEADER)
    if not trusted or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "TRUST_X_FORWARDED_PROTO is on, but TRUSTED_PROXIES is 0.",
            hint="Everybody seems to come from the proxy's address and shares its limits. "
            "Put how many proxies write X-Forwarded-For, usually 1.",
            id="aftercare.W051",
        )
    ]


CHECKS: tuple[Callable[..., Any], ...] = (
    required_settings_are_set,
    public_address_fits,
    texts_go_to_twilio,
    debug_stays_private,
    demo_stays_private,
    demo_data_stays_out,
    staff_show_a_second_factor,
)


def refuse_half_configured() -> None:
    """Raise ImproperlyConfigured with the checks' own sentences if anything is missing."""
    found = [one for check in CHECKS for one in check(None, databases=["default"])]
    found = [one for one in found if one.is_serious()]
    if found:
        raise ImproperlyConfigured("\n".join(f"{e.msg} {e.hint}" for e in found))
