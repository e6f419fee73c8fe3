"""A real Odoo 19 to test against: unpacked, filled with a plant's records, and run as its own process."""
