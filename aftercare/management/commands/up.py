"""`manage.py up`: the whole site on one machine, in one terminal, stopped by Ctrl-C.

Checks first, then starts Valkey (unless REDIS_URL names a server), the web server, the worker
and beat, and in the demo the stand-in phone. Ends with 2 if a port is taken or another launcher
has the data, and with 1 if something keeps dying. For more machines, start the same commands
by other means: this is only a launcher.
"""

import os
import signal
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, connections

from aftercare import machine, processes, valkey
from aftercare.supervisor import STOP_SECONDS, GaveUp, Supervisor

WEB_READY_SECONDS = 60
LOOK_EVERY_SECONDS = 0.3
FINISH_SECONDS = 40  # for the requests and calls in hand, where they are real
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    help = "Start the whole site on this machine."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        os.chdir(settings.BASE_DIR)
        for number in STOP_SIGNALS:
            signal.signal(number, interrupt)
        if settings.DEMO:
            # `make` is our parent: were it killed, nobody would be left to press Ctrl-C.
            processes.die_with_parent(parent=os.getppid())
        self.check()
        try:
            machine.refuse_taken_ports()
            settings.VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
            with machine.only_one(settings.VAR / "up.lock"):
                self.run()
        except machine.Refusal as refusal:
            self.end(str(refusal), 2)
        except GaveUp as gave_up:
            self.end(str(gave_up), 1)
        except KeyboardInterrupt:
            self.say("Stopped.")

    def run(self) -> None:
        """Start everything and watch it until a signal comes or it gives up."""
        logs = settings.VAR / "log"
        logs.mkdir(exist_ok=True)
        env = {**os.environ, "REDIS_URL": settings.REDIS_URL}
        stops_within = STOP_SECONDS if settings.DEMO else FINISH_SECONDS
        supervisor = Supervisor(logs, env=env, say=self.say, stops_within=stops_within)
        try:
            self.start(supervisor)
            while True:
                supervisor.look()
                time.sleep(LOOK_EVERY_SECONDS)
        finally:
            # A second Ctrl-C must not leave anybody behind.
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            supervisor.stop()

    def start(self, supervisor: Supervisor) -> None:
        if "REDIS_URL" not in os.environ:
            listen = valkey.socket_path(settings.VAR)
            supervisor.start("valkey", valkey.command(listen), stops_last=True)
        if settings.DEMO:
            supervisor.start("phone", machine.phone_command())
        self.prepare()
        supervisor.start("web", machine.web_command())
        supervisor.start("worker", machine.worker_command())
        supervisor.start("beat", machine.beat_command())
        if settings.DEMO:
            call_command("load_demo")  # while the others are still importing
        self.wait_for_web(supervisor)
        if settings.DEMO:
            call_command("demo_links")
        connections.close_all()
        self.say(f"Aftercare runs at {settings.PUBLIC_BASE_URL} (logs: {supervisor.logs})")
        self.say("Ctrl-C stops everything.")

    def prepare(self) -> None:
        try:
            if machine.migrate():
                self.say("The database is prepared.")
        except OperationalError as error:
            raise GaveUp(f"The database does not answer: {error}") from error
        machine.collect_static_files()

    def wait_for_web(self, supervisor: Supervisor) -> None:
        deadline = time.monotonic() + WEB_READY_SECONDS
        while not machine.web_answers():
            supervisor.look()
            if time.monotonic() > deadline:
                raise GaveUp(f"The web server does not answer; see {supervisor.logs / 'web.log'}")
            time.sleep(0.05)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def end(self, sentence: str, code: int) -> None:
        self.stderr.write(sentence)
        sys.exit(code)


def interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
