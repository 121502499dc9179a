"""`parley bot`: further bots, and stories played against the bot as it is."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.console import JsonOption, TenantOption, command, err, out, print_json, with_reader
from config.bots import OwnedBot, own_bot, store_bot
from config.runtime import Runtime
from config.settings import load_settings
from core.access.model import Permission, Reader
from core.access.permissions import check_permission
from core.platform.errors import Misconfigured

CHECKOUT = Path(__file__).parent.parent
FAKE = Path("tests", "fakes", "telegram")

bot = typer.Typer(no_args_is_help=True, help="Bots, and stories to try them with.")


@bot.command("add")
@command
async def add_bot(
    token: Annotated[str, typer.Argument(help="The token that @BotFather gave.")],
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a further bot, whose token is kept encrypted."""

    async def work(runtime: Runtime, reader: Reader) -> OwnedBot:
        check_permission(reader, Permission.MANAGE_SOURCES)
        runtime.secret_box()  # without a key nothing must be entered
        owned = await own_bot(runtime, reader.tenant_id, token)
        await owned.bot.session.close()
        await store_bot(runtime, reader.tenant_id, token)
        return owned

    added = await with_reader(tenant, work)
    if as_json:
        print_json({"bot_id": added.bot.id, "username": added.me.username})
    else:
        out.print(f"Bot {added.bot.id} is @{added.me.username}; restart bot and worker and it answers.", markup=False)


@bot.command("simulate")
@command
async def simulate(
    path: Annotated[Path, typer.Argument(metavar="STORY.yaml", help="What people do and see; see docs/stories.md.")],
    as_json: JsonOption = False,
) -> None:
    """Play people against the bot, in front of a Telegram that is not real, and print their chats."""
    find_fake()
    from cli.simulate import play, show, story  # noqa: PLC0415 - they stand on the fake, which a wheel lacks

    script = story.read_script(path)
    err.print(f"Playing «{script.story.title}» …", markup=False) if not as_json else None
    ended = await play.play(load_settings(), script)
    if as_json:
        unmet = str(ended.unmet) if ended.unmet else None
        print_json({"title": script.story.title, "unmet": unmet, "chats": show.as_json(ended.chats)})
    else:
        show.print_chats(out, ended.chats, ended.bot)
    if ended.unmet:
        raise ended.unmet


def find_fake() -> None:
    """Makes the checkout's fake Telegram importable. Raises Misconfigured where Parley was installed without it."""
    if not (CHECKOUT / FAKE).is_dir():
        raise Misconfigured(f"There is no fake Telegram here ({FAKE}): play stories in a checkout of Parley.")
    if str(CHECKOUT) not in sys.path:
        sys.path.insert(0, str(CHECKOUT))
