import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheExchange, Client, fetchExchange } from "@urql/core";
import { hearWarnings, ids, token, url, whileBroken } from "./demo.ts";
import { AmountsDocument, CurrenciesDocument, OrdersDocument } from "./gql/graphql.ts";
import { missing } from "./partial.ts";
import { connect } from "./urql.ts";

hearWarnings();

test("pages are joined, each row once", async () => {
  const client = connect(url, token);
  const first = await client.query(OrdersDocument, { first: 4 });
  const after = first.data?.purchaseOrders?.pageInfo.endCursor ?? null;
  const joined = await client.query(OrdersDocument, { first: 4, after });
  assert.equal(joined.error, undefined);
  assert.equal(new Set(ids(joined.data?.purchaseOrders?.edges)).size, 8);
});

test("parts that different queries select are kept together", async () => {
  const client = connect(url, token);
  await client.query(AmountsDocument, { first: 4 });
  await client.query(CurrenciesDocument, { first: 4 });
  const { data } = await client.query(AmountsDocument, { first: 4 }, { requestPolicy: "cache-only" });
  assert.equal(data?.purchaseOrders?.edges.length, 4);
});

test("a system that fails is no error, and is named", async () => {
  const { data, error } = await whileBroken(() => connect(url, token).query(OrdersDocument, {}).toPromise());
  assert.equal(error, undefined);
  assert(data?.purchaseOrders);
  assert.match(missing(data.purchaseOrders).join(), /^sap-us: .+/);
});

test("a key that is not known is an error with a code", async () => {
  const { error } = await connect(url, "sgc_nobody").query(OrdersDocument, {});
  assert.equal(error?.graphQLErrors[0]?.extensions["code"], "UNAUTHENTICATED");
  assert.equal(error.response.status, 401);
});

test("the client as it comes works too, its queries by GET", async () => {
  const fetchOptions = { headers: { authorization: `Bearer ${token}` } };
  const exchanges = [cacheExchange, fetchExchange];
  const client = new Client({ url, fetchOptions, exchanges, preferGetMethod: "force" });
  const { data, error } = await client.query(OrdersDocument, { first: 2 });
  assert.equal(error, undefined);
  assert.equal(data?.purchaseOrders?.edges.length, 2);
});
