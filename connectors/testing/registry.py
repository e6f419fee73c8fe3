"""The checks of the contract by name; each is a plain function over a bench that fails by an assertion."""

from collections.abc import Awaitable, Callable

from connectors.testing.bench import Bench

Check = Callable[[Bench], Awaitable[None]]

CHECKS: dict[str, Check] = {}
"""Every check, in the order of the modules that hold them."""


def check(function: Check) -> Check:
    """Enter a check under its name."""
    name = function.__name__
    if name in CHECKS:
        raise ValueError(f"there are two checks named {name}")
    CHECKS[name] = function
    return function
