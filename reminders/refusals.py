"""What the providers refuse just now, in words: the account, a sender or a country of ours."""

from __future__ import annotations

from datetime import datetime

from reminders.models import Circuit
from reminders.provider_errors import ProviderError, explain


def refused_now(*, now: datetime) -> list[ProviderError]:
    """Each once; messages wait behind it, and leave by themselves when it is put right."""
    rows = Circuit.objects.filter(closes_at__gt=now).order_by("id")
    return list(dict.fromkeys(explain(one.code, one.channel) for one in rows))
