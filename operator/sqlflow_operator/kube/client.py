"""The few calls that the operator makes to the API server, in plain Kubernetes JSON.

Configuration, credentials and their renewal, TLS and connections are those of the `kubernetes` package; its
generated models are left out: they cost more than the call itself and lose fields that they do not know. Nothing is
tried again in here: every failure goes to the work queue, which waits and starts over from what is there then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlencode

import kubernetes
import urllib3
import yaml

from sqlflow_operator.kube import PODS, Object, Resource
from sqlflow_operator.kube.errors import NotFoundError, UnavailableError, error_from
from sqlflow_operator.kube.objects import ErrorStatus, KubeObject, Thing

_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_METHODS = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "patch": "PATCH",
    "delete": "DELETE",
    "log": "GET",
    "discover": "GET",
}
"""The HTTP methods of the verbs, which are those of Kubernetes' roles but for `log` and `discover`."""
_PAGE = 500
_PIECE = 64 * 1024


class KubeClient:
    """The real API server, by HTTP. Safe to use from many threads.

    Args:
        configuration: of the `kubernetes` package; None loads the pod's service account, else the kubeconfig.
        timeout: seconds for one call.
        on_call: called after each call with its verb, the resource and the HTTP status (0: no answer); for metrics.
        on_object: called with each whole object that a get, create or patch returns, and its kind.
    """

    def __init__(
        self,
        configuration: kubernetes.client.Configuration | None = None,
        *,
        timeout: float = 15.0,
        on_call: Callable[[str, str, int], None] = lambda *_: None,
        on_object: Callable[[Resource, KubeObject], None] = lambda *_: None,
    ) -> None:
        self._configuration = configuration or load_configuration()
        self._pool = kubernetes.client.ApiClient(self._configuration).rest_client.pool_manager
        self._timeout = urllib3.Timeout(connect=min(5.0, timeout), read=timeout)
        self._on_call, self._on_object = on_call, on_object

    def get(self, resource: Resource[Thing], namespace: str, name: str, *, metadata_only: bool = False) -> Thing:
        """See `Kube`."""
        path = _path(resource, namespace, name)
        if metadata_only:
            found: Thing = self._json("get", resource, path, accept=_METADATA)
            return found
        return self._object("get", resource, path)

    def list(
        self,
        resource: Resource[Thing],
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> list[Thing]:
        """See `Kube`."""
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": str(_PAGE)}
        accept = _METADATA_LIST if metadata_only else "application/json"
        items: list[Thing] = []
        while True:
            path = f"{_path(resource, namespace)}?{urlencode({k: v for k, v in query.items() if v})}"
            page = self._json("list", resource, path, accept=accept)
            items += page.get("items") or []
            query["continue"] = (page.get("metadata") or {}).get("continue", "")
            if not query["continue"]:
                return items

    def create(self, resource: Resource[Thing], namespace: str, body: Mapping[str, Any]) -> Thing:
        """See `Kube`."""
        return self._object("create", resource, _path(resource, namespace), body)

    def patch(
        self, resource: Resource[Thing], namespace: str, name: str, patch: Mapping[str, Any], *, subresource: str = ""
    ) -> Thing:
        """See `Kube`."""
        path = _path(resource, namespace, name) + (f"/{subresource}" if subresource else "")
        return self._object("patch", resource, path, patch, content_type="application/merge-patch+json")

    def delete(self, resource: Resource, namespace: str, name: str, *, uid: str | None = None) -> None:
        """See `Kube`."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        self._json("delete", resource, _path(resource, namespace, name), options)

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
        """The answer to a GET, in pieces; a connection that breaks later is an error as well."""
        answer = self._send("log", PODS, path, None, accept="*/*", content_type="", whole=False)
        try:
            yield from answer.stream(_PIECE)
        except urllib3.exceptions.HTTPError as error:
            raise UnavailableError(0, "Unreachable", f"the log's connection was cut: {error}") from error
        finally:
            answer.close()
            answer.release_conn()

    def serves(self, resource: Resource) -> bool:
        """True if the API server knows that kind.

        Raises:
            ApiError: the API server gave no answer.
        """
        try:
            known = self._json("discover", resource, f"/{resource.api}")
        except NotFoundError:
            return False
        return any(entry.get("name") == resource.plural for entry in known.get("resources", ()))

    def _object(
        self,
        verb: str,
        resource: Resource[Thing],
        path: str,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Thing:
        found: Thing = self._json(verb, resource, path, body, content_type=content_type)
        self._on_object(resource, found)
        return found

    def _json(
        self,
        verb: str,
        resource: Resource,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        accept: str = "application/json",
        content_type: str = "application/json",
    ) -> Any:
        """The JSON of an answer."""
        return json.loads(self._send(verb, resource, path, body, accept=accept, content_type=content_type).data)

    def _send(
        self,
        verb: str,
        resource: Resource,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        accept: str,
        content_type: str,
        whole: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        """The answer of a call that succeeded, its content read if `whole`."""
        headers = {"Accept": accept, "User-Agent": "sqlflow-operator", **self._credentials()}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), content_type
        status = 0
        try:
            answer: urllib3.BaseHTTPResponse = self._pool.request(
                _METHODS[verb],
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
            self._on_call(verb, resource.plural, status)
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
    """The pod's service account if there is one, else the kubeconfig.

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


def _status_object(content: bytes) -> ErrorStatus:
    try:
        body: ErrorStatus = json.loads(content)
    except ValueError:
        return {"message": content.decode(errors="replace")[:500]}
    return body if isinstance(body, dict) else {}
