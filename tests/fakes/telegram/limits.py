"""Telegram's limits on sending: about 30 a second for a bot, 1 a second in a private chat, 20 a minute in a group."""

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.fakes.telegram.chats import ChatKey

Times = deque[datetime]


@dataclass(slots=True)
class Limits:
    """`private_burst` messages pass at once, then one a second. A refused call is not counted."""

    enabled: bool = True
    bot_per_second: int = 30
    private_burst: int = 5
    group_per_minute: int = 20
    _bots: dict[int, Times] = field(default_factory=lambda: defaultdict(deque))
    _chats: dict[tuple[int, ChatKey], Times] = field(default_factory=lambda: defaultdict(deque))

    def off(self) -> None:
        self.enabled = False

    def admit(self, now: datetime, bot_id: int, chat: ChatKey, messages: int = 1) -> int | None:
        """Counts the messages and returns None, or counts nothing and returns the seconds to wait."""
        if not self.enabled:
            return None
        in_bot, in_chat = self._bots[bot_id], self._chats[bot_id, chat]
        waits = (
            _wait(in_bot, now, self.bot_per_second, timedelta(seconds=1), messages),
            _wait(in_chat, now, *self._of(chat), messages),
        )
        if any(waits):
            return max(waits)
        for times in (in_bot, in_chat):
            times.extend([now] * messages)
        return None

    def _of(self, chat: ChatKey) -> tuple[int, timedelta]:
        if isinstance(chat, tuple):
            return self.private_burst, timedelta(seconds=self.private_burst)
        return self.group_per_minute, timedelta(minutes=1)


def _wait(times: Times, now: datetime, most: int, span: timedelta, messages: int) -> int:
    """Seconds until there is room for the messages among `most` in a `span`; 0 when there is room."""
    while times and times[0] <= now - span:
        times.popleft()
    lacking = len(times) + min(messages, most) - most
    if lacking <= 0:
        return 0
    return max(1, math.ceil((times[lacking - 1] + span - now).total_seconds()))
