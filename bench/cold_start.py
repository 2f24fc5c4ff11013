"""What scripts/cold-start does: measures the release build of the functions, as Lambda runs them.

Each binary is started as Lambda starts it, against a Lambda Runtime API of our own and, for the
services of AWS, MiniStack over TLS. docs/performance.md says what the figures mean.
"""

import argparse
import base64
import contextlib
import hashlib
import http.server
import io
import json
import os
import queue
import re
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

import boto3

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools" / "bin"
RELEASE = ROOT / "target" / "lambda-release"
BUILD = "cargo lambda build --release --compiler cargo --lambda-dir target/lambda-release"
# A warm request comes several times in each run.
WARM_REQUESTS = 5
# A measurement of all takes about a minute; these bound what goes wrong.
ALL_SECONDS = 20 * 60
ANSWER_SECONDS = 30
# What a Lambda on Amazon Linux 2023 trusts, or the like of it: reading it is part of a start.
SYSTEM_ROOTS = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"]
VCPU_MB = 1769  # AWS: the memory at which a function has one vCPU

HASHING = ("signup", "login", "set_password")  # a hash takes 19 MiB
# Function and MemorySize, from the one place that says it.
TEMPLATE = (ROOT / "template.yaml").read_text()
DEFAULT_MB = re.search(r"^Globals:.*?MemorySize: (\d+)", TEMPLATE, re.DOTALL | re.MULTILINE)[1]
FUNCTIONS = {
    name: int(own or DEFAULT_MB)
    for name, own in re.findall(r"CodeUri: functions/(\w+)\n(?: +MemorySize: (\d+))?", TEMPLATE)
}
TABLES = {  # keys and indexes as in template.yaml
    "USERS_TABLE": ("Users", ["pk"], {}),
    "FILES_TABLE": ("Files", ["file_id"], {"shelf": (["shelf", "uploaded_at"], "ALL")}),
    "TOKENS_TABLE": (
        "Tokens",
        ["token_hash"],
        {"links_by_user": (["user_id", "created_at"], "KEYS_ONLY")},
    ),
    "AUDIT_TABLE": ("Audit", ["subject", "at_id"], {}),
}
BUCKET = "files"


class Failure(Exception):
    """Something that the person at the console should read; no stack trace."""


def say(text):
    print(f"-- {text}", file=sys.stderr, flush=True)


# --- what AWS would be ---------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificates(home):
    """A CA, a certificate of it for this machine, and a bundle of that CA and the usual ones."""

    def openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], cwd=home, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"openssl {arguments[0]} failed: {done.stderr.strip()}")

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    (home / "names").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n"
        "extendedKeyUsage=serverAuth\n"
    )
    # fmt: off
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=cold start CA", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-new", *key, "-keyout", "server.key", "-out", "server.csr",
            "-subj", "/CN=localhost")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "names")
    # fmt: on
    usual = next((Path(path) for path in SYSTEM_ROOTS if Path(path).exists()), None)
    roots = (home / "ca.pem").read_text() + (usual.read_text() if usual else "")
    (home / "roots.pem").write_text(roots)
    return roots.count("BEGIN CERTIFICATE")


@contextlib.contextmanager
def emulator(home):
    """MiniStack, over TLS. Gives its address."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {
        **kept,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(home / "server.pem"),
        "MINISTACK_SSL_KEY": str(home / "server.key"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(home / "state"),
        "S3_DATA_DIR": str(home / "s3"),
    }
    log = home / "ministack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [TOOLS / "ministack"], env=environment, cwd=home, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"MiniStack did not start:\n{log.read_text()[-2000:]}")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.2)
        yield f"https://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Installation:
    """Tables, bucket and secret, and the variables that name them to a function."""

    def __init__(self, address, home):
        session = boto3.Session("test", "test", region_name="us-east-1")
        ca = str(home / "ca.pem")

        def client(service):
            return session.client(service, endpoint_url=address, verify=ca)

        self.dynamodb = client("dynamodb")
        for table in TABLES.values():
            self.create_table(*table)
        client("s3").create_bucket(Bucket=BUCKET)
        self.jwt_secret = json.dumps({"current": secrets.token_hex(32)})
        secretsmanager = client("secretsmanager")
        secret = secretsmanager.create_secret(Name="jwt", SecretString=self.jwt_secret)
        self.variables = {
            **{variable: table[0] for variable, table in TABLES.items()},
            "FILES_BUCKET": BUCKET,
            "JWT_SECRET_ARN": secret["ARN"],
            "PUBLIC_BASE_URL": "https://files.example.com",
            "MAIL_MODE": "log",
            "OPS_SIGNUP": "open",
            "AWS_ENDPOINT_URL": address,
            "SSL_CERT_FILE": str(home / "roots.pem"),
        }
        self.values = {}

    def create_table(self, name, key, indexes):
        def schema(names):
            return [
                {"AttributeName": it, "KeyType": role}
                for it, role in zip(names, ("HASH", "RANGE"), strict=False)
            ]

        made = [
            {"IndexName": index, "KeySchema": schema(of), "Projection": {"ProjectionType": holds}}
            for index, (of, holds) in indexes.items()
        ]
        attributes = set(key).union(*(of for of, _ in indexes.values()))
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=schema(key),
            AttributeDefinitions=[
                {"AttributeName": it, "AttributeType": "S"} for it in sorted(attributes)
            ],
            **({"GlobalSecondaryIndexes": made} if made else {}),
        )

    def user_id(self, name):
        item = self.dynamodb.get_item(TableName="Users", Key={"pk": {"S": f"name#{name}"}})
        return item["Item"]["user_id"]["S"]

    def token(self, kind, name):
        """A one-time token of an account, as shared/store/src/tokens.rs writes it."""
        token = secrets.token_bytes(32)
        item = {
            "token_hash": {"S": base64url(hashlib.sha256(token).digest())},
            "kind": {"S": kind},
            "user_id": {"S": self.user_id(name)},
            "expires_at": {"N": str(int(time.time()) + 3600)},
        }
        self.dynamodb.put_item(TableName="Tokens", Item=item)
        return base64url(token)

    def link(self, name, file_id):
        """Token and id of a link of an account, as shared/store/src/links.rs writes it, but for the
        first of its receipts, which nothing here reads."""
        token = self.token("download", name)
        padded = token + "=" * (-len(token) % 4)
        link = base64url(hashlib.sha256(base64.urlsafe_b64decode(padded)).digest())
        now = time.time()

        def moment(seconds):
            return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))

        texts = {
            "token_hash": f"link#{link}",
            "id": link,
            "user_id": self.user_id(name),
            "file_id": file_id,
            "filename": "welcome.pdf",
            "created_at": moment(now),
            "expires_at": moment(now + 3600),
            "last_receipt": "0" * 64,
        }
        numbers = {"max_downloads": 1, "downloads": 0, "receipts": 1, "forget_at": int(now) + 7200}
        item = {
            **{key: {"S": value} for key, value in texts.items()},
            **{key: {"N": str(value)} for key, value in numbers.items()},
            **{key: {"BOOL": False} for key in ("bind", "notified")},
        }
        self.dynamodb.put_item(TableName="Tokens", Item=item)
        return token, link


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Nothing(http.server.BaseHTTPRequestHandler):
    """A DynamoDB that has nothing, over plain HTTP: what is left is the function's own start."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):  # noqa: N802
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
            b"Content-Length: 2\r\n\r\n{}"
        )

    def log_message(self, *_):
        pass


# --- what Lambda would be ------------------------------------------------------------------


class RuntimeApi(http.server.BaseHTTPRequestHandler):
    """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):  # noqa: N802
        now = time.perf_counter()
        lambda_ = self.server.owner
        lambda_.polls.put(now)
        event = lambda_.events.get()
        if event is None:
            self.close_connection = True
            return
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(event)}\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {secrets.token_hex(16)}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {int(time.time() * 1000) + 28000}\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: "
            "arn:aws:lambda:us-east-1:000000000000:function:measured\r\n"
            "Lambda-Runtime-Trace-Id: Root=1-69200606-5e0b1a9c3d7f42586a1b2c06\r\n\r\n"
        )
        lambda_.sent = time.perf_counter()
        self.wfile.write(head.encode() + event)

    def do_POST(self):  # noqa: N802
        body = self.body()
        now = time.perf_counter()
        self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        mode = self.headers.get("Lambda-Runtime-Function-Response-Mode")
        failed = self.path.endswith("/error")
        self.server.owner.answers.put((now, mode == "streaming", failed, body))

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.line().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.line()
        while self.line().strip():  # trailers; an error in mid-stream would be here
            pass
        return b"".join(chunks)

    def line(self):
        # The runtime's client leaves Nagle's algorithm on: a stream of small chunks then waits
        # up to 40 ms for a late acknowledgement. What Lambda's own side does is not known.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return self.rfile.readline()

    def log_message(self, *_):
        pass


class Lambda:
    """A function's process, from its start to its end."""

    def __init__(self, binary, variables, memory_mb, log):
        self.name = binary.parent.name
        self.log = log
        self.polls, self.events, self.answers = queue.Queue(), queue.Queue(), queue.Queue()
        self.server = serve(RuntimeApi)
        self.server.owner = self
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            **variables,
        }
        with log.open("wb") as output:
            self.started = time.perf_counter()
            self.process = subprocess.Popen(
                [binary], env=environment, stdout=output, stderr=output, close_fds=False
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.events.put(None)
        self.server.shutdown()
        self.server.server_close()

    def wait(self, source):
        try:
            return source.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            raise Failure(f"{self.name} does not answer: {self.said()}") from None

    def said(self):
        return self.log.read_text(errors="replace")[-2000:]

    def poll(self):
        """When the function asked for an event."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                return self.polls.get(timeout=0.2)
            if self.process.poll() is not None:
                break
        raise Failure(f"{self.name} did not start: {self.said()}")

    def invoke(self, event):
        """Seconds and answer of an event; the function must have asked for it."""
        self.events.put(json.dumps(event).encode())
        end, streamed, failed, body = self.wait(self.answers)
        if failed:
            raise Failure(f"{self.name} failed: {body.decode(errors='replace')}")
        seconds = end - self.sent
        if streamed:
            head, _, content = body.partition(b"\0" * 8)
            return seconds, {**json.loads(head), "body": content}
        return seconds, json.loads(body)

    def cpu(self):
        """CPU seconds of all its threads so far."""
        nanoseconds = 0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                nanoseconds += int((thread / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9

    def peak(self):
        """The most memory that it ever had, in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise Failure("this kernel does not tell VmHWM")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A function that is stopped leaves its connection broken."""


def serve(handler):
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


# --- what is asked -------------------------------------------------------------------------


def event(function, installation):
    """The event file that succeeds, with live values; each can be sent once."""
    if function == "create_account":
        name = f"invited-{secrets.token_hex(6)}"
        return {"username": name, "email": f"{name}@example.com", "role": "ops"}
    path = ROOT / "events" / function / "succeeds.json"
    if not path.is_file():
        raise Failure(f"{function} is new: {path} is missing, or teach bench/cold_start.py")
    text = path.read_text()
    values = dict(installation.values)
    if function == "verify_email":
        values["verification_token"] = installation.token("verification", "client")
    elif function == "set_password":
        values["invitation_token"] = installation.token("invitation", "invited")
    elif function in ("download_file", "revoke_link"):
        link = installation.link("client", installation.values["file_id"])
        values["download_token"], values["link_id"] = link
    for name, value in values.items():
        text = text.replace("{{%s}}" % name, value)
    read = json.loads(text)
    if function == "signup":
        name = f"reader-{secrets.token_hex(6)}"
        sign_up(read, name, "client", "reads every event twice")
    return read


def sign_up(read, name, role, password):
    fields = {"username": name, "email": f"{name}@example.com", "password": password, "role": role}
    read["body"] = base64.b64encode(json.dumps(fields).encode()).decode()


def succeeded(function, answer):
    expected = json.loads((ROOT / "events" / "expected.json").read_text())
    if function == "create_account":
        good = "message" in answer
    else:
        good = answer["statusCode"] == expected[f"{function}/succeeds"]["status"]
    if not good:
        raise Failure(f"{function} did not succeed: {str(answer)[:1000]}")
    return answer


def content(answer):
    body = answer["body"]
    return json.loads(base64.b64decode(body) if answer.get("isBase64Encoded") else body)


def prepare(binaries, installation, home):
    """Two people who can log in, one who is invited, and a file: all made by the functions."""

    def once(function, request):
        memory = FUNCTIONS[function]
        with Lambda(binaries[function], installation.variables, memory, home / "log") as lambda_:
            lambda_.poll()
            return succeeded(function, lambda_.invoke(request)[1])

    # The passwords are those of the local server, which events/login/succeeds.json knows.
    for name, role in [("client", "client"), ("ops", "ops"), ("invited", "ops")]:
        request = event("signup", installation)
        sign_up(request, name, role, f"local-{name}-password")
        once("signup", request)
        if name == "invited":
            continue
        request = event("verify_email", installation)
        token = installation.token("verification", name)
        request["queryStringParameters"]["token"] = token
        request["multiValueQueryStringParameters"]["token"] = [token]
        once("verify_email", request)
        request = event("login", installation)
        path = f"/api/{name}/login"
        request["path"] = request["resource"] = request["requestContext"]["resourcePath"] = path
        fields = {"username": name, "password": f"local-{name}-password"}
        request["body"] = base64.b64encode(json.dumps(fields).encode()).decode()
        installation.values[f"{name}_token"] = content(once("login", request))["access"]
    upload = once("upload_file", event("upload_file", installation))
    installation.values["file_id"] = content(upload)["id"]


# --- measuring -----------------------------------------------------------------------------


class Build(NamedTuple):
    """What is measured: binaries, and variables that only they get."""

    name: str
    directory: Path
    variables: dict


def measure(function, binary, extra, installation, plain, home):
    """One run of one function: milliseconds and megabytes."""
    # As template.yaml gives it to the functions that hash passwords.
    fixed = {"MALLOC_MMAP_THRESHOLD_": "1048576"} if function in HASHING else {}
    variables = {**installation.variables, **fixed, **extra}
    memory = FUNCTIONS[function]
    log = home / "log"
    alone = {**variables, "AWS_ENDPOINT_URL": plain, "JWT_SECRET": installation.jwt_secret}
    with Lambda(binary, alone, memory, log) as lambda_:
        init_alone = lambda_.poll() - lambda_.started
        init_alone_cpu = lambda_.cpu()
    events = [event(function, installation) for _ in range(1 + WARM_REQUESTS)]
    seconds, used = [], []
    with Lambda(binary, variables, memory, log) as lambda_:
        init = lambda_.poll() - lambda_.started
        before = init_cpu = lambda_.cpu()
        for it in events:
            took, answer = lambda_.invoke(it)
            succeeded(function, answer)
            lambda_.poll()
            after = lambda_.cpu()
            seconds.append(took)
            used.append(after - before)
            before = after
        peak = lambda_.peak()
    milliseconds = {
        "init_alone": init_alone,
        "init_alone_cpu": init_alone_cpu,
        "init": init,
        "init_cpu": init_cpu,
        "first": seconds[0],
        "first_cpu": used[0],
        "warm": statistics.median(seconds[1:]),
        "warm_cpu": statistics.median(used[1:]),
    }
    return {**{name: value * 1e3 for name, value in milliseconds.items()}, "peak": peak / 1e6}


def zipped(binary):
    """Bytes of the zip that Lambda gets."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        target.write(binary, "bootstrap")
    return len(archive.getvalue())


def table(columns, rows):
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" + "---:|" * (len(columns) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def report(measured, sizes, runs, roots):
    several = len({build for build, _ in measured}) > 1
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), "unknown CPU",
    )  # fmt: skip
    load = os.getloadavg()
    print(
        f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {os.cpu_count()} cores, {model}, "
        f"load {load[0]:.1f}. Medians of {runs} runs; warm: of {WARM_REQUESTS} requests in each. "
        f"{roots} root certificates. Times in ms, sizes in MB (10^6 bytes).\n"
    )
    rows, budgets, on_lambda = [], [], []
    for (build, function), results in measured.items():
        median = {name: statistics.median(run[name] for run in results) for name in results[0]}
        binary, archive = sizes[build, function]
        name = f"{function} ({build})" if several else function
        timed = [
            f"{median[what]:.1f} ({median[what + '_cpu']:.1f})"
            for what in ("init_alone", "init", "first", "warm")
        ]
        sized = [f"{binary / 1e6:.1f}", f"{archive / 1e6:.3f}"]
        rows.append([name, *sized, *timed, f"{median['peak']:.1f}"])
        checks = [
            archive <= 4e6,
            median["init_alone"] <= 10,
            median["init"] <= 10,
            median["first"] <= median["warm"] + 40,
            median["peak"] <= (60 if function in HASHING else 30),
        ]
        budgets.append([name] + ["pass" if it else "FAIL" for it in checks])
        share = FUNCTIONS[function] / VCPU_MB
        scaled = [f"{median[what] / share:.0f}" for what in ("first_cpu", "warm_cpu")]
        on_lambda.append([name, str(FUNCTIONS[function]), f"{share:.0%}", *scaled])
    table(
        ["function", "binary", "zip", "init alone (CPU)", "init (CPU)", "first (CPU)", "warm (CPU)",
         "peak memory"], rows,
    )  # fmt: skip
    table(
        ["function", "zip ≤ 4", "init alone ≤ 10", "init ≤ 10", "first ≤ warm + 40",
         "memory ≤ 30, hashing 60"], budgets,
    )  # fmt: skip
    table(
        ["function", "MemorySize", "of a vCPU", "CPU of first / share", "CPU of warm / share"],
        on_lambda,
    )


def find_binaries(builds):
    """The binaries of each build. The first build must be whole: it prepares the data."""
    found = {}
    for build in builds:
        for function in FUNCTIONS:
            binary = build.directory / f"share-{function.replace('_', '-')}" / "bootstrap"
            if binary.is_file():
                found[build.name, function] = binary
            elif build is builds[0]:
                raise Failure(f"{binary} is missing; build it: {BUILD}")
        if not any(build.name == name for name, _ in found):
            raise Failure(f"{build.directory} holds no function")
    return found


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/cold-start", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, metavar="1..50")
    parser.add_argument(
        "--only", action="append", choices=FUNCTIONS, metavar="FUNCTION",
        help="this function, as named in functions/; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--compare", action="append", default=[], metavar="NAME=DIR",
        help="another build, measured in turns with this one; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--with", action="append", default=[], metavar="VARIABLE=VALUE", dest="variables",
        help="the same build with this variable set, in turns with it; repeatable",
    )  # fmt: skip
    given = parser.parse_args()
    if not 1 <= given.runs <= 50:
        parser.error("--runs takes 1 to 50")
    builds = [Build("release", RELEASE, {})]
    for text in given.compare:
        name, _, directory = text.partition("=")
        if not name or not directory:
            parser.error("--compare takes NAME=DIR")
        builds.append(Build(name, Path(directory).resolve(), {}))
    for text in given.variables:
        name, _, value = text.partition("=")
        if not name or not value:
            parser.error("--with takes VARIABLE=VALUE")
        builds.append(Build(text, RELEASE, {name: value}))
    if len({build.name for build in builds}) < len(builds):
        parser.error("two builds have the same name")
    return given, builds


def stop(number, _):
    raise Failure("took too long" if number == signal.SIGALRM else "interrupted")


def main():
    given, builds = arguments()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, stop)
    signal.alarm(ALL_SECONDS)
    found = find_binaries(builds)
    chosen = [
        (build.name, function)
        for function in given.only or FUNCTIONS
        for build in builds
        if (build.name, function) in found
    ]
    with tempfile.TemporaryDirectory(prefix="cold-start-") as directory:
        home = Path(directory)
        roots = certificates(home)
        with emulator(home) as address:
            installation = Installation(address, home)
            prepare({it: found["release", it] for it in FUNCTIONS}, installation, home)
            plain = f"http://127.0.0.1:{serve(Nothing).server_port}"
            variables = {build.name: build.variables for build in builds}
            measured = {key: [] for key in chosen}
            for run in range(given.runs):
                say(f"run {run + 1} of {given.runs}")
                for build, function in chosen:
                    binary, extra = found[build, function], variables[build]
                    result = measure(function, binary, extra, installation, plain, home)
                    measured[build, function].append(result)
        sizes = {key: (found[key].stat().st_size, zipped(found[key])) for key in chosen}
        report(measured, sizes, given.runs, roots)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"scripts/cold-start: {failure}")
