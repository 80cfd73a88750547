"""`python -m tests.phone`: the process. Binds 127.0.0.1 only.

Prints one JSON line, {"http": port, "smtp": port}, when both are open. Exit code 2 and one
sentence on stderr where a port is taken; 0 on SIGTERM and SIGINT.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.phone.control import Control
from tests.phone.exchange import Account, Exchange
from tests.phone.mail import start_post
from tests.phone.page import Page
from tests.phone.server import TwilioApi
from tests.phone.state import StateFile


class PortTakenError(Exception):
    def __init__(self, port: int, option: str, cause: OSError) -> None:
        reason = cause.strerror or str(cause)
        super().__init__(
            f"Port {port} cannot be opened ({reason}): free it or choose another with {option}."
        )


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.phone", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--port", type=int, default=8001, help="HTTP; 0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=8002, help="mail; 0 takes a free one")
    parser.add_argument(
        "--public-base",
        default="http://localhost:8000",
        help="where the site is, as the outside sees it",
    )
    parser.add_argument("--account-sid", default="AC" + "0" * 32)
    parser.add_argument("--auth-token", default="token")
    parser.add_argument("--state", type=Path, help="keep the mailbox over restarts in this file")
    return parser.parse_args()


async def run(arguments: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    exchange = Exchange(Account(arguments.account_sid, arguments.auth_token), arguments.public_base)
    page = Page(exchange.mailbox)
    state = StateFile(arguments.state, exchange.mailbox) if arguments.state else None
    app = web.Application()
    app.add_routes(
        [
            *TwilioApi(exchange).routes,
            *Control(exchange, state, page.hang_up).routes,
            *page.routes,
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    try:
        await _serve(arguments, exchange, runner, state)
    finally:
        page.hang_up()
        await runner.cleanup()
        await exchange.close()
        if state:
            state.flush()


async def _serve(
    arguments: argparse.Namespace,
    exchange: Exchange,
    runner: web.AppRunner,
    state: StateFile | None,
) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", arguments.port, backlog=1024).start()
    except OSError as error:
        raise PortTakenError(arguments.port, "--port", error) from None
    try:
        post = await start_post(exchange, arguments.smtp_port)
    except OSError as error:
        raise PortTakenError(arguments.smtp_port, "--smtp-port", error) from None
    if state:
        state.load()
        exchange.carrier.resume()
    exchange.outbox.start()
    ports = {"http": runner.addresses[0][1], "smtp": post.sockets[0].getsockname()[1]}
    print(json.dumps(ports), flush=True)
    await stopped.wait()
    post.close()


def _loop_runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    """The leanest there is: whatever is measured shares its processors with this program."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run
    return uvloop.run


def main() -> int:
    try:
        _loop_runner()(run(read_arguments()))
    except PortTakenError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
