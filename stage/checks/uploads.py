"""An upload whose answer from S3 is lost: the SDK repeats it, meets the object that it has put
itself, and compares. The built binary answers to a Runtime API of this process."""

import json

from ..client import Stage
from ..console import ROOT, check, say
from ..cutting_proxy import CuttingProxy
from ..function_process import FunctionProcess
from ..stack import binary
from .streaming import variables

FUNCTION = "UploadFile"


def lose_an_answer(stage: Stage) -> None:
    text = (ROOT / "events" / "upload_file" / "succeeds.json").read_text()
    event = json.loads(text.replace("{{ops_token}}", stage.ops_token()))
    proxy = CuttingProxy(stage.emulator.port)
    with FunctionProcess(
        binary(),
        FUNCTION,
        {
            **variables(stage, FUNCTION, proxy),
            "ALLOWED_FILE_TYPES": "pdf",
            "PUBLIC_BASE_URL": stage.url,
            # So that its calls count as those of the deployed function.
            "AWS_LAMBDA_FUNCTION_NAME": stage.resources[FUNCTION],
        },
        memory_mb=stage.template.memory_mb(FUNCTION),
        log=stage.emulator.home / "uploads.log",
    ) as function:
        first = function.invoke(event).response()
        check(first["statusCode"] == 201, f"an upload: {first}")
        proxy.cut_after(1)  # on the connection that is open: the answer to the next PutObject
        second = function.invoke(event).response()
    proxy.close()
    check(not proxy.is_waiting(), "an answer of S3 was lost")
    check(second["statusCode"] == 201, f"an upload whose answer from S3 was lost: {second}")
    say("an upload whose answer from S3 was lost was repeated, compared and stored once")
