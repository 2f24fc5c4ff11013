"""Starts and stops a stage: builds the functions, deploys template.yaml, follows
docs/deploying.md."""

import json
import os
import platform
import shutil
import zipfile
from dataclasses import asdict
from pathlib import Path

from .client import STACK, STAGE_NAME, Account, Stage
from .console import ROOT, TOOLS, CommandError, check, run, say
from .emulator import Emulator
from .origin import Origin
from .template import Template

HOME = ROOT / ".stage"  # all files of a stage; `down` deletes it
# What `sam build` makes for this machine. Not .aws-sam, where `sam deploy` would take it from.
BUILD = ROOT / "target" / "sam"
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
SENDER = "share@example.com"
QUOTA_BYTES = 1_000_000_000_000  # of an account
GOOGLE = "docs.google.com"  # in an event
EMULATOR_SETTINGS = {
    "AUTH": "true",  # IAM policies are enforced
    "CLOUDTRAIL_RECORDING": "1",
    "CLOUDTRAIL_MAX_EVENTS": "200000",  # it forgets older calls
    # So that all requests of a race are in the functions at once, whatever the machine.
    "MINISTACK_WORKER_THREADS": "256",
    "LAMBDA_ACCOUNT_CONCURRENCY": "256",
}


def up(origin: Origin | None = None) -> Stage:
    """A new stage, deployed and ready for use. Files may be imported from `origin`."""
    if Emulator.running(HOME):
        raise CommandError("a stage is up already; scripts/stage down stops it")
    build()
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()
    say("starting MiniStack with IAM enforced")
    emulator = Emulator.start(HOME, EMULATOR_SETTINGS)
    say(f"deploying template.yaml to {emulator.url} (sam deploy)")
    code = package(HOME)
    parameters = {"ImportAllowedHosts": f"{GOOGLE},{origin.address}"} if origin else {}
    deploy(emulator, code, **parameters)
    ops = Account.named("olga")
    # The emulator serves the API at another address than AWS, so the links need to be told.
    parameters["PublicBaseUrl"] = Stage(emulator, ops).url
    deploy(emulator, code, **parameters)
    stage = Stage(emulator, ops, origin)
    say("verifying the SES identity and creating the first Ops account")
    operator_steps(stage)
    account = HOME / "ops.json"
    account.write_text(json.dumps(asdict(ops)))
    say(f"the Ops account is in {account}")
    return stage


def down() -> None:
    """Stops the stage and deletes its files."""
    emulator = Emulator.running(HOME)
    if emulator is None:
        raise CommandError("no stage is up")
    emulator.stop()
    shutil.rmtree(HOME)


def build() -> None:
    say(f"building the functions (sam build, release profile, {ARCHITECTURE})")
    command: list[str | Path] = [TOOLS / "sam", "build", "--build-dir", BUILD]
    command += ["--parameter-overrides", f"Architecture={ARCHITECTURE}"]
    tools = {"PATH": f"{TOOLS}:{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"}
    run("the build", command, env={**os.environ, **tools})


def binary() -> Path:
    """The binary of all functions, which `sam build` makes once."""
    found = list(BUILD.glob("*/bootstrap"))
    if len(found) != 1:
        raise CommandError(f"sam build has not made one binary, but {found}")
    return found[0]


def package(folder: Path) -> Path:
    """The zip archive of the binary. Given a folder, `sam deploy` would make the same archive for
    each function anew, which takes minutes."""
    archive = folder / "bootstrap.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        target.write(binary(), "bootstrap")
    return archive


def deploy(emulator: Emulator, code: Path, **parameters: str) -> None:
    """Deploys template.yaml with this code, or changes parameters of what is deployed."""
    template = emulator.home / "template.json"
    # A date, as in an unquoted Version of a policy, is a string in JSON.
    template.write_text(json.dumps(Template().for_emulator(code), default=str))
    parameters = {
        "StageName": STAGE_NAME,
        "Architecture": ARCHITECTURE,
        "MailMode": "ses",
        "MailFrom": SENDER,
        "OpsSignup": "closed",
        "ClientSignup": "open",
        "AccountQuotaBytes": str(QUOTA_BYTES),
        "DownloadDelivery": "buffered",  # the emulator's gateway cannot stream
        "ThrottleRate": "1000",  # or the gateway would refuse most requests of a race
        "ThrottleBurst": "1000",
        **parameters,
    }
    command: list[str | Path] = [TOOLS / "sam", "deploy"]
    command += ["--template-file", template, "--stack-name", STACK, "--resolve-s3"]
    command += ["--capabilities", "CAPABILITY_IAM"]
    command += ["--no-progressbar", "--no-fail-on-empty-changeset", "--parameter-overrides"]
    command += [f"{name}={value}" for name, value in parameters.items()]
    run("the deployment", command, env=emulator.environment())


def operator_steps(stage: Stage) -> None:
    """What docs/deploying.md asks of the operator: the SES identity and the first Ops account.
    Before it: without SES no account is left behind."""
    invitation = stage.ops.invitation("ops")
    answer, failed = stage.invoke("CreateAccount", invitation)
    what = f"CreateAccount fails while SES does not know the sender: {answer}"
    check(failed and "send a mail" in answer["errorMessage"], what)
    early = {"username": "early", "email": "early@example.com", "password": "correct horse battery"}
    refused = stage.expect(503, "POST", "/api/users/signup", early)
    check(refused["code"] == "dependency_unavailable", f"a sign-up without mail: {refused}")

    stage.client("ses").verify_email_identity(EmailAddress=SENDER)
    stage.client("sesv2").put_account_details(
        MailType="TRANSACTIONAL",
        WebsiteURL="https://example.com",
        UseCaseDescription="links",
        ProductionAccessEnabled=True,
    )
    # With the same name and address.
    answer, failed = stage.invoke("CreateAccount", invitation)
    check(not failed, f"the Ops account was created: {answer}")
    token = stage.mailed_token("set-password", stage.ops.email)
    path = f"/set-password?token={token}"
    stage.expect(200, "POST", path, {"password": stage.ops.password})

    unknown_role = {"username": "x", "email": "y", "role": "king"}
    with_password = {**invitation, "password": stage.ops.password}
    for event in ({}, unknown_role, with_password):
        answer, failed = stage.invoke("CreateAccount", event)
        check(failed and answer["errorType"] == "NotDone", f"a bad event is refused: {answer}")
