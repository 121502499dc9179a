"""Users, chats, topics and what members may do."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tests.fakes.telegram.messages import Message

ChatKey = int | tuple[int, int]  # marked id of a group or channel; both users of a private chat
GENERAL_TOPIC = 1
BLUE = 7322096  # RGB of a topic's icon


class ChatKind(StrEnum):
    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"


class Status(StrEnum):
    CREATOR = "creator"
    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    RESTRICTED = "restricted"
    LEFT = "left"
    KICKED = "kicked"


class Right(StrEnum):
    """Field names of ChatPermissions, then of ChatMemberAdministrator."""

    TEXT = "can_send_messages"
    PHOTOS = "can_send_photos"
    DOCUMENTS = "can_send_documents"
    DELETE = "can_delete_messages"
    PIN = "can_pin_messages"
    TOPICS = "can_manage_topics"
    POST = "can_post_messages"


WRITING = frozenset({Right.TEXT, Right.PHOTOS, Right.DOCUMENTS})
ALL_RIGHTS = frozenset(Right)


@dataclass(frozen=True, slots=True)
class User:
    id: int
    first_name: str
    username: str | None = None
    language: str | None = None
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot's account. With `privacy` it sees in groups only what is meant for it."""

    user: User
    token: str
    privacy: bool = True

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def username(self) -> str:
        return self.user.username or ""


@dataclass(frozen=True, slots=True)
class Member:
    status: Status
    rights: frozenset[Right] = WRITING

    @property
    def present(self) -> bool:
        return self.status not in (Status.LEFT, Status.KICKED)

    @property
    def leads(self) -> bool:
        return self.status in (Status.CREATOR, Status.ADMINISTRATOR)

    def may(self, right: Right) -> bool:
        return self.status is Status.CREATOR or (self.present and right in self.rights)


NOT_A_MEMBER = Member(Status.LEFT, frozenset())


@dataclass(frozen=True, slots=True)
class Topic:
    id: int
    name: str
    icon_color: int


@dataclass(slots=True)
class Chat:
    """A place and everything said in it."""

    key: ChatKey
    kind: ChatKind
    title: str = ""
    username: str | None = None
    is_forum: bool = False
    members: dict[int, Member] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    started_by: set[int] = field(default_factory=set)  # private: who has written here
    migrated_to: int | None = None

    @property
    def is_private(self) -> bool:
        return self.kind is ChatKind.PRIVATE

    @property
    def id(self) -> int:
        """The marked id; raises ValueError for a private chat, which has another id for each side."""
        if isinstance(self.key, tuple):
            raise ValueError("a private chat is known to each side by the other's id: use id_for(viewer)")
        return self.key

    def id_for(self, viewer_id: int) -> int:
        return self.other(viewer_id) if isinstance(self.key, tuple) else self.key

    def other(self, viewer_id: int) -> int:
        """The other side of a private chat."""
        if not isinstance(self.key, tuple):
            raise ValueError(f"{self.title} has many sides")
        first, second = self.key
        return second if viewer_id == first else first

    def member(self, user_id: int) -> Member:
        return self.members.get(user_id, NOT_A_MEMBER)

    def history(self) -> list[Message]:
        """What a reader sees now, oldest first."""
        return [self.messages[number] for number in sorted(self.messages)]


@dataclass(frozen=True, slots=True)
class BusinessConnection:
    """A bot that answers in its owner's private chats."""

    id: str
    owner_id: int
    bot_id: int
    since: datetime
    can_reply: bool = True
    enabled: bool = True
