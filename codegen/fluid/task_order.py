"""The order of a pipeline's tasks, checked before Tekton sees it."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping, Sequence

from fluid.errors import CycleError, UnknownReferenceError, suggest


def check_order(needs: Mapping[str, Sequence[str]], owner: str) -> None:
    """Check that every task waits for tasks that exist, and none for itself, be it through others.

    Args:
        needs: each task's name with the names of those that must be done before.
        owner: how messages name the pipeline.

    Raises:
        UnknownReferenceError: a task waits for one that is not there.
        CycleError: tasks wait for each other; the message and `path` name them in order.
    """
    for task, before in needs.items():
        for name in before:
            if name not in needs:
                raise UnknownReferenceError(
                    f"{owner}: task {task!r} waits for {name!r}, which is none of its tasks. {suggest(name, needs)}"
                )
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        path = tuple(reversed(error.args[1]))  # each followed by one that it waits for
        raise CycleError(f"{owner}: tasks wait for each other: {' -> '.join(path)}.", path) from None
