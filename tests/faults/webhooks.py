"""Webhooks that the provider never sent: none is accepted, none leaves a row, none breaks us."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from reminders.models import Attempt, Concern, InboundText, Receipt, Reminder
from tests.builders import SENDER

from .carry_on import carry_on
from .cohort import make_due
from .judge import judge
from .post import Post, Poster, signed, status_form
from .stage import Stage
from .table import Finding

INBOUND = "/webhooks/twilio/inbound"
ODD_WORDS = ("", "\x00", "+12025560000\x00", "x" * 100_000, "😀" * 2_000, "\u202e%00", " \r\n ")
ODD_ENDS = (b"", b"", b"&Body=twice", b"&%ff=%fe", b"\xff\xfe", b"&x" * 2_000)
SOMEBODY = "AC" + "9" * 32
REAL = 20  # texts that were really sent, whose addresses the forger has


def forged(stage: Stage, requests: int) -> Finding:
    """Forged, unsigned, wrong-account, JSON and GET, at addresses that exist and that do not."""
    stage.phone.control(receipts=False)
    make_due(REAL)
    stage.do(partial(carry_on, 60.0))
    before = _rows()
    posts = list(_posts(requests))
    answers = Poster(stage.base_url).send_all(posts)
    accepted = sum(number for status, number in answers.items() if 200 <= status < 400)
    broken = sum(number for status, number in answers.items() if status >= 500 or status == 0)
    finding = Finding(f"{requests} requests", judge(stage.phone))
    told = ", ".join(f"{status}: {number}" for status, number in sorted(answers.items()))
    finding.note = f"{accepted} accepted, {broken} answers of 5xx or none; {told}"
    if accepted or broken:
        finding.problems.append("accepted or broken")
    if _rows() != before:
        finding.problems.append("rows were left behind")
    _check_signed_nonsense(stage, finding, requests // 10)
    return finding


def _check_signed_nonsense(stage: Stage, finding: Finding, requests: int) -> None:
    """Odd, but from somebody who has the token: kept or refused as they are, and never a 5xx."""
    paths = [INBOUND, *(f"/webhooks/twilio/status/{one.token}" for one in Attempt.objects.all())]
    posts = [_odd(random.choice(paths), index) for index in range(requests)]
    answers = Poster(stage.base_url).send_all(posts)
    broken = sum(number for status, number in answers.items() if status >= 500 or status == 0)
    finding.note += f"; {requests} signed and malformed: {broken} of 5xx or none"
    if broken:
        finding.problems.append("signed nonsense broke it")


def _odd(path: str, index: int) -> Post:
    form = status_form(f"SM{index:032x}", "odd") | {"From": "+12025560000", "To": SENDER}
    form[random.choice(("MessageSid", "MessageStatus", "ErrorCode", "From", "To", "Body"))] = (
        random.choice(ODD_WORDS)
    )
    post = signed(path, form)
    return replace(post, body=post.body + random.choice(ODD_ENDS))


def _rows() -> object:
    counts = [model.objects.count() for model in (Receipt, InboundText, Concern)]
    return counts, list(Reminder.objects.order_by("pk").values_list("state", flat=True))


def _posts(number: int) -> Iterator[Post]:
    paths = [f"/webhooks/twilio/status/{one.token}" for one in Attempt.objects.all()]
    for index in range(number):
        path = INBOUND if index % 3 == 0 else random.choice(paths)
        form = status_form(f"SM{index:032x}", "delivered")
        form |= {"From": "+12025560000", "To": SENDER, "Body": "STOP"}
        yield FORGERIES[index % len(FORGERIES)](path, form)


def _unsigned(path: str, form: dict[str, str]) -> Post:
    return _with(signed(path, form), "X-Twilio-Signature", None)


def _nonsense(path: str, form: dict[str, str]) -> Post:
    words = random.choice(["bm90IGEgc2lnbmF0dXJl", "x", "=" * 300, "\xff\xfe"])
    return _with(signed(path, form), "X-Twilio-Signature", words)


def _another_token(path: str, form: dict[str, str]) -> Post:
    return signed(path, form, token="somebody-elses-token")


def _another_account(path: str, form: dict[str, str]) -> Post:
    """Well signed, but not for our account: another one of the same provider's customer."""
    return signed(path, {**form, "AccountSid": SOMEBODY})


def _another_path(path: str, form: dict[str, str]) -> Post:
    return replace(signed("/webhooks/elsewhere", form), path=path)


def _another_body(path: str, form: dict[str, str]) -> Post:
    """A real signature over other words, as somebody who saw one might try."""
    return replace(signed(path, form), body=signed(path, {**form, "Body": "START"}).body + b"&x=1")


def _as_json(path: str, form: dict[str, str]) -> Post:
    post = _with(signed(path, form), "Content-Type", "application/json")
    return replace(post, body=json.dumps(form).encode())


def _by_get(path: str, form: dict[str, str]) -> Post:
    return replace(signed(path, form), method="GET", body=b"")


def _broken_form(path: str, form: dict[str, str]) -> Post:
    return replace(signed(path, form), body=b"%ff%fe=\xff&&&=&AccountSid=%00")


def _with(post: Post, header: str, value: str | None) -> Post:
    headers = {name: words for name, words in post.headers.items() if name != header}
    return replace(post, headers=headers if value is None else {**headers, header: value})


FORGERIES: tuple[Callable[[str, dict[str, str]], Post], ...] = (
    _unsigned, _nonsense, _another_token, _another_account, _another_path, _another_body,
    _as_json, _by_get, _broken_form,
)  # fmt: skip
