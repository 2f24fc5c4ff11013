"""template.yaml: the functions and tables that it declares, and its form for the emulator."""

from pathlib import Path
from typing import Any

import yaml

from .console import ROOT, CommandError

FUNCTION = "AWS::Serverless::Function"
TABLE = "AWS::DynamoDB::Table"


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's tags: `!Ref x` as `{"Ref": "x"}`, `!Sub x` as `{"Fn::Sub": "x"}`."""

    def intrinsic(self, suffix: str, node: yaml.Node) -> dict[str, Any]:
        value: Any
        if isinstance(node, yaml.ScalarNode):
            value = self.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = self.construct_sequence(node, deep=True)
        else:
            value = self.construct_mapping(node, deep=True)
        if suffix == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", Loader.intrinsic)


class Template:
    """The SAM template, as data."""

    def __init__(self, path: Path = ROOT / "template.yaml"):
        # A SafeLoader, of which only the tags above differ.
        self.data = yaml.load(path.read_text(), Loader)

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type, by logical id."""
        found = self.data["Resources"].items()
        return {name: it["Properties"] for name, it in found if it["Type"] == kind}

    def functions(self) -> list[str]:
        """The logical ids of the functions."""
        return sorted(self.resources(FUNCTION))

    def tables(self) -> list[str]:
        """The logical ids of the tables."""
        return sorted(self.resources(TABLE))

    def function_of(self, folder: str) -> str:
        """The function to which the events in a folder such as `verify_email` go: VerifyEmail."""
        for name in self.functions():
            if name.lower() == folder.replace("_", ""):
                return name
        raise CommandError(f"template.yaml has no function for events/{folder}")

    def memory_mb(self, function: str) -> int:
        """MemorySize of a function, in MB."""
        return int(self._merged(function, "MemorySize") or 128)

    def literal_variables(self, function: str) -> dict[str, str]:
        """The environment variables of a function whose values do not depend on a deployment."""
        shared = self._globals().get("Environment", {}).get("Variables", {})
        own = self.resources(FUNCTION)[function].get("Environment", {}).get("Variables", {})
        return {name: it for name, it in {**shared, **own}.items() if isinstance(it, str)}

    def for_emulator(self, code: Path) -> dict[str, Any]:
        """The template with built code, a folder or a zip archive, in the place of sources, and
        without streamed responses, which the emulator's gateway does not have. Changes `data`."""
        for properties in self.resources(FUNCTION).values():
            properties["CodeUri"] = str(code)
            for event in properties.get("Events", {}).values():
                for name in ("ResponseTransferMode", "TimeoutInMillis"):
                    event["Properties"].pop(name, None)
        return self.data

    def _globals(self) -> dict[str, Any]:
        return self.data.get("Globals", {}).get("Function", {})

    def _merged(self, function: str, name: str) -> Any:
        return self.resources(FUNCTION)[function].get(name, self._globals().get(name))


def table_variable(table: str) -> str:
    """The variable that names a table to the functions: USERS_TABLE for UsersTable."""
    return f"{table.removesuffix('Table').upper()}_TABLE"
