"""The fields that the pods of a run share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from fluid.json_fields import Json, camel_case, pruned
from fluid.scope import Scope
from fluid.text import render_json
from fluid.volumes import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTemplate:
    """Tekton's pod template. Values are Kubernetes JSON; names are Kubernetes' own in Python's spelling."""

    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
    affinity: Mapping[str, Any] = field(default_factory=dict)
    topology_spread_constraints: Sequence[Mapping[str, Any]] = ()
    security_context: Mapping[str, Any] = field(default_factory=dict)
    image_pull_secrets: Sequence[Mapping[str, Any]] = ()
    volumes: Sequence[Volume] = ()
    env: Sequence[Mapping[str, Any]] = ()
    automount_service_account_token: bool | None = None
    enable_service_links: bool | None = None
    priority_class_name: str = ""
    runtime_class_name: str = ""
    scheduler_name: str = ""
    dns_policy: str = ""
    dns_config: Mapping[str, Any] = field(default_factory=dict)
    host_aliases: Sequence[Mapping[str, Any]] = ()
    host_network: bool | None = None

    def to_dict(self) -> Json:
        """The template as Tekton JSON."""
        where = "Pod template"
        values = {camel_case(field.name): getattr(self, field.name) for field in fields(self)}
        values["volumes"] = [volume.to_dict(where) for volume in self.volumes]
        rendered: Json = render_json(pruned(**values), where, Scope(owner="the pod template"))
        return rendered
