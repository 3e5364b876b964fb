"""The pictures of TO EXPLAIN: which there are, that they are PNG files, and that they are the same each time."""

from __future__ import annotations

import base64
import struct

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import Ran, fail, succeed

LISTED = "sepal_length, sepal_width, petal_length, petal_width"
TRAIN = f"""
SELECT {LISTED}, species FROM train
TO TRAIN xgboost.gbtree WITH train.num_boost_round=3 LABEL species INTO flowers;
"""
LOGISTIC = f"""
SELECT {LISTED}, class FROM train WHERE class < 2
TO TRAIN xgboost.gbtree WITH objective="binary:logistic", train.num_boost_round=3 LABEL class INTO flowers;
"""
EXPLAIN = "SELECT * FROM test TO EXPLAIN flowers"


def pictures(ran: Ran) -> list[tuple[str, bytes]]:
    """Title and content of each picture, which must be a PNG file."""
    records = ran.of("image")
    assert all(record["media_type"] == "image/png" for record in records)
    found = [(record["title"], base64.b64decode(record["data"])) for record in records]
    for _, content in found:
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        assert content.endswith(b"IEND\xaeB`\x82")
    return found


def size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG file in pixels."""
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def explain(database: Database, clause: str = "", train: str = TRAIN) -> list[tuple[str, bytes]]:
    return pictures(succeed(database, f"{train} {EXPLAIN} {clause};"))


def test_bars_of_all_classes_are_the_default(iris_sqlite: Database) -> None:
    ((title, content),) = explain(iris_sqlite)
    assert title == "flowers, version 1: contributions to the log-odds of each class (30 rows)"
    assert size(content)[0] > 600


def test_dots_of_the_second_of_two_classes(iris_sqlite: Database) -> None:
    ((title, _),) = explain(iris_sqlite, train=LOGISTIC)
    assert title == "flowers, version 1: contributions to the log-odds of class 1 (30 rows)"


@pytest.mark.parametrize(
    ("clause", "titles"),
    [
        ("WITH summary.plot_type='dot'", ["class setosa (", "class versicolor (", "class virginica ("]),
        ("WITH summary.plot_type='violin', explain.class='setosa'", ["class setosa ("]),
        ("WITH summary.plot_type='layered_violin', explain.class='setosa'", ["class setosa ("]),
        ("WITH summary.plot_type='decision', explain.class='setosa', summary.link='logit'", ["class setosa ("]),
        (
            "WITH summary.plot_type='bar', summary.alpha=1, summary.sort=True, summary.max_display=2 "
            "USING TreeExplainer",
            ["each class ("],
        ),
        ("WITH summary.plot_type='bar', summary.color='viridis'", ["each class ("]),
        (
            "WITH summary.plot_type='waterfall'",
            [f"row {n}: contributions to the log-odds of class" for n in range(1, 6)],
        ),
        ("WITH summary.plot_type='force'", [f"row {n}: contributions to the log-odds of class" for n in range(1, 6)]),
    ],
)
def test_types(iris_sqlite: Database, clause: str, titles: list[str]) -> None:
    found = explain(iris_sqlite, clause)
    assert len(found) == len(titles)
    for (title, _), expected in zip(found, titles, strict=True):
        assert expected in title


def test_rows_that_are_shown_are_the_first_of_the_select(iris_sqlite: Database) -> None:
    """In its order: the classes of the rows are those that are predicted."""
    text = TRAIN + (
        "SELECT * FROM test ORDER BY class DESC, petal_length DESC LIMIT 2 TO EXPLAIN flowers "
        "WITH summary.plot_type='waterfall'; SELECT * FROM test ORDER BY class LIMIT 1 TO EXPLAIN flowers "
        "WITH summary.plot_type='waterfall'"
    )
    titles = [title for title, _ in pictures(succeed(iris_sqlite, text))]
    assert [title.rpartition(" ")[2] for title in titles] == ["virginica", "virginica", "setosa"]


def test_the_same_rows_make_the_same_picture(iris_sqlite: Database) -> None:
    clause = "WITH summary.plot_type='dot', explain.class='virginica'"
    first = explain(iris_sqlite, clause)
    turned = f"SELECT * FROM test ORDER BY petal_length DESC TO EXPLAIN flowers {clause}"
    assert pictures(succeed(iris_sqlite, turned)) == first
    assert b"tIME" not in first[0][1], "no time in the file"


def test_pictures_beside_a_table_only_if_asked_for(iris_sqlite: Database) -> None:
    assert explain(iris_sqlite, "INTO why") == []
    found = pictures(succeed(iris_sqlite, f"{EXPLAIN} WITH summary.plot_type='bar' INTO why; SELECT * FROM why"))
    assert len(found) == 1
    assert iris_sqlite.execute("SELECT count(*) FROM why") == [(30,)]


def test_importances(iris_sqlite: Database) -> None:
    clause = "WITH summary.max_display=2, summary.plot_type='bar' USING XGBoostExplainer INTO why"
    ((title, _),) = explain(iris_sqlite, clause)
    assert title == "flowers, version 1: mean gain of a split"
    assert iris_sqlite.execute("SELECT count(*) FROM why") == [(4,)]


def test_two_hundred_columns_with_long_names(sqlite: Database) -> None:
    """Pictures show the first twenty, and stay of a size that a log takes."""
    names = [f"a_rather_long_name_of_a_column_${number}$_{number}" for number in range(200)]
    columns = ", ".join(f'"{name}" REAL' for name in names)
    rows = ", ".join(str((*((n * (k + 3)) % 17 / 17 for k in range(200)), n % 5)) for n in range(60))
    text = (
        f"CREATE TABLE wide ({columns}, y REAL); INSERT INTO wide VALUES {rows};"
        "SELECT * FROM wide TO TRAIN xgboost.gbtree WITH objective='reg:squarederror' LABEL y INTO m;"
        "SELECT * FROM wide TO EXPLAIN m; SELECT * FROM wide TO EXPLAIN m WITH summary.max_display=100;"
    )
    few, many = (content for _, content in pictures(succeed(sqlite, text)))
    assert size(many)[1] > 3 * size(few)[1]
    assert len(many) < 512 * 1024
    assert max(size(many)) < 8000


@pytest.mark.parametrize(
    ("clause", "message"),
    [
        ("WITH summary.color='no colour', summary.plot_type='bar'", "the picture cannot be drawn"),
        ("WITH summary.plot_type='decision', summary.xlim=['a', 'b'], explain.class='setosa'", "cannot be drawn"),
    ],
)
def test_attributes_that_matplotlib_refuses(iris_sqlite: Database, clause: str, message: str) -> None:
    error = fail(iris_sqlite, f"{TRAIN} {EXPLAIN} {clause}")
    assert message in error.message
    assert error.kind == "estimator"


def test_characters_that_the_font_lacks(sqlite: Database) -> None:
    text = (
        'CREATE TABLE t ("花びら" REAL, y REAL); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3);'
        "SELECT * FROM t TO TRAIN xgboost.gbtree WITH objective='reg:squarederror' LABEL y INTO m;"
        "SELECT * FROM t TO EXPLAIN m"
    )
    ran = succeed(sqlite, text)
    assert len(pictures(ran)) == 1
    assert "font lacks some characters" in ran.logged


def test_a_random_choice_of_many_rows_is_said(iris_sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlflow_runtime.ml.shap_values.Explainer.picture_rows", 10)
    ran = succeed(iris_sqlite, f"{TRAIN} {EXPLAIN}")
    assert "pictures show a random choice of 10 of 30 rows" in ran.logged
    assert pictures(ran)[0][0].endswith("(10 rows)")


def test_pictures_of_a_step_are_limited(iris_sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that the kubelet rotates would lose rows."""
    monkeypatch.setattr("sqlflow_runtime.recorder.STEP_IMAGE_LIMIT", 60 * 1024)
    ran = succeed(iris_sqlite, f"{TRAIN} {EXPLAIN} WITH summary.plot_type='dot'")
    assert len(ran.of("image")) == 1
    assert ran.logged.count("a picture is not shown (flowers, version 1") == 2
