"""The word for moments of which a system keeps the day alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from connectors.fields import At, compare_value, decoded
from connectors.protocols.base import Getter, WireProtocol
from connectors.query import ALWAYS, NEVER, Where, all_of, any_of
from schema.filters import Operator
from schema.model import FieldModel, Kind

_DAY = timedelta(days=1)
_SECOND_DAY = date.min + _DAY
_LAST_SECOND = timedelta(hours=23, minutes=59, seconds=59)


@dataclass(frozen=True, eq=False)
class AtDay(At):
    """The moment that a day at a path stands for, in UTC: its first second, or its last one for a deadline."""

    is_deadline: bool = False

    @property
    def _offset(self) -> timedelta:
        return _LAST_SECOND if self.is_deadline else timedelta(0)

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Read the day, and say which of its moments is meant."""
        decode: Callable[[Any], date | None] = wire.decoders[date]
        offset = self._offset

        def read(value: Any) -> datetime | None:
            day = decode(value)
            return None if day is None else datetime.combine(day, time(0), UTC) + offset

        return decoded(wire.getter(self.path), read)

    def compare(self, operator: Operator, value: Any, kind: type[Any]) -> Where:
        """Compare days: those whose moment compares so with the value."""
        match operator:
            case Operator.IN:
                return any_of(*(self.compare(Operator.EQ, item, kind) for item in value))
            case Operator.NOT_IN:
                return all_of(*(self.compare(Operator.NE, item, kind) for item in value))
            case Operator.EQ | Operator.NE:
                day = self._day_of(value)
                if day is None:
                    return NEVER if operator is Operator.EQ else ALWAYS
                return compare_value(self.path, operator, day, date)
            case Operator.GT | Operator.LTE:
                return compare_value(self.path, operator, self._last_day_until(value), date)
            case _:
                return compare_value(self.path, *self._not_before(operator, value), date)

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """A day tells nothing but a moment here; what holds days is told by At."""
        if model.kind is not Kind.SCALAR or model.plain_type is not datetime:
            yield f"{where} is no moment, which is all that AtDay tells"

    def _day_of(self, moment: datetime) -> date | None:
        """The day that stands for exactly this moment."""
        day = moment.astimezone(UTC).date()
        return day if datetime.combine(day, time(0), UTC) + self._offset == moment else None

    def _last_day_until(self, moment: datetime) -> date:
        """The last day whose own moment is not later than this one."""
        day = moment.astimezone(UTC).date()
        is_over = datetime.combine(day, time(0), UTC) + self._offset <= moment
        return day if is_over else max(day, _SECOND_DAY) - _DAY

    def _not_before(self, operator: Operator, moment: datetime) -> tuple[Operator, date]:
        """A day from a moment on, or before it: beyond the last day whose own moment is earlier."""
        last = self._last_day_until(moment)
        if self._day_of(moment) is not None:
            return operator, last
        return (Operator.GT if operator is Operator.GTE else Operator.LTE), last
