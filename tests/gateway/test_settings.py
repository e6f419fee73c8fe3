import os
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.protection.limits import DEFAULTS
from gateway import settings
from gateway.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith(settings.PREFIX):
            monkeypatch.delenv(name)


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        settings.load()
    return str(caught.value)


def test_everything_has_a_default_and_a_sentence() -> None:
    settings.load()
    for name, field in Settings.model_fields.items():
        assert not field.is_required(), name
        assert field.description, name
        assert field.description.endswith("."), name
        assert "\n" not in field.description, name


def test_the_defaults_are_cautious() -> None:
    loaded = settings.load()
    assert (loaded.host, loaded.profile, loaded.admin_token) == ("127.0.0.1", "cloud", None)
    assert loaded.keys_path == Path(".switchgear/keys.json")
    assert loaded.store_url == f"sqlite:///{Path.cwd()}/.switchgear/switchgear.db"


def test_variables_set_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_PORT", "9000")
    monkeypatch.setenv("SWITCHGEAR_PROFILE", "plant")
    monkeypatch.setenv("SWITCHGEAR_ALLOWED_NETWORKS", "10.20.0.0/16, 127.0.0.1/32,fd00::/8,")
    monkeypatch.setenv("SWITCHGEAR_KEYS_FILE", "/run/keys.json")
    monkeypatch.setenv("SWITCHGEAR_DATABASE_URL", "sqlite:////data/x.db")
    loaded = settings.load()
    assert loaded.port == 9000
    assert loaded.allowed_networks == tuple(map(ip_network, ("10.20.0.0/16", "127.0.0.1/32", "fd00::/8")))
    assert loaded.keys_path == Path("/run/keys.json")
    assert loaded.store_url == "sqlite:////data/x.db"


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("SWITCHGEAR_PORT=1\nSWITCHGEAR_HOST=::1\nOTHER_PROGRAM=yes\n")
    monkeypatch.setenv("SWITCHGEAR_PORT", "2")
    loaded = settings.load()
    assert (loaded.port, loaded.host) == (2, "::1")


def test_an_empty_variable_is_as_if_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_ADMIN_TOKEN", "")
    assert settings.load().admin_token is None


def test_unknown_variables_are_named_with_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_PROT", "9000")
    monkeypatch.setenv("SWITCHGEAR_XYZZY", "1")
    Path(".env").write_text("SWITCHGEAR_MAX_SOURCE=3\n")
    assert refusal().splitlines() == [
        "These settings cannot be used:",
        "  SWITCHGEAR_MAX_SOURCE: no such setting; did you mean SWITCHGEAR_MAX_SOURCES?",
        "  SWITCHGEAR_PROT: no such setting; did you mean SWITCHGEAR_PORT?",
        "  SWITCHGEAR_XYZZY: no such setting",
    ]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "http", "valid integer"),
        ("PORT", "70000", "65535"),
        ("PROFILE", "moon", "'cloud', 'plant' or 'dev'"),
        ("LOG_LEVEL", "loud", "'DEBUG'"),
        ("ALLOWED_NETWORKS", "10.0.0.1/8", "host bits"),
        ("ALLOWED_NETWORKS", "plant network", "not a list of networks"),
        ("MANIFESTS", "nowhere", "there is no system.toml in nowhere, nor in a folder just below it"),
        ("CORS_ORIGINS", "*", "not a list of origins"),
        ("CORS_ORIGINS", "https://plant.example.com/", "no path"),
        ("CORS_ORIGINS", "https://Plant.example.com", "small letters"),
        ("ADMIN_TOKEN", "short", "at least 16"),
        ("MAX_SOURCES", "0", "greater than"),
        ("CACHE_URL", "memcached://host", "memory://, redis://"),
        ("BREAKER_FAILING_SHARE", "2", "less than or equal to 1"),
        ("INTROSPECTION", "perhaps", "boolean"),
    ],
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    monkeypatch.setenv(f"SWITCHGEAR_{name}", value)
    message = refusal()
    assert f"  SWITCHGEAR_{name}: " in message
    assert words in message


def test_all_faults_are_listed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_PORT", "http")
    monkeypatch.setenv("SWITCHGEAR_PROFILE", "moon")
    monkeypatch.setenv("SWITCHGEAR_PROT", "1")
    assert len(refusal().splitlines()) == 4


def test_settings_must_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_ALLOWED_NETWORKS", "10.0.0.0/8")
    assert "SWITCHGEAR_ALLOWED_NETWORKS needs SWITCHGEAR_PROFILE=plant" in refusal()
    monkeypatch.setenv("SWITCHGEAR_PROFILE", "plant")
    settings.load()


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_ADMIN_TOKEN", "hunter2-hunter2-hunter2")
    monkeypatch.setenv("SWITCHGEAR_DATABASE_URL", "postgresql://u:hunter2@host/db")
    monkeypatch.setenv("SWITCHGEAR_CACHE_URL", "redis://:hunter2@host/0")
    assert "hunter2" not in repr(settings.load())
    monkeypatch.setenv("SWITCHGEAR_ADMIN_TOKEN", "hunter2")
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    with pytest.raises(ValidationError) as invalid:
        Settings()
    assert "hunter2" not in str(invalid.value)


def test_the_defaults_of_protection_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.load().thresholds == DEFAULTS
    monkeypatch.setenv("SWITCHGEAR_BREAKER_FAILURES", "7")
    monkeypatch.setenv("SWITCHGEAR_MAX_CALLS_AT_ONCE", "3")
    assert settings.load().thresholds == replace(DEFAULTS, failures_in_a_row=7, calls_at_once=3)
