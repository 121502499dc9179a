import pytest

from config.settings import Settings, is_example, load_settings, password_of
from core.platform.errors import Misconfigured


@pytest.mark.parametrize(
    ("url", "password"),
    [
        (None, None), ("", None), ("nonsense", None), ("postgresql://u:pw@h/db", "pw"), ("postgresql://u@h/db", None),
        ("postgresql://u:p:w@h/db", "p:w"), ("redis://:pw@h:6379/0", "pw"), ("unix:///tmp/x.sock", None),
        ("postgresql:///db?host=/a@b:c", None),
    ],
)  # fmt: skip
def test_the_password_inside_a_url(url: str | None, password: str | None) -> None:
    assert password_of(url) == password


@pytest.mark.parametrize("secret", ["changeme", "CHANGE_ME", "password", "<your token>", "your-token-here", "parley"])
def test_example_secrets_are_known(secret: str) -> None:
    assert is_example(secret)


@pytest.mark.parametrize(
    "secret",
    ["dF_SqBalH_eLMimiRn8f5EwuaZB5VUCtTxEFAAoP-4k=", "123456:AAH-real-looking_token", "correct horse battery staple"],
)
def test_real_secrets_are_not_taken_for_examples(secret: str) -> None:
    assert not is_example(secret)


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATABASE_URL", "postgresql://u:changeme@h/d"), ("REDIS_URL", "redis://:secret@h"),
     ("PARLEY_SECRET_KEYS", "dF_SqBalH_eLMimiRn8f5EwuaZB5VUCtTxEFAAoP-4k=,changeme"),
     ("WEBHOOK_SECRET", "example")],
)  # fmt: skip
def test_no_process_starts_with_an_example(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=name):
        load_settings()


def test_keys_are_a_list_and_empty_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_SECRET_KEYS", " a , b ,")
    monkeypatch.setenv("DATABASE_URL", "")
    settings = Settings()
    assert settings.parley_secret_keys == ("a", "b")
    assert settings.database_url is None


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().bot_token = "x"  # type: ignore[misc]


def test_home_may_begin_with_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("PARLEY_HOME", "~/parley data")
    assert str(Settings().home) == "/somewhere/parley data"
