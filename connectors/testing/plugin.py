"""What the contract suite adds to pytest: an option, and assertions that show both sides."""

import pytest

pytest.register_assert_rewrite("connectors.testing.checks", "connectors.testing.walks")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let somebody keep new rows on purpose."""
    parser.addoption(
        "--update-rows",
        action="store_true",
        help="keep the rows that the connectors read now as the ones that are known to be right",
    )
