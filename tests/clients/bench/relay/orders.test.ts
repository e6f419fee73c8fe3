import assert from "node:assert/strict";
import { test } from "node:test";
import { createOperationDescriptor, fetchQuery, getRequest } from "relay-runtime";
import { hearWarnings, ids, token, url, whileBroken } from "../demo.ts";
import type { OrdersOneQuery } from "./__generated__/OrdersOneQuery.graphql.ts";
import type { OrdersPageQuery, OrdersPageQuery$data } from "./__generated__/OrdersPageQuery.graphql.ts";
import { connect, one, page } from "./Orders.ts";

hearWarnings();

type Environment = ReturnType<typeof connect>;

async function read(environment: Environment, after: string | null) {
  const variables = { first: 4, after };
  await fetchQuery<OrdersPageQuery>(environment, page, variables).toPromise();
  const { fragment } = createOperationDescriptor(getRequest(page), variables);
  const data = environment.lookup(fragment).data as unknown as OrdersPageQuery$data;
  assert(data.purchaseOrders);
  return data.purchaseOrders as typeof data.purchaseOrders & { pageInfo: { endCursor: string } };
}

test("pages are joined, each row once", async () => {
  const environment = connect(url, token);
  const first = await read(environment, null);
  const joined = await read(environment, first.pageInfo.endCursor);
  assert.equal(first.edges.length, 4);
  assert.equal(new Set(ids(joined.edges)).size, 8);
  assert.deepEqual(ids(joined.edges).slice(0, 4), ids(first.edges));
});

test("a record is read again by its id", async () => {
  const environment = connect(url, token);
  const [id] = ids((await read(environment, null)).edges);
  assert(id);
  const found = await fetchQuery<OrdersOneQuery>(environment, one, { id }).toPromise();
  assert(found?.node?.number);
});

test("a system that fails is no error, and is named", async () => {
  const found = await whileBroken(() => read(connect(url, token), null));
  assert.equal(found.isComplete, false);
  const failed = found.sources.filter(({ error }) => error !== null).map(({ connection }) => connection.name);
  assert.deepEqual(failed, ["sap-us"]);
});
