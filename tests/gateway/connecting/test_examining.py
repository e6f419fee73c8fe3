"""What a stage that has failed advises can be done with what a test tells."""

import pytest

from connectors.errors import RateLimited, RefreshFailed, TimedOut, Trouble, Unavailable
from gateway.connecting.examining import Examination
from schema.checks import ConnectionCheckName


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (RateLimited("Too many.", retry_after=3.2), "Too many. Wait 4 seconds, then try again."),
        (RefreshFailed("No token.", retry_after=30), "it is asked again after 30 seconds."),
        (TimedOut("No answer."), "a test waits 15 seconds for it."),
        (TimedOut("No answer.", remedy="Check the way."), "No answer. Check the way."),
        (Unavailable("Nothing answers."), "Nothing answers. Check that the system runs"),
    ],
)
def test_what_a_failed_stage_advises(trouble: Trouble, words: str) -> None:
    found = Examination()
    found.failed(ConnectionCheckName.HTTP, trouble)
    assert words in str(found.checks[0].message)
    assert "`" not in str(found.checks[0].message)
