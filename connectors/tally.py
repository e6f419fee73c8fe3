"""Keeps account of a piece of work: the requests that it has made, and the kept answers that it has used."""

from dataclasses import dataclass

from connectors.errors import Trouble
from connectors.protection.limits import Priority
from connectors.query import Page
from schema.records import Served, weaker


@dataclass
class Tally:
    """How many requests a piece of work has made, logins and repetitions included, and what it has used beside them.

    `records` is how many records the requests brought, `entity` the kind of record that they are for, and `priority`
    how urgent they are. `served` speaks of kept answers that were used. Where older ones stand in for the system,
    `trouble` is what it did instead of answering, and `lacks_some` that they do not stand in for everything.
    """

    requests: int = 0
    records: int = 0
    entity: str = ""
    priority: Priority = Priority.INTERACTIVE
    served: Served | None = None
    trouble: Trouble | None = None
    lacks_some: bool = False

    def count(self, page: Page) -> None:
        """Count the records of an answer; a kept one has brought none."""
        if page.served is None:
            self.records += len(page.rows)

    def note(self, served: Served | None) -> None:
        """Remember that an answer came from somewhere else than the system."""
        self.served = weaker(self.served, served)

    def begin_again(self) -> None:
        """Forget what was used, because the work is done again; its requests have been made nevertheless."""
        self.served, self.trouble, self.lacks_some = None, None, False
