"""Checks a manifest against its running system: first rows, the size of pages, records by key, and declared filters."""

from collections.abc import Sequence
from typing import Any

from connectors.client import Source
from connectors.errors import BadAnswer, Trouble
from connectors.manifests.checking import Report, facts_of, strangers, unknown_words, unreadable, unseen
from connectors.manifests.mistakes import Mistake, find_line
from connectors.manifests.reading import SYSTEM_FILE, Described
from connectors.plan import Phase, ReadPlan, plan_read
from connectors.protocols.walking import Walk
from connectors.reading import RecordReader
from connectors.scan import Scan, SortTooLarge, read_by_keys
from connectors.spec import Resource
from connectors.tally import Tally
from connectors.testing.golden import as_json
from connectors.testing.values import filterable
from connectors.testing.walks import value_of, whole
from schema.filters import EVERYTHING, Condition, Operator

_MOST_ROWS = 5_000
_SHOWN = 5


async def check_live(report: Report, described: Described, source: Source, deadline: float) -> None:
    """Add to a report what the running system says; `report.rows` are then its first rows."""
    for resource in described.system.resources:
        visit = _Visit(report, described, source, resource, deadline)
        try:
            await visit.run()
        except Trouble as trouble:
            visit.blame(f"{type(trouble).__name__}: {trouble.message}")


class _Visit:
    """The visit to one resource of the running system."""

    def __init__(
        self, report: Report, described: Described, source: Source, resource: Resource, deadline: float
    ) -> None:
        self._report = report
        self._described = described
        self._source = source
        self._resource = resource
        self._deadline = deadline
        self._name = resource.model.name
        self._reader = RecordReader(resource, described.system.protocol, source.connection_id, whole(resource.model))

    def blame(self, message: str, *keys: str) -> None:
        """Note a mistake at a place of the resource."""
        line = find_line(self._described.text, ("resources", self._name, *keys))
        self._report.mistakes.append(
            Mistake(SYSTEM_FILE, line, message if message.startswith(self._name) else f"{self._name}: {message}")
        )

    async def run(self) -> None:
        """Every question that the product will ask, once."""
        plan = plan_read(self._resource, EVERYTHING)
        raw = await self._rows(plan, 0)
        records = self._reader.read(raw)
        self._show(raw, records)
        await self._check_size(plan, records)
        if records:
            await self._check_keys(records)
            for subject in filterable(self._resource):
                if Operator.EQ in subject.operators and subject.path != "remoteId":
                    await self._check_filter(subject.path, records)

    async def _rows(self, plan: ReadPlan, skipped: int) -> list[dict[str, Any]]:
        size, paths = self._resource.page_size, self._reader.paths
        is_by_key = plan.walk is Walk.KEYS
        read = plan.read(Phase.NULLS, None, paths, size) if is_by_key else plan.read_on(skipped, paths, size)
        return (await self._source.fetch(read, Tally(), self._deadline)).rows

    def _show(self, raw: Sequence[dict[str, Any]], records: Sequence[Any]) -> None:
        shown = [as_json(record, self._resource.model, self._reader) for record in records]
        self._report.rows[self._name] = shown[:_SHOWN]
        for record in shown:
            for name, message in unreadable(self._resource, record):
                self.blame(message, "fields", name)
            self._report.notes += unknown_words(self._name, record)
        known = facts_of(self._described, self._resource)
        if known is None:
            self._report.notes += unseen(self._resource, raw)
        else:
            self._report.notes += [f"{self._name}: {path!r} is not in the facts." for path in strangers(raw, known)]

    async def _check_size(self, plan: ReadPlan, records: Sequence[Any]) -> None:
        """A source that cuts its answers short of what is asked would seem to end where it does not."""
        if plan.walk is not Walk.ROWS or not 0 < len(records) < self._resource.page_size:
            return
        known = {record.origin.key for record in records}
        for skipped in (len(records), self._resource.page_size):
            further = {record.origin.key for record in self._reader.read(await self._rows(plan, skipped))}
            if further - known:
                message = f"the source gives {len(records)} rows at once: `page_size` must not be greater"
                self.blame(message, "page_size")
                return

    async def _check_keys(self, records: Sequence[Any]) -> None:
        wanted = records[-1].origin.key
        try:
            found = await read_by_keys(self._source, self._reader, [wanted], Tally(), self._deadline)
        except (BadAnswer, SortTooLarge):
            self.blame(f"asked for the record with the key {wanted!r}, the source gives others", "read")
            return
        if [record.origin.key for record in found] != [wanted]:
            self.blame(f"asked for the record with the key {wanted!r}, the source does not find it", "read")

    async def _check_filter(self, path: str, records: Sequence[Any]) -> None:
        """A source that does not know a parameter often leaves it out of account, and answers with every row."""
        read = value_of(self._resource)(path)
        value = next((found for record in records if (found := read(record)) is not None), None)
        plan = plan_read(self._resource, Condition(path, Operator.EQ, value))
        if value is None or plan.left != EVERYTHING or plan.finds_nothing:
            return
        scan = Scan(self._source, plan, self._reader, Tally(), self._deadline, _MOST_ROWS)
        try:
            found = (await scan.run(None, _MOST_ROWS)).records
        except SortTooLarge:
            return
        wrong = [record.origin.key for record in found if read(record) != value]
        if wrong or not found:
            shown = f"others, such as {wrong[0]!r}" if wrong else "no row"
            self.blame(f"filtered by {path} the source gives {shown}", "fields", path.partition(".")[0])
