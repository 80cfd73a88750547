"""Django's SMTP backend, with an end to its patience.

Its time-out counts for each answer by itself, and a mail asks for about ten: a server that is slow
at each of them would hold a call for longer than the call's time.
"""

from __future__ import annotations

import smtplib
import socket
import time
from typing import Any

from django.conf import settings
from django.core.mail.backends import smtp

CONNECT_SECONDS = 4.0  # to the end of the sign-in: whatever fails until then was not sent


class _Bounded(smtplib.SMTP):
    """All answers together until `until`, in monotonic seconds."""

    until = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.until = time.monotonic() + CONNECT_SECONDS
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Each of the host's addresses has its share: tried in turn, each would have it all."""
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found: socket.socket = super()._get_socket(host, port, timeout / max(1, len(addresses)))  # type: ignore[misc]
        return found

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is not None:
            self.sock.settimeout(max(0.001, self.until - time.monotonic()))
        return super().getreply()


class _BoundedSSL(_Bounded, smtplib.SMTP_SSL):
    """The same where TLS comes first."""


class EmailBackend(smtp.EmailBackend):
    """`CONNECT_SECONDS` to connect, and then `EMAIL_TIMEOUT` for everything else."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timeout = CONNECT_SECONDS

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _BoundedSSL if self.use_ssl else _Bounded

    def open(self) -> bool | None:
        is_new = super().open()
        if is_new and isinstance(self.connection, _Bounded):
            self.connection.until = time.monotonic() + settings.EMAIL_TIMEOUT
        return is_new
