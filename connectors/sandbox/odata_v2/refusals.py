"""What SAP Gateway says when it refuses: one exception, made by name.

Statuses are those of the real system, codes and texts too where the facts of a system call them confirmed.
"""

from __future__ import annotations


class ODataRefusal(Exception):
    """A request that the service refuses; becomes an answer in the format the caller asked for."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def malformed(detail: str) -> ODataRefusal:
    """Say that the request cannot be read at all; `detail` says where."""
    text = "The Data Services Request could not be understood due to malformed syntax"
    return ODataRefusal(400, "005056A509B11ED1B9BF94F386DD82E6", f"{text}: {detail}")


def unknown_segment(name: str) -> ODataRefusal:
    """Say that a path, $select or $expand names what the service does not have."""
    return ODataRefusal(404, "005056A509B11EE1B9A8FEC11C21D78E", f"Resource not found for the segment '{name}'.")


def not_found(entity_type: str) -> ODataRefusal:
    """Say that no entity has this key; the real message names the type, not the key."""
    return ODataRefusal(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for segment '{entity_type}'")


def unknown_service(name: str, version: str) -> ODataRefusal:
    """Say that the service is not registered; really a 403, though it is no matter of rights."""
    text = f"No service found for namespace '', name '{name}', version '{version:0>4}'"
    return ODataRefusal(403, "/IWFND/MED/170", text)


def not_authorized(service: str, version: str) -> ODataRefusal:
    """Say that the user lacks the right to call this service."""
    return ODataRefusal(403, "/IWFND/CM_CONSUMER/101", f"No authorization to access Service '{service}_{version}'")


def unknown_property(name: str, entity_type: str) -> ODataRefusal:
    """Say that $filter or $orderby names a property that the type does not have."""
    return ODataRefusal(400, "005056A509B11EE1B9A8FEA8DE87F78E", f"Property {name} not found in type {entity_type}")


def not_allowed_here(name: str, use: str) -> ODataRefusal:
    """Say that metadata excludes an existing property from `use` (filtering, sorting)."""
    return ODataRefusal(400, "/IWBEP/CM_MGW_RT/022", f"Property '{name}' is not allowed for {use}")


def wrong_type(function: str, position: int) -> ODataRefusal:
    """Say that the operands of a filter function or operator do not fit together."""
    return ODataRefusal(
        400,
        "005056A509B11EE1BB8AF4A65EC3CA20",
        f"Invalid parametertype used at function '{function}' (Position: {position})",
    )


def invalid_token(position: int) -> ODataRefusal:
    """Say that the filter stops being a filter at this position (counted from 1)."""
    return ODataRefusal(400, "/IWCOR/CX_DS_EXPR_SYNTAX_ERROR", f"Invalid token detected at position {position}")


def unsupported_function(name: str) -> ODataRefusal:
    """Say that the service does not take a function that OData V2 knows."""
    return ODataRefusal(400, "/IWBEP/CM_MGW_EXPR/000", f"Function {name} is not supported")


def unknown_function(name: str, position: int) -> ODataRefusal:
    """Say that OData V2 does not know the function (contains belongs to V4)."""
    return ODataRefusal(
        400,
        "/IWCOR/CX_DS_EXPR_SYNTAX_ERROR",
        f"Unknown function '{name}' detected at position {position}",
    )


def system_options_refused() -> ODataRefusal:
    """Refuse options beginning with $ that are unknown, or that stand where only reads may have them."""
    return ODataRefusal(
        400,
        "/IWBEP/CM_MGW_RT/022",
        "The Data Services Request contains SystemQueryOptions that are not allowed for this Request Type",
    )


def invalid_option(name: str, value: str) -> ODataRefusal:
    """Say that a system query option cannot have this value."""
    return ODataRefusal(
        400, "005056A509B11EE1B9A8FEC11C23378E", f"Invalid value '{value}' for system query option '{name}'"
    )


def not_acceptable() -> ODataRefusal:
    """Say that the caller accepts no format that the resource has."""
    return ODataRefusal(
        406,
        "005056A509B11ED19BEB6513AA349DA5",
        "The resource identified by the request is only capable of generating response entities which have"
        " content characteristics not acceptable according to the accept headers sent in the request",
    )


def method_not_allowed() -> ODataRefusal:
    """Say that the resource exists, but not for this method."""
    return ODataRefusal(
        405,
        "005056A509B11ED199D8826D151FC0FE",
        "The specified HTTP method is not allowed for the resource identified by the Data Service Request URI",
    )


def precondition_required() -> ODataRefusal:
    """Say that a change of an entity with an ETag came without If-Match."""
    return ODataRefusal(
        428,
        "/IWBEP/CM_MGW_RT/191",
        'The Data Service Request is required to be conditional. Try using the "If-Match" header.',
    )


def precondition_failed() -> ODataRefusal:
    """Say that the entity has changed since the caller read it."""
    return ODataRefusal(412, "/IWBEP/CM_MGW_RT/190", "Precondition failed. Refresh the data and try again.")


def invalid_body_property(name: str) -> ODataRefusal:
    """Say that a written body names a property that the type does not have."""
    return ODataRefusal(
        400,
        "/IWCOR/CX_DS_EP_PROPERTY_ERROR/005056A509B11ED1B9BF94F386DD82E6",
        f"Property '{name}' is invalid",
    )


def invalid_body_value(name: str, value: object) -> ODataRefusal:
    """Say that a written value does not fit its property's type or length."""
    return ODataRefusal(
        400,
        "/IWCOR/CX_DS_EDM_FACET_ERROR/005056A509B11ED1BDCCCC5E8168819D",
        f"Property '{name}' has invalid value '{value}'",
    )
