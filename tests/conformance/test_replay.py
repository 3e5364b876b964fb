"""What the real engines did in every case, replayed onto real objects on a real API server: the same outcome.

The engines' CRDs must lie beside this checkout, as for the tests of the generated manifests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlflow_operator.kube import SQLFLOWJOBS
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.workflow import new

from tests.conformance.cases import BY_NAME
from tests.conformance.checks import check_history, check_outcome, check_overlap
from tests.conformance.differences import DIFFERENCES, SPECS, adapted, expected
from tests.conformance.player import Player
from tests.conformance.recording import read
from tests.conformance.replaying import JOB, SteppedOperator, create_job, replay, start_of
from tests.integration.conftest import ROOT, OperatorProcess, client, new_namespace
from tests.integration.controlplane import ControlPlane, free_port
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

FOLDER = Path(__file__).parent / "recordings"
RECORDINGS = sorted(FOLDER.glob("*.jsonl.gz"))
PROCESS = [
    path for path in RECORDINGS if path.name.split(".")[0].partition("-")[2] in ("failing", "parallel", "trained")
]
"""Those without retries and deadlines: the operator's own process measures time by the clock."""


def split(path: Path) -> tuple[str, str]:
    """Backend and case of a recording; where a case can go two ways, a word after a point tells which it is."""
    backend, _, case = path.name.partition(".")[0].partition("-")
    return backend, case


def test_every_case_was_recorded_on_both_engines() -> None:
    assert {split(path) for path in RECORDINGS} == {(b, case) for b in ("argo", "tekton") for case in BY_NAME}


def test_every_difference_is_one() -> None:
    """Each names a case, and what it says is not what the case says anyway."""
    for difference in DIFFERENCES:
        assert difference.backend in ("job", "argo", "tekton")
        assert getattr(BY_NAME[difference.case].expected, difference.field) != difference.value
        assert difference.why
    assert {(d.case, d.backend) for d in DIFFERENCES} >= SPECS.keys()


def test_the_docs_have_every_difference() -> None:
    """The table of docs/backends.md names the case and the backend of each, and no other case."""
    text = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8").partition("## Where outcomes differ")[2]
    rows = re.findall(r"^\| (`.*?): .*? \| `(\w+)` \|", text, re.MULTILINE)
    told = {(case, backend) for cases, backend in rows for case in re.findall(r"`([\w-]+)`", cases)}
    assert told == {(difference.case, difference.backend) for difference in DIFFERENCES}


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_replay(engines_plane: ControlPlane, engines_kube: KubeClient, path: Path) -> None:
    """Event by event, with the operator's reconcile loop after each: no status on the way contradicts another."""
    backend, name = split(path)
    case, wanted = adapted(BY_NAME[name], backend), expected(BY_NAME[name], backend)
    namespace = new_namespace(engines_kube, "replay")
    player = Player(engines_kube, engines_plane, namespace, {"sqlflow-conformance": namespace})
    entries = read(path)
    operator = SteppedOperator(client(engines_plane.operator), namespace, player.created, start_of(entries))
    job = create_job(engines_kube, namespace, case, backend)
    statuses = replay(entries, player, new(backend, engines_kube)[1], job, operator.step)
    # What the operator does by itself, such as after a deadline; recordings end before the pods that were stopped.
    for more in range(1, 41):
        operator.step(entries[-1].seconds + 2.0 * more)
    final = engines_kube.get(SQLFLOWJOBS, namespace, JOB)
    check_outcome(final, wanted)
    check_history([*statuses, final["status"]], wanted)
    check_overlap(final["status"], wanted)


@pytest.fixture(scope="module")
def operator(engines_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    process = OperatorProcess(engines_plane, free_port(), tmp_path_factory.mktemp("operator") / "log")
    # The jobs of the other tests are none of its business.
    process.environment["SQLFLOW_NAMESPACES"] = ",".join(f"process-{path.name.split('.')[0]}" for path in PROCESS)
    process.start()
    yield process
    process.kill()


@pytest.mark.parametrize("path", PROCESS, ids=lambda path: path.name.split(".")[0])
@pytest.mark.usefixtures("operator")
def test_operators_process_follows_the_engines_objects(
    engines_plane: ControlPlane, engines_kube: KubeClient, path: Path
) -> None:
    """The process as it is shipped, woken by its own watches, with no more rights than its role has."""
    backend, name = split(path)
    case, wanted = adapted(BY_NAME[name], backend), expected(BY_NAME[name], backend)
    namespace = f"process-{backend}-{name}"
    engines_plane.run("create", "namespace", namespace)
    player = Player(engines_kube, engines_plane, namespace, {"sqlflow-conformance": namespace})
    job = create_job(engines_kube, namespace, case, backend)

    def started() -> bool:
        return "run" in (engines_kube.get(SQLFLOWJOBS, namespace, JOB).get("status") or {})

    wait_for(started, "the run was created")
    statuses = replay(read(path), player, new(backend, engines_kube)[1], job, lambda _: None)
    wait_for(lambda: engines_kube.get(SQLFLOWJOBS, namespace, JOB)["status"]["phase"] == wanted.phase, wanted.phase)
    final = engines_kube.get(SQLFLOWJOBS, namespace, JOB)
    check_outcome(final, wanted)
    check_history([*statuses, final["status"]], wanted)
