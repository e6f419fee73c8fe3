"""Who follows connections is told what calls have come to."""

from pathlib import Path

from tests.gateway.following import followed
from tests.gateway.running import stand_in

FOLLOW = """
subscription { connectionStatus { connection { status isReadable } event { name previous { status } } } }
"""
ORDERS = "{ purchaseOrders(first: 1) { isComplete } }"


async def test_a_system_that_fails_is_told_to_its_followers(tmp_path: Path) -> None:
    async with stand_in() as erp, followed(tmp_path) as plant:
        await plant.gateway.connected(erp)
        async with plant.line() as line:
            await line.subscribe(query=FOLLOW)
            first = await line.update()
            assert (first["connection"]["status"], first["event"]) == ("ACTIVE", None)
            erp.trouble("error")
            for _ in range(6):
                await plant.gateway.data(ORDERS)
            assert (await line.update())["event"]["name"] == "connection.circuit_opened"
            assert await line.update() == {
                "connection": {"status": "DEGRADED", "isReadable": False},
                "event": {"name": "connection.degraded", "previous": {"status": "ACTIVE"}},
            }
