from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from devcluster import gobuild, tools
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.gobuild import APISERVER, COREDNS, ETCD, KIND, KUBECTL, NODE, PAUSE, Programs
from devcluster.process import Completed

GO_MOD = """module example.invalid/x

go 1.25.3

require (
\tk8s.io/kubernetes v1.34.4 // indirect
\tk8s.io/kubernetes-other v9.9.9
)

require sigs.k8s.io/kind v0.31.0
"""


def test_versions_come_from_go_mod() -> None:
    assert gobuild.pinned_version(GO_MOD, "k8s.io/kubernetes") == "v1.34.4"
    assert gobuild.pinned_version(GO_MOD, "sigs.k8s.io/kind") == "v0.31.0"
    assert gobuild.required_go(GO_MOD) == (1, 25)
    with pytest.raises(DevClusterError, match="does not require example/none"):
        gobuild.pinned_version(GO_MOD, "example/none")


@pytest.mark.parametrize("programs", gobuild.ALL, ids=lambda programs: programs.name)
def test_every_pin_is_there_and_has_its_checksums(programs: Programs) -> None:
    if programs is PAUSE:
        assert (programs.folder / "main.go").is_file()
        return
    assert re.fullmatch(r"v\d+\.\d+\.\d+", programs.version)
    assert f"{programs.pinned} {programs.version} h1:" in (programs.folder / "go.sum").read_text()


def test_all_parts_of_kubernetes_have_one_version() -> None:
    assert KUBECTL.version == APISERVER.version == NODE.version
    staging = (NODE.folder / "go.mod").read_text()
    replaced = re.findall(r"^\t(k8s\.io/\S+) => (\S+) (v\S+)$", staging, re.MULTILINE)
    assert len(replaced) > 20
    assert {version for _, _, version in replaced} == {NODE.version.replace("v1.", "v0.", 1)}
    assert all(old == new for old, new, _ in replaced)


def test_one_program_gets_its_own_name_and_several_go_into_a_folder() -> None:
    one, several = gobuild.build_argv(ETCD, Path("/out")), gobuild.build_argv(NODE, Path("/out"))
    assert one[one.index("-o") + 1] == "/out/etcd"  # its package is called v3
    assert several[several.index("-o") + 1] == "/out/"
    assert several[-5:] == [f"k8s.io/kubernetes/cmd/{name}" for name in NODE.packages]


def test_kubernetes_is_told_its_version() -> None:
    flags = gobuild.build_argv(KUBECTL, Path("/out"))[5]
    major, minor, _ = KUBECTL.version.removeprefix("v").split(".")
    assert f"version.gitVersion={KUBECTL.version}" in flags
    assert f"version.gitMajor={major}" in flags
    assert f"version.gitMinor={minor}" in flags


def test_a_build_changes_no_setting_of_go_but_by_environment(context: Context, runner) -> None:
    runner.on("go env", "go1.99.0")
    runner.on("go build", "compiling")
    folder = gobuild.ensure(context, KIND)
    build = next(call for call in runner.calls if call.line.startswith("go build"))
    assert build.cwd == KIND.folder
    assert build.env["CGO_ENABLED"] == "0"
    assert "-mod=readonly" in build.env["GOFLAGS"]
    assert Path(build.env["GOTMPDIR"]).is_relative_to(context.layout.cache)
    assert folder == context.layout.cache / "kind" / gobuild.key(KIND)
    assert list((context.layout.cache / "tmp").iterdir()) == []


def test_the_key_changes_with_the_pins_and_the_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gobuild, "MODULES", tmp_path)
    (tmp_path / "m").mkdir()
    (tmp_path / "m/go.mod").write_text("one")
    first = gobuild.key(Programs("n", "m", "", {"a": "x/a"}))
    assert gobuild.key(Programs("n", "m", "", {"a": "x/a"})) == first
    assert gobuild.key(Programs("n", "m", "", {"a": "x/b"})) != first
    (tmp_path / "m/go.mod").write_text("two")
    assert gobuild.key(Programs("n", "m", "", {"a": "x/a"})) != first


@pytest.mark.parametrize(("answer", "why"), [("go1.19.8", "the Go on PATH is 1.19"), (None, "there is no Go on PATH")])
def test_a_go_that_will_not_do_is_told_in_one_line(context: Context, runner, answer: str | None, why: str) -> None:
    if answer:
        runner.on("go env", answer)
    with pytest.raises(DevClusterError) as caught:
        gobuild.ensure(context, COREDNS)
    wanted = ".".join(map(str, gobuild.required_go((COREDNS.folder / "go.mod").read_text())))
    assert caught.value.line() == f"coredns must be built from source: {why}. Put Go {wanted} or newer on PATH."
    assert runner.lines("go build") == []


def test_a_failed_build_leaves_no_entry(context: Context, runner) -> None:
    runner.on("go env", "go1.99.0")
    runner.on("go build", Completed(1, err="no space left on device"))
    with pytest.raises(DevClusterError, match=r"Build kind v.*: failed: no space left on device\. Full log: .*go-kind"):
        gobuild.ensure(context, KIND)
    assert not context.store.path("kind", gobuild.key(KIND)).exists()


def _kubectl_version(version: str) -> str:
    return json.dumps({"clientVersion": {"gitVersion": version}})


@pytest.mark.parametrize(
    ("found", "fits"), [("v1.34.0", True), ("v1.33.9", True), ("v1.35.1", True), ("v1.32.4-x", False), ("?", False)]
)
def test_a_kubectl_one_minor_away_is_good_enough(runner, found: str, fits: bool) -> None:
    runner.on("/usr/bin/kubectl version --client --output json", _kubectl_version(found))
    assert tools.fits(runner, "kubectl", "/usr/bin/kubectl", "v1.34.4") is fits


def test_a_kubectl_that_does_not_answer_does_not_fit(runner) -> None:
    assert not tools.fits(runner, "kubectl", "/usr/bin/kubectl", "v1.34.4")
    runner.on("/usr/bin/kubectl version", "no json")
    assert not tools.fits(runner, "kubectl", "/usr/bin/kubectl", "v1.34.4")


def test_only_the_pinned_kind_fits(runner) -> None:
    runner.on("/usr/bin/kind version", "0.31.0\n")
    assert tools.fits(runner, "kind", "/usr/bin/kind", "v0.31.0")
    assert not tools.fits(runner, "kind", "/usr/bin/kind", "v0.30.0")


def test_a_tool_of_this_machine_is_used_where_it_fits(context: Context, runner) -> None:
    runner.has("kubectl", "etcd")
    runner.on("/usr/bin/kubectl version", _kubectl_version(KUBECTL.version))
    assert tools.tool(context, "kubectl") == Path("/usr/bin/kubectl")
    with pytest.raises(DevClusterError, match="etcd must be built"):  # a distribution's etcd is too old
        tools.tool(context, "etcd")


@pytest.fixture
def go(runner):
    """A Go that writes what it is asked for: a file, or one for each package in a folder."""

    def build(call) -> Completed:
        out = call.argv[call.argv.index("-o") + 1]
        packages = call.argv[call.argv.index("-o") + 2 :]
        for name in [p.rpartition("/")[2] for p in packages] if out.endswith("/") else [""]:
            Path(out, name).touch()
        return Completed(0)

    runner.on("go env", "go1.99.0")
    runner.on("go build", build)
    return runner


def test_programs_of_one_module_are_built_by_one_command(context: Context, go) -> None:
    parts = (ETCD, KUBECTL, gobuild.APISERVER, NODE)
    titles = [work.title for work in gobuild.works(context, parts)]
    found = gobuild.ensure_all(context, parts)
    assert len(go.lines("go build")) == 2
    kubernetes = go.lines("go build")[1].split()
    assert len([word for word in kubernetes if word.startswith("k8s.io/kubernetes/cmd/")]) == 7
    assert all(path.is_file() for path in found.values())
    # Each part has an entry of its own: whoever needs one of them later finds it.
    assert found["kubectl"] == context.store.path("kubectl", gobuild.key(KUBECTL)) / "kubectl"
    assert titles == [f"Build etcd {ETCD.version}", f"Build kubernetes {KUBECTL.version}"]
    assert gobuild.works(context, parts) == []
    assert gobuild.ensure_all(context, parts) == found
    assert len(go.lines("go build")) == 2


def test_what_is_there_already_is_not_built_with_the_rest(context: Context, go) -> None:
    gobuild.ensure(context, KUBECTL)
    gobuild.ensure_all(context, (KUBECTL, gobuild.APISERVER))
    assert "cmd/kubectl" not in go.lines("go build")[1]


def test_tools_are_built_once_and_then_found(context: Context, runner, go) -> None:
    paths = tools.all_tools(context)
    assert list(paths) == ["kind", "kubectl", "etcd", "kube-apiserver"]
    assert all(path.is_file() and path.name == name for name, path in paths.items())
    runner.calls.clear()
    assert tools.all_tools(context) == paths
    assert runner.calls == []
