"""One world for all fakes of Telegram: people, bots, groups with topics, channels, and the time they live in."""

import itertools

from core.platform.clock import Clock
from tests.fakes.telegram.chats import ALL_RIGHTS, WRITING, Bot, Chat, ChatKind, Member, Right, Status, User
from tests.fakes.telegram.clock import RunningClock
from tests.fakes.telegram.limits import Limits
from tests.fakes.telegram.person import Person
from tests.fakes.telegram.state import State

FIRST_PERSON = 1001
FIRST_BOT = 9001
FIRST_GROUP = 4001
FIRST_SUPERGROUP = 1_000_000_000_001
POSTING = frozenset({Right.POST})


class World(State):
    """What a story sets up. `limits` are Telegram's, `off()` when the story is not about them."""

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock or RunningClock())
        self.limits = Limits()
        self._people = itertools.count(FIRST_PERSON)
        self._bots = itertools.count(FIRST_BOT)
        self._groups = itertools.count(FIRST_GROUP)
        self._supergroups = itertools.count(FIRST_SUPERGROUP)

    def person(self, name: str, *, language: str | None = None, username: str | None = None) -> Person:
        user = User(next(self._people), name, username, language)
        self.users[user.id] = user
        return Person(self, user)

    def bot(self, username: str, *, token: str | None = None, privacy: bool = True) -> Bot:
        """`token` decides the bot's id, as at Telegram; without one it is made from the id."""
        number = int(token.split(":")[0]) if token else next(self._bots)
        user = User(number, username.removesuffix("_bot").title(), username, is_bot=True)
        bot = Bot(user, token or f"{number}:token-of-{username}", privacy)
        self.users[number] = user
        self.bots[number] = bot
        return bot

    def group(self, title: str, creator: Person) -> Chat:
        return self._found(Chat(-next(self._groups), ChatKind.GROUP, title), creator)

    def supergroup(self, title: str, creator: Person, *, forum: bool = False, username: str | None = None) -> Chat:
        number = -next(self._supergroups)
        return self._found(Chat(number, ChatKind.SUPERGROUP, title, username, is_forum=forum), creator)

    def channel(self, title: str, creator: Person, *, username: str | None = None) -> Chat:
        return self._found(Chat(-next(self._supergroups), ChatKind.CHANNEL, title, username), creator)

    def add(
        self, chat: Chat, newcomer: Person | Bot, *, admin: bool = False, rights: frozenset[Right] | None = None
    ) -> None:
        """By the creator. `rights` are those of an administrator, or what a restricted member still may."""
        full = ALL_RIGHTS if admin else WRITING
        status = Status.ADMINISTRATOR if admin else Status.MEMBER if rights is None else Status.RESTRICTED
        member = Member(status, full if rights is None else rights)
        self.set_member(chat, newcomer.id, member, by=self.creator_of(chat))

    def kick(self, chat: Chat, victim: Person | Bot) -> None:
        self.set_member(chat, victim.id, Member(Status.KICKED, frozenset()), by=self.creator_of(chat))

    def upgrade(self, group: Chat) -> Chat:
        """The group becomes a supergroup; calls with its old id are told the new one."""
        return self.migrate(group, -next(self._supergroups), self.creator_of(group))

    def creator_of(self, chat: Chat) -> int:
        return next(who for who, member in chat.members.items() if member.status is Status.CREATOR)

    def _found(self, chat: Chat, creator: Person) -> Chat:
        chat.members[creator.id] = Member(Status.CREATOR, ALL_RIGHTS)
        self.chats[chat.key] = chat
        return chat
