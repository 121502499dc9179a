"""`parley bot`: a further bot is added; stories end as they tell, print what was seen and say what did not happen."""

import asyncio
import io
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest
from rich.console import Console

from cli import bot
from cli.simulate.show import as_json, print_chats
from cli.simulate.story import read_script
from cli.simulate.transcript import Transcript
from config.sample import FOLDER
from core.delivery import budget
from core.platform.errors import BadInput
from core.platform.secretbox import new_key
from tests.cli.conftest import Cli
from tests.fakes.telegram import Bot, FakeTelegram, Person, World
from tests.fakes.telegram.formatting import formatted
from tests.fakes.telegram.messages import CallbackAnswer, Draft

TOKEN = "4200000001:token-of-desk"
PEOPLE = """
title: A morning
people:
  - {name: Olga, language: en, role: owner}
  - {name: Eve}
"""


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Telegram with one bot that answers while a command runs an event loop of its own."""
    world = World()
    world.bot("desk_bot", token=TOKEN)
    running: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        ended = asyncio.Event()
        async with FakeTelegram(world) as fake:
            running.set_result((fake.url, partial(asyncio.get_running_loop().call_soon_threadsafe, ended.set)))
            await ended.wait()

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    url, end = running.result(timeout=10)
    monkeypatch.setenv("TELEGRAM_API_URL", url)
    monkeypatch.setenv("PARLEY_SECRET_KEYS", new_key())
    yield
    end()
    thread.join()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender does not settle for a second before a bot's first message."""
    monkeypatch.setattr(budget, "SETTLING_SECONDS", 0.0)


def test_a_bot_is_added_once_and_named(cli: Cli, telegram: None) -> None:
    ended = cli("bot", "add", TOKEN)
    assert (ended.code, ended.err) == (0, "")
    assert "4200000001" in ended.out
    assert "@desk_bot" in ended.out
    assert TOKEN not in ended.out
    assert cli("bot", "add", TOKEN, "--json").json == {"bot_id": 4200000001, "username": "desk_bot"}
    assert cli("secrets", "rotate", "--json").json == {"rotated": 1}


@pytest.mark.parametrize(
    ("token", "text"), [("4200000002:nobody", "refuses the bot's token"), ("nonsense", "is no bot token")]
)
def test_a_token_that_is_no_good_is_one_sentence(cli: Cli, telegram: None, token: str, text: str) -> None:
    ended = cli("bot", "add", token)
    assert (ended.code, ended.out) == (2, "")
    assert text in ended.err
    assert ended.err.count("\n") == 1
    assert cli("secrets", "rotate", "--json").json == {"rotated": 0}


def test_without_a_key_no_bot_is_entered(cli: Cli, telegram: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARLEY_SECRET_KEYS")
    ended = cli("bot", "add", TOKEN)
    assert ended.code == 2
    assert "PARLEY_SECRET_KEYS is not set" in ended.err


def test_the_sample_story_ends_well_and_prints_each_chat(cli: Cli, unhurried: None) -> None:
    ended = cli("bot", "simulate", str(FOLDER / "story.yaml"))
    assert ended.code == 0, ended.err
    anna, max_, eve = ended.out.split("── Parley ──")[1:]
    assert "Анна    /start …\n" in anna
    assert "  https://t.me/c/1900000001/" in anna
    assert "⚡ lose_ack sendMessage" in anna
    assert anna.count("Postgres: ok") == 1
    assert "        [ Русский ] [ English ]\nMax     ▸ Русский\nParley  🔔 Теперь я говорю по-русски.\n" in max_
    assert "┃ Which language shall I speak?\n        спасибо\n" in max_
    assert "answers its members only" in eve
    assert "welcome" not in eve.lower()


def test_what_does_not_happen_is_told_with_its_line_below_the_chat(cli: Cli, unhurried: None, tmp_path: Path) -> None:
    path = write(tmp_path, "{who: Olga, types: /id}", "{who: Olga, sees: Bonjour, within: 0.2}")
    ended = cli("bot", "simulate", str(path))
    assert ended.code == 1
    assert "Olga    /id\n" in ended.out
    told = "parley: story.yaml, line 8 (step 2): Olga waited 0.2 s for «Bonjour» and sees «"
    assert ended.err.splitlines()[-1].startswith(told)


def test_json_is_one_object_also_when_the_story_fails(
    cli: Cli, unhurried: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_TOKEN", "4200000009:of-a-real-bot")  # a story has a bot of its own, and polls for it
    monkeypatch.setenv("WEBHOOK_URL", "https://desk.example.org")
    monkeypatch.setenv("WEBHOOK_SECRET", "of-a-real-webhook")
    ended = cli("bot", "simulate", str(write(tmp_path, "{who: Eve, alert: Hello}")), "--json")
    assert ended.code == 1
    assert ended.json["unmet"] == "story.yaml, line 7 (step 1): Eve has pressed no button yet."
    assert [chat["with"] for chat in ended.json["chats"]] == ["Olga", "Eve"]
    assert [line["who"] for line in ended.json["chats"][0]["lines"]] == ["Olga", "Parley"]
    assert ended.err.count("\n") == 1


UNMET = [
    ("{who: Olga, presses: Send, within: 0.1}", "Olga waited 0.1 s for the button «Send» and an answer to it and sees"),
    ("{who: Olga, replies: yes please, to: Nonsense}", "there is no message with «Nonsense» to reply to."),
]


@pytest.mark.parametrize(("step", "why"), UNMET)
def test_what_cannot_happen_is_told_with_its_line(
    cli: Cli, unhurried: None, tmp_path: Path, step: str, why: str
) -> None:
    ended = cli("bot", "simulate", str(write(tmp_path, step)))
    assert ended.code == 1
    assert f"line 7 (step 1): {why}" in ended.err


WRONG = [
    ("{who: Olga, sings: la}", "line 7 (step 1): must have exactly one of types, replies, sees, presses, alert, tele"),
    ("{who: Olga, types: a, sees: b}", "line 7 (step 1): must have exactly one of"),
    ("{who: Ivan, types: /help}", "line 7 (step 1): nobody is called Ivan; people are Olga, Eve."),
    ("{who: Olga, types: ' '}", "line 7 (step 1), types: must not be empty."),
    ("{who: Olga, types: 5}", "line 7 (step 1), types: must be text: put it in quotes."),
    ("{who: Olga, sees: a, within: 0}", "line 7 (step 1), within: input should be greater than 0."),
    ("{who: Olga, types: a, loudly: 'yes'}", "line 7 (step 1), loudly: extra inputs are not permitted."),
    ("{telegram: falls}", "line 7 (step 1), telegram: input should be 'lose_ack', "),
    ("{telegram: cut, method: sendmessage}", "line 7 (step 1), method: «sendmessage» is no method of the Bot API."),
    ("{who: Olga", "is no YAML: "),
    ("2026-99-99", "is no YAML: it cannot be read."),
]


@pytest.mark.parametrize(("step", "text"), WRONG, ids=[step for step, _ in WRONG])
def test_a_wrong_step_is_named_with_its_line(tmp_path: Path, step: str, text: str) -> None:
    with pytest.raises(BadInput, match=re.escape(f"story.yaml{', ' if text.startswith('line') else ' '}{text}")):
        read_script(write(tmp_path, step))


ODD = [
    ("", "holds no story"),
    ("title: A\npeople: []\nsteps: []", "story.yaml, people: "),
    ("title: A\npeople: [{name: A, role: king}]\nsteps: [{who: A, types: a}]", "people, 1, role: input should be 'own"),
    ("title: A\npeople: [{name: A}, {name: A}]\nsteps: [{who: A, types: a}]", "two people are called A"),
    ("x: &x {steps: [{who: A}]}\n<<: *x\ntitle: A\npeople: [{name: A}]", "story.yaml, step 1: must have"),
]


@pytest.mark.parametrize(("text", "sentence"), ODD)
def test_an_odd_story_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "story.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=re.escape(sentence)):
        read_script(path)


def test_a_story_that_cannot_be_used_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    check_wrong(cli, write(tmp_path, "{who: Olga, sings: la}"), "line 7 (step 1): must have exactly one of")


def test_a_story_that_is_not_there_or_not_text_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    check_wrong(cli, tmp_path, "cannot be read")
    check_wrong(cli, tmp_path / "none.yaml", "cannot be read")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xfd")
    check_wrong(cli, tmp_path / "bytes.yaml", "is no YAML")


def test_a_group_that_is_not_there_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, "{who: Olga, types: /digest}")
    path.write_text(path.read_text(encoding="utf-8") + "groups: [none.json]\n", encoding="utf-8")
    check_wrong(cli, path, "There is no file")


def test_an_installed_parley_without_the_fake_says_so(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot, "CHECKOUT", tmp_path)
    check_wrong(cli, FOLDER / "story.yaml", "There is no fake Telegram here (tests/fakes/telegram)")


def test_the_checkout_is_found_from_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in {"", str(bot.CHECKOUT)}])
    bot.find_fake()
    bot.find_fake()
    assert sys.path.count(str(bot.CHECKOUT)) == 1


class Scene(NamedTuple):
    world: World
    anna: Person
    parley: Bot
    transcript: Transcript

    def says(self, html: str, *buttons: str) -> None:
        keyboard = [[{"text": text, "callback_data": text} for text in buttons]]
        draft = Draft(formatted(html, "HTML"), markup={"inline_keyboard": keyboard} if buttons else None)
        self.world.send(self.world.private(self.anna.id, self.parley.id), self.parley.id, draft)

    def drawn(self, *, terminal: bool = False) -> str:
        out = io.StringIO()
        print_chats(Console(file=out, force_terminal=terminal, width=200), self.transcript.chats, "Parley")
        return out.getvalue()


@pytest.fixture
async def scene() -> Scene:
    world = World()
    parley, anna = world.bot("parley_bot"), world.person("Anna")
    await anna.opens(parley)
    return Scene(world, anna, parley, Transcript(world, parley))


async def test_links_stand_below_their_line_and_buttons_below_the_text(scene: Scene) -> None:
    scene.says(
        '👀 <b>One</b> <a href="https://a.example/">x</a>\n\n<a href="https://b.example/">y</a>', "✅ Send", "✗ Drop"
    )
    assert scene.drawn().splitlines()[1:7] == [
        "Parley  👀 One x",
        "          https://a.example/",
        "",
        "        y",
        "          https://b.example/",
        "        [ ✅ Send ] [ ✗ Drop ]",
    ]


async def test_a_terminal_shows_bold_where_telegram_counts_it(scene: Scene) -> None:
    scene.says("👀👀 <b>bold</b> plain")
    assert "👀👀 \x1b[1mbold\x1b[0m plain" in scene.drawn(terminal=True)


async def test_a_long_text_is_wrapped_under_itself(scene: Scene) -> None:
    scene.says("word " * 60)
    lines = scene.drawn().splitlines()[1:4]
    assert [line[:12] for line in lines] == ["Parley  word", "        word", "        word"]
    assert max(len(line) for line in lines) <= 100


async def test_edits_deletions_taps_files_and_alerts_are_seen_and_secrets_are_not(scene: Scene) -> None:
    scene.transcript.hide("hush")
    told = await scene.anna.types("/start hush")
    await scene.anna.edits(told, "[not markup]")
    scene.says("Shall I?", "Yes")
    query = await scene.anna.taps("Yes")
    scene.world.answer(query, CallbackAnswer("Done", alert=True))
    await scene.anna.sends_document("list.txt", b"1", caption="my list")
    await scene.anna.deletes(told)
    scene.transcript.trouble("cut sendMessage")
    assert scene.drawn().splitlines()[1:-1] == [
        "Anna    /start …",
        "Anna    ✎ [not markup]",
        "Parley  Shall I?",
        "        [ Yes ]",
        "Anna    ▸ Yes",
        "Parley  🔔 Done",
        "Anna    [document list.txt]",
        "        my list",
        "Anna    ✗ [not markup]",
        "        ⚡ cut sendMessage",
    ]
    [chat] = as_json(scene.transcript.chats)
    kinds = [line["kind"] for line in chat["lines"]]
    assert kinds == ["message", "edit", "message", "tap", "alert", "message", "deletion", "trouble"]


def write(folder: Path, *steps: str) -> Path:
    """A story whose first step is on line 7."""
    path = folder / "story.yaml"
    path.write_text(PEOPLE.lstrip() + "# …\nsteps:\n" + "".join(f"  - {step}\n" for step in steps), encoding="utf-8")
    return path


def check_wrong(cli: Cli, path: Path, sentence: str) -> None:
    ended = cli("bot", "simulate", str(path))
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err.splitlines()[-1]
    assert ended.err.splitlines()[-1].startswith("parley: ")
