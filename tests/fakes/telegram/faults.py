"""Faults to switch on: each once, n times, always, by chance with a seed, or where a predicate says so."""

import os
import random
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

When = Callable[[str, Mapping[str, Any]], bool]
Kill = Callable[[], None]
UNTOUCHED = "getUpdates"  # a long poll would use up what is meant for another call


class FaultKind(StrEnum):
    LOSE_ACK = "lose_ack"
    ACT_LATE = "act_late"
    HTTP_5XX = "http_5xx"
    CUT = "cut"
    TOO_MANY = "too_many"
    KILL_BEFORE = "kill_before"
    KILL_AFTER = "kill_after"


@dataclass(slots=True)
class Fault:
    """One fault switched on. `times` None is for ever; `hits` counts what it struck."""

    kind: FaultKind
    method: str | None
    when: When | None
    times: int | None
    probability: float
    dice: random.Random
    status: int = 502
    retry_after: int = 1
    delay: float | None = None
    kill: Kill | None = None
    hits: int = 0
    held: list[Callable[[], object]] = field(default_factory=list)

    def strikes(self, method: str, parameters: Mapping[str, Any]) -> bool:
        """Decides, and counts when it does."""
        if self.times is not None and self.hits >= self.times:
            return False
        if method != (self.method or method) or (method == UNTOUCHED and self.method != UNTOUCHED):
            return False
        if self.when and not self.when(method, parameters):
            return False
        if self.probability < 1 and self.dice.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def act(self) -> int:
        """Lets the held calls of `act_late` act now; returns how many."""
        held, self.held = self.held, []
        for act in held:
            act()
        return len(held)


class Faults:
    """Switches share their arguments: `method` (None: any but getUpdates), `times`, `probability`, `when`.

    The first switch that strikes decides. Chance is drawn from the seed given here.
    """

    def __init__(self, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        self._faults: list[Fault] = []

    def lose_ack(self, method: str | None = None, **aim: Any) -> Fault:
        """Acts, then cuts the connection without an answer."""
        return self._add(FaultKind.LOSE_ACK, method, **aim)

    def act_late(self, method: str | None = None, *, delay: float | None = None, **aim: Any) -> Fault:
        """Cuts the connection and acts `delay` real seconds later, or when told by `act()`."""
        return self._add(FaultKind.ACT_LATE, method, delay=delay, **aim)

    def http_5xx(self, method: str | None = None, *, status: int = 502, **aim: Any) -> Fault:
        """Answers with a page of a proxy instead of JSON; does nothing."""
        return self._add(FaultKind.HTTP_5XX, method, status=status, **aim)

    def cut(self, method: str | None = None, **aim: Any) -> Fault:
        """Cuts the connection; does nothing."""
        return self._add(FaultKind.CUT, method, **aim)

    def too_many(self, method: str | None = None, *, retry_after: int = 1, **aim: Any) -> Fault:
        """Answers 429 with `retry_after`; does nothing."""
        return self._add(FaultKind.TOO_MANY, method, retry_after=retry_after, **aim)

    def kill_caller(self, kill: Kill | int, method: str | None = None, *, acts: bool, **aim: Any) -> Fault:
        """Kills the caller on receipt (a process id gets SIGKILL), before or after the call acts."""
        if isinstance(kill, int):
            process = kill
            kill = lambda: os.kill(process, signal.SIGKILL)  # noqa: E731
        return self._add(FaultKind.KILL_AFTER if acts else FaultKind.KILL_BEFORE, method, kill=kill, **aim)

    def clear(self) -> None:
        self._faults.clear()

    def pick(self, method: str, parameters: Mapping[str, Any]) -> Fault | None:
        return next((fault for fault in self._faults if fault.strikes(method, parameters)), None)

    def _add(
        self,
        kind: FaultKind,
        method: str | None,
        *,
        times: int | None = 1,
        probability: float = 1.0,
        when: When | None = None,
        **details: Any,
    ) -> Fault:
        fault = Fault(kind, method, when, times, probability, self._dice, **details)
        self._faults.append(fault)
        return fault
