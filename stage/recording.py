"""Starts MiniStack so that its CloudTrail says of calls of S3 what AWS's says, and so that a check
can have a function wait.

By itself it names a call by its HTTP method alone, so that reading an object's tags or the parts of
an upload is a GetObject, and it leaves out that an object was put with tags.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from ministack import app

# Of a call for a key with one of these in its query, by the method.
NAMES = {
    "tagging": {"GET": "GetObjectTagging", "PUT": "PutObjectTagging"},
    "uploads": {"POST": "CreateMultipartUpload"},
    "uploadId": {
        "GET": "ListParts",
        "PUT": "UploadPart",
        "POST": "CompleteMultipartUpload",
        "DELETE": "AbortMultipartUpload",
    },
}


def better_name(
    plain: Callable[..., str],
) -> Callable[[str, str, str, Mapping[str, str], Mapping[str, Any]], str]:
    def name(
        service: str, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, Any]
    ) -> str:
        if service == "s3":
            for part, names in NAMES.items():
                if part in query and method in names:
                    return names[method]
        return plain(service, method, path, headers, query)

    return name


def with_tagging(
    plain: Callable[..., dict[str, Any]],
) -> Callable[[Mapping[str, str], bytes, Mapping[str, Any]], dict[str, Any]]:
    def parameters(
        headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> dict[str, Any]:
        tagging = headers.get("x-amz-tagging")
        return {"x-amz-tagging": tagging} if tagging else plain(headers, body, query)

    return parameters


def with_holds(plain: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """A function waits for a list of parts while there is a file of its name in `held`."""

    async def dispatch(
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],
        request_id: str,
    ) -> Any:
        if method == "GET" and "uploadId" in query:
            for held in Path("held").glob("*"):
                while f"app/{held.name}" in headers.get("user-agent", "") and held.exists():
                    await asyncio.sleep(0.05)
        return await plain(method, path, headers, body, query, request_id)

    return dispatch


if __name__ == "__main__":
    app._dispatch_service_request = with_holds(app._dispatch_service_request)
    app._ct_event_name = better_name(app._ct_event_name)
    app._ct_request_params = with_tagging(app._ct_request_params)
    app.main()
