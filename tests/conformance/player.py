"""Plays a recording onto the real objects of an API server that has neither engines nor nodes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlflow_operator.kube import (
    PIPELINE_RUNS,
    PODS,
    TASK_RUNS,
    WORKFLOWS,
    NotFoundError,
    Object,
    Resource,
)
from sqlflow_operator.kube.client import KubeClient

from tests.conformance.recording import NODE
from tests.conformance.watching import Seen
from tests.integration.controlplane import ControlPlane

CHILDREN: Mapping[str, Resource] = {"Workflow": WORKFLOWS, "PipelineRun": PIPELINE_RUNS}
RESOURCES: Mapping[str, Resource] = {**CHILDREN, "TaskRun": TASK_RUNS, "Pod": PODS}

_MADE_BY_SERVER = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
)


@dataclass
class Player:
    """Gives the objects of a namespace the states that a recording shows, one event after the other.

    Names and UIDs of the recording are replaced by those of the real objects; a child must be there already.

    Attributes:
        kube: the API server, with all rights.
        plane: the same, for deletions without a kubelet.
        namespace: where the objects are.
        names: what stands in the recording, and what stands for it here.
        created: when the objects were created in the recording, by kind and name: the server sets its own time.
    """

    kube: KubeClient
    plane: ControlPlane
    namespace: str
    names: dict[str, str]
    created: dict[tuple[str, str], str] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def play(self, seen: Seen) -> None:
        """Bring one object to the state of that event."""
        kind = seen.object["kind"]
        if kind in CHILDREN and seen.event == "DELETED":
            return  # that was the operator: it will do so again
        recorded = self._translated(seen.object)
        name = recorded["metadata"]["name"]
        if seen.event == "DELETED":
            self._delete(kind, name)
            return
        self.created[RESOURCES[kind].plural, name] = recorded["metadata"]["creationTimestamp"]
        if recorded["metadata"]["uid"] not in self._known:
            # Known by its UID in the recording, which the real one takes the place of once it is there.
            self._known |= {recorded["metadata"]["uid"], self._meet(kind, recorded)}
        self._update(kind, name, recorded)

    def _translated(self, thing: Object) -> Object:
        text = json.dumps(thing)
        for recorded, real in self.names.items():
            text = text.replace(recorded, real)
        translated: Object = json.loads(text)
        return translated

    def _meet(self, kind: str, recorded: Object) -> str:
        """The UID of an object that is seen first: made here, or, the child, by the operator."""
        metadata = recorded["metadata"]
        if kind in CHILDREN:
            real = self.kube.get(CHILDREN[kind], self.namespace, metadata["name"])
        else:
            kept = {key: value for key, value in metadata.items() if key not in (*_MADE_BY_SERVER, "finalizers")}
            body = {**recorded, "metadata": {**kept, "namespace": self.namespace}}
            body.pop("status", None)
            if kind == "Pod":
                # One that no node has is deleted at once, without a word about how it ended.
                body["spec"] = {"nodeName": NODE, **body["spec"]}
            real = self.kube.create(RESOURCES[kind], self.namespace, body)
        uid: str = real["metadata"]["uid"]
        self.names[metadata["uid"]] = uid
        return uid

    def _update(self, kind: str, name: str, recorded: Object) -> None:
        metadata = {key: recorded["metadata"].get(key) or {} for key in ("labels", "annotations")}
        resource, status = RESOURCES[kind], recorded.get("status") or {}
        real = self.kube.patch(resource, self.namespace, name, {"metadata": metadata})
        patch = {"status": replacing(real.get("status") or {}, status)}
        # Argo's Workflow has no subresource status.
        subresource = "" if kind == "Workflow" else "status"
        if patch["status"]:
            self.kube.patch(resource, self.namespace, name, patch, subresource=subresource)
        if (
            kind == "Pod"
            and "deletionTimestamp" in recorded["metadata"]
            and "deletionTimestamp" not in real["metadata"]
        ):
            self.kube.delete(resource, self.namespace, name)

    def _delete(self, kind: str, name: str) -> None:
        with contextlib.suppress(NotFoundError):
            self.kube.get(RESOURCES[kind], self.namespace, name)
            options = ("--grace-period=0", "--force", "--wait=false", "--ignore-not-found")
            self.plane.run("delete", "-n", self.namespace, RESOURCES[kind].plural, name, *options)


def replacing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Object:
    """The merge patch that makes `new` of `old`, which would otherwise keep what `new` has not."""
    patch: Object = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if value != before:
                patch[key] = replacing(before, value)
        elif value != before:
            patch[key] = value
    return patch
