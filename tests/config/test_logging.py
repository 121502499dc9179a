import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars

from config.logging import setup_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()
    clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_only_listed_fields_get_out(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging("INFO", "json", "test")
    bind_contextvars(correlation_id="c1")
    structlog.get_logger().info("message.seen", interaction_id=5, text="hello, my card is 4111", phone="+7900")
    [line] = lines(capsys)
    assert (line["event"], line["interaction_id"], line["correlation_id"], line["app"]) == (
        "message.seen",
        5,
        "c1",
        "test",
    )
    assert line["hidden_fields"] == 2
    assert "4111" not in json.dumps(line)


def test_an_exception_is_its_type_and_nothing_of_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging("INFO", "json", "test")
    try:
        raise ValueError("Anna's address")
    except ValueError:
        structlog.get_logger().exception("it.failed")
    [line] = lines(capsys)
    assert line["exc_type"] == "ValueError"
    assert "Anna" not in json.dumps(line)


def test_a_library_s_arguments_stay_out(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging("INFO", "json", "test")
    logging.getLogger("library").warning("could not send %s to %s", "the secret", "Anna")
    logging.getLogger("library").info("chatter")
    [line] = lines(capsys)
    assert (line["event"], line["logger"], line["level"]) == ("could not send %s to %s", "library", "warning")


def test_text_for_a_terminal_has_the_same_fields(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging("INFO", "text", "test")
    structlog.get_logger().info("message.seen", text="private")
    assert "private" not in capsys.readouterr().err
