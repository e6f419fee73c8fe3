"""The settings of the process: every knob, what it means and its default.

They come from environment variables that start with `SWITCHGEAR_`, and from a file `.env` in the working
directory for what the environment does not say.
"""

import difflib
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    SettingsConfigDict,
)

from gateway.call_settings import CallSettings

PREFIX = "SWITCHGEAR_"
_NOT_SETTINGS = {"skip_console", "test_cache", "real_odoo", "real_phoenix"}
"""Names with our prefix that speak to the build and to the tests."""

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?")

Network = IPv4Network | IPv6Network
Profile = Literal["cloud", "plant", "dev"]
MetricsAccess = Literal["token", "open", "off"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class SettingsError(Exception):
    """The settings cannot be used; the message names every variable at fault, one to a line."""


class Settings(CallSettings):
    """Every setting of the process; the field `port` is the variable `SWITCHGEAR_PORT`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",  # the file may serve other programs too; our own unknown names are found by load()
        frozen=True,
        hide_input_in_errors=True,
    )

    data_directory: Path = Field(
        default=Path(".switchgear"),
        description="The folder for everything that is kept on disk.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="The database, such as `postgresql://user:password@host/name`; without it, the SQLite file "
        "`switchgear.db` in the data directory.",
    )
    keys_file: Path | None = Field(
        default=None,
        description="The file with the encryption keys; without it, `keys.json` in the data directory.",
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(
        default=8000,
        ge=0,
        le=65_535,
        description="The port to listen on; 0 takes any free one.",
    )
    admin_token: SecretStr | None = Field(
        default=None,
        description="The operator's token, at least 16 characters; without it, only stored keys count.",
    )
    profile: Profile = Field(
        default="cloud",
        description="Where systems may be: `cloud` reaches public addresses over HTTPS, `plant` also private "
        "addresses inside the allowed networks, `dev` everything.",
    )
    allowed_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(),
        description="The networks that profile `plant` may reach, such as `10.20.0.0/16,192.168.7.5/32`.",
    )
    manifests: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="Folders with manifests, separated by commas: each holds a `system.toml`, or folders that do.",
    )
    log_level: LogLevel = Field(default="INFO", description="The least important messages to log.")
    metrics: MetricsAccess = Field(
        default="token",
        description=(
            "Who may read `/metrics`: `token` needs the metrics token or an admin key, `open` lets everyone who "
            "reaches the port, `off` nobody."
        ),
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        description="What a scraper sends as a bearer token, at least 16 characters; it opens nothing but `/metrics`.",
    )
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description=(
            "Where traces are sent, such as `http://127.0.0.1:4318`; without it, where `OTEL_EXPORTER_OTLP_ENDPOINT` "
            "says, or nowhere."
        ),
    )
    trace_ratio: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="The share of requests that are traced; one that belongs to a caller's trace follows the caller.",
    )
    trace_context_out: bool = Field(
        default=True,
        description="Whether connected systems are told the ids of the trace (`traceparent`, `tracestate`).",
    )
    credits: int | None = Field(
        default=None,
        ge=0,
        description="How many credits all connections may take together; without it, as many as they like.",
    )
    probe_seconds: float = Field(
        default=60.0,
        ge=1.0,
        le=3600.0,
        description="How often a connection is asked that is well; one that is not, at times of its own.",
    )
    snapshot_seconds: float = Field(
        default=60.0,
        ge=1.0,
        le=3600.0,
        description="How long requests are served from what is known of tokens and connections while the database is "
        "away; after that all are refused, because a revoked token would still open.",
    )
    event_retention_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="How many days the events of connections are kept; the ledger of credits and the audit log stay.",
    )
    introspection: bool = Field(default=True, description="Whether clients may ask for the schema.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins whose pages may ask the gateway, separated by commas, such as `https://plant.example.com`.",
    )
    max_waiting_updates: int = Field(
        default=256,
        ge=1,
        le=10_000,
        description="How many results of a subscription may wait for one client; with more its line is closed.",
    )
    max_body_bytes: int = Field(
        default=1_000_000,
        ge=1_000,
        description="The longest request body that is read, in bytes.",
    )
    max_query_tokens: int = Field(
        default=5_000,
        ge=1,
        description="The most tokens that a query document may have.",
    )
    max_query_depth: int = Field(
        default=15,
        ge=1,
        description="How deep a query may nest; introspection is exempt.",
    )
    max_query_aliases: int = Field(
        default=30,
        ge=0,
        description="The most aliases that a query may have.",
    )
    max_query_directives: int = Field(
        default=50,
        ge=0,
        description="The most directives that a query may have.",
    )
    max_root_fields: int = Field(
        default=20,
        ge=1,
        description="The most root fields that a query may have.",
    )
    max_cost: int = Field(
        default=10_000_000,
        ge=1,
        description="The most that a query may cost: 10 for each call to a system, 1 for each record it may bring.",
    )
    max_sources: int = Field(
        default=50,
        ge=1,
        description="The most connections that one list may reach.",
    )
    max_sources_at_once: int = Field(
        default=16,
        ge=1,
        description="How many connections one list asks at the same time.",
    )
    max_scan_rows: int = Field(
        default=5_000,
        ge=1,
        description="The most rows that are read from one source in order to filter or sort them here.",
    )
    max_response_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=1_000,
        description="The longest answer that is read from a source, in bytes after decompression.",
    )
    linger_seconds: float = Field(
        default=0.0,
        ge=0.0,
        le=10.0,
        description=(
            "How long new requests are still taken when the process is told to end and `/readyz` says no already: "
            "longer than a load balancer takes to look."
        ),
    )

    @property
    def store_url(self) -> str:
        """The database's URL, which may hold a password."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_directory.absolute() / 'switchgear.db'}"

    @property
    def keys_path(self) -> Path:
        """Where the key file is."""
        return self.keys_file or self.data_directory / "keys.json"

    @field_validator("allowed_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(_network(text.strip()) for text in value.split(",") if text.strip())

    @field_validator("manifests", mode="before")
    @classmethod
    def _split_folders(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(Path(text.strip()) for text in value.split(",") if text.strip())

    @field_validator("manifests")
    @classmethod
    def _holds_manifests(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for folder in value:
            if not (folder / "system.toml").exists() and not any(folder.glob("*/system.toml")):
                raise ValueError(f"there is no system.toml in {folder}, nor in a folder just below it")
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(_origin(text.strip()) for text in value.split(",") if text.strip())

    @field_validator("admin_token", "metrics_token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 16:
            raise ValueError("must have at least 16 characters")
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.allowed_networks and self.profile == "cloud":
            raise ValueError(
                f"{variable('allowed_networks')} needs {variable('profile')}=plant; "
                "profile cloud reaches public addresses only"
            )
        return self


def load() -> Settings:
    """Read the settings of this process; what is wrong with them is a SettingsError without any values."""
    faults = _unknown_variables()
    settings = None
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            message = fault["msg"].removeprefix("Value error, ")
            faults.append(f"{variable(str(fault['loc'][0]))}: {message}" if fault["loc"] else message)
    if settings is None or faults:
        raise SettingsError("\n".join(["These settings cannot be used:", *(f"  {fault}" for fault in faults)]))
    return settings


def variable(field: str) -> str:
    """Name the environment variable of a field."""
    return PREFIX + field.upper()


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"not a list of networks such as 10.20.0.0/16: {error}") from None


def _origin(text: str) -> str:
    """An origin exactly as browsers send it, since it is compared letter by letter."""
    if _ORIGIN.fullmatch(text) is None:
        raise ValueError("not a list of origins such as https://plant.example.com: no `*`, no path, small letters")
    return text


def _unknown_variables() -> list[str]:
    given = {**DotEnvSettingsSource(Settings).env_vars, **EnvSettingsSource(Settings).env_vars}
    faults = []
    for name in sorted(given):
        field = name.lower().removeprefix(PREFIX.lower())
        if field == name.lower() or field in Settings.model_fields or field in _NOT_SETTINGS:
            continue
        nearest = difflib.get_close_matches(field, Settings.model_fields, n=1)
        hint = f"; did you mean {variable(nearest[0])}?" if nearest else ""
        faults.append(f"{variable(field)}: no such setting{hint}")
    return faults
