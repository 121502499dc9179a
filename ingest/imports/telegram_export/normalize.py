"""Raw messages of an export become interactions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

from core.interactions.model import Direction, Incoming, InteractionKind, Thread
from ingest.imports.telegram_export.author import peer_id, read_author
from ingest.imports.telegram_export.header import ChatHeader
from ingest.imports.telegram_export.media import Media, take_media
from ingest.imports.telegram_export.moment import EPOCH, read_edited, read_moment
from ingest.imports.telegram_export.scalars import whole
from ingest.imports.telegram_export.skipped import Skipped
from ingest.imports.telegram_export.text import plain_text, read_text
from ingest.imports.telegram_export.topics import GENERAL, UNKNOWN, Topics

KINDS = {kind.value: kind for kind in (InteractionKind.MESSAGE, InteractionKind.SERVICE, InteractionKind.UNSUPPORTED)}
ACTOR_KEYS = frozenset({"actor", "actor_id"})
CONTENT_KEYS = frozenset({"text", "text_entities", "rich_message", "photo", "file", "date", "date_unixtime"})
OWN_KEYS = frozenset(
    ["id", "type", "date", "date_unixtime", "edited", "edited_unixtime", "reply_to_message_id", "text", "text_entities"]
)
TAKEN_KEYS = {role: OWN_KEYS | {role, f"{role}_id"} for role in ("from", "actor")}
ALBUM_MEDIA = frozenset({"photo", "video"})
EMPTY: tuple[Any, ...] = (None, "", [], {})


class Album(NamedTuple):
    """The first message of what may be an album."""

    first: str
    occurred_at: datetime
    author_id: str


class ChatNormalizer:
    """Normalizes one chat's messages in the export's order; replies are followed to earlier messages only.

    `zone` is the exporting computer's, for exports before June 2022, which have local times only. `forum` becomes
    True when a topic is created; `account_id` tells whose messages go out.
    """

    def __init__(
        self,
        header: ChatHeader,
        *,
        id_space: str,
        zone: tzinfo = UTC,
        forum: bool = False,
        account_id: int | None = None,
    ) -> None:
        self._header = header
        self._id_space = id_space
        self._zone = zone
        self._own_author = "" if account_id is None else f"user{account_id}"
        self._topics = Topics()
        self._threads: dict[int, Thread] = {GENERAL: header.thread()}
        self._last_at = EPOCH
        self._album: Album | None = None
        self.forum = False
        if forum:
            self._start_forum()

    def learn_topic(self, message_id: int, topic_id: int | None, title: str | None = None) -> None:
        """Take the topic (None = General) of an older message, and its name, from whoever keeps the history."""
        if topic_id is not None:
            self._start_forum()
            self._name_topic(topic_id, title)
        self._topics.put(message_id, topic_id or GENERAL)

    def missing_parents(self, raws: Sequence[Mapping[str, Any]]) -> set[int]:
        """Messages that `raws` reply to and that neither `raws` nor the file before them holds."""
        told = {whole(raw.get("id")) for raw in raws}
        parents = {whole(raw["reply_to_message_id"]) for raw in raws if "reply_to_message_id" in raw}
        return {number for number in parents - told if number is not None and self._topics.get(number) == UNKNOWN}

    def normalize(self, raw: dict[str, Any]) -> Incoming | Skipped:
        """`raw` is a message as ExportChat gives it; it is not changed. Skipped when it has no usable id."""
        number = whole(raw.get("id"))
        if number is None:
            return Skipped(f"chat {self._header.title}", f"A message without a usable id: {raw.get('id')!r:.40}.")
        kind = read_kind(raw)
        role = "actor" if kind is InteractionKind.SERVICE and not ACTOR_KEYS.isdisjoint(raw) else "from"
        author_id, author_name = read_author(raw, role, self._header)
        extra = {key: value for key, value in raw.items() if key not in TAKEN_KEYS[role]}
        media = take_media(extra) if extra and kind is InteractionKind.MESSAGE else None
        text, entities = read_text(raw)
        reply_to = self._reply_to(raw, extra)
        topic = self._follow(number, kind, raw, reply_to)
        occurred_at = self._occurred_at(raw, extra)
        self._mark_album(str(number), occurred_at, author_id, media, extra)
        return Incoming(
            thread=self._thread(topic),
            id_space=self._id_space,
            external_id=str(number),
            kind=kind,
            direction=Direction.OUT if author_id == self._own_author else Direction.IN,
            occurred_at=occurred_at,
            edited_at=read_edited(raw, self._zone) if "edited" in raw or "edited_unixtime" in raw else None,
            author_id=author_id,
            author_name=author_name,
            reply_to=None if reply_to is None else str(reply_to),
            thread_known=topic != UNKNOWN,
            text=text,
            entities=entities,
            media=media,
            extra=(tidy(raw, extra) or None) if extra else None,
        )

    def _reply_to(self, raw: Mapping[str, Any], extra: dict[str, Any]) -> int | None:
        """The replied message of this chat; one of another chat is told in `extra` only."""
        if "reply_to_message_id" not in raw:
            return None
        peer = raw.get("reply_to_peer_id")
        number = whole(raw["reply_to_message_id"])
        if number is not None and (peer is None or peer_id(peer, self._header) == self._header.peer):
            return number
        extra["reply_to_message_id"] = raw["reply_to_message_id"]
        return None

    def _occurred_at(self, raw: Mapping[str, Any], extra: dict[str, Any]) -> datetime:
        """A message without a time, such as an unsupported one, gets the time of the one before."""
        moment = read_moment(raw, "date", self._zone)
        if moment is None:
            extra["date_inferred"] = True
            return self._last_at
        self._last_at = moment
        return moment

    def _follow(self, number: int, kind: InteractionKind, raw: Mapping[str, Any], reply_to: int | None) -> int:
        """The topic of a message: that of the message it replies to, up to the one that created the topic."""
        action = raw.get("action") if kind is InteractionKind.SERVICE else None
        if action == "topic_created":
            self._start_forum()
            topic = number
            self._name_topic(topic, raw.get("title"))
        else:
            topic = GENERAL if reply_to is None or not self.forum else self._topics.get(reply_to)
        if action == "topic_edit" and topic > GENERAL:
            self._name_topic(topic, raw.get("new_title"))
        self._topics.put(number, topic)
        return topic

    def _start_forum(self) -> None:
        self.forum = True
        self._topics.start()

    def _name_topic(self, topic: int, title: object) -> None:
        if name := plain_text(title):
            chat = self._threads[GENERAL]
            self._threads[topic] = chat._replace(key=f"{chat.key}/{topic}", title=name)

    def _thread(self, topic: int) -> Thread:
        topic = max(topic, GENERAL)
        if topic not in self._threads:
            self._name_topic(topic, f"Topic {topic}")
        return self._threads[topic]

    def _mark_album(
        self, number: str, occurred_at: datetime, author_id: str | None, media: Media | None, extra: dict[str, Any]
    ) -> None:
        """Exports have no album ids: neighbours with a picture, of one author and second, are taken for an album."""
        if media is None or media["type"] not in ALBUM_MEDIA or author_id is None:
            self._album = None
            return
        last = self._album
        if last is not None and last.author_id == author_id and last.occurred_at == occurred_at:
            extra["album"] = last.first
        else:
            self._album = Album(number, occurred_at, author_id)


def read_kind(raw: Mapping[str, Any]) -> InteractionKind:
    """The kind its `type` names; one that is absent or new is told by the keys."""
    kind = raw.get("type")
    if isinstance(kind, str) and kind in KINDS:
        return KINDS[kind]
    if "action" in raw or not ACTOR_KEYS.isdisjoint(raw):
        return InteractionKind.SERVICE
    return InteractionKind.UNSUPPORTED if CONTENT_KEYS.isdisjoint(raw) else InteractionKind.MESSAGE


def tidy(raw: Mapping[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """What says something of `extra`; a null `forwarded_from` does: forwarded, from whom is unknown."""
    kept = {key: value for key, value in extra.items() if value not in EMPTY or key == "forwarded_from"}
    if isinstance(reactions := kept.get("reactions"), list):
        kept["reactions"] = [without_recent(reaction) for reaction in reactions]
    if "date_inferred" in kept and raw.get("date"):
        kept["date"] = raw["date"]
    return kept


def without_recent(reaction: object) -> object:
    """A reaction without the few of its people that the export happens to know."""
    if not isinstance(reaction, dict):
        return reaction
    return {key: value for key, value in reaction.items() if key != "recent"}
