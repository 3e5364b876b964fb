"""Tekton's variables, `$(...)`, as values, distinct from text that only looks like one.

A `Reference` is a `str`, so it may stand wherever text may: in f-strings, in lists, after `+`. It carries its
expression between two NUL characters, a mark that no Kubernetes text can contain, and becomes `$(expression)`
only when a manifest is rendered. So the text `$(params.x)` and the reference to `params.x` never mix up, and no
registry or other state is needed to distinguish them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

MARK = "\0"


@dataclass(frozen=True, slots=True)
class When:
    """A condition for a task of a pipeline: `input` is (not) one of `values`, or a CEL expression."""

    input: str = ""
    operator: Literal["in", "notin", ""] = ""
    values: tuple[str, ...] = ()
    cel: str = ""


class Reference(str):
    """A value that Tekton fills in, such as `$(params.url)`.

    It is a `str`: use it in f-strings and lists like any text. Do not transform it (`upper`, slices): only
    whole references can be rendered.
    """

    def __new__(cls, expression: str) -> Reference:
        """Refer to `expression`, the part between `$(` and `)`."""
        return super().__new__(cls, f"{MARK}{expression}{MARK}")

    @property
    def expression(self) -> str:
        """The text between `$(` and `)`."""
        return self[1:-1]

    def __repr__(self) -> str:
        return f"Reference({self.expression!r})"

    @property
    def all(self) -> Reference:
        """All elements of an array, `$(params.files[*])`; alone in its list element."""
        return Reference(f"{self.expression}[*]")

    def at(self, index: int) -> Reference:
        """One element of an array, `$(params.files[0])`."""
        return Reference(f"{self.expression}[{index}]")

    def key(self, key: str) -> Reference:
        """One key of an object, `$(params.git.url)`."""
        return Reference(f"{self.expression}.{key}")

    def is_in(self, *values: str) -> When:
        """The condition that this is one of `values`."""
        return when(self).is_in(*values)

    def not_in(self, *values: str) -> When:
        """The condition that this is none of `values`."""
        return when(self).not_in(*values)


class ArrayReference(list[str]):
    """A whole array as a list, `[*files]` or `args=files`; `files[0]` is its first element."""

    def __init__(self, array: Reference) -> None:
        super().__init__([array.all])
        self._array = array

    @property
    def all(self) -> Reference:
        """All elements, `$(params.files[*])`; alone in its list element."""
        return self._array.all

    def __getitem__(self, index: Any) -> Any:
        """One element, `$(params.files[0])`."""
        return self._array.at(index)


class ObjectReference(dict[str, str]):
    """An object by its keys, `git["url"]`, each a reference."""

    def __init__(self, whole: Reference, keys: Iterable[str]) -> None:
        super().__init__({key: whole.key(key) for key in keys})
        self.all = whole.all


@dataclass(frozen=True, slots=True)
class _Comparison:
    text: str

    def is_in(self, *values: str) -> When:
        """The condition that the text is one of `values`."""
        return When(self.text, "in", values)

    def not_in(self, *values: str) -> When:
        """The condition that the text is none of `values`."""
        return When(self.text, "notin", values)


def when(text: str) -> _Comparison:
    """Begin a condition: `when(mode).is_in("full", "quick")`, `when(f"{a}-{b}").not_in("x-y")`."""
    return _Comparison(text)


def reference(expression: str) -> Reference:
    """Refer to anything that Fluid has no object for: `reference("context.pipelineRun.name")`."""
    return Reference(expression)


def var(name: str) -> Reference:
    """Refer to an environment variable of the same container, `$(NAME)`: in command, args and env."""
    return Reference(name)


def cel(expression: str) -> When:
    """A condition in CEL; the cluster's Tekton must have `enable-cel-in-whenexpression`."""
    return When(cel=expression)


def expressions(text: str) -> tuple[str, ...]:
    """The expressions of all references in a text."""
    return tuple(text.split(MARK)[1::2])
