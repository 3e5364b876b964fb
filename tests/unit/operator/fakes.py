"""An API server in memory, made of what the real one does: names, UIDs, versions, merge patches, owners."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlflow_operator.kube import (
    LOCAL_ACCESS_REVIEWS,
    PODS,
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


def no_fault(*_: object) -> None:
    """Every call ends well."""


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Store:
    """The objects of a cluster, with the calls that cluster and tests make: they always succeed and nobody counts them.

    `objects` are keyed by plural, namespace and name.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.logs: dict[tuple[str, str], str] = {}
        """The log of each container, by names of pod and container."""
        self.created: list[tuple[str, str]] = []
        """Plural and name of every object that was ever created."""
        self.review: Callable[[Mapping[str, Any]], Object] = lambda _: {"allowed": True}
        """The answer to a LocalSubjectAccessReview, given its spec."""
        self.version = 0
        """The resourceVersion of the latest change."""

    def get(self, resource: Resource, namespace: str, name: str, *, metadata_only: bool = False) -> Object:
        return _shown(self._find(resource, namespace, name), metadata_only)

    def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> list[Object]:
        return [
            _shown(found, metadata_only)
            for (plural, place, _), found in sorted(self.objects.items())
            if plural == resource.plural
            and namespace in (None, place)
            and all(_matches(found["metadata"].get("labels") or {}, term) for term in filter(None, labels.split(",")))
            and all(_matches(_flat(found), term) for term in filter(None, fields.split(",")))
        ]

    def create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
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
        return self._changed(stored)

    def patch(
        self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any], *, subresource: str = ""
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
        return self._changed(stored) if stored != before else copy.deepcopy(stored)

    def delete(self, resource: Resource, namespace: str, name: str, *, uid: str | None = None) -> None:
        gone = self._find(resource, namespace, name)
        own_uid = gone["metadata"]["uid"]
        if uid not in (None, own_uid):
            raise ConflictError(409, "Conflict", f"the UID in the precondition is {uid}, that of the object {own_uid}")
        del self.objects[resource.plural, namespace, name]
        for key, other in list(self.objects.items()):
            if key in self.objects and any(o["uid"] == own_uid for o in other["metadata"].get("ownerReferences") or ()):
                self.delete(Resource("", key[0]), key[1], key[2])

    def read_log(self, namespace: str, pod: str, container: str, *, lines: int, limit_bytes: int) -> str:
        if (pod, container) not in self.logs:
            raise NotFoundError(404, "NotFound", f"no log of {pod}/{container}")
        return "\n".join(self.logs[pod, container].splitlines()[-lines:])[:limit_bytes]

    @contextlib.contextmanager
    def edit(self, resource: Resource, namespace: str, name: str) -> Iterator[Object]:
        """Give an object to be changed in place, as no client could: its metadata, its status and its spec at once."""
        stored = self._find(resource, namespace, name)
        yield stored
        self._changed(stored)

    def _find(self, resource: Resource, namespace: str, name: str) -> Object:
        try:
            return self.objects[resource.plural, namespace, name]
        except KeyError:
            raise NotFoundError(404, "NotFound", f'{resource.plural} "{name}" not found') from None

    def _changed(self, stored: Object) -> Object:
        self.version += 1
        stored["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(stored)


class FakeKube:
    """The operator's client of a `Store`; see `sqlflow_operator.kube.Kube`.

    `fault` is asked before each call, `late_fault` after it took effect: then the answer is lost.
    """

    def __init__(self, clock: Clock) -> None:
        self.store = Store(clock)
        self.calls: list[tuple[str, str]] = []
        """Method and plural of every call."""
        self.fault: Fault = no_fault
        self.late_fault: Fault = no_fault
        self.on_object: Callable[[Resource, Object], None] = no_fault
        """Called with each whole object that a get, create or patch returns, and its kind."""
        self._lock = threading.RLock()

    def get(self, resource: Resource, *names: str, **options: Any) -> Object:
        return self.call("get", resource, lambda: self.store.get(resource, *names, **options))

    def list(self, resource: Resource, namespace: str | None, **options: Any) -> list[Object]:
        return self.call("list", resource, lambda: self.store.list(resource, namespace, **options))

    def create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        return self.call("create", resource, lambda: self.store.create(resource, namespace, body))

    def patch(self, resource: Resource, *what: Any, **options: Any) -> Object:
        return self.call("patch", resource, lambda: self.store.patch(resource, *what, **options))

    def delete(self, resource: Resource, *names: str, **options: Any) -> None:
        self.call("delete", resource, lambda: self.store.delete(resource, *names, **options))

    def read_log(self, *names: str, **limits: int) -> str:
        return self.call("log", PODS, lambda: self.store.read_log(*names, **limits))

    def call(self, method: str, resource: Resource, effect: Callable[[], Any]) -> Any:
        """Count a call and let it take effect, unless it meets a fault."""
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
            if method in ("get", "create", "patch"):
                self.on_object(resource, result)
            return result


def _shown(stored: Object, metadata_only: bool) -> Object:
    """An object as a client gets it; only its metadata where that was asked for."""
    return copy.deepcopy({"metadata": stored["metadata"]} if metadata_only else stored)


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396."""
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
