"""A system as a package of somebody else would offer it."""

from dataclasses import replace

from connectors.systems.tryton.spec import tryton

other = replace(tryton, key="other", title="Other")
