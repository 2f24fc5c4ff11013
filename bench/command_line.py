"""share beside `aws s3`, rclone, and a copy through a socket, on the same embedded S3.

    scripts/share-bench large GIB ROUNDS    one file
    scripts/share-bench small ROUNDS        10,000 files of 10 KiB

The script starts the server. In every round each program takes its turn, and who is first changes,
as the first one meets what the last one left to be written. Prints medians, and the most memory
that a program had resident.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

SMALL_FILES = 10_000
SMALL_BYTES = 10 * 1024
MIB = 1024 * 1024

SHARE, AWS, RCLONE = os.environ["SHARE"], os.environ["AWS"], os.environ["RCLONE"]
URL, BUCKET = os.environ["SHARE_URL"], os.environ["BUCKET"]

# What the manuals say makes them fast: more requests at once, and larger parts.
AWS_FAST = "[default]\ns3 =\n  max_concurrent_requests = 20\n  multipart_chunksize = 64MB\n"
RCLONE_FAST = [
    "--transfers=16",
    "--checkers=16",
    "--s3-upload-concurrency=8",
    "--s3-chunk-size=64M",
    "--multi-thread-streams=8",
    "--s3-no-head",
]


class Programs:
    """The programs, each as a function from what is to be done to its command and its variables."""

    def __init__(self, folder):
        self.aws_config = folder / "aws"
        self.aws_config.write_text(AWS_FAST)
        self.home = folder / "home"
        self.home.mkdir()

    def names(self):
        return ["share", "aws", "aws, fast", "rclone", "rclone, fast"]

    def copy(self, name, source, target):
        if name.startswith("aws"):
            return [AWS, "s3", "cp", "--quiet", self.s3(source), self.s3(target)], self.aws(name)
        fast = RCLONE_FAST if "fast" in name else []
        return [RCLONE, "copyto", *fast, self.rc(source), self.rc(target)], self.rclone()

    def sync(self, name, source, target):
        if name.startswith("aws"):
            return [AWS, "s3", "sync", "--quiet", self.s3(source), self.s3(target)], self.aws(name)
        fast = RCLONE_FAST if "fast" in name else []
        return [RCLONE, "copy", *fast, self.rc(source), self.rc(target)], self.rclone()

    def share(self, role, *arguments):
        return [SHARE, *map(str, arguments)], {"SHARE_TOKEN": token(role), "HOME": str(self.home)}

    @staticmethod
    def s3(place):
        return str(place) if isinstance(place, Path) else f"s3://{BUCKET}/{place}"

    @staticmethod
    def rc(place):
        return str(place) if isinstance(place, Path) else f"s3:{BUCKET}/{place}"

    def aws(self, name):
        config = self.aws_config if "fast" in name else "/dev/null"
        return {"AWS_CONFIG_FILE": str(config), "AWS_DEFAULT_REGION": "us-east-1"}

    def rclone(self):
        return {
            # rclone fails when it is set, whatever it says.
            "AWS_CA_BUNDLE": "",
            "RCLONE_CONFIG": "/dev/null",
            "RCLONE_CONFIG_S3_TYPE": "s3",
            "RCLONE_CONFIG_S3_PROVIDER": "Other",
            "RCLONE_CONFIG_S3_ENV_AUTH": "true",
            "RCLONE_CONFIG_S3_REGION": "us-east-1",
            "RCLONE_CONFIG_S3_ENDPOINT": os.environ["AWS_ENDPOINT_URL_S3"],
            "RCLONE_CONFIG_S3_NO_CHECK_BUCKET": "true",
            "RCLONE_CONFIG_S3_LIST_VERSION": "2",
        }


def token(role):
    body = json.dumps({"username": role, "password": f"local-{role}-password"}).encode()
    request = urllib.request.Request(
        f"{URL}/api/sessions", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["access"]


def run(command, variables):
    """Seconds, and the most KiB resident."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - started
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command[:6]} failed")
    return took, usage.ru_maxrss


def until_complete(bearer, times, stop):
    """Appends when the newest upload had all its parts, as S3's own clients count."""
    request = urllib.request.Request(
        f"{URL}/api/files/uploaded?limit=1", headers={"authorization": f"Bearer {bearer}"}
    )
    while not stop.wait(0.05):
        with urllib.request.urlopen(request) as answer:
            newest = json.load(answer)
        if newest and newest[0]["state"] in ("checking", "available"):
            times.append(time.monotonic())
            return


def through_socket(source, target):
    """Seconds for the bytes of a file through a socket of this machine into another file."""
    listener = socket.create_server(("127.0.0.1", 0))

    def send():
        with listener.accept()[0] as connection, source.open("rb") as file:
            connection.sendfile(file)

    started = time.monotonic()
    sender = threading.Thread(target=send)
    sender.start()
    buffer = bytearray(MIB)
    with socket.create_connection(listener.getsockname()) as connection, target.open("wb") as file:
        while length := connection.recv_into(buffer):
            file.write(memoryview(buffer)[:length])
    sender.join()
    return time.monotonic() - started


def same(one, other):
    return subprocess.run(["cmp", "--silent", one, other], check=False).returncode == 0


def large(folder, gib, rounds):
    programs, size = Programs(folder), gib << 30
    source, target = folder / "source.txt", folder / "received.txt"
    line = b"".join(b"%07d figures of the quarter\n" % number for number in range(MIB // 31 + 1))
    with source.open("wb") as file:
        for number in range(gib * 1024):
            file.write((b"%031d" % number + line)[:MIB])
    results = Results(programs.names(), size)
    complete, through = [], []
    for turn in range(rounds):
        for name in results.in_turn(turn):
            if name == "share":
                times, stop = [], threading.Event()
                watch = threading.Thread(target=until_complete, args=(token("ops"), times, stop))
                started = time.monotonic()
                # Only then is the newest upload this one.
                threading.Timer(0.5, watch.start).start()
                up = run(*programs.share("ops", "upload", "--quiet", source))
                watch.join()
                complete.append(times[0] - started)
                down = run(*programs.share("client", "get", "--quiet", source.name, "-o", target))
                run(*programs.share("ops", "rm", source.name))
            else:
                up = run(*programs.copy(name, source, "large.txt"))
                down = run(*programs.copy(name, "large.txt", target))
                # So that it is sent again, and does not take disk.
                run([AWS, "s3", "rm", "--quiet", programs.s3("large.txt")], programs.aws("aws"))
            if not same(source, target):
                sys.exit(f"{name}: other bytes came")
            target.unlink()
            results.add(name, up, down)
        through.append(through_socket(source, target))
        target.unlink()
    results.show(f"{gib} GiB")
    print(f"share, up, until all parts are there: {statistics.median(complete):.1f} s")
    seconds = statistics.median(through)
    print(f"through a socket, from file to file: {seconds:.1f} s, {size / MIB / seconds:.0f} MiB/s")


def small(folder, rounds):
    programs = Programs(folder)
    source, target = folder / "source", folder / "received"
    source.mkdir()
    text = "figures of the quarter\n" * (SMALL_BYTES // 23 + 1)
    names = [f"{number:05}.txt" for number in range(SMALL_FILES)]
    for name in names:
        (source / name).write_text((name + text)[:SMALL_BYTES])
    results = Results(programs.names(), SMALL_FILES * SMALL_BYTES)
    for turn in range(rounds):
        for name in results.in_turn(turn):
            target.mkdir()
            if name == "share":
                up = run(*programs.share("ops", "upload", "--quiet", "--recursive", source))
                down = run(*programs.share("client", "get", "--quiet", "-o", target, *names))
                for begin in range(0, len(names), 1000):
                    run(*programs.share("ops", "rm", "--quiet", *names[begin : begin + 1000]))
            else:
                prefix = f"small-{turn}-{name.replace(', ', '-')}"
                up = run(*programs.sync(name, source, prefix))
                down = run(*programs.sync(name, prefix, target))
            if any((source / it).read_bytes() != (target / it).read_bytes() for it in names):
                sys.exit(f"{name}: other bytes came")
            shutil.rmtree(target)
            results.add(name, up, down)
    results.show(f"{SMALL_FILES} files of {SMALL_BYTES} bytes")


class Results:
    """What each program took."""

    def __init__(self, names, size):
        self.size = size
        self.runs = {name: ([], []) for name in names}

    def in_turn(self, turn):
        names = list(self.runs)
        return names[turn % len(names) :] + names[: turn % len(names)]

    def add(self, name, up, down):
        print(f"{name}: up {up[0]:.1f} s, down {down[0]:.1f} s", file=sys.stderr)
        self.runs[name][0].append(up)
        self.runs[name][1].append(down)

    def show(self, what):
        print(f"| {what} | Up | MiB/s | Memory | Down | MiB/s | Memory |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for name, both in self.runs.items():
            cells = []
            for runs in both:
                seconds = statistics.median(took for took, _ in runs)
                most = max(kib for _, kib in runs) // 1024
                cells += [f"{seconds:.1f} s", f"{self.size / MIB / seconds:.0f}", f"{most} MiB"]
            print(f"| {name} | {' | '.join(cells)} |")


def main():
    with tempfile.TemporaryDirectory() as folder:
        match sys.argv[1:]:
            case ["large", gib, rounds]:
                large(Path(folder), int(gib), int(rounds))
            case ["small", rounds]:
                small(Path(folder), int(rounds))
            case _:
                sys.exit(__doc__)


main()
