"""The requests that are measured: the events of events/ that succeed, with live values."""

import base64
import json
import secrets
from collections.abc import Callable
from typing import Any

from stage.console import ROOT, CommandError

from .stand_ins import Installation

EVENTS = ROOT / "events"
Invoke = Callable[[str, Any], Any]  # a function and an event, to the function's response


class Requests:
    """Makes events. Each can be sent once."""

    def __init__(self, installation: Installation):
        self.installation = installation
        self.expected = json.loads((EVENTS / "expected.json").read_text())
        self.folders = {
            installation.template.function_of(path.name): path.name
            for path in EVENTS.iterdir()
            if path.is_dir() and path.name != "jobs"  # those have no route
        }
        self.values: dict[str, str] = {}

    def prepare(self, invoke: Invoke) -> None:
        """Two accounts that can log in, one that is invited, and a file: all made by the functions.
        The passwords are those of `cargo run`, which events/login/succeeds.json has."""
        for name, role in (("client", "client"), ("ops", "ops"), ("invited", "ops")):
            password = f"local-{name}-password"
            invoke("Signup", self._signup(name, role, password))
            if name == "invited":
                continue
            invoke("VerifyEmail", self._verify_email(name))
            session = invoke("Login", self._login(name, password))
            self.values[f"{name}_token"] = content(session)["access"]
        file = invoke("UploadFile", self.event("UploadFile"))
        self.values["file_id"] = content(file)["id"]

    def event(self, function: str) -> Any:
        """A new event that the function answers with success."""
        match function:
            case "CreateAccount":
                name = f"invited-{secrets.token_hex(6)}"
                return {"username": name, "email": f"{name}@example.com", "role": "ops"}
            case "Signup":
                name = f"reader-{secrets.token_hex(6)}"
                return self._signup(name, "client", "reads every event twice")
            case "VerifyEmail":
                return self._verify_email("client")
            case "VerifyPage":
                token = self.installation.one_time_token("verification", "client")
                event = self._read(function, declined_token=token)
                event["body"] = encoded({"password": "local-client-password"})
                return event
            case "SetPassword":
                token = self.installation.one_time_token("invitation", "invited")
                return self._read(function, invitation_token=token)
            case "DownloadFile" | "DownloadPage" | "RevokeLink" | "LinkCertificate":
                token, link_id = self.installation.link("client", self.values["file_id"])
                return self._read(function, download_token=token, page_token=token, link_id=link_id)
            case _:
                return self._read(function)

    def check(self, function: str, response: Any) -> None:
        """Raises an error unless the response is one of success."""
        if function == "CreateAccount":
            succeeded = "message" in response
        else:
            wanted = self.expected[f"{self.folders[function]}/succeeds"]["status"]
            succeeded = response["statusCode"] == wanted
        if not succeeded:
            raise CommandError(f"{function} did not succeed: {str(response)[:1000]}")

    def _read(self, function: str, **values: str) -> Any:
        """events/…/succeeds.json of a function, with values for its placeholders."""
        if function not in self.folders:
            raise CommandError(f"{function} has no folder in events/, so it cannot be measured")
        text = (EVENTS / self.folders[function] / "succeeds.json").read_text()
        for name, value in {**self.values, **values}.items():
            text = text.replace(f"{{{{{name}}}}}", value)
        return json.loads(text)

    def _signup(self, name: str, role: str, password: str) -> Any:
        event = self._read("Signup")
        email = f"{name}@example.com"
        fields = {"username": name, "email": email, "password": password, "role": role}
        event["body"] = encoded(fields)
        return event

    def _verify_email(self, name: str) -> Any:
        token = self.installation.one_time_token("verification", name)
        return self._read("VerifyEmail", verification_token=token)

    def _login(self, name: str, password: str) -> Any:
        event = self._read("Login")
        path = f"/api/{name}/login"
        event["path"] = event["resource"] = event["requestContext"]["resourcePath"] = path
        event["body"] = encoded({"username": name, "password": password})
        return event


def encoded(fields: dict[str, str]) -> str:
    """A JSON body as API Gateway passes it on."""
    return base64.b64encode(json.dumps(fields).encode()).decode()


def content(response: dict[str, Any]) -> Any:
    """The JSON body of a response."""
    body = response["body"]
    return json.loads(base64.b64decode(body) if response.get("isBase64Encoded") else body)
