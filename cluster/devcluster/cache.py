"""`down --cache`: remove what is kept between clusters."""

from __future__ import annotations

import shutil

from devcluster import debian, node
from devcluster.cluster import Cluster
from devcluster.errors import DevClusterError
from devcluster.workplace import LABEL

REPOSITORIES = (node.REPOSITORY, debian.REPOSITORY)


def remove(cluster: Cluster) -> None:
    """Remove the cache folder and every image that was made here.

    Raises:
        DevClusterError: another cluster still runs from it.
    """
    context, engine = cluster.context, cluster.engine
    others = [name for name in cluster.all_clusters() if name.startswith("sqlflow-")]
    if others:
        todo = "Run `python -m devcluster down` in their checkouts first"
        raise DevClusterError("The cache is in use", f"clusters {', '.join(others)} run from it", todo)
    with context.reporter.step("Remove the cache"):
        for image in _images(cluster):
            context.runner.run([engine.program, "rmi", "--force", image], env=engine.env, timeout=300)
        shutil.rmtree(context.layout.cache, ignore_errors=True)


def _images(cluster: Cluster) -> list[str]:
    argv = [cluster.engine.program, "images", "--all", "--quiet"]
    filters = [f"label={LABEL}", *(f"reference={repository}" for repository in REPOSITORIES)]
    found: list[str] = []
    for chosen in filters:
        listing = cluster.context.runner.run([*argv, "--filter", chosen], env=cluster.engine.env, timeout=60)
        found += [image for image in listing.out.split() if listing.ok and image not in found]
    return found
