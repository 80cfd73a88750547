"""A line between the browser and the site that can be cut and mended, as a phone's can."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator


class Line:
    """Forwards `http://localhost:<port>` to the site while it is whole."""

    def __init__(self, to_port: int) -> None:
        self._to = to_port
        self._whole = True
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self.carried = 0  # bytes of bodies that came down it, as they were compressed
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        starting = asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(5)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_connection("localhost", self._to)
        self._open |= {writer, up_writer}
        await asyncio.gather(_pour(reader, up_writer), _pour(up_reader, writer, self._count))
        self._open -= {writer, up_writer}

    def _count(self, data: bytes) -> None:
        # An answer begins in a piece of its own: nothing is asked before the last one has ended.
        body = data.partition(b"\r\n\r\n")[2] if data.startswith(b"HTTP/1.1 ") else data
        self.carried += len(body)

    def cut(self) -> None:
        self._whole = False
        for writer in list(self._open):
            self._loop.call_soon_threadsafe(writer.transport.abort)

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._server.close)
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_end_all(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


async def _end_all() -> None:
    """Nothing is left open for a later test to stumble over."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0.1)


async def _pour(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    count: Callable[[bytes], None] = lambda data: None,
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            count(data)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def line(to_port: int) -> Iterator[Line]:
    made = Line(to_port)
    try:
        yield made
    finally:
        made.close()
