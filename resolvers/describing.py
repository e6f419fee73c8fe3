"""Tells clients what a kind of system is, from its spec."""

from functools import cache

import strawberry

from connectors import spec
from schema.systems import AuthMethod, Guide, System


@cache
def describe_system(system: spec.System) -> System:
    """A system as clients see it."""
    return System(
        id=strawberry.ID(f"sys_{system.key}"),
        key=system.key,
        title=system.title,
        vendor=system.vendor,
        category=system.category,
        tier=system.tier,
        deployments=list(system.deployments),
        auth_methods=[
            AuthMethod(key=method.key, title=method.title, description=method.description, fields=list(method.fields))
            for method in system.auth_methods
        ],
        guide=Guide(steps=list(system.guide)),
    )
