"""The web app: the page, and each file that it names, compressed and plain."""

import re

from ..client import Stage
from ..console import check, say


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
    account, _ = stage.new_client()
    login = {"username": account.username, "password": account.password}
    access = stage.expect(200, "POST", "/api/sessions", login)["access"]
    stage.expect(200, "GET", "/api/account", token=access)
    say(f"the page and its {len(names)} files were loaded, and somebody logged in")
