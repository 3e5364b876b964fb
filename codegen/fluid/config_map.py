"""Other objects that a run needs beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from fluid.collector import register
from fluid.json_fields import Json, Metadata, OwnedFields, plain, pruned


class ConfigMap:
    """A ConfigMap: text that reaches a container byte for byte, because nothing substitutes in it.

    Args:
        name: its name.
        data: file name, or key, to text.
        immutable: refuse changes, which also spares the kubelet from watching it.
        **metadata: `namespace`, `labels`, `annotations`, `owner_references`.
    """

    embedded = False

    def __init__(
        self,
        name: str,
        data: Mapping[str, str],
        *,
        immutable: bool = False,
        **metadata: Unpack[OwnedFields],
    ) -> None:
        self.name = name
        self._manifest: Json = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": Metadata(name=name, **metadata).to_dict(f"ConfigMap {name!r}"),
            **pruned(immutable=immutable or None),
            "data": dict(data),
        }
        register(self)

    def to_dict(self) -> Json:
        """The ConfigMap as Kubernetes JSON; a copy, which may be changed."""
        return {key: plain(value) for key, value in self._manifest.items()}
