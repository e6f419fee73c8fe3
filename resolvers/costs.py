"""What a query costs: priced from its plans before it runs, held against the limit, and told with what it took.

Each call to a system counts CALL_PRICE, and each record that it may bring counts 1.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType, get_operation_ast
from strawberry.extensions import SchemaExtension

from connectors.expense import Expense, total
from resolvers.forecasts import Forecast, forecast
from resolvers.planning import plan_operation
from resolvers.ports import Context
from schema.errors import ErrorCode, failure

CALL_PRICE = 10
"""What a call counts: as much as so many records."""


def price(expense: Expense) -> int:
    """The cost of calls and records."""
    return expense.calls * CALL_PRICE + expense.records


def forecast_all(plans: Mapping[str, Any], context: Context) -> list[Forecast]:
    """What all root fields come to; one that cannot be planned asks nothing."""
    return [item for path, plan in plans.items() for item in forecast(plan, path, context)]


def refusal(forecasts: Sequence[Forecast], limit: int) -> GraphQLError | None:
    """Why a query is refused that may cost more than the limit: what it costs, what most of it is, what to change."""
    cost = price(total(item.expense for item in forecasts))
    if cost <= limit:
        return None
    by_path: dict[str, int] = {}
    for item in forecasts:
        by_path[item.path] = by_path.get(item.path, 0) + price(item.expense)
    worst = max(by_path, key=lambda path: by_path[path])
    return failure(
        ErrorCode.QUERY_TOO_COMPLEX,
        f"The query may cost {cost:,}, and the limit is {limit:,}; {by_path[worst]:,} of it is for {worst}. Ask for "
        "fewer rows with `first` there and above it, leave out links, use filters that the systems can apply, or "
        "choose connections with `connectionIds`; `explain` shows what costs how much.",
        cost=cost,
        maxCost=limit,
    )


class Costs(SchemaExtension):
    """Plans and prices each query before it runs, refuses one that may cost too much, and tells what it took."""

    _estimate: int | None = None

    def on_execute(self) -> Iterator[None]:
        """Plan and price; the fields find their plans in the context."""
        request = self.execution_context
        document, context = request.graphql_document, request.context
        operation = get_operation_ast(document, request.operation_name) if document is not None else None
        if document is not None and operation is not None and operation.operation is OperationType.QUERY and context:
            context.plans = plan_operation(request.schema, document, request.operation_name, request.variables, context)
            forecasts = forecast_all(context.plans, context)
            self._estimate = price(total(item.expense for item in forecasts))
            refused = refusal(forecasts, context.limits.max_cost)
            if refused is not None:
                request.result = ExecutionResult(data=None, errors=[refused])
        yield

    def get_results(self) -> dict[str, Any]:
        """The cost of a query: foretold at most, really, allowed, and how many calls were made."""
        if self._estimate is None:
            return {}
        context: Context = self.execution_context.context
        spent = Expense(
            sum(tally.requests for tally in context.tallies), sum(tally.records for tally in context.tallies)
        )
        cost = {
            "estimated": self._estimate,
            "actual": price(spent),
            "limit": context.limits.max_cost,
            "upstreamCalls": spent.calls,
        }
        return {"cost": cost}
