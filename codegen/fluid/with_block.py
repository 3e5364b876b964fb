"""The common base of tasks and pipelines: a `with` block fills them and then closes for good.

The open blocks are in a context variable: threads and asyncio tasks that build at the same time have their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self, TypeVar, Unpack, cast

from fluid.collector import register
from fluid.declarations import Namespace, Param, Workspace
from fluid.errors import ScopeError
from fluid.json_fields import Json, Metadata, ObjectFields, plain, pruned
from fluid.tekton_variables import Reference
from fluid.valid_names import unique

_open_blocks: ContextVar[tuple[Block, ...]] = ContextVar("fluid_open_blocks", default=())


class BlockFields(ObjectFields, total=False):
    """Arguments that tasks and pipelines both take besides their names."""

    params: Sequence[Param]
    workspaces: Sequence[Workspace]
    display_name: str
    description: str


class Block:
    """Something that is filled in a `with` block, or by its constructor, and cannot change afterwards.

    It closes, and is validated, at the end of its `with` block or when it is first used.
    """

    kind = "block"

    def __init__(self, name: str, **fields: Unpack[BlockFields]) -> None:
        self.name = name
        self.embedded = False
        self._closed = False
        self._token: Token[tuple[Block, ...]] | None = None
        self._params = list(fields.pop("params", ()))
        self._workspaces = list(fields.pop("workspaces", ()))
        self._heading = pruned(displayName=fields.pop("display_name", ""), description=fields.pop("description", ""))
        self._metadata = Metadata(name=name, **cast("ObjectFields", fields))
        register(self)

    @property
    def owner(self) -> str:
        """Its name in messages."""
        return f"{self.kind} {self.name!r}"

    @property
    def declared_params(self) -> tuple[Param, ...]:
        """The parameters that it takes."""
        return tuple(self._params)

    @property
    def declared_workspaces(self) -> tuple[Workspace, ...]:
        """The workspaces that a run must, or may, give it."""
        return tuple(self._workspaces)

    @property
    def params(self) -> Namespace[Reference]:
        """References to its parameters: `task.params.url`."""
        return Namespace(f"{self.owner}: parameter", {p.name: p.value for p in self._params})

    @property
    def workspaces(self) -> Namespace[Workspace]:
        """Its workspaces: `task.workspaces.source.path`."""
        return Namespace(f"{self.owner}: workspace", {w.name: w for w in self._workspaces})

    def add_param(self, param: Param) -> Reference:
        """Declare a parameter and return the reference to it."""
        self.ensure_open("a parameter")
        self._params.append(param)
        return param.value

    def add_workspace(self, workspace: Workspace) -> Workspace:
        """Declare a workspace."""
        self.ensure_open("a workspace")
        self._workspaces.append(workspace)
        return workspace

    def ensure_open(self, what: str) -> None:
        """Raise `ScopeError` if nothing can be added any more."""
        if self._closed:
            raise ScopeError(f"{self.owner} is finished; {what} can only be added inside its `with` block.")

    def close(self) -> None:
        """Validate, and refuse every change from now on. Closing twice is harmless."""
        if self._closed:
            return
        if self._token is not None:
            raise ScopeError(f"{self.owner} is used inside its own `with` block; use it after the block.")
        unique((p.name for p in self._params), f"{self.owner}: parameter")
        unique((w.name for w in self._workspaces), f"{self.owner}: workspace")
        self.validate()
        self._closed = True

    def validate(self) -> None:
        """Raise a `FluidError` for what is wrong with it."""
        raise NotImplementedError

    def spec(self) -> Json:
        """The object's `spec`."""
        raise NotImplementedError

    def to_dict(self) -> Json:
        """The object as Kubernetes JSON; a copy, which may be changed."""
        spec = self.spec()
        return {
            "apiVersion": "tekton.dev/v1",
            "kind": type(self).__name__,
            "metadata": self._metadata.to_dict(self.owner),
            "spec": plain(spec),
        }

    def __enter__(self) -> Self:
        self.ensure_open("anything")
        self._token = _open_blocks.set((*_open_blocks.get(), self))
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            _open_blocks.reset(self._token)
            self._token = None
        if exception_type is None:
            self.close()


B = TypeVar("B", bound=Block)


def current_block() -> Block | None:
    """Return the innermost open block, or None outside every block."""
    blocks = _open_blocks.get()
    return blocks[-1] if blocks else None


def require_block(kind: type[B], what: str, inside: str) -> B:
    """Return the innermost block, if it is of that kind.

    Raises:
        ScopeError: it is not; the message says that `what` belongs inside `inside`.
    """
    block = current_block()
    if isinstance(block, kind):
        return block
    place = f"inside {block.owner}" if block else "outside every block"
    raise ScopeError(f"{what} belongs inside {inside}; this is {place}.")
