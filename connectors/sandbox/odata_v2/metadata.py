"""The service's own description: EDMX from the facts, and the service document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import quoteattr

from connectors.sandbox.odata_v2.service import EntitySet, Navigation, Property, Service

EDMX = (
    '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"'
    ' xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
    ' xmlns:sap="http://www.sap.com/Protocols/SAPData"><edmx:DataServices m:DataServiceVersion="2.0">'
)


def edmx(service: Service) -> str:
    """Write the $metadata document of a service."""
    links = [(each, link) for each in service.entity_sets.values() for link in each.navigation.values()]
    return "".join(
        (
            '<?xml version="1.0" encoding="utf-8"?>',
            EDMX,
            f'<Schema Namespace="{service.namespace}" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">',
            *(_entity_type(each) for each in service.entity_sets.values()),
            *(_association(service, each, link) for each, link in links),
            f'<EntityContainer Name="{service.name}_Entities" m:IsDefaultEntityContainer="true"'
            ' sap:supported-formats="atom json xlsx">',
            *(_entity_set(each) for each in service.entity_sets.values()),
            *(_association_set(each, link) for each, link in links),
            "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>",
        )
    )


def service_document(service: Service) -> dict[str, dict[str, list[str]]]:
    """Return the service document as JSON."""
    return {"d": {"EntitySets": list(service.entity_sets)}}


def service_document_atom(service: Service, root: str) -> str:
    """Write the service document as Atom."""
    collections = "".join(
        f'<app:collection href="{name}"><atom:title type="text">{name}</atom:title></app:collection>'
        for name in service.entity_sets
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><app:service xml:base={quoteattr(root + "/")}'
        ' xmlns:app="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom">'
        f'<app:workspace><atom:title type="text">Data</atom:title>{collections}</app:workspace></app:service>'
    )


def _entity_type(entity_set: EntitySet) -> str:
    keys = "".join(f'<PropertyRef Name="{name}"/>' for name in entity_set.key)
    properties = "".join(_property(entity_set, each) for each in entity_set.properties.values())
    links = "".join(
        f'<NavigationProperty Name="{link.name}"'
        f' Relationship="{entity_set.namespace}.{_name(entity_set, link)}"'
        ' FromRole="From" ToRole="To"/>'
        for link in entity_set.navigation.values()
    )
    return f'<EntityType Name="{entity_set.type}"><Key>{keys}</Key>{properties}{links}</EntityType>'


def _property(entity_set: EntitySet, prop: Property) -> str:
    said: Mapping[str, object] = {
        "Name": prop.name,
        "Type": prop.type,
        "Nullable": "false" if prop.required else None,
        "MaxLength": prop.max_length,
        "Precision": prop.precision,
        "Scale": prop.scale,
        "ConcurrencyMode": "Fixed" if entity_set.etag == prop.name else None,
        "sap:label": prop.label,
        "sap:unit": prop.unit,
        "sap:semantics": prop.semantics,
        "sap:display-format": prop.format,
        "sap:creatable": None if prop.creatable else "false",
        "sap:updatable": None if prop.updatable else "false",
        "sap:filterable": None if prop.filterable else "false",
        "sap:sortable": None if prop.sortable else "false",
    }
    return f"<Property{_attributes(said.items())}/>"


def _entity_set(entity_set: EntitySet) -> str:
    said = {
        "Name": entity_set.name,
        "EntityType": f"{entity_set.namespace}.{entity_set.type}",
        "sap:creatable": None if entity_set.creatable else "false",
        "sap:updatable": None if entity_set.updatable else "false",
        "sap:deletable": None if entity_set.deletable else "false",
    }
    return f"<EntitySet{_attributes(said.items())}/>"


def _association(service: Service, entity_set: EntitySet, link: Navigation) -> str:
    target = service.entity_sets[link.target]
    many = "*" if link.many else "0..1"
    return (
        f'<Association Name="{_name(entity_set, link)}">'
        f'<End Type="{service.namespace}.{entity_set.type}" Multiplicity="1" Role="From"/>'
        f'<End Type="{service.namespace}.{target.type}" Multiplicity="{many}" Role="To"/></Association>'
    )


def _association_set(entity_set: EntitySet, link: Navigation) -> str:
    name = _name(entity_set, link)
    return (
        f'<AssociationSet Name="{name}Set" Association="{entity_set.namespace}.{name}">'
        f'<End EntitySet="{entity_set.name}" Role="From"/>'
        f'<End EntitySet="{link.target}" Role="To"/></AssociationSet>'
    )


def _name(entity_set: EntitySet, link: Navigation) -> str:
    return f"assoc_{entity_set.name}_{link.name}"


def _attributes(said: Iterable[tuple[str, object]]) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in said if value is not None)
