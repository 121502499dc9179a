"""The fake's own endpoints, for stories in another process: journal, faults, people.

GET /__journal · GET /__messages?person=Anna · POST /__push {"bot", "kind", "body"} · POST /__faults {"kind", …}
· DELETE /__faults · POST /__faults/act · POST /__clock {"seconds"}
· POST /__people/Anna/{opens|starts|types|presses|waits}
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.fakes.telegram.api import BotApi
from tests.fakes.telegram.chats import Bot
from tests.fakes.telegram.clock import RunningClock
from tests.fakes.telegram.faults import Fault, Faults
from tests.fakes.telegram.journal import Journal
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.person import Person
from tests.fakes.telegram.scenery import Cast

Act = Callable[[Person, Cast, dict[str, Any]], Awaitable[Any]]


class Admin:
    def __init__(self, api: BotApi, faults: Faults, journal: Journal, cast: Cast) -> None:
        self._api = api
        self._faults = faults
        self._journal = journal
        self._cast = cast
        self._switched: list[Fault] = []
        self._switches: dict[str, Callable[..., Fault]] = {
            "lose_ack": faults.lose_ack,
            "act_late": faults.act_late,
            "http_5xx": faults.http_5xx,
            "cut": faults.cut,
            "too_many": faults.too_many,
            "kill_caller": faults.kill_caller,
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/__journal", self.journal),
            web.get("/__messages", self.messages),
            web.post("/__push", self.push),
            web.post("/__faults", self.add_fault),
            web.delete("/__faults", self.clear_faults),
            web.post("/__faults/act", self.act_late),
            web.post("/__clock", self.forward),
            web.post("/__people/{name}/{act}", self.person),
        ]

    async def journal(self, _: web.Request) -> web.Response:
        return web.json_response([entry.view() for entry in self._journal.entries])

    async def messages(self, request: web.Request) -> web.Response:
        person = self._cast.people[request.query["person"]]
        return web.json_response([_shown(message) for message in await person.sees()])

    async def push(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._api.mailbox(self._cast.bots[body["bot"]]).put(body["kind"], body["body"])
        return web.json_response({})

    async def add_fault(self, request: web.Request) -> web.Response:
        """`kind` names a switch of `Faults`; the rest are its arguments; `kill` is the id of a process."""
        details = await request.json()
        self._switched.append(self._switches[details.pop("kind")](**details))
        return web.json_response({})

    async def clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({})

    async def act_late(self, _: web.Request) -> web.Response:
        return web.json_response({"acted": sum(fault.act() for fault in self._switched)})

    async def forward(self, request: web.Request) -> web.Response:
        clock = self._cast.world.clock
        if isinstance(clock, RunningClock):
            clock.forward(seconds=(await request.json())["seconds"])
        return web.json_response({})

    async def person(self, request: web.Request) -> web.Response:
        person = self._cast.people[request.match_info["name"]]
        result = await ACTS[request.match_info["act"]](person, self._cast, await request.json())
        return web.json_response(result)


async def _opens(person: Person, cast: Cast, body: dict[str, Any]) -> Any:
    await person.opens(cast.place(body["place"]))


async def _starts(person: Person, cast: Cast, body: dict[str, Any]) -> Any:
    bot = cast.place(body["bot"])
    if isinstance(bot, Bot):
        return _shown(await person.starts(bot))
    return None


async def _types(person: Person, _: Cast, body: dict[str, Any]) -> Any:
    return _shown(await person.types(body["text"]))


async def _presses(person: Person, _: Cast, body: dict[str, Any]) -> Any:
    answer = await person.presses(body["button"])
    return {"text": answer.text, "alert": answer.alert}


async def _waits(person: Person, _: Cast, body: dict[str, Any]) -> Any:
    return _shown(await person.waits_for(body["text"]))


ACTS: dict[str, Act] = {"opens": _opens, "starts": _starts, "types": _types, "presses": _presses, "waits": _waits}


def _shown(message: Message) -> dict[str, Any]:
    buttons = [button["text"] for button in message.inline_buttons]
    return {"id": message.id, "sender_id": message.sender_id, "text": message.text, "buttons": buttons}
