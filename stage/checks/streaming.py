"""DownloadFile with streamed responses, which the emulator's gateway cannot carry: the built binary
answers to a Runtime API of this process, and its connection to S3 is cut once."""

import hashlib
import json
import os
import secrets
import subprocess
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from ..client import Stage, token_of
from ..console import ROOT, check, say
from ..cutting_proxy import CuttingProxy
from ..function_process import FunctionProcess
from ..runtime_api import Answer, QuietServer
from ..stack import SENDER, binary
from ..template import table_variable

FUNCTION = "DownloadFile"
MIB = 1024 * 1024
FILE_BYTES = 100 * MIB
CUT_AFTER_BYTES = 30 * MIB
MEMORY_LIMIT_BYTES = 40 * MIB
ANSWER_SECONDS = 120
CURL_PARTIAL_FILE = 18  # "transfer closed with outstanding read data remaining"


def stream_files(stage: Stage) -> None:
    _, access = stage.new_client()
    content = secrets.token_bytes(FILE_BYTES)
    file_id = store_file(stage, content)
    link = stage.link(file_id, access, max_downloads=2)
    proxy = CuttingProxy(stage.emulator.port)
    with start(stage, proxy) as function:
        whole = download(stage, function, link)
        peak = function.peak_memory()
        proxy.cut_after(CUT_AFTER_BYTES)
        broken = download(stage, function, link)
        ended = function.process.wait(ANSWER_SECONDS)
    # As Lambda does after a process that has ended.
    with start(stage, proxy) as function:
        resume = {
            "Download-Lease": headers_of(broken)["download-lease"],
            "Range": f"bytes={len(broken.body)}-",
        }
        rest = download(stage, function, link, resume)
    proxy.close()
    check_whole(whole, content, peak)
    check(ended == 1, f"the process ends with the stream that breaks: {ended}")
    check_broken(broken, rest, content)
    check_client(broken)
    again = stage.request("GET", link["download_url"])
    check(again.status == 410, f"both downloads of the link are used: {again.status}")
    check_receipts(stage, file_id, len(broken.body))
    say(
        f"a transfer was cut after {len(broken.body)} bytes and resumed for the other "
        f"{len(rest.body)}; the receipts agree"
    )


def start(stage: Stage, proxy: CuttingProxy) -> FunctionProcess:
    return FunctionProcess(
        binary(),
        FUNCTION,
        variables(stage, FUNCTION, proxy),
        memory_mb=stage.template.memory_mb(FUNCTION),
        log=stage.emulator.home / "streaming.log",
        answer_seconds=ANSWER_SECONDS,
    )


def store_file(stage: Stage, content: bytes) -> str:
    """The id of a new file that is larger than an upload may be: its object, and its record as
    shared/store writes it."""
    file_id = str(uuid.uuid4())
    stage.client("s3").put_object(Bucket=stage.bucket, Key=file_id, Body=content)
    texts = {
        "file_id": file_id,
        "id": file_id,
        "filename": "large.zip",
        "content_type": "application/zip",
        "sha256": hashlib.sha256(content).hexdigest(),
        "uploaded_by": stage.ops.username,
        "uploaded_at": "2026-01-01T00:00:00.000Z",
        "state": "available",
    }
    item: dict[str, Any] = {name: {"S": value} for name, value in texts.items()}
    item["size"] = {"N": str(len(content))}
    stage.client("dynamodb").put_item(TableName=stage.resources["FilesTable"], Item=item)
    return file_id


def variables(stage: Stage, function: str, proxy: CuttingProxy) -> dict[str, str]:
    """As the stack gives them to a function, but for DOWNLOAD_DELIVERY and S3's address."""
    tables = stage.template.tables()
    return {
        **stage.template.literal_variables(function),
        **{table_variable(table): stage.resources[table] for table in tables},
        "FILES_BUCKET": stage.bucket,
        "JWT_SECRET_ARN": stage.resources["JwtSecret"],
        "MAIL_MODE": "ses",
        "MAIL_FROM": SENDER,
        "DOWNLOAD_DELIVERY": "stream",
        "AWS_ENDPOINT_URL": stage.emulator.url,
        "AWS_ENDPOINT_URL_S3": f"https://127.0.0.1:{proxy.port}",
        "SSL_CERT_FILE": str(stage.emulator.ca),
    }


def download(
    stage: Stage,
    function: FunctionProcess,
    link: dict[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Answer:
    answer = function.invoke(download_event(token_of(link), headers or {}))
    check(answer.prelude, f"the response is streamed: {answer.body[:400]!r}")
    stage.leases.add(headers_of(answer)["download-lease"])
    return answer


def download_event(token: str, headers: Mapping[str, str]) -> Any:
    event = json.loads((ROOT / "events" / "download_file" / "succeeds.json").read_text())
    event["queryStringParameters"] = {"token": token}
    event["multiValueQueryStringParameters"] = {"token": [token]}
    for name, value in headers.items():
        event["headers"][name] = value
        event["multiValueHeaders"][name] = [value]
    return event


def headers_of(answer: Answer) -> dict[str, str]:
    """The headers in the prelude of a streamed response, with names in lower case."""
    return {name.lower(): value for name, value in answer.prelude["headers"].items()}


def check_whole(answer: Answer, content: bytes, peak: int) -> None:
    headers, prelude = headers_of(answer), answer.prelude
    digest = hashlib.sha256(content).hexdigest()
    check(prelude["statusCode"] == 200, f"status 200: {prelude}")
    check(headers["content-length"] == str(FILE_BYTES), f"Content-Length: {prelude}")
    check(headers["content-disposition"].startswith("attachment"), f"an attachment: {prelude}")
    check(headers["etag"] == f'"{digest}"', f"ETag: {prelude}")
    check(answer.body == content, f"all bytes are right: {len(answer.body)} of {FILE_BYTES} bytes")
    check(not answer.cut, "a whole answer has an end")
    what = f"peak memory below {MEMORY_LIMIT_BYTES // MIB} MiB: {peak / MIB:.1f} MiB"
    check(peak < MEMORY_LIMIT_BYTES, what)
    say(f"{FILE_BYTES // MIB} MiB were streamed unchanged, with {peak / MIB:.1f} MiB of memory")


def check_broken(broken: Answer, rest: Answer, content: bytes) -> None:
    sent = len(broken.body)
    check(broken.prelude["statusCode"] == 200, f"status 200: {broken.prelude}")
    check(0 < sent < FILE_BYTES, f"the transfer breaks off: {sent} bytes")
    check(broken.cut, "a stream that breaks has no end: its connection is cut")
    # So their number says where to resume.
    what = f"only bytes of the file are sent; the last ones: {broken.body[-200:]!r}"
    check(broken.body == content[:sent], what)
    check(rest.prelude["statusCode"] == 206, f"the lease resumes it: {rest.prelude}")
    got = headers_of(rest)["content-range"]
    check(got == f"bytes {sent}-{FILE_BYTES - 1}/{FILE_BYTES}", f"Content-Range: {got}")
    check(rest.body == content[sent:], f"the rest is complete: {len(rest.body)} bytes")


def check_client(broken: Answer) -> None:
    """What curl makes of the broken answer, from a gateway that passes it on in chunks and without
    Content-Length, and ends as the function has ended."""

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(broken.prelude["statusCode"])
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            end = b"" if broken.cut else b"0\r\n\r\n"
            self.wfile.write(b"%x\r\n%b\r\n%b" % (len(broken.body), broken.body, end))
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Requests are not logged."""

    server = QuietServer(Gateway)
    command = ["curl", "--silent", "--output", os.devnull, f"http://{server.address}/"]
    status = subprocess.run(command, check=False).returncode
    server.shutdown()
    server.server_close()
    check(status == CURL_PARTIAL_FILE, f"curl sees that bytes are missing: {status}")
    say("a client sees that a stream has broken, without Content-Length too")


def check_receipts(stage: Stage, file_id: str, sent: int) -> None:
    receipts = stage.receipts(file_id, stage.ops_token())
    got = [(it["event"], it.get("outcome"), it.get("bytes")) for it in receipts]
    wanted = [
        ("created", None, None),
        ("redeemed", None, None),
        ("ended", "completed", FILE_BYTES),
        ("redeemed", None, None),
        ("ended", "broken_off", sent),
        ("resumed", None, None),
        ("ended", "completed", FILE_BYTES - sent),
    ]
    check(got == wanted, f"the receipts: {got}")
