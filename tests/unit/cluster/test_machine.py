from __future__ import annotations

import os
from pathlib import Path

import pytest
from devcluster import machine
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.machine import (
    PROBE_IMAGE,
    ContainerEngine,
    Platform,
    can_pull,
    cgroups_are_unified,
    containers_conf,
    ensure_packages,
    find_platform,
    go_version,
    works,
)
from devcluster.process import Completed


def test_docker_with_a_registry_comes_first(context: Context, runner) -> None:
    runner.has("docker", "podman")
    runner.on("docker info")
    runner.on("docker pull")
    runner.on("docker rmi")
    assert find_platform(context) == Platform(ContainerEngine("docker"), registry=True)
    assert runner.lines("podman") == []


def test_a_docker_without_a_daemon_gives_way_to_podman(context: Context, runner) -> None:
    runner.has("docker", "podman")
    runner.on("docker info", Completed(1, err="cannot connect"))
    runner.on("podman info")
    runner.on("podman pull")
    runner.on("podman rmi")
    assert find_platform(context) == Platform(ContainerEngine("podman"), registry=True)


def test_where_nothing_can_be_pulled_podman_runs_what_we_build(context: Context, runner) -> None:
    runner.has("docker", "podman")
    runner.on("docker info")
    runner.on("podman info")
    platform = find_platform(context)
    assert not platform.registry
    assert platform.engine.program == "podman"
    conf = Path(platform.engine.env["CONTAINERS_CONF"])
    assert conf.parent == context.layout.cache
    assert "default_ulimits" in conf.read_text()


def test_the_probe_leaves_no_image_behind_but_keeps_one_that_was_there(runner) -> None:
    runner.on("podman pull")
    runner.on("podman rmi")
    assert can_pull(runner, "podman")
    assert runner.lines("podman rmi") == [f"podman rmi {PROBE_IMAGE}"]
    runner.calls.clear()
    runner.on("podman image inspect", "abc")
    assert can_pull(runner, "podman")
    assert runner.lines("podman rmi") == []


def test_the_probe_has_a_short_timeout(runner, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts = {}
    run = runner.run

    def spy(argv, *, timeout=None, **rest):
        timeouts[argv[1]] = timeout
        return run(argv, timeout=timeout, **rest)

    monkeypatch.setattr(runner, "run", spy)
    assert not can_pull(runner, "podman")
    assert timeouts["pull"] == machine.PROBE_SECONDS <= 10


def test_an_engine_that_is_not_there_is_not_asked(runner) -> None:
    assert not works(runner, "docker")
    assert runner.calls == []


@pytest.mark.parametrize(
    ("files", "processes", "unified", "expected"),
    [
        (20000, 96365, False, ['"nofile=20000:20000"', '"nproc=32768:32768"', 'runtime = "runc"']),
        (-1, -1, True, ['"nofile=1048576:1048576"', '"nproc=32768:32768"']),
        (1024, 500, True, ['"nofile=1024:1024"', '"nproc=500:500"']),
    ],
)
def test_no_limit_is_above_our_own(files: int, processes: int, unified: bool, expected: list[str]) -> None:
    text = containers_conf(files, processes, unified=unified)
    for part in expected:
        assert part in text
    assert ("runc" in text) == (not unified)
    assert "\npids_limit = 0\n" in text  # podman's 2,048 processes end with some hundred pods


def test_cgroup_v2_alone_is_known_by_its_file(tmp_path: Path) -> None:
    assert not cgroups_are_unified(tmp_path)
    (tmp_path / "unified").mkdir()
    (tmp_path / "unified/cgroup.controllers").touch()
    assert not cgroups_are_unified(tmp_path)
    (tmp_path / "cgroup.controllers").touch()
    assert cgroups_are_unified(tmp_path)


def test_without_root_the_error_says_what_to_do(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DevClusterError, match=r"needs root\. Run this command as root, or .*CLUSTER=current"):
        ensure_packages(context)


def test_nothing_is_installed_where_nothing_is_missing(
    context: Context, runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    runner.has(*machine.PACKAGES)
    ensure_packages(context)
    assert runner.calls == []


def test_what_is_missing_is_installed_in_one_go(context: Context, runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    runner.has("apt-get", "iptables", "runc")
    runner.on("apt-get")
    ensure_packages(context)
    assert runner.lines("apt-get install") == ["apt-get install -y -q --no-install-recommends debootstrap podman"]


def test_where_apt_is_missing_the_packages_are_named(context: Context, runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    runner.has("podman", "runc", "iptables")
    with pytest.raises(DevClusterError, match=r"Missing on this machine: debootstrap\. Install"):
        ensure_packages(context)


@pytest.mark.parametrize(
    ("output", "version"), [("go1.26.8", (1, 26)), ("go1.9", (1, 9)), ("devel +abc", None), ("", None)]
)
def test_the_go_version_is_read(runner, output: str, version: tuple[int, int] | None) -> None:
    runner.on("go env", output)
    assert go_version(runner) == version


def test_no_go_is_no_version(runner) -> None:
    assert go_version(runner) is None


def test_images_are_asked_for_by_each_builder_in_its_own_way(runner) -> None:
    runner.on("podman image inspect --format {{.Id}} a", "sha256:1\n")
    runner.on("buildah inspect --type image --format {{.FromImageID}} a", "2\n")
    runner.on('podman image inspect --format {{index .Config.Labels "x"}} a', "y\n")
    assert ContainerEngine("podman").image_id(runner, "a") == "sha256:1"
    assert ContainerEngine("buildah").image_id(runner, "a") == "2"
    assert not ContainerEngine("podman").has_image(runner, "b")
    assert ContainerEngine("podman").has_label(runner, "a", "x=y")
    assert not ContainerEngine("podman").has_label(runner, "a", "x=z")
    assert not ContainerEngine("buildah").has_label(runner, "a", "x=y")
