"""Which version of the product runs."""

from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    try:
        return version("switchgear")
    except PackageNotFoundError:
        return "development"


VERSION = _version()
