"""Parameters that would make a stack insecure, or leave it without mail, are refused before
anything changes."""

from botocore.exceptions import ClientError

from ..client import STACK, Stage
from ..console import check, say

INSECURE = {"MailMode": "log", "OpsSignup": "open"}
REFUSED = [
    *(({name: value}, "AllowInsecureDevelopment=yes") for name, value in INSECURE.items()),
    ({"MailFrom": ""}, "MailMode ses needs MailFrom"),
    ({"MailFrom": "nobody"}, "MailFrom"),
    ({"MailFrom": "Files files@example.com"}, "MailFrom"),
    ({"RequireSecondFactor": "root"}, "RequireSecondFactor"),
    ({"ClientSignup": "anybody"}, "ClientSignup"),
    ({"AllowedEmailDomains": "@example.com"}, "AllowedEmailDomains"),
    ({"ClientSignup": "domains"}, "ClientSignup domains needs AllowedEmailDomains"),
]
TAKEN = [
    {**INSECURE, "AllowInsecureDevelopment": "yes"},
    {"MailFrom": "Files, of Example Inc. <files@example.com>"},
    {"RequireSecondFactor": "ops,admin"},
    {"ClientSignup": "domains", "AllowedEmailDomains": "example.com,example.org"},
]


def propose_parameters(stage: Stage) -> None:
    for parameters, reason in REFUSED:
        said = refusal(stage, parameters)
        check(reason in said, f"{parameters} is refused with '{reason}': {said or 'taken'}")
    for parameters in TAKEN:
        said = refusal(stage, parameters)
        check(said == "", f"{parameters} is taken: {said}")
    say(f"{len(REFUSED)} changes of parameters were refused, {len(TAKEN)} were taken")


def refusal(stage: Stage, parameters: dict[str, str]) -> str:
    """Why CloudFormation refuses to change these parameters; empty when it would do so."""
    cloudformation = stage.client("cloudformation")
    names = stage.template.data["Parameters"]
    previous = [
        {"ParameterKey": it, "UsePreviousValue": True} for it in names if it not in parameters
    ]
    given = [{"ParameterKey": it, "ParameterValue": value} for it, value in parameters.items()]
    change_set = {"StackName": STACK, "ChangeSetName": "a-proposal"}
    try:
        cloudformation.create_change_set(
            **change_set,
            UsePreviousTemplate=True,
            Parameters=previous + given,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
    except ClientError as error:
        return str(error)
    cloudformation.get_waiter("change_set_create_complete").wait(
        **change_set, WaiterConfig={"Delay": 1}
    )
    cloudformation.delete_change_set(**change_set)
    return ""
