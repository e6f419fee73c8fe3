"""What stands before every call to a system: its limits, and what keeps a failing system from more load."""
