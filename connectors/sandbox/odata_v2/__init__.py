"""A stand-in for OData V2 services as SAP Gateway serves them: what the real one refuses is refused."""

from connectors.sandbox.odata_v2.application import ODataV2Sandbox
from connectors.sandbox.odata_v2.filter import compile_filter
from connectors.sandbox.odata_v2.payload import flatten
from connectors.sandbox.odata_v2.refusals import ODataRefusal
from connectors.sandbox.odata_v2.service import EntitySet, Navigation, Property, Service, read_services

__all__ = [
    "EntitySet",
    "Navigation",
    "ODataRefusal",
    "ODataV2Sandbox",
    "Property",
    "Service",
    "compile_filter",
    "flatten",
    "read_services",
]
