"""Creates the objects of a run from their YAML; a second time changes nothing."""

from __future__ import annotations

import yaml as pyyaml

from sqlflow_operator.kube import CONFIG_MAPS, AlreadyExistsError, Kube, NotFoundError, Resource, owner_uids
from sqlflow_operator.kube.objects import KubeObject
from sqlflow_operator.workflow.backends.definition import BackendDefinition


class NameConflictError(Exception):
    """An object of the run's name exists and has another owner."""

    def __init__(self, kind: str, namespace: str, name: str) -> None:
        super().__init__(f"{kind} {name} in namespace {namespace} exists and does not belong to this job")
        self.kind = kind
        self.name = name


def submit_documents(kube: Kube, yaml: str, definition: BackendDefinition) -> str:
    """Create every document and return the run's id, `namespace/name`: see `Workflow.submit`.

    An object that exists already is accepted if it has the same owner: then an earlier call, cut short, made it.
    """
    resources: dict[str, Resource] = {"ConfigMap": CONFIG_MAPS, definition.kind: definition.resource}
    run_id = ""
    for document in filter(None, pyyaml.load_all(yaml, Loader=pyyaml.CSafeLoader)):
        kind = document.get("kind")
        if kind not in resources:
            raise ValueError(f"a run cannot have a {kind}; it has {', '.join(resources)}")
        namespace = document["metadata"].get("namespace") or "default"
        _create(kube, resources[kind], namespace, document)
        if kind == definition.kind:
            run_id = f"{namespace}/{document['metadata']['name']}"
    if not run_id:
        raise ValueError(f"the YAML holds no {definition.kind}")
    return run_id


def _create(kube: Kube, resource: Resource, namespace: str, document: KubeObject) -> None:
    try:
        kube.create(resource, namespace, document)
    except AlreadyExistsError as error:
        name = document["metadata"]["name"]
        existing = kube.get(resource, namespace, name)
        if not owner_uids(document) & owner_uids(existing):
            raise NameConflictError(document["kind"], namespace, name) from error
    except NotFoundError as error:
        if error.reason == "NotFound" and "namespaces" in error.message:
            raise
        kind = document["kind"]
        message = f"the cluster serves no {kind} ({document['apiVersion']}): its engine is not installed"
        raise NotFoundError(error.status, error.reason, message) from error
