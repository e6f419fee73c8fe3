"""The settings of what stands between a request and a connected system: cache, breaker, queue and repetitions."""

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from connectors.protection.limits import DEFAULTS, Thresholds
from gateway.stores.backends import scheme_of


class CallSettings(BaseSettings):
    """The part of the process's settings that decides which calls are made, and when."""

    cache_url: SecretStr = Field(
        default=SecretStr("memory://"),
        description=(
            "Where answers are kept: `memory://`, or a Redis that several processes share and tell each other by "
            "of changes, such as `redis://:password@host:6379/0` (`rediss://` with TLS, `unix://` for a socket)."
        ),
    )
    cache_max_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=0,
        description="How much memory `memory://` may take, in bytes; Redis has its own `maxmemory`.",
    )
    cache_max_entry_bytes: int = Field(
        default=1_000_000,
        ge=0,
        description="The longest answer that is kept, in bytes.",
    )
    cache_keep_seconds: int = Field(
        default=86_400,
        ge=1,
        le=7 * 86_400,
        description="How long an answer is kept at most, and so how old one may be that stands in for a system.",
    )
    breaker_failures: int = Field(
        default=DEFAULTS.failures_in_a_row,
        ge=1,
        description="After how many failures in a row a connection is not asked for a while.",
    )
    breaker_window_seconds: float = Field(
        default=DEFAULTS.window_seconds,
        gt=0,
        description="Over how many seconds the share of failures is counted.",
    )
    breaker_window_calls: int = Field(
        default=DEFAULTS.window_calls,
        ge=1,
        description="From how many calls within that time on the share of failures counts.",
    )
    breaker_failing_share: float = Field(
        default=DEFAULTS.failing_share,
        gt=0,
        le=1,
        description="Which share of failures, from 0 to 1, is too much.",
    )
    breaker_open_seconds: float = Field(
        default=DEFAULTS.first_open_seconds,
        gt=0,
        description="How long a failing connection is left alone at first; twice as long each time.",
    )
    breaker_longest_open_seconds: float = Field(
        default=DEFAULTS.longest_open_seconds,
        gt=0,
        description="How long it is left alone at most.",
    )
    source_timeout_ms: int = Field(
        default=10_000,
        ge=1,
        description="How long a source may take to answer by default, in milliseconds.",
    )
    max_calls_at_once: int = Field(
        default=DEFAULTS.calls_at_once,
        ge=1,
        description="How many calls to one account may be under way, where the system's maker names no number.",
    )
    max_calls_waiting: int = Field(
        default=DEFAULTS.calls_waiting,
        ge=1,
        description="How many calls to one account may wait for their turn; more are refused at once.",
    )
    retry_share: float = Field(
        default=DEFAULTS.retry_share,
        ge=0,
        le=1,
        description="How many of a connection's calls may be repeated, from 0 to 1; only reads ever are.",
    )
    max_retries: int = Field(default=DEFAULTS.retries, ge=0, description="How often one call may be repeated.")

    @property
    def thresholds(self) -> Thresholds:
        """When calls to a system are held back, and how often one is repeated."""
        return Thresholds(
            failures_in_a_row=self.breaker_failures,
            window_seconds=self.breaker_window_seconds,
            window_calls=self.breaker_window_calls,
            failing_share=self.breaker_failing_share,
            first_open_seconds=self.breaker_open_seconds,
            longest_open_seconds=self.breaker_longest_open_seconds,
            usual_seconds=self.source_timeout_ms / 1000,
            calls_at_once=self.max_calls_at_once,
            calls_waiting=self.max_calls_waiting,
            retry_share=self.retry_share,
            retries=self.max_retries,
        )

    @field_validator("cache_url")
    @classmethod
    def _known_cache(cls, value: SecretStr) -> SecretStr:
        scheme_of(value.get_secret_value())
        return value
