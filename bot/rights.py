"""Filters by who asks, and the list of commands with the right each needs."""

from aiogram.filters import BaseFilter
from aiogram.types import TelegramObject

from bot.people import Person
from core.access.model import Permission

HELP: tuple[tuple[str, Permission | None], ...] = (
    ("bot-help-digest", Permission.READ_GROUPS),
    ("bot-help-status", Permission.OPERATE),
    ("bot-help-language", None),
    ("bot-help-id", None),
    ("bot-help-help", None),
)


class IsStranger(BaseFilter):
    async def __call__(self, _: TelegramObject, person: Person) -> bool:
        return person.reader is None


class May(BaseFilter):
    """Lets those through who have the right; the others fall through to the words that say so."""

    def __init__(self, permission: Permission) -> None:
        self._permission = permission

    async def __call__(self, _: TelegramObject, person: Person) -> bool:
        return person.may(self._permission)
