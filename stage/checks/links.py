"""The states of a link: new, bound to its maker, redeemed, resumed, used, revoked."""

from typing import Any

from ..client import Stage
from ..console import check, say

CONTENT = b"0123456789" * 100
TERMS = {"max_downloads": 2, "expires_in": 120, "bind": True, "note": "for the stage"}
USED = ["created", "redeemed", "ended", "resumed", "ended", "redeemed", "ended"]
REVOKED = ["created", "redeemed", "ended", "revoked"]


def use_links(stage: Stage) -> None:
    _, owner = stage.new_client()
    _, stranger = stage.new_client()
    ops = stage.ops_token()
    file_id = stage.upload(ops, CONTENT, notify=True)
    use_up_a_bound_link(stage, file_id, owner, stranger)
    revoke_a_link(stage, file_id, owner, stranger)
    lose_the_bytes(stage, ops, owner)
    events = [receipt["event"] for receipt in stage.receipts(file_id, ops)]
    check(events == USED + REVOKED, f"the receipts: {events}")
    stage.expect(403, "GET", f"/api/files/{file_id}/receipts", token=owner)
    say(
        "a link was bound, redeemed, resumed with 206 and listed, another one revoked; "
        f"one notification, {len(events)} receipts"
    )


def use_up_a_bound_link(stage: Stage, file_id: str, owner: str, stranger: str) -> None:
    link = stage.link(file_id, owner, **TERMS)
    got = {name: link[name] for name in TERMS if name != "expires_in"}
    right = got.items() <= TERMS.items() and not link["one_time"]
    check(right, f"the link has the terms that were asked for: {link}")
    url = link["download_url"]

    def notifications() -> list[str]:
        return [mail for mail in stage.mails(stage.ops.email) if file_id in mail]

    expect_error(stage, 401, "missing_token", url)
    expect_error(stage, 403, "link_bound", url, token=stranger)
    # The first byte, then the rest: the second request completes the download.
    status, headers, body = stage.request("GET", url, token=owner, headers={"Range": "bytes=0-0"})
    check((status, body) == (206, b"0"), f"the first byte: {status}, {body[:80]!r}")
    lease = {"Download-Lease": headers["Download-Lease"]}
    check(notifications() == [], "no notification while a part is missing")
    rest = {**lease, "Range": "bytes=1-"}
    status, headers, body = stage.request("GET", url, token=owner, headers=rest)
    check((status, body) == (206, CONTENT[1:]), f"the rest: {status}, {len(body)} bytes")
    check(headers["Content-Range"] == f"bytes 1-999/{len(CONTENT)}", f"Content-Range: {headers}")
    check(headers["Content-Length"] == "999", f"Content-Length: {headers}")
    check(len(notifications()) == 1, f"a notification of the download: {notifications()}")
    beyond = {**lease, "Range": "bytes=1000-"}
    expect_error(stage, 416, "range_unsatisfiable", url, token=owner, headers=beyond)

    second = stage.request("GET", url, token=owner)
    check(second.body == CONTENT, f"the second download: {second.status}")
    check(len(notifications()) == 1, "no notification of the second download")
    expect_error(stage, 410, "link_used", url, token=owner)
    [listed] = stage.expect(200, "GET", "/api/links", token=owner)
    state = (listed["id"], listed["state"], listed["downloads"])
    check(state == (link["id"], "used", 2), f"the link in its owner's list: {listed}")
    listed = stage.expect(200, "GET", "/api/links", token=stranger)
    check(listed == [], f"the link is in nobody else's list: {listed}")


def revoke_a_link(stage: Stage, file_id: str, owner: str, stranger: str) -> None:
    link = stage.link(file_id, owner, max_downloads=2)
    url, path = link["download_url"], f"/api/links/{link['id']}"
    part = stage.request("GET", url, headers={"Range": "bytes=0-9"})
    resume = {"Download-Lease": part.headers["Download-Lease"], "Range": "bytes=10-"}
    stage.expect(404, "DELETE", path, token=stranger)
    stage.expect(204, "DELETE", path, token=owner)
    stage.expect(204, "DELETE", path, token=owner)
    expect_error(stage, 410, "link_revoked", url)
    expect_error(stage, 410, "link_revoked", url, headers=resume)


def lose_the_bytes(stage: Stage, ops: str, owner: str) -> None:
    file_id = stage.upload(ops, CONTENT)
    link = stage.link(file_id, owner)
    stage.lose(file_id)
    expect_error(stage, 410, "file_gone", link["download_url"])


def expect_error(stage: Stage, status: int, code: str, url: str, **options: Any) -> None:
    body = stage.expect(status, "GET", url, **options)
    check(body["code"] == code, f"{code}: {body}")
