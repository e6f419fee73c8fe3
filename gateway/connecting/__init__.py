"""Makes, checks and changes connections, as callers ask for it."""
