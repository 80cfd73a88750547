"""What stands before several web servers: hands each new connection to the next one that answers.

Bytes only, as a proxy in TCP mode: it knows no HTTP, mends nothing and tries nothing twice but a
connection that nobody accepted.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from itertools import count

from tests.services.runtime import free_port


class Balancer:
    """`ports`: of the servers that new connections go to; changed while it runs."""

    def __init__(self) -> None:
        self.port = free_port()
        self.ports: list[int] = []
        self._turn = count()
        self._loop = asyncio.new_event_loop()
        self._open = threading.Event()

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port)
        )
        self._open.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def wait_until_open(self) -> None:
        self._open.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await self._connect()
            if upstream is not None:
                there, back = upstream
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for _ in range(100):
            for port in list(self.ports):
                chosen = self.ports[next(self._turn) % len(self.ports)] if self.ports else port
                with contextlib.suppress(OSError):
                    return await asyncio.open_connection("127.0.0.1", chosen)
            await asyncio.sleep(0.02)  # nobody is up at the moment
        return None


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await reader.read(1 << 16):
            writer.write(part)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()  # either end closes both


@contextlib.contextmanager
def running_balancer() -> Iterator[Balancer]:
    balancer = Balancer()
    thread = threading.Thread(target=balancer.run, daemon=True, name="balancer")
    thread.start()
    balancer.wait_until_open()
    try:
        yield balancer
    finally:
        balancer.stop()
        thread.join(10)
