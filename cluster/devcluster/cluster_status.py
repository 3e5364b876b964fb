"""The state of the cluster and of the cache, for a person and for a script."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from devcluster.cluster import Cluster
from devcluster.cluster_record import Record
from devcluster.load import images_in_node


@dataclass(frozen=True, slots=True)
class Status:
    """The state of this checkout's cluster and of the cache.

    Attributes:
        name: of the cluster.
        state: absent, incomplete (an `up` was cut short), stopped, unhealthy or ready.
        engine: docker or podman.
        node_image: self-built image, or "upstream"; "" without a cluster.
        kubernetes: version of the node; "" unless ready.
        kubeconfig: path; "" without a complete cluster.
        images: what was loaded into the node and is there.
        cache: folder of the cache.
        cache_bytes: its size.
    """

    name: str
    state: str
    engine: str
    node_image: str
    kubernetes: str
    kubeconfig: str
    images: list[str]
    cache: str
    cache_bytes: int

    def json(self) -> str:
        """For a script."""
        return json.dumps(asdict(self), indent=2)


def read_status(cluster: Cluster) -> Status:
    """Look, and change nothing."""
    layout = cluster.context.layout
    record, nodes = Record.read_complete(layout), cluster.nodes()
    state, version, images = _state(cluster, record, nodes), "", list[str]()
    if state == "ready" and record is not None:
        template = "jsonpath={.items[0].status.nodeInfo.kubeletVersion}"
        version = (cluster.kubectl("get", "nodes", "--output", template) or "").strip()
        present = images_in_node(cluster.context, cluster.engine, next(iter(nodes)))
        images = sorted(image for image in record.loaded if image in present)
    return Status(
        name=cluster.name,
        state=state,
        engine=cluster.engine.program,
        node_image="" if record is None else record.image or "upstream",
        kubernetes=version,
        kubeconfig=str(layout.kubeconfig) if record is not None else "",
        images=images,
        cache=str(layout.cache),
        cache_bytes=cluster.context.store.size(),
    )


def _state(cluster: Cluster, record: Record | None, nodes: dict[str, str]) -> str:
    if not nodes and Record.read(cluster.context.layout) is None:
        return "absent"
    if not nodes or record is None:
        return "incomplete"
    if set(nodes.values()) != {"running"}:
        return "stopped"
    return "ready" if cluster.is_healthy() else "unhealthy"
