from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from pathlib import Path

import pytest
from devcluster import debian
from devcluster.archive import inside, with_libraries, write_image
from devcluster.context import Context
from devcluster.debian import apt_sources, find_mirror
from devcluster.errors import DevClusterError
from devcluster.machine import PACKAGES, ContainerEngine

DEB822 = """Types: deb
# a comment inside
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
"""


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_both_file_formats_of_apt_are_read(apt: Path) -> None:
    (apt / "sources.list").write_text(
        "# deb http://no.example x main\ndeb [arch=amd64 x=y] http://one.example/d sid main\n"
    )
    (apt / "sources.list.d/debian.sources").write_text(DEB822)
    (apt / "sources.list.d/old.list.save").write_text("deb http://saved.example/d sid main\n")
    found = [(source.uri, source.suites) for source in apt_sources(apt)]
    assert found == [
        ("http://one.example/d", ("sid",)),
        ("http://mirror.example/debian", ("bookworm", "bookworm-updates")),
    ]


def test_the_mirror_is_the_one_that_has_the_suite_not_the_first_one(apt: Path) -> None:
    (apt / "sources.list.d/another.list").write_text("deb https://another.example/apt tools-bookworm main\n")
    (apt / "sources.list.d/debian.sources").write_text(DEB822)
    assert find_mirror("bookworm", apt, apt / "no-os-release") == "http://mirror.example/debian"


def test_a_debian_of_another_release_has_the_suite_on_the_same_mirror(apt: Path) -> None:
    (apt / "sources.list").write_text("deb http://mirror.example/debian trixie main\n")
    release = apt / "os-release"
    release.write_text('ID=debian\nVERSION_CODENAME="trixie"\n')
    assert find_mirror("bookworm", apt, release) == "http://mirror.example/debian"
    release.write_text("ID=ubuntu\nVERSION_CODENAME=trixie\n")
    with pytest.raises(DevClusterError, match="names no mirror with Debian bookworm"):
        find_mirror("bookworm", apt, release)


def test_debootstrap_runs_where_its_mounts_vanish_with_it() -> None:
    argv = debian.debootstrap_argv(debian.NODE, Path("/root-folder"), "http://mirror.example/debian")
    assert argv[0] == "unshare"
    assert {"--mount", "--pid", "--kill-child"} <= set(argv)
    assert argv[-3:] == ["bookworm", "/root-folder", "http://mirror.example/debian"]
    assert "--include=ca-certificates" in argv


def test_a_base_image_that_is_there_is_not_made(context: Context, runner) -> None:
    runner.on("podman image inspect", "abc")
    assert debian.ensure_base(context, ContainerEngine("podman")) == debian.IMAGES.reference
    assert len(runner.calls) == 1


def test_the_base_image_is_bootstrapped_and_imported(context: Context, runner, monkeypatch: pytest.MonkeyPatch) -> None:
    def bootstrap(call) -> object:
        from devcluster.process import Completed

        root = Path(call.argv[-2])
        for folder in ("var/cache/apt/archives/partial", "var/lib/apt/lists"):
            (root / folder).mkdir(parents=True)
        (root / "var/cache/apt/archives/big.deb").touch()
        return Completed(0)

    def pack(call) -> object:
        from devcluster.process import Completed

        root = Path(call.argv[2])
        assert list((root / "var/cache/apt/archives").iterdir()) == []
        return Completed(0)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(debian, "find_mirror", lambda suite: "http://mirror.example/debian")
    runner.has(*PACKAGES)
    runner.on("unshare", bootstrap)
    runner.on("tar", pack)
    runner.on("podman import")
    reference = debian.ensure_base(context, ContainerEngine("podman", {"CONTAINERS_CONF": "/c"}))
    assert re.fullmatch(r"localhost/sqlflow-base:trixie-python3\.13-[0-9a-f]{12}", reference)
    imported = runner.calls[-1]
    assert imported.argv[-1] == reference
    assert imported.env["CONTAINERS_CONF"] == "/c"
    assert Path(imported.env["TMPDIR"]).is_relative_to(context.layout.cache)
    assert list((context.layout.cache / "tmp").iterdir()) == []


def _members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {member.name: (tar.extractfile(member) or pytest.fail(member.name)).read() for member in tar}


def test_an_image_archive_is_what_docker_save_writes(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"ELF")
    archive = tmp_path / "image.tar"
    write_image(archive, "example.test/app:v1", {"/usr/local/bin/app": program}, ["/usr/local/bin/app"])
    members = _members(archive)
    (manifest,) = json.loads(members["manifest.json"])
    config = json.loads(members[manifest["Config"]])
    layer = members[manifest["Layers"][0]]
    assert manifest["RepoTags"] == ["example.test/app:v1"]
    assert manifest["Config"] == hashlib.sha256(members[manifest["Config"]]).hexdigest() + ".json"
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
    assert config["config"]["Entrypoint"] == ["/usr/local/bin/app"]
    assert config["config"]["Env"][0].startswith("PATH=/usr/local/bin:")
    (tmp_path / "layer.tar").write_bytes(layer)
    with tarfile.open(tmp_path / "layer.tar") as tar:
        (member,) = tar.getmembers()
        assert (member.name, member.mode, member.size) == ("usr/local/bin/app", 0o755, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.tar", "layer.tar", "program"]


def test_an_image_archive_is_the_same_every_time(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"ELF")
    files = {"/b": program, "/a": program}
    write_image(tmp_path / "one.tar", "x:1", files)
    os.utime(program, (0, 0))
    write_image(tmp_path / "two.tar", "x:1", dict(reversed(files.items())))
    one, two = _members(tmp_path / "one.tar"), _members(tmp_path / "two.tar")
    assert one == two


def test_links_are_followed_within_the_root(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/deep").mkdir(parents=True)
    (tmp_path / "usr/lib/deep/libx.so.1.2").write_text("x")
    (tmp_path / "usr/lib/libx.so.1").symlink_to("deep/libx.so.1.2")
    (tmp_path / "usr/lib/up.so").symlink_to("../lib/./libx.so.1")
    (tmp_path / "lib").symlink_to("/usr/lib")
    (tmp_path / "out").symlink_to("../../../../usr")
    real = tmp_path / "usr/lib/deep/libx.so.1.2"
    assert inside(tmp_path, "/lib/libx.so.1") == real
    assert inside(tmp_path, "/lib/up.so") == real
    assert inside(tmp_path, "/out/lib/up.so") == real
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="too many links"):
        inside(tmp_path, "/loop")


def test_a_program_comes_with_the_libraries_that_ldd_names(context: Context, runner, tmp_path: Path) -> None:
    listing = """
        linux-vdso.so.1 (0x00007ffd)
        libnft.so.1 => /lib/libnft.so.1 (0x00007f1)
        /lib64/ld-linux-x86-64.so.2 (0x00007f2)"""
    runner.on(f"chroot {tmp_path} ldd /usr/sbin/nft", listing)
    files = with_libraries(context, tmp_path, ["/usr/sbin/nft"])
    assert sorted(files) == ["/lib/libnft.so.1", "/lib64/ld-linux-x86-64.so.2", "/usr/sbin/nft"]
