"""A TCP proxy that cuts a connection after a given number of bytes."""

import contextlib
import socket
import threading


class CuttingProxy:
    """Forwards connections from `port` to another port of this machine, both on 127.0.0.1."""

    def __init__(self, target: int):
        self._target = target
        self._lock = threading.Lock()
        self._left: int | None = None  # bytes until the cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, length: int) -> None:
        """Counts the bytes that the target sends from now on, over all connections. The connection
        on which this count is reached is cut, once."""
        with self._lock:
            self._left = length

    def is_waiting(self) -> bool:
        """Whether a cut is still to come."""
        with self._lock:
            return self._left is not None

    def close(self) -> None:
        """Accepts no more connections. Those that are open stay."""
        self._listener.shutdown(socket.SHUT_RDWR)  # or accept() would go on
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        for arguments in ((client, server, False), (server, client, True)):
            threading.Thread(target=self._forward, args=arguments, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if counted and self._is_cut(len(piece)):
                    break
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _is_cut(self, length: int) -> bool:
        with self._lock:
            if self._left is None:
                return False
            self._left -= length
            if self._left > 0:
                return False
            self._left = None
            return True
