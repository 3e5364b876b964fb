"""The errors of a Fluid program; every message says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class FluidError(ValueError):
    """Root of every error that a Fluid program can cause."""


class InvalidNameError(FluidError):
    """A name that Kubernetes or Tekton would refuse."""


class DuplicateError(FluidError):
    """Two things of one kind have the same name in one place."""


class UnknownReferenceError(FluidError):
    """A reference, or a name, that nothing in its scope declares."""


class UnboundError(FluidError):
    """A parameter or workspace that is needed and was not given."""


class LiteralError(FluidError):
    """Text meant literally that Tekton would substitute or refuse: Tekton has no way to escape it."""


class CycleError(FluidError):
    """Tasks that wait for each other; `path` names them, first and last alike."""

    def __init__(self, message: str, path: tuple[str, ...]) -> None:
        super().__init__(message)
        self.path = path


class ScopeError(FluidError):
    """Something was declared outside its `with` block, or after the block had ended."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the nearest known one and all of them."""
    names = sorted(known)
    if not names:
        return "There is none."
    near = get_close_matches(name, names, n=1)
    return (f"Did you mean {near[0]!r}? " if near else "") + f"There is: {', '.join(names)}."
