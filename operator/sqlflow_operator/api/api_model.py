"""The base of all API models: Kubernetes' camelCase names, immutability, and helpers for schema extensions."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from sqlflow_codegen.contract import GROUP as GROUP

VERSION = "v1alpha1"
KIND = "SQLFlowJob"
PLURAL = "sqlflowjobs"

DNS_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
"""A name of a Kubernetes object: a DNS subdomain."""


class ApiModel(BaseModel):
    """Base of every model of the API: frozen, camelCase outside, unknown fields ignored on reading.

    The API server prunes what the schema does not know, so ignoring here only means that an older operator can
    read the objects of a newer CRD.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    def to_json(self) -> dict[str, Any]:
        """This value as Kubernetes JSON, without the fields that are not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def replace(self, **changes: Any) -> Self:
        """A copy with other values of these fields. Like `model_copy`, but an unknown field is an error.

        Raises:
            TypeError: there is no such field.
        """
        unknown = changes.keys() - type(self).model_fields.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        return self.model_copy(update=changes)


def rule(expression: str, message: str) -> dict[str, str]:
    """A CEL validation: the expression that must hold, and the message if it does not."""
    return {"rule": expression, "message": message}


def extension(*rules: dict[str, str], **keys: Any) -> dict[str, Any]:
    """Schema extensions of a field or model: CEL rules, and `list_type="map"` as x-kubernetes-list-type."""
    schema: dict[str, Any] = {f"x-kubernetes-{key.replace('_', '-')}": value for key, value in keys.items()}
    if rules:
        schema["x-kubernetes-validations"] = list(rules)
    return schema


_NUMBER = r"(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"

Quantity = Annotated[
    int | str,
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": rf"^(\+|-)?{_NUMBER}(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?{_NUMBER}))?$",
            "x-kubernetes-int-or-string": True,
        }
    ),
]
"""An amount such as `500m`, `2` or `1Gi`."""

ObjectName = Annotated[
    str,
    Field(
        max_length=253,
        json_schema_extra=extension(
            rule(
                f"self.matches('{DNS_NAME}')",
                "must be the name of a Kubernetes object: lower case letters, digits, '-' and '.'",
            )
        ),
    ),
]

DataKey = Annotated[
    str,
    Field(
        max_length=253,
        json_schema_extra=extension(
            rule(r"self.matches('^[-._a-zA-Z0-9]+$')", "must be a key: letters, digits, '-', '_' and '.'")
        ),
    ),
]
