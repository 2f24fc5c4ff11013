"""Sessions of the stage: continued, listed, ended, and ended by a second use of a refresh token."""

from ..client import Stage
from ..console import check, say


def use_sessions(stage: Stage) -> None:
    account, access = stage.new_client()
    login = {"username": account.username, "password": account.password}

    def refresh(token: str, status: int = 200) -> dict[str, str]:
        return stage.expect(status, "POST", "/api/sessions/refresh", {"refresh": token})

    first = stage.expect(200, "POST", "/api/client/login", login)["refresh"]
    second = refresh(first)["refresh"]
    check(refresh(first)["refresh"] == second, "a lost answer is given again")
    third = refresh(second)
    sessions = stage.expect(200, "GET", "/api/sessions", token=access)
    check(len(sessions) == 2, f"two logins are two sessions: {sessions}")
    check(refresh(first, 401)["code"] == "session_revoked", "a second use ends the session")
    stage.expect(401, "GET", "/api/sessions", token=third["access"])
    check(any("used twice" in mail for mail in stage.mails(account.email)), "its owner is told")
    stage.expect(204, "DELETE", "/api/sessions/current", token=access)
    other = stage.expect(200, "POST", "/api/client/login", login)
    stage.expect(204, "DELETE", "/api/sessions", token=other["access"])
    check(refresh(other["refresh"], 401)["code"] == "session_revoked", "all sessions have ended")
    say("a session was continued, one ended by a second use of its token, and all at once")
