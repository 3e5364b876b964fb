"""Errors of calls to the API server, one type for each kind of reaction."""

from __future__ import annotations

from sqlflow_operator.kube.objects import ErrorStatus


class ApiError(Exception):
    """The API server refused a call, or could not be reached.

    Attributes:
        status: HTTP status; 0 if no answer came.
        reason: the API server's word for it, such as AlreadyExists.
        retry_after: seconds that the API server asks to wait, or None.
    """

    def __init__(self, status: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class NotFoundError(ApiError):
    """There is no such object, or no such kind."""


class AlreadyExistsError(ApiError):
    """An object of that name exists."""


class ConflictError(ApiError):
    """The object was changed since it was read."""


class InvalidError(ApiError):
    """The object is not valid; trying again changes nothing."""


class ForbiddenError(ApiError):
    """The operator may not do that, or a quota or policy forbids it."""


class UnavailableError(ApiError):
    """The API server is overloaded, failing or not reachable: try again later."""


def error_from(status: int, body: ErrorStatus, retry_after: str | None = None) -> ApiError:
    """The error for an answer with that HTTP status and that `Status` object."""
    reason = str(body.get("reason") or "")
    message = str(body.get("message") or reason or f"HTTP status {status}")
    details = body.get("details") or {}
    seconds = details.get("retryAfterSeconds") or (int(retry_after) if retry_after and retry_after.isdigit() else None)
    return _kind(status, reason)(status, reason, message, seconds)


def _kind(status: int, reason: str) -> type[ApiError]:
    match status:
        case 404 | 410:
            return NotFoundError
        case 409:
            return AlreadyExistsError if reason == "AlreadyExists" else ConflictError
        case 400 | 413 | 415 | 422:
            return InvalidError
        case 401 | 403:
            return ForbiddenError
        case _:
            return UnavailableError
