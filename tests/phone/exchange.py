"""Everything one running phone is made of, put together once. No logic."""

from dataclasses import dataclass

from tests.phone.callbacks import AT_ONCE, Outbox
from tests.phone.carrier import Carrier
from tests.phone.counts import Counts
from tests.phone.knobs import Knobs
from tests.phone.messages import Mailbox
from tests.phone.signing import SignedPosts


@dataclass(frozen=True, slots=True)
class Account:
    """Who may call the API, and what signs the webhooks."""

    sid: str
    auth_token: str


class Exchange:
    """Made inside a running loop, because it holds an HTTP session."""

    def __init__(self, account: Account, public_base: str) -> None:
        self.account = account
        self.first_public_base = public_base
        self.knobs = Knobs(public_base=public_base)
        self.counts = Counts()
        self.mailbox = Mailbox()
        self.posts = SignedPosts(account.auth_token, at_once=AT_ONCE)
        self.outbox = Outbox(self.posts, self.knobs, self.counts, account.sid)
        self.carrier = Carrier(self.mailbox, self.outbox, self.knobs)

    def reset(self) -> None:
        """Empty mailbox, blocks, counts and waiting callbacks; every knob as at the start."""
        self.mailbox.empty()
        self.outbox.empty()
        self.counts.clear()
        self.knobs.restart(self.first_public_base)

    async def close(self) -> None:
        self.outbox.stop()
        await self.posts.close()
