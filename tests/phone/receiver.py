"""A stand-in for the site, where the phone itself is tested: takes webhooks, proves nothing."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic, sleep
from urllib.parse import parse_qsl


class Site:
    """Remembers each post as (path, form, signature); answers `statuses` in turn, then 200."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], str]] = []
        self.statuses: list[int] = []
        self.twiml = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(parse_qsl(body, keep_blank_values=True))
                site.posts.append((self.path, form, self.headers["X-Twilio-Signature"]))
                self.send_response(site.statuses.pop(0) if site.statuses else 200)
                self.end_headers()
                self.wfile.write(site.twiml.encode())

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}).start()

    def wait_for_posts(self, number: int) -> list[dict[str, str]]:
        deadline = monotonic() + 5
        while len(self.posts) < number and monotonic() < deadline:
            sleep(0.01)
        assert len(self.posts) >= number, self.posts
        return [form for _, form, _ in self.posts]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
