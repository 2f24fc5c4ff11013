"""A Lambda Runtime API that gives one event to one function, and reads its streamed answer."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What separates the JSON prelude from the body of a streamed answer.
SEPARATOR = bytes(8)


class Answer:
    """What the function posted: its headers, and body bytes as a length and a digest."""

    def __init__(self):
        self.headers, self.prelude, self.length, self.digest = {}, None, 0, hashlib.sha256()
        self.start = b""

    def take(self, chunk):
        if self.prelude is None:
            self.start += chunk
            head, found, chunk = self.start.partition(SEPARATOR)
            if not found:
                return
            self.prelude = json.loads(head)
        self.length += len(chunk)
        self.digest.update(chunk)


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A function that is killed leaves a broken connection, which is no news."""


class RuntimeApi:
    """Serves the API on a free loopback port; `answer` waits for the function's answer."""

    def __init__(self, event):
        self.event, self.given, self.result, self.done = event, False, Answer(), threading.Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):  # /2018-06-01/runtime/invocation/next
                if api.given:
                    api.done.wait()  # there is no second event
                    return
                api.given = True
                body = json.dumps(api.event).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "the-one-request")
                self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:::function:f")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):  # …/response, or …/error
                headers = {name.lower(): value for name, value in self.headers.items()}
                api.result.headers = {"path": self.path, **headers}
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    while size:
                        chunk = self.rfile.read(min(size, 65536))
                        api.result.take(chunk)
                        size -= len(chunk)
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass  # trailers
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                api.done.set()

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, seconds):
        """The answer, or None when there is none in time."""
        return self.result if self.done.wait(seconds) else None
