"""What a hostile or broken input did once, each with its test."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.sample import GROUP, MARKETPLACE
from tests.cli.conftest import Cli
from tests.ingest.imports.telegram_export import exports
from tests.ingest.imports.telegram_export.exports import NOON, Raw, message

GOOD = json.loads(MARKETPLACE.read_bytes().splitlines()[0])
HARMLESS = [
    {"external_id": "99999999999999999999999"},
    {"external_id": "9223372036854775808"},
    {"external_id": "²"},
    {"external_id": "--5"},
    {"external_id": "a\x00b"},
    {"thread": "t\x00"},
    {"title": "\x00"},
    {"author_name": "\x00Anna"},
    {"order_id": "\x00"},
    {"reply_to": "\x00"},
]
REFUSED = [
    {"nm_id": 2**63},
    {"nm_id": -1},
    {"occurred_at": "0001-01-01T00:00:00Z"},
    {"occurred_at": "9999-12-31T23:59:59Z"},
]


def lines(tmp_path: Path, *records: Raw) -> str:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("odd", HARMLESS, ids=str)
def test_an_odd_record_is_stored(cli: Cli, tmp_path: Path, odd: Raw) -> None:
    ended = cli("import", lines(tmp_path, GOOD | odd), "--json")
    assert (ended.code, ended.json["inserted"], ended.json["skipped"]) == (0, 1, [])


@pytest.mark.parametrize("bad", REFUSED, ids=str)
def test_a_bad_record_is_skipped_and_the_rest_is_stored(cli: Cli, tmp_path: Path, bad: Raw) -> None:
    ended = cli("import", lines(tmp_path, GOOD | bad, GOOD), "--json")
    assert (ended.code, ended.json["inserted"], len(ended.json["skipped"])) == (0, 1, 1)


@pytest.mark.parametrize("seconds", ["-62135596800", "253402300799", "4102444800", "99999999999999"])
def test_a_time_out_of_this_world_is_inferred_and_can_be_imported_again(cli: Cli, tmp_path: Path, seconds: str) -> None:
    path = tmp_path / "result.json"
    odd = message(2, "когда-то") | {"date_unixtime": seconds}
    path.write_bytes(exports.dump(exports.chat([message(1, "сейчас"), odd], kind="private_group")))
    assert cli("import", str(path), "--json").json["inserted"] == 2
    assert cli("import", str(path), "--json").json["unchanged"] == 2
    assert cli("threads", str(path)).code == 0


def test_one_message_from_the_future_does_not_hide_a_chat(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    talk = [message(n, f"Обсуждаем упаковку {n}", at=NOON + n) for n in range(1, 30)]
    path.write_bytes(exports.dump(exports.chat([*talk, message(99, "из будущего", at=NOON + 10**9)])))
    cli("import", str(path))
    assert cli("digest", "--chat", "1234567890", "--json").json["status"] == "ready"


def test_a_long_media_type_fits_its_preview(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(exports.dump(exports.chat([message(1, "", media_type="x" * 500, file="a.bin")])))
    assert cli("import", str(path), "--json").json["inserted"] == 1


@pytest.mark.parametrize("kind", [["a"], {"a": 1}, None, 5, "\\ud800"])
def test_a_chat_of_an_impossible_type_is_imported(cli: Cli, tmp_path: Path, kind: object) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(exports.dump(exports.chat([message(1)]) | {"type": kind}))
    assert cli("import", str(path), "--json").json["inserted"] == 1


def test_status_lists_groups_however_many_reviews_are_newer(cli: Cli, tmp_path: Path) -> None:
    cli("import", str(GROUP))
    newer = [
        GOOD | {"thread": f"t{n}", "external_id": f"r{n}", "occurred_at": "2026-11-01T00:00:00Z"} for n in range(60)
    ]
    cli("import", lines(tmp_path, *newer))
    assert [chat["key"] for chat in cli("status", "--json").json["chats"]] == ["tg:-1001900000001"]


WRONG = [
    ("digest", "--chat", "x", "--end", "0001-01-01T00:00:00+14:00"),
    ("digest", "--chat", "x", "--end", "9999-12-31T23:59:59-12:00"),
    ("digest", "--chat", "x", "--as", "owner:²"),
    ("digest", "--chat", "x", "--as", "owner:99999999999999999999"),
    ("digest", "--chat", "\udcff"),
    ("import", "~nobody-of-this-name/result.json"),
    ("import", "/dev/zero"),
    ("jobs", "pause", ""),
    ("jobs", "pause", "nonsense"),
]


@pytest.mark.parametrize("args", WRONG, ids=" ".join)
def test_nonsense_is_one_sentence(cli: Cli, args: tuple[str, ...]) -> None:
    ended = cli(*args)
    assert ended.code in (1, 2)
    assert ended.err.startswith("parley: ")
    assert ended.err.count("\n") == 1


def test_a_number_too_long_for_an_id_is_wrong_use(cli: Cli) -> None:
    assert cli("dlq", "retry", "99999999999999999999").code == 2


def test_a_redis_url_that_the_queue_cannot_read_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://localhost/abc")
    ended = cli("status")
    assert (ended.code, "REDIS_URL" in ended.err) == (2, True)


@pytest.mark.parametrize("missing", ["stdout", "stderr"])
def test_closed_outputs_lose_nothing_but_words(missing: str) -> None:
    closing = "1" if missing == "stdout" else "2"
    program = "from cli.entry import main; import sys; sys.argv = ['parley', '--help']; main()"
    ended = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {closing}>&-', sys.executable, program], capture_output=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_an_ascii_locale_loses_letters_and_not_the_command(cli: Cli, tmp_path: Path) -> None:
    program = "from cli.entry import main; import sys; sys.argv = ['parley', 'threads', sys.argv[1]]; main()"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(
        [sys.executable, "-c", program, str(GROUP)], env=environment, capture_output=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
