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


def read_shapes(source: str, answer: Answer) -> dict[str, Shape]:
    """The shapes of all collections of a service, named as one of them is."""
    service, slash, _ = source.rpartition("/")
    document = _Document(_parse(answer), f"{service}{slash}")
    return {f"{service}{slash}{name}": document.shape(name) for name in document.sets}


class _Document:
    """A description, with what it refers to by name."""

    def __init__(self, root: Element, service: str) -> None:
        self._service = service
        self.sets = _by_name(_all(root, "EntitySet"))
        self._types = _by_name(_all(root, "EntityType"))
        self._associations = _by_name(_all(root, "Association"))
        self._association_sets = {_last(item.get("Association", "")): item for item in _all(root, "AssociationSet")}

    def shape(self, name: str) -> Shape:
        """The shape of one collection; what its type inherits belongs to it, too."""
        entity_set = self.sets[name]
        entity_type = self._types.get(_last(entity_set.get("EntityType", "")))
        key: tuple[str, ...] = ()
        fields: dict[str, FoundField] = {}
        while entity_type is not None:
            key = key or tuple(item.get("Name", "") for item in _all(entity_type, "PropertyRef"))
            own = [*map(_property, _all(entity_type, "Property"))]
            own += [self._link(entity_set, item) for item in _all(entity_type, "NavigationProperty")]
            fields = {item.name: item for item in own} | fields
            entity_type = self._types.get(_last(entity_type.get("BaseType", "")))
        return Shape(key, fields)

    def _link(self, entity_set: Element, element: Element) -> FoundField:
        """V4 names a link's type, V2 an association, whose ends say where it leads and to how many."""
        name, kind = element.get("Name", ""), element.get("Type")
        if kind is not None:
            bindings = _all(entity_set, "NavigationPropertyBinding")
            targets = [item.get("Target") for item in bindings if item.get("Path") == name]
            is_many = kind.startswith("Collection(")
        else:
            relationship, role = _last(element.get("Relationship", "")), element.get("ToRole")
            ends = _ends(self._associations.get(relationship), role)
            targets = [end.get("EntitySet") for end in _ends(self._association_sets.get(relationship), role)]
            is_many = any(end.get("Multiplicity") == "*" for end in ends)
        target = next((f"{self._service}{item}" for item in targets if item), None)
        return FoundField(name, Form.OTHER, target=target, is_many=is_many, is_pure=True)


def _ends(association: Element | None, role: str | None) -> list[Element]:
    return [] if association is None else [end for end in _all(association, "End") if end.get("Role") == role]


def _by_name(elements: list[Element]) -> dict[str, Element]:
    return {item.get("Name", ""): item for item in elements}


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
