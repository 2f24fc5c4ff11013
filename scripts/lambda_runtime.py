"""What Lambda is to one function: a Runtime API that gives it events, and reads its streamed
answers. And a road from the function to a server that breaks when told to."""

import contextlib
import hashlib
import json
import queue
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What separates the JSON prelude from the body of a streamed answer.
SEPARATOR = bytes(8)


class Answer:
    """What the function posted: its headers, and body bytes as a length and a digest."""

    def __init__(self, headers):
        self.headers, self.prelude, self.length, self.digest = headers, None, 0, hashlib.sha256()
        self.start, self.end = b"", b""

    def take(self, chunk):
        if self.prelude is None:
            self.start += chunk
            head, found, chunk = self.start.partition(SEPARATOR)
            if not found:
                return
            self.prelude = json.loads(head)
        self.length += len(chunk)
        self.digest.update(chunk)
        self.end = (self.end + chunk)[-200:]


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A function that is killed leaves a broken connection, which is no news."""


class RuntimeApi:
    """Serves the API on a free loopback port. The function gets what is `given`, in turn."""

    def __init__(self):
        self.events, self.answers = queue.Queue(), queue.Queue()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):  # /2018-06-01/runtime/invocation/next
                body = json.dumps(api.events.get()).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "the-request")
                self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:::function:f")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):  # …/response, or …/error
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = Answer({"path": self.path, **headers})
                if headers.get("transfer-encoding") == "chunked":
                    self.take_chunks(answer)
                else:
                    answer.take(self.rfile.read(int(headers["content-length"])))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                api.answers.put(answer)

            def take_chunks(self, answer):
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    while size:
                        chunk = self.rfile.read(min(size, 65536))
                        answer.take(chunk)
                        size -= len(chunk)
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass  # trailers

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def give(self, event):
        self.events.put(event)

    def answer(self, seconds):
        """The next answer, or None when there is none in time."""
        with contextlib.suppress(queue.Empty):
            return self.answers.get(timeout=seconds)


class BreakingRoad:
    """Passes connections on to a port of this machine, until `break_after` so many bytes from there
    to here: then it drops the connection that had the last of them."""

    def __init__(self, port):
        self.target, self.left, self.lock = port, None, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def break_after(self, length):
        self.left = length

    def serve(self):
        while True:
            here, _ = self.listener.accept()
            there = socket.create_connection(("127.0.0.1", self.target))
            for source, sink, counted in ((here, there, False), (there, here, True)):
                arguments = (source, sink, counted)
                threading.Thread(target=self.carry, args=arguments, daemon=True).start()

    def carry(self, source, sink, counted):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if counted and self.breaks(len(piece)):
                    break
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def breaks(self, length):
        with self.lock:
            if self.left is None:
                return False
            self.left -= length
            if self.left > 0:
                return False
            self.left = None
            return True
