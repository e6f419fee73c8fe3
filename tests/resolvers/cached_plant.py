"""The small plant with a cache before it, and a clock that tests turn."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.ports import CacheOutcome
from gateway.stores.memory import MemoryCache
from resolvers.cache import ReadCache
from resolvers.ports import CacheScope, CacheStore
from schema.freshness import UNSAID, Freshness
from tests.resolvers.graph import MOMENT
from tests.resolvers.plant import Plant, demo_plant


@dataclass
class TurnedClock:
    """A wall clock and a monotonic one that stand still unless they are turned."""

    monotonic: float = 1_000.0
    wall: float = MOMENT.timestamp()

    def turn(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds


@dataclass
class CachedPlant:
    """A plant whose answers are kept; `outcomes` counts what the cache did."""

    plant: Plant
    clock: TurnedClock
    outcomes: Counter[CacheOutcome]
    cache: ReadCache
    chances: list[float] = field(default_factory=list)

    async def run(self, query: str, **variables: Any) -> Any:
        return await self.plant.run(query, **variables)

    def calls(self, name: str = "sap-eu", entity: str | None = None) -> int:
        """How many requests one sandbox has had since they were last forgotten."""
        return sum(entity is None or item["entity"] == entity for item in self.plant.asked(name))


def cached_plant(
    *,
    freshness: Freshness = UNSAID,
    store: CacheStore | None = None,
    clock: TurnedClock | None = None,
    tenant: str = "cus_test",
    **settings: Any,
) -> CachedPlant:
    """A plant with a cache; nothing is read early unless `chances` are given."""
    clock, outcomes, chances = clock or TurnedClock(), Counter[CacheOutcome](), list[float]()
    cache = ReadCache(
        store or MemoryCache(10_000_000, monotonic=lambda: clock.monotonic),
        observe=lambda outcome: outcomes.update([outcome]),
        wall=lambda: clock.wall,
        monotonic=lambda: clock.monotonic,
        chance=lambda: chances.pop() if chances else 0.0,
        **settings,
    )
    plant = demo_plant(cache=cache)
    plant.lives = [
        replace(live, scope=CacheScope(tenant, str(live.connection.id), "one"), freshness=freshness)
        for live in plant.lives
    ]
    return CachedPlant(plant, clock, outcomes, cache, chances)
