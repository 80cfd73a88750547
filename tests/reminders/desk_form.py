"""The desk's form as somebody fills it in."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.test import Client
from django.urls import reverse

from patients.models import Patient


def filled(**changes: str) -> dict[str, str]:
    """What a desk types for somebody new; `None` is left out."""
    typed = {
        "first_name": "Maria",
        "last_name": "Gomez",
        "phone": "(202) 555-0146",
        "email": "",
        "channel": "sms",
        "language": "en",
        "protocol": "microneedling",
        "ended": "0",
        "ended_at": "",
        "session": "1",
        "recovery": "on",
        "form_key": str(uuid.uuid4()),
    }
    return {**typed, **changes}


def save(desk: Client, typed: Mapping[str, str], patient: Patient | None = None) -> Any:
    address = reverse("desk-returning", args=[patient.pk]) if patient else reverse("desk")
    return desk.post(address, typed)


def text_of(response: Any) -> str:
    """The page as one line, so that a sentence is found however the template breaks it."""
    html = re.sub(r'<span class="number">(.*?)</span>', r"\1", response.content.decode())
    return " ".join(html.replace("&#x27;", "'").split())
