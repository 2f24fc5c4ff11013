"""What is held about a person: its export, and its end."""

import datetime

from ..client import Account, Stage
from ..console import check, say


def export_account(stage: Stage) -> None:
    account, access = stage.new_client()
    ops = stage.ops_token()
    _, admin = stage.new_admin()
    group = join_group(stage, admin, account)
    stage.link(stage.upload(ops, b"for an export"), access)
    held = stage.expect(200, "GET", "/api/account/export", token=access)
    counts = {name: len(held[name]) for name in ("sessions", "links", "receipts")}
    check(counts == {"sessions": 1, "links": 1, "receipts": 1}, f"all is there: {counts}")
    check(held["groups"] == [group], f"with the group: {held['groups']}")
    path = f"/api/admin/users/{held['account']['id']}/export"
    check(stage.expect(200, "GET", path, token=admin)["links"] == held["links"], "for admins too")
    check(stage.expect(200, "GET", "/api/account/export", token=ops)["files"] != [], "and files")
    say(f"all that is held about {account.username} was exported")


def delete_accounts(stage: Stage) -> None:
    account, admin = stage.new_admin()
    client, access, file_id = busy_client(stage, admin)
    body = {"password": client.password}
    stage.expect(204, "DELETE", "/api/account", body, token=access)
    stage.expect(401, "GET", "/api/sessions", token=access)
    nothing_names(stage, admin, client, file_id)
    uploader, file_id = busy_ops(stage)
    ops_id = stage.user(admin, uploader)["id"]
    stage.expect(204, "DELETE", f"/api/admin/users/{ops_id}", token=admin)
    nobody_uploaded(stage, admin, file_id)
    # One admin may go as long as another one stays.
    other, _ = stage.new_admin()
    other_id = stage.user(admin, other)["id"]
    stage.expect(204, "DELETE", f"/api/admin/users/{other_id}", token=admin)
    say(f"{client.username} and {other.username} were deleted, and {account.username} stays")


def erase_accounts(stage: Stage) -> None:
    """The job does all of it for an account that was closed, and no more."""
    _, admin = stage.new_admin()
    client, _, file_id = busy_client(stage, admin)
    uploader, uploaded_id = busy_ops(stage)
    for account in (client, uploader):
        leave_over(stage, admin, account)
    run, failed = stage.invoke("EraseAccounts", {})
    check(run["failed"] == 0 and not failed, f"the job erases: {run}")
    nothing_names(stage, admin, client, file_id)
    nobody_uploaded(stage, admin, uploaded_id)
    say(f"the job erased what was left of {client.username} and {uploader.username}")


def leave_over(stage: Stage, admin: str, account: Account) -> None:
    """Writes down that this account is to be erased, as the transaction does that closes it."""
    user_id = stage.user(admin, account)["id"]
    now = datetime.datetime.now(datetime.timezone.utc)
    leftover = {
        "pk": f"erasure#{user_id}",
        "user_id": user_id,
        "address": account.email,
        "closed_at": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "listed": "erasure",
        "name_key": user_id,
    }
    stage.client("dynamodb").put_item(
        TableName=stage.resources["UsersTable"],
        Item={name: {"S": value} for name, value in leftover.items()},
    )


def busy_ops(stage: Stage) -> tuple[Account, str]:
    """An Ops account, and a file of it that Clients see."""
    account, access = stage.new_staff("ops")
    return account, stage.upload(access, b"of one who goes")


def nobody_uploaded(stage: Stage, admin: str, file_id: str) -> None:
    """That the file is there, and does not say who uploaded it."""
    file = stage.file(admin, file_id)
    check(file["uploaded_by"] == "deleted-account", f"its uploader is erased: {file}")


def busy_client(stage: Stage, admin: str) -> tuple[Account, str, str]:
    """A Client who has used everything that an account leaves traces in, and a file that is for it
    and others."""
    client, access = stage.new_client()
    other, _ = stage.new_client()
    ops = stage.ops_token()
    file_id = stage.upload(ops, b"for one who goes")
    stage.link(file_id, access, note="mine")
    recipients = [client.email, client.username, other.username]
    stage.expect(200, "PATCH", f"/api/files/{file_id}", {"recipients": recipients}, token=ops)
    join_group(stage, admin, client)
    stage.expect(202, "POST", "/api/account/password-reset", {"email": client.email})
    return client, access, file_id


def join_group(stage: Stage, admin: str, account: Account) -> str:
    """The name of a new group that the account is in."""
    name = f"group-of-{account.username}"
    stage.expect(201, "POST", "/api/admin/groups", {"name": name}, token=admin)
    member = f"/api/admin/groups/{name}/members/{stage.user(admin, account)['id']}"
    stage.expect(204, "PUT", member, token=admin)
    return name


def nothing_names(stage: Stage, admin: str, client: Account, file_id: str) -> None:
    """That the account is gone, and that no file and no receipt of its link names its owner."""
    users = stage.expect(200, "GET", f"/api/admin/users?q={client.username}", token=admin)
    check(users == [], f"the account is gone: {users}")
    ops = stage.ops_token()
    file, receipts = stage.file(ops, file_id), stage.receipts(file_id, ops)
    check(client.username not in str(file), f"the file is for others only: {file}")
    check(client.username not in str(receipts), f"the receipts do not name it: {receipts}")
    events = [receipt["event"] for receipt in receipts]
    check(events == ["created", "revoked", "erased"], f"what happened stays: {events}")
