"""Ways to reach a patient. A channel knows no model: a `Message` goes in, an `Outcome` comes out.

The four outcomes are all there are, and the difference between the last two is the promise of
this site: `NotSent` means the provider certainly has nothing, `Unknown` that only it can tell.
"""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it, calls it `provider_id` and says it is in `status`."""

    provider_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider refused it for good; `opted_out` if it says that the recipient wants none."""

    code: str
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    """Certainly not sent; worth another try."""

    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    code: str


Outcome = Accepted | Rejected | NotSent | Unknown
