"""The operator's configuration: environment variables, as a Deployment sets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlflow_codegen.contract import (
    MODEL_STORE_ENV,
    STEP_IMAGE_ENV,
    STEP_IMAGE_PULL_POLICY_ENV,
    STEP_REQUESTS,
    STEP_REQUESTS_ENV,
)

from sqlflow_operator.api import Backend
from sqlflow_operator.run_options import parse_requests


class ConfigError(Exception):
    """An environment variable has a value that cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of the operator.

    Attributes:
        step_image: SQLFLOW_STEP_IMAGE, image of steps for jobs that name none.
        step_image_pull_policy: SQLFLOW_STEP_IMAGE_PULL_POLICY; None leaves it to Kubernetes.
        step_requests: SQLFLOW_STEP_REQUESTS, requests of steps for what a job neither requests nor limits.
        ttl_seconds_after_finished: SQLFLOW_TTL_SECONDS_AFTER_FINISHED, for jobs that give none; None keeps children.
        model_store: SQLFLOW_MODEL_STORE, URL of the models for jobs that give none; "" is each program's database.
        namespaces: SQLFLOW_NAMESPACES, separated by commas; empty for all.
        default_backend: SQLFLOW_BACKEND, for jobs that name none; None takes the first engine that the cluster has.
        workers: SQLFLOW_WORKERS, the number of jobs reconciled at the same time.
        port: SQLFLOW_PORT, for /healthz, /readyz and /metrics.
        resync_seconds: SQLFLOW_RESYNC_SECONDS, seconds between two checks for missed events.
        log_level: SQLFLOW_LOG_LEVEL.
    """

    step_image: str = "sqlflow-step:latest"
    step_image_pull_policy: str | None = None
    step_requests: Mapping[str, str] = field(default_factory=lambda: parse_requests(STEP_REQUESTS))
    ttl_seconds_after_finished: int | None = 7 * 24 * 3600
    model_store: str = ""
    namespaces: tuple[str, ...] = ()
    default_backend: Backend | None = None
    workers: int = 4
    port: int = 8080
    resync_seconds: float = 30.0
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Read the configuration.

        Raises:
            ConfigError: a value cannot be used; the message says which and what would be right.
        """
        default = cls()
        return cls(
            step_image=environment.get(STEP_IMAGE_ENV) or default.step_image,
            step_image_pull_policy=_one_of(
                environment, STEP_IMAGE_PULL_POLICY_ENV, ("Always", "IfNotPresent", "Never")
            ),
            step_requests=_requests(environment, default.step_requests),
            ttl_seconds_after_finished=_ttl(environment, default.ttl_seconds_after_finished),
            model_store=_model_store(environment),
            namespaces=tuple(filter(None, map(str.strip, environment.get("SQLFLOW_NAMESPACES", "").split(",")))),
            default_backend=_backend(_one_of(environment, "SQLFLOW_BACKEND", tuple(Backend))),
            workers=int(_number(environment, "SQLFLOW_WORKERS", default.workers, 1, 64)),
            port=int(_number(environment, "SQLFLOW_PORT", default.port, 0, 65535)),
            resync_seconds=_number(environment, "SQLFLOW_RESYNC_SECONDS", default.resync_seconds, 1, 3600),
            log_level=_one_of(environment, "SQLFLOW_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"))
            or default.log_level,
        )


def _backend(name: str | None) -> Backend | None:
    return Backend(name) if name else None


def _model_store(environment: Mapping[str, str]) -> str:
    url = environment.get(MODEL_STORE_ENV, "")
    if any(char.isspace() or char in "$@" for char in url):
        raise ConfigError(f"{MODEL_STORE_ENV} has a blank, $ or credentials: write a URL such as s3://bucket/folder")
    return url


def _requests(environment: Mapping[str, str], default: Mapping[str, str]) -> Mapping[str, str]:
    text = environment.get(STEP_REQUESTS_ENV)
    if text is None:
        return default
    try:
        return parse_requests(text)
    except ValueError as error:
        raise ConfigError(f"{STEP_REQUESTS_ENV} is {text!r}: {error}") from error


def _ttl(environment: Mapping[str, str], default: int | None) -> int | None:
    name = "SQLFLOW_TTL_SECONDS_AFTER_FINISHED"
    if environment.get(name) == "never":
        return None
    return int(_number(environment, name, default or 0, 0, 2_147_483_647))


def _one_of(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str | None:
    value = environment.get(name) or None
    if value is not None and value not in choices:
        raise ConfigError(f"{name} is {value!r}; it must be one of {', '.join(choices)}")
    return value


def _number(environment: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = environment.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise ConfigError(f"{name} is {text!r}; it must be a number from {low:g} to {high:g}")
    return value
