"""The copy a phone keeps: every hour of the page in one file, none said as seen from another."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from patients import links
from patients.models import Treatment
from tests.builders import NURSE, OFFICE, log, make_clinic, make_patient
from tests.patients.on_page import OnPage
from tests.patients.reading import Element, read
from tests.patients.test_page import WEEKDAYS, H, T, page_at

ANY_TIME = [1 * H, 5 * H, 7 * H, 23 * H, 30 * H, 60 * H, 8 * 24 * H, 65 * 24 * H]


@pytest.fixture
def treatment(db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic(opening_hours=WEEKDAYS)), treated_at=T)


def kept(treatment: Treatment, query: str = "") -> Element:
    with time_machine.travel(T, tick=False):
        response = Client().get(f"/r/{links.token_of(treatment)}/kept{query}")
    assert response.status_code == 200
    return read(response.content.decode()).root


def shown(root: Element, after: timedelta) -> list[Element]:
    """The parts that a phone shows so long after the treatment."""
    at = int((T + after).timestamp() * 1000)
    return [
        one for one in root.every("template")
        if int(one.attrs["data-from"]) <= at < int(one.attrs.get("data-until") or 10**15)
    ]  # fmt: skip


@pytest.mark.parametrize("after", ANY_TIME)
def test_at_any_hour_the_copy_says_what_the_page_itself_says(
    treatment: Treatment, after: timedelta
) -> None:
    live = page_at(treatment, T + after)
    parts = shown(kept(treatment), after)
    (standing,) = [one for one in parts if one.part("now")]
    for part in ("now", "also"):
        found, wanted = (
            [title.text for title in root.every("h3")] if root else []
            for root in (standing.part(part), live.root.part(part))
        )
        assert found == wanted
    following, normal = standing.part("next"), standing.part("normal")
    assert (following.every("h3")[0].text if following else "") in live.part("next")
    assert (normal.text if normal else "") == live.part("normal")
    (day,) = [one.text for one in parts if one.text.startswith("Day ")]
    assert live.text.find(f"{day} ·") > 0
    (bar,) = [one for one in parts if one.every("a") and not one.part("now")]
    assert bar.every("a")[0].text in live.text


def test_no_hour_of_it_is_said_as_seen_from_one_moment(treatment: Treatment) -> None:
    said = " ".join(one.text for one in kept(treatment).every("template"))
    assert not re.search(
        r"[ap]m (today|tonight|tomorrow|yesterday)|\bin \d+ (hour|minute|day)", said
    )
    assert "2:20 pm on Wed, Nov 25" in said


def test_an_open_report_is_dated_in_it_and_no_opening_hours_are_said(treatment: Treatment) -> None:
    OnPage(treatment, T).post("wrong", sign=["pus"])
    root = kept(treatment)
    assert "You told us at 2:20 pm on Mon, Nov 23" in root.text
    assert "At 2:20 pm on Mon, Nov 23 we alerted a nurse" in root.text
    assert not re.search(
        r"[ap]m (today|tonight|tomorrow|yesterday)|Open now|Closed now|alert now",
        root.text,
    )


def test_it_calls_both_numbers_since_nobody_knows_when_it_is_read(treatment: Treatment) -> None:
    clinic = treatment.patient.clinic
    clinic.after_hours_phone = NURSE
    clinic.save()
    root = kept(treatment)
    cards = {
        one.attrs["class"]: one for one in root.every("section") if "care" in one.attrs["class"]
    }
    for tier in ("call-clinic", "before-next"):
        calls = [one.attrs["href"] for one in cards[f"care {tier}"].every("a")]
        assert calls == [f"tel:{OFFICE}", f"tel:{NURSE}"]
    asks = [one for one in root.every("p") if one.attrs.get("class") == "ask"]
    assert {tuple(call.attrs["href"] for call in one.every("a")) for one in asks} == {
        (f"tel:{OFFICE}", f"tel:{NURSE}")
    }


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (timedelta(minutes=20), "In the first hour after treatment"),
        (1 * H, "1 hour after treatment"),
        (30 * H + timedelta(minutes=59), "30 hours after treatment"),
        (47 * H, "47 hours after treatment"),
        (48 * H, "2 days after treatment"),
        (13 * 24 * H, "13 days after treatment"),
    ],
)
def test_its_heading_says_how_long_ago_the_treatment_was(
    treatment: Treatment, after: timedelta, said: str
) -> None:
    (heading,) = kept(treatment).every("h1")
    found = [one.text for one in shown(heading, after) if "after treatment" in one.text]
    assert found == [said]
    if after >= H:
        assert page_at(treatment, T + after).root.every("h1")[0].text.endswith(found[0])


def test_it_asks_as_little_as_the_page_and_changes_nothing(treatment: Treatment) -> None:
    with CaptureQueriesContext(connection) as queries:
        kept(treatment)
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"] * 2


def test_as_an_app_it_has_a_neutral_name_and_only_this_page(treatment: Treatment) -> None:
    home = f"/r/{links.token_of(treatment)}"
    app = json.loads(Client().get(f"{home}/manifest.webmanifest").content)
    assert (app["name"], app["short_name"]) == ("Your recovery page", "Recovery")
    assert (app["start_url"], app["scope"]) == (home, home)
    assert {icon["purpose"] for icon in app["icons"]} == {"any", "maskable"}
    worker = Client().get("/worker.js")
    assert worker["Content-Type"] == "text/javascript; charset=utf-8"


def test_where_a_form_was_not_sent_every_number_that_may_be_needed_is_said(
    treatment: Treatment,
) -> None:
    clinic = treatment.patient.clinic
    address = f"/r/{links.token_of(treatment)}/kept/unsent"

    def alert() -> str:
        return read(Client().get(address).content.decode()).text

    assert "Not sent. Call the clinic." in alert()
    assert "If we are closed" not in alert()  # one number for all hours
    clinic.after_hours_phone = "+12025550199"
    clinic.save()
    assert "If we are closed, call (202) 555-0199." in alert()
