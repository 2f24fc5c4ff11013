"""Accounts and groups, as admins of the stage see and change them."""

from typing import Any

from ..client import Stage
from ..console import check, say
from .second_factors import enrol


def administrate_users(stage: Stage) -> None:
    account, access = stage.new_client()
    _, admin = stage.new_admin()
    other, other_admin = stage.new_admin()

    def change(user: dict[str, Any], body: dict[str, Any], status: int = 200) -> Any:
        path = f"/api/admin/users/{user['id']}"
        return stage.expect(status, "PATCH", path, body, token=admin)

    client = stage.user(admin, account)
    shown = stage.expect(200, "GET", f"/api/admin/users/{client['id']}", token=admin)
    check(shown == client and client["state"] == "active", f"the list has the account: {shown}")
    sessions = stage.expect(200, "GET", f"/api/admin/users/{client['id']}/sessions", token=admin)
    check([it["current"] for it in sessions] == [False], f"the one session of it: {sessions}")
    limits = stage.expect(200, "GET", f"/api/admin/users/{client['id']}/limits", token=admin)
    counted = {it["what"]: (it["taken"], it["most"]) for it in limits}
    check(counted.get("sign_up_mails") == (1, 3), f"the mail of the sign-up was counted: {limits}")
    seen = stage.expect(200, "GET", "/api/admin/users?sort=-last_seen&limit=1", token=admin)
    check(seen[0]["username"] == other.username, f"who was seen last comes first: {seen}")
    change(client, {"active": False})
    stage.expect(403, "GET", "/api/files/list", token=access)
    change(client, {"active": True, "sessions": "end"})
    stage.expect(401, "GET", "/api/files/list", token=access)
    change(client, {"password": "reset"})
    reset = stage.mailed_token("reset-password", account.email)
    new = {"password": account.password}
    stage.expect(200, "POST", f"/reset-password?token={reset}", new)
    stage.login(account)
    with_factor, _, _ = enrol(stage)
    change(stage.user(admin, with_factor), {"second_factor": "reset"})
    stage.login(with_factor)
    check(any("only" in mail for mail in stage.mails(with_factor.email)), "its owner is told")
    change(stage.user(admin, other), {"role": "ops"})
    stage.expect(401, "GET", "/api/admin/users", token=other_admin)
    say("accounts were listed, disabled, enabled and given another role, and their limits shown")


def administrate_groups(stage: Stage) -> None:
    account, access = stage.new_client()
    _, admin = stage.new_admin()
    path = "/api/admin/groups"
    stage.expect(201, "POST", path, {"name": "board"}, token=admin)
    member = f"{path}/board/members/{stage.user(admin, account)['id']}"
    file_id = stage.upload(stage.ops_token(), b"for the board")
    terms = {"recipients": ["group:board"]}
    stage.expect(200, "PATCH", f"/api/files/{file_id}", terms, token=stage.ops_token())
    link = f"/api/files/generate-download-link/{file_id}"
    stage.expect(404, "POST", link, {}, token=access)
    stage.expect(204, "PUT", member, token=admin)
    stage.expect(201, "POST", link, {}, token=access)
    stage.expect(204, "DELETE", member, token=admin)
    stage.expect(404, "POST", link, {}, token=access)
    stage.expect(204, "PUT", member, token=admin)
    [group] = stage.expect(200, "GET", f"{path}?limit=1", token=stage.ops_token())
    check(group["name"] == "board" and group["members"] == 1, f"a group of one: {group}")
    stage.expect(204, "DELETE", f"{path}/board", token=admin)
    stage.expect(404, "POST", link, {}, token=access)
    say("a group was made, joined, left and deleted, and what was for it with it")
