"""Steps: the groups of statements that run together in one container."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """Statements that one container runs in one session.

    Attributes:
        name: `s<number of the first statement>-<kind>`, a DNS label, unique in the program: `s3-train`.
        kind: kind of the statements: `sql`, `train`, `predict`, ... Plain SQL that has to share the session of a
            model statement (a temporary table that it selects from, a USE before it) is in that one's step.
        statements: their numbers, from 1, ascending: the order in which they run.
        after: names of the steps that must have succeeded before.
        session: numbers of statements of other steps (USE, SET, ...) to replay in this step's session, each before
            the first of the step's statements that has a higher number; mostly that is before all of them.
            Their results are not the step's.
        repeat: those of `statements` that only shape the session (SET, rows of a temporary table); a step that
            is tried again runs them again, even if they were done.
        lost: those of `statements` at which another attempt cannot go on: they, or later ones, need what earlier ones
            left in the session, which is gone and which nothing brings back.
        image: the container image that the program names for it (`TO RUN image`, a model of an image); "" for the step
            image.
    """

    name: str
    kind: str
    statements: tuple[int, ...]
    after: tuple[str, ...] = ()
    session: tuple[int, ...] = ()
    repeat: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    image: str = ""
