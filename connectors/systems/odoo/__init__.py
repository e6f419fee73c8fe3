"""Odoo, an open-source ERP, over its JSON-2 API."""
