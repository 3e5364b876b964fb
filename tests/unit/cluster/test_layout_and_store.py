from __future__ import annotations

import io
import multiprocessing
import re
import threading
from pathlib import Path

import pytest
from devcluster.layout import CLUSTER_FOLDER, Layout, digest, tree_digest
from devcluster.progress import Reporter
from devcluster.store import Store, locked, write_atomically


def test_the_cluster_is_named_after_the_path_of_its_checkout(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    names = {Layout.default(path).name for path in (one, two, one)}
    assert len(names) == 2
    assert all(re.fullmatch(r"sqlflow-[0-9a-f]{8}", name) for name in names)


def test_a_checkout_reached_by_a_link_is_the_same_checkout(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    assert Layout.default(link).name == Layout.default(real).name


def test_what_belongs_to_one_checkout_lies_in_it_and_what_is_shared_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere/cache")
    layout = Layout.default()
    assert layout.checkout == CLUSTER_FOLDER.parent
    assert layout.kubeconfig.parent == layout.checkout / ".state"
    assert layout.record.parent == layout.checkout / ".state"
    assert layout.cache == Path("/somewhere/cache/sqlflow-devcluster")
    assert layout.logs.is_relative_to(layout.cache)


def test_a_digest_tells_its_parts_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("a") == digest(b"a")
    assert re.fullmatch(r"[0-9a-f]{12}", digest("x"))


def test_a_tree_digest_changes_with_name_content_and_mode(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("x")
    seen = {tree_digest([tmp_path])}
    file.write_text("y")
    seen.add(tree_digest([tmp_path]))
    file.chmod(0o755)
    seen.add(tree_digest([tmp_path]))
    file.rename(tmp_path / "b")
    seen.add(tree_digest([tmp_path]))
    assert len(seen) == 4


@pytest.fixture
def store(tmp_path: Path, reporter: Reporter) -> Store:
    return Store(tmp_path / "cache", reporter)


def test_an_entry_is_made_once(store: Store) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("x")

    first, second = store.ensure("name", "key", make), store.ensure("name", "key", make)
    assert first == second == store.root / "name" / "key"
    assert (first / "file").read_text() == "x"
    assert len(made) == 1
    assert store.ensure("name", "other", make) != first


def test_an_entry_that_fails_half_way_is_absent_and_made_anew(store: Store) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError):
        store.ensure("name", "key", fail)
    assert not store.path("name", "key").exists()
    assert list((store.root / "tmp").iterdir()) == []
    whole = store.ensure("name", "key", lambda folder: (folder / "whole").touch())
    assert [path.name for path in whole.iterdir()] == ["whole"]


def _die_half_way(root: Path) -> None:
    import os
    import signal

    def make(folder: Path) -> None:
        (folder / "half").touch()
        os.kill(os.getpid(), signal.SIGKILL)

    Store(root, Reporter()).ensure("name", "key", make)


def test_a_process_killed_half_way_leaves_no_lock_and_nothing_half(store: Store) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_die_half_way, args=(store.root,))
    process.start()
    process.join(60)
    assert process.exitcode == -9
    assert (store.root / "tmp/name-key/half").exists()
    whole = store.ensure("name", "key", lambda folder: (folder / "whole").touch())
    assert [path.name for path in whole.iterdir()] == ["whole"]
    assert list((store.root / "tmp").iterdir()) == []


def test_two_at_once_make_an_entry_once(store: Store) -> None:
    made: list[int] = []
    inside, go_on = threading.Event(), threading.Event()

    def make(folder: Path) -> None:
        made.append(1)
        inside.set()
        assert go_on.wait(30)

    threads = [threading.Thread(target=store.ensure, args=("name", "key", make)) for _ in range(2)]
    threads[0].start()
    assert inside.wait(30)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert made == [1]


def test_who_waits_for_a_lock_says_for_what(
    tmp_path: Path, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, titles, waiting = tmp_path / "lock", list[str](), threading.Event()
    step = reporter.step

    def spy(title: str):
        titles.append(title)
        waiting.set()
        return step(title)

    def wait() -> None:
        with locked(path, "a thing", reporter):
            pass

    monkeypatch.setattr(reporter, "step", spy)
    with locked(path, "a thing", reporter):
        thread = threading.Thread(target=wait)
        thread.start()
        assert waiting.wait(30)
    thread.join(30)
    assert not thread.is_alive()
    assert titles[0].startswith("Waiting for process ")
    assert titles[0].endswith("which is busy with a thing")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder" / "file"
    write_atomically(path, "one")
    assert path.stat().st_mode & 0o777 == 0o600

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "two")
    assert path.read_text() == "one"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_the_size_of_the_cache_counts_every_file(store: Store, screen: io.StringIO) -> None:
    assert store.size() == 0
    store.ensure("name", "key", lambda folder: (folder / "file").write_bytes(b"12345"))
    assert store.size() >= 5
