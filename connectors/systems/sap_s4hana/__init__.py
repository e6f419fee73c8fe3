"""SAP S/4HANA, over its OData V2 services."""
