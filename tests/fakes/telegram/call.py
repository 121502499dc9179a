"""What a method of the Bot API works with: who calls, the world, and what the bot has set for itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram.chats import Bot, Chat
from tests.fakes.telegram.errors import Refused, bad_request, too_many
from tests.fakes.telegram.mailbox import Mailbox
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.views import Json, View
from tests.fakes.telegram.world import World

CommandsKey = tuple[str, str]  # scope as JSON, language code


@dataclass(slots=True)
class Profile:
    """A bot's own settings: its commands for each scope and language, its name and descriptions."""

    commands: dict[CommandsKey, list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)  # by kind and language code


@dataclass(frozen=True, slots=True)
class Call:
    world: World
    bot: Bot
    mailbox: Mailbox
    profile: Profile
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def view(self, viewer_id: int | None = None) -> View:
        return View(self.world, viewer_id or self.bot.id)

    def shown(self, chat: Chat, message: Message, viewer_id: int | None = None) -> Json:
        return self.view(viewer_id).message(chat, message)

    def within_limits(self, chat: Chat, messages: int = 1) -> None:
        """Counts what is about to be sent; raises Refused with 429 when it is too much."""
        wait = self.world.limits.admit(self.world.clock(), self.bot.id, chat.key, messages)
        if wait:
            raise too_many(wait)

    def refuse_parameters(self, names: Sequence[str]) -> None:
        """Those that the fake does not act on must not look as if they worked."""
        for name in names:
            if self.parameters.get(name):
                raise unimplemented(f"parameter {name}")


def unimplemented(what: str) -> Refused:
    return bad_request(f"the fake does not implement {what}")
