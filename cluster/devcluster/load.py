"""Bring locally built images into a cluster's nodes."""

from __future__ import annotations

from collections.abc import Sequence

from devcluster.cluster import Cluster, kind_env
from devcluster.cluster_record import Record
from devcluster.context import Context
from devcluster.current import Current
from devcluster.errors import DevClusterError
from devcluster.images import claim
from devcluster.machine import ContainerEngine
from devcluster.store import locked
from devcluster.tools import tool


def load_images(cluster: Cluster, images: Sequence[str]) -> list[str]:
    """Load images into this checkout's cluster; skips those that are there already. Returns what was loaded.

    Raises:
        DevClusterError: there is no cluster, no such image, or kind failed.
    """
    context = cluster.context
    with locked(context.layout.locks / f"{cluster.name}.lock", f"cluster {cluster.name}", context.reporter):
        record, nodes = Record.read_complete(context.layout), list(cluster.nodes())
        if record is None or not nodes:
            raise DevClusterError(f"There is no cluster {cluster.name}", todo="Run `python -m devcluster up` first")
        present = images_in_node(context, cluster.engine, nodes[0])
        loaded = []
        for image in images:
            known = record.loaded.get(image, "") if image in present else ""
            image_id = _load(context, cluster.engine, cluster.name, image, known)
            if image_id != known:
                record.loaded[image] = image_id
                record.write(context.layout)
                loaded.append(image)
    return loaded


def load_into_current(context: Context, engine: ContainerEngine, current: Current, images: Sequence[str]) -> None:
    """Load images into the kind cluster of the current kubectl context.

    Raises:
        DevClusterError: the context is none of kind's.
    """
    if not current.kind_cluster:
        raise DevClusterError(
            f"Images cannot be loaded into the cluster of context {current.context}",
            "it is not a kind cluster",
            "Push them to a registry that the cluster pulls from",
        )
    for image in images:
        _load(context, engine, current.kind_cluster, image, "")


def images_in_node(context: Context, engine: ContainerEngine, container: str) -> list[str]:
    """The references of all images in a node's own store."""
    argv = [engine.program, "exec", container, "ctr", "--namespace=k8s.io", "images", "list", "--quiet"]
    result = context.runner.run(argv, env=engine.env, timeout=60)
    return result.out.split() if result.ok else []


def _load(context: Context, engine: ContainerEngine, name: str, image: str, known: str) -> str:
    """Load one image unless its id is `known`; returns its id.

    Under the image lock: no other checkout gives the name to another image between looking and saving.
    """
    kind = tool(context, "kind")
    with locked(context.layout.locks / "image.lock", "an image", context.reporter):
        image_id = claim(context, engine, image)
        if not image_id:
            todo = f"Build it with `python -m devcluster image {image}`"
            raise DevClusterError(f"{engine.program} has no image {image}", todo=todo)
        if image_id == known:
            return known
        with context.store.scratch("load") as folder, context.reporter.step(f"Load {image}"):
            path = folder / "image.tar"
            form = ["--format", "docker-archive"] if engine.program == "podman" else []
            save = [engine.program, "save", *form, "--output", str(path), image]
            context.short(f"Save {image}", save, env={**engine.env, "TMPDIR": str(folder)}, timeout=600)
            load = [str(kind), "load", "image-archive", str(path), "--name", name]
            context.short(f"Load {image}", load, env=kind_env(name, engine), timeout=600)
    return image_id
