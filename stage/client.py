"""A deployed stage, as its operator and its API's clients see it."""

import hashlib
import json
import re
import secrets
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from email.message import Message
from functools import cached_property
from typing import Any, NamedTuple

from .console import CommandError, check
from .emulator import Emulator
from .origin import Origin
from .template import Template

STACK = "secure-file-share-stage"
STAGE_NAME = "stage"
REQUEST_SECONDS = 40
PART_BYTES = 8 * 1024 * 1024
CHECK_SECONDS = 30
TOKEN = r"[\w-]{43}"


@dataclass(frozen=True)
class Account:
    username: str
    email: str
    password: str

    @classmethod
    def named(cls, username: str) -> "Account":
        return cls(username, f"{username}@example.com", secrets.token_urlsafe(16))

    def signup(self) -> dict[str, str]:
        """The body of a sign-up."""
        return asdict(self)

    def invitation(self, role: str) -> dict[str, str]:
        """The event for CreateAccount."""
        return {"username": self.username, "email": self.email, "role": role}


class Response(NamedTuple):
    status: int
    headers: Message  # names in any case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Stage:
    """The deployed stack and its API. Records the leases and download tokens that were given out,
    so that the logs can be searched for them."""

    def __init__(self, emulator: Emulator, ops: Account, origin: Origin | None = None):
        self.emulator = emulator
        self._origin = origin
        self.ops = ops
        self.client = emulator.client
        self.template = Template()
        self.leases: set[str] = set()
        self.download_tokens: set[str] = set()
        self.lost: set[str] = set()  # files without bytes
        self.invited: set[str] = set()  # addresses
        self.expiring = ""  # a file that is to be gone soon
        self.inbox = f"{emulator.url}/_ministack/ses/messages"
        self._opener = opener(emulator.tls())
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        outputs = {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}
        self.bucket = outputs["FilesBucketName"]
        api = outputs["ApiUrl"].split("//")[1].split(".")[0]
        # By another name than S3's, as in AWS: to a browser they are two origins.
        host = f"https://localhost:{emulator.port}"
        self.url = f"{host}/restapis/{api}/{STAGE_NAME}/_user_request_"

    @property
    def origin(self) -> Origin:
        """The host from which files are imported."""
        if self._origin is None:
            raise CommandError("the stage has no host for imports")
        return self._origin

    @cached_property
    def resources(self) -> dict[str, str]:
        """Physical ids by logical ids."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return {
            it["LogicalResourceId"]: it["PhysicalResourceId"]
            for page in pages.paginate(StackName=STACK)
            for it in page["StackResourceSummaries"]
        }

    def invoke(self, function: str, event: Any) -> tuple[Any, bool]:
        """The answer of a function, and whether it is an error."""
        answer = self.client("lambda").invoke(
            FunctionName=self.resources[function], Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read()), "FunctionError" in answer

    def request(
        self,
        method: str,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A request to the API, at a path or an absolute URL. Does not follow redirects."""
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, method=method)
        # Without this header MiniStack leaves bytes as base64.
        request.add_header("Accept", "*/*")
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            answer = self._opener.open(request, body, timeout=REQUEST_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            response = Response(answer.status, answer.headers, answer.read())
        if lease := response.headers["Download-Lease"]:
            self.leases.add(lease)
        address = rf"/api/file/download\?token=({TOKEN})".encode()
        found = re.findall(address, response.body[:10_000])
        self.download_tokens.update(token.decode() for token in found)
        return response

    def expect(self, status: int, method: str, path: str, *arguments: Any, **options: Any) -> Any:
        """The body of a response that has this status: parsed where it is JSON, or else bytes."""
        response = self.request(method, path, *arguments, **options)
        address, body = path.split("?")[0], response.body
        what = f"{method} {address}: {response.status} instead of {status}: {body[:400]!r}"
        check(response.status == status, what)
        return json.loads(body) if body[:1] in (b"{", b"[") else body

    def repeat(self, status: int, path: str, body: dict[str, Any], *, token: str) -> Any:
        """The body of the response to a request that is sent twice with one key, and creates one
        file."""
        key = {"Idempotency-Key": secrets.token_hex(16)}
        first, second = (
            self.expect(status, "POST", path, body, token=token, headers=key) for _ in range(2)
        )
        name = "upload_id" if "upload_id" in first else "id"
        check(first[name] == second[name], f"{path} twice with one key: {first}, {second}")
        return second

    def login(self, account: Account, role: str = "client") -> str:
        """A new access token."""
        body = {"username": account.username, "password": account.password}
        return self.expect(200, "POST", f"/api/{role}/login", body)["access"]

    def ops_token(self) -> str:
        return self.login(self.ops, "ops")

    def sign_up(self) -> tuple[Account, str]:
        """A new Client, and the token that verifies its address."""
        account = Account.named(f"client{secrets.token_hex(4)}")
        self.expect(201, "POST", "/api/users/signup", account.signup())
        return account, self.mailed_token("verify", account.email)

    def new_client(self) -> tuple[Account, str]:
        """A new Client with a verified address, and an access token."""
        account, token = self.sign_up()
        answer = {"password": account.password}
        self.expect(200, "POST", f"/verify?token={token}", answer)
        return account, self.login(account)

    def new_admin(self) -> tuple[Account, str]:
        """A new admin who has accepted an invitation, and an access token."""
        return self.new_staff("admin")

    def new_staff(self, role: str) -> tuple[Account, str]:
        """Somebody with this role, ops or admin, who has accepted an invitation, and an access
        token."""
        account = Account.named(f"{role}{secrets.token_hex(4)}")
        answer, failed = self.invoke("CreateAccount", account.invitation(role))
        check(not failed, f"somebody was invited as {role}: {answer}")
        token = self.mailed_token("set-password", account.email)
        password = {"password": account.password}
        self.expect(200, "POST", f"/set-password?token={token}", password)
        return account, self.login(account, "ops")

    def user(self, admin: str, account: Account) -> dict[str, Any]:
        """An account, as an admin finds it."""
        path = f"/api/admin/users?q={account.username}"
        [user] = self.expect(200, "GET", path, token=admin)
        return user

    def upload(
        self, token: str, content: bytes, name: str = "note.txt", *, notify: bool = False
    ) -> str:
        """The id of a new file."""
        boundary = secrets.token_hex(16)
        field = f'--{boundary}\r\nContent-Disposition: form-data; name="notify"\r\n\r\ntrue\r\n'
        head = (
            f"{field if notify else ''}--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer = self.expect(201, "POST", "/api/files/upload", body, token=token, headers=headers)
        return answer["id"]

    def begin_upload(self, token: str, content: bytes, name: str, **terms: Any) -> str:
        """The id of a new upload in parts, of which S3 has nothing yet."""
        sha256 = hashlib.sha256(content).hexdigest()
        body = {"filename": name, "size": len(content), "sha256": sha256, **terms}
        return self.repeat(201, "/api/uploads", body, token=token)["upload_id"]

    def sign_parts(self, token: str, upload_id: str, parts: dict[int, bytes]) -> list[Any]:
        """The requests that bring these parts, by number, to S3."""
        wanted = [
            {"number": number, "sha256": hashlib.sha256(part).hexdigest()}
            for number, part in parts.items()
        ]
        path = f"/api/uploads/{upload_id}/parts"
        return self.expect(200, "POST", path, {"parts": wanted}, token=token)["parts"]

    def send_part(self, signed: dict[str, Any], part: bytes) -> Response:
        """What S3 answers to the request of a part with these bytes."""
        return self.request("PUT", signed["url"], part, headers=signed["headers"])

    def send_parts(self, token: str, upload_id: str, content: bytes) -> None:
        """Brings all parts to S3."""
        offsets = range(0, len(content), PART_BYTES)
        parts = {
            number: content[it : it + PART_BYTES] for number, it in enumerate(offsets, start=1)
        }
        for signed in self.sign_parts(token, upload_id, parts):
            answer = self.send_part(signed, parts[signed["number"]])
            check(answer.status == 200, f"part {signed['number']}: {answer}")

    def complete(self, token: str, upload_id: str) -> dict[str, Any]:
        """The file that an upload has become."""
        return self.expect(202, "POST", f"/api/uploads/{upload_id}/complete", token=token)

    def upload_in_parts(self, token: str, content: bytes, name: str, **terms: Any) -> str:
        """The id of a new file, which is being checked."""
        upload_id = self.begin_upload(token, content, name, **terms)
        self.send_parts(token, upload_id, content)
        self.complete(token, upload_id)
        return upload_id

    def file(self, token: str, file_id: str) -> dict[str, Any]:
        """A file as its uploader sees it."""
        return self.expect(200, "GET", f"/api/files/{file_id}", token=token)

    def await_state(
        self, token: str, file_id: str, state: str, seconds: float = CHECK_SECONDS
    ) -> dict[str, Any]:
        """The file as soon as it is in this state."""
        deadline = time.monotonic() + seconds
        while (file := self.file(token, file_id))["state"] != state:
            what = f"the file is {state} within {seconds} seconds: {file}"
            check(time.monotonic() < deadline, what)
            time.sleep(0.5)
        return file

    def lose(self, file_id: str) -> None:
        """Deletes the bytes of a file from the bucket."""
        self.client("s3").delete_object(Bucket=self.bucket, Key=file_id)
        self.lost.add(file_id)

    def link(self, file_id: str, token: str, **terms: Any) -> dict[str, Any]:
        """A new download link to a file, as the API describes it."""
        path = f"/api/files/generate-download-link/{file_id}"
        return self.expect(201, "POST", path, terms or None, token=token)

    def receipts(self, file_id: str, token: str) -> list[dict[str, Any]]:
        """The receipts of all links to a file, the oldest first."""
        answer = self.expect(200, "GET", f"/api/files/{file_id}/receipts", token=token)
        return [it["receipt"] for it in answer]

    def mails(self, address: str) -> list[str]:
        """All mails to an address as JSON, the oldest first."""
        with self._opener.open(self.inbox) as answer:
            boxes = json.load(answer)["messages"]
        boxes = boxes.values() if isinstance(boxes, dict) else [boxes]
        mails = [json.dumps(mail) for box in boxes for mail in box]
        return [mail for mail in mails if address in mail]

    def mailed_token(self, page: str, address: str) -> str:
        """The token in the link to this page, such as `set-password`, in the newest mail."""
        mails = self.mails(address)
        check(mails, f"a mail to {address} is in the inbox")
        tokens = re.findall(rf"/{page}\?token=({TOKEN})", mails[-1])
        check(tokens, f"the newest mail to {address} has a link to {page}")
        return tokens[0]


def token_of(link: dict[str, Any]) -> str:
    """The token in a link's URL."""
    return link["download_url"].split("=")[1]


def opener(tls: ssl.SSLContext) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(NoRedirect, urllib.request.HTTPSHandler(context=tls))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None
