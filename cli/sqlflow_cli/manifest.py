"""SQLFlowJobs in a YAML file, with the places of everything in it.

YAML is read as the API server's clients read it: a date is text, and 12:30 is no number. The operator's own models, and
all that they import, are only needed by those who ask for a typed job.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.language.source import Source

from sqlflow_cli.input_file import InputFile, ManifestError

if TYPE_CHECKING:
    from sqlflow_operator.api import SQLFlowJob

KIND = "SQLFlowJob"
PROGRAM = ("spec", "program")
MANIFEST_DIALECT = "a manifest says the dialect of its programs: spec.dialect"
"""The message where `--dialect` comes with one."""

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""The line ends of YAML."""

_INT = "tag:yaml.org,2002:int"
_NOT_IN_KUBERNETES = (_INT, "tag:yaml.org,2002:timestamp")


class _Loader(yaml.SafeLoader):
    """Resolves plain scalars as Go's YAML does."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (PyYAML's own interface)
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _NOT_IN_KUBERNETES]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    _INT,
    re.compile(r"[-+]?(?:0b[01]+|0x[0-9a-fA-F]+|0o?[0-7]+|0|[1-9][0-9]*)\Z"),
    list("-+0123456789"),
)


@dataclass(frozen=True, slots=True)
class Job:
    """One SQLFlowJob of a file.

    Attributes:
        raw: the object as the file has it.
        node: its YAML node.
        lines: the file's lines.
    """

    raw: Mapping[str, Any]
    node: yaml.Node
    lines: Sequence[str]

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata; empty if there are none."""
        return _mapping(self.raw.get("metadata"))

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its spec; empty if there is none."""
        return _mapping(self.raw.get("spec"))

    def identity(self, key: str) -> str:
        """Its `name`, `namespace` or `uid`; "" if its metadata have none."""
        return _text(self.metadata.get(key)) or ""

    @property
    def name(self) -> str:
        """Its name; "" if it has none."""
        return self.identity("name")

    @property
    def taken_backend(self) -> str:
        """The backend that executes it, by its status; "" if that names none."""
        run = _mapping(_mapping(self.raw.get("status")).get("run"))
        return _text(run.get("backend")) or ""

    @property
    def program(self) -> str | None:
        """Its program, if that is a text."""
        return _text(self.spec.get("program"))

    @property
    def written(self) -> Sequence[str] | None:
        """The lines of the file that hold its program; None if they hold it with escapes."""
        node, found = self._find(PROGRAM)
        if not found or not isinstance(node, yaml.ScalarNode) or node.style == '"':
            return None
        lines = list(self.lines[node.start_mark.line : node.end_mark.line + 1])
        if node.style == "'":
            lines[-1] = lines[-1][: node.end_mark.column - 1]
            lines = [line.replace("''", "'") for line in lines]
        return lines

    def place(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Line and column of the value at that path, or of the innermost one around it that the file has."""
        mark = self._find(path)[0].start_mark
        return mark.line + 1, mark.column + 1

    def program_place(self, line: int, column: int) -> tuple[int, int]:
        """The place in the file of a place in the program; the start of the program if lines are folded or escaped."""
        node, found = self._find(PROGRAM)
        if not found or self.program is None or not isinstance(node, yaml.ScalarNode):
            return self.place(PROGRAM)
        wanted = Source(self.program).line_text(line)
        block = node.style in ("|", ">")
        at = node.start_mark.line + line - (0 if block else 1)
        written = self.lines[at] if at < len(self.lines) else ""
        offset = len(written) - len(wanted) if block else node.start_mark.column + (1 if node.style else 0)
        if (block and not written[: max(offset, 0)].isspace() and offset) or (not block and line > 1):
            return self.place(PROGRAM)
        if offset < 0 or not written.startswith(wanted, offset):
            return self.place(PROGRAM)
        return at + 1, offset + column

    def _find(self, path: Sequence[str | int]) -> tuple[yaml.Node, bool]:
        node = self.node
        for key in path:
            child = _child(node, key)
            if child is None:
                return node, False
            node = child
        return node, True

    def typed(self, namespace: str, uid: str) -> SQLFlowJob:
        """The job as the operator would read it from the API server.

        Args:
            namespace: of a job whose metadata name none.
            uid: its UID in the API server.

        Raises:
            ManifestError: the spec does not fit the schema, or the job has no name.
        """
        from pydantic import ValidationError
        from sqlflow_operator.api import SQLFlowJob

        if not self.name:
            raise ManifestError("metadata.name: the job needs a name", *self.place(("metadata",)))
        own = {"namespace": self.identity("namespace") or namespace, "uid": uid, "resourceVersion": "0"}
        try:
            return SQLFlowJob.parse(_sorted({**self.raw, "metadata": {**self.metadata, **own}}))
        except ValidationError as error:
            first = error.errors()[0]
            path = ("spec", *first["loc"])
            raise ManifestError(f"{dotted(path)}: {first['msg']}", *self.place(path)) from error


def jobs_of(file: InputFile, dialect: str = "") -> tuple[Job, ...]:
    """All SQLFlowJobs of a manifest's documents, those in lists included.

    Raises:
        ManifestError: the text is no YAML.
        SQLFlowError: it holds no job, or the command was given a dialect.
    """
    if dialect:
        raise SQLFlowError(MANIFEST_DIALECT)
    text = file.text
    lines = _BREAK.split(text)
    found: list[Job] = []
    try:
        loader = _Loader(text)
        try:
            while loader.check_node():
                node = loader.get_node()
                if node is not None:
                    found += _jobs(loader.construct_document(node), node, lines)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ManifestError(f"no YAML: {error.problem or error.context}", *place) from error
    except yaml.reader.ReaderError as error:
        raise ManifestError(f"no YAML: {error.reason}", *Source(text).place(error.position)) from error
    except RecursionError as error:
        raise ManifestError("the YAML is nested too deeply", 1, 1) from error
    if not found:
        raise SQLFlowError(f"{file.path} holds no SQLFlowJob")
    return tuple(found)


def only_job(file: InputFile, dialect: str = "") -> Job:
    """The one SQLFlowJob of a manifest; raises as `jobs_of`, and where it holds several."""
    jobs = jobs_of(file, dialect)
    if len(jobs) > 1:
        raise SQLFlowError(f"{file.path} holds {len(jobs)} SQLFlowJobs: give a file with one")
    return jobs[0]


def dotted(path: Sequence[str | int]) -> str:
    """`spec.env[0].name`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def _sorted(value: Any) -> Any:
    """The value with all keys in the order in which an API server gives them."""
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value, key=str)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _jobs(raw: Any, node: yaml.Node, lines: Sequence[str]) -> Iterator[Job]:
    if not isinstance(raw, Mapping):
        return
    items = raw.get("items")
    listed = _child(node, "items")
    if raw.get("kind") == KIND:
        yield Job(raw, node, lines)
    elif raw.get("kind") in ("List", f"{KIND}List") and isinstance(items, list) and listed is not None:
        for item, each in zip(items, listed.value, strict=True):
            yield from _jobs(item, each, lines)


def _child(node: yaml.Node, key: str | int) -> yaml.Node | None:
    """The value of that key or index; of a key that is given twice the last, which is the one that counts."""
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in reversed(node.value) if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        child: yaml.Node = node.value[key]
        return child
    return None
