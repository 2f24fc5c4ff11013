"""Files of any size: uploads in parts straight to S3, their check, recipients, deletion, and what
jobs remove."""

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..client import PART_BYTES, Stage
from ..console import ROOT, check, say
from ..stack import QUOTA_BYTES

# Two parts.
LARGE = b"".join(b"%07d,0123456789\n" % line for line in range(PART_BYTES // 18))
SMALL = b"a,b\n1,2\n"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(64)
EXPIRES_SECONDS = 60
# The rule that removes what is over runs each minute.
REMOVE_SECONDS = 180
UNKNOWN = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def upload_files(stage: Stage) -> None:
    ops = stage.ops_token()
    # What expires while the other checks run.
    stage.expiring = stage.upload_in_parts(ops, SMALL, "expires.csv", expires_in=EXPIRES_SECONDS)
    file_id = upload_in_two_parts(stage, ops)
    download(stage, file_id)
    change_recipients(stage, ops, file_id)
    list_uploaded(stage, ops, file_id)
    reject(stage, ops)
    exceed_quota(stage, ops)
    abort(stage, ops)
    delete(stage, ops, file_id)
    stop_between_decision_and_deed(stage, ops)
    say(
        "a file of two parts was uploaded, checked when S3 told of it, given away and deleted; "
        "files that are not what they say were rejected; jobs did what functions could not"
    )


def upload_in_two_parts(stage: Stage, ops: str) -> str:
    with rule_disabled(stage, "CheckFileDue"):  # S3's event starts the check, not the schedule
        upload_id = stage.begin_upload(ops, LARGE, "measurements.csv", note="of the stage")
        parts = {1: LARGE[:PART_BYTES], 2: LARGE[PART_BYTES:]}
        first, second = stage.sign_parts(ops, upload_id, parts)
        check(first["size"] == PART_BYTES and second["size"] == len(parts[2]), f"sizes: {first}")
        check(stage.send_part(first, parts[1]).status == 200, "the first part is taken")
        wrong = secrets.token_bytes(len(parts[2]))
        refused = stage.send_part(second, wrong)
        check(refused.status in (400, 403), f"other bytes than were signed: {refused}")
        unsigned = {**second, "headers": {}}
        refused = stage.send_part(unsigned, parts[2])
        check(refused.status == 403, f"a part without its digest: {refused}")
        shown = stage.expect(200, "GET", f"/api/uploads/{upload_id}", token=ops)
        received = [(part["number"], part["sha256"]) for part in shown["received"]]
        sha256 = hashlib.sha256(parts[1]).hexdigest()
        check(received == [(1, sha256)], f"S3 has the first part: {shown}")
        complete = f"/api/uploads/{upload_id}/complete"
        early = stage.expect(409, "POST", complete, token=ops)
        check(early["code"] == "upload_incomplete", f"a part is missing: {early}")
        check(stage.send_part(second, parts[2]).status == 200, "the second part is taken")
        preflight(stage, second["url"])
        stage.complete(ops, upload_id)
        stage.complete(ops, upload_id)  # again
        file = stage.await_state(ops, upload_id, "available")
    got = (file["sha256"], file["content_type"], file["size"])
    wanted = (hashlib.sha256(LARGE).hexdigest(), "text/csv", len(LARGE))
    check(got == wanted, f"the file that was checked: {file}")
    tags = stage.client("s3").get_object_tagging(Bucket=stage.bucket, Key=upload_id)["TagSet"]
    check(tags == [], f"the object does not expire any more: {tags}")
    return upload_id


def preflight(stage: Stage, url: str) -> None:
    """A page of any origin may send a part."""
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    headers["Access-Control-Request-Headers"] = "x-amz-checksum-sha256"
    answer = stage.request("OPTIONS", url, headers=headers)
    allowed = answer.headers["Access-Control-Allow-Origin"]
    check(answer.status == 200 and allowed == "*", f"a preflight: {answer}")


def download(stage: Stage, file_id: str) -> None:
    _, access = stage.new_client()
    listed = stage.expect(200, "GET", "/api/files/list?sort=filename&q=MEASURE", token=access)
    check([file["id"] for file in listed] == [file_id], f"a Client's list: {listed}")
    link = stage.link(file_id, access)
    status, _, body = stage.request("HEAD", link["download_url"])
    check((status, body) == (200, b""), f"what a link leads to: {status}")


def change_recipients(stage: Stage, ops: str, file_id: str) -> None:
    (chosen, chosen_token), (_, other_token) = stage.new_client(), stage.new_client()
    path = f"/api/files/{file_id}"
    others_link = stage.link(file_id, other_token)["download_url"]
    recipients = [chosen.username, "later@example.com"]
    changed = stage.expect(200, "PATCH", path, {"recipients": recipients}, token=ops)
    check(changed["recipients"] == recipients, f"other recipients: {changed}")
    stage.expect(410, "GET", others_link)
    check(file_id not in listed_ids(stage, other_token), "it is in nobody else's list")
    refused = f"/api/files/generate-download-link/{file_id}"
    unknown = stage.expect(404, "POST", refused, token=other_token)
    check(unknown["code"] == "file_unknown", f"nobody else knows of it: {unknown}")
    check(file_id in listed_ids(stage, chosen_token), "it is in its recipient's list")
    stage.link(file_id, chosen_token)
    renamed = {"filename": "figures.csv", "recipients": "everyone", "note": ""}
    stage.expect(200, "PATCH", path, renamed, token=ops)
    check(file_id in listed_ids(stage, other_token), "it is for everyone again")


def listed_ids(stage: Stage, token: str) -> list[str]:
    return [file["id"] for file in stage.expect(200, "GET", "/api/files/list", token=token)]


def list_uploaded(stage: Stage, ops: str, file_id: str) -> None:
    path = "/api/files/uploaded?q=figures&sort=-filename&limit=100"
    [listed] = stage.expect(200, "GET", path, token=ops)
    check(listed["id"] == file_id and listed["links"] == 3, f"what Ops have uploaded: {listed}")
    newest = stage.expect(200, "GET", "/api/files/uploaded?limit=1", token=ops)
    check(len(newest) == 1, f"the newest: {newest}")


def reject(stage: Stage, ops: str) -> None:
    cases = {
        "picture.pdf": (PNG, "content_mismatch", {}),
        "other.csv": (SMALL, "digest_mismatch", {"sha256": hashlib.sha256(PNG).hexdigest()}),
    }
    for name, (content, code, terms) in cases.items():
        file_id = stage.upload_in_parts(ops, content, name, **terms)
        file = stage.await_state(ops, file_id, "rejected")
        check(file["reason"]["code"] == code, f"{name}: {file}")
        check_gone(stage, file_id)
        _, access = stage.new_client()
        check(file_id not in listed_ids(stage, access), f"{name} is in no list")


def exceed_quota(stage: Stage, ops: str) -> None:
    before = keys_of_uploads(stage)
    body = {"filename": "huge.zip", "size": QUOTA_BYTES + 1}
    refused = stage.expect(409, "POST", "/api/uploads", body, token=ops)
    check(refused["code"] == "quota_exceeded", f"more than the quota: {refused}")
    check(keys_of_uploads(stage) <= before, "no upload is left of one that was refused")


def abort(stage: Stage, ops: str) -> None:
    upload_id = stage.begin_upload(ops, SMALL, "aborted.csv")
    [signed] = stage.sign_parts(ops, upload_id, {1: SMALL})
    stage.expect(204, "DELETE", f"/api/uploads/{upload_id}", token=ops)
    late = stage.send_part(signed, SMALL)
    check(late.status == 404, f"a part of an upload that was aborted: {late}")
    ended = stage.expect(410, "POST", f"/api/uploads/{upload_id}/complete", token=ops)
    check(ended["code"] == "upload_ended", f"an upload that was aborted: {ended}")
    check_gone(stage, upload_id)


def delete(stage: Stage, ops: str, file_id: str) -> None:
    _, access = stage.new_client()
    url = stage.link(file_id, access)["download_url"]
    stage.expect(404, "DELETE", f"/api/files/{UNKNOWN}", token=ops)
    stage.expect(204, "DELETE", f"/api/files/{file_id}", token=ops)
    stage.expect(204, "DELETE", f"/api/files/{file_id}", token=ops)  # again
    stage.expect(410, "GET", url)
    check(file_id not in listed_ids(stage, access), "a deleted file is in no list")
    check(stage.file(ops, file_id)["state"] == "deleted", "Ops see that it was deleted")
    check(stage.receipts(file_id, ops), "its receipts stay")
    check_gone(stage, file_id)
    unfinished = stage.begin_upload(ops, SMALL, "unfinished.csv")
    stage.expect(204, "DELETE", f"/api/files/{unfinished}", token=ops)
    check(unfinished not in keys_of_uploads(stage), "deletion ends an upload")


def stop_between_decision_and_deed(stage: Stage, ops: str) -> None:
    """Functions that have decided, and then cannot do it in S3: jobs do it later."""
    with rule_disabled(stage, "CheckFileCompleted"), rule_disabled(stage, "CheckFileDue"):
        upload_id = stage.begin_upload(ops, SMALL, "later.csv")
        stage.send_parts(ops, upload_id, SMALL)
        with denied(stage, "CompleteUpload", "s3:PutObject"):
            stage.complete(ops, upload_id)
        check_gone(stage, upload_id)
        run(stage, "CheckFile", "check_file_created", upload_id)
        check(stage.file(ops, upload_id)["state"] == "available", "its check puts it together")

        lost = stage.upload_in_parts(ops, SMALL, "lost.csv")
        stage.lose(lost)
        stage.complete(ops, lost)
        run(stage, "CheckFile", "check_file_created", lost)
        check(stage.file(ops, lost)["state"] == "deleted", "a file without bytes is given up")
    with denied(stage, "DeleteFile", "s3:DeleteObject"):
        stage.expect(204, "DELETE", f"/api/files/{upload_id}", token=ops)
    aborted = stage.begin_upload(ops, SMALL, "aborted-later.csv")
    stage.send_parts(ops, aborted, SMALL)
    with denied(stage, "AbortUpload", "s3:AbortMultipartUpload"):
        stage.expect(204, "DELETE", f"/api/uploads/{aborted}", token=ops)
    run(stage, "RemoveFiles", "remove_files_due")
    check_gone(stage, upload_id)
    left = keys_of_uploads(stage) & {aborted, upload_id, lost}
    check(not left, f"the job aborts what is left in S3: {left}")


def remove_files(stage: Stage) -> None:
    """What has expired while other checks ran is gone, without anybody asking."""
    ops = stage.ops_token()
    stage.await_state(ops, stage.expiring, "deleted", REMOVE_SECONDS)
    check_gone(stage, stage.expiring)
    say(f"a file that was to live for {EXPIRES_SECONDS} seconds was removed by the schedule")


def check_gone(stage: Stage, file_id: str) -> None:
    found = stage.client("s3").list_objects_v2(Bucket=stage.bucket, Prefix=file_id)
    check(found["KeyCount"] == 0, f"no bytes of {file_id} are left: {found}")


def keys_of_uploads(stage: Stage) -> set[str]:
    """The files of which S3 has an upload that is neither complete nor aborted."""
    uploads = stage.client("s3").list_multipart_uploads(Bucket=stage.bucket).get("Uploads", [])
    return {upload["Key"] for upload in uploads}


def run(stage: Stage, function: str, event: str, file_id: str = "") -> None:
    """Invokes a job with an event of events/jobs."""
    text = (ROOT / "events" / "jobs" / f"{event}.json").read_text()
    answer, failed = stage.invoke(function, json.loads(text.replace("{{file_id}}", file_id)))
    check(not failed and not answer.get("failed"), f"{function}: {answer}")


@contextmanager
def rule_disabled(stage: Stage, name: str) -> Iterator[None]:
    events, rule = stage.client("events"), stage.resources[name]
    events.disable_rule(Name=rule)
    try:
        yield
    finally:
        events.enable_rule(Name=rule)


@contextmanager
def denied(stage: Stage, function: str, action: str) -> Iterator[None]:
    """Takes a permission from a function: what it has decided, it cannot do."""
    iam: Any = stage.client("iam")
    role = {"RoleName": stage.resources[f"{function}Role"], "PolicyName": "denied-by-a-check"}
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(**role, PolicyDocument=json.dumps(document))
    try:
        yield
    finally:
        iam.delete_role_policy(**role)
