"""Faults to switch on: each once, n times, always, by chance with a seed, or where a predicate says so."""

import os
import random
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, TypedDict, Unpack

When = Callable[[str, Mapping[str, Any]], bool]
Kill = Callable[[], None]
UNTOUCHED = "getUpdates"  # a long poll would use up what is meant for another call


class Aim(TypedDict, total=False):
    """What a switch strikes: `times` (1; None is for ever), `probability` (1), `when` a predicate says so."""

    times: int | None
    probability: float
    when: When | None


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
    dice: random.Random
    when: When | None = None
    times: int | None = 1
    probability: float = 1.0
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
    """Each switch takes a `method` (None: any but getUpdates) and an `Aim`.

    The first switch that strikes decides. Chance is drawn from the seed given here.
    """

    def __init__(self, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        self._faults: list[Fault] = []

    def lose_ack(self, method: str | None = None, **aim: Unpack[Aim]) -> Fault:
        """Acts, then cuts the connection without an answer."""
        return self._add(FaultKind.LOSE_ACK, method, aim)

    def act_late(self, method: str | None = None, *, delay: float | None = None, **aim: Unpack[Aim]) -> Fault:
        """Cuts the connection and acts `delay` real seconds later, or when told by `act()`."""
        return self._add(FaultKind.ACT_LATE, method, aim, delay=delay)

    def http_5xx(self, method: str | None = None, *, status: int = 502, **aim: Unpack[Aim]) -> Fault:
        """Answers with a page of a proxy instead of JSON; does nothing."""
        return self._add(FaultKind.HTTP_5XX, method, aim, status=status)

    def cut(self, method: str | None = None, **aim: Unpack[Aim]) -> Fault:
        """Cuts the connection; does nothing."""
        return self._add(FaultKind.CUT, method, aim)

    def too_many(self, method: str | None = None, *, retry_after: int = 1, **aim: Unpack[Aim]) -> Fault:
        """Answers 429 with `retry_after`; does nothing."""
        return self._add(FaultKind.TOO_MANY, method, aim, retry_after=retry_after)

    def kill_caller(self, kill: Kill | int, method: str | None = None, *, acts: bool, **aim: Unpack[Aim]) -> Fault:
        """Kills the caller on receipt (a process id gets SIGKILL), before or after the call acts."""
        if isinstance(kill, int):
            kill = partial(os.kill, kill, signal.SIGKILL)
        return self._add(FaultKind.KILL_AFTER if acts else FaultKind.KILL_BEFORE, method, aim, kill=kill)

    def clear(self) -> None:
        self._faults.clear()

    def pick(self, method: str, parameters: Mapping[str, Any]) -> Fault | None:
        return next((fault for fault in self._faults if fault.strikes(method, parameters)), None)

    def _add(self, kind: FaultKind, method: str | None, aim: Aim, **details: Any) -> Fault:
        fault = Fault(kind, method, dice=self._dice, **aim, **details)
        self._faults.append(fault)
        return fault
