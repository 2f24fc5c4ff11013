"""Each event of events/, sent to the deployed function without API Gateway."""

import base64
import json
from typing import Any

from ..client import Account, Stage, token_of
from ..console import ROOT, check, say
from . import admissions, second_factors
from .recovery import moved_account, moving_account


def send_events(stage: Stage) -> None:
    values = live_values(stage)
    expected = json.loads((ROOT / "events" / "expected.json").read_text())
    # The event logs in with an account of `cargo run`, which a stage does not have.
    expected["login/succeeds"] = {"status": 401, "code": "invalid_credentials"}
    for case, wanted in expected.items():
        text = (ROOT / "events" / f"{case}.json").read_text()
        for name, value in values.items():
            text = text.replace(f"{{{{{name}}}}}", value)
        function = stage.template.function_of(case.split("/")[0])
        answer, failed = stage.invoke(function, json.loads(text))
        check(not failed, f"{case}: {answer}")
        headers = {name.lower(): value for name, value in (answer.get("headers") or {}).items()}
        if lease := headers.get("download-lease"):
            stage.leases.add(lease)
        got = {"status": answer["statusCode"], "code": error_code(answer)}
        check(got == wanted, f"{case}: {got} instead of {wanted}")
    jobs = sorted((ROOT / "events" / "jobs").glob("*.json"))
    for event in jobs:
        text = event.read_text().replace("{{file_id}}", values["file_id"])
        function = stage.template.function_of(event.stem.rsplit("_", 1)[0])
        answer, failed = stage.invoke(function, json.loads(text))
        check(not failed and not answer.get("failed"), f"{event.name}: {answer}")
    say(f"{len(expected)} events got the answers of events/expected.json, {len(jobs)} a job")


def live_values(stage: Stage) -> dict[str, str]:
    """The values of the placeholders in the events."""
    account, access = stage.new_client()
    login = {"username": account.username, "password": account.password}
    renewed = stage.expect(200, "POST", "/api/client/login", login)
    ended = stage.expect(200, "POST", "/api/client/login", login)
    ops = stage.ops_token()
    _, admin = stage.new_admin()
    groups = ["board-of-events", "staff-of-events"]
    for name in groups:
        stage.expect(201, "POST", "/api/admin/groups", {"name": name}, token=admin)
    deleted, _ = stage.new_client()
    file_id = stage.upload(ops, b"for the events")
    content = b"0123456789"
    whole_upload = stage.begin_upload(ops, content, "digits.txt")
    stage.send_parts(ops, whole_upload, content)
    _, verification = stage.sign_up()
    _, declined = stage.sign_up()
    other, other_access = stage.new_client()
    forgetful, _ = stage.new_client()
    stage.expect(202, "POST", "/api/account/password-reset", {"email": forgetful.email})
    invited = Account.named("iris")
    stage.invoke("CreateAccount", invited.invitation("ops"))
    newcomer, pending = stage.new_client()
    app = second_factors.begin(stage, newcomer, pending)
    _, factor, factor_codes = second_factors.enrol(stage)
    leaving, leaving_token, leaving_codes = second_factors.enrol(stage)
    moving_token, moving, _ = moving_account(stage)
    return {
        "client_token": access,
        "client_password": account.password,
        "pending_token": pending,
        "totp_code": second_factors.totp_code(app),
        "factor_token": factor,
        "recovery_code": factor_codes[0],
        "leaving_token": leaving_token,
        "leaving_password": leaving.password,
        "leaving_recovery_code": leaving_codes[0],
        "ops_token": ops,
        "other_client_token": other_access,
        "other_client_password": other.password,
        "reset_token": stage.mailed_token("reset-password", forgetful.email),
        "email_change_token": moving_token,
        "moving_password": moving.password,
        "email_undo_token": moved_account(stage),
        "admin_token": admin,
        "waiting_id": admissions.waiting_account(stage, admin)[1],
        "invited_id": admissions.invited_account(stage, admin)[1],
        "user_id": stage.user(admin, account)["id"],
        "group": groups[0],
        "deleted_group": groups[1],
        "deleted_user_id": stage.user(admin, deleted)["id"],
        "refresh_token": renewed["refresh"],
        "ended_client_token": ended["access"],
        "file_id": file_id,
        "deleted_file_id": stage.upload(ops, b"to be deleted"),
        "upload_id": stage.begin_upload(ops, content, "digits.txt"),
        "whole_upload_id": whole_upload,
        "aborted_upload_id": stage.begin_upload(ops, content, "digits.txt"),
        # Of several links: one that was revoked or downloaded from has no page.
        "download_token": token_of(stage.link(file_id, access)),
        "page_token": token_of(stage.link(file_id, access)),
        "link_id": stage.link(file_id, access)["id"],
        "verification_token": verification,
        "declined_token": declined,
        "invitation_token": stage.mailed_token("set-password", invited.email),
    }


def error_code(answer: dict[str, Any]) -> str | None:
    """The error code in the body of an answer, if it is an error."""
    body = answer.get("body") or ""
    if answer.get("isBase64Encoded"):
        body = base64.b64decode(body).decode(errors="replace")
    return json.loads(body).get("code") if body.startswith("{") else None
