"""`down`: all that belongs to this checkout goes, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from devcluster import cache
from devcluster.cluster import (
    Cluster,
    make_kernel_modules_folder,
    remove_kernel_modules_folder,
)
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.process import Completed

from tests.unit.cluster.world import World


def test_down_removes_all_that_up_made(world: World, ours: Cluster, context: Context) -> None:
    ours.up()
    assert ours.down()
    assert world.is_empty
    assert not context.layout.state.exists()
    assert not ours.down()


def test_down_tries_again_while_the_processes_of_many_pods_end(
    world: World, ours: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Podman's words for a node with 400 pods; the second try works."""
    ours.up()
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    answers = iter([Completed(125, err="Error: cannot remove container 0a1b: given PIDs did not die within timeout")])
    world.runner.on("podman rm", lambda call: next(answers, None) or world.remove(call))
    assert ours.down()
    assert len(waited) == 1
    assert world.is_empty


def test_down_gives_up_when_the_node_never_goes(world: World, ours: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    ours.up()
    monkeypatch.setattr("time.sleep", lambda _: None)
    world.runner.on("podman rm", Completed(125, err="device or resource busy"))
    with pytest.raises(DevClusterError, match="device or resource busy"):
        ours.down()
    assert len(world.runner.lines("podman rm")) == 6


def test_down_leaves_what_is_not_ours(world: World, ours: Cluster, context: Context) -> None:
    ours.up()
    world.networks.append("kind")
    (context.layout.state / "keep").touch()
    ours.down()
    assert world.networks == ["kind"]
    assert [path.name for path in context.layout.state.iterdir()] == ["keep"]


def test_the_folder_for_kernel_modules_goes_with_the_last_cluster(context: Context, tmp_path: Path) -> None:
    folder = tmp_path / "lib-modules"
    make_kernel_modules_folder(context.layout, folder)
    assert folder.is_dir()
    remove_kernel_modules_folder(context.layout, folder, others=True)
    assert folder.is_dir()
    remove_kernel_modules_folder(context.layout, folder, others=False)
    assert not folder.exists()


def test_a_folder_for_kernel_modules_that_was_there_stays(context: Context, tmp_path: Path) -> None:
    folder = tmp_path / "lib-modules"
    folder.mkdir()
    make_kernel_modules_folder(context.layout, folder)
    remove_kernel_modules_folder(context.layout, folder, others=False)
    assert folder.is_dir()


def test_the_cache_goes_with_its_images_unless_another_cluster_uses_it(world: World, ours: Cluster) -> None:
    root = ours.context.layout.cache
    (root / "kind").mkdir(parents=True)
    world.clusters = ["proof", "sqlflow-other"]
    with pytest.raises(DevClusterError, match="clusters sqlflow-other run from it"):
        cache.remove(ours)
    assert root.exists()
    world.clusters = ["proof"]
    world.runner.on("podman images --all --quiet --filter label=", "one\ntwo\n")
    world.runner.on("podman images --all --quiet --filter reference=localhost/sqlflow-node", "two\nthree\n")
    cache.remove(ours)
    removed = [line.split()[-1] for line in world.runner.lines("podman rmi")]
    assert removed == ["one", "two", "three"]
    assert not root.exists()
