"""What the commands print, and how they fail."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools" / "bin"


class CommandError(Exception):
    """An error for the user of the command: it is printed without a stack trace."""


def say(text: str) -> None:
    """Prints a line of progress. Standard output is for results."""
    print(f"-- {text}", file=sys.stderr, flush=True)


def check(holds: object, what: str) -> None:
    """Raises a CommandError unless `holds` is true. `what` says what is expected, and often what
    came in its place."""
    if not holds:
        raise CommandError(f"check failed: {what}")


def run(what: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> str:
    """The standard output of a command, which is called `what` when it fails. All of its output is
    shown only then."""
    result = subprocess.run(command, text=True, capture_output=True, cwd=ROOT, env=env)
    if result.returncode != 0:
        print((result.stdout + result.stderr)[-20000:], file=sys.stderr)
        raise CommandError(f"{what} failed, see above")
    return result.stdout
