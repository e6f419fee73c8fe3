"""The unified model, declared once; it knows no system."""
