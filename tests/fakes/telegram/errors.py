"""Refusals in Telegram's own words, as the Bot API sends them: code, description, parameters."""

from collections.abc import Mapping
from types import MappingProxyType

NO_PARAMETERS: Mapping[str, int] = MappingProxyType({})


class Refused(Exception):
    """The call is answered with an error; nothing was done."""

    def __init__(self, code: int, description: str, parameters: Mapping[str, int] = NO_PARAMETERS) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, object]:
        """The JSON of the answer."""
        answer: dict[str, object] = {"ok": False, "error_code": self.code, "description": self.description}
        return {**answer, "parameters": dict(self.parameters)} if self.parameters else answer


def bad_request(reason: str) -> Refused:
    return Refused(400, f"Bad Request: {reason}")


def forbidden(reason: str) -> Refused:
    return Refused(403, f"Forbidden: {reason}")


def conflict(reason: str) -> Refused:
    return Refused(409, f"Conflict: {reason}")


def unauthorized() -> Refused:
    return Refused(401, "Unauthorized")


def not_found() -> Refused:
    return Refused(404, "Not Found")


def too_many(seconds: int) -> Refused:
    return Refused(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


def upgraded(supergroup_id: int) -> Refused:
    reason = "Bad Request: group chat was upgraded to a supergroup chat"
    return Refused(400, reason, {"migrate_to_chat_id": supergroup_id})
