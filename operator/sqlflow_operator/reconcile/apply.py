"""Does what was decided, one call after the other, so that doing it again after any failure comes to the same end."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from typing import Any, assert_never

from sqlflow_codegen.backend import Codegen
from sqlflow_codegen.errors import CodegenError

from sqlflow_operator.api import Backend, SQLFlowJob, SQLFlowJobStatus
from sqlflow_operator.kube import (
    CONFIG_MAPS,
    EVENTS,
    SQLFLOWJOBS,
    AlreadyExistsError,
    ApiError,
    ForbiddenError,
    InvalidError,
    Kube,
    NotFoundError,
    Object,
    UnavailableError,
)
from sqlflow_operator.reconcile.model import Action, CreateRun, DeleteRun, PatchChild, Refusal
from sqlflow_operator.run_options import Defaults, run_options
from sqlflow_operator.workflow import NameConflictError, Workflow
from sqlflow_operator.workflow.observe.state import Reason

logger = logging.getLogger(__name__)

Backends = Mapping[Backend, tuple[Codegen, Workflow]]


class Applier:
    """Carries out actions and writes statuses. Safe to use from many threads."""

    def __init__(self, kube: Kube, backends: Backends, defaults: Defaults) -> None:
        self._kube = kube
        self._backends = backends
        self._defaults = defaults

    def apply(self, job: SQLFlowJob, action: Action) -> Refusal | None:
        """Carry out one action; a refusal that the person should know of is returned.

        Raises:
            ApiError: the API server gave no answer, or one that calls for another try.
        """
        match action:
            case CreateRun():
                return self._create(job, action)
            case PatchChild():
                _, workflow = self._backends[action.backend]
                self._kube.patch(workflow.definition.resource, job.namespace, action.name, action.patch)
                return None
            case DeleteRun():
                self._delete(job, action)
                return None
            case _:
                assert_never(action)

    def _create(self, job: SQLFlowJob, action: CreateRun) -> Refusal | None:
        codegen, workflow = self._backends[action.backend]
        missing = workflow.missing_right(job.namespace, job.spec.service_account_name)
        if missing:
            return Refusal(Reason.FORBIDDEN, f"the run is not started: {missing}", final=False)
        options = run_options(job, action.name, self._defaults)
        try:
            workflow.submit(codegen.gen_yaml(codegen.gen_code(action.program, options)))
        except CodegenError as error:
            return Refusal(Reason.INVALID_SPEC, f"the run cannot be generated: {error}", final=True)
        except NameConflictError as error:
            return Refusal(Reason.NAME_CONFLICT, f"{error}: delete it, or give the job another name", final=False)
        except InvalidError as error:
            # Nothing of a run that can never be is left behind; what the job owns goes with it at the latest.
            with contextlib.suppress(ApiError):
                self._kube.delete(CONFIG_MAPS, job.namespace, action.name)
            return Refusal(Reason.INVALID_SPEC, f"the API server refuses the run: {error.message}", final=True)
        except ForbiddenError as error:
            return _forbidden(error)
        except (NotFoundError, UnavailableError) as error:
            refusal = _unavailable(error, workflow)
            if refusal is None:
                raise
            return refusal
        logger.info("run created", extra={"job": f"{job.namespace}/{job.name}", "run": action.name})
        return None

    def _delete(self, job: SQLFlowJob, action: DeleteRun) -> None:
        """ConfigMap first: as long as the child is there, both are found again."""
        _, workflow = self._backends[action.backend]
        with contextlib.suppress(NotFoundError):
            self._kube.delete(CONFIG_MAPS, job.namespace, action.name)
        with contextlib.suppress(NotFoundError):
            workflow.stop(f"{job.namespace}/{action.name}")
        extra = {"job": f"{job.namespace}/{job.name}", "run": action.name, "why": action.why}
        logger.info("run deleted", extra=extra)

    def write_status(self, job: SQLFlowJob, status: SQLFlowJobStatus) -> bool:
        """Store a status where it differs from what is stored; True where something was written.

        Raises:
            ConflictError: the job was changed since it was read.
            ApiError: the API server refused or gave no answer.
        """
        patch = status_patch(job.raw_status, status)
        if not patch:
            return False
        body = {"metadata": {"resourceVersion": job.resource_version}, "status": patch}
        self._kube.patch(SQLFLOWJOBS, job.namespace, job.name, body, subresource="status")
        return True

    def tell(self, event: Object) -> None:
        """Create an Event; that it exists already, or cannot be created, changes nothing for the job."""
        try:
            self._kube.create(EVENTS, event["metadata"]["namespace"], event)
        except AlreadyExistsError:
            pass
        except ApiError as error:
            logger.warning("event not created: %s", error, extra={"event": event["metadata"]["name"]})


def _forbidden(error: ForbiddenError) -> Refusal:
    if "exceeded quota" in error.message:
        return Refusal(Reason.QUOTA_EXCEEDED, f"a quota of the namespace forbids the run: {error.message}", final=False)
    advice = "Check the operator's role and the namespace's policies."
    return Refusal(Reason.FORBIDDEN, f"the run cannot be created: {error.message}. {advice}", final=False)


def _unavailable(error: ApiError, workflow: Workflow) -> Refusal | None:
    """What is not there that the run needs; None where the API server itself is in trouble, which passes unsaid."""
    if isinstance(error, NotFoundError) and "namespace" not in error.message:
        message = f"the cluster does not know {workflow.definition.kind}s any more: {error.message}"
    elif "webhook" in error.message:
        message = f"the run cannot be created: {error.message}. Is the webhook's service running?"
    else:
        return None
    return Refusal(Reason.BACKEND_UNAVAILABLE, message, final=False)


def status_json(status: SQLFlowJobStatus) -> Object:
    """A status as it is stored: what is not set, and lists that are empty, are left out."""
    return {key: value for key, value in status.to_json().items() if value != []}


def status_patch(stored: Mapping[str, Any], status: SQLFlowJobStatus) -> Object:
    """The JSON merge patch from what is stored to a status; empty where they are the same."""
    wanted = status_json(status)
    patch: Object = {key: None for key in stored if key not in wanted}
    for key, value in wanted.items():
        if key not in stored or stored[key] != value:
            patch[key] = _replacing(stored.get(key), value)
    return patch


def _replacing(stored: Any, value: Any) -> Any:
    """A merge patch merges objects: fields that are to go must be named."""
    if isinstance(value, dict) and isinstance(stored, dict):
        return {key: None for key in stored if key not in value} | {
            k: _replacing(stored.get(k), v) for k, v in value.items()
        }
    return value
