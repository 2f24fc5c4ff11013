"""MiniStack, the emulator of AWS, on a free loopback port, over TLS."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from .console import ROOT, TOOLS, CommandError, run

REGION = "us-east-1"
START_SECONDS = 60
STOP_SECONDS = 10
# The emulator accepts these as the account's root user.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificates(folder: Path) -> None:
    """A certificate authority, `ca.pem`, and what it certifies for 127.0.0.1 and localhost:
    `cert.pem`, `key.pem`. They are valid for two days."""
    folder.mkdir(parents=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    authority = {"-subj": "/CN=stage CA", "-keyout": "ca.key", "-out": "ca.pem"}
    server = {
        **{"-subj": "/CN=127.0.0.1", "-keyout": "key.pem", "-out": "cert.pem"},
        **{"-CA": "ca.pem", "-CAkey": "ca.key"},
    }
    extensions = {
        "ca.pem": ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"],
        "cert.pem": [
            "basicConstraints=critical,CA:FALSE",
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
        ],
    }
    for options in (authority, server):
        command: list[str | Path] = ["openssl", "req", "-x509", *key]
        for option, value in options.items():
            command += [option, value if option == "-subj" else folder / value]
        for extension in extensions[options["-out"]]:
            command += ["-addext", extension]
        run("making a certificate (openssl)", command)


@dataclass
class Emulator:
    """A MiniStack process. `home` holds its log, its certificates and its data."""

    home: Path
    port: int
    process_id: int = 0

    @classmethod
    def start(cls, home: Path, settings: Mapping[str, str]) -> "Emulator":
        """Starts MiniStack and waits until it answers. `home` is an existing, empty folder;
        `settings` are MiniStack's environment variables."""
        make_certificates(home / "tls")
        emulator = cls(home, free_port())
        variables = {
            **emulator.environment(),
            "GATEWAY_PORT": str(emulator.port),
            "BIND_HOST": "127.0.0.1",
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(home / "tls" / "cert.pem"),
            "MINISTACK_SSL_KEY": str(home / "tls" / "key.pem"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(home / "state"),
            "S3_DATA_DIR": str(home / "s3"),
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        with emulator.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "stage.recording"],
                env=variables,
                cwd=home,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        emulator.process_id = process.pid
        emulator._record.write_text(json.dumps({"port": emulator.port, "process_id": process.pid}))
        try:
            emulator._wait_until_healthy(process)
        except BaseException:
            emulator.stop()
            raise
        return emulator

    @classmethod
    def running(cls, home: Path) -> "Emulator | None":
        """The emulator that was started with this home and has not been stopped."""
        record = cls(home, 0)._record
        return cls(home, **json.loads(record.read_text())) if record.exists() else None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        """The certificate authority that signed the emulator's certificate."""
        return self.home / "tls" / "ca.pem"

    @property
    def log(self) -> Path:
        return self.home / "ministack.log"

    def tls(self) -> ssl.SSLContext:
        """Trusts the emulator's certificate and no other."""
        return ssl.create_default_context(cafile=self.ca)

    def client(self, service: str) -> Any:
        """A boto3 client of a service."""
        session = boto3.Session("test", "test", region_name=REGION)
        return session.client(service, endpoint_url=self.url, verify=str(self.ca))

    def environment(self) -> dict[str, str]:
        """The environment of this process, with which every tool uses the emulator."""
        # An AWS profile of the developer must not be used.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            **CREDENTIALS,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.ca),  # boto3 and sam
            "SSL_CERT_FILE": str(self.ca),  # the functions
            "NODE_EXTRA_CA_CERTS": str(self.ca),  # newman
            "SAM_CLI_TELEMETRY": "0",
            "PATH": f"{TOOLS}:{os.environ['PATH']}",
        }

    @contextlib.contextmanager
    def listing_held(self, function: str) -> Iterator[None]:
        """Has a function, by its physical name, wait for S3's lists of parts."""
        held = self.home / "held" / function
        held.parent.mkdir(exist_ok=True)
        held.touch()
        try:
            yield
        finally:
            held.unlink()

    def stop(self) -> None:
        """Stops the emulator and the functions that it has started: they are one process group."""
        for step in (signal.SIGTERM, signal.SIGKILL):
            if not self._group_exists():
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process_id, step)
            deadline = time.monotonic() + STOP_SECONDS
            while self._group_exists() and time.monotonic() < deadline:
                time.sleep(0.1)
        self._record.unlink(missing_ok=True)

    @property
    def _record(self) -> Path:
        return self.home / "emulator.json"

    def _group_exists(self) -> bool:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.process_id, os.WNOHANG)
        try:
            os.killpg(self.process_id, 0)
        except ProcessLookupError:
            return False
        return True

    def _wait_until_healthy(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                health = f"{self.url}/_ministack/health"
                urllib.request.urlopen(health, timeout=2, context=self.tls()).read()
                return
            time.sleep(0.2)
        said = self.log.read_text(errors="replace")[-2000:]
        raise CommandError(f"MiniStack did not start within {START_SECONDS} seconds:\n{said}")
