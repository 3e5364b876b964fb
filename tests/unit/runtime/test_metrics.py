"""Metrics against scikit-learn called by hand, for two classes, three classes and numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics
from sqlflow_codegen.catalogue.metrics import fitting_metrics
from sqlflow_codegen.catalogue.metrics import metrics as known_metrics
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.batch import Batch
from sqlflow_runtime.ml.evaluation import Evaluation, metric_names
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.trained_model import TrainedModel


class Fixed:
    """A model whose predictions are given."""

    codec = "fixed"
    dtype = np.float64

    def __init__(self, found: Any, probabilities: Any = None, scores: Any = None) -> None:
        self._found = np.array(found)
        self._scores = None if scores is None else np.array(scores)
        self._probabilities = None if probabilities is None else np.array(probabilities)

    def predict(self, matrix: Any) -> Any:
        return self._found

    def probabilities(self, matrix: Any) -> Any:
        return self._probabilities

    def scores(self, matrix: Any) -> Any:
        return self._scores

    def dump(self) -> bytes:
        return b""


def batches(truth: list[Any], matrix: Any = None, groups: Any = None) -> list[Batch]:
    rows = np.zeros((len(truth), 1)) if matrix is None else matrix
    return [Batch(rows, pa.array(truth), groups=groups)]


def measured(truth: list[Any], found: Any, probabilities: Any = None, classes: tuple[Any, ...] = ()) -> Evaluation:
    label = Label("y", "string" if classes and isinstance(classes[0], str) else "float", classes)
    task = "classification" if classes else "regression"
    model = TrainedModel(estimator="e", task=task, features=(), label=label, fitted=Fixed(found, probabilities))
    return Evaluation(model, [Batch(np.zeros((len(truth), 1)), pa.array(truth))])


POSITIVE = [0.1, 0.7, 0.4, 0.2, 0.9]
TWO = measured(["no", "yes", "yes", "no", "yes"], [0, 1, 0, 0, 1], [[1 - p, p] for p in POSITIVE], ("no", "yes"))
LIKELY = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.5, 0.1, 0.4]]
THREE = measured(["a", "b", "c", "c"], [0, 1, 2, 0], LIKELY, ("a", "b", "c"))
NUMBERS = measured([1.0, 2.0, 4.0], [1.5, 2.0, 3.0])


def test_two_classes() -> None:
    truth, found = [0, 1, 1, 0, 1], [0, 1, 0, 0, 1]
    assert TWO.metric("accuracy_score") == pytest.approx(0.8)
    assert TWO.metric("precision_score") == metrics.precision_score(truth, found)
    assert TWO.metric("recall_score") == metrics.recall_score(truth, found)
    assert TWO.metric("f1_score") == metrics.f1_score(truth, found)
    assert TWO.metric("roc_auc_score") == metrics.roc_auc_score(truth, POSITIVE)
    assert TWO.metric("average_precision_score") == metrics.average_precision_score(truth, POSITIVE)
    assert TWO.metric("brier_score_loss") == metrics.brier_score_loss(truth, POSITIVE)
    assert TWO.metric("log_loss") == pytest.approx(metrics.log_loss(truth, POSITIVE))
    assert TWO.loss() == pytest.approx(metrics.log_loss(truth, POSITIVE))


def test_three_classes() -> None:
    truth, found = [0, 1, 2, 2], [0, 1, 2, 0]
    assert THREE.metric("f1_score") == metrics.f1_score(truth, found, average="macro")
    assert THREE.metric("roc_auc_score") == metrics.roc_auc_score(truth, LIKELY, multi_class="ovr")
    assert THREE.loss() == pytest.approx(metrics.log_loss(truth, LIKELY))


def test_numbers() -> None:
    assert NUMBERS.metric("mean_squared_error") == pytest.approx((0.25 + 0 + 1) / 3)
    assert NUMBERS.loss() == NUMBERS.metric("mean_squared_error")
    assert NUMBERS.metric("max_error") == 1


@pytest.mark.parametrize("name", fitting_metrics("classification"))
@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
def test_every_metric_of_classes_can_be_computed(name: str, data: Evaluation) -> None:
    assert math.isfinite(data.metric(name))


@pytest.mark.parametrize("name", fitting_metrics("regression"))
def test_every_metric_of_numbers_can_be_computed(name: str) -> None:
    assert math.isfinite(NUMBERS.metric(name))


def test_without_probabilities() -> None:
    data = measured(["a", "b"], [0, 0], None, ("a", "b"))
    assert data.loss() == 0.5
    with pytest.raises(RunError, match="needs probabilities"):
        data.metric("roc_auc_score")


def test_names() -> None:
    assert metric_names(None, "classification") == ("accuracy_score",)
    assert metric_names(" f1_score , accuracy_score ", "classification") == ("f1_score", "accuracy_score")
    with pytest.raises(RunError) as caught:
        metric_names("acuracy_score", "classification")
    assert caught.value.hint == "Did you mean `accuracy_score`?"
    with pytest.raises(RunError, match="does not fit"):
        metric_names("r2_score", "classification")


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("name", ["accuracy_score", "precision_score", "recall_score", "f1_score"])
def test_plain_metrics_of_classes_are_those_of_scikit_learn(name: str, count: int) -> None:
    random = np.random.default_rng(count)
    labels = tuple("abcde"[:count])
    options: dict[str, Any] = {} if name == "accuracy_score" else {"zero_division": 0}
    if options and count > 2:
        options["average"] = "macro"
    for size, used in [(200, count), (7, count), (40, 2), (3, 1)]:
        truth, found = random.integers(0, used, size), random.integers(0, count, size)
        expected = getattr(metrics, name)(truth, found, **options)
        assert measured([labels[n] for n in truth], found, classes=labels).metric(name) == pytest.approx(
            expected, rel=1e-12, abs=1e-14
        )


@pytest.mark.parametrize("name", ["mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2_score"])
def test_plain_metrics_of_numbers_are_those_of_scikit_learn(name: str) -> None:
    random = np.random.default_rng(3)
    for truth in (random.random(100) * 9, np.ones(5), np.array([1.0, 2.0])):
        for found in (random.random(len(truth)), truth.copy()):
            expected = getattr(metrics, name)(truth, found)
            assert measured(truth.tolist(), found).metric(name) == expected


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_area_is_that_of_scikit_learn(count: int) -> None:
    random = np.random.default_rng(count)
    labels = tuple("abcd"[:count])
    for ties in (100, 3):
        truth = random.integers(0, count, 300)
        weights = random.integers(1, ties + 1, (300, count)).astype(float)
        likely = weights / weights.sum(axis=1, keepdims=True)
        expected = (
            metrics.roc_auc_score(truth, likely[:, 1])
            if count == 2
            else metrics.roc_auc_score(truth, likely, multi_class="ovr", labels=list(range(count)))
        )
        found = measured([labels[n] for n in truth], likely.argmax(axis=1), likely, labels).metric("roc_auc_score")
        assert found == expected


@pytest.mark.parametrize("name", ["accuracy_score", "precision_score", "recall_score", "f1_score"])
@pytest.mark.parametrize("count", [2, 4])
def test_classes_that_only_the_rows_have_count_as_wrong(name: str, count: int) -> None:
    random = np.random.default_rng(count)
    labels = "abcdef"
    truth, found = random.integers(0, count + 2, 60), random.integers(0, count, 60)
    options: dict[str, Any] = {} if name == "accuracy_score" else {"zero_division": 0, "average": "macro"}
    expected = getattr(metrics, name)(_in_order_of_rows(truth, count), found, **options)
    value = measured([labels[n] for n in truth], found, classes=tuple(labels[:count])).metric(name)
    assert value == expected


def _in_order_of_rows(truth: Any, count: int) -> Any:
    """The numbers that unknown classes get: after the model's, as they come."""
    numbers = {number: number for number in range(count)}
    for number in truth.tolist():
        numbers.setdefault(number, len(numbers))
    return np.array([numbers[number] for number in truth.tolist()])


# -- arguments, scores, orders, clusters, outliers


def test_arguments_of_a_metric_are_those_of_scikit_learn() -> None:
    truth, found = [0, 1, 2, 2], [0, 1, 2, 0]
    expected = metrics.f1_score(truth, found, average="micro")
    assert THREE.metric("f1_score", {"average": "micro"}) == expected
    expected = metrics.recall_score(truth, found, labels=[2], average="macro")
    assert THREE.metric("recall_score", {"labels": ["c"]}) == expected
    expected = metrics.precision_score([0, 1, 1, 0, 1], [0, 1, 0, 0, 1], pos_label=0)
    assert TWO.metric("precision_score", {"pos_label": "no"}) == expected
    with pytest.raises(RunError, match="is 'maybe', which is no class"):
        TWO.metric("precision_score", {"pos_label": "maybe"})


def test_names_of_keras() -> None:
    assert TWO.metric("TruePositives") == 2
    assert TWO.metric("FalseNegatives") == 1
    assert TWO.metric("AUC") == TWO.metric("roc_auc_score")
    assert THREE.metric("TruePositives") == 3, "of all classes together"
    assert THREE.metric("TopKCategoricalAccuracy", {"k": 2}) == metrics.top_k_accuracy_score([0, 1, 2, 2], LIKELY, k=2)
    assert NUMBERS.metric("MeanAbsolutePercentageError") == 100 * NUMBERS.metric("mean_absolute_percentage_error")
    assert NUMBERS.metric("RootMeanSquaredError") == NUMBERS.metric("root_mean_squared_error")


SQLFLOW = """Accuracy Precision Recall TruePositives TrueNegatives FalsePositives FalseNegatives BinaryAccuracy
    CategoricalAccuracy TopKCategoricalAccuracy MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError
    RootMeanSquaredError AUC accuracy_score average_precision_score balanced_accuracy_score brier_score_loss
    cohen_kappa_score explained_variance_score f1_score fbeta_score hamming_loss hinge_loss log_loss mean_absolute_error
    mean_squared_error mean_squared_log_error median_absolute_error precision_score r2_score recall_score
    roc_auc_score zero_one_loss"""


@pytest.mark.parametrize("name", SQLFLOW.split())
def test_every_metric_of_sqlflow_is_there(name: str) -> None:
    assert name in known_metrics()


def model_of(task: str, fitted: Fixed) -> TrainedModel:
    return TrainedModel(estimator="e", task=task, features=(), label=None, fitted=fitted)


def test_scores_stand_in_for_probabilities() -> None:
    label = Label("y", "string", ("no", "yes"))
    fitted = Fixed([0, 1, 0, 0, 1], None, [-1.0, 2.0, -0.5, -2.0, 1.5])
    model = TrainedModel(estimator="e", task="classification", features=(), label=label, fitted=fitted)
    data = Evaluation(model, batches(["no", "yes", "yes", "no", "yes"]), ["roc_auc_score", "hinge_loss"])
    truth, scores = [0, 1, 1, 0, 1], [-1.0, 2.0, -0.5, -2.0, 1.5]
    assert data.metric("roc_auc_score") == metrics.roc_auc_score(truth, scores)
    assert data.metric("hinge_loss") == metrics.hinge_loss(truth, scores)
    with pytest.raises(RunError, match="needs probabilities, which this model does not give"):
        data.metric("log_loss")


def test_the_order_inside_groups() -> None:
    label = Label("y", "float")
    found = [3.0, 1.0, 2.0, 1.0, 2.0, 7.0]
    model = TrainedModel(estimator="e", task="regression", features=(), label=label, fitted=Fixed(found))
    truth, groups = [2.0, 0.0, 1.0, 1.0, 0.0, 1.0], pa.array(["a", "b", "a", "b", "a", "c"])
    data = Evaluation(model, batches(truth, groups=groups), ["ndcg_score"])
    first = metrics.ndcg_score([[2.0, 1.0, 0.0]], [[3.0, 2.0, 2.0]])
    second = metrics.ndcg_score([[0.0, 1.0]], [[1.0, 1.0]])
    assert data.metric("ndcg_score") == np.mean([first, second]), "a group of one row has no order"
    data = Evaluation(model, batches(truth), ["ndcg_score"])
    assert data.metric("ndcg_score", {"k": 2}) == metrics.ndcg_score([truth], [found], k=2)


def test_clusters() -> None:
    rows = np.array([[0.0], [0.1], [5.0], [5.1]])
    data = Evaluation(
        model_of("clustering", Fixed([1, 1, 0, 0])), batches(["x", "x", "y", "x"], rows), fitting_metrics("clustering")
    )
    assert math.isnan(data.loss())
    expected = metrics.adjusted_rand_score([0, 0, 1, 0], [1, 1, 0, 0])
    assert data.metric("adjusted_rand_score") == expected
    assert data.metric("silhouette_score") == metrics.silhouette_score(rows, [1, 1, 0, 0])
    for name in fitting_metrics("clustering"):
        assert math.isfinite(data.metric(name)), name


def test_outliers() -> None:
    fitted = Fixed([1, -1, 1, -1], None, [0.5, -1.0, 0.25, -0.1])
    data = Evaluation(model_of("outlier", fitted), batches(["1", "-1", "1", "1"]), ["roc_auc_score"])
    assert data.loss() == 0.25
    assert data.metric("recall_score", {"pos_label": -1}) == 1
    assert data.metric("roc_auc_score") == metrics.roc_auc_score([1, -1, 1, 1], [0.5, -1.0, 0.25, -0.1])
    with pytest.raises(RunError, match="the label must be 1 for a usual row and -1 for an outlier"):
        Evaluation(model_of("outlier", fitted), batches(["a", "b"]))
