"""scripts/verify-certificate accepts a certificate, and rejects it when it is changed."""

import json
import subprocess
import sys

from ..client import Stage
from ..console import ROOT, check, say


def check_certificates(stage: Stage) -> None:
    _, access = stage.new_client()
    ops = stage.ops_token()
    link = stage.link(stage.upload(ops, b"for the certificate"), access)
    stage.expect(200, "GET", link["download_url"])
    path = f"/api/links/{link['id']}/certificate"
    certificate = stage.expect(200, "GET", path, token=access).decode()
    keys = stage.emulator.home / "keys.json"
    keys.write_text(json.dumps(stage.expect(200, "GET", "/.well-known/jwks.json")))
    header, payload, signature = certificate.split(".")
    other = "A" if payload[-9] != "A" else "B"
    changed = f"{header}.{payload[:-9]}{other}{payload[-8:]}.{signature}"
    for text, status in ((certificate, 0), (changed, 1)):
        kept = stage.emulator.home / "certificate.jwt"
        kept.write_text(text)
        script = ROOT / "scripts" / "verify-certificate"
        command = [sys.executable, script, kept, "--keys", keys]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
        what = f"verify-certificate exits with {status}: {done.stdout}{done.stderr}"
        check(done.returncode == status, what)
    say("verify-certificate accepts a certificate, and not the same with another letter")
