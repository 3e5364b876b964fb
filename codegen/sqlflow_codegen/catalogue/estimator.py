"""One estimator as programs are checked against it: its attributes, its abilities, and the estimators inside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlflow_codegen.catalogue import lightgbm_conflicts, neural, xgboost_conflicts
from sqlflow_codegen.catalogue.boosting import Conflict
from sqlflow_codegen.catalogue.rules import to_python

if TYPE_CHECKING:
    from sqlflow_codegen.language.ir import Attribute, Value

_CONFLICTS = {"xgboost": xgboost_conflicts.conflicts, "lightgbm": lightgbm_conflicts.conflicts}
"""Library -> the check of its attributes against each other."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter that takes other estimators.

    Attributes:
        many: it takes a list of them.
        role: `classifier`, `regressor`, `transformer`, `covariance`, or `any`; `steps` are transformers and any last
            one, `columns` are transformers of some columns each.
        required: there is no usual one.
    """

    many: bool
    role: str
    required: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One estimator inside another.

    Attributes:
        slot: the parameter that takes it: `estimator`, `steps`.
        name: prefix of its attributes: `estimator`, or `svc` in a list.
        estimator: with its own parts.
    """

    slot: str
    name: str
    estimator: Estimator


@dataclass(frozen=True, slots=True)
class Estimator:
    """One known estimator.

    Attributes:
        name: its canonical name, such as `xgboost.gbtree` or `sklearn.ensemble.RandomForestClassifier`.
        library: `xgboost`, `lightgbm`, `sklearn` or `keras`.
        class_path: the Python class, `xgboost.XGBClassifier`; for `xgboost.gbtree`, `lightgbm.gbdt` and the other
            boosters `xgboost.Booster` or `lightgbm.Booster`, whose task its objective decides.
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
        if self.library == "keras":
            yield from neural.neural_conflicts(self.name, parameters)
        if self.library not in _CONFLICTS:
            return
        said = any(self.aliases.get(one.name, one.name) == "objective" for one in attributes)
        if not said and self.task not in ("regressor", "ranker"):  # the label decides
            parameters.pop("objective", None)
        yield from _CONFLICTS[self.library](parameters, continues=continues)
