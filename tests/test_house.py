"""The house itself: which way the arrows point, where SQL may stand, how long a file may grow."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
APPS = ("bot", "ingest", "worker")
ROOMS = (
    "platform", "privacy", "access", "interactions", "delivery", "llm", "language", "guardrails", "customers",
    "catalog", "knowledge", "desk", "replies", "digests", "analytics",
)  # fmt: skip
MAY_IMPORT = {
    "core": {"core"},
    "config": {"core", "config", "migrations"},
    **{app: {"core", "config", app} for app in APPS},
    "cli": {"core", "config", "cli", "migrations", *APPS},
}
SQL_FILES = ("repo.py", "db.py", "migrate.py")
ROOMS_WITH_REPOS_IN_THEIR_NOUNS = ("core/platform",)  # one table, one noun, one file: due.py, jobs.py, …
BENCHES = ("cli/bench",)  # floors are raw statements by nature
SQL_STARTS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ")
STATEMENT = re.compile(r"\b(FROM|INTO|SET)\b")
LONGEST = 400


def product_files() -> Iterator[Path]:
    for top in MAY_IMPORT:
        yield from sorted((HOUSE / top).rglob("*.py"))


FILES = list(product_files())
IDS = [str(path.relative_to(HOUSE)) for path in FILES]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.lstrip()


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_arrows_point_one_way(path: Path) -> None:
    top = path.relative_to(HOUSE).parts[0]
    for name in imported(path):
        target = name.split(".")[0]
        assert target not in MAY_IMPORT or target in MAY_IMPORT[top], f"{top} imports {name}"


@pytest.mark.parametrize("path", [p for p in FILES if p.is_relative_to(HOUSE / "core")], ids=str)
def test_later_rooms_import_earlier_ones(path: Path) -> None:
    parts = path.relative_to(HOUSE / "core").parts
    if len(parts) == 1:
        return
    for name in imported(path):
        pieces = name.split(".")
        if pieces[0] == "core" and len(pieces) > 1:
            assert ROOMS.index(pieces[1]) <= ROOMS.index(parts[0]), f"{parts[0]} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_sql_stands_in_repositories_only(path: Path) -> None:
    place = path.relative_to(HOUSE).as_posix()
    if place.endswith(SQL_FILES) or place.startswith((*ROOMS_WITH_REPOS_IN_THEIR_NOUNS, *BENCHES)):
        return
    assert [text for text in strings(path) if text.startswith(SQL_STARTS) and STATEMENT.search(text)] == []


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_statements_are_made_of_constants(path: Path) -> None:
    """An f-string with SQL may hold names of constants, never a value: values are parameters."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        head = next((v.value for v in node.values if isinstance(v, ast.Constant)), "")
        if not str(head).lstrip().startswith(SQL_STARTS):
            continue
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                assert isinstance(value.value, ast.Name), ast.unparse(value)
                assert value.value.id.isupper(), ast.unparse(value)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_no_file_has_grown_a_second_noun(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not source.strip() or ast.get_docstring(ast.parse(source)), path


def test_only_settings_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(HOUSE))
        for path in FILES
        if any(mark in path.read_text(encoding="utf-8") for mark in ("os.environ", "getenv"))
    ]
    # The embedded servers look for a place for their sockets before there are settings.
    assert [name for name in readers if not name.startswith("config/embedded/")] == []
