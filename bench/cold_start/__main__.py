"""What scripts/cold-start does.

Starts the binary as Lambda starts it, as each function in turn, against a Lambda Runtime API of
this process and, for the services of AWS, MiniStack over TLS. docs/performance.md says what the
figures mean.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stage.console import ROOT, CommandError, say
from stage.emulator import Emulator
from stage.template import Template

from .measure import Bench, Build, Run
from .report import print_report
from .requests import Requests
from .stand_ins import Installation, empty_dynamodb

RELEASE = ROOT / "target" / "lambda-release"
BUILD = "cargo lambda build --release --compiler cargo --lambda-dir target/lambda-release"
# A measurement of all functions takes about a minute; this bounds one that hangs.
LIMIT_SECONDS = 20 * 60


def main() -> None:
    template = Template()
    builds, functions, runs = arguments(template)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, stop)
    signal.alarm(LIMIT_SECONDS)
    with tempfile.TemporaryDirectory(prefix="cold-start-") as directory:
        emulator = Emulator.start(Path(directory), {})
        try:
            installation = Installation(emulator, template)
            measured = measure(installation, emulator.home / "log", builds, functions, runs)
        finally:
            emulator.stop()
    print_report(measured, template, installation.root_certificates)


def measure(
    installation: Installation,
    log: Path,
    builds: Sequence[Build],
    functions: Sequence[str],
    runs: int,
) -> dict[tuple[Build, str], list[Run]]:
    """`runs` runs of each function in each build, in turns."""
    requests = Requests(installation)
    bench = Bench(installation, requests, empty_dynamodb(), log)
    requests.prepare(lambda function, event: bench.invoke_once(builds[0], function, event))
    measured: dict[tuple[Build, str], list[Run]] = {
        (build, function): [] for function in functions for build in builds
    }
    for number in range(1, runs + 1):
        say(f"run {number} of {runs}")
        for (build, function), results in measured.items():
            results.append(bench.run(build, function))
    return measured


def arguments(template: Template) -> tuple[list[Build], list[str], int]:
    """The builds, the functions and the number of runs."""
    parser = argparse.ArgumentParser(
        prog="scripts/cold-start",
        description="Measures the release build of the functions.",
        epilog=f"Build it first: {BUILD}",
    )
    parser.add_argument("--runs", type=int, default=5, metavar="1..50")
    parser.add_argument(
        "--only",
        action="append",
        choices=template.functions(),
        metavar="FUNCTION",
        help="measure this function, as named in template.yaml; repeatable",
    )
    parser.add_argument(
        "--compare",
        action="append",
        default=[],
        type=pair,
        metavar="NAME=DIR",
        help="also measure the build in this --lambda-dir; repeatable",
    )
    parser.add_argument(
        "--with",
        action="append",
        default=[],
        type=pair,
        dest="variables",
        metavar="VARIABLE=VALUE",
        help="also measure the same build with this variable; repeatable",
    )
    given = parser.parse_args()
    if not 1 <= given.runs <= 50:
        parser.error("--runs takes 1 to 50")
    builds = [Build("release", binary(RELEASE))]
    builds += [Build(name, binary(Path(directory))) for name, directory in given.compare]
    builds += [
        Build(f"{name}={value}", binary(RELEASE), {name: value}) for name, value in given.variables
    ]
    if len({build.name for build in builds}) < len(builds):
        parser.error("two builds have the same name")
    return builds, given.only or template.functions(), given.runs


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE, neither of them empty."""
    name, _, value = text.partition("=")
    if not name or not value:
        raise argparse.ArgumentTypeError(f"takes NAME=VALUE, not {text!r}")
    return name, value


def binary(directory: Path) -> Path:
    """The functions' binary in a --lambda-dir."""
    path = directory.resolve() / "bootstrap" / "bootstrap"
    if not path.is_file():
        raise CommandError(f"{path} is missing; build it: {BUILD}")
    return path


def stop(number: int, _: Any) -> None:
    raise CommandError("took too long" if number == signal.SIGALRM else "interrupted")


if __name__ == "__main__":
    try:
        main()
    except CommandError as error:
        sys.exit(f"scripts/cold-start: {error}")
