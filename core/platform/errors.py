"""Errors that a person or a machine may be shown. Each is one sentence: what, why, what to do."""


class AppError(Exception):
    """`code` is for machines (Problem+JSON, metrics), `exit_code` for the command line: 1 failed, 2 wrong use."""

    code = "failed"
    exit_code = 1


class BadInput(AppError):
    """What was given cannot be used; refused before anything was written."""

    code = "bad_input"
    exit_code = 2


class Misconfigured(AppError):
    """A setting is missing, unsafe or contradicts another one."""

    code = "misconfigured"
    exit_code = 2


class NotFound(AppError):
    code = "not_found"


class Forbidden(AppError):
    code = "forbidden"


class Conflict(AppError):
    code = "conflict"


class Unavailable(AppError):
    """A server that Parley stands on does not answer."""

    code = "unavailable"


class RetryLater(AppError):
    """Raised by a job: not now. `seconds` is the service's own word (Retry-After), None leaves it to the back-off."""

    code = "retry_later"

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds
