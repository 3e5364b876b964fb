"""The known estimators and the attributes of each. Pure data: no machine-learning library is imported."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlflow_codegen.catalogue import neural
from sqlflow_codegen.catalogue.composites import Composition, Part, Slot, compose
from sqlflow_codegen.catalogue.rules import to_python
from sqlflow_codegen.catalogue.xgboost import (
    ALIASES,
    ATTRIBUTES,
    DEPRECATED,
    ESTIMATORS,
    FOREST_ALIASES,
    TRAIN_ATTRIBUTES,
)
from sqlflow_codegen.catalogue.xgboost_conflicts import Conflict, conflicts

if TYPE_CHECKING:
    from sqlflow_codegen.language.ir import Attribute, Value

REPLACEMENTS: Mapping[str, str] = MappingProxyType(
    {
        "kmeans": "sklearn.cluster.KMeans",
        "randomforests": "sklearn.ensemble.RandomForestClassifier",
        "sqlflow_models.oneclasssvm": "sklearn.svm.OneClassSVM",
    }
)
"""Estimators of SQLFlow's that nothing here implements, in lower case -> an estimator that does the same."""

VALIDATION_SELECT = "validation.select"
"""Attribute of TRAIN with the SELECT of the rows to validate on."""


@dataclass(frozen=True, slots=True)
class Estimator:
    """One known estimator.

    Attributes:
        name: its canonical name, such as `xgboost.gbtree` or `sklearn.ensemble.RandomForestClassifier`.
        library: `xgboost`, `sklearn` or `keras`.
        class_path: the Python class, `xgboost.XGBClassifier`; for `xgboost.gbtree` and the other boosters
            `xgboost.Booster`, whose task its objective decides.
        task: `classifier`, `regressor`, `ranker`, `cluster`, `outlier`, `mixture`, `transformer`, `density`,
            `distance`; `part` as the last of its parts; `any`: the objective decides.
        attributes: for each attribute its rule (see `rules`).
        aliases: other names of attributes -> the canonical name.
        deprecated: attributes that are accepted but do nothing -> the alternative.
        defaults: parameters that this estimator sets where the statement does not.
        needs: attributes without which no model can come of it, with the value that each must have.
        tags: abilities of scikit-learn's estimators: `label` (it learns from one), `single_output`, `multi_output` and
            `multi_label` (labels it takes), `nan`, `sparse` (features it takes), `sample_weight`, `warm_start`,
            `transform`.
        slots: parameters that take other estimators.
        grid: prefix of the attributes with the values that a search tries; "" where there is no search.
        parts: the estimators in its slots, once `composed` has read the attributes of a statement.
    """

    name: str
    library: str
    class_path: str
    task: str
    attributes: Mapping[str, str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    deprecated: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    needs: Mapping[str, Value] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    slots: Mapping[str, Slot] = field(default_factory=dict)
    grid: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def supervised(self) -> bool:
        """True if it learns from a label."""
        return "label" in self.tags if self.library == "sklearn" else self.task != "cluster"

    def parameters(self, attributes: Iterable[Attribute]) -> dict[str, object]:
        """The library's parameters: `defaults`, then the statement's attributes under their canonical names.

        Values are as Python takes them (lists, None). Attributes with a dot (`train.`, `validation.`) keep their
        names; unknown and deprecated ones are left out.
        """
        given = {
            self.aliases.get(one.name, one.name): to_python(self.attributes[one.name], one.value)
            for one in attributes
            if one.name in self.attributes and one.name not in self.deprecated
        }
        return {**self.defaults, **given}

    def conflicts(self, attributes: Iterable[Attribute], *, continues: bool) -> Iterable[Conflict]:
        """Each attribute that cannot work beside the others, under its canonical name.

        All attributes keep their rules. `continues` if the statement goes on from a model (USING).
        """
        parameters = self.parameters(attributes)
        for name, value in self.needs.items():
            if parameters.get(name) != value:
                written = f"{name}={str(value).lower()}"
                yield Conflict(name, f"must be {value}: without it there is no prediction".lower(), f"Add {written}.")
        if self.library == "xgboost":
            said = any(one.name == "objective" for one in attributes)
            if not said and self.task not in ("regressor", "ranker"):  # the label decides
                parameters.pop("objective", None)
            yield from conflicts(parameters, continues=continues)
        elif self.library == "keras":
            yield from neural.neural_conflicts(self.name, parameters)


def split_image(estimator: str) -> tuple[str, str]:
    """The container image ("" if none) and the class: `hub:5000/u/img:1.0/Cls` splits at its last `/`."""
    image, _, name = estimator.rpartition("/")
    return image, name


def find_estimator(name: str) -> Estimator | None:
    """The known estimator of that name; None if it is unknown, or stands in an image of its own.

    `xgboost.` names go in any case and XGBClassifier and the like without `xgboost.`; scikit-learn classes by their
    public path, or short: `sklearn.RandomForestClassifier`.
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
    for estimator in (*_xgboost(), *_sklearn(), *_neural(), *_boosted_trees()):
        short = estimator.name.split(".")
        names[estimator.name] = names[estimator.name.lower()] = estimator
        if estimator.library == "xgboost" and estimator.name.startswith("xgboost.XGB"):
            names[short[-1]] = names[short[-1].lower()] = estimator
        elif estimator.library == "sklearn":
            names[f"sklearn.{short[-1]}"] = names[f"sklearn.{short[-1]}".lower()] = estimator
        elif estimator.library == "keras" or estimator.name.startswith(
            "BoostedTrees"
        ):  # SQLFlow's own names, with and without its prefix
            for spelling in (short[-1], f"sqlflow_models.{short[-1]}"):
                names[spelling] = names[spelling.lower()] = estimator
    return MappingProxyType(names)


def _xgboost() -> Iterable[Estimator]:
    attributes = MappingProxyType({**ATTRIBUTES, **TRAIN_ATTRIBUTES})
    for name, (class_path, task, defaults) in ESTIMATORS.items():
        aliases = FOREST_ALIASES if name.startswith("xgboost.XGBRF") else ALIASES
        yield Estimator(name, "xgboost", class_path, task, attributes, aliases, DEPRECATED, defaults)


def _sklearn() -> Iterable[Estimator]:
    for name, entry in _sklearn_data()["estimators"].items():
        attributes = MappingProxyType({**entry["attributes"], VALIDATION_SELECT: "str"})
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


def _neural() -> Iterable[Estimator]:
    for name, known in neural.NEURAL.items():
        attributes = neural.neural_attributes(name)
        aliases = {one: other for one, other in neural.NEURAL_ALIASES.items() if one in attributes}
        idle = {one: hint for one, hint in neural.NEURAL_IDLE.items() if one in attributes}
        yield Estimator(name, "keras", "keras.Model", known.task, attributes, aliases, idle)


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
