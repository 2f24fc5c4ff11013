"""Runs of a function, and what is measured in them."""

import io
import statistics
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from stage.function_process import FunctionProcess

from .requests import Requests
from .stand_ins import Installation

WARM_REQUESTS = 5  # in each run


@dataclass(frozen=True, eq=False)
class Build:
    """A binary that is measured, and the variables that it gets in addition."""

    name: str
    binary: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def size(self) -> int:
        """Bytes of the binary."""
        return self.binary.stat().st_size

    def zip_size(self) -> int:
        """Bytes of the zip archive that Lambda gets."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
            target.write(self.binary, "bootstrap")
        return len(archive.getvalue())


@dataclass(frozen=True)
class Run:
    """One run of a function. Times are in milliseconds, `…_cpu` is CPU time; memory is in MB
    (10^6 bytes). docs/performance.md says what each of them contains."""

    init_alone: float
    init_alone_cpu: float
    init: float
    init_cpu: float
    first: float
    first_cpu: float
    warm: float
    warm_cpu: float
    peak_memory: float


def median(runs: list[Run]) -> Run:
    """The median of each figure."""
    names = [it.name for it in fields(Run)]
    return Run(**{name: statistics.median(getattr(run, name) for run in runs) for name in names})


class Bench:
    """Starts functions against an installation."""

    def __init__(
        self, installation: Installation, requests: Requests, empty_dynamodb: str, log: Path
    ):
        self.installation, self.requests = installation, requests
        self.empty_dynamodb = empty_dynamodb
        self.log = log

    def start(
        self, build: Build, function: str, extra: Mapping[str, str] | None = None
    ) -> FunctionProcess:
        variables = {
            **self.installation.variables(function),
            **build.variables,
            **(extra or {}),
        }
        memory_mb = self.installation.template.memory_mb(function)
        return FunctionProcess(build.binary, function, variables, memory_mb=memory_mb, log=self.log)

    def invoke_once(self, build: Build, function: str, event: Any) -> Any:
        """The response of a new process to one event."""
        with self.start(build, function) as process:
            process.wait_for_poll()
            response = process.invoke(event).response()
        self.requests.check(function, response)
        return response

    def run(self, build: Build, function: str) -> Run:
        init_alone, init_alone_cpu = self._init_alone(build, function)
        events = [self.requests.event(function) for _ in range(1 + WARM_REQUESTS)]
        seconds, cpu_seconds = [], []
        with self.start(build, function) as process:
            init = process.wait_for_poll()
            before = init_cpu = process.cpu_seconds()
            for event in events:
                answer = process.invoke(event)
                self.requests.check(function, answer.response())
                process.wait_for_poll()
                after = process.cpu_seconds()
                seconds.append(answer.seconds)
                cpu_seconds.append(after - before)
                before = after
            peak = process.peak_memory()
        return Run(
            init_alone=init_alone * 1e3,
            init_alone_cpu=init_alone_cpu * 1e3,
            init=init * 1e3,
            init_cpu=init_cpu * 1e3,
            first=seconds[0] * 1e3,
            first_cpu=cpu_seconds[0] * 1e3,
            warm=statistics.median(seconds[1:]) * 1e3,
            warm_cpu=statistics.median(cpu_seconds[1:]) * 1e3,
            peak_memory=peak / 1e6,
        )

    def _init_alone(self, build: Build, function: str) -> tuple[float, float]:
        """Seconds and CPU seconds of a start that waits for no other service."""
        alone = {
            "AWS_ENDPOINT_URL": self.empty_dynamodb,
            "JWT_SECRET": self.installation.jwt_secret,
            "CERTIFICATE_SECRET": self.installation.jwt_secret,
            "SECOND_FACTOR_SECRET": self.installation.jwt_secret,
        }
        with self.start(build, function, alone) as process:
            return process.wait_for_poll(), process.cpu_seconds()
