"""Reaches systems: the one guard of all outgoing calls, how lines are made, and the logins that processes share."""
