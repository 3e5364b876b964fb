"""podman, kind and kubectl as far as clusters go."""

from __future__ import annotations

import json

from devcluster import node
from devcluster.context import Context
from devcluster.process import Completed

IMAGE = "localhost/sqlflow-node:test"
APP = "localhost/app:dev"


class World:
    """podman, kind and kubectl as far as clusters go; every object they make is in here."""

    def __init__(self, runner, context: Context) -> None:
        self.runner, self.name = runner, context.layout.name
        self.nodes: dict[str, str] = {}
        self.clusters: list[str] = []
        self.volumes: list[str] = []
        self.networks: list[str] = []
        self.images = {APP: "id-1"}
        self.in_node: list[str] = []
        self.ready = True
        self.kubeconfig = context.layout.kubeconfig
        self.create_fails: list[str] = []
        runner.has("podman", "kubectl", "kind")
        runner.on("/usr/bin/kind version", node_kind_version())
        runner.on("/usr/bin/kubectl version", json.dumps({"clientVersion": {"gitVersion": node.version()}}))
        for prefix, answer in {
            "podman ps --all --quiet": lambda call: Completed(0, "\n".join(self.nodes)),
            "podman ps --all --filter label=io.x-k8s.kind.cluster --format": lambda call: self.all_clusters(),
            "podman container inspect": lambda call: Completed(
                0, "".join(f"/{n} {s}\n" for n, s in self.nodes.items())
            ),
            "podman start": self.start,
            "podman rm": self.remove,
            "podman volume ls": lambda call: Completed(0, "\n".join(self.volumes)),
            "podman volume rm": lambda call: self.volumes.clear() or Completed(0),
            "podman network inspect": lambda call: Completed(0 if self.name in self.networks else 1),
            "podman network rm": lambda call: self.networks.remove(call.argv[-1]) or Completed(0),
            "podman image inspect --format {{.Id}}": self.image_id,
            "podman exec": lambda call: Completed(0, "\n".join(self.in_node)),
            "podman save": "",
            "/usr/bin/kind create cluster": self.create,
            "/usr/bin/kind load image-archive": lambda call: self.in_node.append(APP) or Completed(0),
            f"/usr/bin/kubectl --kubeconfig {self.kubeconfig}": self.kubectl,
        }.items():
            runner.on(prefix, answer)

    def all_clusters(self) -> Completed:
        return Completed(0, "\n".join([*self.clusters, *([self.name] if self.nodes else [])]))

    def start(self, call) -> Completed:
        self.nodes = dict.fromkeys(self.nodes, "running")
        return Completed(0)

    def remove(self, call) -> Completed:
        self.nodes.clear()
        return Completed(0)

    def image_id(self, call) -> Completed:
        known = self.images.get(call.argv[-1])
        return Completed(0, known) if known else Completed(1)

    def create(self, call) -> Completed:
        assert not self.nodes
        assert not self.networks
        self.networks.append(self.name)
        self.nodes = {f"{self.name}-control-plane": "running"}
        self.volumes.append("volume")
        if self.create_fails:
            return Completed(1, err=self.create_fails.pop(0))
        self.kubeconfig.write_text("apiVersion: v1")
        return Completed(0)

    def kubectl(self, call) -> Completed:
        if not self.ready:
            return Completed(1, err="the server does not answer")
        if "jsonpath={.items[0].status.nodeInfo.kubeletVersion}" in call.argv:
            return Completed(0, "v9.9.9")
        return Completed(0, "True")

    @property
    def is_empty(self) -> bool:
        return not (self.nodes or self.volumes or self.networks)


def node_kind_version() -> str:
    from devcluster.gobuild import KIND

    return KIND.version.removeprefix("v")
