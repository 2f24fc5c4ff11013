"""The second factor of an account: set up, used, and removed."""

import base64
import hashlib
import hmac
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..client import Account, Stage
from ..console import check, say


def begin(stage: Stage, account: Account, access: str) -> str:
    """Begins to set up an app; gives its secret."""
    password = {"password": account.password}
    return stage.expect(201, "POST", "/api/account/totp", password, token=access)["secret"]


def enrol(stage: Stage) -> tuple[Account, str, list[str]]:
    """A new Client with a second factor, its access token and its recovery codes."""
    account, access = stage.new_client()
    code = {"code": totp_code(begin(stage, account, access))}
    confirmed = stage.expect(200, "POST", "/api/account/totp/confirm", code, token=access)
    return account, access, confirmed["recovery_codes"]


def use_second_factors(stage: Stage) -> None:
    account, access, recovery = enrol(stage)
    password = {"password": account.password}

    def log_in(code: str, status: int = 200) -> Any:
        login = {"username": account.username, **password}
        asked = stage.expect(401, "POST", "/api/client/login", login)
        check(asked["code"] == "second_factor_required", f"the password is not enough: {asked}")
        answer = {"challenge": asked["challenge"], "code": code}
        return stage.expect(status, "POST", "/api/client/login", answer)

    log_in(recovery[0])
    check(log_in(recovery[0], 401)["code"] == "invalid_code", "a recovery code counts once")
    code = {"code": recovery[1]}
    renewed = stage.expect(201, "POST", "/api/account/recovery-codes", code, token=access)
    removal = {**password, "code": "000000"}
    refused = stage.expect(403, "DELETE", "/api/account/totp", removal, token=access)
    check(refused["code"] == "wrong_code", f"a wrong code removes nothing: {refused}")
    removal["code"] = renewed["recovery_codes"][0]
    stage.expect(204, "DELETE", "/api/account/totp", removal, token=access)
    stage.login(account)
    mails = stage.mails(account.email)
    for what in ("app that was added", "logged in with a recovery code", "codes are void", "only"):
        check(any(what in mail for mail in mails), f"the owner is told: {what}")
    enrol_at_login(stage)
    say("a second factor was set up, used and removed, and its owner told each time")


def enrol_at_login(stage: Stage) -> None:
    """Where its role needs a second factor, an account enrols before its first session begins."""
    account, _ = stage.new_client()
    login = {"username": account.username, "password": account.password}
    with required(stage, "client"):
        asked = stage.expect(401, "POST", "/api/client/login", login)
    check(asked["code"] == "second_factor_enrolment_required", f"enrolment is asked for: {asked}")
    challenge = asked["challenge"]
    secret = stage.expect(201, "POST", "/api/account/totp", {}, token=challenge)["secret"]
    code = {"code": totp_code(secret)}
    path = "/api/account/totp/confirm"
    confirmed = stage.expect(200, "POST", path, code, token=challenge)
    stage.expect(200, "GET", "/api/sessions", token=confirmed["session"]["access"])


@contextmanager
def required(stage: Stage, role: str) -> Iterator[None]:
    """The setting of Login that this role needs a second factor."""
    functions: Any = stage.client("lambda")
    name = {"FunctionName": stage.resources["Login"]}
    before = functions.get_function_configuration(**name)["Environment"]["Variables"]
    variables = {**before, "REQUIRE_SECOND_FACTOR": role}
    functions.update_function_configuration(**name, Environment={"Variables": variables})
    try:
        yield
    finally:
        functions.update_function_configuration(**name, Environment={"Variables": before})


def totp_code(secret: str) -> str:
    """The code of RFC 6238 of now."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
