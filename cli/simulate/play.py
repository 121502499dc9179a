"""Plays a story: people act and wait in turn, until the end or until one of them waits in vain."""

from typing import NamedTuple

from cli.simulate.stage import Stage, open_stage
from cli.simulate.story import Act, Alerted, Broken, Fault, Played, Presses, Replies, Script, Sees, Step, Types
from cli.simulate.transcript import Line, Transcript, short
from config.settings import Settings
from core.platform.errors import AppError
from tests.fakes.telegram import CallbackAnswer, Faults, Message, Person, Unseen
from tests.fakes.telegram.errors import Refused

LATE_SECONDS = 0.5


class Unmet(AppError):
    """What was expected did not happen, or Telegram does not let the person do it."""


class Ended(NamedTuple):
    """How a story ended; `unmet` is None when everything happened as told."""

    chats: dict[str, list[Line]]
    bot: str
    unmet: Unmet | None


async def play(settings: Settings, script: Script) -> Ended:
    """Raises AppError when the story could not begin: no server, a group that cannot be imported."""
    async with open_stage(settings) as stage:
        for export in script.exports:
            await stage.import_group(export)
        transcript = Transcript(stage.world, stage.bot)
        unmet = None
        async with stage.running():
            try:
                await _perform(Cast(stage, transcript), script)
            except Unmet as error:
                unmet = error
        return Ended(transcript.chats, stage.bot.user.first_name, unmet)


async def _perform(cast: "Cast", script: Script) -> None:
    for played in script.story.people:
        await cast.enter(played)
    for number, step in enumerate(script.story.steps):
        try:
            await cast.follow(step)
        except Unmet as error:
            raise Unmet(f"{script.place(number)}: {error}.") from error


class Cast:
    """The people of a story, and what each was shown after the last tap."""

    def __init__(self, stage: Stage, transcript: Transcript) -> None:
        self._stage = stage
        self._transcript = transcript
        self._people: dict[str, Person] = {}
        self._answers: dict[str, CallbackAnswer] = {}

    async def enter(self, played: Played) -> None:
        """Opens the bot; with a role, by an invitation. Raises Unmet when the bot says nothing to it."""
        person = self._stage.world.person(played.name, language=played.language)
        self._people[played.name] = person
        self._transcript.open(played.name)
        if played.role is None:
            await person.opens(self._stage.bot)
            return
        token = await self._stage.invite(played.role)
        self._transcript.hide(token)
        await person.starts(self._stage.bot, token)
        try:
            await person.waits_for(lambda _: True)
        except Unseen as error:
            raise Unmet(f"{played.name} opened an invitation, and the bot said nothing.") from error

    async def follow(self, step: Step) -> None:
        """Raises Unmet."""
        if isinstance(step, Broken):
            switch_on(self._stage.telegram.faults, step)
            self._transcript.trouble(f"{step.telegram} {step.method} × {step.times}")
            return
        person = self._people[step.who]
        try:
            await self._act(person, step)
        except Unseen as error:
            raise Unmet(f"{_in_vain(step)} and sees {_newest(person)}") from error
        except Refused as error:
            raise Unmet(f"Telegram does not let {step.who} do this ({error.description})") from error

    async def _act(self, person: Person, step: Act) -> None:
        match step:
            case Types():
                await person.types(step.types)
            case Replies():
                await person.replies(_find(person, step.to), step.replies)
            case Sees():
                await person.waits_for(step.sees, within=step.within)
            case Presses():
                self._answers[step.who] = await person.presses(step.presses, within=step.within)
            case Alerted():
                self._check_alert(step)

    def _check_alert(self, step: Alerted) -> None:
        answer = self._answers.get(step.who)
        if answer is None:
            raise Unmet(f"{step.who} has pressed no button yet")
        if step.alert not in (answer.text or ""):
            shown = f"«{short(answer.text)}»" if answer.text else "nothing"
            raise Unmet(f"{step.who} was shown {shown} and not «{step.alert}»")


def switch_on(faults: Faults, step: Broken) -> None:
    match step.telegram:
        case Fault.LOSE_ACK:
            faults.lose_ack(step.method, times=step.times)
        case Fault.ACT_LATE:
            faults.act_late(step.method, delay=LATE_SECONDS, times=step.times)
        case Fault.HTTP_5XX:
            faults.http_5xx(step.method, times=step.times)
        case Fault.CUT:
            faults.cut(step.method, times=step.times)
        case Fault.TOO_MANY:
            faults.too_many(step.method, times=step.times)


def _find(person: Person, words: str | None) -> Message:
    """The newest message with the words, whoever wrote it; without words the newest of the bot."""
    for message in reversed(person.chat.history()):
        if words in message.text if words else message.sender_id != person.id:
            return message
    raise Unmet(f"there is no message with «{words}» to reply to" if words else "there is no message to reply to")


def _in_vain(step: Act) -> str:
    if isinstance(step, Sees):
        return f"{step.who} waited {step.within:g} s for «{step.sees}»"
    if isinstance(step, Presses):
        return f"{step.who} waited {step.within:g} s for the button «{step.presses}» and an answer to it"
    raise AssertionError(step)  # nothing else waits


def _newest(person: Person) -> str:
    theirs = [message for message in person.chat.history() if message.sender_id != person.id]
    return f"«{short(theirs[-1].text)}»" if theirs else "nothing"
