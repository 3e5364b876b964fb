"""The known estimators and the attributes of each. Pure data: no machine-learning library is imported."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlflow_codegen.catalogue import lightgbm, neural
from sqlflow_codegen.catalogue.boosting import SAMPLE_WEIGHT
from sqlflow_codegen.catalogue.composites import Composition, compose
from sqlflow_codegen.catalogue.estimator import Estimator, Slot
from sqlflow_codegen.catalogue.xgboost import (
    ALIASES,
    ATTRIBUTES,
    DEPRECATED,
    ESTIMATORS,
    FOREST_ALIASES,
    TRAIN_ATTRIBUTES,
)

if TYPE_CHECKING:
    from sqlflow_codegen.language.ir import Attribute

_SQLFLOW: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "kmeans": ("sklearn.cluster.KMeans", {"center_count": "n_clusters"}),
        "randomforests": ("sklearn.ensemble.RandomForestClassifier", {"tree_num": "n_estimators"}),
        "sqlflow_models.oneclasssvm": ("sklearn.svm.OneClassSVM", {}),
        "oneclasssvm": ("sklearn.svm.OneClassSVM", {}),
    }
)
"""SQLFlow's names in lower case -> the estimator, and SQLFlow's names of its attributes."""

_SQLFLOW_IDLE: Mapping[str, str] = MappingProxyType(
    {"idx_table_name": "TO PREDICT writes the table with the clusters; leave the attribute out."}
)
"""Attributes of SQLFlow's that do nothing here -> the alternative."""

MULTI_LABEL = "train.multi_label"
"""Attribute of TRAIN: the label is a text that lists any number of classes."""
MULTI_OUTPUT = "train.multi_output"
"""Attribute of TRAIN: the label is a text that lists a class at each place."""

VALIDATION_SELECT = "validation.select"
"""Attribute of TRAIN with the SELECT of the rows to validate on."""


def split_image(estimator: str) -> tuple[str, str]:
    """The container image ("" if none) and the class: `hub:5000/u/img:1.0/Cls` splits at its last `/`."""
    image, _, name = estimator.rpartition("/")
    return image, name


def find_estimator(name: str) -> Estimator | None:
    """The known estimator of that name; None if it is unknown, or stands in an image of its own.

    `xgboost.` and `lightgbm.` names go in any case, and XGBClassifier, LGBMClassifier and the like without their
    library; scikit-learn classes by their public path, or short: `sklearn.RandomForestClassifier`. SQLFlow's names for
    some of them, such as `kmeans`, bring SQLFlow's names of attributes.
    """
    return _names().get(name) or _names().get(name.lower())


def composed(estimator: Estimator, attributes: Iterable[Attribute]) -> Composition:
    """The estimator with the parts that those attributes name: `estimator="sklearn.svm.SVC", estimator.C=2.0`."""
    if not estimator.slots:
        return Composition(estimator)
    return compose(estimator, {one.name: one.value for one in attributes}, find_estimator, refusal)


def refusal(name: str) -> str:
    """The reason why that estimator cannot be trained, as the rest of a sentence; "" if it can, or is unknown.

    Takes the same spellings as `find_estimator`. It knows every class of scikit-learn that `estimator_names` lacks.
    """
    return _refused().get(name) or _refused().get(name.lower()) or ""


def estimator_names() -> tuple[str, ...]:
    """Canonical names of all known estimators, sorted."""
    return tuple(sorted({estimator.name for estimator in _names().values()}))


@cache
def _names() -> Mapping[str, Estimator]:
    names: dict[str, Estimator] = {}
    for estimator in (*_xgboost(), *_lightgbm(), *_sklearn(), *_neural(), *_boosted_trees()):
        short = estimator.name.split(".")
        names[estimator.name] = names[estimator.name.lower()] = estimator
        if estimator.name.startswith(("xgboost.XGB", "lightgbm.LGBM")):
            names[short[-1]] = names[short[-1].lower()] = estimator
        elif estimator.library == "sklearn":
            names[f"sklearn.{short[-1]}"] = names[f"sklearn.{short[-1]}".lower()] = estimator
        elif estimator.library == "keras" or estimator.name.startswith(
            "BoostedTrees"
        ):  # SQLFlow's own names, with and without its prefix
            for spelling in (short[-1], f"sqlflow_models.{short[-1]}"):
                names[spelling] = names[spelling.lower()] = estimator
    names |= {name: _renamed(names[same], aliases) for name, (same, aliases) in _SQLFLOW.items()}
    return MappingProxyType(names)


def _renamed(estimator: Estimator, aliases: Mapping[str, str]) -> Estimator:
    """The estimator with SQLFlow's names of its attributes besides its own."""
    further = {**{f"model.{name}": name for name in estimator.attributes if "." not in name}, **aliases}
    idle = _SQLFLOW_IDLE if "n_clusters" in estimator.attributes else {}
    rules = {name: estimator.attributes[same] for name, same in further.items()} | dict.fromkeys(idle, "str")
    attributes = MappingProxyType({**estimator.attributes, **rules})
    return replace(estimator, attributes=attributes, aliases=MappingProxyType(further), deprecated=idle)


def _xgboost() -> Iterable[Estimator]:
    attributes = MappingProxyType({**ATTRIBUTES, **TRAIN_ATTRIBUTES})
    for name, (class_path, task, defaults) in ESTIMATORS.items():
        aliases = FOREST_ALIASES if name.startswith("xgboost.XGBRF") else ALIASES
        yield Estimator(name, "xgboost", class_path, task, attributes, aliases, DEPRECATED, defaults)


def _lightgbm() -> Iterable[Estimator]:
    for name, (class_path, task, defaults) in lightgbm.ESTIMATORS.items():
        attributes, aliases = lightgbm.ATTRIBUTES, lightgbm.ALIASES
        yield Estimator(name, "lightgbm", class_path, task, attributes, aliases, defaults=defaults)


def _sklearn() -> Iterable[Estimator]:
    for name, entry in _sklearn_data()["estimators"].items():
        further = {VALIDATION_SELECT: "str", **_of_rows(name, entry["task"], entry["tags"])}
        attributes = MappingProxyType({**entry["attributes"], **further})
        yield Estimator(
            name,
            "sklearn",
            name,
            entry["task"],
            attributes,
            needs=MappingProxyType(entry.get("needs", {})),
            tags=frozenset(entry["tags"]),
            slots=MappingProxyType({slot: Slot(**part) for slot, part in entry.get("parts", {}).items()}),
            grid=entry.get("grid", ""),
        )


def _of_rows(name: str, task: str, tags: Iterable[str]) -> dict[str, str]:
    """Rules of the attributes that say how the rows and the labels are to be read."""
    wrapper = name.endswith(".OneVsRestClassifier")  # its tag speaks of several labels, and it takes sets
    has = {
        SAMPLE_WEIGHT: "sample_weight" in tags,
        MULTI_LABEL: task == "classifier" and ("multi_label" in tags or wrapper),
        MULTI_OUTPUT: task == "classifier" and {"multi_output", "single_output"} <= set(tags) and not wrapper,
    }
    rules = {SAMPLE_WEIGHT: "str", MULTI_LABEL: "bool", MULTI_OUTPUT: "bool"}
    return {attribute: rules[attribute] for attribute, there in has.items() if there}


def _neural() -> Iterable[Estimator]:
    for name, known in neural.NEURAL.items():
        attributes = neural.neural_attributes(name)
        aliases = {one: other for one, other in neural.NEURAL_ALIASES.items() if one in attributes}
        yield Estimator(name, "keras", "keras.Model", known.task, attributes, aliases, neural.neural_idle(name))


def _boosted_trees() -> Iterable[Estimator]:
    """TensorFlow's boosted trees, as gradient boosting of XGBoost's: all of its attributes work too."""
    aliases = MappingProxyType({**ALIASES, **neural.BOOSTED_ALIASES})
    idle = MappingProxyType({**DEPRECATED, **neural.BOOSTED_IDLE})
    attributes = MappingProxyType({**ATTRIBUTES, **TRAIN_ATTRIBUTES, **neural.BOOSTED_ATTRIBUTES})
    for task, objective in (("classifier", "binary:logistic"), ("regressor", "reg:squarederror")):
        defaults = MappingProxyType({**neural.BOOSTED_DEFAULTS, "objective": objective})
        own = {**attributes, "model.n_classes": "int [2,2147483647]"} if task == "classifier" else attributes
        names = {one: other for one, other in aliases.items() if one in own}
        name = f"BoostedTrees{task.capitalize()}"
        yield Estimator(name, "xgboost", f"xgboost.XGB{task.capitalize()}", task, own, names, idle, defaults)


@cache
def _refused() -> Mapping[str, str]:
    reasons: dict[str, str] = {}
    for name, reason in _sklearn_data()["refused"].items():
        for spelling in (name, f"sklearn.{name.rpartition('.')[2]}"):
            reasons[spelling] = reasons[spelling.lower()] = reason
    return MappingProxyType(reasons)


@cache
def _sklearn_data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(Path(__file__).with_name("sklearn.json").read_text(encoding="utf-8"))
    return data
