"""Each function has the permissions that it used in the checks, and no others."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ..client import Stage
from ..console import check, say

# What the functions may call, by CloudTrail's names. The emulator finds calls by name only.
CALLS = (
    *("GetItem", "BatchGetItem", "Query", "Scan", "TransactWriteItems"),
    *("PutItem", "UpdateItem", "DeleteItem"),
    *("GetObject", "HeadObject", "PutObject", "DeleteObject"),
    *("GetObjectTagging", "PutObjectTagging"),
    *("CreateMultipartUpload", "UploadPart", "ListParts"),
    *("CompleteMultipartUpload", "AbortMultipartUpload"),
    *("GetSecretValue", "POST.ses"),
)
# Those of S3 whose actions have other names, as in the Service Authorization Reference.
S3_ACTIONS = {
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
}
PAGE = 50  # the most events that the emulator returns; it has no next page
TRANSACTION_ACTIONS = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
}


class Permission(NamedTuple):
    function: str
    action: str
    resource: str  # the logical id of a table, with /index/…, or of another resource


def compare_permissions(stage: Stage) -> None:
    granted, used = granted_permissions(stage), used_permissions(stage)
    check(used, "calls of the functions were recorded")
    print_table(granted, used)
    check(granted == used, "every permission is used, and none is missing")
    say(f"each of {len(granted)} permissions is used, and none is missing")


def print_table(granted: set[Permission], used: set[Permission]) -> None:
    rows = [("function", "action", "resource", "granted", "used")]
    for row in sorted(granted | used):
        rows.append((*row, "yes" if row in granted else "NO", "yes" if row in used else "NO"))
    for function, action, resource, has, uses in rows:
        line = f"   {function:<22}{action:<32}{resource:<33}{has:<9}{uses}"
        print(line, file=sys.stderr, flush=True)


def granted_permissions(stage: Stage) -> set[Permission]:
    """What the roles' policies grant."""
    iam, name_of, granted = stage.client("iam"), resource_names(stage), set()
    for function in stage.template.functions():
        role = stage.resources[f"{function}Role"]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                for action in as_list(statement["Action"]):
                    for arn in as_list(statement["Resource"]):
                        granted.add(Permission(function, action, name_of(arn)))
    return granted


def used_permissions(stage: Stage) -> set[Permission]:
    """What the functions' recorded calls needed."""
    name_of, used = resource_names(stage), set()
    for function, call in calls_by_function(stage):
        used |= {Permission(function, *it) for it in needed_by(call, name_of)}
        if call["eventName"] in ("GetObject", "HeadObject") and call["objects"] & stage.lost:
            # Without it, S3 would have answered 403 and not 404.
            used.add(Permission(function, "s3:ListBucket", "FilesBucket"))
    return used


def calls_by_function(stage: Stage) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls that functions have made, and those that others have made with what a function had
    signed, such as the request of a part."""
    functions = {stage.resources[function]: function for function in stage.template.functions()}
    own, others, keys = [], [], {}
    for call in recorded_calls(stage):
        # The functions' SDK clients have their function's name in the user agent.
        agent = re.search(r"app/(\S+)", call["userAgent"] or "")
        if agent and agent[1] in functions:
            own.append((functions[agent[1]], call))
            keys[call["userIdentity"]["accessKeyId"]] = functions[agent[1]]
        else:
            others.append(call)
    yield from own
    for call in others:
        key = call["userIdentity"]["accessKeyId"]
        # Keys of a role begin so. Binaries that a check has started have the operator's.
        if key.startswith("ASIA") and key in keys:
            yield keys[key], call


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def resource_names(stage: Stage) -> Callable[[str], str]:
    """The function from an ARN, or from a physical name, to the name in a Permission."""
    tables = {stage.resources[table]: table for table in stage.template.tables()}

    def name_of(arn: str) -> str:
        for physical, logical in tables.items():
            if physical in arn:
                _, index, name = arn.partition("/index/")
                return logical + index + name
        if stage.bucket in arn:
            return "FilesBucket"
        secrets = ("JwtSecret", "CertificateSecret", "SecondFactorSecret")
        return next((name for name in secrets if name in arn), arn)

    return name_of


def recorded_calls(stage: Stage) -> Iterable[dict[str, Any]]:
    """The calls that CloudTrail recorded, each with the objects it was about: the newest ones, then
    those before them, and so on."""
    cloudtrail = stage.client("cloudtrail")
    seen: dict[str, dict[str, Any]] = {}
    for name in CALLS:
        end = datetime.now(UTC) + timedelta(seconds=1)
        while True:
            found = cloudtrail.lookup_events(
                LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
                EndTime=end,
            )["Events"]
            for event in found:
                objects = {it["ResourceName"] for it in event["Resources"]}
                call = json.loads(event["CloudTrailEvent"])
                seen[event["EventId"]] = {**call, "objects": objects}
            if len(found) < PAGE:
                break
            # Times are rounded to the microsecond. What is seen twice counts once.
            end = min(event["EventTime"] for event in found) + timedelta(microseconds=1)
    return seen.values()


def needed_by(call: dict[str, Any], name_of: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """The IAM actions and resources of a recorded call."""
    service, name = call["eventSource"].split(".")[0], call["eventName"]
    request = call["requestParameters"] or {}
    if service == "dynamodb" and name == "TransactWriteItems":
        for item in request["TransactItems"]:
            for kind, write in item.items():
                yield f"dynamodb:{TRANSACTION_ACTIONS[kind]}", name_of(write["TableName"])
    elif service == "dynamodb" and name == "BatchGetItem":
        for table in request["RequestItems"]:
            yield "dynamodb:BatchGetItem", name_of(table)
    elif service == "dynamodb":
        index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
        yield f"dynamodb:{name}", name_of(request["TableName"] + index)
    elif service == "s3":
        yield f"s3:{S3_ACTIONS.get(name, name)}", "FilesBucket"
        if "x-amz-tagging" in request:
            yield "s3:PutObjectTagging", "FilesBucket"
    elif service == "secretsmanager":
        yield f"secretsmanager:{name}", name_of(request["SecretId"])
    elif service == "ses":
        # Recorded as POST.ses. The functions have no other action of SES.
        yield "ses:SendEmail", "*"
    else:
        yield f"{service}:{name}", "*"
