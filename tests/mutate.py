"""Change the product line by line and count the changes that no test notices: `make mutate`.

mutmut expects one source folder, the project has one per room. So every target gets a folder of links under
.state/mutate/ in which all packages lie side by side, and mutmut runs there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".state" / "mutate"
TOOLS = Path(sys.executable).parent

NOTICED = ("killed", "timeout", "caught by type check", "segfault")
"""The results of mutmut that mean that a mutation does not pass."""


@dataclass(frozen=True)
class Target:
    """Modules that are mutated together.

    Attributes:
        name: how `--only` names them.
        modules: paths below the packages; `*` matches any text.
        tests: the tests that belong to them.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


def _modules(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}.py" for name in names)


def _operator_tests(*names: str) -> tuple[str, ...]:
    return _modules("tests/unit/operator", *(f"test_{name}" for name in names))


OPERATOR, RECONCILE, WORKFLOW = "sqlflow_operator", "sqlflow_operator/reconcile", "sqlflow_operator/workflow"
DECIDE_TESTS = _operator_tests("decide", "decide_child")

TARGETS = (
    Target(
        "dependencies",
        _modules("sqlflow_codegen/graph", "dependencies"),
        _modules("tests/unit/graph", "test_waits", "test_dependencies"),
    ),
    Target("ledger", _modules("sqlflow_runtime", "ledger"), _modules("tests/unit/runtime", "test_ledger_rows")),
    Target("decide", _modules(RECONCILE, "decide", "decision"), DECIDE_TESTS),
    Target(
        "status",
        (
            *_modules(RECONCILE, "bounds", "conditions", "event_recorder", "headline", "job_status", "merge"),
            *_modules(OPERATOR, "run_name"),
        ),
        (*DECIDE_TESTS, *_operator_tests("job_status", "bounds", "notices", "status", "headline", "run_name")),
    ),
    Target(
        "reconcile",
        _modules(RECONCILE, "apply", "observe", "program_cache", "reconciler", "report_cache"),
        _operator_tests("refusals", "observe", "reconcile", "mishaps", "planning", "argo_rights", "status_patch"),
    ),
    Target("submit", _modules(WORKFLOW, "submit", "__init__"), _operator_tests("submit")),
    Target(
        "observe",
        _modules(f"{WORKFLOW}/observe", "*"),
        _operator_tests(
            "rollup", "reasons", "engine_run", "waiting", "explain", "engine_states", "recordings", "run_endings"
        ),
    ),
    Target(
        "fetch",
        _modules(f"{WORKFLOW}/fetch", "*"),
        _operator_tests("fetch", "fetch_logs", "fetch_messages", "fetch_steps", "log_reader", "run_endings"),
    ),
    Target(
        "backends",
        _modules(f"{WORKFLOW}/backends", "*"),
        _operator_tests(
            "argo_objects",
            "tekton_objects",
            "job_objects",
            "engine_states",
            "engine_faults",
            "recordings",
            "run_endings",
            "argo_rights",
            "mishaps",
        ),
    ),
)


def prepare(target: Target) -> Path:
    """Make the folder that mutmut runs in, or bring it up to date."""
    folder = STATE / target.name
    folder.mkdir(parents=True, exist_ok=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = [ROOT / path for path in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
    for source in (*packages, *(ROOT / name for name in ("tests", "docs", "examples", "crds", "pyproject.toml"))):
        link = folder / source.name
        if not link.is_symlink():
            link.symlink_to(source)
    checked = sorted({module.partition("/")[0] for module in target.modules})
    options = {
        "source_paths": [package.name for package in packages],
        "only_mutate": target.modules,
        "do_not_mutate_patterns": [r"^\s*logger\."],
        "also_copy": ["docs", "examples", "crds"],
        "pytest_add_cli_args_test_selection": target.tests,
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "--hypothesis-seed=0"],
        "type_check_command": [
            "mypy",
            "--output=json",
            f"--cache-dir={STATE}/mypy",
            "--no-warn-unused-ignores",
            *(f"--package={name}" for name in checked),
        ],
    }
    lines = [f"{name} =\n" + "".join(f"    {value}\n" for value in values) for name, values in options.items()]
    (folder / "setup.cfg").write_text("[mutmut]\n" + "".join(lines))
    return folder


def results(folder: Path) -> Iterator[tuple[str, str]]:
    """The name of every mutation and what became of it."""
    command = [str(TOOLS / "mutmut"), "results", "--all", "true"]
    output = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        name, _, result = line.strip().rpartition(": ")
        yield name, result


def score(target: Target, folder: Path) -> bool:
    """Print what tests and types noticed of each module, and what nobody did; True where that is at least 90 %."""
    modules: dict[str, Counter[str]] = defaultdict(Counter)
    unnoticed: list[str] = []
    for name, result in results(folder):
        if result == "not checked":
            continue
        modules[name.rpartition(".")[0]][result] += 1
        if result not in NOTICED:
            unnoticed.append(f"  {result}: {name}")
    print(f"\n{target.name}")
    for module, counts in sorted(modules.items()):
        noticed, total = sum(counts[result] for result in NOTICED), counts.total()
        print(f"  {noticed / total:5.1%} of {total:4d} ({counts['caught by type check']} by mypy)  {module}")
    print("\n".join(unnoticed))
    every = sum(modules.values(), Counter[str]())
    return sum(every[result] for result in NOTICED) >= 0.9 * every.total()


def run(target: Target, jobs: int, only: str) -> bool:
    """Mutate one target's modules: all, every tenth mutation, or those that survived the last time."""
    if only != "survivors":
        shutil.rmtree(STATE / target.name, ignore_errors=True)
    folder = prepare(target)
    names = ["*7"] if only == "tenth" else []
    if only == "survivors":
        names = [name for name, result in results(folder) if result not in (*NOTICED, "not checked")]
        if not names:
            return score(target, folder)
    environment = {**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
    command = [str(TOOLS / "mutmut"), "run", "--max-children", str(jobs), *names]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return score(target, folder)


def main() -> None:
    """Run the targets and exit with 1 where one of them falls short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=[target.name for target in TARGETS], help="this target")
    which = parser.add_mutually_exclusive_group()
    for only, words in (("tenth", "every tenth mutation"), ("survivors", "those that survived the last time")):
        which.add_argument(f"--{only}", dest="which", action="store_const", const=only, default="all", help=words)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="mutations that are tried at once")
    arguments = parser.parse_args()
    chosen = [target for target in TARGETS if not arguments.only or target.name in arguments.only]
    STATE.mkdir(parents=True, exist_ok=True)
    scores = [run(target, arguments.jobs, arguments.which) for target in chosen]
    sys.exit(0 if all(scores) else 1)


if __name__ == "__main__":
    main()
