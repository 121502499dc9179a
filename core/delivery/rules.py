"""What follows from how an attempt ended. Pure."""

from datetime import datetime, timedelta

from core.delivery.adapter import Capabilities
from core.delivery.model import Delivery, Outcome, State
from core.platform.errors import BadInput

BACK_OFF_FIRST = timedelta(seconds=1)
BACK_OFF_CAP = timedelta(minutes=5)
JITTER = 0.15
MAX_ATTEMPTS = 12
LEASE_MARGIN = timedelta(seconds=15)  # beyond the request's own deadline, for what surrounds it
FIND_AGAIN = timedelta(seconds=30)


def back_off(attempts: int, spread: float) -> timedelta:
    """1 s · 2^(attempts − 1), at most 5 minutes, ± 15 %; `spread` is uniform in [−1, 1]."""
    doubled: timedelta = BACK_OFF_FIRST * 2 ** min(attempts - 1, 16)
    return min(doubled, BACK_OFF_CAP) * (1 + JITTER * spread)


def lease_of(capabilities: Capabilities) -> timedelta:
    """A request is given up before its lease ends, so that nobody settles it while it may still act."""
    return timedelta(seconds=capabilities.deadline) + LEASE_MARGIN


def conclude(
    delivery: Delivery, outcome: Outcome, capabilities: Capabilities, now: datetime, spread: float
) -> tuple[Outcome, datetime | None]:
    """The outcome to record and when to look at the row again, None for never.

    QUEUED certainly did not act: it is tried again, at the service's word or by back-off. UNKNOWN is repeated only
    where repeating is harmless, and looked up only where there is a history; else it waits for a person.
    """
    if outcome.state is State.QUEUED:
        return _again(delivery, outcome, now, spread)
    if outcome.state is State.UNKNOWN and capabilities.repeatable:
        return _again(delivery, outcome.model_copy(update={"state": State.QUEUED}), now, spread)
    if outcome.state is State.UNKNOWN and capabilities.history:
        begun = delivery.begun_at or now
        return outcome, max(now, begun + lease_of(capabilities))
    return outcome, None


def _again(delivery: Delivery, outcome: Outcome, now: datetime, spread: float) -> tuple[Outcome, datetime | None]:
    if outcome.retry_after is not None:  # the service says when; it does not count as a failure of the message
        return outcome, now + timedelta(seconds=outcome.retry_after)
    if outcome.moved_to is not None:
        return outcome, now
    if delivery.attempts >= MAX_ATTEMPTS:
        return outcome.model_copy(update={"state": State.FAILED, "error_code": "gave_up"}), None
    return outcome, now + back_off(delivery.attempts, spread)


def check_body(delivery: Delivery) -> None:
    """The bytes that were checked are the bytes that leave; raises BadInput for any others."""
    if delivery.body.digest() != delivery.body_hash:
        raise BadInput(f"Delivery {delivery.id} does not hold the bytes that were checked: it is not sent.")
