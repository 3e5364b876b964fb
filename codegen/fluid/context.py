"""Which `with` block is open, and what a program has built: both live in context variables.

So threads and asyncio tasks that build at the same time do not see each other's blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from fluid.dumper import dump_yaml
from fluid.values import Json


class Manifest(Protocol):
    """An object of Kubernetes that a program builds."""

    @property
    def embedded(self) -> bool:
        """Whether it stands inside another manifest, so that it need not be written by itself."""

    def to_dict(self) -> Json:
        """The object as Kubernetes JSON."""


_blocks: ContextVar[tuple[object, ...]] = ContextVar("fluid_blocks", default=())
_built: ContextVar[list[Manifest] | None] = ContextVar("fluid_built", default=None)


@contextmanager
def block(owner: object) -> Iterator[None]:
    """Make `owner` the innermost open block."""
    token = _blocks.set((*_blocks.get(), owner))
    try:
        yield
    finally:
        _blocks.reset(token)


def current_block() -> object | None:
    """The innermost open block's owner, or None outside every block."""
    blocks = _blocks.get()
    return blocks[-1] if blocks else None


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
    """Tell the collector, if there is one, that a manifest was built."""
    built = _built.get()
    if built is not None:
        built.append(manifest)
