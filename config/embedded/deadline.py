"""A moment after which waiting stops."""

import time
from collections.abc import Callable


class Deadline:
    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def passed(self) -> bool:
        return time.monotonic() >= self._at

    def wait_for(self, condition: Callable[[], bool], pause: float = 0.02) -> bool:
        """Ask every `pause` seconds; True once the condition holds, False when the deadline passes first."""
        while not condition():
            if self.passed():
                return False
            time.sleep(pause)
        return True
