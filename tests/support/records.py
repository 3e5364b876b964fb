"""The JSON Schema of records, which docs/reference has for readers in any language; every record of a test obeys it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "records.schema.json").read_text(encoding="utf-8")
)
TYPES = tuple(one["$ref"].rpartition("/")[2] for one in SCHEMA["oneOf"])


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]})


def check_record(record: dict[str, Any]) -> dict[str, Any]:
    """The record, if it is as the schema says.

    Raises:
        AssertionError: it is not.
    """
    assert record["type"] in TYPES, f"no such type of record: {record}"
    faults = [f"{error.json_path}: {error.message}" for error in _validator(record["type"]).iter_errors(record)]
    assert not faults, f"{faults} in {str(record)[:500]}"
    return record
