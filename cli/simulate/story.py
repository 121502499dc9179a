"""A story: who is there, which groups are known, and what happens, one step a line of YAML."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictStr,
    Tag,
    ValidationError,
)
from pydantic_core import ErrorDetails

from config.sample import GROUP
from core.access.model import Role
from core.platform.errors import BadInput
from tests.fakes.telegram.parameters import METHODS

PATIENCE = 10.0  # seconds
SAMPLE = "sample"
NOBODY = "none"
MAX_TEXT = 4096


class Fault(StrEnum):
    """What may go wrong at Telegram, by the names that its fake has for it."""

    LOSE_ACK = "lose_ack"
    ACT_LATE = "act_late"
    HTTP_5XX = "http_5xx"
    CUT = "cut"
    TOO_MANY = "too_many"


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _no_role(role: object) -> object:
    return None if role == NOBODY else role


def _known_method(name: str) -> str:
    kind = METHODS.get(name.lower())
    if kind is None or kind.__api_method__ != name:
        raise ValueError(f"«{name}» is no method of the Bot API")
    return name


Text = Annotated[StrictStr, Field(max_length=MAX_TEXT), AfterValidator(_not_blank)]
Name = Annotated[StrictStr, Field(max_length=64), AfterValidator(_not_blank)]
Seconds = Annotated[float, Field(gt=0, le=600)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Played(Part):
    """One of the people. Who has a role enters by an invitation before the first step; `none` is a stranger."""

    name: Name
    language: str | None = Field(default=None, pattern="^[a-z]{2,3}(-[A-Za-z]{2,4})?$")
    role: Annotated[Role | None, BeforeValidator(_no_role)] = None


class Types(Part):
    who: Name
    types: Text


class Replies(Part):
    """`to`: words of the message that is replied to; without it the bot's newest."""

    who: Name
    replies: Text
    to: Text | None = None


class Sees(Part):
    """Waits for words that the bot has said, or edited in, since this person's own last act."""

    who: Name
    sees: Text
    within: Seconds = PATIENCE


class Presses(Part):
    """Waits for the button, then for the bot's answer to the tap."""

    who: Name
    presses: Text
    within: Seconds = PATIENCE


class Alerted(Part):
    """The words were in the bot's answer to the person's last tap."""

    who: Name
    alert: Text


class Broken(Part):
    """From here on the next `times` calls of `method` go wrong."""

    telegram: Fault
    method: Annotated[str, AfterValidator(_known_method)] = "sendMessage"
    times: int = Field(default=1, ge=1, le=1000)


VERBS = ("types", "replies", "sees", "presses", "alert", "telegram")


def _verb(raw: Any) -> str | None:
    """The one verb of a step as YAML has it; None for none or several."""
    verbs = [verb for verb in VERBS if verb in raw] if isinstance(raw, dict) else []
    return verbs[0] if len(verbs) == 1 else None


Act = Types | Replies | Sees | Presses | Alerted
Step = Annotated[
    Annotated[Types, Tag("types")]
    | Annotated[Replies, Tag("replies")]
    | Annotated[Sees, Tag("sees")]
    | Annotated[Presses, Tag("presses")]
    | Annotated[Alerted, Tag("alert")]
    | Annotated[Broken, Tag("telegram")],
    Discriminator(_verb, custom_error_type="verb", custom_error_message=f"must have exactly one of {', '.join(VERBS)}"),
]


class Story(Part):
    """`groups`: exports to import, by path from the story's folder; `sample` is Parley's own."""

    title: Name
    people: tuple[Played, ...] = Field(min_length=1)
    groups: tuple[Text, ...] = ()
    steps: tuple[Step, ...] = Field(min_length=1)


class Script(NamedTuple):
    """A story and where it was read; `lines[n]` is the line of its step n."""

    path: Path
    story: Story
    lines: tuple[int, ...]

    @property
    def exports(self) -> list[Path]:
        return [GROUP if group == SAMPLE else self.path.parent / group for group in self.story.groups]

    def place(self, number: int) -> str:
        return f"{self.path.name}, {_place_of_step(number, self.lines)}"


def read_script(path: Path) -> Script:
    """Raises BadInput, which names the step where one is wrong."""
    raw, lines = _load(path)
    if not isinstance(raw, dict):
        raise BadInput(f"{path.name} holds no story: it has a title, people and steps.")
    try:
        script = Script(path, Story.model_validate(raw), lines)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{', '.join([path.name, *_place(first['loc'], lines)])}: {_reason(first)}.") from error
    _check_people(script)
    return script


def _load(path: Path) -> tuple[Any, tuple[int, ...]]:
    """What the YAML holds, and the line on which each item of its `steps` begins."""
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.safe_load(text), tuple(_step_lines(yaml.compose(text, Loader=yaml.SafeLoader)))
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}): give the path of a story.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{path.name} is no YAML: {_yaml_problem(error)}.") from error


def _step_lines(root: yaml.Node | None) -> Iterator[int]:
    found = [value for key, value in root.value if key.value == "steps"] if isinstance(root, yaml.MappingNode) else []
    if found and isinstance(found[-1], yaml.SequenceNode):
        yield from (node.start_mark.line + 1 for node in found[-1].value)


def _yaml_problem(error: yaml.YAMLError | ValueError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem or 'it cannot be read'} in line {error.problem_mark.line + 1}"
    return "it cannot be read"


def _place(loc: tuple[int | str, ...], lines: tuple[int, ...]) -> list[str]:
    """Of a step its line and field, of other things their names and numbers."""
    match loc:
        case ("steps", int(number), *rest):
            return [_place_of_step(number, lines), *map(str, rest[1:])]  # rest[0] is the verb's tag
        case _:
            return [str(part + 1 if isinstance(part, int) else part) for part in loc]


def _place_of_step(number: int, lines: tuple[int, ...]) -> str:
    """Steps that stand elsewhere in the file (merged in) have no line of their own."""
    return f"line {lines[number]} (step {number + 1})" if number < len(lines) else f"step {number + 1}"


def _reason(error: ErrorDetails) -> str:
    if error["type"] == "string_type":
        return "must be text: put it in quotes"
    reason = error["msg"].removeprefix("Value error, ")
    return reason[:1].lower() + reason[1:]


def _check_people(script: Script) -> None:
    names = Counter(played.name for played in script.story.people)
    twice = next((name for name, number in names.items() if number > 1), None)
    if twice is not None:
        raise BadInput(f"{script.path.name}: two people are called {twice}; give them different names.")
    for number, step in enumerate(script.story.steps):
        if not isinstance(step, Broken) and step.who not in names:
            raise BadInput(f"{script.place(number)}: nobody is called {step.who}; people are {', '.join(names)}.")
