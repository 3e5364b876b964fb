"""`sqlflow models` as a person calls it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.unit.cli.test_run import sqlflow

SCHEMA = "CREATE TABLE flowers AS SELECT range AS size, range % 2 AS kind FROM range(40);"
TRAIN = "SELECT size, kind FROM flowers TO TRAIN {} LABEL kind INTO {};"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with two versions of `m` and one of `shop.n`."""
    found = f"duckdb:///{tmp_path_factory.mktemp('models')}/m.duckdb"
    text = SCHEMA + "".join(
        (
            TRAIN.format("xgboost.XGBClassifier WITH max_depth=2, n_estimators=3", "m"),
            TRAIN.format("xgboost.XGBClassifier WITH max_depth=3, n_estimators=3", "m"),
            TRAIN.format("sklearn.naive_bayes.GaussianNB", "shop.n"),
        )
    )
    ran = sqlflow("run", "-", "--database", found, text=text)
    assert ran.returncode == 0, ran.stderr
    return found


def models(*arguments: str | Path, url: str = "", **env: str) -> str:
    ran = sqlflow("models", *arguments, *(("--database", url) if url else ()), **env)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def cells(line: str) -> list[str]:
    return [part.strip() for part in line.replace("┃", "│").split("│")]


def test_list(url: str) -> None:
    lines = models("list", url=url).splitlines()
    assert cells(lines[0]) == ["model", "version", "estimator", "rows", "metrics", "created", "bytes"]
    assert [cells(line)[:4] for line in lines[2:]] == [
        ["m", "2", "xgboost.XGBClassifier", "40"],
        ["shop.n", "1", "sklearn.naive_bayes.GaussianNB", "40"],
    ]
    assert [cells(line)[1] for line in models("list", "m", url=url).splitlines()[2:]] == ["1", "2"]


def test_show(url: str) -> None:
    found = dict(cells(line)[:2] for line in models("show", "m:1", url=url).splitlines() if "│" in line)
    assert found["estimator"] == "xgboost.XGBClassifier"
    assert found["classes"] == "0, 1"
    assert found["WITH max_depth"] == "2"
    assert found["library xgboost"].count(".") == 2
    assert found["statement"].startswith("SELECT size, kind FROM flowers")


def test_compare_shows_what_differs(url: str) -> None:
    lines = [cells(line) for line in models("compare", "m:1", "m:2", url=url).splitlines()]
    assert lines[0] == ["", "m:1", "m:2"]
    found = {line[0]: line[1:] for line in lines}
    assert found["WITH max_depth"] == ["2", "3"]
    assert "rows" not in found
    assert "metric train-logloss" in found
    assert "WITH max_depth" not in models("compare", "m:1", "m:1", url=url)
    assert "rows" in models("compare", "m:1", "m:1", "--all", url=url)


def test_json(url: str) -> None:
    (only,) = json.loads(models("list", "shop.n", "--format", "json", url=url))
    assert (only["name"], only["version"], only["metadata"]["rows"]) == ("shop.n", 1, 40)
    assert json.loads(models("show", "shop.n", "--format", "json", url=url)) == only
    assert json.loads(models("compare", "m", "shop.n", "--format", "json", url=url))[1] == only


def test_from_a_database_to_files_and_back(url: str, tmp_path: Path) -> None:
    archive, folder = tmp_path / "m.zip", str(tmp_path / "store")
    models("export", "m:1", archive, url=url)
    with zipfile.ZipFile(archive) as found:
        assert found.namelist() == ["metadata.json", "model.json"]
        assert json.loads(found.read("model.json"))["learner"]
    assert models("import", archive, "--store", folder) == "m, version 1\n"
    assert (
        models("import", archive, "--store", folder, "--name", "other", SQLFLOW_DATABASE_URL=url)
        == "other, version 1\n"
    )
    stored = json.loads(models("show", "m", "--store", folder, "--format", "json"))
    assert stored["metadata"] == json.loads(models("show", "m:1", "--format", "json", url=url))["metadata"]
    predict = "SELECT size FROM flowers TO PREDICT result.kind USING other; SELECT count(*) FROM result"
    ran = sqlflow("run", "-", "--database", url, text=predict, SQLFLOW_MODEL_STORE=folder)
    assert ran.returncode == 0, ran.stdout
    assert models("delete", "m", "--yes", "--store", folder) == "1 version deleted\n"
    assert [one["name"] for one in json.loads(models("list", "--store", folder, "--format", "json"))] == ["other"]


def test_an_exported_model_is_the_librarys_own(url: str, tmp_path: Path) -> None:
    import skops.io

    models("export", "shop.n", tmp_path / "n.zip", url=url)
    with zipfile.ZipFile(tmp_path / "n.zip") as found:
        estimator = skops.io.loads(found.read("model.skops"))
    assert type(estimator).__name__ == "GaussianNB"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["list"], 2, "neither a database nor a model store is named"),
        (["list", "nope", "--database", "{url}"], 1, "there is no model nope"),
        (["show", "m:9", "--database", "{url}"], 1, "no such version"),
        (["show", "M", "--database", "{url}"], 1, "Did you mean"),
        (["compare", "m", "--database", "{url}"], 2, "compare needs two models"),
        (["delete", "m", "--database", "{url}"], 2, "Add --yes"),
        (["export", "m", "{folder}", "--database", "{url}"], 2, "directory"),
        (["export", "m", "{folder}/no/such.zip", "--database", "{url}"], 2, "cannot be written"),
        (["import", "{folder}/no.zip", "--database", "{url}"], 2, "cannot be read"),
        (["import", __file__, "--database", "{url}"], 2, "holds no model"),
        (["list", "--database", "postgresql://ann:secret@127.0.0.1:1/x"], 3, "127.0.0.1"),
        (["list", "--database", "nosuch://x"], 2, "nosuch"),
        (["list", "--store", "nosuch://ann:secret@x"], 2, "cannot be stored at nosuch://x"),
    ],
)
def test_mistakes(url: str, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    ran = sqlflow("models", *(one.format(url=url, folder=tmp_path) for one in arguments))
    assert (ran.returncode, words in ran.stderr) == (code, True), ran.stderr
    assert "secret" not in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_existing_file_is_left_alone(url: str, tmp_path: Path) -> None:
    (tmp_path / "m.zip").write_text("mine")
    ran = sqlflow("models", "export", "m", tmp_path / "m.zip", "--database", url)
    assert (ran.returncode, "exists already" in ran.stderr) == (2, True)
    assert (tmp_path / "m.zip").read_text() == "mine"


def test_a_damaged_archive_is_not_imported(url: str, tmp_path: Path) -> None:
    models("export", "m", tmp_path / "m.zip", url=url)
    with zipfile.ZipFile(tmp_path / "m.zip") as found:
        metadata = json.loads(found.read("metadata.json"))
        content = found.read("model.json")
    metadata["metadata"]["features"] *= 2
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        bad.writestr("metadata.json", json.dumps(metadata))
        bad.writestr("model.json", content)
    ran = sqlflow("models", "import", tmp_path / "bad.zip", "--database", url)
    assert (ran.returncode, "damaged" in ran.stderr) == (1, True), ran.stderr
