"""The world's time: runs by itself, and may be moved on by a story."""

import time
from datetime import UTC, datetime, timedelta


class RunningClock:
    """Aware UTC; never goes back, whatever the machine's wall clock does."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._zero = time.monotonic()
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return self._began + self._ahead + timedelta(seconds=time.monotonic() - self._zero)

    def forward(self, **span: float) -> None:
        """As `timedelta`'s arguments: `forward(minutes=5)`."""
        self._ahead += timedelta(**span)
