"""The file in which `up` records the cluster of a checkout."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from devcluster.layout import Layout
from devcluster.store import write_atomically


@dataclass(slots=True)
class Record:
    """The record that `up` keeps of a cluster, written first of all and again when it is complete.

    Attributes:
        name: of the cluster.
        program: the engine that runs it.
        registry: whether it runs an upstream node image.
        image: the node image; "" for the one that kind chose.
        complete: whether `up` came to its end; without, the cluster is half-created.
        loaded: image reference -> id of what was loaded last under it.
    """

    name: str
    program: str
    registry: bool
    image: str
    complete: bool = False
    loaded: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, layout: Layout) -> Record | None:
        """The note of this checkout's cluster; None if there is none."""
        try:
            record = cls(**json.loads(layout.record.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return record if record.name == layout.name else None

    @classmethod
    def read_complete(cls, layout: Layout) -> Record | None:
        """The note of this checkout's cluster if it is complete."""
        record = cls.read(layout)
        return record if record is not None and record.complete else None

    def write(self, layout: Layout) -> None:
        """Keep the note."""
        write_atomically(layout.record, json.dumps(asdict(self), indent=2) + "\n")
