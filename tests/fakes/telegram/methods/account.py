"""What a bot says about itself: getMe, commands, names, descriptions."""

import re

from aiogram.methods import (
    DeleteMyCommands,
    GetMe,
    GetMyCommands,
    GetMyDescription,
    GetMyName,
    GetMyShortDescription,
    SetChatMenuButton,
    SetMyCommands,
    SetMyDescription,
    SetMyName,
    SetMyShortDescription,
)

from tests.fakes.telegram.access import access_chat
from tests.fakes.telegram.call import Call, CommandsKey
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.messages import utf16
from tests.fakes.telegram.views import Json, user_view

COMMAND = re.compile(r"[a-z0-9_]{1,32}")
LANGUAGE = re.compile(r"[a-z]{2}")
MAX_COMMANDS = 100
MAX_COMMAND_DESCRIPTION = 256
Scoped = SetMyCommands | GetMyCommands | DeleteMyCommands


def get_me(call: Call, _: GetMe) -> Json:
    abilities = {
        "can_join_groups": True,
        "can_read_all_group_messages": not call.bot.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": True,
        "has_main_web_app": False,
    }
    return {**user_view(call.bot.user), **abilities}


def set_my_commands(call: Call, method: SetMyCommands) -> bool:
    if len(method.commands) > MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in method.commands:
        if not COMMAND.fullmatch(command.command.removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= utf16(command.description) <= MAX_COMMAND_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    call.profile.commands[_key(call, method)] = [command.model_dump(exclude_none=True) for command in method.commands]
    return True


def get_my_commands(call: Call, method: GetMyCommands) -> list[Json]:
    return call.profile.commands.get(_key(call, method), [])


def delete_my_commands(call: Call, method: DeleteMyCommands) -> bool:
    call.profile.commands.pop(_key(call, method), None)
    return True


def set_my_name(call: Call, method: SetMyName) -> bool:
    return _set_text(call, "name", method.name, method.language_code, 64)


def get_my_name(call: Call, method: GetMyName) -> Json:
    return {"name": _text(call, "name", method.language_code) or call.bot.user.first_name}


def set_my_description(call: Call, method: SetMyDescription) -> bool:
    return _set_text(call, "description", method.description, method.language_code, 512)


def get_my_description(call: Call, method: GetMyDescription) -> Json:
    return {"description": _text(call, "description", method.language_code)}


def set_my_short_description(call: Call, method: SetMyShortDescription) -> bool:
    return _set_text(call, "short description", method.short_description, method.language_code, 120)


def get_my_short_description(call: Call, method: GetMyShortDescription) -> Json:
    return {"short_description": _text(call, "short description", method.language_code)}


def set_chat_menu_button(call: Call, method: SetChatMenuButton) -> bool:
    if method.chat_id is not None:
        access_chat(call, method.chat_id)
    return True


def _key(call: Call, method: Scoped) -> CommandsKey:
    scope = method.scope.model_dump(exclude_none=True) if method.scope else {"type": "default"}
    if "chat_id" in scope:
        access_chat(call, scope["chat_id"])
    return str(sorted(scope.items())), _language(method.language_code)


def _language(code: str | None) -> str:
    if code and not LANGUAGE.fullmatch(code):
        raise bad_request("invalid language code specified")
    return code or ""


def _set_text(call: Call, kind: str, text: str | None, language: str | None, most: int) -> bool:
    if utf16(text or "") > most:
        raise bad_request(f"{kind} is too long")
    call.profile.texts[kind, _language(language)] = text or ""
    return True


def _text(call: Call, kind: str, language: str | None) -> str:
    texts = call.profile.texts
    return texts.get((kind, _language(language))) or texts.get((kind, ""), "")
