"""A stand-in for Odoo's JSON-2 API: what the real one refuses is refused."""

from connectors.sandbox.odoo_json2.application import OdooSandbox
from connectors.sandbox.odoo_json2.domain import compile_domain
from connectors.sandbox.odoo_json2.environment import Environment, User
from connectors.sandbox.odoo_json2.models import Compute, Field, Model, Row, read_models
from connectors.sandbox.odoo_json2.refusals import OdooRefusal

__all__ = [
    "Compute",
    "Environment",
    "Field",
    "Model",
    "OdooRefusal",
    "OdooSandbox",
    "Row",
    "User",
    "compile_domain",
    "read_models",
]
