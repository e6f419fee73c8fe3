"""Tryton, an open-source ERP, over its JSON-RPC."""
