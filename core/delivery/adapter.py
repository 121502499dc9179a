"""What the ledger asks of a service."""

from datetime import datetime
from typing import NamedTuple, Protocol

from core.delivery.model import Delivery, Found, Outcome
from core.interactions.model import Incoming
from core.platform.ids import ProjectId


class Limits(NamedTuple):
    """At most `number` requests in any `seconds`."""

    number: int
    seconds: float


class Capabilities(NamedTuple):
    """`history`: `find` can tell whether an attempt acted. `repeatable`: one random_id acts once, however often sent.

    `deadline`: seconds after which a request is given up; it may have acted.
    """

    history: bool = False
    repeatable: bool = False
    deadline: float = 30.0
    account_limit: Limits = Limits(30, 1.0)
    chat_limit: Limits = Limits(1, 1.0)
    group_limit: Limits | None = None


class FindResult(NamedTuple):
    found: Found
    remote_id: str | None = None


class Echo(NamedTuple):
    """The interaction that a sent message is, and the project it belongs to."""

    project_id: ProjectId
    told: Incoming


class Adapter(Protocol):
    """One service, for all accounts of it that this process owns."""

    capabilities: Capabilities

    def owns(self, account: str) -> bool: ...

    def is_group(self, destination: str) -> bool: ...

    async def send(self, delivery: Delivery) -> Outcome:
        """One request, never repeated inside. Anything that may have acted without an answer is UNKNOWN."""
        ...

    async def find(self, delivery: Delivery, taken: frozenset[str]) -> FindResult:
        """Looks the attempt up in the service's history; `taken` are remote ids that settle other rows."""
        ...

    def echo(self, delivery: Delivery, remote_id: str, at: datetime) -> Echo | None:
        """The message as ingest would see it, so that echo and acknowledgement are one interaction."""
        ...
