"""The contract of generators, steps and operator: names on objects, a step's call, its records, its end.

All sides import this module, so none can drift: the generators write the objects, the step runtime writes records and
the termination message, the operator and the `sqlflow` command read them. A record is one JSON object on one line
with a `type` and, where it belongs to a statement, a `statement` number (from 1). Readers skip lines that are not
records (an engine's own output).

On stdout every record has a number `n`, from 1, and the last one is `end`. So a reader that comes back knows what it
has had already, and one that misses records, because a log was rotated or cut off, knows that and which. `open` marks
a statement that is part of a transaction of the program's own: until that commits, it may have to run again.

| type | fields |
|---|---|
| `statement_started` | statement, kind, title, line, column, attempt_skipped (true if the ledger says it is done) |
| `columns` | statement, names, types; begins a result, of which a procedure may give several |
| `row` | statement, values (cells, see below), truncated (positions from 0 of cells cut short; only if there are any) |
| `log` | statement, level, message |
| `metrics` | statement, model, values {name: number} |
| `model` | statement, name, version, estimator |
| `progress` | statement, iteration (from 1), total (0 if unknown), unit (`round`, `epoch`), values {name: number} |
| `image` | statement, media_type, title, data (base64) |
| `statement_finished` | statement, rows (returned or affected, -1 unknown), seconds, truncated (there is more), open |
| `error` | statement, line, column, title, kind, message, hint |
| `end` | none: there are no more records |

A training writes `progress` at most once a second, and always its last.

A cell is plain JSON where JSON has the value: null, true, false, an integer of any size, a number with `.` or `e`
(a float), a string. Every other value is an object with one key, so none can be mistaken for a string:

| cell | value |
|---|---|
| `{"$float": "nan"}` | `nan`, `inf`, `-inf` |
| `{"$decimal": "1.10"}` | an exact number, all its digits |
| `{"$bytes": "AAE="}` | binary data, in base64 |
| `{"$date": "2024-02-29"}` | a date as the database writes it; also `$time`, `$timestamp`, `$interval` |
| `{"$json": "[1, 2]"}` | the text of a JSON value, of an array or of a structure |

Types that are not in this list (UUID, enumerations, network addresses, geometry, ...) are strings as the database
writes them; `types` in the `columns` record names every column's type.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlflow_codegen.progress import StepProgress

GROUP = "sqlflow.org"

LABEL_RUN = f"{GROUP}/run"
"""On the child, its ConfigMap and its pods: the run's name."""
LABEL_JOB_UID = f"{GROUP}/job-uid"
"""On the child and its pods: UID of the SQLFlowJob. A name may exceed 63 characters, a UID never does."""
LABEL_STEP = f"{GROUP}/step"
"""On pods that run one step only (Argo, Tekton)."""
LABEL_JOB = f"{GROUP}/job"
"""On the child, its ConfigMap and its pods: the SQLFlowJob's name as `job_label` writes it. For people and queries."""
ANNOTATION_JOB = LABEL_JOB
"""On the child and its pods: the SQLFlowJob's name, of any length."""
ANNOTATION_CANCELLED = f"{GROUP}/cancelled"
"""On a batch/v1 Job that was cancelled: it has no such word of its own."""

STEP_COMMAND = "sqlflow-step"


class Flag(StrEnum):
    """Flags of `sqlflow-step`."""

    PROGRAM = "--program"
    DIALECT = "--dialect"
    STATEMENTS = "--statements"
    SESSION = "--session"
    REPEAT = "--repeat"
    LOST = "--lost"
    PREVIEW_ROWS = "--preview-rows"
    RETRIES = "--retries"
    RESUMABLE = "--resumable"
    COPY_TO = "--copy-to"
    LEDGER = "--ledger"
    """Of runs that an older operator created, for `--retries`."""
    FINISH = "--finish"
    """Of runs that an older operator created: the last container, which does nothing."""


PROGRAM_DIR = "/sqlflow"
PROGRAM_FILE = "program.sql"
"""The program's text is mounted there, from the ConfigMap key of the same name."""

DATABASE_ENV = "SQLFLOW_DATABASE_URL"
"""The step's environment variable with the SQLAlchemy URL, always by secretKeyRef."""
RUN_ENV = "SQLFLOW_RUN"
"""The run's name."""
RUN_UID_ENV = "SQLFLOW_RUN_UID"
"""The UID of the run's child: a manifest that is applied again under the same name is another run."""
CONNECT_TIMEOUT_ENV = "SQLFLOW_CONNECT_TIMEOUT"
"""Seconds during which a step tries to reach a database that does not answer."""
IMAGE_ENV = "SQLFLOW_IMAGE"
"""The step image's own name, which a stored model keeps."""
MODEL_STORE_ENV = "SQLFLOW_MODEL_STORE"
"""The place of the models: an fsspec URL such as s3://bucket/folder, or a local path; not set, the step's database."""
STEP_IMAGE_ENV = "SQLFLOW_STEP_IMAGE"
STEP_IMAGE_PULL_POLICY_ENV = "SQLFLOW_STEP_IMAGE_PULL_POLICY"
STEP_REQUESTS_ENV = "SQLFLOW_STEP_REQUESTS"
"""The operator's and the `sqlflow` command's defaults for steps."""
STEP_REQUESTS = "cpu=100m,memory=256Mi"
"""Requests of a step for which neither job nor operator gives any: enough for plain SQL and small models."""

TERMINATION_MESSAGE_LIMIT = 4096
"""Bytes that Kubernetes keeps of one container's termination message (12 KiB shared by a pod's containers)."""

TERMINATION_LOG_ENV = "SQLFLOW_TERMINATION_LOG"
"""Environment variable that names another file for the termination message.

Set where an engine takes that file and puts it, as JSON of its own, into the container's termination message
(Tekton): there it takes `wrapped_size` bytes of `WRAPPED_LIMIT`.
"""

OUTCOME_RESULT = "outcome"
"""The name of the result that holds a step's outcome, as `dump_outcome` writes it, where an engine has results
(Tekton)."""

WRAPPED_LIMIT = TERMINATION_MESSAGE_LIMIT - 512
"""Bytes of a wrapped message; the rest is the engine's own."""

ERROR_MESSAGE_LIMIT = 1024
"""Bytes of an error's own words that status and termination messages carry."""

EXIT_OK = 0
EXIT_STATEMENT_FAILED = 1
"""A statement failed, and would fail again: a table that is not there, a duplicate key, a wrong attribute."""
EXIT_USAGE = 2
"""The step was called in a wrong way, or the program cannot run at all."""
EXIT_DATABASE_UNREACHABLE = 3
"""The database cannot be reached, refused the login, or ended the connection."""
EXIT_TRY_AGAIN = 4
"""A statement failed for a reason that may pass: a deadlock, a lock timeout, a full disk, no memory."""
EXIT_LOST = 5
"""An earlier start of this step in the same run did not end in good order, and the run has no retries: the step
executed nothing. Its error is of kind `lost`; for the reader, the pod of the earlier start was lost."""
EXIT_SKIPPED = 6
"""Another step of the run has failed for good, so this one, which its engine had started all the same, executed
nothing. Its error is of kind `skipped`; for the reader, the step never ran."""
EXIT_STOPPED = 128 + signal.SIGTERM
"""Stopped from outside."""
EXIT_KILLED = 128 + signal.SIGKILL
"""Killed: by the kubelet after the grace period, or for its memory."""
EXIT_INTERRUPTED = 128 + signal.SIGINT
"""Ctrl-C ended a command."""

OWN_FAILURES = (EXIT_STATEMENT_FAILED, EXIT_USAGE, EXIT_DATABASE_UNREACHABLE, EXIT_TRY_AGAIN)
"""Exit codes of a step that failed by itself; nothing interrupted it."""

FINAL_EXIT_CODES = (EXIT_STATEMENT_FAILED, EXIT_USAGE, EXIT_LOST, EXIT_SKIPPED)
"""Exit codes after which no backend retries the step, whatever `spec.retries` says. After every other code it does,
also after those of a process that was killed."""


@dataclass(frozen=True, slots=True)
class StepError:
    """The error with which a step failed. `statement` is 0 where no statement had started (bad usage, no database)."""

    statement: int
    line: int
    column: int
    title: str
    kind: str
    """`database`, `connection`, `data`, `model`, `estimator`, `command`, `memory`, `usage`, `stopped`, `lost`,
    `skipped` or `internal`."""
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class StepMetrics:
    """The metrics of one EVALUATE of a model, or the objective of one MAXIMIZE or MINIMIZE of a table."""

    statement: int
    model: str
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class StepModel:
    """The model that one TRAIN stored."""

    statement: int
    name: str
    version: int
    estimator: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The content of a step's termination message."""

    error: StepError | None = None
    metrics: tuple[StepMetrics, ...] = ()
    models: tuple[StepModel, ...] = ()
    truncated: bool = False
    finished: tuple[int, ...] = field(default=())
    """Numbers of the statements of this step that are done."""
    progress: StepProgress | None = None
    """The progress of the step's last training."""


def dump_record(record: dict[str, Any]) -> str:
    """One record as one line of JSON, without the line end. NaN and infinities must be encoded by the caller."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def parse_record(line: str) -> dict[str, Any] | None:
    """The record on that line, or None where the line is not one (an engine's or a library's own words)."""
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("type"), str) else None


def utf8_size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text.encode())


def wrapped_size(text: str) -> int:
    """Bytes of a text inside a JSON string as Go writes it, where `<`, `>` and `&` take six."""
    return utf8_size(json.dumps(text, ensure_ascii=False)) + 5 * sum(map(text.count, "<>&"))


def dump_outcome(
    outcome: Outcome, limit: int = TERMINATION_MESSAGE_LIMIT, size: Callable[[str], int] = utf8_size
) -> str:
    """The termination message: compact JSON whose `size` is at most `limit`.

    Where it does not fit, the progress goes first, then metrics and models, then the end of the error's words;
    `truncated` says so but for the progress.
    """
    for whole in (outcome, replace(outcome, progress=None)):
        text = _dump(whole)
        if size(text) <= limit:
            return text
    error = outcome.error
    if error is None:
        return _dump(Outcome(truncated=True))
    error = replace(error, hint=error.hint[:200], title=error.title[:200])
    text = _dump(Outcome(error=error, truncated=True))
    while size(text) > limit and len(error.message) > 40:
        error = replace(error, message=error.message[: len(error.message) * 3 // 4] + "…")
        text = _dump(Outcome(error=error, truncated=True))
    return text


def parse_outcome(text: str) -> Outcome | None:
    """The outcome in a termination message, or None where it holds none (cut short, or not written by a step)."""
    try:
        data = json.loads(text)
        error = data.get("error")
        return Outcome(
            error=StepError(**error) if error else None,
            metrics=tuple(StepMetrics(**m) for m in data.get("metrics", ())),
            models=tuple(StepModel(**m) for m in data.get("models", ())),
            truncated=bool(data.get("truncated", False)),
            finished=tuple(data.get("finished", ())),
            progress=_progress(data.get("progress")),
        )
    except (ValueError, TypeError, AttributeError):
        return None


def _progress(data: Any) -> StepProgress | None:
    """The progress in an outcome; None where there is none that this version knows: the rest counts all the same."""
    try:
        return StepProgress.read(data) if data else None
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def _dump(outcome: Outcome) -> str:
    data = {key: value for key, value in asdict(outcome).items() if value}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
