"""SQLFlow's neural names: their attributes are checked before anything runs."""

from __future__ import annotations

import pytest
from sqlflow_codegen.catalogue import find_estimator
from sqlflow_codegen.catalogue.neural import LOSSES, NEURAL, OPTIMIZERS
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language.runnable import runnable_program


def findings(estimator: str, rest: str = "LABEL y") -> list[str]:
    text = f"SELECT a, y FROM t TO TRAIN {estimator} {rest} INTO m;"
    try:
        program = runnable_program(text)
    except ProgramError as error:
        return [f"{one.code}: {one.message} {one.hint}" for one in error.diagnostics]
    return [f"{one.code}: {one.message}" for one in program.warnings]


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("DNNClassifier", "DNNClassifier"),
        ("dnnclassifier", "DNNClassifier"),
        ("sqlflow_models.DNNClassifier", "DNNClassifier"),
        ("StackedBiLSTMClassifier", "sqlflow_models.StackedBiLSTMClassifier"),
        ("sqlflow_models.DeepEmbeddingClusterModel", "sqlflow_models.DeepEmbeddingClusterModel"),
        ("BoostedTreesClassifier", "BoostedTreesClassifier"),
    ],
)
def test_spellings(spelling: str, name: str) -> None:
    found = find_estimator(spelling)
    assert found is not None
    assert found.name == name


def test_unknown_attributes_are_unsupported() -> None:
    (found,) = findings("DNNClassifier WITH model.hidden_units=[1], model.no_exists_param=1")
    assert "unsupported attribute model.no_exists_param" in found
    (found,) = findings("DNNClassifier WITH model.hidden_units=[1], model.n_class=3")
    assert "unsupported attribute model.n_class of DNNClassifier" in found
    assert "model.n_classes" in found, "the one that was meant"
    (found,) = findings("BoostedTreesRegressor WITH model.trees=3")
    assert "unsupported attribute model.trees" in found


@pytest.mark.parametrize("name", [name for name, neural in NEURAL.items() if neural.required])
def test_attributes_that_must_be_there(name: str) -> None:
    (required,) = NEURAL[name].required
    found = findings(name)
    assert f"attribute-conflict: attribute `{required}` of {name} is missing Write {required}=" in found[0]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ("model.hidden_units=[]", "must list sizes of layers"),
        ("model.hidden_units=[10, 0]", "must list sizes of layers"),
        ("model.hidden_units=['a']", "must list sizes of layers"),
        ("model.hidden_units=[1], optimizer.beta_1=0.5", "is no argument of Adagrad"),
        ("model.hidden_units=[1], model.optimizer=Adam, optimizer.rho=0.5", "is no argument of Adam"),
        ("model.hidden_units=[1], model.optimizer=Adm", "must be one of"),
        ("model.hidden_units=[1], model.loss=huber", "must be one of sparse_categorical_crossentropy"),
        ("model.hidden_units=[1], loss.label_smoothing=0.1", "is no argument of sparse_categorical_crossentropy"),
        ("model.hidden_units=[1], train.early_stopping_patience=2", "needs rows to measure on"),
        ("model.hidden_units=[1], model.optimizer=SGD, optimizer.nesterov=true", "needs optimizer.momentum"),
        ("model.hidden_units=[1], model.label_vocabulary=[a, a]", "must list two different values"),
        ("model.hidden_units=[1], train.batch_size=0", "must be int [1"),
        ("model.hidden_units=[1], model.dropout=1.0", "must be float [0"),
    ],
)
def test_what_cannot_work(attributes: str, message: str) -> None:
    found = findings(f"DNNClassifier WITH {attributes}")
    assert len(found) == 1, found
    assert message in found[0]


def test_attributes_without_effect() -> None:
    (found,) = findings("LinearRegressor WITH model.model_dir='x'")
    assert found == "no-effect: attribute `model.model_dir` of LinearRegressor has no effect"


def test_one_parameter_of_boosted_trees_by_two_names() -> None:
    (found,) = findings("BoostedTreesClassifier WITH model.learning_rate=0.1, eta=0.1")
    assert "are the same attribute" in found


def test_optimizers_and_losses_are_those_of_keras() -> None:
    import inspect

    from sqlflow_runtime.ml.neural.backend import keras

    for name, arguments in OPTIMIZERS.items():
        assert set(arguments) <= set(inspect.signature(getattr(keras.optimizers, name)).parameters), name
    for losses in LOSSES.values():
        for name, arguments in losses.items():
            assert set(arguments) <= set(inspect.signature(getattr(keras.losses, name)).parameters), name
