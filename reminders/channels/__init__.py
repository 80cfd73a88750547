"""Ways to reach a patient. A channel knows no model: a `Message` goes in, an `Outcome` comes out.

The four outcomes are all there are, and the difference between the last two is the promise of
this site: `NotSent` means the provider certainly has nothing, `Unknown` that only it can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reminders.channels.codes import Means


@dataclass(frozen=True, slots=True)
class Message:
    """One message ready to leave. `valid_for`: seconds of usefulness left."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    callback_url: str
    message_id: str
    valid_for: int
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it, calls it `provider_id` and says it is in `status`."""

    provider_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider refused this message; `means` says whether another one could pass."""

    code: str
    means: Means = Means.NUMBER


@dataclass(frozen=True, slots=True)
class NotSent:
    """Certainly not sent; worth another try. A global `means` concerns more than this message."""

    code: str
    means: Means = Means.TRY_AGAIN


@dataclass(frozen=True, slots=True)
class Unknown:
    code: str


Outcome = Accepted | Rejected | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class Listed:
    """A message the provider has, as it says when asked."""

    provider_id: str
    status: str
    error_code: str
    text: str
    created_at: datetime
