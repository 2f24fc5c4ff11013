"""A function that runs on this machine, without Lambda."""

import contextlib
import os
import queue
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .console import CommandError
from .emulator import CREDENTIALS, REGION
from .runtime_api import Answer, RuntimeApi


class FunctionProcess:
    """A function, started as Lambda starts it. A context manager, which kills it."""

    def __init__(
        self,
        binary: Path,
        function: str,
        variables: Mapping[str, str],
        *,
        memory_mb: int,
        log: Path,
        answer_seconds: float = 30,
    ):
        """`function` is the logical id that tells the binary which function it is."""
        self.function, self.log, self.answer_seconds = function, log, answer_seconds
        self.api = RuntimeApi()
        environment = {
            "PATH": os.environ["PATH"],
            "_HANDLER": function,
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_REGION": REGION,
            **CREDENTIALS,
            **variables,
        }
        with log.open("wb") as output:
            self.started_at = time.perf_counter()
            # Without close_fds=False Python would fork this process, which takes milliseconds.
            self.process = subprocess.Popen(
                [binary], env=environment, stdout=output, stderr=output, close_fds=False
            )

    def __enter__(self) -> "FunctionProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.api.close()

    def wait_for_poll(self) -> float:
        """Waits until the function asks for an event. Seconds from its start to then."""
        return self._wait(self.api.polls, "did not ask for an event") - self.started_at

    def invoke(self, event: Any) -> Answer:
        """The function's answer to an event."""
        self.api.send(event)
        answer = self._wait(self.api.answers, "did not answer")
        if answer.failed:
            raise CommandError(f"{self.function} failed: {answer.body.decode(errors='replace')}")
        return answer

    def cpu_seconds(self) -> float:
        """CPU time of all threads so far."""
        nanoseconds = 0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                nanoseconds += int((thread / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9

    def peak_memory(self) -> int:
        """The most resident memory so far, in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise CommandError("the kernel does not report VmHWM")

    def _wait(self, source: "queue.Queue[Any]", complaint: str) -> Any:
        deadline = time.monotonic() + self.answer_seconds
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            with contextlib.suppress(queue.Empty):
                return source.get(timeout=0.2)
            if ended:
                break
        said = self.log.read_text(errors="replace")[-2000:]
        raise CommandError(f"{self.function} {complaint}: {said}")
