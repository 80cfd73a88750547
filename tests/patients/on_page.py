"""A patient's hands: opens pages of the personal link and sends their forms, as a browser would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import time_machine
from django.apps import apps
from django.test import Client

from patients import links
from patients.models import Treatment
from patients.seal import seal_of
from tests.patients.reading import Reading, read

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

OURS = {"origin": "http://testserver", "sec-fetch-site": "same-origin"}


def rows() -> dict[str, list[object]]:
    """Every row of every table of ours."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for name in ("patients", "reminders")
        for model in apps.get_app_config(name).get_models()
    }


@dataclass
class OnPage:
    """The treatment's link at one moment. Django's own CSRF checks are on: nothing leans on it."""

    treatment: Treatment
    at: datetime

    @property
    def token(self) -> str:
        return links.token_of(self.treatment)

    def get(self, act: str = "", query: str = "") -> Response:
        with time_machine.travel(self.at, tick=False):
            return self._client().get(self._path(act) + query)

    def see(self, act: str = "", query: str = "") -> Reading:
        return read(self.get(act, query).content.decode())

    def post(
        self, act: str, *, headers: dict[str, str] | None = None, seal: str = "", **typed: object
    ) -> Response:
        sent = {"seal": seal or seal_of(self.token), **typed}
        with time_machine.travel(self.at, tick=False):
            return self._client().post(
                self._path(act), sent, headers=OURS if headers is None else headers
            )

    def _path(self, act: str) -> str:
        return f"/r/{self.token}/{act}" if act else f"/r/{self.token}"

    def _client(self) -> Client:
        return Client(enforce_csrf_checks=True)
