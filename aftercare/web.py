"""How gunicorn serves the site, wherever it is started: `gunicorn -c python:aftercare.web …`.

What differs from place to place comes by the command line or by gunicorn's own WEB_CONCURRENCY.
"""

from __future__ import annotations

import sys

from django.conf import settings
from gunicorn.glogging import Logger

from aftercare.logs import formatter


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines, which begin before Django's logging is set up, in the same form."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter(settings.LOG_FORMAT))


worker_class = "gthread"
threads = 8
# Seconds a thread may compute before another that waits gets its turn. At Python's own 5 ms a
# patient's page, which needs a dozen turns, waits longest while a board is being drawn.
sys.setswitchinterval(0.001)
# Seconds that an idle connection of the proxy is kept: longer than the proxy keeps it.
keepalive = 75
# Seconds that requests in hand have to end after SIGTERM; nobody new is let in meanwhile.
graceful_timeout = 30
control_socket_disable = True
# No access log: a patient's link is a secret, and the path would write it down.
accesslog = None
logger_class = ServerLogger
