"""Creates the objects of a run from their YAML, so that doing it twice does it once."""

from __future__ import annotations

from collections.abc import Mapping

import yaml as pyyaml

from sqlflow_operator.kube import AlreadyExistsError, Kube, NotFoundError, Object, Resource, owner_uids


class NameConflictError(Exception):
    """An object of the run's name exists and belongs to somebody else."""

    def __init__(self, kind: str, namespace: str, name: str) -> None:
        super().__init__(f"{kind} {name} in namespace {namespace} exists and does not belong to this job")
        self.kind = kind
        self.name = name


def submit_documents(kube: Kube, yaml: str, resources: Mapping[str, Resource], *, child: str) -> str:
    """Create every document and return the run's id, `namespace/name`.

    An object that exists already is accepted where it has the same owner: then an earlier call, cut short, made it.

    Args:
        kube: the cluster.
        yaml: the documents.
        resources: which kinds a run may consist of.
        child: the kind of the run's main object.

    Raises:
        NameConflictError: an object of that name belongs to somebody else.
        ApiError: the API server refused or gave no answer.
        ValueError: the YAML holds another kind, or no child.
    """
    run_id = ""
    for document in filter(None, pyyaml.load_all(yaml, Loader=pyyaml.CSafeLoader)):
        kind = document.get("kind")
        if kind not in resources:
            raise ValueError(f"a run cannot have a {kind}; it has {', '.join(resources)}")
        namespace = document["metadata"].get("namespace") or "default"
        _create(kube, resources[kind], namespace, document)
        if kind == child:
            run_id = f"{namespace}/{document['metadata']['name']}"
    if not run_id:
        raise ValueError(f"the YAML holds no {child}")
    return run_id


def _create(kube: Kube, resource: Resource, namespace: str, document: Object) -> None:
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
