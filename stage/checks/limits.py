"""What is limited, by the source that the gateway names, and that neither another source is nor a
browser that has logged in before."""

import secrets
from urllib.parse import urlsplit

from ..client import Response, Stage
from ..console import check, say

GUESSES = 10  # wrong passwords of one name from one source, before the next one must wait


def reach_limits(stage: Stage) -> None:
    account, _ = stage.new_client()

    page = urlsplit(stage.url)

    def login(password: str, source: str, cookie: str = "") -> Response:
        body = {"username": account.username, "password": password, "cookie": True}
        # MiniStack takes the source from this header. API Gateway does not.
        headers = {"X-Forwarded-For": source, "Origin": f"{page.scheme}://{page.netloc}"}
        if cookie:
            headers["Cookie"] = cookie
        return stage.request("POST", "/api/client/login", body, headers=headers)

    stranger, owner = "198.51.100.1", "198.51.100.2"
    device = device_of(login(account.password, stranger))
    for _ in range(GUESSES):
        answer = login("a wrong password", stranger)
        check(answer.status == 401, f"a guess is compared: {answer}")
    # Each guess from here on doubles the delay, so that a slow machine is refused a little later.
    for _ in range(GUESSES):
        refused = login("a wrong password", stranger)
        if refused.status == 429:
            break
    check(refused.status == 429, f"too many guesses: {refused}")
    check(refused.json()["code"] == "too_many_guesses", f"the code says what: {refused}")
    check(int(refused.headers["Retry-After"]) >= 1, f"when to try again: {refused.headers}")
    check(login(account.password, owner).status == 200, "the owner of the account gets in")
    known = login(account.password, stranger, device)
    check(known.status == 200, f"a device gets in that has logged in before: {known}")
    wrong = login("a wrong password", stranger, device)
    check(wrong.status == 401, f"its passwords are compared as well: {wrong}")
    present_unknown_tokens(stage, stranger)
    say(f"{GUESSES} wrong passwords from one source, then a 429, and none from another source")


def device_of(answer: Response) -> str:
    """Name and value of the cookie by which the browser is known from then on."""
    check(answer.status == 200, f"a browser logs in: {answer}")
    cookies = answer.headers.get_all("Set-Cookie") or []
    found = [it.split(";")[0] for it in cookies if it.startswith("__Host-device=")]
    check(len(found) == 1, f"the device's cookie: {cookies}")
    return found[0]


def present_unknown_tokens(stage: Stage, source: str) -> None:
    """Each function that takes tokens from mails and links counts those that are unknown."""
    token = secrets.token_urlsafe(32)
    for method, path in [
        ("POST", "/api/users/verify-email"),
        ("GET", "/verify"),
        ("GET", "/set-password"),
        ("GET", "/reset-password"),
        ("GET", "/change-email"),
        ("GET", "/undo-email"),
        ("GET", "/download"),
        ("GET", "/api/file/download"),
    ]:
        headers = {"X-Forwarded-For": source}
        answer = stage.request(method, f"{path}?token={token}", headers=headers)
        check(answer.status == 404, f"{path}: {answer}")
