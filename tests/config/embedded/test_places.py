"""Homes in awkward places, and machines that offer little."""

import errno
import fcntl
import os
import sys
from pathlib import Path

import pytest

from config.embedded import EmbeddedError, start
from config.embedded import directories as directories_module
from config.embedded.directories import make_home, make_private, socket_directory
from config.embedded.layout import Layout, Service
from tests.config.embedded.conftest import Home, NewUser, check_answers

AWKWARD_NAMES = ("дом с пробелом", 'it\'s "quoted" $HOME `x`; #1', "a,b:c%2F\\d", "deep/" * 50 + "home")
FROM_A_REMOVED_FOLDER = (
    "import os, runpy, sys, tempfile; sys.path.insert(0, os.getcwd()); folder = tempfile.mkdtemp();"
    " os.chdir(folder); os.rmdir(folder); runpy.run_module('tests.config.embedded.user', run_name='__main__')"
)


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    for name in ("XDG_RUNTIME_DIR", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    return Layout(tmp_path, Service.REDIS)


@pytest.mark.parametrize("name", AWKWARD_NAMES)
async def test_home_may_have_any_name(tmp_path: Path, user: NewUser, name: str) -> None:
    home = Home(tmp_path.resolve() / name)
    someone = user(home.path, env=os.environ | {"LC_ALL": "C"})
    await check_answers(someone.servers())
    someone.leave()
    home.wait_stopped()


async def test_bare_environment_is_enough(user: NewUser) -> None:
    await check_answers(user(env={"LC_ALL": "C"}).servers())


async def test_deep_folders_everywhere_are_no_hindrance(tmp_path: Path, user: NewUser) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir(mode=0o700)
    names = ("TMPDIR", "XDG_RUNTIME_DIR", "HOME")
    await check_answers(user(env=os.environ | dict.fromkeys(names, str(deep))).servers())


async def test_removed_working_folder_is_no_hindrance(user: NewUser) -> None:
    await check_answers(user(command=(sys.executable, "-c", FROM_A_REMOVED_FOLDER)).servers())


async def test_home_reached_by_a_link_is_the_same_home(home: Home, user: NewUser, tmp_path: Path) -> None:
    first = user().servers()
    link = tmp_path / "link"
    link.symlink_to(home.path)
    assert user(link).servers() == first


def test_home_that_exists_keeps_its_mode_and_its_secrets_are_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_home(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        EmbeddedError, match=r"^Cannot keep data in .*: File exists .*file.*; set PARLEY_HOME"
    ) as caught:
        start(tmp_path / "file" / "home")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_file_system_without_locks_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(EmbeddedError, match=r"has no file locks .*: set PARLEY_HOME to a folder on a local disk"):
        start(tmp_path / "home")


def test_private_folder_is_made_once_and_found_again(tmp_path: Path) -> None:
    for _ in range(2):
        make_private(tmp_path / "own")
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700


def test_private_folder_of_another_account_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o700)
    with pytest.raises(PermissionError):
        make_private(tmp_path / "own", owner=os.geteuid() + 1)


def test_open_folder_link_and_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "private")
    (tmp_path / "file").touch(mode=0o600)
    for name in ("open", "link", "file"):
        with pytest.raises(PermissionError):
            make_private(tmp_path / name)


def test_sockets_are_in_the_runtime_folder_if_there_is_one(
    layout: Layout, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    with socket_directory(layout, os.geteuid()) as path:
        assert path.parent == short
        assert path.name == f"parley-{os.geteuid()}-{layout.key}-redis"
    assert not path.exists()


def test_squatted_name_is_left_alone(layout: Layout, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(short))
    with socket_directory(layout, os.geteuid()) as free:
        pass
    free.mkdir(mode=0o755)
    (free / "theirs").touch()
    with socket_directory(layout, os.geteuid()) as path:
        assert path == free.with_name(f"{free.name}-1")
    assert (free / "theirs").exists()


def test_dead_sockets_are_cleared_away(layout: Layout) -> None:
    with socket_directory(layout, os.geteuid()) as path:
        (path / ".s.PGSQL.5432.lock").touch()
        with socket_directory(layout, os.geteuid()) as again:
            assert not list(again.iterdir())
        path.mkdir(mode=0o700)


@pytest.mark.parametrize("name", ["d" * 100, "with blank", "a,b", "папка"])
def test_folder_that_would_need_quoting_or_is_deep_is_passed_over(
    layout: Layout, short: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (short / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(short / name))
    with socket_directory(layout, os.geteuid()) as path:
        assert path.parent == Path("/tmp")  # noqa: S108 - the last resort


def test_no_place_for_sockets_is_one_sentence(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories_module, "SOCKET_PATH_BYTES", 10)
    nowhere = socket_directory(layout, os.geteuid())
    with pytest.raises(EmbeddedError, match=r"No folder for the socket of Redis: make .*TMPDIR.* writable"):
        nowhere.__enter__()
