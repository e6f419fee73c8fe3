"""A real Tryton 8.2 to test against: installed, filled with a plant's purchases, and run as its own process."""
