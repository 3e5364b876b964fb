"""Models of the user's own, from the module of examples/custom-model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlflow_codegen.contract import IMAGE_ENV
from sqlflow_runtime.databases.driver import Database

from tests.databases.conftest import load_iris
from tests.databases.harness import fail, run_program, succeed
from tests.databases.test_neural import MEASURES, NEURAL_KINDS

IMAGE = "example.org/flower-models:1.0"
EXAMPLE = Path(__file__).parents[2] / "examples" / "custom-model"
SELECT = f"SELECT {MEASURES}, class FROM train TO TRAIN {IMAGE}/"
EVALUATE = "SELECT * FROM test TO EVALUATE m LABEL class"


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))


@pytest.fixture(params=NEURAL_KINDS)
def flowers(request: pytest.FixtureRequest) -> Database:
    """A database with iris, as in `iris`: one that is a server, and one that is a file."""
    database: Database = request.getfixturevalue(request.param)
    load_iris(database)
    return database


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("FlowerClassifier WITH train.batch_size=8, model.hidden_units=[12]", "custom-keras"),
        ("flower_network WITH train.batch_size=8, train.epoch=20, optimizer.learning_rate=0.02", "custom-keras"),
        ("NearestMean WITH order=2", "custom-skops"),
    ],
)
def test_train_use_and_read_back(flowers: Database, name: str, codec: str) -> None:
    ran = succeed(
        flowers,
        f"{SELECT}flower_models.{name} LABEL class INTO m; {EVALUATE}; SELECT * FROM test TO PREDICT p.class USING m; "
        "SELECT DISTINCT class FROM p ORDER BY class",
    )
    assert ran.metrics["accuracy_score"] >= 0.85
    assert ran.rows(4) == [[0], [1], [2]]
    ((metadata,),) = flowers.execute("SELECT metadata FROM sqlflow_models")
    stored = metadata if isinstance(metadata, dict) else json.loads(metadata)
    assert stored["codec"] == codec
    assert stored["estimator"].startswith(f"{IMAGE}/flower_models.")


def test_a_function_that_learns_by_itself(flowers: Database) -> None:
    two = SELECT.replace("FROM train", "FROM train WHERE class < 2")
    ran = succeed(
        flowers,
        f"{two}flower_models.threshold WITH model.column=2 LABEL class INTO m; "
        "SELECT * FROM test WHERE class < 2 TO EVALUATE m LABEL class",
    )
    assert ran.metrics["accuracy_score"] == 1.0


def test_progress_of_a_network_of_ones_own(flowers: Database) -> None:
    ran = succeed(flowers, f"{SELECT}flower_models.FlowerClassifier WITH train.batch_size=32 LABEL class INTO m")
    last = ran.of("progress")[-1]
    assert (last["iteration"], last["total"], last["unit"]) == (20, 20, "epoch"), "default_training_epochs"
    assert {"train-loss", "train-accuracy"} <= set(last["values"])


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("flower_models.NearestMean WITH model.ordr=2", "unsupported attribute model.ordr", "model.order"),
        ("flower_models.NearestMeen", "has no class or function NearestMeen", "NearestMean"),
        ("no_such_module.Model", "there is no module no_such_module in this Python", "docs/custom-models.md"),
        ("os.system", "os is no module of a model", ""),
        ("flower_models.optimizer", "which is no model", "keras.Model"),
    ],
)
def test_what_cannot_be_used(iris_sqlite: Database, name: str, message: str, hint: str) -> None:
    error = fail(iris_sqlite, f"{SELECT}{name} LABEL class INTO m")
    assert error.kind == "estimator"
    assert message in error.message
    assert hint in error.hint


def test_a_step_of_another_image(iris_sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    succeed(iris_sqlite, f"{SELECT}flower_models.NearestMean LABEL class INTO m")
    monkeypatch.setenv(IMAGE_ENV, IMAGE)
    assert run_program(iris_sqlite, EVALUATE).error is None
    monkeypatch.setenv(IMAGE_ENV, "sqlflow-step:latest")
    error = fail(iris_sqlite, EVALUATE)
    assert error.kind == "model"
    assert f"in the image {IMAGE}, and this step runs in sqlflow-step:latest" in error.message
    assert "into one program" in error.hint
    error = fail(iris_sqlite, f"{SELECT}flower_models.NearestMean LABEL class INTO m")
    assert "is not of the image of this step" in error.message


def test_the_image_is_not_silently_left_out(iris_sqlite: Database) -> None:
    ran = succeed(iris_sqlite, f"{SELECT}flower_models.NearestMean WITH train.epoch=3 LABEL class INTO m")
    assert "train.epoch has no effect on flower_models.NearestMean" in ran.logged
    assert f"flower_models.NearestMean is imported from this Python, not from the image {IMAGE}" in ran.logged
    weighted = f"{SELECT}flower_models.NearestMean WITH train.sample_weight=petal_width LABEL class INTO m"
    assert "takes no sample_weight" in fail(iris_sqlite, weighted).message


LOOP = """
import keras

@keras.saving.register_keras_serializable("looping")
class Looping(keras.Model):
    def __init__(self, n_classes, **kwargs):
        super().__init__(**kwargs)
        self.n_classes = n_classes
        self.head = keras.layers.Dense(n_classes)

    def call(self, inputs):
        return self.head(inputs)

    def get_config(self):
        return {**super().get_config(), "n_classes": self.n_classes}

    def sqlflow_train_loop(self, dataset, epochs=1):
        for _ in range(epochs):
            for inputs, labels in dataset:
                self.train_on_batch(inputs, labels)

def optimizer(learning_rate=0.001):
    return keras.optimizers.Adam(learning_rate)

def loss(labels, output, scale=0.0):
    return keras.losses.sparse_categorical_crossentropy(labels, output, from_logits=True) * scale

def prepare_prediction_column(output):
    return output.argmax(axis=-1)
"""


def test_sqlflows_hooks(iris_sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training loop, a loss with an argument (without it nothing is learned), and the number of a prediction."""
    (tmp_path / "looping_models.py").write_text(LOOP)
    monkeypatch.syspath_prepend(str(tmp_path))
    ran = succeed(
        iris_sqlite,
        f"{SELECT}looping_models.Looping WITH train.batch_size=20, train.epoch=60, optimizer.learning_rate=0.05, "
        f"loss.scale=1.0 LABEL class INTO m; {EVALUATE}",
    )
    assert ran.metrics["accuracy_score"] >= 0.85
