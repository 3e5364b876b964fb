from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from devcluster import current, load, node
from devcluster.cluster import (
    Cluster,
    Record,
    create_argv,
    kind_config,
    kind_env,
)
from devcluster.cluster_status import read_status
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.machine import ContainerEngine, Platform
from devcluster.process import Completed

from tests.unit.cluster.world import APP, IMAGE, World

# What kind is told


def test_kind_gets_our_engine_our_network_and_not_the_persons_kubeconfig() -> None:
    env = kind_env("name", ContainerEngine("podman", {"CONTAINERS_CONF": "/c"}))
    assert env == {
        "CONTAINERS_CONF": "/c",
        "KIND_EXPERIMENTAL_PROVIDER": "podman",
        "KIND_EXPERIMENTAL_PODMAN_NETWORK": "name",
        "KUBECONFIG": os.devnull,
    }
    assert kind_env("name", ContainerEngine("docker"))["KIND_EXPERIMENTAL_DOCKER_NETWORK"] == "name"


def test_kind_chooses_its_own_image_where_there_is_a_registry() -> None:
    argv = create_argv(Path("/kind"), "name", "", Path("/k"))
    assert argv == ["/kind", "create", "cluster", "--name", "name", "--config", "-", "--kubeconfig", "/k"]
    assert create_argv(Path("/kind"), "name", IMAGE, Path("/k"))[-2:] == ["--image", IMAGE]


def test_only_the_self_built_node_has_networking_of_its_own() -> None:
    upstream, ours = json.loads(kind_config(self_built=False)), json.loads(kind_config(self_built=True))
    assert "networking" not in upstream
    assert ours["networking"] == {"disableDefaultCNI": True, "kubeProxyMode": "nftables"}
    assert json.loads(ours["kubeadmConfigPatches"][0])["kind"] == "ClusterConfiguration"


# up


def test_up_makes_a_cluster_and_notes_it_when_it_is_complete(world: World, ours: Cluster, context: Context) -> None:
    assert ours.up() == context.layout.kubeconfig
    assert Record.read(context.layout) == Record(world.name, "podman", False, IMAGE, complete=True)
    (create,) = [call for call in world.runner.calls if call.line.startswith("/usr/bin/kind create")]
    assert create.env["CONTAINERS_CONF"] == "/c"
    assert json.loads(create.stdin)["kind"] == "Cluster"
    waits = [call.line for call in world.runner.calls if " wait --for=condition=" in call.line]
    assert len(waits) == 2


def test_a_healthy_cluster_is_used_again(world: World, ours: Cluster) -> None:
    ours.up()
    world.runner.calls.clear()
    ours.up()
    assert world.runner.lines("/usr/bin/kind") == []
    assert world.runner.lines("podman rm") == []


def test_a_half_created_cluster_is_made_anew(world: World, ours: Cluster, context: Context, screen) -> None:
    ours.up()
    Record(world.name, "podman", False, IMAGE).write(context.layout)  # as if killed before the end
    ours.up()
    assert len(world.runner.lines("/usr/bin/kind create")) == 2
    assert "making it anew" in screen.getvalue()
    assert len(world.volumes) == 1


@pytest.mark.parametrize("leftover", ["networks", "volumes"])
def test_what_a_killed_up_left_without_a_node_is_cleared_first(world: World, ours: Cluster, leftover: str) -> None:
    getattr(world, leftover).append(world.name)
    ours.up()
    assert world.networks == [world.name]
    assert world.volumes == ["volume"]


def test_nodes_that_stopped_are_started(world: World, ours: Cluster) -> None:
    ours.up()
    world.nodes = dict.fromkeys(world.nodes, "exited")
    ours.up()
    assert len(world.runner.lines("podman start")) == 1
    assert len(world.runner.lines("/usr/bin/kind create")) == 1


def test_a_slow_cluster_is_waited_for_and_not_removed(world: World, ours: Cluster) -> None:
    ours.up()
    answers = iter([Completed(1, err="timeout")])
    world.runner.on(
        f"/usr/bin/kubectl --kubeconfig {world.kubeconfig} --request-timeout",
        lambda _: next(answers, Completed(0, "True")),
    )
    ours.up()
    assert len(world.runner.lines("/usr/bin/kind create")) == 1
    assert world.runner.lines("podman rm") == []


def test_a_cluster_that_never_answers_is_made_anew(world: World, ours: Cluster, screen) -> None:
    ours.up()
    world.ready = False
    world.create_fails = ["stop here"]
    with pytest.raises(DevClusterError, match="stop here"):
        ours.up()
    assert "Wait for the node: failed: the server does not answer" in screen.getvalue()
    assert Record.read_complete(ours.context.layout) is None


def test_a_port_that_was_taken_meanwhile_is_tried_once_more(world: World, ours: Cluster) -> None:
    world.create_fails = ["bind: address already in use"]
    ours.up()
    assert len(world.runner.lines("/usr/bin/kind create")) == 2
    assert len(world.nodes) == 1


def test_any_other_failure_of_kind_is_told_at_once(world: World, ours: Cluster) -> None:
    world.create_fails = ["kubeadm init failed"]
    with pytest.raises(DevClusterError, match=r"Create kind cluster .*: failed: kubeadm init failed\. Run .* down"):
        ours.up()
    assert len(world.runner.lines("/usr/bin/kind create")) == 1


def test_the_record_of_another_cluster_does_not_count(context: Context) -> None:
    Record("another", "podman", False, IMAGE).write(context.layout)
    assert Record.read(context.layout) is None
    context.layout.record.write_text("{")
    assert Record.read(context.layout) is None


def test_the_engine_is_the_one_that_made_the_cluster(world: World, context: Context) -> None:
    Record(world.name, "docker", True, "").write(context.layout)
    assert Cluster.open(context).platform == Platform(ContainerEngine("docker"), registry=True)
    assert world.runner.calls == []


def test_the_engine_of_a_half_created_cluster_is_known(world: World, ours: Cluster, context: Context) -> None:
    world.create_fails = ["kubeadm init failed"]
    with pytest.raises(DevClusterError):
        ours.up()
    world.runner.calls.clear()
    assert Cluster.open(context).engine.program == "podman"
    assert world.runner.calls == []


def test_a_node_image_in_the_cache_spares_the_look_for_a_registry(world: World, context: Context) -> None:
    world.images[node.reference()] = "node"
    opened = Cluster.open(context)
    assert not opened.platform.registry
    assert world.runner.lines("podman pull") == []


# load


def test_an_image_is_loaded_once_and_again_when_it_changed(world: World, ours: Cluster, context: Context) -> None:
    ours.up()
    assert load.load_images(ours, [APP]) == [APP]
    assert load.load_images(ours, [APP]) == []
    world.images[APP] = "id-2"
    assert load.load_images(ours, [APP]) == [APP]
    assert Record.read(context.layout).loaded == {APP: "id-2"}
    world.in_node.clear()  # the kubelet cleans up when the disk is full
    assert load.load_images(ours, [APP]) == [APP]
    (save, *_) = world.runner.lines("podman save")
    assert save.startswith("podman save --format docker-archive --output ")
    assert list((context.layout.cache / "tmp").iterdir()) == []


def test_loading_says_what_is_missing(world: World, ours: Cluster) -> None:
    with pytest.raises(DevClusterError, match=r"There is no cluster sqlflow-.*\. Run `python -m devcluster up` first"):
        load.load_images(ours, [APP])
    ours.up()
    with pytest.raises(DevClusterError, match="podman has no image localhost/none:dev"):
        load.load_images(ours, ["localhost/none:dev"])


# status


def test_status_tells_every_state(world: World, ours: Cluster, context: Context) -> None:
    assert read_status(ours).state == "absent"
    ours.up()
    load.load_images(ours, [APP])
    status = read_status(ours)
    assert (status.state, status.kubernetes, status.images) == ("ready", "v9.9.9", [APP])
    assert json.loads(status.json())["kubeconfig"] == str(context.layout.kubeconfig)
    world.ready = False
    assert read_status(ours).state == "unhealthy"
    world.nodes = dict.fromkeys(world.nodes, "exited")
    assert read_status(ours).state == "stopped"
    Record(world.name, "podman", False, IMAGE).write(context.layout)
    assert read_status(ours).state == "incomplete"
    world.nodes.clear()
    assert read_status(ours).state == "incomplete"


# CLUSTER=current


def _config(name: str, server: str) -> str:
    return json.dumps({"current-context": name, "clusters": [{"cluster": {"server": server}}]})


def test_the_current_cluster_is_used_only_after_saying_which(
    context: Context, runner, screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/my/config")
    runner.has("kubectl")
    runner.on("/usr/bin/kubectl config view", _config("prod", "https://prod.example"))
    runner.on("/usr/bin/kubectl --request-timeout=10s get --raw /readyz", "ok")
    found = current.find(context)
    assert "prod (server https://prod.example)" in screen.getvalue()
    assert found.kubeconfig == "/my/config"
    assert found.kind_cluster == ""
    with pytest.raises(DevClusterError, match="cannot be loaded into the cluster of context prod: it is not a kind"):
        load.load_into_current(context, ContainerEngine("podman"), found, [APP])


def test_a_current_kind_cluster_takes_images(world: World, context: Context) -> None:
    mine = current.Current("kind-dev", "https://x", "/k")
    load.load_into_current(context, ContainerEngine("podman"), mine, [APP])
    assert world.runner.lines("/usr/bin/kind load")[0].endswith("--name dev")


def test_a_current_cluster_that_is_not_there_is_told(context: Context, runner) -> None:
    with pytest.raises(DevClusterError, match="needs kubectl on PATH"):
        current.find(context)
    runner.has("kubectl")
    runner.on("/usr/bin/kubectl config view", json.dumps({"current-context": "", "clusters": None}))
    with pytest.raises(DevClusterError, match="no current context"):
        current.find(context)
    runner.on("/usr/bin/kubectl config view", _config("x", "https://x.example"))
    runner.on("/usr/bin/kubectl --request-timeout", Completed(1, err="connection refused"))
    with pytest.raises(DevClusterError, match=r"Reach https://x\.example: failed: connection refused"):
        current.find(context)


def test_the_variable_is_current_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLUSTER", raising=False)
    assert not current.is_asked_for()
    monkeypatch.setenv("CLUSTER", "current")
    assert current.is_asked_for()
    monkeypatch.setenv("CLUSTER", "curent")
    with pytest.raises(DevClusterError, match="CLUSTER=curent is not understood"):
        current.is_asked_for()
