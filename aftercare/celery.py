"""The Celery application: a doorbell, never the schedule.

The database holds what is due and when. Beat only rings: a lost, late or doubled ring
changes nothing but how soon a due row is looked at.
"""

import logging
import os
import signal
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    setup_logging,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
)
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections
from kombu.transport.redis import Channel, QoS

from aftercare.checks import refuse_half_configured
from aftercare.logs import set_about
from aftercare.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftercare.settings")


class Rings(QoS):
    """What became of the rings in hand is told a server that is there, and nobody else.

    Kombu tells it, and puts them back, over a connection that has gone as well: an AttributeError,
    which ended the worker. A ring that is forgotten costs nothing: the next one does the same.
    """

    restore_at_shutdown = False

    def ack(self, delivery_tag: str) -> None:
        if self._is_connected():
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if self._is_connected():
            super().reject(delivery_tag, requeue=requeue)

    def _is_connected(self) -> bool:
        return getattr(self.channel.connection, "client", None) is not None


app = Celery("aftercare")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
Channel.QoS = Rings

logger = logging.getLogger(__name__)


_worker = os.getpid()  # a pool's process is a fork, and finds its worker's id here


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """The settings' LOGGING stands; Celery would report each of a day's 43,200 rings twice."""
    logging.getLogger("celery").setLevel(logging.WARNING)


@worker_init.connect
@beat_init.connect
def refuse_half_configured_start(**kwargs: Any) -> None:
    try:
        refuse_half_configured()
    except ImproperlyConfigured as error:
        # Celery logs what a signal raises and goes on; only an exit gets through.
        raise SystemExit(str(error)) from error


@beat_init.connect
def watch_the_worker(**kwargs: Any) -> None:
    from reminders import watch  # needs the apps to be ready

    watch.start()


@worker_ready.connect
@beat_init.connect
def report_ready(**kwargs: Any) -> None:
    logger.info("ready")


@task_prerun.connect
def log_its_name(task: Any = None, **kwargs: Any) -> None:
    """Each task in the pool has a context of its own, which ends with it or is set anew."""
    set_about(task=task.name.rpartition(".")[2])


@task_prerun.connect
def drop_dead_connections(**kwargs: Any) -> None:
    """A kept connection whose server has gone would fail every task after; open a new one."""
    close_old_connections()


@worker_process_init.connect
def leave_no_orphan(**kwargs: Any) -> None:
    """A prefork child whose worker was killed would wait for ever on a pipe its sisters hold."""
    # At once, as if it had been killed with its worker: the ledger knows how to go on from there.
    die_with_parent(signal.SIGKILL, parent=_worker)
