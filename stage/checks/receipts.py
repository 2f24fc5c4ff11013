"""scripts/verify-receipts accepts receipts that are complete, and reports what was changed."""

import hashlib
import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..client import STACK, Stage
from ..console import ROOT, check, say

Item = dict[str, Any]  # as DynamoDB's API has it: {"subject": {"S": "…"}, …}


def verify_receipts(
    stage: Stage, file_id: str, *, status: int, stack: str = STACK, port: int | None = None
) -> list[str]:
    """The lines that scripts/verify-receipts prints. It must exit with this status."""
    emulator = replace(stage.emulator, port=port or stage.emulator.port)
    script = ROOT / "scripts" / "verify-receipts"
    done = subprocess.run(
        [sys.executable, script, file_id, "--stack-name", stack],
        text=True,
        capture_output=True,
        env=emulator.environment(),
    )
    said = done.stdout + done.stderr
    what = f"verify-receipts exits with {status}: {done.returncode}, {said}"
    check(done.returncode == status, what)
    return said.splitlines()


class Chain:
    """The stored receipts of one link, and the link's record."""

    def __init__(self, stage: Stage, file_id: str, link_id: str):
        self.database = stage.client("dynamodb")
        self.audit = stage.resources["AuditTable"]
        self.links = stage.resources["LinksTable"]
        self.link_id = link_id
        found = self.database.query(
            TableName=self.audit,
            KeyConditionExpression="subject = :file AND begins_with(at_id, :link)",
            ExpressionAttributeValues={
                ":file": {"S": f"file#{file_id}"},
                ":link": {"S": "link#"},
            },
        )["Items"]
        self.receipts: list[Item] = [item for item in found if item["link"]["S"] == link_id]
        key = {"pk": {"S": f"link#{link_id}"}}
        self.record: Item = self.database.get_item(TableName=self.links, Key=key)["Item"]

    def put(self, receipt: Item) -> None:
        self.database.put_item(TableName=self.audit, Item=receipt)

    def delete(self, receipt: Item) -> None:
        key = {name: receipt[name] for name in ("subject", "at_id")}
        self.database.delete_item(TableName=self.audit, Key=key)

    def put_record(self, record: Item) -> None:
        self.database.put_item(TableName=self.links, Item=record)

    def delete_record(self) -> None:
        self.database.delete_item(TableName=self.links, Key={"pk": self.record["pk"]})

    def restore(self) -> None:
        """Writes back what there was at first, and nothing else."""
        self.delete(self.another())
        for receipt in self.receipts:
            self.put(receipt)
        self.put_record(self.record)

    def another(self) -> Item:
        """A receipt that follows the last one, as a forger would write it."""
        last = self.receipts[-1]
        number, previous = len(self.receipts), json.loads(text_of(last))["previous"]
        text = text_of(last).replace(f'"number":{number}', f'"number":{number + 1}')
        text = text.replace(previous, last["hash"]["S"])
        at_id = last["at_id"]["S"][:-6] + f"{number + 1:06}"
        return {**with_text(last, text), "at_id": {"S": at_id}}


def text_of(receipt: Item) -> str:
    return receipt["receipt"]["S"]


def with_text(receipt: Item, text: str, *, new_hash: bool = True) -> Item:
    """The receipt with another text, and with the hash of that text or its old hash."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    changed = {**receipt, "receipt": {"S": text}}
    return {**changed, "hash": {"S": digest}} if new_hash else changed


def with_address(receipt: Item, *, new_hash: bool) -> Item:
    """The receipt with another client address."""
    text = re.sub('"address":"[^"]*"', '"address":"192.0.2.1"', text_of(receipt))
    return with_text(receipt, text, new_hash=new_hash)


def with_outcome(receipt: Item) -> Item:
    """The receipt of a complete transfer, changed to one that broke off."""
    return with_text(receipt, text_of(receipt).replace("completed", "broken_off"))


def delete_all(chain: Chain) -> None:
    for receipt in chain.receipts:
        chain.delete(receipt)


# What is done to a chain of five receipts, and what verify-receipts must say.
TAMPERING: list[tuple[str, Callable[[Chain], None], str]] = [
    (
        "a text is changed",
        lambda it: it.put(with_address(it.receipts[1], new_hash=False)),
        "receipt 2 has been changed",
    ),
    (
        "a text and its hash are changed",
        lambda it: it.put(with_address(it.receipts[1], new_hash=True)),
        "receipt 3 does not follow the one before it",
    ),
    (
        "the last text and its hash are changed",
        lambda it: it.put(with_outcome(it.receipts[4])),
        "receipt 5 has been changed",
    ),
    (
        "the first is deleted",
        lambda it: it.delete(it.receipts[0]),
        "receipt 1 is missing",
    ),
    (
        "one in the middle is deleted",
        lambda it: it.delete(it.receipts[2]),
        "receipt 3 is missing",
    ),
    (
        "the last is deleted",
        lambda it: it.delete(it.receipts[4]),
        "receipt 5 is missing",
    ),
    (
        "all are deleted",
        delete_all,
        "there are no receipts",
    ),
    (
        "one is added",
        lambda it: it.put(it.another()),
        "receipt 6 has been added",
    ),
    (
        "the link's record is deleted",
        Chain.delete_record,
        "the link's own record is missing",
    ),
]


def tamper_with_receipts(stage: Stage) -> None:
    file_id = file_with_receipts(stage)
    before = verify_receipts(stage, file_id, status=0)
    counts = [line.split()[0::2] for line in before]
    check(counts == [["ok", "5"], ["ok", "5"]], f"two links with five receipts each: {before}")
    chain = Chain(stage, file_id, before[0].split()[1])
    for what, tamper, complaint in TAMPERING:
        tamper(chain)
        lines = verify_receipts(stage, file_id, status=1)
        broken = [line for line in lines if line.startswith("BROKEN")]
        right = len(broken) == 1 and chain.link_id in broken[0] and complaint in broken[0]
        check(right, f"{what}: verify-receipts says {complaint!r}: {lines}")
        chain.restore()
    forget(chain)
    lines = verify_receipts(stage, file_id, status=0)
    check(len(lines) == 1, f"records that may be forgotten are left out: {lines}")
    chain.restore()
    after = verify_receipts(stage, file_id, status=0)
    check(after == before, f"the restored records are accepted again: {after}")

    verify_receipts(stage, str(uuid.uuid4()), status=1)
    for lines in (
        verify_receipts(stage, "x", status=2),
        verify_receipts(stage, file_id, stack="none", status=2),
        verify_receipts(stage, file_id, port=1, status=2),
    ):
        check(len(lines) == 1, f"one line says why nothing was checked: {lines}")
    say(
        f"verify-receipts reports each of {len(TAMPERING)} ways to tamper with receipts and exits "
        "with 1; it exits with 2 when it cannot check"
    )


def file_with_receipts(stage: Stage) -> str:
    """A file with two links, each redeemed and resumed once."""
    _, access = stage.new_client()
    file_id = stage.upload(stage.ops_token(), b"0123456789")
    for _ in range(2):
        url = stage.link(file_id, access)["download_url"]
        first = stage.request("GET", url)
        check(first.status == 200, f"a download: {first.status}")
        resume = {"Download-Lease": first.headers["Download-Lease"], "Range": "bytes=5-"}
        stage.expect(206, "GET", url, headers=resume)
    return file_id


def forget(chain: Chain) -> None:
    """Lets the time pass after which DynamoDB may delete the records: it has deleted the first
    receipt, and not yet the others."""
    expired = {"forget_at": {"N": str(int(time.time()) - 1)}}
    chain.delete(chain.receipts[0])
    for receipt in chain.receipts[1:]:
        chain.put({**receipt, **expired})
    chain.put_record({**chain.record, **expired})
