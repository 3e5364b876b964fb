from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from devcluster import debian
from devcluster.build_context import context_digest, context_files
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.images import UPSTREAM_BASE, Build, base_image, build_argv, build_image, builder, claim
from devcluster.layers import LABEL, Note, read_note, remove_unused, used_layers, write_note
from devcluster.machine import ContainerEngine, Platform
from devcluster.pipconf import CERTIFICATES_TARGET, CONFIG_TARGET, BindMount, pip_mounts, pip_settings
from devcluster.process import Completed

PODMAN = Platform(ContainerEngine("podman", {"CONTAINERS_CONF": "/c"}), registry=False)
DOCKER = Platform(ContainerEngine("docker"), registry=True)
NAME = "localhost/app:dev"
PIP_LIST = f"{sys.executable} -m pip --disable-pip-version-check config list"


# What pip needs


def test_the_settings_of_the_environment_win_over_those_of_files(runner) -> None:
    listing = (
        ":env:.index-url='https://env.example/simple'\n:env:.cert='/ca'\nglobal.index-url='https://file.example'\n"
    )
    runner.on(PIP_LIST, listing + "global.proxy='http://proxy:1'\ninstall.no-index='false'\nnonsense\n")
    assert pip_settings(runner) == {
        "index-url": "https://env.example/simple",
        "cert": "/ca",
        "proxy": "http://proxy:1",
        "no-index": "false",
    }


def test_without_pip_there_are_no_settings(runner) -> None:
    assert pip_settings(runner) == {}
    assert pip_mounts({}, Path("/nowhere"), {}) == []


def test_a_build_sees_the_index_the_certificates_and_the_wheels(tmp_path: Path) -> None:
    ca, wheels = tmp_path / "ca.pem", tmp_path / "wheels"
    ca.touch()
    wheels.mkdir()
    (wheels / "a.whl").touch()
    settings = {"index-url": "https://x", "cert": str(ca), "find-links": str(wheels), "user": "true", "timeout": "9"}
    mounts = pip_mounts(settings, tmp_path, {})
    assert [mount.id for mount in mounts] == ["ca.crt", "wheels", "pip.conf"]
    assert mounts[2].target == CONFIG_TARGET
    text = mounts[2].source.read_text().splitlines()
    assert text[:3] == ["[global]", "index-url = https://x", "timeout = 9"]
    assert f"cert = {CERTIFICATES_TARGET}" in text
    assert not any("user" in line for line in text)


def test_certificates_of_the_environment_count_and_missing_files_do_not(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    assert next(mount.source for mount in pip_mounts({}, tmp_path, {"SSL_CERT_FILE": str(ca)})) == ca
    assert pip_mounts({"cert": "/no/such/file", "find-links": "https://x"}, tmp_path, {}) == []


# What a build is made of


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", ["a/keep/x", "a/x.pyc", "b/x", "c"]),
        ("*\n!a\n", ["a/keep/x", "a/x.pyc"]),
        ("*\n!a/keep\n", ["a/keep/x"]),
        ("*\n!b*\n", ["b/x"]),
        ("# comment\n**/*.pyc\n", ["a/keep/x", "b/x", "c"]),
        ("**/x\n!a/keep/x\n", ["a/keep/x", "a/x.pyc", "c"]),
        ("x\n/c\n", ["a/keep/x", "a/x.pyc", "b/x"]),
    ],
)
def test_an_ignore_file_counts_as_it_does_for_a_builder(text: str, seen: list[str], tmp_path: Path) -> None:
    for name in ("a/keep/x", "a/x.pyc", "b/x", "c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(context_files(tmp_path, text)) == seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    (root / "src/__pycache__").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM x")
    (root / "src/a.py").write_text("a")
    (root / "src/__pycache__/a.pyc").write_text("1")
    (root / "notes.txt").write_text("n")
    (root / ".dockerignore").write_text("*\n!src/\n**/__pycache__\n")
    return root


def test_the_digest_changes_with_what_the_build_sees_and_with_nothing_else(folder: Path) -> None:
    def now() -> str:
        return context_digest(folder, folder / "Dockerfile")

    first = now()
    (folder / "notes.txt").write_text("changed")
    (folder / "src/__pycache__/a.pyc").write_text("2")
    assert now() == first
    changes = [
        lambda: (folder / "src/a.py").write_text("b"),
        lambda: (folder / "src/a.py").chmod(0o755),
        lambda: (folder / "src/link").symlink_to("a.py"),
        lambda: (folder / "src/link").unlink() or (folder / "src/link").symlink_to("b.py"),
        lambda: (folder / "src/folder-link").symlink_to("__pycache__"),
        lambda: (folder / "Dockerfile").write_text("FROM y"),
        lambda: (folder / ".dockerignore").write_text("*\n!src/\n!notes.txt\n"),
    ]
    seen = [first]
    for change in changes:
        change()
        seen.append(now())
    assert len(set(seen)) == len(seen)


# The build


def test_a_registry_gives_the_upstream_base(context: Context, runner) -> None:
    assert base_image(context, DOCKER) == UPSTREAM_BASE
    assert runner.calls == []


def test_what_pip_needs_comes_as_secrets_where_the_dockerfile_asks_for_them(tmp_path: Path) -> None:
    file, ca = tmp_path / "Dockerfile", tmp_path / "ca"
    file.write_text("FROM x\nRUN pip install y\n")
    ca.touch()
    build = Build(NAME, Path("/context"), file, "step")
    mounts = [BindMount("ca.crt", ca, "/run/ca"), BindMount("wheels", tmp_path, "/run/wheels")]
    volumes = f"--volume {ca}:/run/ca:ro --volume {tmp_path}:/run/wheels:ro"
    secret = f"--secret id=ca.crt,src={ca}"

    podman = " ".join(build_argv(ContainerEngine("podman"), build, {"BASE": "b", "A": "1"}, mounts))
    assert podman.startswith(f"podman build --file {file} --tag {NAME} --label {LABEL} --target step ")
    options = "--build-arg A=1 --build-arg BASE=b --layers --isolation chroot --network host"
    assert podman.endswith(f"{options} {volumes} /context")
    docker = " ".join(build_argv(ContainerEngine("docker"), build, {}, mounts))
    assert docker.endswith(f"--progress plain {secret} /context")

    file.write_text("FROM x\nRUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf pip install y\n")
    asked = " ".join(build_argv(ContainerEngine("buildah"), build, {}, mounts))
    assert asked.endswith(f"--network host {secret} --volume {tmp_path}:/run/wheels:ro /context")


def test_the_builder_is_the_clusters_engine_else_buildah(context: Context, runner) -> None:
    with pytest.raises(DevClusterError, match="neither docker, podman nor buildah works here"):
        builder(context, PODMAN)
    runner.has("buildah")
    assert builder(context, PODMAN).program == "buildah"
    runner.has("podman")
    runner.on("podman info")
    assert builder(context, PODMAN) is PODMAN.engine


class Builds:
    """podman as far as images go: names, ids, and a new id for every build."""

    def __init__(self, runner) -> None:
        self.names = {debian.IMAGES.reference: "base-id"}
        self.ids = {"base-id": "base-id"}
        self.labelled: set[str] = set()
        self.built = 0
        runner.has("podman")
        for prefix in ("podman info", "podman images", "podman rmi", PIP_LIST):
            runner.on(prefix)
        runner.on("podman image inspect --format {{.Id}}", self.inspect)
        runner.on("podman image inspect --format {{index", self.label)
        runner.on("podman build", self.build)
        runner.on("podman tag", self.tag)

    def inspect(self, call) -> Completed:
        known = self.names.get(call.argv[-1]) or self.ids.get(call.argv[-1])
        return Completed(0, known) if known else Completed(1)

    def label(self, call) -> Completed:
        return Completed(0, LABEL.partition("=")[2] if call.argv[-1] in self.labelled else "")

    def build(self, call) -> Completed:
        self.built += 1
        new = f"id-{self.built}"
        self.names[call.argv[call.argv.index("--tag") + 1]] = self.ids[new] = new
        self.labelled.add(new)
        return Completed(0)

    def tag(self, call) -> Completed:
        self.names[call.argv[-1]] = call.argv[-2]
        return Completed(0)


def test_an_unchanged_image_is_not_built_again(context: Context, runner, folder: Path) -> None:
    podman = Builds(runner)
    build = Build(NAME, folder, folder / "Dockerfile")
    first = build_image(context, PODMAN, build)
    assert build_image(context, PODMAN, build) == first
    assert len(runner.lines("podman build")) == 1
    assert f"--build-arg BASE={debian.IMAGES.reference}" in runner.lines("podman build")[0]
    (folder / "src/a.py").write_text("changed")
    second = build_image(context, PODMAN, build)
    assert second != first
    del podman.ids[second]  # somebody removed it
    assert build_image(context, PODMAN, build) not in (first, second)
    podman.names[debian.IMAGES.reference] = "another base"
    build_image(context, PODMAN, build)
    assert len(runner.lines("podman build")) == 4


def test_a_base_of_the_callers_own_is_used(context: Context, runner, folder: Path) -> None:
    Builds(runner)
    build_image(context, PODMAN, Build(NAME, folder, folder / "Dockerfile", args={"BASE": "mine"}))
    assert "--build-arg BASE=mine" in runner.lines("podman build")[0]


def test_a_name_that_another_checkout_took_is_taken_back(context: Context, runner, folder: Path) -> None:
    podman = Builds(runner)
    build = Build(NAME, folder, folder / "Dockerfile")
    first = build_image(context, PODMAN, build)
    podman.names[NAME] = podman.ids["other"] = "other"
    podman.labelled.add("other")
    assert build_image(context, PODMAN, build) == first
    assert podman.names[NAME] == first
    assert len(runner.lines("podman build")) == 1


def test_an_image_that_a_person_made_by_hand_keeps_its_name(context: Context, runner, folder: Path) -> None:
    podman = Builds(runner)
    build_image(context, PODMAN, Build(NAME, folder, folder / "Dockerfile"))
    podman.names[NAME] = podman.ids["by hand"] = "by hand"
    assert claim(context, PODMAN.engine, NAME) == "by hand"
    assert runner.lines("podman tag") == []


def test_a_missing_dockerfile_is_told(context: Context, tmp_path: Path) -> None:
    with pytest.raises(DevClusterError, match=r"there is no .*Dockerfile\. Name it with --file"):
        build_image(context, PODMAN, Build(NAME, tmp_path, tmp_path / "Dockerfile"))


def test_a_failed_build_is_told_with_its_log_and_built_again(context: Context, runner, folder: Path) -> None:
    podman = Builds(runner)
    runner.on("podman build", Completed(1, err="error: no such package"))
    runner.on("podman images")
    runner.on("podman ps")
    build = Build(NAME, folder, folder / "Dockerfile")
    with pytest.raises(DevClusterError, match=r"no such package\. Full log: .*image-app-dev\.log"):
        build_image(context, PODMAN, build)
    runner.on("podman build", podman.build)
    assert build_image(context, PODMAN, build) == podman.names[NAME]


def test_after_a_kill_only_our_own_working_containers_go(context: Context, runner, folder: Path) -> None:
    podman = Builds(runner)
    cache = context.layout.cache
    folder_for_builds = cache / "builder/image"
    (folder_for_builds / "buildah-cache/wheels").mkdir(parents=True)
    (folder_for_builds / "buildah123").mkdir()
    (folder_for_builds / "unfinished").touch()
    runner.on("podman images --all --quiet --no-trunc --filter label=", "sha256:layer-1\nsha256:layer-2\n")
    listing = "c1 layer-1 Storage\nc2 base-id Storage\nc3 foreign Storage\nc4 layer-2 Up 3 minutes ago\n"
    runner.on("podman ps --all --external", listing)
    runner.on("podman rm")
    build_image(context, PODMAN, Build(NAME, folder, folder / "Dockerfile"))
    assert runner.lines("podman rm") == ["podman rm --force c1", "podman rm --force c2"]
    assert [path.name for path in folder_for_builds.iterdir()] == ["buildah-cache"]
    runner.calls.clear()
    podman.ids.clear()
    build_image(context, PODMAN, Build(NAME, folder, folder / "Dockerfile"))
    assert runner.lines("podman ps") == []


def test_a_build_gets_the_engines_environment_and_keeps_temporary_files_in_the_cache(
    context: Context, runner, folder: Path
) -> None:
    Builds(runner)
    build_image(context, PODMAN, Build(NAME, folder, folder / "Dockerfile"))
    call = next(call for call in runner.calls if call.line.startswith("podman build"))
    assert call.env["CONTAINERS_CONF"] == "/c"
    assert Path(call.env["TMPDIR"]).is_relative_to(context.layout.cache)
    assert LABEL in call.argv
    assert [word for word in call.argv if word.startswith("BASE=")] == [f"BASE={debian.IMAGES.reference}"]
    assert call.argv.count("--build-arg") == 1
    assert "--env" not in call.argv


# Layers


LOG = """[1/2] STEP 1/3: FROM base AS a
[1/2] STEP 2/3: RUN echo '--> 0123456789ab not a layer'
--> Using cache aaaaaaaaaaaa1111
--> aaaaaaaaaaaa
[1/2] STEP 3/3: RUN y
--> bbbbbbbbbbbb
Successfully tagged localhost/app:dev
"""


def test_the_log_of_a_build_names_the_layers_that_it_used(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LOG)
    assert used_layers(tmp_path / "log") == ("aaaaaaaaaaaa1111", "aaaaaaaaaaaa", "bbbbbbbbbbbb")


def test_only_nameless_layers_that_no_build_uses_are_removed(context: Context, runner) -> None:
    write_note(context, NAME, Note("inputs", "sha256:image", ("aaaa", "bbbb")))
    write_note(context, "localhost/other:dev", Note("inputs", "sha256:other", ("cccc",)))
    rows = ["image <none>", "bbbb11 <none>", "dddd22 <none>", "old localhost/app", "cccc33 <none>", "eeee44 <none>"]
    runner.on("podman images --all --no-trunc", "".join(f"sha256:{row}\n" for row in rows))
    runner.on("podman rmi")
    remove_unused(context, PODMAN.engine)
    assert runner.lines("podman rmi") == ["podman rmi --no-prune dddd22 eeee44"]


def test_where_no_note_is_left_nothing_is_kept(context: Context, runner) -> None:
    write_note(context, NAME, Note("inputs", "sha256:image", ("aaaa",)))
    (path,) = (context.layout.cache / "builds").iterdir()
    os.utime(path, (0, 0))  # not asked for since 1970
    runner.on("podman images --all --no-trunc", "sha256:aaaa <none>\n")
    runner.on("podman rmi")
    remove_unused(context, PODMAN.engine)
    assert runner.lines("podman rmi") == ["podman rmi --no-prune aaaa"]
    assert not path.exists()


def test_a_note_that_cannot_be_read_is_none(context: Context) -> None:
    write_note(context, NAME, Note("inputs", "id"))
    assert read_note(context, NAME) == Note("inputs", "id")
    (path,) = (context.layout.cache / "builds").iterdir()
    path.write_text('{"of": "an older version"}')
    assert read_note(context, NAME) is None


def test_a_failed_listing_removes_nothing(context: Context, runner) -> None:
    remove_unused(context, PODMAN.engine)
    assert runner.lines("podman rmi") == []
