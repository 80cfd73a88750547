"""For tests: start a phone, read it, turn its knobs. Standard library only, synchronous."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final, TypeVar
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

_ROOT: Final = Path(__file__).parents[2]
_OPENER: Final = build_opener(ProxyHandler({}))

Result = TypeVar("Result")
Messages = list[dict[str, Any]]


class Phone:
    """A running phone, seen from outside. HTTP errors raise urllib's HTTPError."""

    def __init__(self, base_url: str, *, smtp_port: int = 0) -> None:
        self.base_url = base_url.rstrip("/")
        self.smtp_port = smtp_port

    def messages(self, to: str | None = None) -> Messages:
        """Texts and mails, oldest first; `to` is a patient's number or mail address."""
        query = "" if to is None else "?" + urlencode({"to": to})
        messages: Messages = self._ask("/messages.json" + query)
        return messages

    def wait_for(
        self, predicate: Callable[[Messages], Result], timeout: float = 5.0, to: str | None = None
    ) -> Result:
        """The first true result of predicate(messages). Raises TimeoutError after `timeout` s."""
        deadline = monotonic() + timeout
        while not (result := predicate(messages := self.messages(to))):
            if monotonic() > deadline:
                raise TimeoutError(f"Not within {timeout} s; the phone has {messages!r:.2000}")
            sleep(0.02)
        return result

    def control(self, **knobs: Any) -> dict[str, Any]:
        """Set knobs (none: just look); returns all of them."""
        answer: dict[str, Any] = self._ask("/control", knobs or None)
        return answer

    def stats(self, *, brief: bool = False) -> dict[str, Any]:
        answer: dict[str, Any] = self._ask("/control/stats" + ("?brief=1" if brief else ""))
        return answer

    def wait_for_callbacks(self, timeout: float = 30.0) -> None:
        """Until no callback waits to leave. Raises TimeoutError."""
        deadline = monotonic() + timeout
        while self.stats(brief=True)["callbacks_pending"]:
            if monotonic() > deadline:
                raise TimeoutError(f"Callbacks were still waiting after {timeout} s.")
            sleep(0.02)

    def reset(self) -> None:
        """Empty the mailbox, the blocks and the counts; put every knob back."""
        self._ask("/control/reset", {})

    def inbound(self, from_: str, to: str, body: str) -> dict[str, Any]:
        """A patient writes to the clinic; returns {sid, status, replies} once the site answered."""
        answer: dict[str, Any] = self._ask(
            "/control/inbound", {"From": from_, "To": to, "Body": body}
        )
        return answer

    def _ask(self, path: str, payload: dict[str, Any] | None = None) -> Any:
        data = None if payload is None else json.dumps(payload).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(self.base_url + path, data, headers)  # noqa: S310 - always http
        with _OPENER.open(request, timeout=30) as response:
            return json.load(response)


@contextmanager
def start_phone(
    *,
    account_sid: str,
    auth_token: str,
    port: int = 0,
    smtp_port: int = 0,
    public_base: str = "http://localhost:8000",
    state: Path | None = None,
) -> Iterator[Phone]:
    """A phone in a process of its own, on free ports unless told; stopped at the end."""
    command = [
        sys.executable,
        "-m",
        "tests.phone",
        f"--port={port}",
        f"--smtp-port={smtp_port}",
        f"--public-base={public_base}",
        f"--account-sid={account_sid}",
        f"--auth-token={auth_token}",
        *([f"--state={state}"] if state else []),
    ]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        if not ready:
            raise RuntimeError(f"The phone did not start; exit code {process.wait()}.")
        ports = json.loads(ready)
        yield Phone(f"http://127.0.0.1:{ports['http']}", smtp_port=ports["smtp"])
    finally:
        process.terminate()
        process.wait(timeout=5)
        process.stdout.close()
