"""Volumes, their mounts and their sources, which serve workspaces too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fluid.json_fields import Json, plain, pruned
from fluid.valid_names import dns_label

Source = Mapping[str, Any]
"""The source of a volume or workspace, as Kubernetes JSON: `{"emptyDir": {}}`."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of a task's pod. Mounting it declares it; there is nothing else to do."""

    name: str
    source: Source

    def to_dict(self, where: str) -> Json:
        """The volume as Kubernetes JSON."""
        return {"name": dns_label(self.name, f"{where}: a volume"), **plain(self.source)}


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume with the options of its mount, where the path alone does not do."""

    volume: Volume
    read_only: bool = False
    sub_path: str = ""

    def to_dict(self, path: str) -> Json:
        """The mount as Kubernetes JSON."""
        return pruned(name=self.volume.name, mountPath=path, readOnly=self.read_only or None, subPath=self.sub_path)


def empty_dir(*, medium: str = "", size_limit: str = "") -> Source:
    """A directory that lives as long as the pod."""
    return {"emptyDir": pruned(medium=medium, sizeLimit=size_limit)}


def config_map(name: str, *, items: Mapping[str, str] | None = None, optional: bool = False) -> Source:
    """The files of a ConfigMap; `items` picks some: key to path."""
    return {"configMap": pruned(name=name, items=_items(items), optional=optional or None)}


def secret(name: str, *, items: Mapping[str, str] | None = None, optional: bool = False) -> Source:
    """The files of a Secret; `items` picks some: key to path."""
    return {"secret": pruned(secretName=name, items=_items(items), optional=optional or None)}


def claim(name: str, *, read_only: bool = False) -> Source:
    """A PersistentVolumeClaim that exists."""
    return {"persistentVolumeClaim": pruned(claimName=name, readOnly=read_only or None)}


def claim_template(size: str, *, access_modes: tuple[str, ...] = ("ReadWriteOnce",), storage_class: str = "") -> Source:
    """A PersistentVolumeClaim made for the run and deleted with it; for workspaces only."""
    spec = pruned(
        accessModes=list(access_modes),
        resources={"requests": {"storage": size}},
        storageClassName=storage_class,
    )
    return {"volumeClaimTemplate": {"spec": spec}}


def _items(items: Mapping[str, str] | None) -> list[Json]:
    return [{"key": key, "path": path} for key, path in (items or {}).items()]
