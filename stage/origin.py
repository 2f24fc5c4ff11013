"""A host on loopback from which files are imported."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from .runtime_api import QuietServer


@dataclass
class Page:
    """What the host answers at a path."""

    content: bytes = b""
    tag: str = ""  # the ETag, with which it continues
    failures: int = 0  # how often it answers 503 before it gives the file
    status: int = 200
    breaks_after: int = 0  # bytes after which the first answer breaks off; 0, none does
    then: bytes = b""  # the content after the first answer, when it is another one
    before_body: Callable[[], None] = field(default=lambda: None)


class Origin:
    """Serves pages over HTTP, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []  # path and offset
        self._pages: dict[str, Page] = {}
        self._lock = threading.Lock()
        self._server = QuietServer(type("Handler", (Handler,), {"origin": self}))
        self.address = self._server.address

    def serve(self, path: str, page: Page) -> str:
        """The address of a new page."""
        self._pages[path] = page
        return f"http://{self.address}{path}"

    def offsets(self, path: str) -> list[int]:
        """From where on each request wanted this page."""
        return [offset for asked, offset in self.asked if asked == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, offset: int) -> tuple[Page, bool]:
        """The page, and whether it was asked for before."""
        with self._lock:
            again = any(asked == path for asked, _ in self.asked)
            self.asked.append((path, offset))
        return self._pages.get(path, Page(status=404)), again


class Handler(BaseHTTPRequestHandler):
    """One connection of a function, for one request."""

    origin: Origin

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "bytes=0-")
        offset = int(asked.removeprefix("bytes=").removesuffix("-"))
        page, again = self.origin.answer(self.path, offset)
        if page.failures or page.status != 200:
            status = 503 if page.failures else page.status
            page.failures = max(page.failures - 1, 0)
            self._head(status, 0)
            return
        content = page.then if again and page.then else page.content
        if not page.tag or self.headers.get("If-Range") != page.tag:
            offset = 0
        if offset:
            self._head(206, len(content) - offset, page.tag, f"{offset}-{len(content) - 1}")
        else:
            self._head(200, len(content), page.tag)
        page.before_body()
        # The connection ends with the answer, whole or not.
        end = page.breaks_after if page.breaks_after and not again else len(content)
        self.wfile.write(content[offset:end])

    def log_message(self, *_: object) -> None:
        """Requests are not logged."""

    def _head(self, status: int, length: int, tag: str = "", positions: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        if tag:
            self.send_header("ETag", tag)
        if positions:
            total = int(positions.split("-")[1]) + 1
            self.send_header("Content-Range", f"bytes {positions}/{total}")
        self.end_headers()
