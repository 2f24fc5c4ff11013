"""What scripts/stage does: build, deploy to MiniStack, check, stop."""

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3

from lambda_runtime import BreakingRoad, RuntimeApi

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools" / "bin"
HOME = ROOT / ".stage"  # everything that a stage leaves behind, until `down`
STACK = "secure-file-share-stage"
SENDER = "share@example.com"
STAGE_NAME = "stage"


class Failure(Exception):
    """Something that the person at the console should read; no stack trace."""


def say(text):
    print(f"-- {text}", flush=True)


# --- the stage -----------------------------------------------------------------------------


def environment(port):
    """The emulator's credentials and address, for every tool and for the functions."""
    own = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}",
        "SAM_CLI_TELEMETRY": "0",
        # Who trusts the emulator's certificate: boto3 and sam, the functions, node.
        "AWS_CA_BUNDLE": str(HOME / "tls" / "ca.pem"),
        "SSL_CERT_FILE": str(HOME / "tls" / "ca.pem"),
        "NODE_EXTRA_CA_CERTS": str(HOME / "tls" / "ca.pem"),
    }
    # A profile of the developer's own must not lead anywhere else.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **own, "PATH": f"{TOOLS}:{os.environ['PATH']}"}


def run(what, command, **options):
    """Runs a command quietly; shows what it said when it fails."""
    result = subprocess.run(command, text=True, capture_output=True, cwd=ROOT, **options)
    if result.returncode != 0:
        print((result.stdout + result.stderr)[-20000:], file=sys.stderr)
        raise Failure(f"{what} failed, see above")
    return result.stdout


def functions():
    """Directory names below functions/."""
    return sorted(path.name for path in (ROOT / "functions").iterdir() if path.is_dir())


def binary(function):
    return f"share-{function.replace('_', '-')}"


def build():
    say("building the functions (cargo-lambda, dev profile, this machine's architecture)")
    bins = [part for name in functions() for part in ("--bin", binary(name))]
    env = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}"}
    command = ["cargo", "lambda", "build", "--quiet", "--compiler", "cargo"]
    run("the build", command + bins, env=env)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate():
    """A certificate authority of the stage's own. TLS, because the bucket refuses anything else."""
    tls = HOME / "tls"
    tls.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    make = ["openssl", "req", "-x509", *key]
    run("making a certificate (openssl)", [
        *make, "-subj", "/CN=stage CA", "-keyout", tls / "ca.key", "-out", tls / "ca.pem",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
    ])  # fmt: skip
    run("making a certificate (openssl)", [
        *make, "-subj", "/CN=127.0.0.1", "-keyout", tls / "key.pem", "-out", tls / "cert.pem",
        "-CA", tls / "ca.pem", "-CAkey", tls / "ca.key",
        "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1",
    ])  # fmt: skip


def trusted():
    return ssl.create_default_context(cafile=HOME / "tls" / "ca.pem")


def start_emulator(port):
    make_certificate()
    say(f"starting MiniStack on 127.0.0.1:{port}, IAM enforced")
    env = {
        **environment(port),
        "GATEWAY_PORT": str(port),
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(HOME / "tls" / "cert.pem"),
        "MINISTACK_SSL_KEY": str(HOME / "tls" / "key.pem"),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        "CLOUDTRAIL_RECORDING": "1",
        "CLOUDTRAIL_MAX_EVENTS": "200000",  # older calls would be forgotten
        # So that all who race are in the functions at once, whatever the machine.
        "MINISTACK_WORKER_THREADS": "256",
        "LAMBDA_ACCOUNT_CONCURRENCY": "256",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(HOME / "state"),
        "S3_DATA_DIR": str(HOME / "s3"),
    }
    with open(HOME / "ministack.log", "wb") as log:
        process = subprocess.Popen(
            [TOOLS / "ministack"], env=env, cwd=HOME, stdout=log, stderr=log, start_new_session=True
        )
    (HOME / "pid").write_text(str(process.pid))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failure(f"MiniStack ended at once; see {HOME / 'ministack.log'}")
        try:
            health = f"https://127.0.0.1:{port}/_ministack/health"
            urllib.request.urlopen(health, timeout=2, context=trusted()).read()
            return
        except OSError:
            time.sleep(0.2)
    raise Failure("MiniStack did not answer within a minute")


def deploy(port, **extra):
    """The template, with built binaries in the place of sources, as `sam build` puts them."""
    text = (ROOT / "template.yaml").read_text()
    built = ROOT / "target" / "lambda"
    text = re.sub(r"CodeUri: functions/(\w+)", lambda it: f"CodeUri: {built / binary(it[1])}", text)
    # DownloadDelivery=buffered, below, goes with routes that do not stream.
    text = re.sub(r" *ResponseTransferMode: RESPONSE_STREAM\n *TimeoutInMillis: .*\n", "", text)
    (HOME / "template.yaml").write_text(text)
    parameters = {
        "StageName": STAGE_NAME,
        "MailMode": "ses",
        "MailFrom": SENDER,
        "OpsSignup": "closed",
        "DownloadDelivery": "buffered",  # MiniStack's gateway cannot stream
        "ThrottleRate": 1000,  # or the races would be against the throttle
        "ThrottleBurst": 1000,
        **extra,
    }
    command = [
        TOOLS / "sam", "deploy", "--template-file", HOME / "template.yaml", "--stack-name", STACK,
        "--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-progressbar",
        "--no-fail-on-empty-changeset", "--parameter-overrides",
        *[f"{name}={value}" for name, value in parameters.items()],
    ]  # fmt: skip
    run("the deployment", command, env=environment(port))


class Stage:
    """A deployed stage, as its operator sees it."""

    def __init__(self, port):
        self.port = port
        endpoint = f"https://127.0.0.1:{port}"
        session = boto3.Session("test", "test", region_name="us-east-1")
        authority = str(HOME / "tls" / "ca.pem")
        self.client = lambda name: session.client(name, endpoint_url=endpoint, verify=authority)
        https = urllib.request.HTTPSHandler(context=trusted())
        self.opener = urllib.request.build_opener(NoRedirect, https)
        self.inbox = f"{endpoint}/_ministack/ses/messages"
        self.leases, self.download_tokens = set(), set()  # all that were given out
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        outputs = {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}
        self.bucket = outputs["FilesBucketName"]
        api = outputs["ApiUrl"].split("//")[1].split(".")[0]
        self.url = f"{endpoint}/restapis/{api}/{STAGE_NAME}/_user_request_"
        self.resources = {}
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=STACK):
            for it in page["StackResourceSummaries"]:
                self.resources[it["LogicalResourceId"]] = it["PhysicalResourceId"]

    def invoke(self, function, event):
        """The answer of a function, and whether it was an error."""
        answer = self.client("lambda").invoke(
            FunctionName=self.resources[function], Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read()), "FunctionError" in answer

    def request(self, method, path, body=None, token=None, headers=None):
        """Status, headers and body of an API call. Redirects are not followed."""
        request = urllib.request.Request(
            path if path.startswith("http") else self.url + path, method=method
        )
        request.add_header("Accept", "*/*")  # without it MiniStack leaves bytes as base64
        if isinstance(body, dict):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            answer = self.opener.open(request, body, timeout=40)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            status, headers, content = answer.status, answer.headers, answer.read()
        if lease := headers["Download-Lease"]:
            self.leases.add(lease)
        for token in re.findall(rb"/api/file/download\?token=([\w-]{43})", content[:10_000]):
            self.download_tokens.add(token.decode())
        return status, headers, content

    def expect(self, status, method, path, *arguments, **options):
        got, _, body = self.request(method, path, *arguments, **options)
        check(got == status, f"{method} {path.split('?')[0]}: {got} instead of {status}: {body[:400]}")
        return json.loads(body) if body[:1] in (b"{", b"[") else body

    def mails_to(self, address):
        """All mails to this address, the oldest first."""
        with self.opener.open(self.inbox) as answer:
            boxes = json.load(answer)["messages"]
        mails = [mail for box in (boxes.values() if isinstance(boxes, dict) else [boxes]) for mail in box]
        return [text for text in map(json.dumps, mails) if address in text]

    def mail_to(self, address):
        """The newest mail to this address."""
        mails = self.mails_to(address)
        check(mails, f"a mail to {address} is in the inbox")
        return mails[-1]

    def link(self, file, token, **terms):
        """A new download link to this file, as the API describes it."""
        path = f"/api/files/generate-download-link/{file['id']}"
        return self.expect(201, "POST", path, terms or None, token=token)

    def login(self, door, username, password):
        body = {"username": username, "password": password}
        return self.expect(200, "POST", f"/api/{door}/login", body)["access"]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def check(holds, what):
    if not holds:
        raise Failure(f"does not hold: {what}")


OPS = {"username": "olga", "email": "olga@example.com", "password": secrets.token_urlsafe(16)}


def operator_steps(stage):
    """What docs/deploying.md asks of the operator: SES, and the first Ops account."""
    mail = stage.client("ses")
    answer, failed = stage.invoke("CreateAccount", {**without_password(OPS), "role": "ops"})
    check(failed and "send a mail" in answer["errorMessage"], "no mail before SES knows the sender")
    body = {"username": "early", "email": "early@example.com", "password": "correct horse battery"}
    refused = stage.expect(503, "POST", "/api/users/signup", body)
    check(refused["code"] == "dependency_unavailable", f"a sign-up without mail: {refused}")
    mail.verify_email_identity(EmailAddress=SENDER)
    stage.client("sesv2").put_account_details(
        MailType="TRANSACTIONAL", WebsiteURL="https://example.com",
        UseCaseDescription="links", ProductionAccessEnabled=True,
    )  # fmt: skip
    # The same name and address again: nothing was left of the failed attempts.
    answer, failed = stage.invoke("CreateAccount", {**without_password(OPS), "role": "ops"})
    check(not failed, f"the Ops account was created: {answer}")
    token = re.search(r"set-password\?token=([\w-]{43})", stage.mail_to(OPS["email"]))[1]
    path = f"/api/users/set-password?token={token}"
    stage.expect(200, "POST", path, {"password": OPS["password"]})
    for event in [{}, {"username": "x", "email": "y", "role": "king"}, {**OPS, "role": "ops"}]:
        answer, failed = stage.invoke("CreateAccount", event)
        check(failed and answer["errorType"] == "NotDone", f"a bad invitation is refused: {answer}")


def without_password(account):
    return {name: value for name, value in account.items() if name != "password"}


def up():
    if (HOME / "pid").exists():
        raise Failure("a stage is up already; scripts/stage down stops it")
    build()
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()
    port = free_port()
    start_emulator(port)
    say("deploying template.yaml (sam deploy)")
    deploy(port)
    # The emulator's API is not at the address that it would have in AWS, so links need telling.
    deploy(port, PublicBaseUrl=Stage(port).url)
    stage = Stage(port)
    say("as the operator: SES identity, first Ops account")
    operator_steps(stage)
    ready = {"port": port, "ops_username": OPS["username"], "ops_password": OPS["password"]}
    (HOME / "ready.json").write_text(json.dumps(ready))
    return stage


def down():
    if not (HOME / "pid").exists():
        raise Failure("no stage is up")
    group = int((HOME / "pid").read_text())
    # The emulator and the functions that it has started are one session.
    for step in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, step)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and group_lives(group):
            time.sleep(0.1)
    shutil.rmtree(HOME)


def group_lives(group):
    try:
        os.waitpid(group, os.WNOHANG)
    except ChildProcessError:
        pass
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


# --- the checks ----------------------------------------------------------------------------


def collection(stage):
    """The Postman collection, unchanged but for its environment."""
    variables = {
        "base_url": stage.url,
        "ops_username": OPS["username"],
        "ops_password": OPS["password"],
        "mail_inbox_url": stage.inbox,
        # MiniStack takes GatewayResponses as resources only, not in the API's definition.
        "gateway_words": "emulator",
    }
    command = [
        TOOLS / "newman", "run", "postman/secure-file-share.postman_collection.json",
        "--environment", "postman/deployed.postman_environment.json",
        "--working-dir", "postman", "--reporters", "cli", "--reporter-cli-no-banner",
    ]  # fmt: skip
    for name, value in variables.items():
        command += ["--env-var", f"{name}={value}"]
    output = run("the collection", command, env=environment(stage.port))
    print(output[output.rindex("┌─") :])


def events(stage):
    """Every event of events/, given to the deployed function itself."""
    client = new_client(stage)
    ops = stage.login("ops", OPS["username"], OPS["password"])
    access = stage.login("client", client["username"], client["password"])
    file = upload(stage, ops, b"for the events")
    link = stage.link(file, access)
    other = new_client(stage, verify=False)
    stage.invoke("CreateAccount", {"username": "iris", "email": "iris@example.com", "role": "ops"})
    values = {
        "client_token": access,
        "ops_token": ops,
        "file_id": file["id"],
        "download_token": link["download_url"].split("=")[1],
        "link_id": stage.link(file, access)["id"],
        "verification_token": other["token"],
        "invitation_token": re.search(r"password\?token=([\w-]{43})", stage.mail_to("iris@"))[1],
    }
    expected = json.loads((ROOT / "events" / "expected.json").read_text())
    # The event's account is one of `cargo run`, which no stage has.
    expected["login/succeeds"] = {"status": 401, "code": "invalid_credentials"}
    for case, wanted in expected.items():
        text = (ROOT / "events" / f"{case}.json").read_text()
        for name, value in values.items():
            text = text.replace("{{%s}}" % name, value)
        function = "".join(word.capitalize() for word in case.split("/")[0].split("_"))
        answer, failed = stage.invoke(function, json.loads(text))
        check(not failed, f"{case}: {answer}")
        body = answer.get("body") or ""
        lease = {name.lower(): value for name, value in (answer.get("headers") or {}).items()}
        stage.leases |= {lease["download-lease"]} if "download-lease" in lease else set()
        if answer.get("isBase64Encoded"):
            body = base64.b64decode(body).decode(errors="replace")
        code = json.loads(body).get("code") if body.startswith("{") else None
        got = {"status": answer["statusCode"], "code": code}
        check(got == wanted, f"{case}: {got} instead of {wanted}")
    say(f"{len(expected)} events got the answers of events/expected.json")


def new_client(stage, verify=True):
    name = f"client{secrets.token_hex(4)}"
    account = {"username": name, "email": f"{name}@example.com", "password": secrets.token_urlsafe(16)}
    stage.expect(201, "POST", "/api/users/signup", account)
    token = re.search(r"verify-email\?token=([\w-]{43})", stage.mail_to(account["email"]))[1]
    if verify:
        stage.expect(200, "GET", f"/api/users/verify-email?token={token}")
    return {**account, "token": token}


def upload(stage, token, content, name="note.txt", notify=False):
    boundary = secrets.token_hex(16)
    wish = f'--{boundary}\r\nContent-Disposition: form-data; name="notify"\r\n\r\ntrue\r\n'
    body = (
        f'{wish if notify else ""}--{boundary}\r\n'
        f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n"
    ).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return stage.expect(201, "POST", "/api/files/upload", body, token=token, headers=headers)


def bytes_come_back(stage):
    """3 MiB of random bytes, in through base64 and out through base64, once."""
    client = new_client(stage)
    access = stage.login("client", client["username"], client["password"])
    content = b"PK\5\6" + bytes(18)  # an empty zip, which may carry anything in front
    content = secrets.token_bytes(3 * 1024 * 1024) + content
    ops = stage.login("ops", OPS["username"], OPS["password"])
    file = upload(stage, ops, content, "random.zip")
    link = stage.link(file, access)
    status, headers, body = stage.request("GET", link["download_url"])
    check(status == 200 and body == content, f"3 MiB come back unchanged ({status}, {len(body)} bytes)")
    check(headers["Content-Disposition"].startswith("attachment"), "the download is an attachment")
    check(stage.request("GET", link["download_url"])[0] == 410, "the link is used")
    say("3 MiB of random bytes came back unchanged, once")


def lives_of_links(stage):
    """A link from its making to its end: bound, noted, redeemed, resumed, listed, taken back."""
    client, other = new_client(stage), new_client(stage)
    access = stage.login("client", client["username"], client["password"])
    stranger = stage.login("client", other["username"], other["password"])
    ops = stage.login("ops", OPS["username"], OPS["password"])
    content = b"0123456789" * 100
    file = upload(stage, ops, content, notify=True)
    terms = {"max_downloads": 2, "expires_in": 120, "bind": True, "note": "for the stage"}
    link = stage.link(file, access, **terms)
    check({name: link[name] for name in ("max_downloads", "bind", "note")}
          == {name: terms[name] for name in ("max_downloads", "bind", "note")}
          and not link["one_time"], f"the link has its terms: {link}")  # fmt: skip
    url, notices = link["download_url"], lambda: [
        mail for mail in stage.mails_to(OPS["email"]) if file["id"] in mail
    ]  # fmt: skip

    def refused(status, code, *arguments, **options):
        body = stage.expect(status, "GET", *arguments, **options)
        check(body["code"] == code, f"{code}: {body}")

    refused(401, "missing_token", url)
    refused(403, "link_bound", url, token=stranger)
    # The first byte only, then the rest: complete with the second request.
    status, headers, body = stage.request("GET", url, token=access, headers={"Range": "bytes=0-0"})
    check((status, body) == (206, b"0"), f"the first byte: {status}, {body[:80]}")
    lease = {"Download-Lease": headers["Download-Lease"]}
    check(notices() == [], "no notice of a part")
    rest = {**lease, "Range": "bytes=1-"}
    status, headers, body = stage.request("GET", url, token=access, headers=rest)
    check((status, body) == (206, content[1:]), f"the rest: {status}, {len(body)} bytes")
    check(headers["Content-Range"] == f"bytes 1-999/{len(content)}", f"Content-Range: {headers}")
    check(headers["Content-Length"] == "999", f"Content-Length: {headers}")
    check(len(notices()) == 1, f"one notice of a whole download: {notices()}")
    beyond = {**lease, "Range": "bytes=1000-"}
    refused(416, "range_unsatisfiable", url, token=access, headers=beyond)
    check(stage.request("GET", url, token=access)[2] == content, "the second download")
    check(len(notices()) == 1, "no second notice")
    refused(410, "link_used", url, token=access)
    [listed] = stage.expect(200, "GET", "/api/links", token=access)
    check((listed["id"], listed["state"], listed["downloads"]) == (link["id"], "used", 2), f"{listed}")
    check(stage.expect(200, "GET", "/api/links", token=stranger) == [], "a stranger has no links")

    link = stage.link(file, access, max_downloads=2)
    _, headers, _ = stage.request("GET", link["download_url"], headers={"Range": "bytes=0-9"})
    lease = {"Download-Lease": headers["Download-Lease"], "Range": "bytes=10-"}
    path = f"/api/links/{link['id']}"
    stage.expect(404, "DELETE", path, token=stranger)
    stage.expect(204, "DELETE", path, token=access)
    stage.expect(204, "DELETE", path, token=access)
    refused(410, "link_revoked", link["download_url"])
    refused(410, "link_revoked", link["download_url"], headers=lease)

    told = stage.expect(200, "GET", f"/api/files/{file['id']}/receipts", token=ops)
    told = [it["receipt"]["event"] for it in told]
    first = ["created", "redeemed", "ended", "resumed", "ended", "redeemed", "ended"]
    check(told == [*first, "created", "redeemed", "ended", "revoked"], f"the receipts: {told}")
    stage.expect(403, "GET", f"/api/files/{file['id']}/receipts", token=access)
    say("a link was bound, redeemed, resumed with 206, listed, taken back; one notice, 11 receipts")


RACERS = 64
ROUNDS = 5


def races(stage):
    """Many at once for one link: exactly as many win as it permits, and only they can resume."""
    client = new_client(stage)
    access = stage.login("client", client["username"], client["password"])
    ops = stage.login("ops", OPS["username"], OPS["password"])
    content = secrets.token_hex(5000).encode()
    stage.raced = file = upload(stage, ops, content)
    for permitted in (1, 10):
        seconds = []
        for number in range(1, ROUNDS + 1):
            url = stage.link(file, access, max_downloads=permitted)["download_url"]
            began = time.monotonic()
            answers = at_once(RACERS, lambda url=url: stage.request("GET", url))
            seconds.append(time.monotonic() - began)
            won = [(headers, body) for status, headers, body in answers if status == 200]
            lost = [body for status, _, body in answers if status == 410]
            lost = [body for body in lost if json.loads(body)["code"] == "link_used"]
            counts = {}
            for status, _, _ in answers:
                counts[status] = counts.get(status, 0) + 1
            what = f"round {number}, {permitted} of {RACERS} permitted: {counts}"
            check(len(won) == permitted and len(lost) == RACERS - permitted, what)
            check(all(body == content for _, body in won), "each winner has the right bytes")
            leases = {headers["Download-Lease"] for headers, _ in won}
            check(len(leases) == permitted, "each winner has a lease of its own")
            part = {"Range": "bytes=5000-"}
            for lease in leases:
                headers = {"Download-Lease": lease, **part}
                status, headers, body = stage.request("GET", url, headers=headers)
                check((status, body) == (206, content[5000:]), f"a winner resumes: {status}")
                check(headers["Content-Range"] == "bytes 5000-9999/10000", f"{headers}")
            for headers in (part, {"Download-Lease": secrets.token_urlsafe(32), **part}):
                refused = stage.expect(410, "GET", url, headers=headers)
                check(refused["code"] == "link_used", f"nobody else resumes: {refused}")
        took = ", ".join(f"{it:.1f}" for it in seconds)
        say(f"{ROUNDS} rounds of {RACERS} at once: {permitted} got the file and could resume it, "
            f"{RACERS - permitted} got 410 link_used, in each ({took} s)")  # fmt: skip


def at_once(number, deed):
    """The results of as many threads as that, which begin together."""
    gate = threading.Barrier(number)

    def wait_and_do(_):
        gate.wait()
        return deed()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(wait_and_do, range(number)))


def receipts(stage):
    """scripts/verify-receipts passes what is whole, and names what has been tampered with."""
    audit, tokens = stage.resources["AuditTable"], stage.resources["TokensTable"]
    database = stage.client("dynamodb")

    def verify(expected, file=None, stack=STACK, port=stage.port):
        command = [sys.executable, ROOT / "scripts" / "verify-receipts", file or stage.raced["id"]]
        done = subprocess.run(
            [*command, "--stack-name", stack], text=True, capture_output=True, env=environment(port)
        )
        said = done.stdout + done.stderr
        check(done.returncode == expected, f"exit {expected} of verify-receipts: {said}")
        return said.splitlines()

    whole = verify(0)
    # created; for each download redeemed, ended, resumed, ended.
    counts = sorted(int(line.split()[2]) for line in whole)
    check(counts == [5] * ROUNDS + [41] * ROUNDS, f"every receipt of the races is there: {whole}")
    link = next(line.split()[1] for line in whole if " 5 receipts" in line)
    found = database.query(
        TableName=audit, KeyConditionExpression="subject = :file AND begins_with(at_id, :link)",
        ExpressionAttributeValues={":file": {"S": f"file#{stage.raced['id']}"}, ":link": {"S": "link#"}},
    )["Items"]  # fmt: skip
    chain = [item for item in found if item["link"]["S"] == link]
    record = database.get_item(TableName=tokens, Key={"token_hash": {"S": f"link#{link}"}})["Item"]

    def put(item):
        database.put_item(TableName=audit, Item=item)

    def drop(item):
        key = {name: item[name] for name in ("subject", "at_id")}
        database.delete_item(TableName=audit, Key=key)

    def changed(item, text, again):
        text = text(item["receipt"]["S"])
        digest = hashlib.sha256(text.encode()).hexdigest() if again else item["hash"]["S"]
        return {**item, "receipt": {"S": text}, "hash": {"S": digest}}

    def elsewhere(text):
        return re.sub('"address":"[^"]*"', '"address":"192.0.2.1"', text)

    longer = {
        **changed(chain[4], lambda text: text.replace('"number":5', '"number":6').replace(
            json.loads(text)["previous"], chain[4]["hash"]["S"]), again=True),
        "at_id": {"S": chain[4]["at_id"]["S"][:-6] + "000006"},
    }  # fmt: skip
    cases = [
        ("a changed text", [lambda: put(changed(chain[1], elsewhere, again=False))],
         "receipt 2 has been changed"),
        ("a changed text with its hash", [lambda: put(changed(chain[1], elsewhere, again=True))],
         "receipt 3 does not follow the one before it"),
        ("a last text changed with its hash",
         [lambda: put(changed(chain[4], lambda text: text.replace("completed", "broken_off"), again=True))],
         "receipt 5 has been changed"),
        ("the first is gone", [lambda: drop(chain[0])], "receipt 1 is missing"),
        ("one in the middle is gone", [lambda: drop(chain[2])], "receipt 3 is missing"),
        ("the last is gone", [lambda: drop(chain[4])], "receipt 5 is missing"),
        ("all are gone", [lambda item=item: drop(item) for item in chain], "there are no receipts"),
        ("one is added", [lambda: put(longer)], "receipt 6 has been added"),
        ("the record is gone",
         [lambda: database.delete_item(TableName=tokens, Key={"token_hash": record["token_hash"]})],
         "the link's own record is missing"),
    ]  # fmt: skip
    for what, deeds, complaint in cases:
        for deed in deeds:
            deed()
        broken = [line for line in verify(1) if line.startswith("BROKEN")]
        right = len(broken) == 1 and link in broken[0] and complaint in broken[0]
        check(right, f"verify-receipts names it: {what}: {broken}")
        drop(longer)
        for item in chain:
            put(item)
        database.put_item(TableName=tokens, Item=record)
    # Records that may be forgotten, of which DynamoDB has deleted some already.
    over = {"forget_at": {"N": str(int(time.time()) - 1)}}
    drop(chain[0])
    for item in chain[1:]:
        put({**item, **over})
    database.put_item(TableName=tokens, Item={**record, **over})
    check(len(verify(0)) == len(whole) - 1, "what may be forgotten is left out")
    for item in chain:
        put(item)
    database.put_item(TableName=tokens, Item=record)
    check(verify(0) == whole, "restored, everything holds again")
    verify(1, file=str(uuid.uuid4()))
    for lines in (verify(2, file="x"), verify(2, stack="none"), verify(2, port=1)):
        check(len(lines) == 1, f"one line says why nothing was checked: {lines}")
    say(f"verify-receipts: {len(whole)} links of {sum(counts)} receipts hold; each of {len(cases)} "
        "ways to tamper with them is named, exit 1; misuse and no AWS are exit 2")  # fmt: skip


STREAMED_BYTES = 100 * 1024 * 1024
BROKEN_AFTER_BYTES = 30 * 1024 * 1024
STREAM_MEMORY_LIMIT_MIB = 40


def streaming(stage):
    """The streaming binary, driven through the Runtime API: prelude, headers, bytes, memory; and
    what comes of a connection to S3 that breaks."""
    client = new_client(stage)
    access = stage.login("client", client["username"], client["password"])
    content = secrets.token_bytes(STREAMED_BYTES)
    digest = hashlib.sha256(content).hexdigest()
    # Larger than the API takes, so the object and its record are put from behind.
    file = str(uuid.uuid4())
    stage.client("s3").put_object(Bucket=stage.bucket, Key=file, Body=content)
    record = {
        "file_id": file, "filename": "large.zip", "content_type": "application/zip",
        "sha256": digest, "uploaded_by": OPS["username"], "shelf": "available",
        "uploaded_at": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    item = {name: {"S": value} for name, value in record.items()}
    item["size"] = {"N": str(STREAMED_BYTES)}
    stage.client("dynamodb").put_item(TableName=stage.resources["FilesTable"], Item=item)
    link = stage.link({"id": file}, access, max_downloads=2)
    token = link["download_url"].split("=")[1]
    api, road = RuntimeApi(), BreakingRoad(stage.port)
    names = ("Users", "Files", "Tokens", "Audit")
    env = {
        **environment(stage.port),
        **{f"{name.upper()}_TABLE": stage.resources[f"{name}Table"] for name in names},
        "FILES_BUCKET": stage.bucket, "DOWNLOAD_DELIVERY": "stream", "AWS_REGION": "us-east-1",
        "JWT_SECRET_ARN": stage.resources["JwtSecret"], "MAIL_MODE": "ses", "MAIL_FROM": SENDER,
        "AWS_ENDPOINT_URL_S3": f"https://127.0.0.1:{road.port}",
        "AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LAMBDA_FUNCTION_NAME": "streaming",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1",
    }  # fmt: skip

    def download(**headers):
        """The answer to a download, and the headers in its prelude."""
        api.give(download_event(token, headers))
        answer = api.answer(seconds=120)
        check(answer is not None, f"the streaming binary answered; see {HOME / 'streaming.log'}")
        mode = answer.headers.get("lambda-runtime-function-response-mode")
        check(mode == "streaming", f"the answer is streamed: {answer.headers}")
        told = {name.lower(): value for name, value in answer.prelude["headers"].items()}
        stage.leases.add(told["download-lease"])
        return answer, told

    bootstrap = ROOT / "target" / "lambda" / binary("download_file") / "bootstrap"
    with open(HOME / "streaming.log", "wb") as log:
        process = subprocess.Popen([bootstrap], env=env, stdout=log, stderr=log)
    try:
        whole, headers = download()
        peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
        road.break_after(BROKEN_AFTER_BYTES)
        broken, broken_headers = download()
        lease = broken_headers["download-lease"]
        rest, rest_headers = download(**{"Download-Lease": lease, "Range": f"bytes={broken.length}-"})
    finally:
        process.kill()
        process.wait()
    prelude = whole.prelude
    check(prelude["statusCode"] == 200, f"the prelude says 200: {prelude}")
    check(headers["content-length"] == str(STREAMED_BYTES), f"the prelude tells the length: {prelude}")
    check(headers["content-disposition"].startswith("attachment"), f"it is an attachment: {prelude}")
    check(headers["etag"] == f'"{digest}"', f"the prelude tells the digest: {prelude}")
    check(whole.length == STREAMED_BYTES, f"all bytes came: {whole.length}")
    check(whole.digest.hexdigest() == digest, "the bytes are those that were stored")
    memory = int(peak[1]) // 1024
    check(memory < STREAM_MEMORY_LIMIT_MIB, f"peak memory below {STREAM_MEMORY_LIMIT_MIB} MiB: {memory}")
    say(f"100 MiB streamed through the Runtime API, digest right, {memory} MiB of memory at most")

    came = broken.length
    check(broken.prelude["statusCode"] == 200, f"the prelude says 200: {broken.prelude}")
    check(0 < came < STREAMED_BYTES, f"the answer breaks off: {came} bytes")
    right = hashlib.sha256(content[:came]).digest() == broken.digest.digest()
    check(right, f"nothing but the file's bytes came, so their number is where to resume: {broken.end}")
    check(rest.prelude["statusCode"] == 206, f"the lease resumes it: {rest.prelude}")
    told = rest_headers["content-range"]
    check(told == f"bytes {came}-{STREAMED_BYTES - 1}/{STREAMED_BYTES}", f"Content-Range: {told}")
    right = hashlib.sha256(content[came:]).digest() == rest.digest.digest()
    check(right and rest.length == STREAMED_BYTES - came, "the rest is the rest of the file")
    check(stage.request("GET", link["download_url"])[0] == 410, "both downloads are spent")
    ops = stage.login("ops", OPS["username"], OPS["password"])
    told = stage.expect(200, "GET", f"/api/files/{file}/receipts", token=ops)
    told = [(it["receipt"]["event"], it["receipt"].get("outcome"), it["receipt"].get("bytes")) for it in told]
    check(told == [
        ("created", None, None),
        ("redeemed", None, None), ("ended", "completed", STREAMED_BYTES),
        ("redeemed", None, None), ("ended", "broken_off", came),
        ("resumed", None, None), ("ended", "completed", STREAMED_BYTES - came),
    ], f"the receipts tell it: {told}")  # fmt: skip
    say(f"S3 broke off after {came} bytes; the lease brought the other {rest.length}; receipts agree")


def download_event(token, headers):
    event = json.loads((ROOT / "events" / "download_file" / "succeeds.json").read_text())
    query = {"token": token}
    event["queryStringParameters"] = query
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
    for name, value in headers.items():
        event["headers"][name] = value
        event["multiValueHeaders"][name] = [value]
    return event


def no_secrets_in_logs(stage):
    """Secrets and addresses of a whole story appear in no log."""
    client = new_client(stage)
    wrong = f"wrong-{secrets.token_hex(8)}"
    body = {"email": client["email"], "password": wrong}
    stage.expect(401, "POST", "/api/client/login", body)
    answer = stage.expect(200, "POST", "/api/client/login", without("token", "username", client))
    ops = stage.login("ops", OPS["username"], OPS["password"])
    file = upload(stage, ops, b"a secret note")
    link = stage.link(file, answer["access"])["download_url"]
    stage.expect(200, "GET", link)
    stage.expect(410, "GET", link)
    secret = {
        "password": client["password"], "wrong password": wrong, "e-mail address": client["email"],
        "verification token": client["token"], "download token": link.split("=")[1],
        "access token": answer["access"], "refresh token": answer["refresh"],
        "address of a mail that SES refused": "early@example.com",
        "Ops access token": ops, "Ops password": OPS["password"], "Ops address": OPS["email"],
    }  # fmt: skip
    logs, lines = stage.client("logs"), []
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        lines += [event["message"] for page in pages for event in page["events"]]
    for log in ("ministack.log", "streaming.log"):
        text = (HOME / log).read_text(errors="replace")
        lines += [line for line in text.splitlines() if '"function"' in line]
    check(any("link_used" in line for line in lines), "the logs were read")
    text = "\n".join(lines)
    for what, value in secret.items():
        check(value not in text, f"no {what} in the logs")
    given = {"lease": stage.leases, "download token": stage.download_tokens}
    for what, values in given.items():
        check(values, f"a {what} was given out")
        check(not any(value in text for value in values), f"no {what} of the whole run in the logs")
    hashes = re.findall(r'"hash":"([0-9a-f]{64})"', text)
    check(hashes, "the hashes of receipts are in the logs")
    for metric in ("LinkUsed", "LinkRefused", "LoginFailed", "DependencyFailure"):
        check(any(f'"{metric}":1' in line for line in lines), f"the metric {metric} was written")
    say(f"{len(lines)} log lines hold none of {len(secret)} secrets, {len(stage.leases)} leases and "
        f"{len(stage.download_tokens)} download tokens; the hashes of {len(set(hashes))} receipts and "
        "all four metrics are there")  # fmt: skip


def without(*arguments):
    *names, account = arguments
    return {name: value for name, value in account.items() if name not in names}


def permissions(stage):
    """What each function may do, and what it did while all of the above ran."""
    granted, used = set(), set()
    iam = stage.client("iam")
    tables = {stage.resources[f"{it}Table"]: f"{it}Table" for it in ("Users", "Files", "Tokens", "Audit")}

    def resource(arn):
        for physical, logical in tables.items():
            if physical in arn:
                _, found, index = arn.partition("/index/")
                return logical + found + index
        if stage.bucket in arn:
            return "FilesBucket"
        return "JwtSecret" if "JwtSecret" in arn else arn

    names = {"".join(word.capitalize() for word in it.split("_")) for it in functions()}
    for name in names:
        role = stage.resources[f"{name}Role"]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    granted.add((name, action, resource(statement["Resource"])))
    by_physical = {stage.resources[name]: name for name in names}
    for detail in recorded_calls(stage):
        agent = re.search(r"app/(\S+)", detail["userAgent"] or "")
        if agent and agent[1] in by_physical:
            name = by_physical[agent[1]]
            used |= {(name, *it) for it in actions_of(detail, resource)}
    check(used, "calls of the functions were recorded")
    print(f"   {'function':<22}{'action':<32}{'resource':<33}granted  used")
    for row in sorted(granted | used):
        marks = ["yes" if row in seen else "NO " for seen in (granted, used)]
        print(f"   {row[0]:<22}{row[1]:<32}{row[2]:<33}{marks[0]}      {marks[1]}")
    check(granted == used, "what is granted is used, and nothing else")
    say(f"each of {len(granted)} permissions is used, and none is missing")


def recorded_calls(stage):
    """The calls of the functions. The emulator gives 50 at most and no next page, so this goes
    back in time by itself."""
    cloudtrail, seen = stage.client("cloudtrail"), {}
    for name in (
        "GetItem", "BatchGetItem", "Query", "TransactWriteItems", "GetObject", "HeadObject",
        "PutObject", "GetSecretValue", "POST.ses",
    ):  # fmt: skip
        end = int(time.time()) + 1
        while True:
            found = cloudtrail.lookup_events(
                LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
                EndTime=end,
            )["Events"]
            seen |= {event["EventId"]: json.loads(event["CloudTrailEvent"]) for event in found}
            if len(found) < 50:
                break
            oldest = int(min(event["EventTime"].timestamp() for event in found))
            end = min(oldest + 1, end - 1)
    return seen.values()


def actions_of(detail, resource):
    """The IAM actions and resources behind a recorded call."""
    service, name = detail["eventSource"].split(".")[0], detail["eventName"]
    request = detail["requestParameters"] or {}
    if service == "dynamodb" and name == "TransactWriteItems":
        actions = {
            "Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem",
            "ConditionCheck": "ConditionCheckItem",
        }  # fmt: skip
        for item in request["TransactItems"]:
            for kind, write in item.items():
                yield f"dynamodb:{actions[kind]}", resource(write["TableName"])
    elif service == "dynamodb" and name == "BatchGetItem":
        for table in request["RequestItems"]:
            yield "dynamodb:BatchGetItem", resource(table)
    elif service == "dynamodb":
        index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
        yield f"dynamodb:{name}", resource(request["TableName"] + index)
    elif service == "s3":
        # HeadObject is granted by s3:GetObject.
        yield f"s3:{'GetObject' if name == 'HeadObject' else name}", "FilesBucket"
    elif service == "secretsmanager":
        yield f"secretsmanager:{name}", "JwtSecret"
    elif service == "ses":
        # Recorded as POST.ses only; any other action than this would have been denied.
        yield "ses:SendEmail", "*"
    else:
        yield f"{service}:{name}", "*"


def test():
    stage = up()
    for title, step in [
        ("the Postman collection", collection),
        ("every event, on the deployed binary", events),
        ("bytes", bytes_come_back),
        ("the life of a link", lives_of_links),
        ("races", races),
        ("receipts", receipts),
        ("streaming", streaming),
        ("secrets in logs", no_secrets_in_logs),
        ("permissions", permissions),
    ]:
        say(f"check: {title}")
        step(stage)


def main(command):
    try:
        if command == "up":
            stage = up()
            print(stage.url)
        elif command == "down":
            down()
            say("the stage is down")
        else:
            test()
            down()
            say("all checks of the stage hold")
    except (Exception, KeyboardInterrupt) as error:
        if not isinstance(error, (Failure, OSError, KeyboardInterrupt)):
            traceback.print_exc()
        print(f"scripts/stage: {error or 'interrupted'}", file=sys.stderr)
        already_up = command == "up" and "up already" in str(error)
        if command != "down" and not already_up and (HOME / "pid").exists():
            keep = ROOT / "target" / "stage-failure.log"
            shutil.copy(HOME / "ministack.log", keep)
            down()
            print(f"scripts/stage: nothing is left running; the emulator's log is {keep}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
