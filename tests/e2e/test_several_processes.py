"""Two processes behind a load balancer are one gateway: what one changes, the other's subscribers are told."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.e2e.followers import Follower, following
from tests.e2e.sites import Site
from tests.gateway.running import GatewayClient, StandIn, stand_in

DISCONNECT = "mutation ($id: ID!) { disconnectSystem(input: {id: $id}) { errors { code } } }"
REVOKE = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { errors { code } } }"


@pytest.fixture
async def sap() -> AsyncIterator[StandIn]:
    async with stand_in() as system:
        yield system


async def connect_and_disconnect(client: GatewayClient, sap: StandIn, name: str, times: int) -> list[str]:
    """Make connections of a customer, and end all but the last."""
    made: list[str] = []
    for _ in range(times):
        for last in made[-1:]:
            await client.data(DISCONNECT, id=last)
        connection, _ = await client.connected(sap, name=name)
        made.append(connection)
    return made


async def test_subscribers_of_either_process_see_every_change_once_and_in_order(
    two_processes: Site, sap: StandIn
) -> None:
    site = two_processes
    followers = [Follower(site), Follower(site), *(Follower(site, url=site.address(index)) for index in range(2))]
    async with site.client(site.address(0)) as here, site.client(site.address(1)) as there:
        first, _ = await here.connected(sap, name="First")
        async with following(*followers):
            for follower in followers:
                await follower.until(lambda each: each.cursor)
            await here.data(DISCONNECT, id=first)
            for follower in followers:
                await follower.has_heard_of(first, "connection.disconnected")
            made = await asyncio.gather(
                connect_and_disconnect(here, sap, "Mill", 4), connect_and_disconnect(there, sap, "Plant", 4)
            )
            last, _ = await there.connected(sap, name="Last")
            for follower in followers:
                await follower.has_heard_of(last, "connection.activated")
    for follower in followers:
        follower.must_be_whole()
        assert follower.codes == []
        for connections in made:
            assert all(len(follower.named(each, "connection.activated")) == 1 for each in connections)
            assert all(len(follower.named(each, "connection.disconnected")) == 1 for each in connections[:-1])
        assert since(follower, first) == since(followers[0], first)


def since(follower: Follower, connection: str) -> list[str]:
    """What a follower was told from the end of a connection on."""
    (end,) = follower.named(connection, "connection.disconnected")
    return [each["id"] for each in follower.events if each["id"] >= end["id"]]


async def test_a_revoked_token_loses_its_lines_in_both(two_processes: Site, sap: StandIn) -> None:
    site = two_processes
    async with site.client(site.address(0)) as client:
        _, token = await client.connected(sap, name="Revoked")
        made = await client.new_key(customerId=await client.customer("Revoked"))
        followers = [Follower(site, made["apiToken"], site.address(index)) for index in range(2)]
        bystander = Follower(site, token, site.address(1))
        async with following(*followers, bystander):
            for follower in [*followers, bystander]:
                await follower.until(lambda each: each.cursor)
            await client.data(REVOKE, id=made["apiKey"]["id"])
            for follower in followers:
                await follower.until(lambda each: each.codes)
                assert follower.codes == [4403]
            assert bystander.codes == []
        async with site.client(site.address(1)) as there:
            assert await there.refused("{ __typename }", made["apiToken"]) == "TOKEN_REVOKED"
