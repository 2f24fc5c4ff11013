"""The web app: the page and each file that it names, compressed and plain; and what Ops and a
Client do with it in a browser, which sends parts to another origin, S3's."""

import json
import os
import re
from dataclasses import asdict
from urllib.parse import parse_qs, urlsplit

from ..client import Stage
from ..console import ROOT, TOOLS, check, run, say


def load_web_app(stage: Stage) -> None:
    page = stage.request("GET", "/")
    check(page.status == 200, f"the page: {page}")
    policy = page.headers["Content-Security-Policy"]
    check("script-src 'self'" in policy, f"its policy: {policy}")
    # Relative, because a stage has a path before them.
    names = set(re.findall(r'(?:href|src)="(app/[^"]+)"', page.body.decode()))
    check(len(names) > 2, f"the page names its files: {page.body!r}")
    for name in sorted(names):
        plain = stage.request("GET", f"/{name}")
        packed = stage.request("GET", f"/{name}", headers={"Accept-Encoding": "br"})
        check(plain.status == packed.status == 200, f"{name}: {plain.status}, {packed.status}")
        check(packed.headers["Content-Encoding"] == "br", f"{name}: {packed.headers}")
        check(len(packed.body) < len(plain.body), f"{name} is smaller, compressed")
    say(f"the page and its {len(names)} files were loaded")


def use_web_app(stage: Stage) -> None:
    ask_whether_parts_may_be_sent(stage)
    account, _ = stage.new_client()
    links = stage.emulator.home / "links"
    variables = {
        "API": stage.url,
        "S3": stage.emulator.url,
        "OPS": json.dumps(asdict(stage.ops)),
        "CLIENT": json.dumps(asdict(account)),
        "LINKS": str(links),
        "PLAYWRIGHT": str(TOOLS.parent / "playwright-core" / "node_modules" / "playwright-core"),
    }
    command = ["node", "--test", ROOT / "stage" / "web_app.test.mjs"]
    run("the stories in Chromium", command, env={**os.environ, **variables})
    for link in links.read_text().split():
        stage.download_tokens.update(parse_qs(urlsplit(link).query)["token"])
    say("Ops uploaded two files in the web app, and a Client made links and downloaded them")


def ask_whether_parts_may_be_sent(stage: Stage) -> None:
    """What a browser asks S3 before it sends a part from a page of another origin."""
    wanted = {
        "Origin": "https://localhost",
        "Access-Control-Request-Headers": "x-amz-checksum-sha256",
    }
    address = f"{stage.emulator.url}/{stage.bucket}/a-file"
    for method, status in {"PUT": 200, "GET": 200, "DELETE": 403}.items():
        headers = {**wanted, "Access-Control-Request-Method": method}
        answer = stage.request("OPTIONS", address, headers=headers)
        check(answer.status == status, f"{method} from another origin: {answer}")
