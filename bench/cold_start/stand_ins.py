"""What stands in for AWS: MiniStack with tables, a bucket and a secret; and a DynamoDB that only
answers."""

import base64
import hashlib
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from stage.emulator import Emulator
from stage.runtime_api import QuietServer
from stage.template import TABLE, Template, table_variable

BUCKET = "files"
HOUR = 3600
# What Lambda's Amazon Linux 2023 trusts, or the like of it: reading it is part of a start.
SYSTEM_ROOTS = (
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/certs/ca-certificates.crt"),
)


class Installation:
    """The resources of template.yaml that functions use, and the variables that name them."""

    def __init__(self, emulator: Emulator, template: Template):
        self.template = template
        self.dynamodb = emulator.client("dynamodb")
        for name, properties in template.resources(TABLE).items():
            self._create_table(name, properties)
        emulator.client("s3").create_bucket(Bucket=BUCKET)
        self.jwt_secret = json.dumps({"current": secrets.token_hex(32)})
        secret = emulator.client("secretsmanager").create_secret(
            Name="jwt", SecretString=self.jwt_secret
        )
        roots = trusted_roots(emulator.ca)
        self.root_certificates = roots.count("BEGIN CERTIFICATE")
        (emulator.home / "roots.pem").write_text(roots)
        self._variables = {
            **{table_variable(table): table for table in template.tables()},
            "FILES_BUCKET": BUCKET,
            "JWT_SECRET_ARN": secret["ARN"],
            "CERTIFICATE_SECRET_ARN": secret["ARN"],
            "SECOND_FACTOR_SECRET_ARN": secret["ARN"],
            "PUBLIC_BASE_URL": "https://files.example.com",
            "MAIL_MODE": "log",
            "OPS_SIGNUP": "open",
            "CLIENT_SIGNUP": "open",
            "AWS_ENDPOINT_URL": emulator.url,
            "SSL_CERT_FILE": str(emulator.home / "roots.pem"),
        }

    def variables(self, function: str) -> dict[str, str]:
        return {**self.template.literal_variables(function), **self._variables}

    def one_time_token(self, kind: str, username: str) -> str:
        """A new one-time token of an account, stored as shared/store does it."""
        secret = secrets.token_bytes(32)
        digest = secret_hash(secret)
        self._put_link_item(
            {
                "pk": f"token#{digest}",
                "hash": digest,
                "kind": kind,
                "user_id": self._user(username),
            },
            {"expires_at": int(time.time()) + HOUR},
        )
        return base64url(secret)

    def link(self, username: str, file_id: str) -> tuple[str, str]:
        """Token and id of a new link of an account, stored as shared/store does it, but without its
        first receipt, which nothing here reads."""
        token = self.one_time_token("download", username)
        link_id = secret_hash(base64.urlsafe_b64decode(token + "="))
        now = time.time()
        self._put_link_item(
            {
                "pk": f"link#{link_id}",
                "id": link_id,
                "user_id": self._user(username),
                "file_id": file_id,
                "filename": "welcome.pdf",
                "created_at": timestamp(now),
                "expires_at": timestamp(now + HOUR),
                "last_receipt": "0" * 64,
            },
            {"max_downloads": 1, "downloads": 0, "receipts": 1, "forget_at": int(now) + 2 * HOUR},
            {"bind": False, "notified": False},
        )
        return token, link_id

    def _create_table(self, name: str, properties: dict[str, Any]) -> None:
        names = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
        definition = {it: properties[it] for it in names if it in properties}
        self.dynamodb.create_table(TableName=name, **definition)

    def _user(self, username: str) -> str:
        """The id of an account."""
        key = {"pk": {"S": f"name#{username}"}}
        return self.dynamodb.get_item(TableName="UsersTable", Key=key)["Item"]["user_id"]["S"]

    def _put_link_item(
        self, texts: dict[str, str], numbers: dict[str, int], flags: dict[str, bool] | None = None
    ) -> None:
        item = {
            **{name: {"S": value} for name, value in texts.items()},
            **{name: {"N": str(value)} for name, value in numbers.items()},
            **{name: {"BOOL": value} for name, value in (flags or {}).items()},
        }
        self.dynamodb.put_item(TableName="LinksTable", Item=item)


class EmptyDynamoDb(BaseHTTPRequestHandler):
    """Answers `{}` over plain HTTP: what is then measured is the function's own start."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
            b"Content-Length: 2\r\n\r\n{}"
        )

    def log_message(self, *_: object) -> None:
        """Requests are not logged."""


def empty_dynamodb() -> str:
    """The URL of a new EmptyDynamoDb, which runs until this process ends."""
    return f"http://{QuietServer(EmptyDynamoDb).address}"


def trusted_roots(ca: Path) -> str:
    """A certificate authority and those that the system trusts, as PEM."""
    system = next((path.read_text() for path in SYSTEM_ROOTS if path.exists()), "")
    return ca.read_text() + system


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def secret_hash(secret: bytes) -> str:
    return base64url(hashlib.sha256(secret).digest())


def timestamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))
