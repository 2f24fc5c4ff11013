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
import time
import traceback
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import boto3

from lambda_runtime import RuntimeApi

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
            with self.opener.open(request, body, timeout=40) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def expect(self, status, method, path, *arguments, **options):
        got, _, body = self.request(method, path, *arguments, **options)
        check(got == status, f"{method} {path.split('?')[0]}: {got} instead of {status}: {body[:400]}")
        return json.loads(body) if body[:1] in (b"{", b"[") else body

    def mail_to(self, address):
        """The newest mail to this address."""
        with self.opener.open(self.inbox) as answer:
            boxes = json.load(answer)["messages"]
        mails = [mail for box in (boxes.values() if isinstance(boxes, dict) else [boxes]) for mail in box]
        mails = [mail for mail in mails if address in json.dumps(mail)]
        check(mails, f"a mail to {address} is in the inbox")
        return json.dumps(mails[-1])

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
    link = stage.expect(201, "POST", f"/api/files/generate-download-link/{file['id']}", token=access)
    other = new_client(stage, verify=False)
    stage.invoke("CreateAccount", {"username": "iris", "email": "iris@example.com", "role": "ops"})
    values = {
        "client_token": access,
        "ops_token": ops,
        "file_id": file["id"],
        "download_token": link["download_url"].split("=")[1],
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


def upload(stage, token, content, name="note.txt"):
    boundary = secrets.token_hex(16)
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
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
    link = stage.expect(201, "POST", f"/api/files/generate-download-link/{file['id']}", token=access)
    status, headers, body = stage.request("GET", link["download_url"])
    check(status == 200 and body == content, f"3 MiB come back unchanged ({status}, {len(body)} bytes)")
    check(headers["Content-Disposition"].startswith("attachment"), "the download is an attachment")
    check(stage.request("GET", link["download_url"])[0] == 410, "the link is used")
    say("3 MiB of random bytes came back unchanged, once")


STREAMED_BYTES = 100 * 1024 * 1024
STREAM_MEMORY_LIMIT_MIB = 40


def streaming(stage):
    """The streaming binary, driven through the Runtime API: prelude, headers, bytes, memory."""
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
    link = stage.expect(201, "POST", f"/api/files/generate-download-link/{file}", token=access)
    event = json.loads((ROOT / "events" / "download_file" / "succeeds.json").read_text())
    token = {"token": link["download_url"].split("=")[1]}
    event["queryStringParameters"] = token
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in token.items()}
    api = RuntimeApi(event)
    names = ("Users", "Files", "Tokens", "Audit")
    env = {
        **environment(stage.port),
        **{f"{name.upper()}_TABLE": stage.resources[f"{name}Table"] for name in names},
        "FILES_BUCKET": stage.bucket, "DOWNLOAD_DELIVERY": "stream", "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LAMBDA_FUNCTION_NAME": "streaming",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1",
    }  # fmt: skip
    bootstrap = ROOT / "target" / "lambda" / binary("download_file") / "bootstrap"
    with open(HOME / "streaming.log", "wb") as log:
        process = subprocess.Popen([bootstrap], env=env, stdout=log, stderr=log)
    try:
        answer = api.answer(seconds=120)
        peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
    finally:
        process.kill()
        process.wait()
    check(answer is not None, f"the streaming binary answered; see {HOME / 'streaming.log'}")
    mode = answer.headers.get("lambda-runtime-function-response-mode")
    check(mode == "streaming", f"the answer is streamed: {answer.headers}")
    prelude = answer.prelude
    headers = {name.lower(): value for name, value in prelude["headers"].items()}
    check(prelude["statusCode"] == 200, f"the prelude says 200: {prelude}")
    check(headers["content-length"] == str(STREAMED_BYTES), f"the prelude tells the length: {prelude}")
    check(headers["content-disposition"].startswith("attachment"), f"it is an attachment: {prelude}")
    check(headers["etag"] == f'"{digest}"', f"the prelude tells the digest: {prelude}")
    check(answer.length == STREAMED_BYTES, f"all bytes came: {answer.length}")
    check(answer.digest.hexdigest() == digest, "the bytes are those that were stored")
    memory = int(peak[1]) // 1024
    check(memory < STREAM_MEMORY_LIMIT_MIB, f"peak memory below {STREAM_MEMORY_LIMIT_MIB} MiB: {memory}")
    say(f"100 MiB streamed through the Runtime API, digest right, {memory} MiB of memory at most")


def no_secrets_in_logs(stage):
    """Secrets and addresses of a whole story appear in no log."""
    client = new_client(stage)
    wrong = f"wrong-{secrets.token_hex(8)}"
    body = {"email": client["email"], "password": wrong}
    stage.expect(401, "POST", "/api/client/login", body)
    answer = stage.expect(200, "POST", "/api/client/login", without("token", "username", client))
    ops = stage.login("ops", OPS["username"], OPS["password"])
    file = upload(stage, ops, b"a secret note")
    path = f"/api/files/generate-download-link/{file['id']}"
    link = stage.expect(201, "POST", path, token=answer["access"])["download_url"]
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
    lines += [line for line in (HOME / "ministack.log").read_text().splitlines() if '"function"' in line]
    check(any("link_used" in line for line in lines), "the logs were read")
    for what, value in secret.items():
        check(not any(value in line for line in lines), f"no {what} in the logs")
    for metric in ("LinkUsed", "LinkRefused", "LoginFailed", "DependencyFailure"):
        check(any(f'"{metric}":1' in line for line in lines), f"the metric {metric} was written")
    say(f"{len(lines)} log lines hold none of {len(secret)} secrets; all four metrics are there")


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
                return logical + ("/index/shelf" if "/index/" in arn else "")
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
    print(f"   {'function':<22}{'action':<32}{'resource':<24}granted  used")
    for row in sorted(granted | used):
        marks = ["yes" if row in seen else "NO " for seen in (granted, used)]
        print(f"   {row[0]:<22}{row[1]:<32}{row[2]:<24}{marks[0]}      {marks[1]}")
    check(granted == used, "what is granted is used, and nothing else")
    say("every permission is used, and none is missing")


def recorded_calls(stage):
    """The calls of the functions. The emulator gives 50 at most and no next page, so this goes
    back in time by itself."""
    cloudtrail, seen = stage.client("cloudtrail"), {}
    for name in (
        "GetItem", "Query", "TransactWriteItems", "GetObject", "HeadObject", "PutObject",
        "GetSecretValue", "POST.ses",
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
        actions = {"Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem"}
        for item in request["TransactItems"]:
            for kind, write in item.items():
                yield f"dynamodb:{actions[kind]}", resource(write["TableName"])
    elif service == "dynamodb":
        index = "/index/" if "IndexName" in request else ""
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
