"""The catalogue: its rules can be read, and it says what the libraries say."""

from __future__ import annotations

import importlib
import inspect
import json
import runpy
import warnings
from pathlib import Path
from typing import Any

import pytest
from sqlflow_codegen.catalogue import (
    allows,
    described,
    estimator_names,
    fault,
    find_estimator,
    refusal,
    split_image,
    to_python,
    words,
)
from sqlflow_codegen.catalogue import xgboost as xgboost_catalogue
from sqlflow_codegen.catalogue.metrics import COUNTS, metric_attributes, metrics

ROOT = Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "codegen" / "sqlflow_codegen" / "catalogue" / "sklearn.json"


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("int", [0, -1, 10**30], [1.0, True, "1", (1,)]),
        ("int [1,inf)", [1, 5], [0, 1.5]),
        ("float (0,1]", [1, 0.5], [0, 1.01, True, "0.5"]),
        ("float [0,1)", [0, 0.0], [1]),
        ("float (-inf,0]", [-5.5, 0], [0.1]),
        ("bool", [True, False], [1, "true"]),
        ("str", ["x", ""], [1]),
        ("list", [(), (1, "a")], [1, "a"]),
        ("none", ["none", "None", "NULL"], ["no", 0]),
        ("{a,b-c}", ["a", "b-c"], ["A", "c"]),
        ("int [1,inf) | {sqrt} | none", [1, "sqrt", "none"], [0, "log2"]),
    ],
)
def test_rules(rule: str, good: list[Any], bad: list[Any]) -> None:
    assert [allows(rule, value) for value in good] == [True] * len(good)
    assert [allows(rule, value) for value in bad] == [False] * len(bad)


def test_rules_in_words() -> None:
    assert described("int [1,inf) | {sqrt,log2} | none") == "int [1, inf) or one of sqrt, log2 or none"
    assert words("int | {a,b} | {c}") == ("a", "b", "c")
    assert (fault("int [1,inf)", 0), fault("int [1,inf)", "x")) == ("out-of-range", "wrong-type")


def test_values_for_python() -> None:
    assert to_python("int | none", "None") is None
    assert to_python("str", "none") == "none"
    assert to_python("list", (1, ("a", 2.5))) == [1, ["a", 2.5]]


def test_a_broken_rule_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="is no rule"):
        allows("integer", 1)


def test_every_rule_can_be_read() -> None:
    for name in estimator_names():
        estimator = find_estimator(name)
        assert estimator is not None
        for rule in estimator.attributes.values():
            allows(rule, 0)
        assert set(estimator.aliases) | set(estimator.deprecated) <= set(estimator.attributes)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("xgboost.gbtree", "xgboost.gbtree"),
        ("XGBoost.GBTree", "xgboost.gbtree"),
        ("xgbregressor", "xgboost.XGBRegressor"),
        ("sklearn.ensemble.RandomForestClassifier", "sklearn.ensemble.RandomForestClassifier"),
        ("sklearn.RandomForestClassifier", "sklearn.ensemble.RandomForestClassifier"),
        ("sklearn.kmeans", "sklearn.cluster.KMeans"),
    ],
)
def test_names(name: str, canonical: str) -> None:
    estimator = find_estimator(name)
    assert estimator is not None
    assert estimator.name == canonical


@pytest.mark.parametrize("name", ["", "gbtree", "RandomForestClassifier", "image/xgboost.gbtree", "sklearn.Nothing"])
def test_unknown_names(name: str) -> None:
    assert find_estimator(name) is None


def test_images() -> None:
    assert split_image("hub:5000/u/img:1.0/Cls") == ("hub:5000/u/img:1.0", "Cls")
    assert split_image("xgboost.gbtree") == ("", "xgboost.gbtree")


def test_supervised() -> None:
    def supervised(name: str) -> bool:
        estimator = find_estimator(name)
        assert estimator is not None
        return estimator.supervised

    assert supervised("xgboost.gbtree")
    assert supervised("sklearn.SVC")
    assert not supervised("sklearn.KMeans")
    assert not supervised("sklearn.IsolationForest")


@pytest.mark.parametrize(
    ("name", "canonical", "attribute", "meant"),
    [
        ("kmeans", "sklearn.cluster.KMeans", "center_count", "n_clusters"),
        ("KMeans", "sklearn.cluster.KMeans", "model.n_clusters", "n_clusters"),
        ("randomforests", "sklearn.ensemble.RandomForestClassifier", "tree_num", "n_estimators"),
        ("sqlflow_models.OneClassSVM", "sklearn.svm.OneClassSVM", "model.kernel", "kernel"),
    ],
)
def test_names_of_sqlflow(name: str, canonical: str, attribute: str, meant: str) -> None:
    estimator = find_estimator(name)
    assert estimator is not None
    assert estimator.name == canonical
    assert estimator.attributes[attribute] == estimator.attributes[meant]
    assert estimator.aliases[attribute] == meant


# -- against the libraries


@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning")
def test_sklearn_has_what_the_catalogue_says() -> None:
    pytest.importorskip("sklearn")
    data = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    for name, entry in data["estimators"].items():
        module, _, class_name = name.rpartition(".")
        found = getattr(importlib.import_module(module), class_name)
        known = inspect.signature(found).parameters
        assert {*entry["attributes"], *entry.get("needs", {}), *entry.get("parts", {})} - set(known) == set(), name


def test_every_class_of_sklearn_is_known_or_refused() -> None:
    utils = pytest.importorskip("sklearn.utils")
    names = [name for name, _ in utils.all_estimators()]
    unsaid = [name for name in names if not find_estimator(f"sklearn.{name}") and not refusal(f"sklearn.{name}")]
    assert unsaid == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sklearn.decomposition.SparseCoder", "it cannot be made without dictionary, which SQL cannot give"),
        ("sklearn.manifold.tsne", "it places the rows that it learned from, and cannot predict others"),
        ("sklearn.cluster.DBSCAN", "it groups the rows that it learned from, and cannot predict others"),
        ("sklearn.CountVectorizer", "it takes texts, and features are numbers"),
        ("sklearn.preprocessing.StandardScaler", ""),
        ("sklearn.Pipeline", ""),
        ("sklearn.cluster.Birch", "a model of it cannot be stored"),
        ("sklearn.svm.SVC", ""),
        ("sklearn.Nothing", ""),
    ],
)
def test_refusals(name: str, reason: str) -> None:
    found = refusal(name)
    assert found.startswith(reason) if reason else not found


@pytest.mark.parametrize("program", ["sklearn_catalogue", "metrics_catalogue"])
def test_the_catalogue_is_what_its_generator_writes(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regenerate with `python codegen/tools/sklearn_catalogue.py` and `python codegen/tools/metrics_catalogue.py`."""
    sklearn = pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(ROOT / "codegen" / "tools"))
    module = runpy.run_path(str(ROOT / "codegen" / "tools" / f"{program}.py"))
    data = json.loads(module["TARGET"].read_text(encoding="utf-8"))
    if sklearn.__version__ != data["version"]:
        pytest.skip(f"the catalogue is of scikit-learn {data['version']}, here is {sklearn.__version__}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert module["catalogue"]() == data


def test_metrics_are_functions_of_sklearn() -> None:
    functions = pytest.importorskip("sklearn.metrics")
    names = [one.function for one in metrics().values() if one.name not in COUNTS]
    assert [name for name in names if not callable(getattr(functions, name, None))] == []
    for rule in metric_attributes().values():
        allows(rule, 0)


def test_xgboost_knows_every_parameter() -> None:
    xgboost = pytest.importorskip("xgboost")
    numpy = pytest.importorskip("numpy")
    wrapper_only = {"missing", "enable_categorical", "importance_type", *xgboost_catalogue.DEPRECATED}
    aliases = set(xgboost_catalogue.ALIASES)
    data = xgboost.DMatrix(numpy.arange(8.0).reshape(4, 2), label=[0, 1, 0, 1])
    booster = xgboost.train({"objective": "reg:squarederror"}, data, 1)
    known = set(_keys(json.loads(booster.save_config())))
    sample = {"{": lambda rule: words(rule)[0], "i": lambda _: 1, "f": lambda _: 1, "b": lambda _: True}
    unknown = []
    for name, rule in xgboost_catalogue.ATTRIBUTES.items():
        if name in known or name in wrapper_only or name in aliases or rule[0] not in sample:
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parameters = {"validate_parameters": True, "objective": "reg:squarederror", name: sample[rule[0]](rule)}
            try:
                xgboost.train(parameters, data, 1)
            except xgboost.core.XGBoostError:
                continue  # it knows the parameter, and that it does not fit these
        unknown += [
            name for warning in caught if "are not used" in str(warning.message) and name in str(warning.message)
        ]
    # Those of objectives and boosters that this small model does not use.
    conditional = (
        "aft_",
        "lambdarank_",
        "ndcg_",
        "huber_",
        "tweedie_",
        "quantile_",
        "expectile_",
        "num_class",
        "rate_drop",
        "one_drop",
    )
    conditional += ("skip_drop", "sample_type", "normalize_type", "feature_selector", "top_k", "scale_pos_weight")
    assert [name for name in unknown if not name.startswith(conditional)] == []


def _keys(data: Any) -> list[str]:
    if isinstance(data, dict):
        return [*data, *(key for value in data.values() for key in _keys(value))]
    return [key for value in data for key in _keys(value)] if isinstance(data, list) else []
