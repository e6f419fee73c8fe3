import ast
from pathlib import Path

import gateway
from gateway.stores import audit
from gateway.stores.rows import Actor, AuditEntry
from gateway.stores.sql import Store
from tests.gateway.stores.samples import connected, end, key_of

OPERATOR = Actor(id="key_1", kind="ADMIN", request_id="req-1")


async def append(store: Store, action: str, **of: str) -> None:
    async with store.database.writing() as transaction:
        await store.audit.append(transaction, OPERATOR, action, details={"a": [1, None]}, **of)


async def test_a_line_says_who_did_what_in_which_request(store: Store) -> None:
    await append(store, "test.one", customer_id="cus_1", connection_id="con_1")
    (line,) = await store.audit.page(first=10)
    assert line == AuditEntry(
        id=line.id,
        at=line.at,
        actor_id="key_1",
        actor_kind="ADMIN",
        action="test.one",
        customer_id="cus_1",
        connection_id="con_1",
        request_id="req-1",
        details={"a": [1, None]},
    )


async def test_pages_go_back_from_the_latest_and_narrow(store: Store) -> None:
    for number in range(5):
        await append(store, f"test.{number}", customer_id=f"cus_{number % 2}", connection_id=f"con_{number}")
    everything = await store.audit.page(first=10)
    seen: list[AuditEntry] = []
    while page := await store.audit.page(first=2, before=seen[-1].id if seen else None):
        seen += page
    assert seen == everything == sorted(everything, key=lambda line: line.id, reverse=True)
    assert {line.action for line in await store.audit.page(first=10, customer_id="cus_1")} == {"test.1", "test.3"}
    assert [line.action for line in await store.audit.page(first=10, connection_id="con_2")] == ["test.2"]


async def test_every_change_leaves_a_line_and_a_repetition_none(store: Store) -> None:
    customer = await store.create_customer(name="Acme", by=OPERATOR)
    connection, _ = await connected(store, customer)
    key = key_of(connection)
    await store.create_api_key(key, by=OPERATOR)
    for _ in range(2):
        await store.revoke_api_key(key.id, customer_id=None, by=OPERATOR)
        await end(store, connection.id, None, customer_id=None)
    lines = await store.audit.page(first=10)
    assert sorted(line.action for line in lines) == [
        "api_key.create",
        "api_key.revoke",
        "connection.connect",
        "connection.disconnect",
        "customer.create",
    ]
    assert key.digest not in repr(lines)


def test_no_statement_changes_or_deletes_a_line() -> None:
    """Whoever could change the log would have to name its table, and only this module does."""
    package = Path(str(gateway.__file__)).parent
    naming = {
        path
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "gateway.stores.tables"
        for name in node.names
        if name.name in ("audit", "*")
    }
    assert naming == {Path(audit.__file__)}
    imported = {name.name for node in ast.walk(_tree()) if isinstance(node, ast.ImportFrom) for name in node.names}
    assert {"insert", "select"} <= imported
    assert not {"update", "delete", "text"} & imported


def _tree() -> ast.Module:
    return ast.parse(Path(audit.__file__).read_text(encoding="utf-8"))
