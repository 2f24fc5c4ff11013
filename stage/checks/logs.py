"""No secret and no e-mail address is in a log; the hashes of receipts and the metrics are."""

import re
import secrets

from ..client import Account, Stage, token_of
from ..console import check, say

METRICS = ("LinkUsed", "LinkRefused", "LoginFailed", "DependencyFailure")


def search_logs(stage: Stage) -> None:
    private = use_the_api(stage)
    lines = log_lines(stage)
    check(any("link_used" in line for line in lines), "the functions' logs were found")
    text = "\n".join(lines)
    for what, value in private.items():
        check(value not in text, f"no {what} in the logs")
    for what, values in (
        ("lease", stage.leases),
        ("download token", stage.download_tokens),
        ("invited address", stage.invited),
    ):
        check(values, f"a {what} was given out")
        check(not any(value in text for value in values), f"no {what} in the logs")
    hashes = set(re.findall(r'"hash":"([0-9a-f]{64})"', text))
    check(hashes, "the hashes of receipts are in the logs")
    refused = [line for line in lines if '"code":"invalid_credentials"' in line]
    check(any('"user":"' in line for line in refused), "a refused login has the account's id")
    for metric in METRICS:
        check(f'"{metric}":1' in text, f"the metric {metric} is in the logs")
    say(
        f"{len(lines)} log lines contain none of {len(private)} secrets and addresses, "
        f"{len(stage.leases)} leases and {len(stage.download_tokens)} download tokens; "
        f"the hashes of {len(hashes)} receipts and all {len(METRICS)} metrics are there"
    )


def use_the_api(stage: Stage) -> dict[str, str]:
    """Signs up, logs in, and downloads a file twice. What of it no log may contain."""
    client, verification = stage.sign_up()
    stage.expect(200, "GET", f"/api/users/verify-email?token={verification}")
    wrong = f"wrong-{secrets.token_hex(8)}"
    login = {"email": client.email, "password": wrong}
    stage.expect(401, "POST", "/api/client/login", login)
    session = stage.expect(200, "POST", "/api/client/login", {**login, "password": client.password})
    ops = stage.ops_token()
    link = stage.link(stage.upload(ops, b"a secret note"), session["access"])
    stage.expect(200, "GET", link["download_url"])
    stage.expect(410, "GET", link["download_url"])
    return {
        **account_secrets("Client", client),
        **account_secrets("Ops", stage.ops),
        "wrong password": wrong,
        "verification token": verification,
        "download token": token_of(link),
        "Client's access token": session["access"],
        "Client's refresh token": session["refresh"],
        "Ops' access token": ops,
        "address of a mail that SES refused": "early@example.com",
    }


def account_secrets(role: str, account: Account) -> dict[str, str]:
    return {f"{role} password": account.password, f"{role} address": account.email}


def log_lines(stage: Stage) -> list[str]:
    """What the functions have logged: to CloudWatch, and where else the emulator writes it."""
    logs, lines = stage.client("logs"), []
    for groups in logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            pages = logs.get_paginator("filter_log_events")
            for page in pages.paginate(logGroupName=group["logGroupName"]):
                lines += [event["message"] for event in page["events"]]
    for name in (stage.emulator.log.name, "streaming.log", "uploads.log"):
        text = (stage.emulator.home / name).read_text(errors="replace")
        lines += [line for line in text.splitlines() if '"function"' in line]
    return lines
