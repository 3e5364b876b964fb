"""Writes the CustomResourceDefinition and its reference page from the models in `sqlflow_operator.api`.

`python -m sqlflow_operator.crd` writes both files, `--check` fails where they differ from the models. Run in the
root of a checkout.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from sqlflow_operator.api import GROUP, KIND, PLURAL, VERSION, SQLFlowJobSpec, SQLFlowJobStatus

CRD_PATH = Path("crds/sqlflowjobs.yaml")
DOCS_PATH = Path("docs/reference/sqlflowjob.md")

_NOTE = "Generated from operator/sqlflow_operator/api by `python -m sqlflow_operator.crd`; do not edit."

_COLUMNS = (
    ("Phase", "string", ".status.phase", "Pending, Suspended, Running, Succeeded or Failed", 0),
    ("Steps", "string", ".status.progress", "Steps done and steps in all", 0),
    ("Backend", "string", ".status.run.backend", "What executes the steps", 0),
    ("Duration", "string", ".status.run.duration", "How long the run took, once it has ended", 0),
    ("Age", "date", ".metadata.creationTimestamp", "Time since the job was created", 0),
    ("Started", "date", ".status.run.startedAt", "Time since the run started", 1),
    ("Run", "string", ".status.run.name", "Name of the run", 1),
    # The last one: kubectl pads every other column to its widest text.
    ("Message", "string", ".status.message", "The state in one short line", 0),
)

_KEPT = frozenset(
    {"type", "description", "default", "enum", "format", "pattern", "required", "anyOf", "properties", "items"}
    | {"additionalProperties", "maxLength", "minLength", "maxItems", "minItems", "maximum", "minimum"}
)


def structural(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a JSON schema as pydantic writes it into a structural schema of Kubernetes.

    References are inlined, `X or null` becomes an optional X, and keywords that Kubernetes does not know go.
    """
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    alternatives = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if len(alternatives) == 1:
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        return structural({**alternatives[0], **rest}, definitions) | _description_of(schema)
    result = {key: value for key, value in schema.items() if key in _KEPT or key.startswith("x-kubernetes-")}
    if result.get("default", ...) in (None, [], ()):
        del result["default"]
    if "properties" in result:
        result["properties"] = {name: structural(value, definitions) for name, value in result["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = structural(result[key], definitions)
    return result


def _description_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": schema["description"]} if "description" in schema else {}


def crd() -> dict[str, Any]:
    """The CustomResourceDefinition as Kubernetes JSON."""
    spec, status = _model(SQLFlowJobSpec), _model(SQLFlowJobStatus)
    # kstatus takes a missing observedGeneration for "all is well"; -1 says that nobody has looked yet.
    status["properties"]["observedGeneration"].pop("default", None)
    status["default"] = {"observedGeneration": -1}
    for name in ("completedSteps", "totalSteps"):
        status["properties"][name].pop("default", None)
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "description": "A SQL program with steps that train and use models, run once on a database.",
                "required": ["spec"],
                "properties": {
                    "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}"},
                    "kind": {"type": "string", "description": KIND},
                    "metadata": {"type": "object"},
                    "spec": spec,
                    "status": status,
                },
            }
        },
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(*column) for column in _COLUMNS],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["sfj"],
                "categories": ["all"],
            },
            "versions": [version],
        },
    }


def _model(model: type[SQLFlowJobSpec | SQLFlowJobStatus]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    return structural(schema, schema.get("$defs", {}))


def _column(name: str, kind: str, path: str, description: str, priority: int) -> dict[str, Any]:
    column = {"name": name, "type": kind, "jsonPath": path, "description": description}
    return column | ({"priority": priority} if priority else {})


def crd_yaml() -> str:
    """The CustomResourceDefinition as YAML."""
    body = yaml.dump(crd(), Dumper=yaml.CSafeDumper, sort_keys=False, width=1 << 20, allow_unicode=True)
    return f"# {_NOTE}\n{body}"


def reference() -> str:
    """The reference page as Markdown."""
    schema = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    lines = [
        f"<!-- {_NOTE} -->",
        "# SQLFlowJob",
        "",
        f"`apiVersion: {GROUP}/{VERSION}`, `kind: {KIND}`, short name `sfj`. The same text:",
        "`kubectl explain sfj.spec`.",
    ]
    for part in ("spec", "status"):
        lines += ["", f"## {part}", "", schema[part]["description"]]
        for path, fields, required in _tables(part, schema[part]):
            lines += ["", f"### {path}", ""] if path != part else [""]
            lines += ["| field | type | meaning |", "|---|---|---|"]
            lines += [_row(name, field, name in required) for name, field in fields.items()]
    return "\n".join(lines) + "\n"


def _tables(path: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """Every object within a schema: its path, its fields, and which of them are required."""
    yield path, schema["properties"], schema.get("required", [])
    for name, field in schema["properties"].items():
        inner, suffix = (field["items"], "[]") if field.get("type") == "array" else (field, "")
        if "properties" in inner:
            yield from _tables(f"{path}.{name}{suffix}", inner)


def _row(name: str, field: Mapping[str, Any], required: bool) -> str:
    notes = [field.get("description", "")]
    notes += [f"One of {', '.join(f'`{value}`' for value in field['enum'])}."] if "enum" in field else []
    notes += [f"Default: `{_literal(field['default'])}`."] if "default" in field else []
    bounds = [f"{word} {field[key]}" for key, word in (("minimum", "at least"), ("maximum", "at most")) if key in field]
    notes += [f"Bounds: {', '.join(bounds)}."] if bounds else []
    notes += [f"Rule: {rule['message']}." for rule in field.get("x-kubernetes-validations", ())]
    text = " ".join(filter(None, notes)).replace("|", "\\|")
    return f"| `{name}`{' (required)' if required else ''} | {_type(field)} | {text} |"


def _type(field: Mapping[str, Any]) -> str:
    if field.get("x-kubernetes-int-or-string"):
        return "quantity"
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if isinstance(field.get("additionalProperties"), dict):
        return f"map of {_type(field['additionalProperties'])}"
    return str(field.get("format", field.get("type", "object")))


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with `--check` compare them; 0 where they agree with the models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file differs")
    check = parser.parse_args(arguments).check
    stale = []
    for path, text in ((CRD_PATH, crd_yaml()), (DOCS_PATH, reference())):
        if path.is_file() and path.read_text() == text:
            continue
        if check:
            stale.append(path)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"wrote {path}")
    for path in stale:
        print(f"{path} differs from the models: run `python -m sqlflow_operator.crd`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
