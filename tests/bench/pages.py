"""The recovery page against a bare view that returns as many bytes from a string.

Both through the same gunicorn and the same middleware, in turns; what is counted is the processor
time of the web server's processes. Once as a browser asks (compressed), once without.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import urllib3
from django.utils import timezone

from patients import links
from tests.builders import log, make_patient

from . import rows
from .meters import cpu_ms, forget_statements, statements_of
from .sizes import Sizes
from .stage import WEB, Stage
from .table import Row, Target, Tell

TURNS, WARM = 5, 5
MOST = Target(at_most=10)
AS_A_BROWSER = {"Accept-Encoding": "gzip"}
PLAIN: Mapping[str, str] = {"Accept-Encoding": "identity"}


def run(stage: Stage, sizes: Sizes, tell: Tell) -> None:
    stage.fresh()
    patient = make_patient(clinic=rows.clinic_at_noon())
    treatment = log(patient=patient, treated_at=timezone.now() - timedelta(hours=5))
    page = f"/r/{links.token_of(treatment)}"
    browser = _Browser(stage)
    for what, headers in (("", AS_A_BROWSER), (", not compressed", PLAIN)):
        size = browser.get(page, headers)
        bare = f"/bare/{size}"
        forget_statements()
        times = sizes.pages // TURNS
        ours = theirs = 0.0
        for _ in range(TURNS):
            ours += browser.cpu_ms(page, headers, times=times) / TURNS
            theirs += browser.cpu_ms(bare, PLAIN, times=times) / TURNS
        queries = statements_of(WEB).queries / (TURNS * (times + WARM))
        tell(
            Row(
                f"recovery page{what}, {size / 1000:.1f} kB, web CPU", ours, "ms/request",
                f"bare view {theirs:.2f} ms", ours / theirs, MOST, f"{queries:.1f} queries",
            )
        )  # fmt: skip


class _Browser:
    """One connection, kept alive, to the site by its public name."""

    def __init__(self, stage: Stage) -> None:
        address = urlsplit(stage.base_url)
        self._stage = stage
        self._host = {"Host": address.netloc}
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", address.port, maxsize=1)

    def get(self, path: str, headers: Mapping[str, str]) -> int:
        """The bytes of the body as they came over the line."""
        answer = self._pool.request(
            "GET", path, headers={**self._host, **headers}, decode_content=False
        )
        if answer.status != 200:
            raise RuntimeError(f"The site answered {answer.status}.")
        return len(answer.data)

    def cpu_ms(self, path: str, headers: Mapping[str, str], *, times: int) -> float:
        """Of the web server, for each request."""
        for _ in range(WARM):
            self.get(path, headers)
        before = cpu_ms([self._stage.web_pid])
        for _ in range(times):
            self.get(path, headers)
        return (cpu_ms([self._stage.web_pid]) - before) / times
