"""The pieces of a pod that a job may set, with Kubernetes' own field names and a strict schema.

Typed here rather than passed through, so that a misspelt field is refused by the API server and `kubectl explain`
knows every one; and rather than inlining the whole PodSpec, which would make the CRD megabytes long.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sqlflow_operator.api.api_model import ApiModel, DataKey, ObjectName, Quantity, extension, rule


class ResourceRequirements(ApiModel):
    """CPU, memory and other resources of each step's container."""

    limits: dict[str, Quantity] | None = Field(
        default=None,
        description="The most that a step may use, such as memory: 2Gi. A step over its memory limit is killed.",
    )
    requests: dict[str, Quantity] | None = Field(
        default=None, description="What the scheduler reserves for a step, such as cpu: 500m. Defaults to the limits."
    )


class SecretKeySelector(ApiModel):
    """A key of a Secret in the job's namespace."""

    name: ObjectName = Field(description="Name of the Secret.")
    key: DataKey = Field(description="Key within the Secret.")
    optional: bool | None = Field(default=None, description="Start the step even if the Secret or the key is missing.")


class ConfigMapKeySelector(ApiModel):
    """A key of a ConfigMap in the job's namespace."""

    name: ObjectName = Field(description="Name of the ConfigMap.")
    key: DataKey = Field(description="Key within the ConfigMap.")
    optional: bool | None = Field(
        default=None, description="Start the step even if the ConfigMap or the key is missing."
    )


class ObjectFieldSelector(ApiModel):
    """A field of the step's pod."""

    api_version: str | None = Field(
        default=None, description="Version of the schema that the path is written in. Default: v1."
    )
    field_path: str = Field(description="Path of the field, such as metadata.name or status.podIP.", max_length=1024)


class ResourceFieldSelector(ApiModel):
    """A resource limit or request of a container of the step's pod."""

    container_name: str | None = Field(
        default=None, description="Name of the container. Default: the step's own.", max_length=63
    )
    resource: str = Field(description="The resource, such as limits.memory.", max_length=253)
    divisor: Quantity | None = Field(default=None, description="Unit of the value. Default: 1.")


class EnvVarSource(ApiModel):
    """The source of an environment variable's value."""

    secret_key_ref: SecretKeySelector | None = Field(
        default=None, description="A key of a Secret in the job's namespace."
    )
    config_map_key_ref: ConfigMapKeySelector | None = Field(
        default=None, description="A key of a ConfigMap in the job's namespace."
    )
    field_ref: ObjectFieldSelector | None = Field(default=None, description="A field of the step's pod.")
    resource_field_ref: ResourceFieldSelector | None = Field(
        default=None, description="A resource limit or request of the step's container."
    )


class EnvVar(ApiModel):
    """One environment variable of every step."""

    name: str = Field(
        description="Name of the variable. Names that start with SQLFLOW_ are the operator's own.",
        max_length=253,
        json_schema_extra=extension(
            rule(
                r"self.matches('^[-._a-zA-Z][-._a-zA-Z0-9]*$')",
                "must be a variable's name: letters, digits, '_', '-' and '.', not starting with a digit",
            )
        ),
    )
    value: str | None = Field(
        default=None, description="The value. $(NAME) is replaced by the variable NAME, $$ by $.", max_length=32768
    )
    value_from: EnvVarSource | None = Field(
        default=None,
        description="Where the value comes from, instead of value.",
        json_schema_extra=extension(
            rule(
                "[has(self.secretKeyRef), has(self.configMapKeyRef), has(self.fieldRef), has(self.resourceFieldRef)]"
                ".filter(x, x).size() == 1",
                "give exactly one of secretKeyRef, configMapKeyRef, fieldRef and resourceFieldRef",
            )
        ),
    )


class Toleration(ApiModel):
    """A taint that the steps' pods tolerate."""

    key: str | None = Field(
        default=None, description="Key of the taint. Empty with operator Exists: every taint.", max_length=316
    )
    operator: Literal["Exists", "Equal"] | None = Field(
        default=None, description="How key and value are compared with the taint. Default: Equal."
    )
    value: str | None = Field(
        default=None, description="Value of the taint. Leave out with operator Exists.", max_length=63
    )
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Effect of the taint. Left out: every effect."
    )
    toleration_seconds: int | None = Field(
        default=None, description="How long a NoExecute taint is tolerated, in seconds. Left out: for ever."
    )


class LocalObjectReference(ApiModel):
    """The name of an object in the job's namespace."""

    name: ObjectName = Field(description="Name of the object.")
