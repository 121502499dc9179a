"""Telegram's limits on sending: about 30 a second for a bot, 1 a second in a private chat, 20 a minute in a group."""

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.fakes.telegram.chats import ChatKey

Times = deque[datetime]
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Limits:
    """In a private chat `private_burst` messages pass at once, then one a second."""

    enabled: bool = True
    bot_per_second: int = 30
    private_burst: int = 5
    group_per_minute: int = 20
    _bots: dict[int, Times] = field(default_factory=lambda: defaultdict(deque))
    _groups: dict[tuple[int, ChatKey], Times] = field(default_factory=lambda: defaultdict(deque))
    _private_until: dict[tuple[int, ChatKey], datetime] = field(default_factory=dict)

    def off(self) -> None:
        self.enabled = False

    def admit(self, now: datetime, bot_id: int, chat: ChatKey, messages: int = 1) -> int | None:
        """Counts the messages and returns None, or counts nothing and returns the seconds to wait."""
        if not self.enabled:
            return None
        place = bot_id, chat
        in_bot = self._bots[bot_id]
        waits = [_wait(in_bot, now, self.bot_per_second, SECOND, messages)]
        if isinstance(chat, tuple):
            waits.append(self._private_wait(place, now, messages))
        else:
            waits.append(_wait(self._groups[place], now, self.group_per_minute, MINUTE, messages))
        if any(waits):
            return max(waits)
        in_bot.extend([now] * messages)
        if isinstance(chat, tuple):
            self._private_until[place] = self._busy_until(place, now, messages)
        else:
            self._groups[place].extend([now] * messages)
        return None

    def _private_wait(self, place: tuple[int, ChatKey], now: datetime, messages: int) -> int:
        busy = self._busy_until(place, now, min(messages, self.private_burst)) - now
        return max(0, math.ceil(busy.total_seconds() - self.private_burst))

    def _busy_until(self, place: tuple[int, ChatKey], now: datetime, messages: int) -> datetime:
        """A chat that is sent a message is busy for a second more."""
        return max(self._private_until.get(place, now), now) + messages * SECOND


def _wait(times: Times, now: datetime, most: int, span: timedelta, messages: int) -> int:
    """Seconds until there is room for the messages among `most` in a `span`; 0 when there is room."""
    while times and times[0] <= now - span:
        times.popleft()
    lacking = len(times) + min(messages, most) - most
    if lacking <= 0:
        return 0
    return max(1, math.ceil((times[lacking - 1] + span - now).total_seconds()))
