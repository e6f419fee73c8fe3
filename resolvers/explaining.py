"""The root `explain`: what a query would do, told from the plans that execution follows, without asking any system."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError

from connectors.expense import total
from connectors.gaps import lasting_gaps
from connectors.plan import plan_keys
from connectors.reading import RecordReader, RowReader
from resolvers.asking import has_no_such_records
from resolvers.costs import forecast_all, price, refusal
from resolvers.documents import WrongDocument, code_of, read_query, without_names
from resolvers.forecasts import Forecast
from resolvers.outcomes import explain as explain_trouble
from resolvers.pages import pointing_resources
from resolvers.planning import plan_operation
from resolvers.ports import Context, LiveSource
from resolvers.singles import NodePlan
from resolvers.steps import Links, ToMany
from schema.absent import given
from schema.errors import MEANINGS, ErrorCode, Problem, failure, problem
from schema.explanations import ExplainedOperation, ExplainedQuery, Explanation, PlannedRead, PlannedRequest
from schema.records import FieldGap, FieldGapReason
from schema.scalars import JSON

ExplainedVariables = Annotated[JSON | None, strawberry.argument(description="Its variables.")]


def explain_root() -> Any:
    """Make the root field that explains a query."""

    def resolve(
        info: strawberry.Info[Context, None],
        query: ExplainedQuery,
        operation_name: ExplainedOperation = strawberry.UNSET,
        variables: ExplainedVariables = strawberry.UNSET,
    ) -> Explanation:
        info.context.directory.require("READ")
        values = given(variables) or {}
        if not isinstance(values, dict):
            raise failure(ErrorCode.VALIDATION_FAILED, "`variables` must be an object.", field="variables")
        return explain_query(info.schema, query, given(operation_name), values, info.context)

    return strawberry.field(resolver=resolve, description="What a query would do, without asking any system.")


def explain_query(
    schema: strawberry.Schema,
    query: str,
    operation_name: str | None,
    variables: Mapping[str, Any],
    context: Context,
) -> Explanation:
    """Plan a query as execution would, and tell of the plans; what would be refused is told as problems."""
    limit = context.limits.max_cost
    try:
        document = read_query(schema._schema, query, operation_name, variables, context.document_rules)
    except WrongDocument as wrong:
        return Explanation(max_cost=limit, problems=[_problem(error, context) for error in wrong.mistakes])
    apart = replace(context, loaders={}, plans={}, tallies=[])
    plans = plan_operation(schema, document, operation_name, variables, apart)
    forecasts = forecast_all(plans, apart)
    mistakes = [error for plan in plans.values() for error in _mistakes(plan)]
    refused = refusal(forecasts, limit)
    if refused is not None:
        mistakes.append(refused)
    expense = total(item.expense for item in forecasts)
    return Explanation(
        cost=price(expense),
        max_cost=limit,
        upstream_calls=expense.calls,
        reads=[_planned_read(item, context) for item in forecasts],
        problems=[_problem(error, context) for error in mistakes],
    )


def _mistakes(plan: Any) -> Iterator[Exception]:
    """What is wrong with the arguments of a root field; each would be an error of the field."""
    for item in plan if isinstance(plan, list) else [plan]:
        error = item.error if isinstance(item, NodePlan) else item
        if isinstance(error, Exception):
            yield error


def _problem(error: Exception, context: Context) -> Problem:
    """An error as a problem; what is not meant for clients is a fault, and is raised as one."""
    if not isinstance(error, GraphQLError):
        raise error
    code = code_of(error)
    details = error.extensions or {}
    return problem(
        code,
        error.message if context.document_rules.shows_names else without_names(error.message),
        field=details.get("field"),
        remediation=details.get("remediation", MEANINGS[code].remediation),
        request_id=context.request_id,
    )


def _planned_read(item: Forecast, context: Context) -> PlannedRead:
    live, reader = item.live, item.reader
    if reader is None:
        return PlannedRead(
            path=item.path,
            connection=live.connection,
            entity=item.entity.type,
            problem=has_no_such_records(live, item.entity, context),
        )
    plan = item.plan or plan_keys(reader.resource, ())
    fault = live.source.fault
    return PlannedRead(
        path=item.path,
        connection=live.connection,
        entity=item.entity.type,
        upstream_fields=[] if item.counts else _upstream_fields(reader),
        filters_pushed=list(plan.filtered_there) if item.plan is not None else [],
        filters_here=list(plan.filtered_here) if item.plan is not None else [],
        is_order_pushed=not plan.sorts_here and not item.counts,
        is_limit_pushed=plan.is_exact and not plan.sorts_here and not item.counts,
        upstream_calls=item.expense.calls if fault is None else 0,
        make_request=partial(_planned_request, item) if fault is None else lambda: None,
        find_gaps=tuple if item.counts else partial(_gaps, live, reader, item.links),
        problem=explain_trouble(fault, live, context.request_id)[1] if fault is not None else None,
    )


def _upstream_fields(reader: RowReader) -> list[str]:
    """The fields of the rows, and those of the collections that lie beside them."""
    beside = {
        f"{reader.resource.beside[name].source}.{path}" for name, paths in reader.beside.items() for path in paths
    }
    return sorted(reader.paths | beside)


def _planned_request(item: Forecast) -> PlannedRequest | None:
    """The request as it would be sent, but for its headers, which is where logins are."""
    first = item.first() if item.first is not None else None
    if first is None:
        return None
    request = item.live.source.http_request(first)
    address = request.url.copy_with(userinfo=b"")
    return PlannedRequest(method=request.method, url=str(address), body=request.content.decode() or None)


def _gaps(live: LiveSource, reader: RowReader, links: Links) -> list[FieldGap]:
    """What no record can have: fields that are not filled, and links that no resource of the system knows."""
    if not isinstance(reader, RecordReader):
        return list(reader.extras.lasting_gaps())
    found = list(lasting_gaps(reader, live.source.system.protocol))
    found += [
        FieldGap(path=step.field.name, reason=FieldGapReason.NOT_SUPPORTED_BY_SYSTEM)
        for step in links
        if isinstance(step, ToMany) and not pointing_resources(live, step)
    ]
    return found
