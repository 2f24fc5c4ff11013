"""The Postman collection, run by newman with an environment for the stage."""

import sys
from pathlib import Path

from ..client import Stage
from ..console import TOOLS, run


def run_collection(stage: Stage) -> None:
    admin, _ = stage.new_admin()
    variables = {
        "base_url": stage.url,
        "ops_username": stage.ops.username,
        "ops_password": stage.ops.password,
        "admin_username": admin.username,
        "admin_password": admin.password,
        "mail_inbox_url": stage.inbox,
        # MiniStack ignores the GatewayResponses of an API.
        "gateway_words": "emulator",
    }
    command: list[str | Path] = [TOOLS / "newman", "run"]
    command += ["postman/secure-file-share.postman_collection.json"]
    command += ["--environment", "postman/deployed.postman_environment.json"]
    command += ["--working-dir", "postman", "--reporters", "cli", "--reporter-cli-no-banner"]
    for name, value in variables.items():
        command += ["--env-var", f"{name}={value}"]
    output = run("the collection", command, env=stage.emulator.environment())
    print(output[output.rindex("┌─") :], file=sys.stderr, flush=True)
