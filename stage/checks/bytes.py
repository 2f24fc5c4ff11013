"""A binary file comes back unchanged through API Gateway, which carries bytes as base64."""

import io
import secrets
import zipfile

from ..client import Stage
from ..console import check, say


def download_binary_file(stage: Stage) -> None:
    _, access = stage.new_client()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as entries:
        entries.writestr("random.bin", secrets.token_bytes(3 * 1024 * 1024))
    content = archive.getvalue()
    file_id = stage.upload(stage.ops_token(), content, "random.zip")
    url = stage.link(file_id, access)["download_url"]
    status, headers, body = stage.request("GET", url)
    what = f"3 MiB come back unchanged: status {status}, {len(body)} bytes"
    check(status == 200 and body == content, what)
    check(headers["Content-Disposition"].startswith("attachment"), "the file is an attachment")
    again = stage.request("GET", url)
    check(again.status == 410, f"the link works once: {again.status}")
    say("3 MiB of random bytes came back unchanged, once")
