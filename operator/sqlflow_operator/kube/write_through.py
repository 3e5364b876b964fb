"""A client whose answers go into the cache: what was written is seen at once, not when the watch shows it."""

from __future__ import annotations

import builtins
from collections.abc import Generator, Mapping
from typing import Any

from sqlflow_codegen.contract import LABEL_JOB_UID

from sqlflow_operator.kube.interface import (
    CONFIG_MAPS,
    EVENTS,
    LOCAL_ACCESS_REVIEWS,
    SQLFLOWJOBS,
    Kube,
    Object,
    Resource,
)
from sqlflow_operator.kube.watch_cache import WatchCache

_UNWATCHED = (CONFIG_MAPS, EVENTS, LOCAL_ACCESS_REVIEWS)


class WriteThroughKube:
    """A `Kube` over another one.

    Args:
        kube: makes the calls.
        cache: takes the objects that they return, as far as watches show them too.
    """

    def __init__(self, kube: Kube, cache: WatchCache) -> None:
        self._kube, self.cache = kube, cache

    def get(self, resource: Resource, namespace: str, name: str, *, metadata_only: bool = False) -> Object:
        """See `Kube`."""
        found = self._kube.get(resource, namespace, name, metadata_only=metadata_only)
        return found if metadata_only else self._kept(resource, found)

    def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> builtins.list[Object]:
        """See `Kube`."""
        found = self._kube.list(resource, namespace, labels=labels, fields=fields, metadata_only=metadata_only)
        return found if metadata_only else [self._kept(resource, thing) for thing in found]

    def create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        """See `Kube`."""
        return self._kept(resource, self._kube.create(resource, namespace, body))

    def patch(
        self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any], *, subresource: str = ""
    ) -> Object:
        """See `Kube`."""
        return self._kept(resource, self._kube.patch(resource, namespace, name, patch, subresource=subresource))

    def delete(self, resource: Resource, namespace: str, name: str, *, uid: str | None = None) -> None:
        """See `Kube`."""
        self._kube.delete(resource, namespace, name, uid=uid)

    def read_log(self, namespace: str, pod: str, container: str, *, lines: int, limit_bytes: int) -> str:
        """See `Kube`."""
        return self._kube.read_log(namespace, pod, container, lines=lines, limit_bytes=limit_bytes)

    def stream_log(
        self, namespace: str, pod: str, container: str, *, since: str = "", previous: bool = False
    ) -> Generator[bytes, None, None]:
        """See `Kube`."""
        return self._kube.stream_log(namespace, pod, container, since=since, previous=previous)

    def _kept(self, resource: Resource, thing: Object) -> Object:
        watched = resource not in _UNWATCHED and LABEL_JOB_UID in (thing["metadata"].get("labels") or {})
        if watched or resource == SQLFLOWJOBS:
            self.cache.put(resource, thing)
        return thing
