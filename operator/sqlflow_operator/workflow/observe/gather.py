"""Gathers the objects of a run: one way for the reconcile loop, which reads a cache, and for `fetch`, which asks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from sqlflow_codegen.contract import LABEL_RUN

from sqlflow_operator.kube import PODS, Kube, Resource, owner_uids
from sqlflow_operator.kube.objects import ChildObject, Thing
from sqlflow_operator.workflow.observe.pods import by_age
from sqlflow_operator.workflow.observe.state import ChildT, PartT, RunObjects


class RunReader(Protocol):
    """Reads the objects of a run."""

    def owned(self, resource: Resource[Thing], child: ChildObject, owners: Collection[str]) -> list[Thing]:
        """The objects of that kind that belong to the child's run and have an owner with one of those UIDs."""


class LiveReader:
    """Reads the objects of a run from the API server: one list for each kind."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    def owned(self, resource: Resource[Thing], child: ChildObject, owners: Collection[str]) -> list[Thing]:
        """See `RunReader`.

        Raises:
            ApiError: the API server refused or gave no answer.
        """
        metadata = child["metadata"]
        found = self._kube.list(resource, metadata["namespace"], labels=f"{LABEL_RUN}={metadata['name']}")
        return [thing for thing in found if not owner_uids(thing).isdisjoint(owners)]


def gather(reader: RunReader, child: ChildT, parts: Iterable[Resource[PartT]]) -> RunObjects[ChildT, PartT]:
    """The child with the objects between it and its pods, and the pods, the oldest first.

    Pods are read last, so that they are no older than what their owners say of them.

    Args:
        reader: the cache or the API server.
        child: the run's child.
        parts: the kinds between the child and its pods.
    """
    uid = str(child["metadata"]["uid"])
    between = [part for resource in parts for part in reader.owned(resource, child, {uid})]
    owners = {uid, *(str(part["metadata"]["uid"]) for part in between)}
    return RunObjects(child=child, parts=between, pods=by_age(reader.owned(PODS, child, owners)))
