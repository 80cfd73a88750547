"""Pages for when something is not there or broke: calm, and never a dead end."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client

from tests.patients.reading import read


@pytest.mark.parametrize("status", [400, 403, 404, 405, 429, 500])
def test_every_error_page_says_whom_to_call(status: int) -> None:
    page = read(render_to_string(f"{status}.html"))
    assert len(page.root.every("h1")) == 1
    assert "call your clinic" in page.text
    assert "call your emergency number now" in page.text


@pytest.mark.parametrize("status", [400, 404, 405, 429, 500])
def test_every_error_page_a_patient_can_meet_says_so_in_spanish_too(status: int) -> None:
    page = read(render_to_string(f"{status}.html"))
    (spanish,) = [one for one in page.root.every("div") if one.attrs.get("lang") == "es"]
    assert spanish.every("h2")
    assert "llame a su clínica" in spanish.text
    assert "llame ya a su número de emergencias" in spanish.text


def test_an_address_that_is_nowhere_is_told_so(db: None) -> None:
    response = Client().get("/nowhere")
    assert response.status_code == 404
    assert "There is no page here" in response.content.decode()


def test_the_page_for_a_broken_site_needs_nothing_of_the_site() -> None:
    source = Path(settings.BASE_DIR, "templates", "500.html").read_text()
    assert "{%" not in source
    assert "{{" not in source
