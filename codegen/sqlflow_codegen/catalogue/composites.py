"""Estimators made of others: the attributes that name the parts, and the parts' own attributes.

    TO TRAIN sklearn.ensemble.BaggingClassifier WITH estimator="sklearn.svm.SVC", estimator.C=2.0
    TO TRAIN sklearn.pipeline.Pipeline WITH steps="StandardScaler, SVC", svc.C=2.0
    TO TRAIN sklearn.model_selection.GridSearchCV WITH estimator="SVC", param_grid.C=[0.1, 1, 10]

One of several parts is called as scikit-learn's `make_pipeline` calls it: the class in lower case, with -1, -2 where
there are two of one class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlflow_codegen.catalogue.boosting import SAMPLE_WEIGHT, Conflict
from sqlflow_codegen.catalogue.estimator import Estimator, Part
from sqlflow_codegen.catalogue.rules import allows, described

if TYPE_CHECKING:
    from sqlflow_codegen.language.ir import Value

_OF_STATEMENT = ("train.", "validation.")
"""Prefixes of attributes that no part has: they are about the statement's rows."""

_KEEP_COLUMNS = (".FeatureUnion", ".GridSearchCV", ".Pipeline", ".RandomizedSearchCV")
"""Classes whose first parts get all columns of the matrix, as they are."""

_DEEPEST = 5
"""Estimators inside estimators, at most."""


@dataclass(slots=True)
class Composition:
    """An estimator with its parts, as the attributes of a statement name them.

    Attributes:
        estimator: its `attributes` have those of the parts too, under their prefixes.
        problems: of the parts, each at the attribute in question.
    """

    estimator: Estimator
    problems: list[Conflict] = field(default_factory=list)


Find = Callable[[str], Estimator | None]


def compose(
    estimator: Estimator, given: Mapping[str, Value], find: Find, refusal: Callable[[str], str], depth: int = 0
) -> Composition:
    """Return the estimator with the parts that those attributes name.

    Args:
        estimator: of the catalogue.
        given: the attributes of the statement, or those of one part without its prefix.
        find: the known estimator of a name.
        refusal: the reason why the estimator of a name cannot be used, or "".
        depth: number of estimators around this one.
    """
    made = Composition(estimator)
    parts: list[Part] = []
    for slot, wanted in estimator.slots.items():
        value = given.get(slot)
        usual = estimator.attributes.get(slot)
        if not isinstance(value, str) or (usual is not None and allows(usual, value)):
            if value is None and wanted.required:
                hint = f'Name {"them, separated by commas" if wanted.many else "it"}: {slot}="{_example(wanted.role)}".'
                made.problems.append(Conflict(slot, "must be there: it names other estimators", hint))
            continue
        for name, text in _named(value, wanted.many):
            inner = _inner(made, slot, text, find, refusal)
            if inner is None:
                continue
            if depth >= _DEEPEST:
                made.problems.append(Conflict(slot, f"nests more than {_DEEPEST} estimators", "Use fewer."))
                continue
            part = name if wanted.many else slot
            below = compose(inner, _under(given, part), find, refusal, depth + 1)
            made.problems += [replace(one, attribute=f"{part}.{one.attribute}") for one in below.problems]
            parts.append(Part(slot, part, below.estimator))
        made.problems += _roles(estimator, slot, [part for part in parts if part.slot == slot])
    made.estimator = _with_parts(estimator, parts, given, made.problems)
    return made


def _example(role: str) -> str:
    return {"transformer": "StandardScaler", "steps": "StandardScaler, SVC", "columns": "StandardScaler"}.get(
        role, "LinearRegression" if role == "regressor" else "LogisticRegression"
    )


def _named(text: str, many: bool) -> list[tuple[str, str]]:
    """Each estimator in the text of an attribute, with the name that its attributes begin with."""
    if not many:
        return [("", text.strip())]
    listed = [one.strip() for one in text.split(",") if one.strip()]
    shorts = [one.rpartition(".")[2].lower() for one in listed]
    counts, seen = Counter(shorts), Counter[str]()
    names: list[str] = []
    for short in shorts:
        seen[short] += 1
        names.append(f"{short}-{seen[short]}" if counts[short] > 1 else short)
    return list(zip(names, listed, strict=True))


def _inner(made: Composition, slot: str, text: str, find: Find, refusal: Callable[[str], str]) -> Estimator | None:
    """The estimator of that name; None if it cannot be a part, which `made` then says."""
    spellings = (text, f"sklearn.{text}")
    for spelling in spellings:
        if reason := refusal(spelling):
            made.problems.append(Conflict(slot, f"names {text}, which cannot be used: {reason}", ""))
            return None
        found = find(spelling)
        if found is not None and found.library == "sklearn":
            return found
    hint = "Write the public path of a class of scikit-learn: sklearn.svm.SVC."
    made.problems.append(Conflict(slot, f"names {text or 'nothing'}, which is no estimator of scikit-learn", hint))
    return None


def _under(given: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    """The attributes of one part, without its prefix."""
    return {name.removeprefix(f"{prefix}."): value for name, value in given.items() if name.startswith(f"{prefix}.")}


def _roles(estimator: Estimator, slot: str, parts: Sequence[Part]) -> Iterable[Conflict]:
    """Parts that cannot do what the estimator around them asks of them."""
    role = estimator.slots[slot].role
    for number, part in enumerate(parts):
        task = part.estimator.task
        wanted = role
        if role == "steps":
            wanted = "any" if number == len(parts) - 1 else "transformer"
        fits = {
            "any": True,
            "classifier": task == "classifier",
            "columns": "transform" in part.estimator.tags,
            "covariance": task == "distance",
            "regressor": task == "regressor",
            "transformer": "transform" in part.estimator.tags,
        }[wanted]
        if not fits:
            kind = {"columns": "transformer", "covariance": "estimator of covariance"}.get(wanted, wanted)
            message = f"names {part.estimator.name}, which is no {kind}"
            before = " Only the last one of steps may be anything else." if role == "steps" else ""
            yield Conflict(slot, message, f"Name a {kind} there, such as {_example(wanted)}.{before}")


def _with_parts(
    estimator: Estimator, parts: Sequence[Part], given: Mapping[str, Value], problems: list[Conflict]
) -> Estimator:
    """The estimator with the attributes, the task and the abilities that come of its parts."""
    attributes = {**dict.fromkeys(estimator.slots, "str"), **estimator.attributes}
    for part in parts:
        attributes[part.slot] = "str"
        inner = part.estimator.attributes
        attributes |= {
            f"{part.name}.{name}": rule for name, rule in inner.items() if not name.startswith(_OF_STATEMENT)
        }
    attributes |= _grid(estimator, parts, given, problems)
    needs = dict(estimator.needs)
    for part in parts:
        needs |= {f"{part.name}.{name}": value for name, value in part.estimator.needs.items()}
    tags = set(estimator.tags)
    if parts and any("label" in part.estimator.tags for part in parts):
        tags.add("label")
    task = estimator.task
    if task == "part" and parts:
        last = parts[-1].estimator
        task = last.task
        tags |= last.tags & {"transform", "multi_output", "single_output"}
    every = [part.estimator for part in parts]
    for tag in ("nan", "sample_weight", "sparse"):
        if every and not all(tag in one.tags for one in every):
            tags.discard(tag)
    if estimator.class_path.endswith((".Pipeline", ".FeatureUnion")) and all("sparse" in one.tags for one in every):
        tags.add("sparse")
    if "sample_weight" not in tags:
        attributes.pop(SAMPLE_WEIGHT, None)
    return replace(
        estimator,
        attributes=MappingProxyType(attributes),
        task=task,
        needs=MappingProxyType(needs),
        tags=frozenset(tags),
        parts=tuple(parts),
    )


def _grid(
    estimator: Estimator, parts: Sequence[Part], given: Mapping[str, Value], problems: list[Conflict]
) -> dict[str, str]:
    """Rules of the attributes that list the values to try; each value must keep the rule of the searched estimator."""
    grid = estimator.grid
    if not grid or not parts:
        return {}
    known = parts[0].estimator.attributes
    asked = _under(given, grid)
    if not asked:
        hint = f"Write {grid}.NAME=[value, value] for an attribute NAME of {parts[0].estimator.name}."
        problems.append(Conflict(grid, "must be there: it lists the values to try", hint))
    for name, values in asked.items():
        if name not in known or not isinstance(values, tuple):
            continue  # said with the names and types of all other attributes
        wrong = [value for value in values if not allows(known[name], value)]
        if wrong or not values:
            message = f"lists {wrong[0]!r}" if wrong else "lists nothing"
            problems.append(Conflict(f"{grid}.{name}", message, f"Each must be {described(known[name])}."))
    return {f"{grid}.{name}": "list" for name in known}


def transformers_of_columns(estimator: Estimator) -> tuple[str, ...] | None:
    """The names of the transformers of a ColumnTransformer in it, each of which takes the columns of its own.

    None if there is no ColumnTransformer. Its columns are those of the whole matrix, so only pipelines that begin with
    it, searches and unions may stand around it.

    Raises:
        ValueError: it stands behind something that may change the columns, or there are several.
    """
    if estimator.class_path.endswith(".ColumnTransformer"):
        if any(transformers_of_columns(part.estimator) for part in estimator.parts):
            raise ValueError("has a ColumnTransformer inside of another")
        return tuple(part.name for part in estimator.parts)
    inside = [(place, transformers_of_columns(part.estimator)) for place, part in enumerate(estimator.parts)]
    found = [(place, names) for place, names in inside if names is not None]
    if not found:
        return None
    if len(found) > 1:
        raise ValueError("has several ColumnTransformers")
    ((place, names),) = found
    if not estimator.class_path.endswith(_KEEP_COLUMNS) or (estimator.class_path.endswith(".Pipeline") and place):
        raise ValueError("has a ColumnTransformer that does not get the columns of the SELECT")
    return names
