"""What all tests share: the contract suite's option, and the programs of other people that tests run against."""

pytest_plugins = [
    "connectors.testing.plugin",
    "tests.gateway.stores.redis_server",
    "tests.real.odoo.fixtures",
    "tests.real.phoenix.fixtures",
    "tests.real.tryton.fixtures",
    "tests.servers.postgresql",
]
