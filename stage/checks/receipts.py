"""scripts/verify-receipts accepts what has happened, and names what has not."""

import datetime
import hashlib
import json
import re
import subprocess
import sys
import uuid
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
    """All that is stored of one link."""

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
        self.keys = {"record": f"link#{link_id}", "token": f"token#{link_id}"}
        leases = self.database.scan(
            TableName=self.links,
            FilterExpression="begins_with(pk, :lease)",
            ExpressionAttributeValues={":lease": {"S": f"lease#{link_id}#"}},
        )["Items"]
        for lease in leases:
            self.keys["lease"] = lease["pk"]["S"]
        found = {part: self.stored(key) for part, key in self.keys.items()}
        self.records: dict[str, Item] = {part: item for part, item in found.items() if item}

    def stored(self, key: str) -> Item | None:
        return self.database.get_item(TableName=self.links, Key={"pk": {"S": key}}).get("Item")

    def put_receipt(self, receipt: Item) -> None:
        self.database.put_item(TableName=self.audit, Item=receipt)

    def delete_receipt(self, receipt: Item) -> None:
        key = {name: receipt[name] for name in ("subject", "at_id")}
        self.database.delete_item(TableName=self.audit, Key=key)

    def put(self, item: Item) -> None:
        self.database.put_item(TableName=self.links, Item=item)

    def delete(self, key: str) -> None:
        self.database.delete_item(TableName=self.links, Key={"pk": {"S": key}})

    def restore(self) -> None:
        """Writes back what there was at first, and nothing else."""
        for number in range(len(self.receipts), 30):
            self.delete_receipt(self.at_place(self.receipts[0], number + 1))
        for receipt in self.receipts:
            self.put_receipt(receipt)
        for key in [*self.keys.values(), self.second_lease()]:
            self.delete(key)
        for item in self.records.values():
            self.put(item)

    def second_lease(self) -> str:
        return f"lease#{self.link_id}#another"

    @staticmethod
    def at_place(receipt: Item, number: int) -> Item:
        return {**receipt, "at_id": {"S": receipt["at_id"]["S"][:-6] + f"{number:06}"}}

    def tamper(self, change: dict[str, Any]) -> None:
        """Does what a line of e2e/tampering.json says."""
        if "text" in change:
            receipt = self.receipts[change["text"] - 1]
            text = text_of(receipt).replace(change["from"], change["to"])
            check(text != text_of(receipt), f"the text is changed: {change}")
            self.put_receipt(with_text(receipt, text, new_hash=change["hash"]))
        elif change.get("delete") == "receipt":
            self.delete_receipt(self.receipts[change["number"] - 1])
        elif change.get("delete") == "receipts":
            for receipt in self.receipts:
                self.delete_receipt(receipt)
        elif "delete" in change:
            self.delete(self.keys[change["delete"]])
        elif change.get("put") == "token":
            record = self.records["record"]
            expires = datetime.datetime.fromisoformat(record["expires_at"]["S"])
            self.put(
                {
                    "pk": {"S": self.keys["token"]},
                    "hash": {"S": self.link_id},
                    "kind": {"S": "download"},
                    "user_id": record["user_id"],
                    "expires_at": {"N": str(int(expires.timestamp()))},
                }
            )
        elif change.get("put") == "lease":
            self.put({**self.records["lease"], "pk": {"S": self.second_lease()}})
        elif "set" in change:
            values = {name: attribute(it) for name, it in change.items() if name != "set"}
            if change["set"] == "receipts":
                for receipt in self.stored_receipts():
                    self.put_receipt({**receipt, **values})
            else:
                self.put({**(self.stored(self.keys[change["set"]]) or {}), **values})
        else:
            self.rewrite(change["story"])

    def stored_receipts(self) -> list[Item]:
        keys = [{name: it[name] for name in ("subject", "at_id")} for it in self.receipts]
        found = [self.database.get_item(TableName=self.audit, Key=key) for key in keys]
        return [it["Item"] for it in found if "Item" in it]

    def rewrite(self, story: list[Any]) -> None:
        """Writes the chain anew: each part is the number of a receipt as it was, that with changes,
        or a new one."""
        old = [json.loads(text_of(receipt)) for receipt in self.receipts]
        for receipt in self.receipts:
            self.delete_receipt(receipt)
        previous, at = None, old[0]["at"]
        new = {"link": self.link_id, "user_id": old[0]["user_id"], "request_id": "x"}
        for number, part in enumerate(story, 1):
            if isinstance(part, int):
                receipt = dict(old[part - 1])
            elif isinstance(part, list):
                receipt = {**old[part[0] - 1], **part[1]}
            else:
                receipt = {**new, "at": at, **part}
            receipt |= {"number": number, "previous": previous}
            item = with_text(self.at_place(self.receipts[0], number), json.dumps(receipt))
            self.put_receipt(item)
            previous, at = item["hash"]["S"], receipt["at"]
        chain = {"receipts": {"N": str(len(story))}, "last_receipt": {"S": previous}}
        self.put({**self.records["record"], **chain})


def attribute(value: Any) -> Item:
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def text_of(receipt: Item) -> str:
    return receipt["receipt"]["S"]


def with_text(receipt: Item, text: str, *, new_hash: bool = True) -> Item:
    """The receipt with another text, and with the hash of that text or its old hash."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    changed = {**receipt, "receipt": {"S": text}}
    return {**changed, "hash": {"S": digest}} if new_hash else changed


def tamper_with_receipts(stage: Stage) -> None:
    # The same ways as in e2e/tests/e2e/rules/verify_receipts.rs.
    ways = json.loads((ROOT / "e2e" / "tampering.json").read_text())
    file_id = file_with_receipts(stage)
    before = verify_receipts(stage, file_id, status=0)
    links = {line.split()[2]: line.split()[1] for line in before}
    check(set(links) == {"5", "1"}, f"a link with five receipts and one with one: {before}")
    used, live = (Chain(stage, file_id, links[count]) for count in ("5", "1"))
    for way in ways:
        chain = live if way.get("link") == "live" else used
        for change in way["do"]:
            chain.tamper(change)
        lines = verify_receipts(stage, file_id, status=1)
        broken = [line for line in lines if line.startswith("BROKEN")]
        right = len(broken) == 1 and chain.link_id in broken[0] and way["says"] in broken[0]
        check(right, f"{way['what']}: verify-receipts says {way['says']!r}: {lines}")
        chain.restore()
    after = verify_receipts(stage, file_id, status=0)
    check(after == before, f"the restored records are accepted again: {after}")
    forget(stage, used)

    verify_receipts(stage, str(uuid.uuid4()), status=1)
    for lines in (
        verify_receipts(stage, "x", status=2),
        verify_receipts(stage, file_id, stack="none", status=2),
        verify_receipts(stage, file_id, port=1, status=2),
    ):
        check(len(lines) == 1, f"one line says why nothing was checked: {lines}")
    say(
        f"verify-receipts reports each of {len(ways)} ways to tamper with a link and exits "
        "with 1; it exits with 2 when it cannot check"
    )


def file_with_receipts(stage: Stage) -> str:
    """A file with two links, one of them redeemed and resumed once."""
    _, access = stage.new_client()
    file_id = stage.upload(stage.ops_token(), b"0123456789")
    stage.link(file_id, access)
    url = stage.link(file_id, access)["download_url"]
    first = stage.request("GET", url, headers={"Range": "bytes=0-1"})
    check(first.status == 206, f"a download: {first.status}")
    resume = {"Download-Lease": first.headers["Download-Lease"], "Range": "bytes=2-"}
    stage.expect(206, "GET", url, headers=resume)
    return file_id


def forget(stage: Stage, chain: Chain) -> None:
    """A link to a file of 2001, of which DynamoDB has deleted the first receipt already."""
    old = "00e3c8d5-0c00-7000-8000-000000000000"
    for number, receipt in enumerate(chain.receipts[1:], 2):
        text = re.sub('"at":"[^"]*"', '"at":"2001-01-02T00:00:00.000Z"', text_of(receipt))
        key = f"link#2001-01-02T00:00:00.000Z#{'A' * 43}#{number:06}"
        place = {"subject": {"S": f"file#{old}"}, "at_id": {"S": key}}
        chain.put_receipt({**with_text(receipt, text), **place})
    lines = verify_receipts(stage, old, status=1)
    check("no links" in lines[0], f"what may be forgotten is left out: {lines}")
