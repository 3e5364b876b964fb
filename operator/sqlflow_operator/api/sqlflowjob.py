"""A SQLFlowJob as the operator reads it from the API server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlflow_operator.api.api_model import GROUP, KIND, VERSION
from sqlflow_operator.api.spec import SQLFlowJobSpec
from sqlflow_operator.api.status import SQLFlowJobStatus

if TYPE_CHECKING:
    from sqlflow_operator.kube.objects import SQLFlowJobObject


@dataclass(frozen=True, slots=True, kw_only=True)
class SQLFlowJob:
    """One object: its identity, its spec, and its status both typed and as it is stored.

    `raw_status` is what comparisons use: a status that cannot be read is still replaced field by field.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    deleting: bool
    spec: SQLFlowJobSpec
    status: SQLFlowJobStatus
    raw_status: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: SQLFlowJobObject) -> SQLFlowJob:
        """Read an object of the API server.

        Raises:
            ValidationError: the spec does not fit the schema: it was stored under an older one.
        """
        metadata = raw["metadata"]
        raw_status = raw.get("status") or {}
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            resource_version=metadata["resourceVersion"],
            deleting="deletionTimestamp" in metadata,
            spec=SQLFlowJobSpec.model_validate(raw.get("spec") or {}),
            status=SQLFlowJobStatus.read(raw_status),
            raw_status=raw_status,
        )

    def owner_reference(self) -> dict[str, Any]:
        """The ownerReference of everything that is created for this job."""
        return {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            # False: with true, deleting the job in the foreground would need a permission on its finalizers.
            "blockOwnerDeletion": False,
        }
