"""Build the graph of a program: effects of its statements, dependencies, steps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.graph.data_objects import Effects
from sqlflow_codegen.graph.dependencies import Waits, by_effects, in_program_order
from sqlflow_codegen.graph.effects import ProgramState, effects
from sqlflow_codegen.graph.effects_builder import QUIET
from sqlflow_codegen.graph.fusion import fuse
from sqlflow_codegen.graph.images import image_errors, image_of, images_of
from sqlflow_codegen.graph.lost import lost_at
from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.graph.results import ResultChecks
from sqlflow_codegen.graph.session_affinity import AffinityKind, SessionAffinity
from sqlflow_codegen.graph.session_state import Setting
from sqlflow_codegen.graph.steps import Step
from sqlflow_codegen.graph.units import Unit, make_units
from sqlflow_codegen.language.ir import Program, SqlStatement, Statement

SQL = SqlStatement.kind


@dataclass(frozen=True, slots=True)
class Edge:
    """One statement waits for another.

    Attributes:
        before, after: numbers of the statements, from 1; `before` is the lower one.
        hazard: `RAW`, `WAR`, `WAW`, `BARRIER` or `ORDER`.
        on: relation or model; `*` stands for the relations that the program did not create, any of which may be a
            view over another; for a barrier the reason.
    """

    before: int
    after: int
    hazard: str
    on: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The dependency graph of a program, and its steps.

    Attributes:
        program: the program.
        effects: those of each statement, in program order.
        edges: after transitive reduction, sorted; one for every cause.
        steps: in an order in which they may run.
        warnings: findings about statements that run alone because their effects are not clear.
        errors: findings about result tables that may not be replaced, and about sessions that containers cannot share;
            `plan` raises them.
    """

    program: Program
    effects: tuple[Effects, ...]
    edges: tuple[Edge, ...]
    steps: tuple[Step, ...]
    warnings: tuple[Diagnostic, ...]
    errors: tuple[Diagnostic, ...] = ()


def build_graph(program: Program, ordering: Ordering = Ordering.CONSERVATIVE, *, fusion: bool = True) -> Graph:
    """Build the graph of a program; the arguments are those of `plan_steps`."""
    state = ProgramState(program.dialect, ordering)
    found: list[Effects] = []
    settings: list[tuple[Setting, ...]] = []
    results = ResultChecks(program)
    for statement in program:
        settings.append(state.session.settings)
        found.append(effects(statement, state))
        results.note(statement, found[-1], state.catalog)
    if ordering is Ordering.SEQUENTIAL:
        waits = in_program_order(len(found), (n for n, each in enumerate(found) if each.setting))
    else:
        waits = by_effects(found)
    units = make_units(found, waits)
    images = images_of(program)
    steps = _Steps(program, found, settings, state.session.prepared, images).make(units, fusion=fusion)
    return Graph(
        program=program,
        effects=tuple(found),
        edges=tuple(_edges(waits)),
        steps=tuple(steps),
        warnings=tuple(_warnings(program, found, ordering)),
        errors=(*results.errors, *image_errors(program, steps, found, images)),
    )


def _edges(waits: Waits) -> list[Edge]:
    return [
        Edge(before + 1, after + 1, cause.hazard, cause.on)
        for after, befores in enumerate(waits)
        for before, causes in befores.items()
        for cause in dict.fromkeys(causes)
    ]


class _Steps:
    """Makes steps of units."""

    def __init__(
        self,
        program: Program,
        effects: Sequence[Effects],
        settings: Sequence[tuple[Setting, ...]],
        prepared: Collection[SessionAffinity],
        images: Sequence[str],
    ) -> None:
        self._statements = program.statements
        self._effects = effects
        self._settings = settings
        """For every statement the settings in force before it."""
        self._prepared = prepared
        self._images = images

    def make(self, units: Sequence[Unit], *, fusion: bool) -> list[Step]:
        """The steps, in an order in which they may run."""
        kinds = [self._kind(unit.statements) for unit in units]
        brief = [all(self._effects[each].brief for each in unit.statements) for unit in units]
        groups = fuse(units, [fusion and kind == SQL for kind in kinds], brief)
        if not groups and self._effects:
            groups.append([])  # nothing but settings
        group_of = {position: n for n, group in enumerate(groups) for position in group}
        members = [sorted(s for position in group for s in units[position].statements) for group in groups]
        self._house_settings(members)
        names = [f"s{each[0] + 1}-{self._kind(each)}" for each in members]
        steps: list[Step] = []
        for n, group in enumerate(groups):
            repeat = self._repeated(members[n])
            befores = {group_of[before] for position in group for before in units[position].after} - {n}
            steps.append(
                Step(
                    name=names[n],
                    kind=self._kind(members[n]),
                    statements=tuple(s + 1 for s in members[n]),
                    after=tuple(names[before] for before in sorted(befores)),
                    session=self._replayed(members[n]),
                    repeat=repeat,
                    lost=lost_at(members[n], self._effects, {s - 1 for s in repeat}),
                    image=image_of(members[n], self._statements, self._images),
                )
            )
        return steps

    def _kind(self, positions: Sequence[int]) -> str:
        """The kind of the first model statement, else `sql`."""
        kinds = (self._statements[each].kind for each in positions)
        return next((kind for kind in kinds if kind != SQL), SQL)

    def _house_settings(self, members: list[list[int]]) -> None:
        """Add each setting to the step of the statement after it, the last ones to the last statement's."""
        home = {s: n for n, group in enumerate(members) for s in group}
        following = home[max(home)] if home else 0
        for s in reversed(range(len(self._effects))):
            if s in home:
                following = home[s]
            else:
                members[following].append(s)
        for group in members:
            group.sort()

    def _repeated(self, members: Sequence[int]) -> tuple[int, ...]:
        """Numbers of the statements that a retry runs again although they are done.

        What shapes the session within a transaction is repeated within it: that is, with its BEGIN, its COMMIT or
        ROLLBACK, and all statements that act inside it only.
        """
        effects = self._effects
        transactions = {
            each
            for s in members
            if effects[s].only_session
            for each in effects[s].session
            if each.kind is AffinityKind.TRANSACTION
        }.difference(self._prepared)
        return tuple(
            s + 1
            for s in members
            if effects[s].only_session or (effects[s].controls and transactions & effects[s].session)
        )

    def _replayed(self, members: Sequence[int]) -> tuple[int, ...]:
        """Numbers of the settings of other steps that this one needs."""
        own = {s + 1 for s in members}
        found: set[int] = set()
        before = 0
        for s in members:
            if self._effects[s].setting:
                continue
            for setting in reversed(self._settings[s]):
                if setting.number <= before:
                    break
                found.add(setting.number)
            before = s + 1
        return tuple(sorted(found - own))


def _warnings(program: Program, effects: Sequence[Effects], ordering: Ordering) -> list[Diagnostic]:
    """Findings about statements that run alone; in program order only those that may change the session unseen."""
    sequential = ordering is Ordering.SEQUENTIAL
    long = [n for n, each in enumerate(effects) if not (each.brief or each.setting)]
    found: list[Diagnostic] = []
    for n, (statement, each) in enumerate(zip(program, effects, strict=True)):
        unseen = each.reaches_later or not sequential or not (each.understood or each.hint)
        costs_nothing = each.brief and each.understood and not each.hint and not (long and long[0] < n < long[-1])
        if each.barrier and each.barrier not in QUIET and unseen and not costs_nothing:
            found.append(_warning(statement, each))
    return found


def _warning(statement: Statement, effects: Effects) -> Diagnostic:
    code = "runs-alone" if effects.understood else "not-understood"
    message = f"{statement.title} waits for all before it, and all after it wait for it: {effects.barrier}"
    span = statement.span
    return Diagnostic(code, message, statement.number, span.line, span.column, effects.hint, "warning")
