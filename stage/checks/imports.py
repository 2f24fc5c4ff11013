"""Imports from a host of the stage: brought by the schedule, continued after a break, begun anew,
tried again, rejected, given up; and uploads of a file at an address."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..client import PART_BYTES, Stage
from ..console import check, say
from ..origin import Page
from .files import SMALL, check_gone, keys_of_uploads, rule_disabled, run

# Two parts each.
LARGE = b"".join(b"%07d,0123456789\n" % line for line in range(PART_BYTES // 18))
OTHER = LARGE.replace(b",", b";")
# The rule that continues imports runs each minute.
SCHEDULE_SECONDS = 150
# After a break the import waits for 10 seconds.
RETRY_SECONDS = 60
HELD_SECONDS = 15
PAST = "2025-01-01T00:00:00.000Z"


def import_files(stage: Stage) -> None:
    ops = stage.ops_token()
    bring_by_schedule(stage, ops)
    with rule_disabled(stage, "ContinueImportsDue"):
        bring_by_request(stage, ops)
        lose_parts(stage, ops)
        give_up(stage, ops)
    say(
        "files were imported by the schedule, continued with a range, begun anew, tried again, "
        "rejected and given up, and fetched while an upload waited"
    )


def begin(stage: Stage, ops: str, path: str, page: Page, **terms: Any) -> str:
    """The id of a new import, which is asked for twice with one key."""
    body = {"url": stage.origin.serve(path, page), **terms}
    return stage.repeat(202, "/api/imports", body, token=ops)["id"]


def bring_by_schedule(stage: Stage, ops: str) -> None:
    pages = {
        "/whole.csv": Page(LARGE),
        "/breaks.csv": Page(LARGE, tag='"one"', breaks_after=PART_BYTES + 1000),
        "/changes.csv": Page(LARGE, breaks_after=PART_BYTES + 1000, then=OTHER),
        "/fails.csv": Page(SMALL, failures=1),
        "/absent.csv": Page(status=404),
    }
    ids = {path: begin(stage, ops, path, page) for path, page in pages.items()}
    is_imported(stage, ops, ids["/whole.csv"], LARGE, SCHEDULE_SECONDS)
    # Not to wait for the next minute.
    for path, content in {"/breaks.csv": LARGE, "/changes.csv": OTHER, "/fails.csv": SMALL}.items():
        deadline = time.monotonic() + RETRY_SECONDS
        while stage.file(ops, ids[path])["state"] == "uploading":
            check(time.monotonic() < deadline, f"{path} is fetched: {stage.file(ops, ids[path])}")
            run(stage, "ContinueImports", "continue_imports_due")
            time.sleep(1)
        is_imported(stage, ops, ids[path], content)
    offsets = {path: stage.origin.offsets(path) for path in pages}
    check(offsets["/breaks.csv"] == [0, PART_BYTES], f"only the rest is asked for: {offsets}")
    check(offsets["/changes.csv"] == [0, 0], f"what has no tag begins anew: {offsets}")
    check(offsets["/fails.csv"] == [0, 0], f"a host that fails is asked again: {offsets}")
    absent = stage.await_state(ops, ids["/absent.csv"], "rejected")
    check(absent["reason"]["code"] == "import_failed", f"a file that is not there: {absent}")
    is_removed(stage, ids["/absent.csv"])


def bring_by_request(stage: Stage, ops: str) -> None:
    """POST /api/files/upload with an address in place of a file."""
    with rule_disabled(stage, "CheckFileCompleted"), rule_disabled(stage, "CheckFileDue"):
        body = {"file_url": stage.origin.serve("/at-once.csv", Page(LARGE))}
        file = stage.expect(201, "POST", "/api/files/upload", body, token=ops)
        is_imported(stage, ops, file["id"], LARGE)
    body = {"file_url": stage.origin.serve("/absent-at-once.csv", Page(status=404))}
    refused = stage.request("POST", "/api/files/upload", body, token=ops)
    check(refused.json()["code"] == "import_failed", f"a file that is not there: {refused}")
    is_removed(stage, id_of(stage, "absent-at-once.csv"))
    unlisted = {"file_url": stage.origin.serve("/", Page()).replace("127.0.0.1", "127.0.0.2")}
    stage.expect(422, "POST", "/api/files/upload", unlisted, token=ops)


def lose_parts(stage: Stage, ops: str) -> None:
    """The parts are gone when a function puts them together: another one has aborted the upload."""
    with rule_disabled(stage, "CheckFileCompleted"), rule_disabled(stage, "CheckFileDue"):
        with aborted_meanwhile(stage, ops, "ContinueImports", "/parts-lost.csv") as page:
            lost = begin(stage, ops, "/parts-lost.csv", page)
            run(stage, "ContinueImports", "continue_imports_due")
        run(stage, "CheckFile", "check_file_created", lost)
        check(stage.file(ops, lost)["state"] == "deleted", "an import without bytes is given up")
        with aborted_meanwhile(stage, ops, "UploadFile", "/parts-lost-at-once.csv") as page:
            body = {"file_url": stage.origin.serve("/parts-lost-at-once.csv", page)}
            gone = stage.expect(410, "POST", "/api/files/upload", body, token=ops)
        check(gone["code"] == "file_gone", f"an upload without bytes is given up: {gone}")
    is_removed(stage, lost)
    is_removed(stage, id_of(stage, "parts-lost-at-once.csv"))


@contextmanager
def aborted_meanwhile(stage: Stage, ops: str, function: str, path: str) -> Iterator[Page]:
    """A page whose upload is aborted once its last part is there, and before the function asks for
    the list of parts."""
    failed: list[BaseException] = []

    def abort() -> None:
        try:
            file_id = id_of(stage, path[1:])
            stage.lost.add(file_id)
            stage.await_state(ops, file_id, "checking", HELD_SECONDS)
            s3 = stage.client("s3")
            for upload in s3.list_multipart_uploads(Bucket=stage.bucket)["Uploads"]:
                if upload["Key"] == file_id:
                    s3.abort_multipart_upload(
                        Bucket=stage.bucket, Key=file_id, UploadId=upload["UploadId"]
                    )
        except Exception as error:  # for the thread that waits
            failed.append(error)

    def hold() -> None:
        with stage.emulator.listing_held(stage.resources[function]):
            held.set()
            abort()

    thread, held = threading.Thread(target=hold), threading.Event()

    def before_body() -> None:
        thread.start()
        held.wait(HELD_SECONDS)

    yield Page(SMALL, before_body=before_body)
    thread.join()
    check(not failed, f"the upload of {path} was aborted: {failed}")


def give_up(stage: Stage, ops: str) -> None:
    """An import that was begun long ago."""
    old = begin(stage, ops, "/old.csv", Page(SMALL))
    stage.client("dynamodb").update_item(
        TableName=stage.resources["FilesTable"],
        Key={"file_id": {"S": old}},
        UpdateExpression="SET ends_at = :past",
        ConditionExpression="attribute_exists(ends_at)",
        ExpressionAttributeValues={":past": {"S": PAST}},
    )
    run(stage, "ContinueImports", "continue_imports_due")
    check(stage.file(ops, old)["state"] == "deleted", "an import is given up after a week")
    check(not stage.origin.offsets("/old.csv"), "and not fetched any more")
    is_removed(stage, old)


def is_imported(
    stage: Stage, ops: str, file_id: str, content: bytes, seconds: float = RETRY_SECONDS
) -> None:
    file = stage.await_state(ops, file_id, "available", seconds)
    got = (file["sha256"], file["size"], file["content_type"])
    wanted = (hashlib.sha256(content).hexdigest(), len(content), "text/csv")
    check(got == wanted, f"a file that was imported: {file}")
    kept = stage.client("s3").get_object(Bucket=stage.bucket, Key=file_id)["Body"].read()
    check(kept == content, f"the bytes of {file['filename']}")


def is_removed(stage: Stage, file_id: str) -> None:
    check_gone(stage, file_id)
    check(file_id not in keys_of_uploads(stage), f"no parts of {file_id} are left")


def id_of(stage: Stage, name: str) -> str:
    """The file of this name, which may have ended."""
    items = (
        stage.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=stage.resources["FilesTable"],
            FilterExpression="filename = :name",
            ExpressionAttributeValues={":name": {"S": name}},
        )
    )
    found = [item["file_id"]["S"] for page in items for item in page["Items"]]
    check(len(found) == 1, f"one file is called {name}: {found}")
    return found[0]
