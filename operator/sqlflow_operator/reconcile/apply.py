"""Carries out actions, one call after the other; repeated after any failure, they come to the same end."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, assert_never

from cachetools import TTLCache
from sqlflow_codegen.backend import Codegen
from sqlflow_codegen.errors import CodegenError

from sqlflow_operator.api import Backend, SQLFlowJob, SQLFlowJobStatus
from sqlflow_operator.kube import (
    CONFIG_MAPS,
    SQLFLOWJOBS,
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    Kube,
    NotFoundError,
    Object,
    UnavailableError,
)
from sqlflow_operator.kube.watch_cache import WatchCache
from sqlflow_operator.reconcile.decision import Action, CreateRun, DeleteRun, PatchChild, Refusal
from sqlflow_operator.run_options import Defaults, run_options
from sqlflow_operator.workflow import NameConflictError, Workflow
from sqlflow_operator.workflow.observe.state import Reason
from sqlflow_operator.workflow.observe.waiting import explain_quota

logger = logging.getLogger(__name__)

Backends = Mapping[Backend, tuple[Codegen, Workflow]]

RIGHTS_SECONDS = 300.0
"""Seconds for which the answer counts that a service account has the rights that an engine needs."""
FRESH = 30.0
"""Seconds for which a job that was just seen is taken for its latest state when a run starts."""
RETRY_CONFLICT = 60.0
"""Seconds after which a taken name is tried again."""


class Applier:
    """Carries out actions and writes statuses. Safe to use from many threads."""

    def __init__(
        self,
        kube: Kube,
        cache: WatchCache,
        backends: Backends,
        defaults: Defaults,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kube, self._cache = kube, cache
        self._backends = backends
        self._defaults = defaults
        self._allowed: TTLCache[tuple[Backend, str, str | None], bool] = TTLCache(1000, RIGHTS_SECONDS, timer)
        self._lock = threading.Lock()

    def apply(self, job: SQLFlowJob, action: Action) -> Refusal | None:
        """Carry out one action; a refusal that the job's status has to report is returned.

        Raises:
            ConflictError: the job has been changed since the watch showed it, so the action may be the wrong one.
            ApiError: the API server gave no answer, or one that calls for another try.
        """
        if isinstance(action, DeleteRun) or (isinstance(action, CreateRun) and self._cache.age(job.uid) > FRESH):
            self._confirm(job)
        match action:
            case CreateRun():
                return self._create(job, action)
            case PatchChild():
                self._patch(job, action)
                return None
            case DeleteRun():
                self._delete(job, action)
                return None
            case _:
                assert_never(action)

    def _confirm(self, job: SQLFlowJob) -> None:
        """Make sure that the cache has the job's latest state before a run is deleted or another one starts."""
        latest = self._kube.get(SQLFLOWJOBS, job.namespace, job.name)
        if latest["metadata"].get("resourceVersion") != job.resource_version:
            raise ConflictError(409, "Conflict", "the job has been changed since the watch showed it")

    def _missing_right(self, job: SQLFlowJob, backend: Backend) -> str:
        """See `BackendDefinition`. A run of the job that succeeded with that account shows that nothing is missing."""
        account = job.spec.service_account_name
        key = (backend, job.namespace, account)
        with self._lock:
            if key in self._allowed:
                return ""
        resource = self._backends[backend][1].definition.resource
        for child in self._cache.owned(resource, None, {job.uid}):
            if (child.get("status") or {}).get("phase") == "Succeeded" and child["spec"].get(
                "serviceAccountName"
            ) == account:
                return ""
        missing = self._backends[backend][1].missing_right(job.namespace, job.spec.service_account_name)
        if not missing:
            with self._lock:
                self._allowed[key] = True
        return missing

    def _create(self, job: SQLFlowJob, action: CreateRun) -> Refusal | None:
        codegen, workflow = self._backends[action.backend]
        missing = self._missing_right(job, action.backend)
        if missing:
            return Refusal(Reason.FORBIDDEN, f"the run is not started: {missing}", final=False)
        options = run_options(job, action.name, self._defaults)
        try:
            workflow.submit(codegen.gen_yaml(codegen.gen_code(action.program, options)))
        except CodegenError as error:
            return Refusal(Reason.INVALID_SPEC, f"the run cannot be generated: {error}", final=True)
        except NameConflictError as error:
            message = f"{error}: delete it, or give the job another name"
            return Refusal(Reason.NAME_CONFLICT, message, final=False, stalled=True, retry_after=RETRY_CONFLICT)
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

    def _patch(self, job: SQLFlowJob, action: PatchChild) -> None:
        resource = self._backends[action.backend][1].definition.resource
        try:
            self._kube.patch(resource, job.namespace, action.name, action.patch)
        except NotFoundError:
            if gone := self._cache.get(resource, job.namespace, action.name):
                self._cache.drop(gone["metadata"]["uid"])
            raise

    def _delete(self, job: SQLFlowJob, action: DeleteRun) -> None:
        """ConfigMap first: as long as the child is there, both are found again."""
        _, workflow = self._backends[action.backend]
        with contextlib.suppress(NotFoundError):
            self._kube.delete(CONFIG_MAPS, job.namespace, action.name)
        if action.child is not None:
            try:
                workflow.stop(f"{job.namespace}/{action.name}", uid=action.child)
            except (NotFoundError, ConflictError):  # gone, and its name may belong to another object
                self._cache.drop(action.child)
        extra = {"job": f"{job.namespace}/{job.name}", "run": action.name, "why": action.why}
        logger.info("run deleted", extra=extra)

    def write_status(self, job: SQLFlowJob, patch: Object) -> None:
        """Store the difference to the status that the job has.

        Raises:
            ConflictError: the job has been changed since the watch showed it.
            ApiError: the API server refused or gave no answer.
        """
        body = {"metadata": {"resourceVersion": job.resource_version}, "status": patch}
        try:
            self._kube.patch(SQLFLOWJOBS, job.namespace, job.name, body, subresource="status")
        except ConflictError:
            self._kube.get(SQLFLOWJOBS, job.namespace, job.name)  # for the next try, should the watch lag
            raise


def _forbidden(error: ForbiddenError) -> Refusal:
    if quota := explain_quota(error.message, "run"):
        return Refusal(*quota, final=False)
    advice = "Check the operator's role and the namespace's policies."
    return Refusal(Reason.FORBIDDEN, f"the run cannot be created: {error.message}. {advice}", final=False)


def _unavailable(error: ApiError, workflow: Workflow) -> Refusal | None:
    """The refusal if something is missing that the run needs; None if the API server itself is in trouble."""
    if isinstance(error, NotFoundError) and "namespace" not in error.message:
        message = f"the cluster does not know {workflow.definition.kind}s any more: {error.message}"
    elif "webhook" in error.message:
        message = f"the run cannot be created: {error.message}. Is the webhook's service running?"
    else:
        return None
    return Refusal(Reason.BACKEND_UNAVAILABLE, message, final=False)


def status_json(status: SQLFlowJobStatus) -> Object:
    """A status as it is stored: without what is not set and without empty lists."""
    return {key: value for key, value in status.to_json().items() if value != []}


def status_patch(stored: Mapping[str, Any], status: SQLFlowJobStatus) -> Object:
    """The JSON merge patch from what is stored to a status; empty if they are the same."""
    wanted = status_json(status)
    patch: Object = {key: None for key in stored if key not in wanted}
    for key, value in wanted.items():
        if key not in stored or stored[key] != value:
            patch[key] = _replacing(stored.get(key), value)
    return patch


def _replacing(stored: Any, value: Any) -> Any:
    """The merge patch for one field: it merges objects, so it names the fields that have to go."""
    if isinstance(value, dict) and isinstance(stored, dict):
        return {key: None for key in stored if key not in value} | {
            k: _replacing(stored.get(k), v) for k, v in value.items()
        }
    return value
