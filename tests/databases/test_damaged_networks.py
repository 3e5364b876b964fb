"""Stored networks that are not what TRAIN stored: refused with a reason, before anything of them runs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.features import Numeric
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.metadata import ModelMetadata
from sqlflow_runtime.step_context import StepContext

from tests.databases.harness import fail, run_step

COLUMNS = ("a", "b")


@pytest.fixture(scope="module")
def stored() -> bytes:
    """A network of two numbers and three classes, as it is stored."""
    from sqlflow_runtime.ml.neural import archive
    from sqlflow_runtime.ml.neural.backend import keras, quiet

    with quiet():
        inputs = keras.Input((2,), name="numbers")
        return archive.dump(keras.Model({"numbers": inputs}, keras.layers.Dense(3, name="output")(inputs)))


def metadata(classes: int = 3, features: tuple[str, ...] = COLUMNS) -> ModelMetadata:
    return ModelMetadata(
        estimator="DNNClassifier",
        task="classification",
        features=tuple(map(Numeric, features)),
        label=Label("y", "int", tuple(range(classes))),
        columns=[Column(name, "REAL", "float") for name in (*features, "y")],
    )


def changed(content: bytes, change: Callable[[dict[str, bytes]], None], compression: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def configured(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    def apply(members: dict[str, bytes]) -> None:
        config = json.loads(members["config.json"])
        change(next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Dense"))
        members["config.json"] = json.dumps(config).encode()

    return apply


def refusal(content: bytes, known: ModelMetadata) -> str:
    from sqlflow_runtime.ml.neural.models import load

    with pytest.raises(RunError) as caught:
        load(content, known)
    assert caught.value.kind == "model"
    assert "Train it again" in caught.value.hint
    return caught.value.message


def test_a_network_is_read_back(stored: bytes) -> None:
    import numpy as np
    from sqlflow_runtime.ml.neural.models import load

    assert load(stored, metadata()).predict(np.zeros((4, 2))).shape == (4,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (configured(lambda layer: layer.update(class_name="Lambda")), "holds the layer 'Lambda'"),
        (configured(lambda layer: layer.update(class_name="TFSMLayer")), "holds the layer 'TFSMLayer'"),
        (configured(lambda layer: layer.update(class_name="StringLookup")), "holds the layer 'StringLookup'"),
        (configured(lambda layer: layer["config"].update(units=10**9)), "has units 1000000000"),
        (configured(lambda layer: layer["config"].update(units="3")), "has units '3'"),
        (configured(lambda layer: layer["config"].update(units=4)), "is damaged, or cannot be read by Keras"),
        (lambda members: members.update({"assets/x.py": b"1"}), "other members"),
        (lambda members: members.pop("model.weights.h5"), "other members"),
        (lambda members: members.update({"config.json": b"no JSON"}), "is damaged"),
        (lambda members: members.update({"model.weights.h5": b"\x89HDF\r\n\x1a\n"}), "is damaged"),
    ],
)
def test_what_was_changed(stored: bytes, change: Callable[[dict[str, bytes]], None], message: str) -> None:
    assert message in refusal(changed(stored, change), metadata())


def test_an_archive_that_would_grow(stored: bytes) -> None:
    assert "is compressed" in refusal(changed(stored, lambda _: None, zipfile.ZIP_DEFLATED), metadata())
    assert "no .keras file" in refusal(stored[:200], metadata())


def test_a_network_of_other_metadata(stored: bytes) -> None:
    assert "its classes are 3, not the 4 of the label" in refusal(stored, metadata(classes=4))
    assert "its number of features" in refusal(stored, metadata(features=("a", "b", "c")))


def test_an_image_without_neural_networks(iris_sqlite: Database, tmp_path: Any) -> None:
    """As in `step-slim`: the first statement runs, the second says what is missing."""
    text = (
        "SELECT 1; SELECT sepal_length, class FROM train TO TRAIN DNNClassifier WITH model.hidden_units=[2] "
        "LABEL class INTO m"
    )
    without = "import sys; sys.modules['keras'] = None"
    ran = run_step(
        tmp_path, f"sqlite:///{tmp_path}/test.sqlite", text, "--statements", "1-2", dialect="sqlite", before=without
    )
    assert ran.code == 1
    (error,) = ran.of("error")
    assert error["kind"] == "estimator"
    assert "keras is not installed: this image trains and uses no neural networks" in error["message"]
    assert "[neural]" in error["hint"]


def test_plain_sql_and_other_models_load_no_keras(iris_sqlite: Database) -> None:
    code = (
        "import sys, sqlflow_runtime.execute, sqlflow_runtime.ml.train, sqlflow_runtime.ml.trained_model; "
        "print([name for name in ('keras', 'jax') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_stopping_between_steps(iris_sqlite: Database) -> None:
    """A step that is to stop ends at the next batch, and stores nothing."""

    def stop(context: StepContext) -> None:
        calls.append(1)
        if len(calls) > 40:
            raise RunError("stopped", "stopped before it was done")

    calls: list[int] = []
    train = "SELECT sepal_length, class FROM train TO TRAIN LinearClassifier WITH train.epoch=100 LABEL class INTO m"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StepContext, "check_stopped", stop)
        error = fail(iris_sqlite, train)
    assert error.kind == "stopped"
    assert len(calls) == 41
    assert "there is no model m" in fail(iris_sqlite, "SHOW TRAIN m").message
