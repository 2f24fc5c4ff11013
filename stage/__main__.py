"""The commands of scripts/stage: up, test and down."""

import shutil
import sys
import traceback

from .checks import CHECKS
from .console import ROOT, CommandError, say
from .emulator import Emulator
from .origin import Origin
from .stack import HOME, down, up


def test() -> None:
    origin = Origin()
    stage = up(origin)
    for title, check in CHECKS:
        say(f"check: {title}")
        check(stage)
    down()
    origin.close()
    say("all checks passed")


def clean_up() -> None:
    """After a failure: stops the stage, and keeps the emulator's log."""
    emulator = Emulator.running(HOME)
    if emulator is None:
        return
    kept = ROOT / "target" / "stage-failure.log"
    kept.parent.mkdir(exist_ok=True)
    shutil.copy(emulator.log, kept)
    down()
    print(f"scripts/stage: the stage was stopped; the emulator's log is {kept}", file=sys.stderr)


def main(command: str) -> int:
    was_up = Emulator.running(HOME) is not None
    try:
        if command == "up":
            print(up().url)
        elif command == "down":
            down()
            say("the stage is down")
        else:
            test()
        return 0
    except (CommandError, OSError, KeyboardInterrupt) as error:
        print(f"scripts/stage: {error or 'interrupted'}", file=sys.stderr)
    except Exception:  # a defect in a check, or an answer that it does not expect
        traceback.print_exc()
    if not was_up:
        clean_up()
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
