"""Other objects that a run needs beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fluid.context import register
from fluid.values import Json, Metadata, pruned


class ConfigMap:
    """A ConfigMap: text that reaches a container byte for byte, because nothing substitutes in it.

    Args:
        name: its name.
        data: file name, or key, to text.
        immutable: refuse changes, which also spares the kubelet from watching it.
    """

    embedded = False

    def __init__(
        self,
        name: str,
        data: Mapping[str, str],
        *,
        immutable: bool = False,
        namespace: str = "",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        owner_references: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        metadata = Metadata(
            name=name,
            namespace=namespace,
            labels=labels or {},
            annotations=annotations or {},
            owner_references=owner_references,
        )
        self.name = name
        self._manifest: Json = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata.to_dict(f"ConfigMap {name!r}"),
            **pruned(immutable=immutable or None),
            "data": dict(data),
        }
        register(self)

    def to_dict(self) -> Json:
        """The ConfigMap as Kubernetes JSON."""
        return self._manifest
