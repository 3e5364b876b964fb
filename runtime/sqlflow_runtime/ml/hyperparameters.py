"""Estimators and attributes as a TRAIN statement names them, checked against the catalogue or the real signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from sqlflow_codegen.catalogue import (
    VALIDATION_SELECT,
    Estimator,
    allows,
    composed,
    described,
    estimator_names,
    find_estimator,
    split_image,
)
from sqlflow_codegen.catalogue.neural import OWN_ATTRIBUTES
from sqlflow_codegen.language.ir import Attribute, Name
from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.errors import RunError, listed

_ANY = "int | float | bool | str | list | none"


def resolve_estimator(name: Name, given: Sequence[Attribute] = ()) -> Estimator:
    """The estimator of that name: one of the catalogue, any of the installed scikit-learn, or the user's own.

    Of the user's own only the class or function itself knows its attributes: all of `given` are passed on.

    Raises:
        RunError: kind `estimator`, at the name; there is none.
    """
    known = find_estimator(name.text)
    if known is not None:
        return known
    image, path = split_image(name.text)
    if image:
        own = {one.name: OWN_ATTRIBUTES.get(one.name, _ANY) for one in given}
        return Estimator(name.text, "custom", path, "any", own)
    if not name.text.startswith("sklearn."):
        hint = (
            did_you_mean(name.text, estimator_names())
            or "Known are xgboost.gbtree, sklearn.ensemble.RandomForestClassifier and others."
        )
        raise RunError("estimator", f"there is no estimator {name.text}", hint, place=name.span.start)
    from sqlflow_runtime.ml.sklearn_types import PREDICTING, estimator_class

    try:
        found = estimator_class(name.text, PREDICTING)
    except RunError as failure:
        failure.place = name.span.start
        failure.hint = did_you_mean(name.text, estimator_names()) or failure.hint
        raise
    attributes = dict.fromkeys(inspect.signature(found).parameters, _ANY)
    tags = frozenset({"label"} if hasattr(found, "predict") and "y" in inspect.signature(found.fit).parameters else ())
    return Estimator(name.text, "sklearn", name.text, "any", {**attributes, VALIDATION_SELECT: "str"}, tags=tags)


def composed_estimator(estimator: Estimator, attributes: Sequence[Attribute]) -> Estimator:
    """The estimator with the parts that the attributes name.

    Raises:
        RunError: kind `estimator`, at the attribute; a part cannot be used.
    """
    composition = composed(estimator, attributes)
    for problem in composition.problems:
        place = next((one.span.start for one in attributes if one.name == problem.attribute), None)
        message = f"attribute {problem.attribute} of {estimator.name} {problem.message}"
        raise RunError("estimator", message, problem.hint, place=place)
    return composition.estimator


def checked_parameters(
    estimator: Estimator, attributes: Sequence[Attribute], log: Callable[[str, str], None]
) -> dict[str, Any]:
    """Return the library's parameters for the statement's attributes.

    Raises:
        RunError: kind `estimator`, at the attribute: unknown, of a wrong type or range, or said twice.
    """
    said: dict[str, Attribute] = {}
    for attribute in attributes:
        rule = estimator.attributes.get(attribute.name)
        if rule is None:
            names = sorted(estimator.attributes)
            hint = did_you_mean(attribute.name, names) or f"It takes {listed(names, 60)}."
            raise _wrong(attribute, f"{estimator.name} has no attribute {attribute.name}", hint)
        if not allows(rule, attribute.value):
            shown = repr(attribute.value)[:80]
            raise _wrong(attribute, f"{attribute.name} cannot be {shown}", f"It takes {described(rule)}.")
        if attribute.name in estimator.deprecated:
            log("warning", f"{attribute.name} has no effect. {estimator.deprecated[attribute.name]}")
        canonical = estimator.aliases.get(attribute.name, attribute.name)
        if canonical in said:
            other = said[canonical].name
            what = "given twice" if other == attribute.name else f"the same parameter as {other}"
            raise _wrong(attribute, f"{attribute.name} is {what}", "Keep one of them.")
        said[canonical] = attribute
    return estimator.parameters(attributes)


def ignore_attributes(attributes: Sequence[Attribute], known: Sequence[str], log: Callable[[str, str], None]) -> None:
    """Warn of attributes that a statement which uses a model does not know: SQLFlow took any."""
    for attribute in attributes:
        if attribute.name not in known:
            log("warning", f"the attribute {attribute.name} has no effect here")


def _wrong(attribute: Attribute, message: str, hint: str) -> RunError:
    return RunError("estimator", message, hint, place=attribute.span.start)
