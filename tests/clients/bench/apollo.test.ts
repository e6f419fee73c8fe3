import assert from "node:assert/strict";
import { test } from "node:test";
import { CombinedGraphQLErrors } from "@apollo/client";
import { connect } from "./apollo.ts";
import { hearWarnings, ids, token, url, whileBroken } from "./demo.ts";
import { AmountsDocument, CurrenciesDocument, OneDocument, OrdersDocument } from "./gql/graphql.ts";
import { canRetry, missing } from "./partial.ts";

hearWarnings();

test("pages are joined, each row once", async () => {
  const client = connect(url, token);
  const query = { query: OrdersDocument, variables: { first: 4 } };
  const watched = client.watchQuery(query);
  const watching = watched.subscribe(() => {});
  const { data } = await client.query(query);
  await watched.fetchMore({ variables: { after: data?.purchaseOrders?.pageInfo.endCursor ?? null } });
  const joined = client.readQuery(query)?.purchaseOrders?.edges;
  watching.unsubscribe();
  assert.equal(new Set(ids(joined)).size, 8);
  assert.deepEqual(ids(joined).slice(0, 4), ids(data?.purchaseOrders?.edges));
});

test("parts that different queries select are kept together", async () => {
  const client = connect(url, token);
  const variables = { first: 4 };
  await client.query({ query: AmountsDocument, variables });
  await client.query({ query: CurrenciesDocument, variables });
  const { data } = await client.query({ query: AmountsDocument, variables, fetchPolicy: "cache-only" });
  assert.equal(data?.purchaseOrders?.edges.length, 4);
  for (const { node } of data.purchaseOrders.edges) {
    assert(node.meta.fetchedAt);
    assert.match(node.total?.amount ?? "0", /^-?\d+(\.\d+)?$/);
  }
});

test("a fragment on every kind of record is read from the cache", async () => {
  const client = connect(url, token);
  const { data } = await client.query({ query: OrdersDocument, variables: { first: 1 } });
  const [id] = ids(data?.purchaseOrders?.edges);
  assert(id);
  const { data: one } = await client.query({ query: OneDocument, variables: { id } });
  assert(one?.node && "remoteId" in one.node && one.node.remoteId);
});

test("a system that fails is no error, and is named", async () => {
  const client = connect(url, token);
  const { data, error } = await whileBroken(() => client.query({ query: OrdersDocument }));
  assert.equal(error, undefined);
  const page = data?.purchaseOrders;
  assert(page);
  assert(page.edges.length > 0);
  const [line, ...others] = missing(page);
  assert.match(line ?? "", /^sap-us: .+/);
  assert.deepEqual(others, []);
  assert.equal(canRetry(page), true);
  const again = await client.query({ query: OrdersDocument, fetchPolicy: "network-only" });
  assert.deepEqual(missing(again.data!.purchaseOrders!), []);
});

test("an answer that has to be complete is an error with the outcomes", async () => {
  const client = connect(url, token);
  const variables = { requireComplete: true };
  const { error } = await whileBroken(() => client.query({ query: OrdersDocument, variables, errorPolicy: "all" }));
  assert(CombinedGraphQLErrors.is(error));
  const sources = error.errors[0]?.extensions?.["sources"] as { status: string }[];
  assert(sources.some(({ status }) => status === "ERROR"));
});

test("a key that is not known is an error with a code", async () => {
  const client = connect(url, "sgc_nobody");
  await assert.rejects(client.query({ query: OrdersDocument }), (error) => {
    assert(CombinedGraphQLErrors.is(error));
    return error.errors[0]?.extensions?.["code"] === "UNAUTHENTICATED";
  });
});
