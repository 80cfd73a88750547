"""`python -m tests.bench.peers.limit`: the calls alone, from a pool of threads.

The forms are made before the clock starts; then the site's own HTTP client posts them, and nothing
else happens.
Prints the processor time the calls took, in milliseconds.
"""

from __future__ import annotations

import argparse
import threading
import time
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlencode

import django
from django.utils import timezone


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", type=int, required=True, help="which of the processes this is")
    parser.add_argument("--parts", type=int, required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--go", type=Path, required=True, help="begin when this file is there")
    return parser.parse_args()


def main() -> None:
    arguments = read_arguments()
    django.setup()
    from tests.bench.meters import own_cpu_ms

    bodies = due_bodies(arguments.part, arguments.parts)
    print("ready", flush=True)
    while not arguments.go.exists():
        time.sleep(0.005)
    before = own_cpu_ms()
    post_all(bodies, arguments.in_flight)
    print(own_cpu_ms() - before, flush=True)


def due_bodies(part: int, parts: int) -> list[bytes]:
    """The forms of this process's share of what is due, ready to be posted."""
    from .usual import form_of, with_patient

    now = timezone.now()
    due = list(with_patient().due(now))
    return [urlencode(form_of(reminder, now=now)).encode() for reminder in due[part::parts]]


def post_all(bodies: list[bytes], in_flight: int) -> None:
    from django.conf import settings

    from reminders.channels.kept import Kept

    account, token = settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN
    url = f"{settings.TWILIO_API_BASE}/2010-04-01/Accounts/{account}/Messages.json"
    headers = {
        "Authorization": "Basic " + b64encode(f"{account}:{token}".encode()).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    kept = Kept(in_flight, connect=3.0, read=10.0)
    waiting = iter(bodies)  # a list's iterator is safe to share: each item is handed out once

    def post() -> None:
        for body in waiting:
            answer = kept.request("POST", url, headers, body)
            if answer.status != 201:
                raise RuntimeError(f"The provider answered {answer.status}.")

    threads = [threading.Thread(target=post) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
