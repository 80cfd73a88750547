"""One procrastinate job a reminder, deferred with `schedule_at=`, as its guide for Django shows."""

from procrastinate.contrib.django import app

from .usual import send_one


@app.task(name="jobs.send_reminder")
def send_reminder(pk: int) -> None:
    send_one(pk)
