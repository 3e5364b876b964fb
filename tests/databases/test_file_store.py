"""Models at an fsspec URL: a folder, and a bucket of a real S3-compatible server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.model_store import METADATA_FORMAT, ModelStore
from sqlflow_runtime.model_store.file_store import FileStore

from tests.databases.harness import fail, run_program, run_step, succeed
from tests.support.s3_server import S3Server, s3_server

PLAIN = {"format": METADATA_FORMAT}
TRAIN = "SELECT sepal_length, petal_length, species FROM train TO TRAIN {} LABEL species INTO m"
PREDICT = "SELECT sepal_length, petal_length FROM test TO PREDICT p.species USING m"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty store."""
    if request.param == "folder":
        return str(tmp_path / "models")
    server: S3Server = request.getfixturevalue("s3")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{server.new_bucket()}/some/folder"


@pytest.fixture
def store(url: str) -> ModelStore:
    return FileStore(url)


def test_what_is_stored_comes_back(store: ModelStore) -> None:
    content = bytes(range(256)) * 10_000
    metadata = {**PLAIN, "a": "it's \\ {{x}} 😀", "b": 1.0}
    store.prepare()
    assert store.save("shop.churn", metadata, content) == 1
    found = store.load("shop.churn")
    assert (found.name, found.version, found.metadata, found.content, found.size) == (
        "shop.churn", 1, metadata, content, len(content),
    )  # fmt: skip
    assert store.describe("shop.churn:1").metadata == metadata
    assert store.describe("shop.churn:1").content == b""


def test_versions(store: ModelStore) -> None:
    for number in (1, 2, 3):
        assert store.save("m", PLAIN, b"%d" % number) == number
    assert store.load("m").content == b"3"
    assert store.load("m:1").content == b"1"
    assert store.save("M", PLAIN, b"other") == 1, "case matters"
    assert [one.reference for one in store.versions()] == ["M:1", "m:1", "m:2", "m:3"]
    assert [one.reference for one in store.versions("m")] == ["m:1", "m:2", "m:3"]


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../../etc/passwd", "é" * 200, "x" * 253, "a b", "%2E", "*"])
def test_names_are_only_names(store: ModelStore, name: str) -> None:
    assert store.save(name, PLAIN, name.encode()) == 1
    assert store.load(name).content == name.encode()
    assert [one.name for one in store.versions()] == [name]


def test_delete(store: ModelStore) -> None:
    for content in (b"same", b"same", b"other"):
        store.save("m", PLAIN, content)
    assert store.delete("m:1") == 1
    assert store.load("m:2").content == b"same", "two versions share their content"
    assert store.save("m", PLAIN, b"next") == 4
    assert store.delete("m") == 3
    assert store.versions() == []
    with pytest.raises(RunError, match="there is no model m"):
        store.delete("m")


def test_what_is_not_there(store: ModelStore) -> None:
    with pytest.raises(RunError, match="there is no model churn") as caught:
        store.load("churn")
    assert caught.value.kind == "model"
    store.save("churn_2", PLAIN, b"")
    with pytest.raises(RunError) as caught:
        store.load("churn_")
    assert "churn_2" in caught.value.hint
    with pytest.raises(RunError) as caught:
        store.load("churn_2:7")
    assert "no such version" in caught.value.hint


def test_trainings_that_end_at_once_get_versions_of_their_own(url: str) -> None:
    def save(number: int) -> int:
        return FileStore(url).save("m", {**PLAIN, "number": number}, b"x" * 100_000)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(save, range(6))) == [1, 2, 3, 4, 5, 6]
    assert {one.metadata["number"] for one in FileStore(url).versions("m")} == set(range(6))


def test_an_attempt_that_is_repeated_adds_no_second_version(store: ModelStore) -> None:
    assert store.save("m", PLAIN, b"1", key="run/1") == 1
    assert store.save("m", PLAIN, b"1", key="run/2") == 2
    assert store.save("m", PLAIN, b"1", key="run/1") == 1
    assert len(store.versions()) == 2


def test_damage_is_found(url: str) -> None:
    store = FileStore(url)
    store.save("m", {**PLAIN, "rows": 120}, b"content")
    files, root = store._files, store._root
    (entry,) = files.glob(f"{root}/m/*.json")
    written = files.cat_file(entry)
    for damage in (b"", b"[]", b"{}", written.replace(b"120", b"121"), written.replace(b'"size": 7', b'"size": 8')):
        files.pipe_file(entry, damage)
        with pytest.raises(RunError, match="is damaged"):
            store.load("m")
    assert [one.metadata for one in store.versions("m")] != []
    files.pipe_file(entry, written)
    (content,) = files.glob(f"{root}/m/*.model")
    files.pipe_file(content, b"CONTENT")
    with pytest.raises(RunError, match="SHA-256"):
        store.load("m")
    files.rm_file(content)
    with pytest.raises(RunError, match="its content is gone"):
        store.load("m")


def test_a_bucket_that_is_not_there(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RunError) as caught:
        FileStore("s3://nowhere-at-all/x").save("m", PLAIN, b"")
    assert caught.value.kind in ("model", "connection")
    assert "s3://nowhere-at-all/x" in caught.value.message


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, s3: S3Server) -> None:
    for name, value in {**s3.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(RunError) as caught:
        FileStore("s3://models/x").load("m")
    assert (caught.value.kind, "cannot be reached" in caught.value.message) == ("connection", True)


def test_a_url_that_nothing_serves() -> None:
    with pytest.raises(RunError, match="cannot be stored at nosuch://x") as caught:
        FileStore("nosuch://user:secret@x")
    assert caught.value.kind == "usage"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="cannot be written"):
        FileStore(str(tmp_path / "models")).prepare()


def test_a_file_where_the_folder_should_be(iris_sqlite: Database, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "models").write_text("")
    monkeypatch.setenv("SQLFLOW_MODEL_STORE", str(tmp_path / "models"))
    error = fail(iris_sqlite, TRAIN.format("xgboost.gbtree"))
    assert str(tmp_path / "models") in error.message
    assert error.hint


def test_statements_use_the_store(iris: Database, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLFLOW_MODEL_STORE", url)
    evaluate = "SELECT sepal_length, petal_length, species FROM test TO EVALUATE m LABEL species INTO e"
    succeed(iris, ";".join((TRAIN.format("xgboost.gbtree"), PREDICT, evaluate, "SHOW TRAIN m")))
    assert iris.execute("SELECT count(*) FROM p") == [(30,)]
    assert not iris.has_own_table("sqlflow_models")
    assert [one.reference for one in FileStore(url).versions()] == ["m:1"]
    assert "there is no model m2" in fail(iris, PREDICT.replace("USING m", "USING m2")).message


def test_a_run_that_is_repeated_adds_no_second_version(
    iris_sqlite: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step was killed when the model was in the bucket and the ledger's row was not committed."""
    monkeypatch.setenv("SQLFLOW_MODEL_STORE", url)
    succeed(iris_sqlite, TRAIN.format("xgboost.gbtree"), run="r1")
    iris_sqlite.execute("DELETE FROM sqlflow_ledger")
    assert run_program(iris_sqlite, TRAIN.format("xgboost.gbtree"), run="r1").of("model")[0]["version"] == 1
    assert run_program(iris_sqlite, TRAIN.format("xgboost.gbtree"), run="r2").of("model")[0]["version"] == 2


def test_a_step_of_its_own(iris_sqlite: Database, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLFLOW_MODEL_STORE", url)
    database = next(row[2] for row in iris_sqlite.execute("PRAGMA database_list"))
    ran = run_step(
        tmp_path,
        f"sqlite:///{database}",
        TRAIN.format("xgboost.gbtree") + ";" + PREDICT,
        "--statements",
        "1-2",
        dialect="sqlite",
    )
    assert (ran.code, [record["version"] for record in ran.of("model")]) == (0, [1])
    assert FileStore(url).describe("m").metadata["rows"] == 120


def test_plain_sql_never_loads_a_file_system(tmp_path: Path) -> None:
    program = (
        "import sys, sqlflow_runtime.execute, sqlflow_runtime.plain\n"
        "print([name for name in ('fsspec', 's3fs', 'numpy') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout.replace("'", '"')) == []
