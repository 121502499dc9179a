"""The Bot API in front of a world, without HTTP: who calls, what with, what comes back."""

from typing import Any

from tests.fakes.telegram.call import Call, Profile, unimplemented
from tests.fakes.telegram.chats import Bot
from tests.fakes.telegram.errors import unauthorized
from tests.fakes.telegram.mailbox import Mailbox, Update
from tests.fakes.telegram.methods import HANDLERS
from tests.fakes.telegram.parameters import AnyMethod, Given, validated
from tests.fakes.telegram.updates import Feed
from tests.fakes.telegram.world import World

FIRST_UPDATE = 500_001  # the same for every bot: update ids are unique for one bot only
MAX_UPDATES = 100
LONGEST_POLL = 50  # seconds


class BotApi:
    def __init__(self, world: World) -> None:
        self.world = world
        self._mailboxes: dict[int, Mailbox] = {}
        self._profiles: dict[int, Profile] = {}
        self._feed = Feed(world, self.mailbox)

    def bot(self, token: str) -> Bot:
        """Raises Refused with 401."""
        bot = self.world.bot_by_token(token)
        if bot is None:
            raise unauthorized()
        return bot

    def mailbox(self, bot: Bot) -> Mailbox:
        return self._mailboxes.setdefault(bot.id, Mailbox(self.world.clock, FIRST_UPDATE))

    def perform(self, bot: Bot, kind: type[AnyMethod], given: Given) -> Any:
        """Acts at once and returns the JSON of the result; raises Refused when it did nothing."""
        method = validated(kind, given)
        handler = HANDLERS.get(kind)
        if handler is None:
            raise unimplemented(kind.__api_method__)
        profile = self._profiles.setdefault(bot.id, Profile())
        return handler(Call(self.world, bot, self.mailbox(bot), profile, given.values), method)

    async def poll(self, bot: Bot, kind: type[AnyMethod], given: Given) -> list[dict[str, Any]]:
        """getUpdates, the only call that waits."""
        wanted: Any = validated(kind, given)
        mailbox = self.mailbox(bot)
        mailbox.allow(wanted.allowed_updates)
        limit = wanted.limit if wanted.limit and 1 <= wanted.limit <= MAX_UPDATES else MAX_UPDATES
        seconds = min(max(wanted.timeout or 0, 0), LONGEST_POLL)
        updates: list[Update] = await mailbox.poll(wanted.offset or 0, limit, seconds)
        return [update.view() for update in updates]
