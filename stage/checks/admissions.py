"""Who may come in: those who wait are let in or not, and people are invited."""

import secrets

from ..client import Account, Stage
from ..console import check, say

INVITATIONS = "/api/admin/invitations"


def waiting_account(stage: Stage, admin: str) -> tuple[Account, str]:
    """A Client that waits for an approval, as with ClientSignup approval, and its id. The stage is
    open, so that other checks need none."""
    account, _ = stage.new_client()
    user = stage.user(admin, account)["id"]
    stage.client("dynamodb").update_item(
        TableName=stage.resources["UsersTable"],
        Key={"pk": {"S": f"user#{user}"}},
        UpdateExpression="SET waiting_for = :approval",
        ExpressionAttributeValues={":approval": {"S": "approval"}},
    )
    return account, user


def invited_account(stage: Stage, admin: str) -> tuple[Account, str]:
    """Somebody whom this admin has invited as Ops, and the id of the invitation."""
    account = Account.named(f"guest{secrets.token_hex(4)}")
    stage.invited.add(account.email)
    body = {"email": account.email, "role": "ops", "username": account.username}
    return account, stage.expect(201, "POST", INVITATIONS, body, token=admin)["id"]


def admit_people(stage: Stage) -> None:
    _, admin = stage.new_admin()
    ops = stage.ops_token()
    account, user = waiting_account(stage, admin)
    login = {"username": account.username, "password": account.password}
    refused = stage.expect(403, "POST", "/api/client/login", login)
    check(refused["code"] == "approval_pending", f"who waits cannot log in: {refused}")
    waiting = stage.expect(200, "GET", "/api/approvals", token=ops)
    check(user in [it["id"] for it in waiting], f"the list has who waits: {waiting}")
    stage.expect(204, "POST", f"/api/approvals/{user}", token=ops)
    stage.login(account)
    check(any("can be used now" in mail for mail in stage.mails(account.email)), "a mail says so")
    group = "/api/admin/groups/people-who-wait"
    stage.expect(201, "POST", "/api/admin/groups", {"name": "people-who-wait"}, token=admin)
    account, user = waiting_account(stage, admin)
    stage.expect(204, "PUT", f"{group}/members/{user}", token=admin)
    stage.expect(204, "DELETE", f"/api/approvals/{user}", token=admin)
    login = {"username": account.username, "password": account.password}
    stage.expect(401, "POST", "/api/client/login", login)

    guest, invitation = invited_account(stage, admin)
    older = stage.mailed_token("set-password", guest.email)
    stage.expect(200, "POST", f"{INVITATIONS}/{invitation}", token=admin)
    newer = stage.mailed_token("set-password", guest.email)
    password = {"password": guest.password}
    stage.expect(404, "POST", f"/set-password?token={older}", password)
    listed = stage.expect(200, "GET", INVITATIONS, token=admin)
    check(invitation in [it["id"] for it in listed], f"the list has the invitation: {listed}")
    stage.expect(200, "POST", f"/set-password?token={newer}", password)
    stage.login(guest, "ops")
    guest, invitation = invited_account(stage, admin)
    stage.expect(204, "PUT", f"{group}/members/{invitation}", token=admin)
    stage.expect(204, "DELETE", f"{INVITATIONS}/{invitation}", token=admin)
    groups = stage.expect(200, "GET", "/api/admin/groups", token=admin)
    members = {it["name"]: it["members"] for it in groups}
    check(members["people-who-wait"] == 0, f"nobody who is gone is in a group: {members}")
    stage.expect(204, "DELETE", group, token=admin)
    token = stage.mailed_token("set-password", guest.email)
    stage.expect(404, "POST", f"/set-password?token={token}", {"password": guest.password})
    # A sign-up that nobody has proven yields its name to somebody who is invited.
    unproven, _ = stage.sign_up()
    stage.invited.add(f"new-{unproven.email}")
    body = {"email": f"new-{unproven.email}", "role": "client", "username": unproven.username}
    stage.expect(201, "POST", INVITATIONS, body, token=admin)
    say("people who waited were let in or not, and invitations accepted, renewed and withdrawn")
