"""Passwords and addresses that are changed, lost, and taken back."""

from ..client import Account, Stage
from ..console import check, say


def moving_account(stage: Stage) -> tuple[str, Account, str]:
    """The token that was mailed to the address which a Client is to have, the Client, and the
    address."""
    account, access = stage.new_client()
    address = f"{account.username}@elsewhere.example"
    body = {"email": address, "password": account.password}
    stage.expect(202, "POST", "/api/account/email", body, token=access)
    return stage.mailed_token("change-email", address), account, address


def moved_account(stage: Stage) -> str:
    """The token that was mailed to the address which a Client had."""
    token, account, _ = moving_account(stage)
    confirm = {"password": account.password}
    stage.expect(200, "POST", f"/change-email?token={token}", confirm)
    return stage.mailed_token("undo-email", account.email)


def recover_accounts(stage: Stage) -> None:
    account, access = stage.new_client()
    check(stage.expect(200, "GET", "/api/account", token=access)["email"] == account.email, "own")
    change = {"current": account.password, "new": "a password of the owner"}
    stage.expect(204, "POST", "/api/account/password", change, token=access)
    reset = {"email": account.email}
    stage.expect(202, "POST", "/api/account/password-reset", reset)
    token = stage.mailed_token("reset-password", account.email)
    confirm = {"token": token, "password": "another one of the owner"}
    stage.expect(200, "POST", "/api/account/password-reset/confirm", confirm)
    stage.expect(401, "GET", "/api/account", token=access)
    login = {"email": account.email, "password": confirm["password"]}
    stage.expect(200, "POST", "/api/client/login", login)

    fresh, first = stage.sign_up()
    stage.expect(202, "POST", "/api/account/verification", {"email": fresh.email})
    second = stage.mailed_token("verify", fresh.email)
    check(second != first, "another link")
    stage.expect(404, "POST", f"/verify?token={first}", {"password": fresh.password})
    stage.expect(200, "POST", f"/verify?token={second}", {"password": fresh.password})
    for nobody in ("verification", "password-reset"):
        stage.expect(202, "POST", f"/api/account/{nobody}", {"email": f"{nobody}@example.com"})
        check("No account" in stage.mails(f"{nobody}@example.com")[-1], "a mail to nobody")

    token, moving, address = moving_account(stage)
    confirm = {"password": moving.password}
    stage.expect(200, "POST", f"/change-email?token={token}", confirm)
    undo = stage.mailed_token("undo-email", moving.email)
    login = {"email": address, "password": moving.password}
    stage.expect(200, "POST", "/api/client/login", login)
    stage.expect(200, "POST", f"/undo-email?token={undo}")
    stage.expect(401, "POST", "/api/client/login", {**login, "email": moving.email})
    token = stage.mailed_token("reset-password", moving.email)
    stage.expect(200, "POST", f"/reset-password?token={token}", {"password": "the owner's again"})
    say("passwords were changed and reset, and an address was changed and taken back")
