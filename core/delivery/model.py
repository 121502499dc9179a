"""What leaves: messages in parts, each a row of the ledger, and what their service said of them."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NewType

from pydantic import BaseModel, ConfigDict

from core.platform.ids import TenantId

DeliveryId = NewType("DeliveryId", int)
LaneId = NewType("LaneId", int)


class Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class State(StrEnum):
    """queued → sending → sent | failed | unknown; queued → cancelled; sent → rejected where a service moderates."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class Kind(StrEnum):
    TEXT = "text"
    PHOTO = "photo"
    DOCUMENT = "document"
    ALBUM = "album"


class Body(Value):
    """What is sent. `text` is the caption where there is media; `media` are file ids or paths of the media store."""

    kind: Kind = Kind.TEXT
    text: str = ""
    parse_mode: str | None = None
    media: tuple[str, ...] = ()
    reply_to: str | None = None
    topic_id: int | None = None
    buttons: tuple[tuple[tuple[str, str], ...], ...] = ()  # rows of (text, callback data)
    silent: bool = False

    def digest(self) -> bytes:
        """The hash of exactly what will be sent."""
        canonical = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).digest()


class Verdict(Value):
    """What a check said of a body. Without one that passed, and of this very body, nothing leaves."""

    check: str  # "reply", "digest", "fixed" (the product's own texts)
    policy_version: str
    passed: bool
    body_hash: bytes

    @classmethod
    def of(cls, body: Body, check: str, policy_version: str, *, passed: bool) -> "Verdict":
        return cls(check=check, policy_version=policy_version, passed=passed, body_hash=body.digest())


class Part(Value):
    body: Body
    verdict: Verdict


class Outgoing(Value):
    """A message as it is ordered. `origin` names its cause ("digest:15"): ordering it again changes nothing."""

    origin: str
    account: str  # "bot:42"
    destination: str  # the service's chat id
    parts: Sequence[Part]
    due_at: datetime


class Delivery(Value):
    """A row of the ledger."""

    tenant_id: TenantId
    id: DeliveryId
    lane_id: LaneId
    origin: str
    part: int
    account: str
    destination: str
    body: Body
    body_hash: bytes
    state: State
    due_at: datetime
    attempts: int
    fence: int
    random_id: int
    remote_id: str | None
    error_code: str | None
    error: str | None
    begun_at: datetime | None
    correlation_id: str | None


class Lane(Value):
    """The queue of one account to one destination."""

    tenant_id: TenantId
    id: LaneId
    account: str
    destination: str


class Outcome(Value):
    """How one attempt ended. `retry_after` in seconds; `moved_to`: the chat's new id."""

    state: State  # SENT, FAILED, UNKNOWN, or QUEUED: it certainly did not act and may be tried again
    remote_id: str | None = None
    retry_after: float | None = None
    error_code: str | None = None
    error: str | None = None
    moved_to: str | None = None


class Found(StrEnum):
    """What a service's history says of an attempt."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot_tell"
