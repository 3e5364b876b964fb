"""The command line, up to the border where work begins."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from devcluster import cli, current, images, load, tools
from devcluster.cluster import Cluster
from devcluster.cluster_record import Record
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.machine import ContainerEngine, Platform


@pytest.fixture(autouse=True)
def ours(context: Context, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    cluster = Cluster(context, Platform(ContainerEngine("podman"), registry=False))
    monkeypatch.delenv("CLUSTER", raising=False)
    monkeypatch.setattr(Cluster, "open", lambda _: cluster)
    return cluster


def run(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["devcluster", *arguments])
        try:
            cli.main()
        except SystemExit as end:
            return int(end.code or 0)
    return 0


@pytest.fixture
def users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster of the user's own kubeconfig is to be used; no other is made or removed."""
    monkeypatch.setattr(Cluster, "up", lambda _: pytest.fail("made a cluster"))
    monkeypatch.setattr(Cluster, "down", lambda _: pytest.fail("removed a cluster"))
    monkeypatch.setenv("CLUSTER", "current")
    monkeypatch.setattr(current, "find", lambda _: current.Current("mine", "https://x", "/home/config"))


def test_up_prints_nothing_but_the_kubeconfig(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Cluster, "up", lambda _: Path("/state/kubeconfig"))
    assert run("up") == 0
    assert capsys.readouterr().out == "/state/kubeconfig\n"


@pytest.mark.usefixtures("users_own")
def test_up_with_the_current_cluster_makes_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("up") == 0
    assert capsys.readouterr().out == "/home/config\n"


@pytest.mark.usefixtures("users_own")
def test_down_never_touches_the_current_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("down") == 1
    assert "CLUSTER=current is your own cluster" in capsys.readouterr().err


def test_an_error_is_one_line_after_the_tail_of_its_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_text("the tail\n")

    def fail(_: Cluster) -> Path:
        raise DevClusterError("Create it", "no [space] left", "Make room", log)

    monkeypatch.setattr(Cluster, "up", fail)
    assert run("up") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "the tail",
        f"Error Create it: no [space] left. Make room. Full log: {log}",
    ]


def test_an_interrupt_says_that_one_can_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: Cluster) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Cluster, "up", interrupt)
    assert run("up") == 130
    assert "Interrupted" in capsys.readouterr().err


def test_tools_are_json_for_a_script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(tools, "all_tools", lambda _: {"etcd": Path("/bin/etcd")})
    assert run("tools", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"etcd": "/bin/etcd"}


def test_an_image_is_built_from_the_checkout_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    builds: list[images.Build] = []
    monkeypatch.setattr(images, "build_image", lambda _c, _p, build: builds.append(build) or "the-id")
    assert run("--checkout", str(tmp_path), "image", "app:dev", "--target", "step", "--build-arg", "A=b=c") == 0
    assert builds == [images.Build("app:dev", tmp_path, tmp_path / "Dockerfile", "step", {"A": "b=c"})]
    assert capsys.readouterr().out == "the-id\n"
    assert run("image", "app:dev", "--folder", "/f", "--file", "/g/Containerfile") == 0
    assert (builds[1].context, builds[1].file) == (Path("/f"), Path("/g/Containerfile"))
    assert run("image", "app:dev", "--build-arg", "oops") == 1
    assert "--build-arg oops is not understood. Write it as NAME=VALUE." in capsys.readouterr().err


def test_load_goes_to_the_cluster_that_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(load, "load_images", lambda _, names: seen.append(names))
    monkeypatch.setattr(load, "load_into_current", lambda *arguments: seen.append(arguments[2:]))
    monkeypatch.setattr(current, "find", lambda _: "mine")
    assert run("load", "a", "b") == 0
    monkeypatch.setenv("CLUSTER", "current")
    assert run("load", "a") == 0
    assert seen == [["a", "b"], ("mine", ["a"])]


def test_status_is_for_people_or_for_scripts(runner, capsys: pytest.CaptureFixture[str], context: Context) -> None:
    runner.on("podman ps")
    assert run("status") == 0
    assert f"cluster     {context.layout.name}: absent\n" in capsys.readouterr().out
    assert run("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "absent"


def test_env_points_a_shell_at_this_checkouts_cluster(
    context: Context, runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tools, "tool", lambda *_: Path("/cache/a folder/kubectl"))
    assert run("--checkout", str(context.layout.checkout), "env") == 1
    assert "This checkout has no cluster" in capsys.readouterr().err
    Record(context.layout.name, "podman", registry=False, image="", complete=True).write(context.layout)
    assert run("--checkout", str(context.layout.checkout), "env") == 0
    script = capsys.readouterr().out + 'echo "$KUBECONFIG"; command -v ls > /dev/null; echo "${PATH%%:*}"'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == f"{context.layout.kubeconfig}\n/cache/a folder\n"


def test_env_says_nothing_of_a_cluster_that_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLUSTER", "current")
    assert run("env") == 1
    assert "Use kubectl as it is" in capsys.readouterr().err
