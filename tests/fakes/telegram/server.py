"""A fake of Telegram's Bot API over HTTP on the loopback.

In a test: `async with FakeTelegram(world) as telegram: telegram.url`. As a process that outlives its callers:
`python -m tests.fakes.telegram.server --port-file PORT [--world WORLD.json]`.
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from tests.fakes.telegram.admin import Admin
from tests.fakes.telegram.api import BotApi
from tests.fakes.telegram.chats import Bot
from tests.fakes.telegram.courier import Courier
from tests.fakes.telegram.errors import Refused, not_found
from tests.fakes.telegram.exchange import Exchange
from tests.fakes.telegram.faults import Faults
from tests.fakes.telegram.journal import Journal
from tests.fakes.telegram.parameters import METHODS, Given
from tests.fakes.telegram.scenery import Cast, build
from tests.fakes.telegram.world import World

HOST = "127.0.0.1"
MAX_REQUEST = 60 << 20  # bytes; above the 50 MB of a file, so that its own check answers first


class FakeTelegram:
    """The Bot API of a world. `journal` tells what calls did, `faults` are switched on there."""

    def __init__(self, world: World, cast: Cast | None = None) -> None:
        self.world = world
        self.faults = Faults()
        self.journal = Journal()
        self.api = BotApi(world)
        self.url = ""
        self._courier = Courier(self.api.mailbox, self._perform)
        self._exchange = Exchange(self.api, self.faults, self.journal, self._courier.look_after)
        self._admin = Admin(self.api, self.faults, self.journal, cast or Cast(world))
        self._runner = web.AppRunner(self._application(), handler_cancellation=True, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._courier.close()
        await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_REQUEST)
        application.router.add_route("*", "/bot{token}/{method}", self._exchange.handle)
        application.router.add_get("/file/bot{token}/files/{file_id}", self._file)
        application.add_routes(self._admin.routes())
        return application

    async def _file(self, request: web.Request) -> web.Response:
        try:
            self.api.bot(request.match_info["token"])
        except Refused as refusal:
            return web.json_response(refusal.body(), status=refusal.code)
        content = self.world.files.get(request.match_info["file_id"])
        if content is None:
            return web.json_response(not_found().body(), status=404)
        return web.Response(body=content)

    def _perform(self, bot: Bot, answer: dict[str, Any]) -> None:
        """The call in a webhook's answer; nobody hears what came of it but the journal."""
        kind = METHODS.get(str(answer.pop("method")).lower())
        if kind:
            given = Given(answer)
            self._exchange.act(bot, kind, given, self._exchange.note(bot, kind, given))


async def serve(port_file: Path, world_file: Path | None) -> None:
    """Until the process is ended. The port appears in its file when the server answers."""
    described = json.loads(await asyncio.to_thread(world_file.read_text, "utf-8")) if world_file else {}
    cast = Cast(World())
    async with FakeTelegram(cast.world, cast) as telegram:
        await build(cast, described)
        partial = port_file.with_suffix(".partial")
        partial.write_text(telegram.url.rpartition(":")[2], encoding="utf-8")
        partial.rename(port_file)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--world", type=Path)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port_file, arguments.world))


if __name__ == "__main__":
    main()
