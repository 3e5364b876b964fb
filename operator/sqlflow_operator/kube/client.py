"""The few calls that the operator makes to the API server, in plain Kubernetes JSON.

Configuration, credentials and their renewal, TLS and connections are those of the `kubernetes` package; its
generated models are left out: they cost more than the call itself and lose fields that they do not know. Nothing is
tried again in here: every failure goes to the work queue, which waits and starts over from what is there then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import kubernetes
import urllib3
import yaml

from sqlflow_operator.api import GROUP, PLURAL, VERSION
from sqlflow_operator.kube.errors import NotFoundError, UnavailableError, error_from

Object = dict[str, Any]

_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PAGE = 500
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object, by its path."""

    api: str
    plural: str

    @property
    def group_version_plural(self) -> tuple[str, str, str]:
        """Its three names, the group of the core API being ""."""
        group, _, version = self.api.removeprefix("apis/").removeprefix("api/").rpartition("/")
        return group, version, self.plural


SQLFLOWJOBS = Resource(f"apis/{GROUP}/{VERSION}", PLURAL)
JOBS = Resource("apis/batch/v1", "jobs")
WORKFLOWS = Resource("apis/argoproj.io/v1alpha1", "workflows")
PIPELINE_RUNS = Resource("apis/tekton.dev/v1", "pipelineruns")
TASK_RUNS = Resource("apis/tekton.dev/v1", "taskruns")
CONFIG_MAPS = Resource("api/v1", "configmaps")
PODS = Resource("api/v1", "pods")
LOCAL_ACCESS_REVIEWS = Resource("apis/authorization.k8s.io/v1", "localsubjectaccessreviews")
EVENTS = Resource("api/v1", "events")


class Kube(Protocol):
    """What the operator needs of a cluster. Every call raises `ApiError` where it fails."""

    def get(self, resource: Resource, namespace: str, name: str, *, metadata_only: bool = False) -> Object:
        """One object."""

    def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> list[Object]:
        """All objects that match the selectors; of one namespace, or of all where it is None."""

    def create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        """Create an object and return it as it was stored."""

    def patch(
        self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any], *, subresource: str = ""
    ) -> Object:
        """Apply a JSON merge patch and return the object as it was stored."""

    def delete(self, resource: Resource, namespace: str, name: str, *, uid: str | None = None) -> None:
        """Delete an object, and what it owns in the background. With `uid`, only if it still has that UID."""

    def read_log(self, namespace: str, pod: str, container: str, *, lines: int, limit_bytes: int) -> str:
        """The last lines of a container's log, as many of them as fit into so many bytes."""

    def stream_log(
        self, namespace: str, pod: str, container: str, *, since: str = "", previous: bool = False
    ) -> Generator[bytes, None, None]:
        """A container's log as it stands, in pieces cut anywhere; each line begins with its time and a blank.

        Nothing is asked for before the first piece is; closing the generator ends the call.

        Args:
            namespace: the pod's.
            pod: its name.
            container: the container's name.
            since: leave out lines before that moment (RFC 3339, whole seconds); "" for none.
            previous: that of the container before its last restart.
        """


class KubeClient:
    """The real API server, by HTTP. Safe to use from many threads.

    Args:
        configuration: of the `kubernetes` package; None loads the pod's service account, else the kubeconfig.
        timeout: seconds for one call.
        on_call: told the method, the resource and the HTTP status (0: no answer) of each call; for metrics.
    """

    def __init__(
        self,
        configuration: kubernetes.client.Configuration | None = None,
        *,
        timeout: float = 15.0,
        on_call: Callable[[str, str, int], None] = lambda *_: None,
    ) -> None:
        self._configuration = configuration or load_configuration()
        self._pool = kubernetes.client.ApiClient(self._configuration).rest_client.pool_manager
        self._timeout = urllib3.Timeout(connect=min(5.0, timeout), read=timeout)
        self._on_call = on_call

    def get(self, resource: Resource, namespace: str, name: str, *, metadata_only: bool = False) -> Object:
        """See `Kube`."""
        accept = _METADATA if metadata_only else "application/json"
        return self._json("GET", resource, _path(resource, namespace, name), accept=accept)

    def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> list[Object]:
        """See `Kube`."""
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": str(_PAGE)}
        accept = _METADATA_LIST if metadata_only else "application/json"
        items: list[Object] = []
        while True:
            path = f"{_path(resource, namespace)}?{urlencode({k: v for k, v in query.items() if v})}"
            page = self._json("GET", resource, path, accept=accept)
            items += page.get("items") or []
            query["continue"] = (page.get("metadata") or {}).get("continue", "")
            if not query["continue"]:
                return items

    def create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        """See `Kube`."""
        return self._json("POST", resource, _path(resource, namespace), body)

    def patch(
        self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any], *, subresource: str = ""
    ) -> Object:
        """See `Kube`."""
        path = _path(resource, namespace, name) + (f"/{subresource}" if subresource else "")
        return self._json("PATCH", resource, path, patch, content_type="application/merge-patch+json")

    def delete(self, resource: Resource, namespace: str, name: str, *, uid: str | None = None) -> None:
        """See `Kube`."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        self._json("DELETE", resource, _path(resource, namespace, name), options)

    def read_log(self, namespace: str, pod: str, container: str, *, lines: int, limit_bytes: int) -> str:
        """See `Kube`."""
        # The API server's own limit keeps the first bytes of those lines, but the last ones are those that matter.
        query = urlencode({"container": container, "tailLines": lines})
        data, cut = b"", False
        with closing(self._stream(f"{_path(PODS, namespace, pod)}/log?{query}")) as pieces:
            for piece in pieces:
                data += piece
                cut = cut or len(data) > limit_bytes
                data = data[-limit_bytes:]
        return (data.partition(b"\n")[2] if cut else data).decode(errors="replace")

    def stream_log(
        self, namespace: str, pod: str, container: str, *, since: str = "", previous: bool = False
    ) -> Generator[bytes, None, None]:
        """See `Kube`."""
        query = {"container": container, "timestamps": "true", "sinceTime": since}
        query |= {"previous": "true"} if previous else {}
        text = urlencode({key: value for key, value in query.items() if value})
        return self._stream(f"{_path(PODS, namespace, pod)}/log?{text}")

    def _stream(self, path: str) -> Generator[bytes, None, None]:
        """The answer to a GET, in pieces; what comes of the connection afterwards is an error as well."""
        answer = self._send("GET", PODS, path, None, accept="*/*", content_type="", whole=False)
        try:
            yield from answer.stream(_PIECE)
        except urllib3.exceptions.HTTPError as error:
            raise UnavailableError(0, "Unreachable", f"the log's connection was cut: {error}") from error
        finally:
            answer.close()
            answer.release_conn()

    def serves(self, resource: Resource) -> bool:
        """True where the API server knows that kind.

        Raises:
            ApiError: the API server gave no answer.
        """
        try:
            known = self._json("GET", resource, f"/{resource.api}")
        except NotFoundError:
            return False
        return any(entry.get("name") == resource.plural for entry in known.get("resources", ()))

    def _json(
        self,
        method: str,
        resource: Resource,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        accept: str = "application/json",
        content_type: str = "application/json",
    ) -> Object:
        answer = self._send(method, resource, path, body, accept=accept, content_type=content_type)
        result: Object = json.loads(answer.data)
        return result

    def _send(
        self,
        method: str,
        resource: Resource,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        accept: str,
        content_type: str,
        whole: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        """The answer of a call that succeeded, its content read where `whole`."""
        headers = {"Accept": accept, "User-Agent": "sqlflow-operator", **self._credentials()}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), content_type
        status = 0
        try:
            answer: urllib3.BaseHTTPResponse = self._pool.request(
                method,
                f"{self._configuration.host}{path}",
                headers=headers,
                body=data,
                timeout=self._timeout,
                retries=False,
                preload_content=whole,
            )
            status = answer.status
            if 200 <= status < 300:
                return answer
            content: bytes = answer.data
        except urllib3.exceptions.HTTPError as error:
            raise UnavailableError(0, "Unreachable", f"the API server cannot be reached: {error}") from error
        finally:
            self._on_call(method, resource.plural, status)
        raise error_from(status, _status_object(content), answer.headers.get("Retry-After"))

    def _credentials(self) -> dict[str, str]:
        """Headers that say who calls; asking for them renews a token that has expired."""
        configuration = self._configuration
        # Since version 36 of the package a bearer token has a key of its own.
        token = configuration.get_api_key_with_prefix("BearerToken") or configuration.get_api_key_with_prefix(
            "authorization"
        )
        if token:
            return {"Authorization": token}
        basic = configuration.get_basic_auth_token() if configuration.username else None
        return {"Authorization": basic} if basic else {}


def load_configuration() -> kubernetes.client.Configuration:
    """The pod's service account where there is one, else the kubeconfig.

    Raises:
        kubernetes.config.ConfigException: there is neither, or it cannot be read.
    """
    configuration = kubernetes.client.Configuration()
    try:
        kubernetes.config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except kubernetes.config.ConfigException:
        try:
            kubernetes.config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except (OSError, ValueError, TypeError, LookupError, yaml.YAMLError) as error:
            words = " ".join(str(error).split())
            raise kubernetes.config.ConfigException(f"the kubeconfig cannot be read: {words}") from error
    return configuration


def _path(resource: Resource, namespace: str | None, name: str = "") -> str:
    place = f"/namespaces/{quote(namespace)}" if namespace else ""
    return f"/{resource.api}{place}/{resource.plural}" + (f"/{quote(name)}" if name else "")


def _status_object(content: bytes) -> Object:
    try:
        body = json.loads(content)
    except ValueError:
        return {"message": content.decode(errors="replace")[:500]}
    return body if isinstance(body, dict) else {}
