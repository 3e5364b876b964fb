"""Attributes of WITH clauses against the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlflow_codegen.catalogue import Estimator, allows, described, fault, to_python, words
from sqlflow_codegen.catalogue.boosting import Conflict
from sqlflow_codegen.language.ir import Attribute, TrainStatement
from sqlflow_codegen.language.source import Problem, shortened
from sqlflow_codegen.language.suggest import did_you_mean

_SHOWN = 12
"""Longer lists of words are not shown in messages."""


def check_attributes(
    attributes: Iterable[Attribute], rules: Mapping[str, str], owner: str, *, severity: str = "error"
) -> Iterator[Problem]:
    """Names and values against the rules of `owner` (`xgboost.gbtree`, `TO EXPLAIN`).

    A rule whose name ends in `.*` allows every name with that prefix.

    Args:
        attributes: what the statement gives.
        rules: for each name the rule for its value.
        owner: how messages name what takes the attributes.
        severity: of unknown names; wrong values are always errors.
    """
    for attribute in attributes:
        rule = rules.get(attribute.name) or rules.get(attribute.name.partition(".")[0] + ".*")
        if rule is None:
            yield _unknown(attribute, rules, owner, severity)
        elif not allows(rule, attribute.value):
            yield _wrong(attribute, rule, owner)


def _unknown(attribute: Attribute, rules: Mapping[str, str], owner: str, severity: str) -> Problem:
    message = f"unknown attribute `{attribute.name}` of {owner}"
    prefix, dot, _ = attribute.name.rpartition(".")
    known = [name for name in rules if name.startswith(prefix + dot)] or list(rules)
    if prefix == "model":  # in SQLFlow's own words: those of its estimators that are neural
        message = f"unsupported attribute {attribute.name} of {owner}"
    hint = did_you_mean(attribute.name, rules)
    if not hint and len(known) <= _SHOWN:
        hint = f"Attributes of {owner} are {', '.join(sorted(known))}."
    return Problem("unknown-attribute", message, attribute.span.start, hint, severity)


def _wrong(attribute: Attribute, rule: str, owner: str) -> Problem:
    code = fault(rule, attribute.value)
    choices = words(rule)
    message = f"attribute `{attribute.name}` of {owner} must be {described(rule)}, not {_shown(attribute)}"
    hint = ""
    if isinstance(attribute.value, str):
        hint = did_you_mean(attribute.value, choices)
        if not hint and code == "wrong-type" and attribute.value.replace(".", "", 1).isdecimal():
            hint = "Take off the quotes."
    return Problem("attribute-" + code, message, attribute.value_span.start, hint)


def _shown(attribute: Attribute) -> str:
    value = attribute.value
    return shortened(str(value).lower() if isinstance(value, bool) else repr(to_python("list", value)), 60)


def check_aliases(
    attributes: Iterable[Attribute], aliases: Mapping[str, str], deprecated: Mapping[str, str], owner: str
) -> Iterator[Problem]:
    """Two names of one parameter in one statement; names that do nothing any more."""
    seen: dict[str, Attribute] = {}
    for attribute in attributes:
        if attribute.name in deprecated:
            message = f"attribute `{attribute.name}` of {owner} has no effect"
            yield Problem("no-effect", message, attribute.span.start, deprecated[attribute.name], "warning")
            continue
        other = seen.setdefault(aliases.get(attribute.name, attribute.name), attribute)
        if other is not attribute:
            message = f"`{attribute.name}` and `{other.name}` are the same attribute of {owner}"
            hint = f"The other one is at {other.span}; keep one."
            yield Problem("duplicate-attribute", message, attribute.span.start, hint)


def check_conflicts(statement: TrainStatement, estimator: Estimator) -> Iterator[Problem]:
    """Attributes that keep their rules but cannot work beside the others, or are missing."""
    attributes = statement.attributes
    if not all(allows(estimator.attributes.get(one.name, "str"), one.value) for one in attributes):
        return  # said already, and the rest would follow from it
    yield from conflicting(statement, estimator, estimator.conflicts(attributes, continues=statement.using is not None))


def conflicting(statement: TrainStatement, estimator: Estimator, conflicts: Iterable[Conflict]) -> Iterator[Problem]:
    """The problems at the attributes in question, or at the estimator's name where the statement lacks one."""
    given = {estimator.aliases.get(one.name, one.name): one for one in statement.attributes}
    for conflict in conflicts:
        attribute = given.get(conflict.attribute)
        name, at = (
            (attribute.name, attribute.value_span) if attribute else (conflict.attribute, statement.estimator.span)
        )
        message = f"attribute `{name}` of {estimator.name} {conflict.message}"
        yield Problem("attribute-conflict", message, at.start, conflict.hint)
