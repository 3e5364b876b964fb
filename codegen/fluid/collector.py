"""The manifests that a program has built, collected in a context variable: threads and asyncio tasks have their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from fluid.dumper import dump_yaml
from fluid.json_fields import Json


class Manifest(Protocol):
    """An object of Kubernetes that a program builds."""

    @property
    def embedded(self) -> bool:
        """True if it stands inside another manifest, so that it need not be written by itself."""

    def to_dict(self) -> Json:
        """The object as Kubernetes JSON."""


_built: ContextVar[list[Manifest] | None] = ContextVar("fluid_built", default=None)


@contextmanager
def collecting() -> Iterator[list[Manifest]]:
    """Collect every manifest that is built inside, in order."""
    built: list[Manifest] = []
    token = _built.set(built)
    try:
        yield built
    finally:
        _built.reset(token)


def dump(*manifests: Manifest) -> str:
    """Return the manifests as YAML documents, in the order given."""
    return dump_yaml(*(manifest.to_dict() for manifest in manifests))


def register(manifest: Manifest) -> None:
    """Add a manifest to those that `collecting` collects, if anything does."""
    built = _built.get()
    if built is not None:
        built.append(manifest)
