"""Which topic of a forum each message belongs to."""

from array import array
from bisect import bisect_left

GENERAL = 0  # topic ids are message ids, which start at 1
UNKNOWN = -1


class Topics:
    """Topic ids by message id, at most 16 bytes a message while ids ascend.

    Until `start` every message is General and only the ids are kept: the chat may turn out to be a forum.
    """

    def __init__(self) -> None:
        self._started = False
        self._ids = array("q")
        self._topics = array("q")
        self._stragglers: dict[int, int] = {}

    def start(self) -> None:
        """The chat is a forum; what was put so far stays General."""
        if not self._started:
            self._started = True
            self._topics = array("q", bytes(8 * len(self._ids)))

    def put(self, message_id: int, topic_id: int) -> None:
        """Remember a message's topic; a second time replaces the first."""
        if not self._ids or message_id > self._ids[-1]:
            self._ids.append(message_id)
            if self._started:
                self._topics.append(topic_id)
        elif (index := self._index(message_id)) is None:
            self._stragglers[message_id] = topic_id
        elif self._started:
            self._topics[index] = topic_id

    def get(self, message_id: int) -> int:
        index = self._index(message_id)
        if index is None:
            return self._stragglers.get(message_id, UNKNOWN)
        return self._topics[index] if self._started else GENERAL

    def _index(self, message_id: int) -> int | None:
        index = bisect_left(self._ids, message_id)
        return index if index < len(self._ids) and self._ids[index] == message_id else None
