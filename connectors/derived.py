"""The words for fields that follow from other words, and for those that depend on the moment of reading."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.fields import FieldSpec, Pushed, Word
from connectors.protocols.base import Getter, WireProtocol
from connectors.query import Where
from schema.filters import Operator
from schema.model import FieldModel, fields_of


@dataclass(frozen=True, eq=False)
class FromWords(Word):
    """A value that a function makes of what other words read; it gets their values under their names.

    `of` is the entity whose fields the words are named after; a word of another name reads what this field itself is.
    `narrowed` is what a condition on the value can ask of the source, to cut the volume; the value is decided here.
    """

    function: Callable[..., Any]
    words: Mapping[str, FieldSpec]
    of: type[Any] | None = None
    narrowed: Callable[[Operator, Any], Where | None] | None = None

    def paths(self) -> Iterator[str]:
        """The paths of all words."""
        for word in self.words.values():
            yield from word.paths()

    def part(self, name: str) -> FieldSpec | None:
        """Any part may come out of it, but only here."""
        return Word()

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Read all words and call the function."""
        function, models = self.function, fields_of(self.of) if self.of is not None else {}
        readers = [(name, word.reader(models.get(name, model), wire)) for name, word in self.words.items()]
        return lambda row: function(**{name: get(row) for name, get in readers})

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Ask for the rows that may meet the condition, if the source can tell any of them."""
        where = self.narrowed(operator, value) if self.narrowed is not None else None
        return None if where is None else Pushed(where, is_exact=False)


@dataclass(frozen=True, eq=False)
class AsOf(Word):
    """A value that depends on the moment of reading: `word_at` makes the word that holds at a moment."""

    word_at: Callable[[datetime], FieldSpec]

    def at(self, moment: datetime) -> FieldSpec:
        """The word that holds at this moment, which is one for all rows of a request."""
        return self.word_at(moment)

    def paths(self) -> Iterator[str]:
        """The paths, which are the same at any moment."""
        yield from self.at(_ANY_MOMENT).paths()

    def part(self, name: str) -> FieldSpec | None:
        """The part of what holds at any moment."""
        return self.at(_ANY_MOMENT).part(name)

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """What does not depend on the moment may be asked of the source."""
        return self.at(_ANY_MOMENT).push(operator, value, model)

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Read as of now, where nobody has named another moment."""
        return self.at(datetime.now(UTC)).reader(model, wire)


_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
