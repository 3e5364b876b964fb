"""Before a run starts on Argo, the right of its executor to report is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlflow_operator.kube import CONFIG_MAPS, LOCAL_ACCESS_REVIEWS, WORKFLOWS, ApiError, ForbiddenError, Resource

from tests.unit.operator.world import World

CONTROLLER = "workflow-controller-configmap"


def argo(**spec: Any) -> World:
    world = World(backend="argo", **spec)
    world.served = {WORKFLOWS}
    return world


def workflows(world: World) -> list[Any]:
    return world.kube.store.list(WORKFLOWS, "ns")


def test_without_the_right_nothing_starts_and_the_message_has_the_cure() -> None:
    world = argo(serviceAccountName="runner")
    asked: list[Mapping[str, Any]] = []

    def denied(spec: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(spec)
        return {"allowed": False}

    world.kube.store.review = denied
    wait = world.reconcile()
    assert workflows(world) == world.kube.store.list(CONFIG_MAPS, "ns") == []
    assert (world.status["phase"], world.condition("Reconciling")["reason"]) == ("Pending", "Forbidden")
    cure = "--clusterrole=sqlflow-argo-steps --serviceaccount=ns:runner -n ns"
    assert f"kubectl create rolebinding sqlflow-argo-steps {cure}" in world.message
    assert wait == 30
    assert asked[0]["user"] == "system:serviceaccount:ns:runner"
    assert asked[0]["groups"] == ["system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"]
    assert asked[0]["resourceAttributes"] == {
        "namespace": "ns",
        "group": "argoproj.io",
        "resource": "workflowtaskresults",
        "verb": "create",
    }
    world.kube.store.review = lambda _: {"allowed": True}
    world.clock.sleep(30)
    world.reconcile()
    assert len(workflows(world)) == 1


def test_where_the_operator_may_not_ask_the_run_starts() -> None:
    world = argo()

    def refused(_number: int, method: str, resource: Resource) -> ApiError | None:
        asks = (method, resource) == ("create", LOCAL_ACCESS_REVIEWS)
        return ForbiddenError(403, "Forbidden", "may not ask") if asks else None

    world.kube.fault = refused
    world.reconcile()
    assert len(workflows(world)) == 1


def test_an_authorizer_that_cannot_say_stops_nothing() -> None:
    world = argo()
    world.kube.store.review = lambda _: {"allowed": False, "evaluationError": "webhook away"}
    world.reconcile()
    assert len(workflows(world)) == 1


@pytest.mark.parametrize(
    ("data", "account"),
    [
        ({}, "default"),
        ({"workflowDefaults": "spec:\n  serviceAccountName: argo-flow\n"}, "argo-flow"),
        ({"config": "workflowDefaults:\n  spec:\n    executor: {serviceAccountName: reporter}\n"}, "reporter"),
        ({"workflowDefaults": "{"}, "default"),
    ],
)
def test_the_account_that_argo_gives_by_default_is_the_one_asked_for(data: dict[str, str], account: str) -> None:
    world = argo()
    world.kube.store.create(CONFIG_MAPS, "argo", {"metadata": {"name": CONTROLLER}, "data": data})
    users = []
    world.kube.store.review = lambda spec: users.append(spec["user"]) or {"allowed": True}  # type: ignore[func-returns-value]
    world.reconcile()
    assert set(users) == {f"system:serviceaccount:ns:{account}"}


@pytest.mark.parametrize("backend", ["job", "tekton"])
def test_other_backends_ask_for_nothing(backend: str) -> None:
    world = World(backend=backend)
    world.reconcile()
    assert ("create", "localsubjectaccessreviews") not in world.kube.calls


def asked(world: World) -> int:
    return world.kube.calls.count(("create", "localsubjectaccessreviews"))


def test_the_answer_counts_for_five_minutes_and_a_refusal_for_no_time() -> None:
    world = argo()
    world.reconcile()
    assert asked(world) == 2
    for number, (seconds, questions) in enumerate(((250, 2), (100, 4))):
        for child in workflows(world):
            world.kube.store.delete(WORKFLOWS, "ns", child["metadata"]["name"])
        world.clock.sleep(seconds)
        world.edit(rerunToken=str(number))
        world.reconcile()
        world.clock.sleep(1)
        world.reconcile()
        assert (asked(world), len(workflows(world))) == (questions, 1)


@pytest.mark.parametrize(("account", "questions"), [(None, 2), ("other", 4)])
def test_a_kept_run_that_succeeded_with_the_account_answers_the_question(account: str | None, questions: int) -> None:
    world = argo()
    world.reconcile()
    [child] = workflows(world)
    world.kube.store.patch(
        WORKFLOWS, "ns", child["metadata"]["name"], {"status": {"phase": "Succeeded"}}, subresource="status"
    )
    world.settle(5)
    world.clock.sleep(3600)
    world.edit(rerunToken="again", serviceAccountName=account)
    world.reconcile()
    assert (asked(world), len(workflows(world))) == (questions, 2)
