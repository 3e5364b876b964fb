"""The names that Kubernetes and Tekton accept, checked where they are given instead of by the API server."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping

from fluid.errors import DuplicateError, InvalidNameError

MAX_LENGTH = 63

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PARAM = re.compile(r"[_a-zA-Z][_a-zA-Z0-9.-]*")
_KEY = re.compile(r"[_a-zA-Z][_a-zA-Z0-9-]*")
_RESULT = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def dns_label(name: str, what: str) -> str:
    """Return `name` if it is a DNS label of at most 63 characters; `what` has it, in messages.

    Raises:
        InvalidNameError: it is not.
    """
    rule = "a DNS label: lower-case letters, digits and '-', beginning and ending with a letter or digit"
    return _checked(name, what, _LABEL, f"{rule}, at most {MAX_LENGTH} characters", MAX_LENGTH)


def object_name(name: str, what: str) -> str:
    """Return `name` if Tekton accepts it as an object's name: a DNS subdomain of at most 63 characters."""
    rule = "lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit"
    return _checked(name, what, _SUBDOMAIN, f"{rule}, at most {MAX_LENGTH} characters", MAX_LENGTH)


def param_name(name: str, what: str, *, keyed: bool = False) -> str:
    """Return `name` if it can name a parameter; `keyed` for objects and their keys, which take no dots."""
    allowed = "letters, digits, '_' and '-'" if keyed else "letters, digits, '_', '-' and '.'"
    return _checked(name, what, _KEY if keyed else _PARAM, f"{allowed}, beginning with a letter or '_'")


def result_name(name: str, what: str) -> str:
    """Return `name` if it can name a result."""
    rule = "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
    return _checked(name, what, _RESULT, rule)


def _checked(name: str, what: str, pattern: re.Pattern[str], rule: str, limit: int = sys.maxsize) -> str:
    if len(name) > limit or not pattern.fullmatch(name):
        raise InvalidNameError(f"{what} has the name {name!r}; it must be {rule}.")
    return name


def labels(values: Mapping[str, str], what: str) -> dict[str, str]:
    """Return the labels if every value is one that Kubernetes accepts."""
    for key, value in values.items():
        if not _LABEL_VALUE.fullmatch(value):
            raise InvalidNameError(
                f"{what}: label {key!r} has the value {value!r}; it must be at most {MAX_LENGTH} letters, "
                "digits, '-', '_' and '.', beginning and ending with a letter or digit."
            )
    return dict(values)


def unique(names: Iterable[str], what: str) -> None:
    """Raise `DuplicateError` if a name that is not empty occurs twice; `what` says of which things."""
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            raise DuplicateError(f"{what} {name!r} is declared twice; give each its own name.")
        seen.add(name)
