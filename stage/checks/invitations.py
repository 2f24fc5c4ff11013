"""Recipients of a file without an account are invited by each function that makes files available;
an invitation that SES refuses leaves nothing, so that the next one is sent."""

import secrets
from collections.abc import Callable

from ..client import Account, Stage
from ..console import check, say
from ..origin import Page
from .files import SMALL, denied, listed_ids, rule_disabled, run


def invite_recipients(stage: Stage) -> None:
    ops = stage.ops_token()

    def upload(address: str) -> str:
        path = f"/for-{secrets.token_hex(4)}.csv"
        body = {"file_url": stage.origin.serve(path, Page(SMALL)), "recipients": [address]}
        return stage.expect(201, "POST", "/api/files/upload", body, token=ops)["id"]

    def change(address: str) -> str:
        file_id = stage.upload(ops, SMALL, "for-one.csv")
        path = f"/api/files/{file_id}"
        stage.expect(200, "PATCH", path, {"recipients": [address]}, token=ops)
        return file_id

    def upload_in_parts(address: str) -> str:
        file_id = stage.upload_in_parts(ops, SMALL, "for-one.csv", recipients=[address])
        run(stage, "CheckFile", "check_file_created", file_id)
        return file_id

    cases: dict[str, Callable[[str], str]] = {
        "UploadFile": upload,
        "ChangeFile": change,
        "CheckFile": upload_in_parts,
    }
    with rule_disabled(stage, "CheckFileCompleted"), rule_disabled(stage, "CheckFileDue"):
        for function, give in cases.items():
            invited = Account.named(f"invited{secrets.token_hex(4)}")
            stage.invited.add(invited.email)
            with denied(stage, function, "ses:SendEmail"):
                refused = give(invited.email)
            check(stage.file(ops, refused)["state"] == "available", f"{function}: without mail")
            check(not stage.mails(invited.email), f"{function}: no mail was sent")
            given = give(invited.email)
            accept(stage, invited, {refused, given})
    say(f"{len(cases)} functions invited recipients, and again when SES had refused the mail")


def accept(stage: Stage, invited: Account, files: set[str]) -> None:
    [mail] = stage.mails(invited.email)
    check("You are invited" in mail, f"an invitation: {mail}")
    token = stage.mailed_token("set-password", invited.email)
    answer = {"password": invited.password}
    stage.expect(200, "POST", f"/set-password?token={token}", answer)
    login = {"email": invited.email, "password": invited.password}
    access = stage.expect(200, "POST", "/api/client/login", login)["access"]
    check(files <= set(listed_ids(stage, access)), "who was invited sees the files")
