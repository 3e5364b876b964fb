"""An API server in memory, made of what the real one does: names, UIDs, versions, merge patches, owners."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlflow_operator.kube import (
    LOCAL_ACCESS_REVIEWS,
    AlreadyExistsError,
    ApiError,
    ConflictError,
    NotFoundError,
    Object,
    Resource,
    UnavailableError,
)

Fault = Callable[[int, str, Resource], ApiError | None]
"""Given number, method and resource of a call: the error that it ends with."""


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class FakeKube:
    """See `sqlflow_operator.kube.Kube`.

    `fault` is asked before each call of the operator (none is made for calls within `as_cluster`); `late_fault` after
    it took effect: the answer is lost then.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.logs: dict[tuple[str, str], str] = {}
        self.calls: list[tuple[str, str]] = []
        self.created: list[tuple[str, str]] = []
        self.fault: Fault = lambda *_: None
        self.late_fault: Fault = lambda *_: None
        self.review: Callable[[Mapping[str, Any]], Object] = lambda _: {"allowed": True}
        self._version = 0
        self._lock = threading.RLock()

    def get(self, resource: Resource, namespace: str, name: str, *, metadata_only: bool = False) -> Object:
        return self._call("get", resource, lambda: copy.deepcopy(self._find(resource, namespace, name)))

    def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> list[Object]:
        return self._call("list", resource, lambda: self._list(resource, namespace, labels, fields))

    def create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        return self._call("create", resource, lambda: self._create(resource, namespace, body))

    def patch(
        self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any], *, subresource: str = ""
    ) -> Object:
        return self._call("patch", resource, lambda: self._patch(resource, namespace, name, patch, subresource))

    def delete(self, resource: Resource, namespace: str, name: str, *, uid: str | None = None) -> None:
        self._call("delete", resource, lambda: self._delete(resource, namespace, name))

    def read_log(self, namespace: str, pod: str, container: str, *, lines: int, limit_bytes: int) -> str:
        from sqlflow_operator.kube import PODS

        def read() -> str:
            if (pod, container) not in self.logs:
                raise NotFoundError(404, "NotFound", f"no log of {pod}/{container}")
            return "\n".join(self.logs[pod, container].splitlines()[-lines:])[:limit_bytes]

        return self._call("log", PODS, read)

    def _call(self, method: str, resource: Resource, effect: Callable[[], Any]) -> Any:
        with self._lock:
            number = len(self.calls)
            self.calls.append((method, resource.plural))
            error = self.fault(number, method, resource)
            if error:
                raise error
            result = effect()
            error = self.late_fault(number, method, resource)
            if error:
                raise error
            return result

    def _find(self, resource: Resource, namespace: str, name: str) -> Object:
        try:
            return self.objects[resource.plural, namespace, name]
        except KeyError:
            raise NotFoundError(404, "NotFound", f'{resource.plural} "{name}" not found') from None

    def _list(self, resource: Resource, namespace: str | None, labels: str, fields: str) -> list[Object]:
        return [
            copy.deepcopy(found)
            for (plural, place, _), found in sorted(self.objects.items())
            if plural == resource.plural
            and namespace in (None, place)
            and all(_matches(found["metadata"].get("labels") or {}, term) for term in filter(None, labels.split(",")))
            and all(_matches(_flat(found), term) for term in filter(None, fields.split(",")))
        ]

    def _create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        if resource == LOCAL_ACCESS_REVIEWS:
            return {**body, "status": self.review(body["spec"])}
        stored = copy.deepcopy(dict(body))
        metadata = stored["metadata"]
        key = (resource.plural, namespace, metadata["name"])
        if key in self.objects:
            raise AlreadyExistsError(409, "AlreadyExists", f'{resource.plural} "{metadata["name"]}" already exists')
        metadata |= {
            "namespace": namespace,
            "uid": f"uid-{len(self.created) + 1}",
            "generation": 1,
            "creationTimestamp": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.created.append((resource.plural, metadata["name"]))
        self.objects[key] = stored
        return self._stored(stored)

    def _patch(
        self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any], subresource: str
    ) -> Object:
        stored = self._find(resource, namespace, name)
        expected = (patch.get("metadata") or {}).get("resourceVersion")
        if expected and expected != stored["metadata"]["resourceVersion"]:
            raise ConflictError(409, "Conflict", "the object has been modified")
        before = copy.deepcopy(stored)
        parts = ("status",) if subresource == "status" else ("spec", "metadata")
        for part in parts:
            if part in patch:
                wanted = {k: v for k, v in patch[part].items() if not (part == "metadata" and k == "resourceVersion")}
                stored[part] = merge(stored.get(part) or {}, wanted)
        if stored.get("spec") != before.get("spec"):
            stored["metadata"]["generation"] += 1
        return self._stored(stored) if stored != before else copy.deepcopy(stored)

    def _delete(self, resource: Resource, namespace: str, name: str) -> None:
        gone = self._find(resource, namespace, name)
        del self.objects[resource.plural, namespace, name]
        uid = gone["metadata"]["uid"]
        for key, other in list(self.objects.items()):
            if key in self.objects and any(o["uid"] == uid for o in other["metadata"].get("ownerReferences") or ()):
                self._delete(Resource("", key[0]), key[1], key[2])

    def _stored(self, stored: Object) -> Object:
        self._version += 1
        stored["metadata"]["resourceVersion"] = str(self._version)
        return copy.deepcopy(stored)


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def _matches(values: Mapping[str, str], term: str) -> bool:
    name, equals, value = term.partition("=")
    return values.get(name) == value if equals else name in values


def _flat(found: Object) -> dict[str, str]:
    """The fields of an Event that a field selector can name."""
    return {"type": found.get("type", ""), "involvedObject.uid": (found.get("involvedObject") or {}).get("uid", "")}


def unavailable(status: int = 500) -> ApiError:
    return UnavailableError(status, "InternalError" if status else "Unreachable", "the API server is not well")


def conflict() -> ApiError:
    return ConflictError(409, "Conflict", "the object has been modified")
