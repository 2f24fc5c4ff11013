"""The Lambda Runtime API, from which a function gets its events and to which it posts its answers.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import contextlib
import json
import queue
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .emulator import REGION

# Between the JSON prelude and the body of a streamed response.
SEPARATOR = bytes(8)
REQUEST_SECONDS = 900  # the most that Lambda gives a function


class QuietServer(ThreadingHTTPServer):
    """An HTTP server on a free loopback port, each connection in a thread."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]):
        super().__init__(("127.0.0.1", 0), handler)
        self.address = f"127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *_: object) -> None:
        """A function that is killed leaves a broken connection: nothing to report."""


@dataclass(frozen=True)
class Answer:
    """What a function answered to an event. Times are those of `time.perf_counter`."""

    prelude: dict[str, Any]  # status and headers of a streamed response, or else empty
    body: bytes
    failed: bool  # it reported an error in place of a response
    cut: bool  # its connection ended before its body did
    sent_at: float
    ended_at: float

    @property
    def seconds(self) -> float:
        """From the event to the end of the answer."""
        return self.ended_at - self.sent_at

    def response(self) -> Any:
        """The response as API Gateway gets it; a streamed one with its body as bytes."""
        return {**self.prelude, "body": self.body} if self.prelude else json.loads(self.body)


class RuntimeApi:
    """Serves the Runtime API to one function."""

    def __init__(self) -> None:
        self.polls: queue.Queue[float] = queue.Queue()  # when the function asked for an event
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.events: queue.Queue[bytes | None] = queue.Queue()
        self.sent_at = 0.0
        self._server = QuietServer(type("Handler", (Handler,), {"api": self}))
        self.address = self._server.address

    def send(self, event: Any) -> None:
        """The function gets the event when it asks for the next one."""
        self.events.put(json.dumps(event).encode())

    def close(self) -> None:
        self.events.put(None)
        self._server.shutdown()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    """One connection of the function."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: RuntimeApi

    def do_GET(self) -> None:
        """…/runtime/invocation/next"""
        self.api.polls.put(time.perf_counter())
        event = self.api.events.get()
        if event is None:
            self.close_connection = True
            return
        deadline = int((time.time() + REQUEST_SECONDS) * 1000)
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(event)}\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {secrets.token_hex(16)}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {deadline}\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: "
            f"arn:aws:lambda:{REGION}:000000000000:function:local\r\n"
            "Lambda-Runtime-Trace-Id: Root=1-69200606-5e0b1a9c3d7f42586a1b2c06\r\n\r\n"
        )
        self.api.sent_at = time.perf_counter()
        self.wfile.write(head.encode() + event)

    def do_POST(self) -> None:
        """…/runtime/invocation/{id}/response, or …/error in its place"""
        (body, cut), prelude = self._body(), {}
        ended_at = time.perf_counter()
        if cut:
            self.close_connection = True
        else:
            self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        if self.headers.get("Lambda-Runtime-Function-Response-Mode") == "streaming":
            head, _, body = body.partition(SEPARATOR)
            prelude = json.loads(head)
        failed = self.path.endswith("/error")
        self.api.answers.put(Answer(prelude, body, failed, cut, self.api.sent_at, ended_at))

    def log_message(self, *_: object) -> None:
        """Requests are not logged."""

    def _body(self) -> tuple[bytes, bool]:
        """The body, and whether the connection ended before it did."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0))), False
        body = bytearray()
        with contextlib.suppress(ConnectionError):
            while line := self._line():
                if size := int(line.split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self._line()
                    continue
                while self._line().strip():  # trailers, which report an error in mid-stream
                    pass
                return bytes(body), False
        return bytes(body), True

    def _line(self) -> bytes:
        # The runtime's client leaves Nagle's algorithm on: a stream of small chunks then waits up
        # to 40 ms for a late acknowledgement. What Lambda's own side does is not known.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return self.rfile.readline()
