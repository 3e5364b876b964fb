"""The order of a pipeline's tasks, checked before Tekton sees it."""

from __future__ import annotations

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
    path = _find_cycle(needs)
    if path:
        raise CycleError(f"{owner}: tasks wait for each other: {' -> '.join(path)}.", path)


def _find_cycle(needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """A cycle, each task followed by one that it waits for; empty if there is none. Depth-first, no recursion."""
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        stack = [(start, iter(needs[start]))] if start not in done else []
        on_path = {start}
        while stack:
            task, before = stack[-1]
            if len(path) < len(stack):
                path.append(task)
            following = next(before, None)
            if following is None:
                stack.pop()
                path.pop()
                on_path.discard(task)
                done.add(task)
            elif following in on_path:
                return (*path[path.index(following) :], following)
            elif following not in done:
                on_path.add(following)
                stack.append((following, iter(needs[following])))
    return ()
