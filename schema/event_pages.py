"""Which events are asked for, and the pages that they come in."""

from typing import Annotated, Any

import strawberry

from schema.events import Event, EventType
from schema.filters import DateTimeFilter, Filterable, FilterShape, IDFilter, enum_filter, filter_input
from schema.pages import page_type

EVENT_FILTER = FilterShape(
    name="EventFilter",
    module=__name__,
    about="Which events; all given conditions must hold.",
    entries=(
        Filterable("type", "type", enum_filter(EventType), "What happened."),
        Filterable("connectionId", "connectionId", IDFilter, "The connection."),
        Filterable("customerId", "customerId", IDFilter, "The customer."),
        Filterable("occurredAt", "occurredAt", DateTimeFilter, "When."),
    ),
    can_combine=False,
)
EventFilter: Any = filter_input(EVENT_FILTER)
EventConnection = page_type(Event, "events")
EventsFilter = Annotated[EventFilter | None, strawberry.argument(description="Which events; without it, all.")]
