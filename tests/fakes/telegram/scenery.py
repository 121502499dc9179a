"""A world from a JSON file, for a fake that runs as a process of its own.

{"bots": [{"username": "desk_bot", "token": "42:x", "privacy": true}],
 "people": [{"name": "Anna", "language": "ru", "starts": ["desk_bot"]}],
 "supergroups": [{"title": "Sales", "creator": "Anna", "forum": true, "members": ["Boris"], "admins": ["desk_bot"]}],
 "limits": false}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram.chats import Bot, Chat
from tests.fakes.telegram.person import Person
from tests.fakes.telegram.world import World


@dataclass(frozen=True, slots=True)
class Cast:
    """A world and who is in it, by name."""

    world: World
    bots: dict[str, Bot] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, Chat] = field(default_factory=dict)

    def place(self, name: str) -> Bot | Chat | Person:
        """Raises KeyError for a name that nobody and nothing has."""
        places: dict[str, Bot | Chat | Person] = {**self.people, **self.groups, **self.bots}
        return places[name]


async def build(cast: Cast, described: Mapping[str, Any]) -> None:
    """Fills the world; the Bot API should already listen, so that bots hear who started them."""
    if not described.get("limits", True):
        cast.world.limits.off()
    for bot in described.get("bots", ()):
        cast.bots[bot["username"]] = cast.world.bot(**bot)
    for person in described.get("people", ()):
        await _enter(cast, person)
    for group in described.get("supergroups", ()):
        _found(cast, group)


async def _enter(cast: Cast, described: Mapping[str, Any]) -> None:
    person = cast.world.person(described["name"], language=described.get("language"))
    cast.people[person.name] = person
    for username in described.get("starts", ()):
        await person.starts(cast.bots[username])


def _found(cast: Cast, described: Mapping[str, Any]) -> None:
    creator = cast.people[described["creator"]]
    chat = cast.world.supergroup(described["title"], creator, forum=described.get("forum", False))
    cast.groups[chat.title] = chat
    everyone: dict[str, Person | Bot] = {**cast.people, **cast.bots}
    for admin in (False, True):
        for name in described.get("admins" if admin else "members", ()):
            cast.world.add(chat, everyone[name], admin=admin)
