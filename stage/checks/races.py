"""Many concurrent requests for one link: as many get the file as the link permits, and only those
can resume their downloads."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from ..client import Response, Stage
from ..console import check, say
from .receipts import verify_receipts

RACERS = 64
ROUNDS = 5
PERMITTED = (1, 10)  # downloads of a link
HALF = 5000
RECEIPTS_OF_DOWNLOAD = 4  # redeemed, ended, resumed, ended

T = TypeVar("T")


def race_for_links(stage: Stage) -> None:
    _, access = stage.new_client()
    content = secrets.token_hex(HALF).encode()
    file_id = stage.upload(stage.ops_token(), content)
    for permitted in PERMITTED:
        seconds = []
        for number in range(1, ROUNDS + 1):
            url = stage.link(file_id, access, max_downloads=permitted)["download_url"]
            started = time.monotonic()
            answers = concurrently(RACERS, partial(stage.request, "GET", url))
            seconds.append(time.monotonic() - started)
            check_round(stage, url, answers, permitted, content, f"round {number}")
        took = ", ".join(f"{it:.1f}" for it in seconds)
        say(
            f"{ROUNDS} rounds of {RACERS} requests: in each, {permitted} got the file and could "
            f"resume, {RACERS - permitted} got 410 link_used ({took} s)"
        )
    check_receipts(stage, file_id)


def check_round(
    stage: Stage, url: str, answers: list[Response], permitted: int, content: bytes, name: str
) -> None:
    won = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 410]
    refused = [answer for answer in refused if answer.json()["code"] == "link_used"]
    counts = dict(Counter(answer.status for answer in answers))
    right = (len(won), len(refused)) == (permitted, RACERS - permitted)
    check(right, f"{name}, {permitted} of {RACERS} permitted: {counts}")
    check(all(answer.body == content for answer in won), f"{name}: the content is right")
    leases = {answer.headers["Download-Lease"] for answer in won}
    check(len(leases) == permitted, f"{name}: each download has a lease of its own")

    part = {"Range": f"bytes={HALF}-"}
    for lease in leases:
        headers = {"Download-Lease": lease, **part}
        resumed = stage.request("GET", url, headers=headers)
        right = (resumed.status, resumed.body) == (206, content[HALF:])
        check(right, f"{name}: a download is resumed: {resumed.status}")
        got = resumed.headers["Content-Range"]
        check(got == f"bytes {HALF}-{2 * HALF - 1}/{2 * HALF}", f"{name}: Content-Range: {got}")
    for headers in (part, {"Download-Lease": secrets.token_urlsafe(32), **part}):
        answer = stage.expect(410, "GET", url, headers=headers)
        check(answer["code"] == "link_used", f"{name}: no lease, nothing to resume: {answer}")


def check_receipts(stage: Stage, file_id: str) -> None:
    lines = verify_receipts(stage, file_id, status=0)
    counts = sorted(int(line.split()[2]) for line in lines)
    wanted = [
        1 + RECEIPTS_OF_DOWNLOAD * permitted for permitted in PERMITTED for _ in range(ROUNDS)
    ]
    check(counts == wanted, f"every download has its receipts: {lines}")
    say(f"verify-receipts accepts {len(lines)} links with {sum(counts)} receipts")


def concurrently(number: int, function: Callable[[], T]) -> list[T]:
    """The results of as many threads, which call the function at the same time."""
    barrier = threading.Barrier(number)

    def wait_and_call(_: int) -> T:
        barrier.wait()
        return function()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(wait_and_call, range(number)))
