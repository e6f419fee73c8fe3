"""The list root of every entity, made once: arguments, cursor, fan-out and the page that comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError

from connectors.registry import system_keys
from resolvers.asking import Asked
from resolvers.building import build_page
from resolvers.cursors import Place, check_places, fingerprint, read_cursor, value_types, write_cursor
from resolvers.fanout import Question, fan_out, prepare_all, source_keys
from resolvers.planning import Select, plan_of, planned_by
from resolvers.ports import Context, LiveSource
from resolvers.steps import plan_links
from schema.absent import given
from schema.errors import ErrorCode, failure
from schema.filters import filter_of, parse, shape_of
from schema.freshness import FreshnessInput
from schema.freshness import parse as parse_freshness
from schema.model import Entity
from schema.pages import After, First, checked_first
from schema.scalars import print_datetime
from schema.selection import Selection, rows_of
from schema.sorting import parse as parse_order
from schema.sorting import sort_of
from schema.sources import SourceOutcome, page_of

_MAX_TIMEOUT_MS = 120_000


def _argument(annotation: Any, description: str) -> Any:
    return Annotated[annotation, strawberry.argument(description=description)]


ConnectionIds = _argument(list[strawberry.ID] | None, "Ask only these connections.")
SystemKeys = _argument(list[str] | None, "Ask only connections to these systems, named by key.")
ListFreshness = _argument(FreshnessInput | None, "How old an answer may be; by default the connection's own setting.")
Timeout = _argument(int | None, "How long to wait for each source; by default 10,000.")
RequireComplete = _argument(bool | None, "Fail the field unless every source answers in full.")


@dataclass(frozen=True, eq=False)
class ListPlan:
    """How a list will be read: the question, and how it is put to every resource; `query` is what cursors fit."""

    lives: Sequence[LiveSource]
    question: Question
    asked: Sequence[Asked]
    selection: Selection
    query: str
    after: str | None
    requires_complete: bool


def plan_list(entity: Entity, context: Context, arguments: Mapping[str, Any], select: Select) -> ListPlan:
    """Plan the list of an entity; raises what is wrong with the arguments."""
    context.directory.require("READ")
    wanted = {name: given(value) for name, value in arguments.items()}
    connection_ids, systems, after = wanted.get("connection_ids"), wanted.get("systems"), wanted.get("after")
    timeout_ms = checked_timeout(wanted.get("timeout_ms"))
    lives = choose_sources(context, connection_ids, systems)
    order = parse_order(entity, wanted.get("order_by"))
    tree = parse(shape_of(entity), wanted.get("filter"))
    query = fingerprint(context.directory.tenant, entity.list_root, tree, order, connection_ids, systems)
    places = {key: Place() for key in source_keys(lives, entity)}
    if after is not None:
        kept = read_cursor(context.cursor_key, query, after, value_types(entity, order))
        places = {key: kept[key] for key in places if key in kept}
        lives = [live for live in lives if any(key in kept for key in source_keys([live], entity))]
    selection = select(None)
    rows = rows_of(selection)
    question = Question(
        entity,
        tree,
        order,
        checked_first(wanted["first"]),
        rows,
        plan_links(entity.fields, rows),
        timeout_ms,
        places,
        counts_all="totalCount" in selection,
        freshness=parse_freshness(wanted.get("freshness")),
    )
    asked = prepare_all(lives, question, context)
    check_places(places, {item.key: item.plan for item in asked})
    return ListPlan(lives, question, asked, selection, query, after, bool(wanted.get("require_complete")))


def list_root(entity: Entity) -> Any:
    """Make the root field that lists an entity, such as purchaseOrders."""
    page = page_of(entity.cls)

    async def resolve(
        info: strawberry.Info[Context, None],
        first: Any = 50,
        after: Any = strawberry.UNSET,
        filter: Any = strawberry.UNSET,
        order_by: Any = strawberry.UNSET,
        connection_ids: Any = strawberry.UNSET,
        systems: Any = strawberry.UNSET,
        freshness: Any = strawberry.UNSET,
        timeout_ms: Any = strawberry.UNSET,
        require_complete: Any = False,
    ) -> Any:
        context, plan = info.context, plan_of(info)
        answer = await fan_out(plan.lives, plan.question, plan.asked, context)
        if plan.requires_complete and not answer.is_complete:
            raise _incomplete(answer.outcomes)
        return build_page(
            page,
            answer.picked,
            answer.batches,
            plan.question.places,
            plan.selection,
            lambda now: write_cursor(context.cursor_key, plan.query, now),
            outcomes=answer.outcomes,
            is_complete=answer.is_complete,
            after=plan.after,
            total=answer.total,
        )

    resolve.__annotations__ |= {
        "first": First,
        "after": After,
        "filter": _argument(
            filter_of(entity.cls) | None, "Which rows; without it, all that the token may see and that are not deleted."
        ),
        "order_by": _argument(
            list[sort_of(entity.cls)] | None,  # type: ignore[misc, arg-type]
            "The order of the rows, rows without a value last; without it the systems take turns.",
        ),
        "connection_ids": ConnectionIds,
        "systems": SystemKeys,
        "freshness": ListFreshness,
        "timeout_ms": Timeout,
        "require_complete": RequireComplete,
        "return": page | None,
    }
    about = f"{entity.plural.capitalize()} of all systems that the token can see, merged into one list."
    return strawberry.field(resolver=resolve, description=about, metadata=planned_by(partial(plan_list, entity)))


def _id_of(name: str, lives: Sequence[LiveSource]) -> str:
    """A hint for whoever gives a connection's name instead of its id."""
    ids = [live.connection.id for live in lives if live.connection.name == name]
    return f" That is a name: take the id, {' or '.join(ids)}." if ids else ""


def choose_sources(
    context: Context, connection_ids: Sequence[str] | None, systems: Sequence[str] | None
) -> list[LiveSource]:
    """The connections to ask; a choice that names what is not there is an error, not an empty answer."""
    lives = list(context.directory.sources())
    if connection_ids is not None:
        known = {live.connection.id for live in lives}
        missing = next((item for item in connection_ids if item not in known), None)
        if missing is not None:
            raise failure(
                ErrorCode.CONNECTION_NOT_FOUND,
                f"There is no connection {missing!r} in use that this token can see.{_id_of(missing, lives)}",
                field="connectionIds",
            )
        lives = [live for live in lives if live.connection.id in connection_ids]
    if systems is not None:
        known_systems = set(system_keys())
        wrong = next((item for item in systems if item not in known_systems), None)
        if wrong is not None:
            raise failure(
                ErrorCode.VALIDATION_FAILED,
                f"There is no system {wrong!r}; `systems` lists: {', '.join(sorted(known_systems))}.",
                field="systems",
            )
        lives = [live for live in lives if live.source.system.key in systems]
    if len(lives) > context.limits.max_sources:
        raise failure(
            ErrorCode.QUERY_TOO_COMPLEX,
            f"This would ask {len(lives)} connections; at most {context.limits.max_sources} can be asked at once. "
            "Choose some with `connectionIds` or `systems`.",
        )
    return lives


def checked_timeout(timeout_ms: int | None) -> int | None:
    """The time that was asked for, or a clear error."""
    if timeout_ms is not None and not 1 <= timeout_ms <= _MAX_TIMEOUT_MS:
        raise failure(
            ErrorCode.VALIDATION_FAILED,
            f"`timeoutMs` must lie between 1 and {_MAX_TIMEOUT_MS}, not {timeout_ms}.",
            field="timeoutMs",
        )
    return timeout_ms


def _incomplete(outcomes: Sequence[SourceOutcome]) -> GraphQLError:
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    names = ", ".join(outcome.connection.name for outcome in failed)
    first_code = failed[0].error.code if failed and failed[0].error else ErrorCode.INTERNAL
    error = failure(first_code, f"Not every source answered in full: {names}.")
    details = [
        {
            "connectionId": outcome.connection.id,
            "status": outcome.status.name,
            "code": outcome.error.code.name if outcome.error else None,
            "message": outcome.error.message if outcome.error else None,
            "fetchedAt": print_datetime(outcome.fetched_at) if outcome.fetched_at else None,
        }
        for outcome in outcomes
    ]
    return GraphQLError(error.message, extensions={**(error.extensions or {}), "sources": details})
