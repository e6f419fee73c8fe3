"""Reads what an OData service tells of itself: `$metadata`, which is XML in every version."""

from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from connectors.errors import BadAnswer, Upstream
from connectors.protocols.shapes import Form, FoundField, Shape
from connectors.query import Answer, Request

_HEADERS = (("Accept", "application/xml"),)
_FORMS: Mapping[str, Form] = {
    "Edm.String": Form.TEXT,
    "Edm.Guid": Form.GUID,
    "Edm.Boolean": Form.TRUTH,
    "Edm.Byte": Form.WHOLE,
    "Edm.SByte": Form.WHOLE,
    "Edm.Int16": Form.WHOLE,
    "Edm.Int32": Form.WHOLE,
    "Edm.Int64": Form.WHOLE,
    "Edm.Decimal": Form.EXACT,
    "Edm.Double": Form.FLOAT,
    "Edm.Single": Form.FLOAT,
    "Edm.Date": Form.DAY,
    "Edm.DateTimeOffset": Form.MOMENT,
}
_HEAVY = frozenset({"Edm.Binary", "Edm.Stream"})


def metadata_request(source: str) -> Request:
    """Ask the service of a collection to describe itself."""
    service, slash, _ = source.rpartition("/")
    return Request("GET", f"{service}{slash}$metadata", headers=_HEADERS)


def read_shape(source: str, answer: Answer) -> Shape | None:
    """The shape of a collection; None where the service has no such collection."""
    root = _parse(answer)
    service, slash, name = source.rpartition("/")
    entity_set = next((item for item in _all(root, "EntitySet") if item.get("Name") == name), None)
    if entity_set is None:
        return None
    entity_types = {item.get("Name", ""): item for item in _all(root, "EntityType")}
    entity_type = entity_types.get(_last(entity_set.get("EntityType", "")))
    if entity_type is None:
        raise BadAnswer("The service's description of itself is not whole.")
    key: tuple[str, ...] = ()
    fields: dict[str, FoundField] = {}
    while entity_type is not None:  # what a type inherits belongs to it, too
        key = key or tuple(item.get("Name", "") for item in _all(entity_type, "PropertyRef"))
        fields = {item.name: item for item in map(_property, _all(entity_type, "Property"))} | fields
        for item in _all(entity_type, "NavigationProperty"):
            found = _navigation(root, entity_set, item, f"{service}{slash}")
            fields.setdefault(found.name, found)
        entity_type = entity_types.get(_last(entity_type.get("BaseType", "")))
    return Shape(key, fields)


def _parse(answer: Answer) -> Element:
    """Parse XML that can do nothing: no document type, so no entities of its own."""
    if b"<!DOCTYPE" in answer.body or b"<!ENTITY" in answer.body:
        raise BadAnswer("The service's description of itself has a document type, which is not read.")
    try:
        return ElementTree.fromstring(answer.body)  # noqa: S314 - see above
    except ElementTree.ParseError:
        said = Upstream(status=answer.status)
        raise BadAnswer("The service does not describe itself in XML.", upstream=said) from None


def _all(element: Element, name: str) -> list[Element]:
    """The elements of a name, whatever the version's namespace."""
    return [item for item in element.iter() if item.tag.rpartition("}")[2] == name]


def _attribute(element: Element, name: str) -> str | None:
    """An attribute of a vendor's namespace, such as sap:label."""
    return next((value for key, value in element.items() if key.endswith(f"}}{name}")), None)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _property(element: Element) -> FoundField:
    kind = element.get("Type", "")
    form = _FORMS.get(kind, Form.OTHER)
    if kind == "Edm.DateTime" and _attribute(element, "display-format") == "Date":
        form = Form.DAY
    return FoundField(
        element.get("Name", ""),
        form,
        label=_attribute(element, "label"),
        is_apart=kind in _HEAVY,
        can_filter=_attribute(element, "filterable") != "false",
    )


def _navigation(root: Element, entity_set: Element, element: Element, service: str) -> FoundField:
    """A link: V4 names its type, V2 an association, whose ends say where it leads and to how many."""
    name, kind = element.get("Name", ""), element.get("Type")
    if kind is not None:
        is_many = kind.startswith("Collection(")
        bindings = {item.get("Path"): item.get("Target", "") for item in _all(entity_set, "NavigationPropertyBinding")}
        target = bindings.get(name)
        return FoundField(
            name, Form.OTHER, target=f"{service}{target}" if target else None, is_many=is_many, is_pure=True
        )
    relationship, role = _last(element.get("Relationship", "")), element.get("ToRole")
    ends = [
        end
        for association in _all(root, "Association")
        if association.get("Name") == relationship
        for end in _all(association, "End")
        if end.get("Role") == role
    ]
    is_many = any(end.get("Multiplicity") == "*" for end in ends)
    targets = [
        end.get("EntitySet")
        for item in _all(root, "AssociationSet")
        if _last(item.get("Association", "")) == relationship
        for end in _all(item, "End")
        if end.get("Role") == role
    ]
    target = next(iter(targets), None)
    return FoundField(name, Form.OTHER, target=f"{service}{target}" if target else None, is_many=is_many, is_pure=True)
